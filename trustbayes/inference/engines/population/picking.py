"""Subjects' values given the population, compiled: a type, a node, and a value near the node."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["neighbours_of", "pick"]

_ROOM = 1.35
"""By how much, and coordinate, the density may exceed the linear one that values are drawn from."""
_TRIES = 25
"""At one in 1.35 of them a value is kept, in three dimensions at one in 2.5: that none is, happens
to one draw in a million, which then takes the last."""


@njit(cache=True, nogil=True)
def neighbours_of(start: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Nodes that lie one step below and above each node, shape (nodes, coordinates, 2).

    Parameters
    ----------
    start, place : array
        See `trustbayes...tables.Tables`.

    Returns
    -------
    array of int
        -1 where there is none.
    """
    width = place.shape[0]
    neighbours = np.full((place.shape[1], width, 2), -1, dtype=np.int32)
    for i in range(len(start) - 1):
        for q in range(start[i], start[i + 1]):
            for c in range(width):
                goal = place[c, q] + 1
                for r in range(q + 1, start[i + 1]):  # nodes come in lexical order
                    same = place[c, r] == goal
                    for other in range(width):
                        if other != c and place[other, r] != place[other, q]:
                            same = False
                    if same:
                        neighbours[q, c, 1] = r
                        neighbours[r, c, 0] = q
                        break
                    if place[0, r] > place[0, q] + 1:
                        break
    return neighbours


@njit(cache=True, nogil=True)
def pick(
    rng: np.random.Generator,
    start: np.ndarray,
    place: np.ndarray,
    neighbours: np.ndarray,
    chance: np.ndarray,
    by_type: np.ndarray,
    active: np.ndarray,
    last: np.ndarray,
    rate: np.ndarray,
    kind: np.ndarray,
    value: np.ndarray,
) -> None:
    """Draw each subject's type and, in units of entries of an axis, the place of her values.

    A node is drawn by its chance and a place near it from a triangle, so that places have the
    density that is linear between nodes; they are kept with a probability in proportion to the
    density over the linear one, with the log density quadratic around each node.

    Parameters
    ----------
    rng : numpy.random.Generator
    start, place : array
        See `trustbayes...tables.Tables`.
    neighbours : array
        From `neighbours_of`.
    chance : array, shape (nodes,)
    by_type : array, shape (subjects, types)
    active : array of bool, shape (types, coordinates)
    last : array of int, shape (types, coordinates)
        Position of the last entry of each coordinate's axes.
    rate : array, shape (types, coordinates, 2)
        How fast the population falls beyond the first and the last entry; 0 for axes that end.
    kind : array of int, shape (subjects,)
        Written: the type.
    value : array, shape (subjects, coordinates)
        Written: the place.
    """
    subjects, types = by_type.shape
    width = place.shape[0]
    shift = np.zeros(width)
    for i in range(subjects):
        level = rng.random()
        k = 0
        while k < types - 1 and level > by_type[i, k]:
            level -= by_type[i, k]
            k += 1
        kind[i] = k
        row = k * subjects + i
        coordinates = 0
        for c in range(width):
            coordinates += active[k, c]
        for _ in range(_TRIES):
            level = rng.random()
            node = start[row]
            while node < start[row + 1] - 1 and level > chance[node]:
                level -= chance[node]
                node += 1
            linear, top = 0.0, node
            for c in range(width):
                shift[c] = rng.random() - rng.random() if active[k, c] else 0.0
            for corner in range(1 << width):  # the linear density there
                weight, other = 1.0, node
                for c in range(width):
                    if not active[k, c]:
                        if corner >> c & 1:
                            weight = 0.0
                        continue
                    far = abs(shift[c])
                    if corner >> c & 1:
                        weight *= far
                        if other >= 0:
                            other = neighbours[other, c, 1 if shift[c] > 0 else 0]
                    else:
                        weight *= 1 - far
                if other >= 0:
                    linear += weight * chance[other]
            for c in range(width):  # to the nearest node
                if active[k, c] and abs(shift[c]) > 0.5 and top >= 0:
                    above = shift[c] > 0
                    top = neighbours[top, c, 1 if above else 0]
                    shift[c] -= 1.0 if above else -1.0
            if top < 0:
                continue
            logs = math.log(max(chance[top], 1e-300))
            for c in range(width):
                if not active[k, c]:
                    continue
                low, high = neighbours[top, c, 0], neighbours[top, c, 1]
                if low >= 0 and high >= 0:
                    here = math.log(max(chance[top], 1e-300))
                    below = math.log(max(chance[low], 1e-300)) - here
                    above_ = math.log(max(chance[high], 1e-300)) - here
                    logs += shift[c] * (above_ - below) / 2 + shift[c] ** 2 * (above_ + below) / 2
                for d in range(c):
                    if not active[k, d]:
                        continue
                    total, seen = 0.0, 0
                    for corner in range(4):
                        diagonal = neighbours[top, c, corner & 1]
                        if diagonal >= 0:
                            diagonal = neighbours[diagonal, d, corner >> 1]
                        if diagonal >= 0:
                            sign = 1.0 if (corner & 1) == (corner >> 1) else -1.0
                            total += sign * math.log(max(chance[diagonal], 1e-300))
                            seen += 1
                    if seen == 4:
                        logs += shift[c] * shift[d] * total / 4
            edge = False
            for c in range(width):
                if active[k, c] and (
                    (place[c, top] == 0 and rate[k, c, 0] > 0)
                    or (place[c, top] == last[k, c] and rate[k, c, 1] > 0)
                ):
                    edge = True
            if edge or math.log(rng.random()) < logs - math.log(linear) - (
                coordinates * math.log(_ROOM)
            ):
                node = top
                break
        for c in range(width):
            value[i, c] = 0.0
            if not active[k, c]:
                continue
            node = max(node, start[row])
            value[i, c] = place[c, node] + shift[c]
            if place[c, node] == 0 and rate[k, c, 0] > 0:
                value[i, c] = -rng.standard_exponential() / rate[k, c, 0]
            elif place[c, node] == last[k, c] and rate[k, c, 1] > 0:
                value[i, c] = last[k, c] + rng.standard_exponential() / rate[k, c, 1]
