"""Prior and posterior predictive checks on the patterns that this literature looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.models.evaluate import Draws, replicate

__all__ = ["PredictiveCheck", "predictive_check"]


@dataclass(frozen=True, eq=False)
class PredictiveCheck:
    """Observed patterns against their replications.

    The shift is message - state for senders (exaggeration, if in the direction of the bias), and
    action - message for receivers (discount, if against it), in units of the state. Intervals
    are equal-tailed with probability ``ci_prob``.

    Parameters
    ----------
    kind : "prior" or "posterior"
    ci_prob : float
    choices : DataFrame
        Columns treatment, seen, option, trials (after seeing it), observed (share of the
        option), mean, lower, upper (of the replicated shares).
    shift : DataFrame
        Columns treatment, observed (mean shift), mean, lower, upper, p (share of replications at
        least as large).
    spread : DataFrame
        The same columns, for the standard deviation across subjects of their mean shift.
    subjects : DataFrame
        Columns subject, treatment, trials, observed (mean shift of the subject), mean, lower,
        upper.
    """

    kind: str
    ci_prob: float
    choices: pd.DataFrame
    shift: pd.DataFrame
    spread: pd.DataFrame
    subjects: pd.DataFrame


def predictive_check(draws: Draws, kind: str, seed: int, ci_prob: float = 0.9) -> PredictiveCheck:
    """Replicate the experiment for each draw and summarise what comes out.

    Parameters
    ----------
    draws : Draws
        A few hundred, of the posterior or the prior.
    kind : "prior" or "posterior"
        From where the draws are; with prior draws, types come from the population's shares.
    seed : int
    ci_prob : float
        Probability of the intervals.

    Returns
    -------
    PredictiveCheck
    """
    cells, game = draws.cells, draws.game
    role = cells.role
    copies = replicate(draws, np.random.default_rng(seed), given_trials=kind == "posterior")
    seen, options = game.seen(role), game.options(role)
    gap = options[None, :] - seen[:, None]
    treatments = cells.treatments
    choices, shift, spread = [], [], []
    # Mean shift of each subject in each treatment.
    pair = cells.unit_subject * len(treatments) + cells.unit_treatment
    pairs, unit_pair = np.unique(pair, return_inverse=True)
    starts = np.flatnonzero(np.diff(unit_pair, prepend=-1))

    def pair_means(counts: np.ndarray) -> np.ndarray:
        total = np.add.reduceat((counts * gap).sum(axis=(-1, -2)), starts, axis=-1)
        return total / np.add.reduceat(counts.sum(axis=(-1, -2)), starts, axis=-1)

    own, own_copies = pair_means(cells.counts), pair_means(copies)
    pair_treatment = pairs % len(treatments)
    subjects = pd.DataFrame(
        {
            "subject": np.array(cells.subjects)[pairs // len(treatments)],
            "treatment": np.array(treatments)[pair_treatment],
            "trials": np.add.reduceat(cells.counts.sum(axis=(-1, -2)), starts),
            **_summary(own, own_copies, ci_prob),
        }
    )
    for index, treatment in enumerate(treatments):
        here = cells.unit_treatment == index
        counts, copied = cells.counts[here].sum(axis=0), copies[:, here].sum(axis=1)
        trials = counts.sum(axis=1)
        asked = trials > 0
        shares = _summary(
            counts[asked] / trials[asked, None], copied[:, asked] / trials[asked, None], ci_prob
        )
        grid = np.meshgrid(seen[asked], options, indexing="ij")
        choices.append(
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
        mean, means = (counts * gap).sum() / trials.sum(), (copied * gap).sum((-1, -2))
        shift.append(_row(treatment, mean, means / trials.sum(), ci_prob))
        members = pair_treatment == index
        spread.append(
            _row(treatment, own[members].std(), own_copies[:, members].std(axis=1), ci_prob)
        )
    return PredictiveCheck(
        kind,
        ci_prob,
        pd.concat(choices, ignore_index=True),
        pd.DataFrame(shift),
        pd.DataFrame(spread),
        subjects,
    )


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
