"""Log likelihoods of people as if new, draw by draw: what leaving them out rests on."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

__all__ = ["by_group", "subject_log_likelihood"]


def subject_log_likelihood(prepared: Any, points: np.ndarray) -> np.ndarray:
    """Log likelihood of each subject's trials given the population alone.

    Parameters
    ----------
    prepared : trustbayes.inference.engines.population.engine.Prepared
    points : array, shape (draws, size)
        Of the sampler.

    Returns
    -------
    array, shape (draws, subjects)
        In nats.
    """
    workers = min(os.cpu_count() or 1, len(points))

    def some(part: np.ndarray) -> list[np.ndarray]:
        return [prepared.marginal.by_subject(prepared.population(point)) for point in part]

    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(some, np.array_split(points, workers)))
    return np.array([row for part in parts for row in part])


def by_group(log_likelihood: np.ndarray, groups: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Log likelihood of each matching group's trials, its members' together.

    Parameters
    ----------
    log_likelihood : array, shape (draws, subjects)
    groups : tuple of str
        The group of each subject.

    Returns
    -------
    dict of str to array, shape (draws,)

    Examples
    --------
    >>> by_group(np.array([[-1.0, -2.0, -4.0]]), ("a", "b", "a"))
    {'a': array([-5.]), 'b': array([-2.])}
    """
    names = np.array(groups)
    return {name: log_likelihood[:, names == name].sum(axis=1) for name in dict.fromkeys(groups)}
