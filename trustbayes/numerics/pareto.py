"""How heavy the tail of weights is, and weights whose tail is smoothed, by ArviZ."""

from __future__ import annotations

import warnings

import numpy as np
from arviz_stats.base import array_stats

from trustbayes.numerics.arrays import log_total

__all__ = ["pareto_k", "smoothed"]

_ALIKE = 1e-10  # log weights that far apart are equal
_FEWEST = 100  # finite weights of which the largest are some thirty


def pareto_k(log_weights: np.ndarray, efficiency: float = 1.0) -> float:
    """Pareto k of the largest weights.

    Parameters
    ----------
    log_weights : array, shape (n,)
    efficiency : float
        Effective draws as a share of all: the fewer, the more weights count as the largest.

    Returns
    -------
    float
        Zero where all weights are equal; infinite where fewer than 100 are finite, or no tail fits.

    References
    ----------
    Vehtari et al. (2024), Journal of Machine Learning Research 25(72).

    Examples
    --------
    >>> logs = np.random.default_rng(1).exponential(size=4000)
    >>> pareto_k(0.2 * logs) < 0.5 < 1 < pareto_k(1.5 * logs)
    True
    """
    finite = log_weights[np.isfinite(log_weights)]
    if finite.size < _FEWEST:
        return np.inf
    gap = np.maximum(log_weights, finite.max() - 700) - finite.max()
    return float(smoothed(gap[None], efficiency)[1][0])


def smoothed(log_weights: np.ndarray, efficiency: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Weights whose largest are smoothed, and the Pareto k of these, row by row.

    Parameters
    ----------
    log_weights : array, shape (rows, n)
    efficiency : float
        See `pareto_k`.

    Returns
    -------
    log_weights : array, shape (rows, n)
        Of weights that add up to one.
    pareto_k : array, shape (rows,)
        Zero where all weights are equal; infinite where no tail could be fitted: such weights are
        as unreliable as can be.

    References
    ----------
    Vehtari et al. (2024), Journal of Machine Learning Research 25(72).

    Examples
    --------
    >>> logs = np.random.default_rng(1).exponential(size=(2, 4000)) * [[0.2], [1.5]]
    >>> (smoothed(logs)[1] < [0.5, 1.0]).tolist()
    [True, False]
    """
    smooth, tails = np.array(log_weights, dtype=float), np.zeros(len(log_weights))
    varies = np.ptp(smooth, axis=1) > _ALIKE
    if varies.any():
        # Where the largest are few or alike there is no tail, and one that overflows says so by k.
        with warnings.catch_warnings(), np.errstate(over="ignore"):
            warnings.simplefilter("ignore", UserWarning)
            made, k = array_stats.psislw(-smooth[varies], r_eff=efficiency)
        smooth[varies], tails[varies] = made, np.nan_to_num(k, nan=np.inf)
    return smooth - log_total(smooth, axis=1)[:, None], tails
