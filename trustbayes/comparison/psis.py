"""Pareto-smoothed importance sampling of one fit's log likelihoods, by ArviZ."""

from __future__ import annotations

import math

import arviz as az
import numpy as np

from trustbayes.inference.fit import Fit
from trustbayes.inference.gate import GOOD_K
from trustbayes.numerics.arrays import log_sum_exp, log_total
from trustbayes.numerics.pareto import smoothed

__all__ = ["good_k", "psis"]

_BUDGET = 32 * 2**20  # bytes of the weights held at a time


def psis(
    fit: Fit, logs: np.ndarray, predicted: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, float]:
    """Leave out one column at a time.

    The relative efficiency of the draws is that of the population's parameters.

    Parameters
    ----------
    fit : Fit
    logs : array, shape (draws, n)
        Log likelihood of what is left out, for the draws of all chains one after the other.
    predicted : array, shape (draws, n), optional
        Log likelihood of what is predicted, a part of it; default: all of it.

    Returns
    -------
    elpd : array, shape (n,)
        Expected log predictive density.
    pareto_k : array, shape (n,)
        Infinite where no tail could be fitted.
    good_k : float
        Pareto k above which the estimate is unreliable at this number of draws.

    References
    ----------
    Vehtari et al. (2024), Journal of Machine Learning Research 25(72).
    """
    chains, draws = fit.posterior.sizes["chain"], fit.posterior.sizes["draw"]
    # A density that no parameter bears on needs no importance sampling, and has no tail to fit.
    varies = np.ptp(logs, axis=0) > 1e-10
    predicted = logs if predicted is None else predicted
    elpd, pareto_k = log_total(predicted, axis=0) - np.log(len(logs)), np.zeros(logs.shape[1])
    efficiency = _relative_efficiency(fit) if varies.any() else 1.0
    step = max(1, _BUDGET // (len(logs) * 8))
    columns = np.flatnonzero(varies)
    for start in range(0, columns.size, step):
        some = columns[start : start + step]
        weights, pareto_k[some] = smoothed(-logs[:, some].T, efficiency)
        gain = np.ascontiguousarray(predicted[:, some].T)
        elpd[some] = log_sum_exp(weights + gain)
    return elpd, pareto_k, good_k(chains * draws)


def good_k(draws: int) -> float:
    """The Pareto k above which weights of so many draws are unreliable.

    References
    ----------
    Vehtari et al. (2024), Journal of Machine Learning Research 25(72).

    Examples
    --------
    >>> round(good_k(1000), 3), good_k(10_000)
    (0.667, 0.7)
    """
    return min(1 - 1 / math.log10(draws), GOOD_K)


def _relative_efficiency(fit: Fit) -> float:
    """Mean effective sample size of the population's parameters, as a share of the draws."""
    posterior = fit.posterior
    if posterior.sizes["chain"] == 1:
        return 1.0
    names = [str(n) for n, array in posterior.data_vars.items() if "subject" not in array.dims]
    sizes = az.ess(posterior[names], method="mean")
    ess = np.concatenate([array.to_numpy().ravel() for array in sizes.data_vars.values()])
    return float(ess.mean() / (posterior.sizes["chain"] * posterior.sizes["draw"]))
