"""The density of a population of experiments, compiled: NUTS asks for it some 10,000 times.

What the functions mean is said where they are used: `trustbayes.pooling.density.PooledDensity` and
`trustbayes.pooling.coordinates.EvenCoordinates`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from trustbayes.pooling.normal_forms import integrals

__all__ = ["PooledArrays", "even_density", "even_point", "log_density"]


class PooledArrays(NamedTuple):
    """What a density of means, log spreads and effects of covariates is made of.

    Parameters
    ----------
    constants, linear, precision : array
        Of the forms that stand in for likelihoods, see `trustbayes.pooling.normal_forms.integrals`.
    numbers : array of int, shape (columns,)
        On which number each covariate bears.
    columns : array, shape (columns, experiments)
        Values of the covariates.
    prior_mean, prior_spread : array, shape (scales,)
        Of the normal prior of each mean.
    between : array, shape (scales,)
        Scale of the half-normal prior of each spread.
    prior_slope : float
        Standard deviation of the normal prior of each effect.
    """

    constants: np.ndarray
    linear: np.ndarray
    precision: np.ndarray
    numbers: np.ndarray
    columns: np.ndarray
    prior_mean: np.ndarray
    prior_spread: np.ndarray
    between: np.ndarray
    prior_slope: float


@njit(cache=True, nogil=True, error_model="numpy")
def log_density(point: np.ndarray, arrays: PooledArrays, slope: np.ndarray) -> float:
    """Log density at means, log spreads and effects; its gradient is written into the last."""
    experiments, width = arrays.constants.shape[0], arrays.prior_mean.size
    tight = np.exp(-2 * point[width : 2 * width])
    location = np.empty((experiments, width))
    for e in range(experiments):
        location[e] = point[:width]
        for c in range(arrays.numbers.size):
            location[e, arrays.numbers[c]] += arrays.columns[c, e] * point[2 * width + c]
    total = np.empty(experiments)
    mean, square = np.empty((experiments, width)), np.empty((experiments, width))
    integrals(
        arrays.constants, arrays.linear, arrays.precision, location, tight, total, mean, square
    )
    value = total.sum()
    for i in range(width):
        z = (point[i] - arrays.prior_mean[i]) / arrays.prior_spread[i]
        ratio = 1 / (tight[i] * arrays.between[i] ** 2)
        value += point[width + i] - 0.5 * (z * z + ratio)
        slope[i], slope[width + i] = -z / arrays.prior_spread[i], 1 - ratio
    for c in range(arrays.numbers.size):
        z = point[2 * width + c] / arrays.prior_slope
        value -= 0.5 * z * z
        slope[2 * width + c] = -z / arrays.prior_slope
    for e in range(experiments):
        for i in range(width):
            slope[i] += (mean[e, i] - location[e, i]) * tight[i]
            slope[width + i] += square[e, i] * tight[i] - 1
        for c in range(arrays.numbers.size):
            i = arrays.numbers[c]
            slope[2 * width + c] += (mean[e, i] - location[e, i]) * tight[i] * arrays.columns[c, e]
    return value


@njit(cache=True, nogil=True, error_model="numpy")
def _placed(
    u: float, i: int, variance: np.ndarray, middle: np.ndarray, arrays: PooledArrays
) -> tuple[float, float, float, float, float, float]:
    """Of a number, given u: log spread, middle and scale of its mean; and their slopes."""
    rising = max(u, 0.0) + math.log1p(math.exp(-abs(u)))  # log(1 + exp u)
    spread = arrays.between[i] * rising
    weights = 1 / (variance[:, i] + spread**2)
    tight = arrays.prior_spread[i] ** -2.0
    square = 1 / (tight + weights.sum())
    mean = square * (tight * arrays.prior_mean[i] + (weights * middle[:, i]).sum())
    falls = 2 * (spread * weights) ** 2  # of the weights, as log spread grows
    of_middle = (falls * (mean - middle[:, i])).sum() * square
    of_log_scale = 0.5 * falls.sum() * square
    steep = 1 / ((1 + math.exp(-u)) * rising)  # of log spread, as u grows
    return math.log(spread), mean, math.sqrt(square), of_middle, of_log_scale, steep


@njit(cache=True, nogil=True, error_model="numpy")
def even_point(
    coordinates: np.ndarray, variance: np.ndarray, middle: np.ndarray, arrays: PooledArrays
) -> np.ndarray:
    """Means, log spreads and effects at even coordinates."""
    width = variance.shape[1]
    point = coordinates.copy()
    for i in range(width):
        log_spread, mean, scale, _, _, _ = _placed(
            coordinates[width + i], i, variance, middle, arrays
        )
        point[i], point[width + i] = mean + scale * coordinates[i], log_spread
    return point


@njit(cache=True, nogil=True, error_model="numpy")
def even_density(
    coordinates: np.ndarray,
    variance: np.ndarray,
    middle: np.ndarray,
    arrays: PooledArrays,
    slope: np.ndarray,
) -> float:
    """Log density at even coordinates; its gradient is written into the last.

    Parameters
    ----------
    coordinates : array, shape (size,)
    variance, middle : array, shape (experiments, scales)
        Variances and means of each experiment's draws.
    arrays : PooledArrays
    slope : array, shape (size,)

    Returns
    -------
    float
    """
    width = variance.shape[1]
    value = log_density(even_point(coordinates, variance, middle, arrays), arrays, slope)
    for i in range(width):
        u = coordinates[width + i]
        _, _, scale, of_middle, of_log_scale, steep = _placed(u, i, variance, middle, arrays)
        value += math.log(scale) + math.log(steep)
        by_mean = slope[i]
        moved = of_middle + coordinates[i] * scale * of_log_scale
        by_log_spread = slope[width + i] + by_mean * moved + of_log_scale
        slope[i] = by_mean * scale
        slope[width + i] = by_log_spread * steep + 1 / (1 + math.exp(u)) - steep
    return value
