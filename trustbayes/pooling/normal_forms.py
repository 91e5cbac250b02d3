"""Integrals of normal densities times exponentials of quadratic forms, compiled."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["integrals"]


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
