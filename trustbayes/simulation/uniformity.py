r"""Whether numbers are uniform on [0, 1]: the simultaneous band of their empirical distribution.

At each of the points z = i/n the number of values up to z is binomial. The test takes the smallest
two-sided tail probability over all points; its distribution for uniform values is found by
simulation. Source: Säilynoja, Bürkner and Vehtari (2022), Statistics and Computing 32, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import binom

__all__ = ["Band", "band", "uniformity_p_values"]

_SIMULATIONS = 20_000
_SEED = 20220331


@dataclass(frozen=True, eq=False)
class Band:
    """Where the empirical distribution of n uniform values stays with some probability.

    Parameters
    ----------
    points : array, shape (n + 1,)
        From 0 to 1.
    lower, upper : array, shape (n + 1,)
        Shares of values up to each point.
    """

    points: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def uniformity_p_values(values: np.ndarray) -> np.ndarray:
    """Probability that uniform values stray as far somewhere.

    Parameters
    ----------
    values : array, shape (..., n)
        In [0, 1], n at least 2.

    Returns
    -------
    array, shape (...)
        Monte Carlo, from 20,000 simulations: multiples of 1/20,001.

    Examples
    --------
    >>> even = (np.arange(50) + 0.5) / 50
    >>> uniformity_p_values(np.array([even, even**2])).round(2)
    array([1., 0.])
    """
    values = np.asarray(values, dtype=float)
    null = _smallest_under_uniformity(values.shape[-1])
    smallest = _smallest(values.reshape(-1, values.shape[-1]))
    below = np.searchsorted(null, smallest, side="right")
    return ((1 + below) / (1 + null.size)).reshape(values.shape[:-1])


def band(size: int, ci_prob: float) -> Band:
    """The band that holds the whole empirical distribution of uniform values with a probability.

    Parameters
    ----------
    size : int
        Number of values, n.
    ci_prob : float

    Returns
    -------
    Band
    """
    gamma = np.quantile(_smallest_under_uniformity(size), 1 - ci_prob, method="lower")
    points = np.arange(size + 1) / size
    lower, upper = (binom.ppf(q, size, points) / size for q in (gamma / 2, 1 - gamma / 2))
    return Band(points, np.clip(lower, 0, 1), np.clip(upper, 0, 1))


@lru_cache(maxsize=8)
def _smallest_under_uniformity(size: int) -> np.ndarray:
    """The statistic of simulated uniform values, sorted."""
    rng = np.random.default_rng(_SEED)
    parts = [_smallest(rng.random((1000, size))) for _ in range(_SIMULATIONS // 1000)]
    return np.sort(np.concatenate(parts))


def _smallest(values: np.ndarray) -> np.ndarray:
    """Smallest two-sided tail probability over the points, of each row."""
    size = values.shape[-1]
    counts = _counts_up_to(values, size)
    below, above = _tails(size)
    at = np.arange(size - 1)
    tails = np.minimum(below[at, counts], above[at, counts])
    return np.asarray(2 * tails.min(axis=-1))


def _counts_up_to(values: np.ndarray, size: int) -> np.ndarray:
    """How many values of each row are up to each of the inner points, shape (rows, n - 1)."""
    ordered = np.sort(values, axis=-1)
    points = np.arange(1, size) / size
    return np.stack([np.searchsorted(row, points, side="right") for row in ordered])


@lru_cache(maxsize=8)
def _tails(size: int) -> tuple[np.ndarray, np.ndarray]:
    """P(count <= c) and P(count >= c) at the inner points, shape (n - 1, n + 1)."""
    points, counts = np.arange(1, size)[:, None] / size, np.arange(size + 1)
    return binom.cdf(counts, size, points), binom.sf(counts - 1, size, points)
