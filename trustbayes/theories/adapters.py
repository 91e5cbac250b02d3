"""Apply a theory, which takes one condition at a time, to parameters under many conditions.

A condition of a finite game is what a choice's payoffs and priors are: the game as it is played in
a treatment, and a bias. Treatments on equal terms with equal biases are one condition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.tensor as pt

from trustbayes.games.continuous import ContinuousGame
from trustbayes.games.finite import FiniteGame
from trustbayes.numerics.arrays import namespace
from trustbayes.trials.finite import Cells

__all__ = [
    "Conditions",
    "by_condition",
    "conditions_of",
    "positions",
    "row_of",
    "shared_conditions",
    "stacked",
    "trial_terms",
    "unit_conditions",
]


@dataclass(frozen=True, eq=False)
class Conditions:
    """Which condition each of several things is under.

    Parameters
    ----------
    distinct : tuple of (FiniteGame, float)
        The game as it is played there, and the bias; each condition once.
    index : array of int, shape (n,)
        Positions in ``distinct``.
    """

    distinct: tuple[tuple[FiniteGame, float], ...]
    index: np.ndarray


def conditions_of(
    game: FiniteGame, treatments: tuple[str, ...], treatment: np.ndarray, biases: np.ndarray
) -> Conditions:
    """The conditions of things that are in treatments and have biases.

    Parameters
    ----------
    game : FiniteGame
    treatments : tuple of str
    treatment : array of int, shape (n,)
        Positions in ``treatments``.
    biases : array, shape (n,)

    Returns
    -------
    Conditions
        By game in the order of treatments, then by bias.

    Examples
    --------
    >>> game = FiniteGame([1, 2])
    >>> found = conditions_of(game, ("a", "b"), np.array([0, 1, 1]), np.array([2.0, 1.0, 2.0]))
    >>> [bias for _, bias in found.distinct], found.index.tolist()
    ([1.0, 2.0], [1, 0, 1])
    """
    stages = [game.in_treatment(name) for name in treatments]
    different = list(dict.fromkeys(stages))
    stage = np.array([different.index(stage_game) for stage_game in stages], dtype=int)[treatment]
    keys, index = np.unique(np.column_stack([stage, biases]), axis=0, return_inverse=True)
    distinct = tuple((different[int(at)], float(bias)) for at, bias in keys)
    return Conditions(distinct, index.reshape(-1))


def unit_conditions(game: FiniteGame, units: Cells, signs: bool = False) -> Conditions:
    """The condition of every unit; ``signs`` tells biases apart by their sign only."""
    biases = np.sign(units.biases) if signs else units.biases
    return conditions_of(game, units.treatments, units.unit_treatment, biases[units.unit_bias])


def shared_conditions(game: FiniteGame, units: Cells) -> Conditions:
    """The condition of every observed combination of treatment and bias."""
    biases = units.biases[units.condition_bias]
    return conditions_of(game, units.treatments, units.condition_treatment, biases)


def by_condition(theory: Callable[..., Any], conditions: Conditions, *parameters: Any) -> Any:
    """Evaluate ``theory(game, bias, *parameters)`` where each entry of the last axis has its own.

    Parameters
    ----------
    theory : callable
        Gives an array of shape (*parameter.shape, ...) for one condition.
    conditions : Conditions
        Of the n entries.
    *parameters : array, shape (..., n)

    Returns
    -------
    array, shape (..., n, ...)
    """
    if len(conditions.distinct) == 1:
        return theory(*conditions.distinct[0], *parameters)
    where = [np.flatnonzero(conditions.index == i) for i in range(len(conditions.distinct))]
    parts = [
        theory(*condition, *(parameter[..., rows] for parameter in parameters))
        for condition, rows in zip(conditions.distinct, where, strict=True)
    ]
    axis = max(parameter.ndim for parameter in parameters) - 1
    joined = namespace(*parts).concatenate(parts, axis=axis)
    place = np.empty(conditions.index.size, dtype=int)
    place[np.concatenate(where)] = np.arange(place.size)
    return joined[(*(slice(None),) * axis, place)]


def positions(seen: Any) -> Any:
    """Positions as whole numbers: data of a compiled model are floats."""
    return seen if namespace(seen) is np else seen.astype("int64")


def row_of(table: np.ndarray, seen: Any) -> Any:
    """The row of a table for each of several positions, which may be data of a compiled model.

    Examples
    --------
    >>> row_of(np.array([5.0, 7.0]), np.array([1, 1, 0])).tolist()
    [7.0, 7.0, 5.0]
    """
    return (table if namespace(seen) is np else pt.as_tensor(table))[positions(seen)]


def stacked(constants: Callable[[FiniteGame, float], np.ndarray], conditions: Conditions) -> Any:
    """What holds in the condition of each entry, whoever the person is.

    A graph that takes constants of all conditions at once is as long as that of one condition;
    `by_condition` writes its theory out for each.

    Parameters
    ----------
    constants : callable
        Gives an array of the same shape for every condition.
    conditions : Conditions
        Of the n entries.

    Returns
    -------
    array, shape (n, ...), or (1, ...) under one condition
    """
    each = np.stack([constants(*condition) for condition in conditions.distinct])
    return each if len(each) == 1 else each[conditions.index]


def trial_terms(game: ContinuousGame, units: Any) -> Any:
    """The terms of every trial, as the game's kind has them."""
    return game.terms(units.treatments).at(units.unit_treatment[units.trial_unit])
