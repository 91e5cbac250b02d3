"""Before an experiment: whether it would tell the theories apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from trustbayes.comparison import verdict
from trustbayes.comparison.compare import compare
from trustbayes.errors import Fault, InputError
from trustbayes.games import Game, Role
from trustbayes.inference.fit import Fit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import Model, model
from trustbayes.simulation.experiments import (
    Experiment,
    SimulatedFits,
    SimulatedTrials,
    collected,
    total_seconds,
)

__all__ = ["DESIGN_SAMPLING", "Power", "design", "verdict_of", "wilson"]

DESIGN_SAMPLING = Sampling(draws=750, tune=400, chains=2)
"""Most fits pass the convergence gate, without which there is no verdict; others are repeated."""

_CELL = ["role", "treatments", "subjects", "rounds", "truth"]


@dataclass(frozen=True, eq=False)
class Power:
    """How often each size of experiment tells which theory generated it.

    Parameters
    ----------
    game : Game
    theories : tuple of str
    sampling : Sampling
    experiments : DataFrame
        A row per simulated experiment: role, treatments ("all" or the only one played), subjects,
        rounds, truth, seed, winner (the theory that the verdict names, or "" if it names none),
        best (the theory ahead), lead (of the truth over the best other by leave-one-subject-out,
        nats), error (its standard error), reason (why there is no verdict, if fits failed).
    failures : tuple of str
        Experiments that stopped with an error.
    seconds : mapping of str to float
    """

    game: Game
    theories: tuple[str, ...]
    sampling: Sampling
    experiments: pd.DataFrame
    failures: tuple[str, ...]
    seconds: Mapping[str, float]

    @property
    def table(self) -> pd.DataFrame:
        """A row per role, treatments, size and truth, and one for all truths together.

        Returns
        -------
        DataFrame
            Columns role, treatments, subjects, rounds, truth ("all" for all together),
            experiments, right (number in which the verdict names the truth), wrong (names another),
            power (share of right), lower, upper (95 % Wilson interval), unsampled (number without a
            verdict because a fit did not converge; they count as not right).
        """
        rows = []
        both = pd.concat([self.experiments, self.experiments.assign(truth="all")])
        both["right"] = np.concatenate([self._right, self._right])
        for key, here in both.groupby(_CELL, sort=False):
            right, size = int(here["right"].sum()), len(here)
            lower, upper = wilson(right, size)
            rows.append(
                {
                    **dict(zip(_CELL, key, strict=True)),
                    "experiments": size,
                    "right": right,
                    "wrong": int(((here["winner"] != "") & ~here["right"]).sum()),
                    "power": right / size,
                    "lower": lower,
                    "upper": upper,
                    "unsampled": int((here["reason"] != "").sum()),
                }
            )
        return pd.DataFrame(rows)

    @property
    def _right(self) -> np.ndarray:
        return (self.experiments["winner"] == self.experiments["truth"]).to_numpy()


def design(
    game: Game,
    theories: Sequence[str | Model],
    *,
    subjects: Sequence[int],
    rounds: Sequence[int],
    roles: Sequence[Role] | None = None,
    each_treatment: bool = False,
    experiments: int = 20,
    seed: int = 1,
    sampling: Sampling = DESIGN_SAMPLING,
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> Power:
    """Simulate experiments from each theory, and count in how many the verdict names it.

    Populations are drawn from the theories' priors, anew for each experiment, so that the share is
    an average over all that the priors hold possible ("assurance"). Receivers are sent the messages
    of senders of the same theory. Every theory is fitted to each experiment, and judged by
    `trustbayes.comparison.verdict`.

    Parameters
    ----------
    game : Game
    theories : sequence of str
        Two or more names of models.
    subjects, rounds : sequence of int
        Sizes to try, each with each.
    roles : sequence of "sender" and "receiver", optional
        Default: all of the game.
    each_treatment : bool
        Whether to try, too, experiments in which one of the treatments is played throughout.
    experiments : int
        Simulated for each theory, role and size.
    seed : int
        Experiments of each size have this seed and the following ones.
    sampling : Sampling
        Its seed is not used.
    folder, executor, progress
        See `trustbayes.inference.tasks.run_fits`.

    Returns
    -------
    Power

    Raises
    ------
    InputError
        If there are fewer than two theories, one is unknown or given twice, or a number is too
        small.
    FitsFailed
        If any simulation was lost with its worker, or could not be written.

    Examples
    --------
    >>> import trustbayes as tb
    >>> game = tb.read_game(tb.bundled("simulated-finite").game)
    >>> sizes = {"subjects": [20, 40], "rounds": [20]}
    >>> design(game, ["trust-embedded", "level-k"], **sizes).table  # doctest: +SKIP
    """
    names = [str(name) for name in theories]
    if len(set(names)) < max(2, len(names)):
        raise InputError(Fault("theories", ", ".join(names), "two or more, each once"))
    if experiments < 1:
        raise InputError(Fault("experiments", str(experiments), "a whole number from 1"))
    played: list[tuple[str, ...] | None] = [None]
    if each_treatment and game.treatments is not None and len(game.treatments) > 1:
        played += [(name,) for name in game.treatments]
    tasks, cells = [], []
    for role, only, people, length, truth in product(
        roles or game.roles, played, subjects, rounds, names
    ):
        sender = model(truth, "sender", game) if "sender" in game.roles else None
        receiver = model(truth, "receiver", game) if role == "receiver" else None
        experiment = Experiment(game, sender, receiver, people, length, only)
        rivals = tuple(model(name, role, game) for name in names)
        cell = (role, "all" if only is None else only[0], people, length, truth)
        for number in range(experiments):
            tasks.append(
                SimulatedFits(experiment, seed + number, rivals, sampling, verdict_of, strict=True)
            )
            cells.append(dict(zip(_CELL, cell, strict=True)))
    outcomes, failures = collected(tasks, folder, executor, progress)
    rows = []
    for position, outcome in outcomes.items():
        row: dict[str, Any] = {"winner": "", "best": "", "lead": np.nan, "error": np.nan}
        if outcome.usable:
            row |= _judged(outcome.table, str(cells[position]["truth"]))
        rows.append({**cells[position], "seed": outcome.seed, **row, "reason": outcome.reason})
    columns = [*_CELL, "seed", "winner", "best", "lead", "error", "reason"]
    table = pd.DataFrame(rows, columns=columns)
    seconds = total_seconds(outcomes.values())
    return Power(game, tuple(names), sampling, table, failures, seconds)


def verdict_of(played: SimulatedTrials, fits: Sequence[Fit]) -> pd.DataFrame:
    """Compare theories by new subjects, and give the verdict.

    Parameters
    ----------
    played : SimulatedTrials
    fits : sequence of Fit

    Returns
    -------
    DataFrame
        A row per theory, best first: model, winner (what the verdict names, or ""), and the lead
        of every theory over each other: ``lead_NAME`` and ``error_NAME`` (nats).
    """
    comparison = compare(fits, "subject")
    judgment = verdict(comparison, fits)
    by_unit = comparison.elpd_by_unit()
    rows = []
    for name in comparison.rows().index:
        row: dict[str, Any] = {"model": str(name), "winner": judgment.winner or ""}
        for other in by_unit:
            gap = by_unit[str(name)] - by_unit[other]
            row |= {
                f"lead_{other}": gap.sum(),
                f"error_{other}": np.sqrt(gap.size * gap.var(ddof=0)),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def _judged(table: pd.DataFrame, truth: str) -> dict[str, Any]:
    """What a verdict's table says about the truth."""
    best = str(table["model"].iloc[0])
    rival = next(str(name) for name in table["model"] if name != truth)
    row: Any = table.set_index("model").loc[truth]
    return {
        "winner": str(table["winner"].iloc[0]),
        "best": best,
        "lead": float(row[f"lead_{rival}"]),
        "error": float(row[f"error_{rival}"]),
    }


def wilson(successes: int, trials: int, ci_prob: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a probability.

    Parameters
    ----------
    successes, trials : int
    ci_prob : float

    Returns
    -------
    lower, upper : float

    Examples
    --------
    >>> low, high = wilson(9, 10)
    >>> round(low, 3), round(high, 3)
    (0.596, 0.982)
    """
    z = float(norm.ppf((1 + ci_prob) / 2))
    share = successes / trials
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    away = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)) / (1 + z**2 / trials)
    return max(0.0, float(middle - away)), min(1.0, float(middle + away))
