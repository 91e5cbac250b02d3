"""The density of a population of experiments, compiled: NUTS asks for it some 10,000 times.

Integrals are of normal densities times exponentials of quadratic forms.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["even_density", "integrals", "log_density"]


@njit(cache=True, nogil=True, error_model="numpy")
def integrals(
    constants: np.ndarray,
    linear: np.ndarray,
    precision: np.ndarray,
    location: np.ndarray,
    tight: np.ndarray,
    total: np.ndarray,
    middle: np.ndarray,
    square: np.ndarray,
) -> None:
    """Integrate each experiment's numbers out, written into the last three arrays.

    Parameters
    ----------
    constants : array, shape (experiments, components)
        Of the forms, minus infinity where there is no component.
    linear : array, shape (experiments, components, scales)
    precision : array, shape (experiments, components, scales, scales)
    location : array, shape (experiments, scales)
        Means of the normal densities.
    tight : array, shape (scales,)
        Their precisions.
    total : array, shape (experiments,)
        Logs of the integrals.
    middle, square : array, shape (experiments, scales)
        What the integrand, as a density, has for means, and for mean squares of the distance from
        the location.
    """
    experiments, components = constants.shape
    width = tight.size
    factor, inverse = np.empty((width, width)), np.empty((width, width))
    right, mean = np.empty(width), np.empty(width)
    log_tight = np.log(tight).sum()
    for e in range(experiments):
        top, weight = -np.inf, 0.0
        middle[e] = 0.0
        square[e] = 0.0
        for k in range(components):
            if constants[e, k] == -np.inf:
                continue
            for i in range(width):  # Cholesky's factor of the sum of the precisions
                for j in range(i + 1):
                    s = precision[e, k, i, j]
                    if i == j:
                        s += tight[i]
                    for m in range(j):
                        s -= factor[i, m] * factor[j, m]
                    factor[i, j] = math.sqrt(s) if i == j else s / factor[j, j]
            for j in range(width):  # the inverse of the factor
                for i in range(j, width):
                    s = 1.0 if i == j else 0.0
                    for m in range(j, i):
                        s -= factor[i, m] * inverse[m, j]
                    inverse[i, j] = s / factor[i, i]
            value = constants[e, k] + 0.5 * log_tight
            for i in range(width):
                right[i] = linear[e, k, i] + tight[i] * location[e, i]
                value -= 0.5 * tight[i] * location[e, i] ** 2 + math.log(factor[i, i])
            for i in range(width):
                s = 0.0
                for j in range(i + 1):
                    s += inverse[i, j] * right[j]
                mean[i] = s
                value += 0.5 * s * s
            for j in range(width):
                s = 0.0
                for i in range(j, width):
                    s += inverse[i, j] * mean[i]
                right[j] = s  # the mean of the component
            if value > top:
                shrunk = math.exp(top - value)
                weight *= shrunk
                middle[e] *= shrunk
                square[e] *= shrunk
                top = value
            share = math.exp(value - top)
            weight += share
            for j in range(width):
                s = (right[j] - location[e, j]) ** 2
                for i in range(j, width):
                    s += inverse[i, j] ** 2
                middle[e, j] += share * right[j]
                square[e, j] += share * s
        total[e] = top + math.log(weight)
        middle[e] /= weight
        square[e] /= weight


@njit(cache=True, nogil=True, error_model="numpy")
def log_density(
    point: np.ndarray,
    constants: np.ndarray,
    linear: np.ndarray,
    precision: np.ndarray,
    numbers: np.ndarray,
    columns: np.ndarray,
    prior_mean: np.ndarray,
    prior_spread: np.ndarray,
    between: np.ndarray,
    prior_slope: float,
    slope: np.ndarray,
) -> float:
    """Log density of means, log spreads and effects of covariates; its gradient into the last.

    Parameters
    ----------
    point : array, shape (size,)
    constants, linear, precision
        See `integrals`.
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
    slope : array, shape (size,)

    Returns
    -------
    float
    """
    experiments, width = constants.shape[0], prior_mean.size
    tight = np.exp(-2 * point[width : 2 * width])
    location = np.empty((experiments, width))
    for e in range(experiments):
        location[e] = point[:width]
        for c in range(numbers.size):
            location[e, numbers[c]] += columns[c, e] * point[2 * width + c]
    total = np.empty(experiments)
    mean, square = np.empty((experiments, width)), np.empty((experiments, width))
    integrals(constants, linear, precision, location, tight, total, mean, square)
    value = total.sum()
    for i in range(width):
        z = (point[i] - prior_mean[i]) / prior_spread[i]
        ratio = 1 / (tight[i] * between[i] ** 2)
        value += point[width + i] - 0.5 * (z * z + ratio)
        slope[i], slope[width + i] = -z / prior_spread[i], 1 - ratio
    for c in range(numbers.size):
        z = point[2 * width + c] / prior_slope
        value -= 0.5 * z * z
        slope[2 * width + c] = -z / prior_slope
    for e in range(experiments):
        for i in range(width):
            slope[i] += (mean[e, i] - location[e, i]) * tight[i]
            slope[width + i] += square[e, i] * tight[i] - 1
        for c in range(numbers.size):
            i = numbers[c]
            slope[2 * width + c] += (mean[e, i] - location[e, i]) * tight[i] * columns[c, e]
    return value


@njit(cache=True, nogil=True, error_model="numpy")
def even_density(
    coordinates: np.ndarray,
    variance: np.ndarray,
    middle: np.ndarray,
    constants: np.ndarray,
    linear: np.ndarray,
    precision: np.ndarray,
    numbers: np.ndarray,
    columns: np.ndarray,
    prior_mean: np.ndarray,
    prior_spread: np.ndarray,
    between: np.ndarray,
    prior_slope: float,
    slope: np.ndarray,
) -> float:
    """Log density on `trustbayes.pooling.coordinates.EvenCoordinates`; its gradient into the last.

    Parameters
    ----------
    coordinates : array, shape (size,)
    variance, middle : array, shape (experiments, scales)
        Variances and means of each experiment's draws.
    constants, linear, precision, numbers, columns, prior_mean, prior_spread, between, prior_slope
        See `log_density`.
    slope : array, shape (size,)

    Returns
    -------
    float
    """
    width = variance.shape[1]
    point = coordinates.copy()
    scale = np.empty(width)
    steep, of_middle, of_log_scale = np.empty(width), np.empty(width), np.empty(width)
    jacobian = 0.0
    for i in range(width):
        u = coordinates[width + i]
        rising = max(u, 0.0) + math.log1p(math.exp(-abs(u)))  # log(1 + exp u)
        spread = between[i] * rising
        weights = 1 / (variance[:, i] + spread**2)
        tight = prior_spread[i] ** -2.0
        square = 1 / (tight + weights.sum())
        mean = square * (tight * prior_mean[i] + (weights * middle[:, i]).sum())
        falls = 2 * (spread * weights) ** 2  # of the weights, as log τ grows
        of_middle[i] = (falls * (mean - middle[:, i])).sum() * square
        of_log_scale[i] = 0.5 * falls.sum() * square
        scale[i] = math.sqrt(square)
        steep[i] = 1 / ((1 + math.exp(-u)) * rising)  # of log τ, as u grows
        point[i] = mean + scale[i] * coordinates[i]
        point[width + i] = math.log(spread)
        jacobian += math.log(scale[i]) + math.log(steep[i])
    value = log_density(
        point,
        constants,
        linear,
        precision,
        numbers,
        columns,
        prior_mean,
        prior_spread,
        between,
        prior_slope,
        slope,
    )
    for i in range(width):
        u, by_mean = coordinates[width + i], slope[i]
        slope[i] = by_mean * scale[i]
        by_log_spread = slope[width + i] + by_mean * (
            of_middle[i] + coordinates[i] * scale[i] * of_log_scale[i]
        )
        slope[width + i] = (
            (by_log_spread + of_log_scale[i]) * steep[i] + 1 / (1 + math.exp(u)) - steep[i]
        )
    return value + jacobian
