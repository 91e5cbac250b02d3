"""How heavy the tail of weights is."""

from __future__ import annotations

import numpy as np
from arviz_stats.base import array_stats

__all__ = ["pareto_k"]

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
    if np.ptp(gap) < 1e-10:
        return 0.0
    tail = float(array_stats.psislw(-gap, r_eff=efficiency)[1])
    return np.inf if np.isnan(tail) else tail
