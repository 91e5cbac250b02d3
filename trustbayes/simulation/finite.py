"""Finite games simulated: biases, states and options from lists, and shares of what is chosen.

The functions that `trustbayes.simulation.kinds.Kind` asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError, listing
from trustbayes.files import natural_order
from trustbayes.games import FiniteGame, Role
from trustbayes.models.draws import Draws
from trustbayes.models.replications import replicate
from trustbayes.simulation.summaries import summary
from trustbayes.trials.finite import Cells
from trustbayes.trials.units import groups_of, people_of

__all__ = [
    "add_states",
    "biases_of",
    "choose",
    "choose_in_order",
    "observed_choices",
    "placeholder",
    "replicated_choices",
    "trial_shifts",
    "units_of",
]

_BUDGET = 32 * 2**20  # bytes of the draws of the cells that are replicated at a time


def biases_of(treatments: Mapping[str, Any] | Sequence[str]) -> dict[str, tuple[float, ...]]:
    """The biases of each treatment, distinct and increasing.

    Raises
    ------
    InputError
        If the treatments are names alone.
    """
    if not isinstance(treatments, Mapping):
        raise InputError(Fault("simulation, treatments", listing(treatments), "names with biases"))
    return {
        str(name): tuple(map(float, np.unique(np.asarray(biases, dtype=float))))
        for name, biases in treatments.items()
    }


def add_states(
    table: pd.DataFrame,
    game: FiniteGame,
    treatments: Mapping[str, tuple[float, ...]],
    rng: np.random.Generator,
) -> None:
    """Draw the bias of each pair evenly among those of its treatment, and a state."""
    table["bias"] = _evenly([treatments[name] for name in table["treatment"]], rng)
    if not game.terms:
        table["state"] = rng.choice(game.states, size=len(table), p=game.prior)
        return
    reached = np.array([game.in_treatment(name).prior.cumsum() for name in treatments])
    at = pd.Index(list(treatments)).get_indexer(pd.Index(table["treatment"]))
    aim = rng.random((len(table), 1)) * reached[at, -1:]
    table["state"] = game.states[(reached[at] <= aim).sum(axis=1)]


def _evenly(choices: list[tuple[float, ...]], rng: np.random.Generator) -> np.ndarray:
    """One of each row's choices, each as likely as the others."""
    sizes = np.array([len(row) for row in choices])
    chosen = (rng.random(len(choices)) * sizes).astype(int)
    return np.array([row[i] for row, i in zip(choices, chosen, strict=True)])


def units_of(
    role: Role, game: FiniteGame, table: pd.DataFrame, treatments: Mapping[str, tuple[float, ...]]
) -> Cells:
    """Every subject under every bias of her treatments, as if each choice was made once.

    The counts do not bear on draws from the prior, but without any nothing could be weighed.
    """
    order = sorted(
        natural_order(list(treatments)), key=lambda name: round(float(np.mean(treatments[name])), 9)
    )
    biases = np.unique([bias for values in treatments.values() for bias in values])
    conditions = np.array(
        [(t, b) for t, name in enumerate(order) for b in np.searchsorted(biases, treatments[name])]
    )
    subjects = sorted(table[role].unique())
    whose = np.repeat(np.arange(len(subjects)), len(conditions))
    conditions = np.tile(conditions, (len(subjects), 1))
    played = {(s, t) for s, t in table[[role, "treatment"]].drop_duplicates().to_numpy()}
    pairs = zip(whose, conditions[:, 0], strict=True)
    kept = np.array([(subjects[person], order[t]) in played for person, t in pairs])
    whose, conditions = whose[kept], conditions[kept]
    shape = (len(whose), game.seen(role).size, game.options(role).size)
    return Cells(
        role=role,
        subjects=tuple(subjects),
        treatments=tuple(order),
        biases=biases,
        groups=groups_of(table, role, tuple(subjects)),
        people=people_of(table, role, tuple(subjects))[0],
        unit_subject=whose,
        unit_treatment=conditions[:, 0],
        unit_bias=conditions[:, 1],
        counts=np.ones(shape, dtype=int),
        trial_unit=np.empty(0, dtype=int),
        trial_seen=np.empty(0, dtype=int),
        trial_option=np.empty(0, dtype=int),
    )


