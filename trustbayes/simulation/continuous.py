"""Games on a line simulated: states and choices, and means of what is chosen.

The functions that `trustbayes.simulation.kinds.Kind` asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from trustbayes.games import ContinuousGame, Role
from trustbayes.models.draws import Draws
from trustbayes.models.replications import replicate
from trustbayes.simulation.summaries import summary
from trustbayes.trials.forecast import Points, points_of_trials

__all__ = [
    "add_states",
    "biases_of",
    "choose",
    "choose_in_order",
    "observed_choices",
    "placeholder",
    "replicated_choices",
    "seen_bins",
    "trial_shifts",
    "units_of",
]

_BINS = 10


def biases_of(treatments: Mapping[str, Any] | Sequence[str]) -> dict[str, tuple[float, ...]]:
    """No biases in any treatment: what sets it apart stands in the game."""
    return {str(name): () for name in treatments}


def add_states(
    table: pd.DataFrame,
    game: ContinuousGame,
    treatments: Mapping[str, tuple[float, ...]],
    rng: np.random.Generator,
) -> None:
    """Draw a state for each pair."""
    limits = game.seen_range("sender")
    table["state"] = game.recorded(rng.uniform(*limits, size=len(table)), *limits)


def units_of(
    role: Role,
    game: ContinuousGame,
    table: pd.DataFrame,
    treatments: Mapping[str, tuple[float, ...]],
) -> Points:
    """The trials, as if every choice that is to be made had been 0."""
    subjects = tuple(sorted(table[role].unique()))
    at = table.assign(message=table.get("message", 0.0), action=0.0)  # none made yet
    order = tuple(name for name in game.treatments if name in treatments)  # as trials have
    return points_of_trials(at, role, subjects, order)


def choose(
    draws: Draws, table: pd.DataFrame, kinds: np.ndarray | None, rng: np.random.Generator
) -> np.ndarray:
    """Draw a choice at every row of the table."""
    return choose_in_order(draws, kinds, rng)


def placeholder(game: ContinuousGame, name: str) -> float:
    """Nothing."""
    return 0.0


def choose_in_order(draws: Draws, kinds: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Draw a choice in every trial, in their order."""
    [(_, answer, values)] = draws.answers()
    given = None if kinds is None else kinds[None]
    model, game = draws.model, cast(ContinuousGame, draws.game)
    choices = model.response(game).choose(draws.units, answer, values, given, rng)[0]
    return game.recorded(choices, *game.choice_range(model.role))


def seen_bins(game: ContinuousGame, role: Role, seen: np.ndarray) -> np.ndarray:
    """The bin of each thing seen: ten of equal width over all that can be seen.

    Parameters
    ----------
    game : ContinuousGame
    role : "sender" or "receiver"
    seen : array, shape (trials,)
        Within the range of what the role sees.

    Returns
    -------
    array of int, shape (trials,)
        0 to 9; what lies between two bins belongs to the upper one.

    Examples
    --------
    >>> from trustbayes.games import ForecastGame
    >>> seen_bins(ForecastGame(), "sender", np.array([-150.0, -1.0, 0.0, 150.0]))
    array([0, 4, 5, 9])
    """
    edges = np.linspace(*game.seen_range(role), _BINS + 1)
    return np.searchsorted(edges[1:-1], seen, side="right")


def replicated_choices(
    draws: Draws, rng: np.random.Generator, given_trials: bool, ci_prob: float
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Mean choices by what was seen, in bins; the units' total shift, and replicated."""
    units, game = cast(Points, draws.units), cast(ContinuousGame, draws.game)
    copies = replicate(draws, rng, given_trials)
    seen, choice = units.trial_seen, units.trial_choice
    trial_treatment = units.unit_treatment[units.trial_unit]
    bins = seen_bins(game, units.role, seen)
    tail = (1 - ci_prob) / 2
    rows = []
    for index, treatment in enumerate(units.treatments):
        for number in range(_BINS):
            inside = (trial_treatment == index) & (bins == number)
            if not inside.any():
                continue
            low, high = np.quantile(copies[:, inside], [tail, 1 - tail])
            means = summary(choice[inside].mean(), copies[:, inside].mean(axis=1), ci_prob)
            rows.append(
                {
                    "treatment": treatment,
                    "seen": seen[inside].mean(),
                    "trials": int(inside.sum()),
                    **{name: float(value) for name, value in means.items()},
                    "low": low,
                    "high": high,
                }
            )
    order = np.argsort(units.trial_unit, kind="stable")
    starts = np.flatnonzero(np.diff(units.trial_unit[order], prepend=-1))
    total, totals = (
        np.add.reduceat(trial_shifts(game, units, values)[..., order], starts, axis=-1)
        for values in (choice, copies)
    )
    return pd.DataFrame(rows), total, totals


def trial_shifts(game: ContinuousGame, units: Points, choices: np.ndarray) -> np.ndarray:
    """Choices less what one would choose who is truthful, or trusts fully."""
    names = np.array(units.treatments)[units.unit_treatment[units.trial_unit]]
    return np.asarray(choices - game.face_value(units.role, units.trial_seen, names))


def observed_choices(units: Points) -> np.ndarray:
    """The choices."""
    return units.trial_choice
