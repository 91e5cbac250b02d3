"""Apply a theory, which takes one bias at a time, to parameters under many biases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trustbayes.games.forecast import ForecastGame, Terms
from trustbayes.numerics.arrays import namespace

__all__ = ["by_bias", "trial_terms"]


def by_bias(theory: Callable[..., Any], biases: np.ndarray, *parameters: Any) -> Any:
    """Evaluate ``theory(bias, *parameters)`` where each entry of the last axis has its bias.

    Parameters
    ----------
    theory : callable
        Gives an array of shape (*parameter.shape, ...) for one bias.
    biases : array, shape (n,)
    *parameters : array, shape (..., n)

    Returns
    -------
    array, shape (..., n, ...)
    """
    distinct = np.unique(biases)
    if distinct.size == 1:
        return theory(float(distinct[0]), *parameters)
    where = [np.flatnonzero(biases == bias) for bias in distinct]
    parts = [
        theory(float(bias), *(parameter[..., rows] for parameter in parameters))
        for bias, rows in zip(distinct, where, strict=True)
    ]
    axis = max(parameter.ndim for parameter in parameters) - 1
    joined = namespace(*parts).concatenate(parts, axis=axis)
    return joined[(*(slice(None),) * axis, np.argsort(np.concatenate(where)))]


def trial_terms(game: ForecastGame, units: Any) -> Terms:
    """The terms of every trial."""
    return game.terms(units.treatments).at(units.unit_treatment[units.trial_unit])