def choose(
    draws: Draws, table: pd.DataFrame, kinds: np.ndarray | None, rng: np.random.Generator
) -> np.ndarray:
    """Draw one of the options at every row of the table."""
    model, game = draws.model, cast(FiniteGame, draws.game)
    cells = _with_trials(cast(Cells, draws.units), game, table)
    [(_, answer, values)] = draws.answers()
    whose = None if kinds is None else kinds[None]
    chosen = model.response(game).choose(cells, answer, values, whose, rng)[0]
    return np.asarray(game.options(model.role)[chosen])


def placeholder(game: FiniteGame, name: str) -> float:
    """The first of the list."""
    return float({"message": game.messages, "action": game.actions}[name][0])


def choose_in_order(draws: Draws, kinds: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Draw one of the options in every trial, where each has an answer of its own."""
    [(_, answer, values)] = draws.answers()
    whose = None if kinds is None else kinds[None]
    response = draws.model.response(draws.game)
    chosen = response.choose(draws.units, answer, values, whose, rng)[0]
    return np.asarray(draws.game.options(draws.model.role)[chosen])


def _with_trials(cells: Cells, game: FiniteGame, table: pd.DataFrame) -> Cells:
    """The cells with the rows of the table as their trials, in which nothing is chosen yet."""
    unit = pd.MultiIndex.from_arrays(
        [
            np.array(cells.subjects)[cells.unit_subject],
            np.array(cells.treatments)[cells.unit_treatment],
            cells.biases[cells.unit_bias],
        ]
    ).get_indexer(pd.MultiIndex.from_frame(table[[cells.role, "treatment", "bias"]]))
    saw = table["state" if cells.role == "sender" else "message"].to_numpy()
    seen = np.searchsorted(game.seen(cells.role), saw)
    return replace(cells, trial_unit=unit, trial_seen=seen, trial_option=np.zeros_like(seen))


def replicated_choices(
    draws: Draws, rng: np.random.Generator, given_trials: bool, ci_prob: float
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Shares of the options after everything seen; the units' total shift, and replicated."""
    units, game = cast(Cells, draws.units), cast(FiniteGame, draws.game)
    seen, options = game.seen(units.role), game.options(units.role)
    gap = game.shifts(units.role)
    copied = np.zeros((draws.size, len(units.treatments), seen.size, options.size))
    totals = []
    for part, _ in draws.parts(max(1, _BUDGET // (8 * draws.size))):
        copies = replicate(part, rng, given_trials)
        for index in range(len(units.treatments)):
            copied[:, index] += copies[:, part.units.unit_treatment == index].sum(axis=1)
        totals.append((copies * gap).sum(axis=(-1, -2)))
    rows = []
    for index, treatment in enumerate(units.treatments):
        counts = units.counts[units.unit_treatment == index].sum(axis=0)
        trials = counts.sum(axis=1)
        asked = trials > 0
        shares = summary(
            counts[asked] / trials[asked, None],
            copied[:, index, asked] / trials[asked, None],
            ci_prob,
        )
        grid = np.meshgrid(seen[asked], options, indexing="ij")
        rows.append(
            pd.DataFrame(
                {
                    "treatment": treatment,
                    "seen": grid[0].ravel(),
                    "option": grid[1].ravel(),
                    "trials": np.repeat(trials[asked], options.size),
                    **{name: values.ravel() for name, values in shares.items()},
                }
            )
        )
    total = (units.counts * gap).sum(axis=(-1, -2))
    return pd.concat(rows, ignore_index=True), total, np.concatenate(totals, axis=1)


def trial_shifts(game: FiniteGame, units: Cells, choices: np.ndarray) -> np.ndarray:
    """Of the options at some positions, see `trustbayes.games.FiniteGame.shifts`."""
    return np.asarray(game.shifts(units.role)[units.trial_seen, choices])


def observed_choices(units: Cells) -> np.ndarray:
    """Positions of the options chosen."""
    return units.trial_option
