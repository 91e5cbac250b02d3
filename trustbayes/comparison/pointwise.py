"""Leave-one-out and WAIC of one fit, trial by trial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustbayes.comparison.psis import psis
from trustbayes.comparison.waic import waic
from trustbayes.inference.fit import Fit
from trustbayes.models.draws import cell_log_likelihood

__all__ = ["Pointwise", "pointwise"]

_BUDGET = 64 * 2**20  # bytes of the densities held at a time


@dataclass(frozen=True, eq=False)
class Pointwise:
    """Expected log predictive density of every trial of a known subject.

    Parameters
    ----------
    loo, waic : array, shape (trials,)
        In the order of the trials; log scale, higher is better.
    p_loo, p_waic : array, shape (trials,)
        Their parts of the effective number of parameters.
    pareto_k : array, shape (trials,)
        Reliability of each importance sampling estimate.
    good_k : float
        Pareto k above which the estimate is unreliable at this number of draws.
    subject : array of int, shape (trials,)
        Whose trial it is.
    draws : int
    """

    loo: np.ndarray
    waic: np.ndarray
    p_loo: np.ndarray
    p_waic: np.ndarray
    pareto_k: np.ndarray
    good_k: float
    subject: np.ndarray
    draws: int

    @property
    def unreliable(self) -> int:
        """Number of trials whose Pareto k is too large."""
        return int((self.pareto_k > self.good_k).sum())


def pointwise(fit: Fit) -> Pointwise:
    """PSIS-LOO (ArviZ) and WAIC of every trial.

    All trials of a cell (same subject, treatment, seen, chosen) have the same density, so each
    cell is worked out once and its value given to all its trials; the result is that of the
    trial-by-trial computation. The fit keeps it, see `Fit.once`.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Pointwise

    References
    ----------
    Vehtari, Gelman and Gabry (2017), Statistics and Computing 27; Vehtari et al. (2024), Journal
    of Machine Learning Research 25(72).
    """
    return fit.once(_pointwise)


def _pointwise(fit: Fit) -> Pointwise:
    """Some subjects at a time: densities of all draws and cells of many would fill the memory."""
    draws, units = fit.draws(), fit.units
    names = ("loo", "waic", "p_loo", "p_waic", "pareto_k")
    scores = {name: np.empty(units.trial_subject.size) for name in names}
    for part, trials in draws.parts(max(1, _BUDGET // (8 * draws.size))):
        logs = cell_log_likelihood(part)
        loo, pareto_k, good_k = psis(fit, logs)
        elpd, p_waic = waic(logs)
        values = (loo, elpd, elpd + p_waic - loo, p_waic, pareto_k)
        for name, value in zip(names, values, strict=True):
            scores[name][trials] = value[part.units.trial_cell]
    return Pointwise(**scores, good_k=good_k, subject=fit.units.trial_subject, draws=draws.size)
