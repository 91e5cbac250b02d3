"""Sums over nodes, compiled: log marginal likelihoods of many subjects and what they depend on.

A row is a subject under one type. Its nodes follow each other; at each stands the log likelihood
of what does not change with the population, and for each coordinate the position of its density
in one flat list. Trials that do depend on a number that the population brings (an exposure) have
tables of spline coefficients, of which every node reads six.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["TAPS", "add_to_densities", "log_marginals"]

TAPS = 6
_LOG_2_E = 1 / math.log(2)
_LOG_2 = math.log(2)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def log_marginals(
    start: np.ndarray,
    logs: np.ndarray,
    place: np.ndarray,
    density: np.ndarray,
    offset: np.ndarray,
    spot: np.ndarray,
    part_start: np.ndarray,
    part_exposure: np.ndarray,
    part_base: np.ndarray,
    table: np.ndarray,
    first: np.ndarray,
    weights: np.ndarray,
    slopes: np.ndarray,
    ceiling: float,
    low: int,
    high: int,
    marginal: np.ndarray,
    chance: np.ndarray,
    part_slope: np.ndarray,
) -> None:
    """Log marginal likelihood of rows ``low`` to ``high``, written into the last three arrays.

    Parameters
    ----------
    start : array of int, shape (rows + 1,)
        Where each row's nodes begin.
    logs : array, shape (nodes,)
        Log likelihood, with the log weight of the rule.
    place : array of int, shape (coordinates, nodes)
        Which entry of its axis a node stands at.
    density : array, shape (entries,)
        Log densities of all axes.
    offset : array of int, shape (rows, coordinates)
        Where the axis of each row and coordinate begins in ``density``.
    spot : array of int, shape (nodes,)
        Which coefficient of the tables with an exposure a node reads, were the first knot read.
    part_start : array of int, shape (rows + 1,)
        Where each row's parts with an exposure begin.
    part_exposure, part_base : array of int, shape (parts,)
        The exposure of each part, and where its table begins.
    table : array
        Coefficients of all parts.
    first : array of int, shape (exposures,)
        The first knot that is read.
    weights, slopes : array, shape (exposures, 6)
        Of the knots, and their slopes in the exposure.
    ceiling : float
        What no part's log likelihood exceeds: beside a step, a spline overshoots.
    marginal : array, shape (rows,)
    chance : array, shape (nodes,)
        Share of each node in its row's marginal likelihood.
    part_slope : array, shape (parts,)
        Slope of the row's log marginal in the part's exposure; of size 0 to leave them out.
    """
    most = 1
    for i in range(low, high):
        most = max(most, start[i + 1] - start[i])
    bits = np.empty(most, dtype=np.int64)
    powers = bits.view(np.float64)
    for i in range(low, high):
        a, b = start[i], start[i + 1]
        n = b - a
        for q in range(a, b):
            chance[q] = logs[q]
        for c in range(place.shape[0]):
            begin = offset[i, c]
            if begin >= 0:
                for q in range(a, b):
                    chance[q] += density[begin + place[c, q]]
        for u in range(part_start[i], part_start[i + 1]):
            x = part_exposure[u]
            base = part_base[u] + first[x]
            w0, w1, w2 = weights[x, 0], weights[x, 1], weights[x, 2]
            w3, w4, w5 = weights[x, 3], weights[x, 4], weights[x, 5]
            for q in range(a, b):
                h = base + spot[q]
                read = (
                    w0 * table[h]
                    + w1 * table[h + 1]
                    + w2 * table[h + 2]
                    + w3 * table[h + 3]
                    + w4 * table[h + 4]
                    + w5 * table[h + 5]
                )
                chance[q] += min(read, ceiling)
        top = -1e300
        for q in range(a, b):
            top = max(top, chance[q])
        for q in range(n):  # exp, in a form of which the processor does several at once
            y = max(chance[a + q] - top, -700.0) * _LOG_2_E
            whole = math.floor(y + 0.5)
            f = (y - whole) * _LOG_2
            bits[q] = (np.int64(np.int32(whole)) + 1023) << 52
            f6 = 1 / 720 + f * (1 / 5040 + f * (1 / 40320 + f * (1 / 362880 + f / 3628800)))
            chance[a + q] = 1 + f * (
                1 + f * (1 / 2 + f * (1 / 6 + f * (1 / 24 + f * (1 / 120 + f * f6))))
            )
        total = 0.0
        for q in range(n):
            chance[a + q] *= powers[q]
            total += chance[a + q]
        inverse = 1 / total
        for q in range(a, b):
            chance[q] *= inverse
        if part_slope.size == 0:
            marginal[i] = top + math.log(total)
            continue
        for u in range(part_start[i], part_start[i + 1]):
            x = part_exposure[u]
            base = part_base[u] + first[x]
            w0, w1, w2 = slopes[x, 0], slopes[x, 1], slopes[x, 2]
            w3, w4, w5 = slopes[x, 3], slopes[x, 4], slopes[x, 5]
            slope = 0.0
            for q in range(a, b):
                h = base + spot[q]
                slope += chance[q] * (
                    w0 * table[h]
                    + w1 * table[h + 1]
                    + w2 * table[h + 2]
                    + w3 * table[h + 3]
                    + w4 * table[h + 4]
                    + w5 * table[h + 5]
                )
            part_slope[u] = slope
        marginal[i] = top + math.log(total)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def add_to_densities(
    start: np.ndarray,
    place: np.ndarray,
    offset: np.ndarray,
    chance: np.ndarray,
    share: np.ndarray,
    low: int,
    high: int,
    weight: np.ndarray,
) -> None:
    """Add to ``weight``, shape (entries,), what each log density weighs in the sum of logs.

    Parameters
    ----------
    start, place, offset, chance
        See `log_marginals`.
    share : array, shape (rows,)
        Probability of each row's type for its subject.
    low, high : int
        Rows.
    weight : array, shape (entries,)
    """
    for i in range(low, high):
        for c in range(place.shape[0]):
            begin = offset[i, c]
            if begin >= 0:
                for q in range(start[i], start[i + 1]):
                    weight[begin + place[c, q]] += share[i] * chance[q]
