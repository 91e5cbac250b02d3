"""Two parameters of subjects that trade off, and a third that all subjects share.

People who always tell the truth may dislike lying much and choose imprecisely, or the other way
round: their trials say something of the product. What all of them have in common, such as how
much trust they expect, is then hard to find for whoever gives all subjects the same values, and a
sampler may settle where the population as a whole has no mass. A grid over both parameters of each
subject, and over what is shared, has neither trouble.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

__all__ = ["Pair", "find_pair"]

Logs = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Log likelihood, shape (subjects, treatments), from subjects' first and second parameter, shape
(subjects,), and what they share, shape (treatments,), (1,) if treatments are alike, or (0,) if
there is nothing; all on the scales of their links."""

_FIRST, _SECOND = np.linspace(-5, 5, 11), np.linspace(-4, 4, 9)
_SHARED = np.linspace(-6, 6, 13)
_FINE = np.linspace(-1, 1, 21)
_SPREAD = 2.0
"""Of the first population that is tried, and of the shared value's prior."""
_SWEEPS = 10
_KEPT = 0.1  # of the first population in each of the next


@dataclass(frozen=True, eq=False)
class Pair:
    """What a grid says of a pair of parameters.

    Parameters
    ----------
    first, second : float
        Means over subjects, on the scale of the link.
    shared : array, shape (treatments,), (1,) or (0,)
        On the scale of the link.
    coupling : array, shape (subjects,)
        By how much a subject's first parameter falls as the second rises, from 0 to 1: 1 where
        only their product is known, 0 where each is known by itself.
    """

    first: float
    second: float
    shared: np.ndarray
    coupling: np.ndarray


def find_pair(
    logs: Logs,
    subjects: int,
    start: tuple[float, float],
    shared: np.ndarray,
) -> Pair:
    """Find what is shared, and each subject's pair given that.

    Parameters
    ----------
    logs : callable
    subjects : int
    start : pair of float
        Middle of the two parameters' grids.
    shared : array, shape (treatments,), (1,) or (0,)
        Its mean is the middle of the grid of what is shared.

    Returns
    -------
    Pair
    """
    place = np.array(start)
    grid = [(place[0] + i, place[1] + j) for i in _FIRST for j in _SECOND]
    log_prior = np.array([-0.5 * ((np.array(at) - place) ** 2).sum() for at in grid]) / _SPREAD**2

    def table(value: np.ndarray) -> np.ndarray:
        return np.array([logs(*_everyone(*at, subjects), value) for at in grid])

    if shared.size:
        shared = _shared(table, log_prior, shared)
    weight = softmax(log_prior[:, None] + table(shared).sum(axis=-1), axis=0)
    first, second = (np.array(grid).T @ weight).mean(axis=1)
    return Pair(float(first), float(second), shared, _coupling(logs, place, subjects, shared))


def _everyone(first: float, second: float, subjects: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full(subjects, first), np.full(subjects, second)


def _shared(
    table: Callable[[np.ndarray], np.ndarray], log_prior: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """One after another the values under which a population of any shape fits best.

    The population's weights of the grid's points follow by expectation and maximisation.
    """
    values = start.mean() + _SHARED
    tables = np.array([table(np.full(start.size, value)) for value in values])
    penalty = -0.5 * (_SHARED / _SPREAD) ** 2
    treatments, places = np.arange(tables.shape[-1]), np.arange(start.size)
    first = population = softmax(log_prior)

    def joint(at: np.ndarray) -> np.ndarray:
        of_treatments = at + 0 * treatments  # one place may serve all of them
        return np.log(population)[:, None] + tables[of_treatments, :, :, treatments].sum(axis=0)

    def fit(at: np.ndarray) -> float:
        return float(np.logaddexp.reduce(joint(at)).sum() + penalty[at].sum())

    at = max((np.full(start.size, k) for k in range(values.size)), key=fit)
    for _ in range(_SWEEPS):
        before = at
        for place in places:
            at = max((np.where(places == place, k, at) for k in range(values.size)), key=fit)
        if (at == before).all() and population is not first:
            break
        population = (1 - _KEPT) * softmax(joint(at), axis=0).mean(axis=1) + _KEPT * first
    return np.asarray(values[at])


def _coupling(logs: Logs, place: np.ndarray, subjects: int, shared: np.ndarray) -> np.ndarray:
    """Minus the slope of the first parameter on the second, in a wide population.

    By a grid of both, and then one of where the first has its mass.
    """
    centre, width = np.zeros((2, subjects)), np.full((2, subjects), 5.0)
    for _ in range(2):
        first = centre[0] + np.multiply.outer(_FINE, width[0])
        second = centre[1] + np.multiply.outer(_FINE, width[1])
        joint = np.array(
            [[logs(place[0] + i, place[1] + j, shared).sum(axis=-1) for j in second] for i in first]
        )
        joint -= 0.5 * (first[:, None] ** 2 + second**2) / _SPREAD**2
        weight = softmax(joint, axis=(0, 1))
        of_first, of_second = weight.sum(axis=1), weight.sum(axis=0)
        centre = np.array([(of_first * first).sum(axis=0), (of_second * second).sum(axis=0)])
        apart = first - centre[0], second - centre[1]
        spread = np.array(
            [(of_first * apart[0] ** 2).sum(axis=0), (of_second * apart[1] ** 2).sum(axis=0)]
        )
        covariance = np.einsum("ijs,is,js->s", weight, *apart)
        width = np.minimum(4 * np.sqrt(spread) + width * (_FINE[1] - _FINE[0]), width)
    return np.clip(-covariance / np.maximum(spread[1], 1e-12), 0, 1)
