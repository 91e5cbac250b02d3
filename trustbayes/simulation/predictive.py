"""Prior and posterior predictive checks on the patterns that this literature looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.errors import renamed_argument
from trustbayes.games import FiniteGame, ForecastGame, Role
from trustbayes.models.draws import Draws, replicate
from trustbayes.trials.finite import Cells
from trustbayes.trials.forecast import Points

__all__ = ["PredictiveCheck", "predictive_check", "seen_bins"]

_BINS = 10
_BUDGET = 32 * 2**20  # bytes of the draws of the cells that are replicated at a time


@dataclass(frozen=True, eq=False)
class PredictiveCheck:
    """Observed patterns against their replications.

    The shift is how far a choice is from face value: message - state for senders
    (exaggeration, if in the direction of the bias), action - message for receivers (discount, if
    against it), in forecast sharing capacity - the capacity under full trust; in units of the
    state. Intervals are equal-tailed with probability ``ci_prob``.

    Parameters
    ----------
    source : "prior" or "posterior"
        From where the draws are.
    ci_prob : float
    choices : DataFrame
        Columns treatment, seen, option, trials (after seeing it), observed (share of the
        option), mean, lower, upper (of the replicated shares). Where choices are continuous a
        row is a bin of what was seen, without option: seen (mean in the bin), trials, observed
        (mean choice), mean, lower, upper (of the replicated means), low, high (interval of
        single replicated choices).
    shift : DataFrame
        Columns treatment, observed (mean shift), mean, lower, upper, p (share of replications at
        least as large).
    spread : DataFrame
        The same columns, for the standard deviation across subjects of their mean shift.
    subjects : DataFrame
        Columns subject, treatment, trials, observed (mean shift of the subject), mean, lower,
        upper.
    """

    source: str
    ci_prob: float
    choices: pd.DataFrame
    shift: pd.DataFrame
    spread: pd.DataFrame
    subjects: pd.DataFrame


@renamed_argument(kind="source")
def predictive_check(draws: Draws, source: str, seed: int, ci_prob: float = 0.9) -> PredictiveCheck:
    """Replicate the experiment for each draw and summarise what comes out.

    Parameters
    ----------
    draws : Draws
        A few hundred, of the posterior or the prior.
    source : "prior" or "posterior"
        From where the draws are; with prior draws, types come from the population's shares.
    seed : int
    ci_prob : float
        Probability of the intervals.

    Returns
    -------
    PredictiveCheck
    """
    units, rng = draws.units, np.random.default_rng(seed)
    by_kind = _finite if isinstance(units, Cells) else _continuous
    choices, total, totals = by_kind(draws, rng, source == "posterior", ci_prob)
    # Mean shift of each subject in each treatment.
    treatments = units.treatments
    pair = units.unit_subject * len(treatments) + units.unit_treatment
    pairs, unit_pair = np.unique(pair, return_inverse=True)
    starts = np.flatnonzero(np.diff(unit_pair, prepend=-1))
    trials = np.add.reduceat(units.trials_per_unit, starts)
    own = np.add.reduceat(total, starts) / trials
    own_copies = np.add.reduceat(totals, starts, axis=-1) / trials
    pair_treatment = pairs % len(treatments)
    subjects = pd.DataFrame(
        {
            "subject": np.array(units.subjects)[pairs // len(treatments)],
            "treatment": np.array(treatments)[pair_treatment],
            "trials": trials,
            **_summary(own, own_copies, ci_prob),
        }
    )
    shift, spread = [], []
    for index, treatment in enumerate(treatments):
        here = pair_treatment == index
        weight = trials[here] / trials[here].sum()
        shift.append(_row(treatment, own[here] @ weight, own_copies[:, here] @ weight, ci_prob))
        spread.append(_row(treatment, own[here].std(), own_copies[:, here].std(axis=1), ci_prob))
    return PredictiveCheck(
        source, ci_prob, choices, pd.DataFrame(shift), pd.DataFrame(spread), subjects
    )


def _finite(
    draws: Draws, rng: np.random.Generator, given_trials: bool, ci_prob: float
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Shares of the options after everything seen; the units' total shift, and replicated."""
    units, game = draws.units, draws.game
    assert isinstance(units, Cells)
    assert isinstance(game, FiniteGame)
    seen, options = game.seen(units.role), game.options(units.role)
    gap = options[None, :] - seen[:, None]
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
        shares = _summary(
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


def seen_bins(game: ForecastGame, role: Role, seen: np.ndarray) -> np.ndarray:
    """The bin of each thing seen: ten of equal width over all that can be seen.

    Parameters
    ----------
    game : ForecastGame
    role : "sender" or "receiver"
    seen : array, shape (trials,)
        Units of demand.

    Returns
    -------
    array of int, shape (trials,)
        0 to 9; what lies between two bins belongs to the upper one.

    Examples
    --------
    >>> seen_bins(ForecastGame(), "sender", np.array([-150.0, -1.0, 0.0, 150.0]))
    array([0, 4, 5, 9])
    """
    edges = np.linspace(*game.seen_range(role), _BINS + 1)
    return np.searchsorted(edges[1:-1], seen, side="right")


def _continuous(
    draws: Draws, rng: np.random.Generator, given_trials: bool, ci_prob: float
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Mean choices by what was seen, in bins; the units' total shift, and replicated."""
    units, game = draws.units, draws.game
    assert isinstance(units, Points)
    assert isinstance(game, ForecastGame)
    copies = replicate(draws, rng, given_trials)
    seen, choice = units.trial_seen, units.trial_choice
    trial_treatment = units.unit_treatment[units.trial_unit]
    bins = seen_bins(game, units.role, seen)
    tail = (1 - ci_prob) / 2
    rows = []
    for index, treatment in enumerate(units.treatments):
        for one in range(_BINS):
            here = (trial_treatment == index) & (bins == one)
            if not here.any():
                continue
            low, high = np.quantile(copies[:, here], [tail, 1 - tail])
            means = _summary(choice[here].mean(), copies[:, here].mean(axis=1), ci_prob)
            rows.append(
                {
                    "treatment": treatment,
                    "seen": seen[here].mean(),
                    "trials": int(here.sum()),
                    **{name: float(value) for name, value in means.items()},
                    "low": low,
                    "high": high,
                }
            )
    names = np.array(units.treatments)[trial_treatment]
    plain = game.face_value(units.role, seen, names)
    order = np.argsort(units.trial_unit, kind="stable")
    starts = np.flatnonzero(np.diff(units.trial_unit[order], prepend=-1))
    total, totals = (
        np.add.reduceat((values - plain)[..., order], starts, axis=-1)
        for values in (choice, copies)
    )
    return pd.DataFrame(rows), total, totals


def _summary(observed: Any, copied: np.ndarray, ci_prob: float) -> dict[str, Any]:
    """What was observed, and mean and interval of its replications (first axis)."""
    tail = (1 - ci_prob) / 2
    lower, upper = np.quantile(copied, [tail, 1 - tail], axis=0)
    return {"observed": observed, "mean": copied.mean(axis=0), "lower": lower, "upper": upper}


def _row(
    treatment: str, observed: float, copied: np.ndarray, ci_prob: float
) -> dict[str, str | float]:
    numbers = {name: float(v) for name, v in _summary(observed, copied, ci_prob).items()}
    return {"treatment": treatment, **numbers, "p": float((copied >= observed).mean())}
