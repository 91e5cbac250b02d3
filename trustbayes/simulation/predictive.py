"""Prior and posterior predictive checks on the patterns that this literature looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustbayes.errors import renamed_argument
from trustbayes.models.draws import Draws
from trustbayes.simulation.kinds import kind_of
from trustbayes.simulation.summaries import summary

__all__ = ["PredictiveCheck", "predictive_check"]


@dataclass(frozen=True, eq=False)
class PredictiveCheck:
    """Observed patterns against their replications.

    The shift is how far a choice is from face value: message - state for senders
    (exaggeration, if in the direction of the bias), action - message for receivers (discount, if
    against it), in forecast sharing capacity - the capacity under full trust; in units of the
    state. Where actions are labels it is 1 for all but the first, so that means are shares.
    Intervals are equal-tailed with probability ``ci_prob``.

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
    replicated = kind_of(draws.game).replicated_choices
    choices, total, totals = replicated(draws, rng, source == "posterior", ci_prob)
    # Mean shift of each subject in each treatment.
    treatments = units.treatments
    pair = units.unit_subject * len(treatments) + units.unit_treatment
    pairs, unit_pair = np.unique(pair, return_inverse=True)
    starts = np.flatnonzero(np.diff(unit_pair, prepend=-1))
    trials = np.add.reduceat(units.trials_per_unit, starts)
    pair_shift = np.add.reduceat(total, starts) / trials
    pair_copies = np.add.reduceat(totals, starts, axis=-1) / trials
    pair_treatment = pairs % len(treatments)
    subjects = pd.DataFrame(
        {
            "subject": np.array(units.subjects)[pairs // len(treatments)],
            "treatment": np.array(treatments)[pair_treatment],
            "trials": trials,
            **summary(pair_shift, pair_copies, ci_prob),
        }
    )
    shift, spread = [], []
    for index, treatment in enumerate(treatments):
        here = pair_treatment == index
        weight = trials[here] / trials[here].sum()
        shift.append(
            _row(treatment, pair_shift[here] @ weight, pair_copies[:, here] @ weight, ci_prob)
        )
        spread.append(
            _row(treatment, pair_shift[here].std(), pair_copies[:, here].std(axis=1), ci_prob)
        )
    return PredictiveCheck(
        source, ci_prob, choices, pd.DataFrame(shift), pd.DataFrame(spread), subjects
    )


def _row(
    treatment: str, observed: float, copied: np.ndarray, ci_prob: float
) -> dict[str, str | float]:
    numbers = {name: float(v) for name, v in summary(observed, copied, ci_prob).items()}
    return {"treatment": treatment, **numbers, "p": float((copied >= observed).mean())}
