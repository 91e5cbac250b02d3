"""People who play both roles, simulated: lying aversion and trust from one population."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from trustbayes.comparison.both_roles import SHAPE
from trustbayes.comparison.shared_people import check_normal, lying_parameter, personal
from trustbayes.errors import Fault, InputError
from trustbayes.games import Layout, Rows
from trustbayes.models import Model
from trustbayes.models.draws import Draws

__all__ = [
    "BOTH",
    "OF_PLAYERS",
    "TRUST",
    "check_same_people",
    "correlated",
    "correlation_from_prior",
    "met_by",
    "planted_correlation",
]

BOTH = "both"
"""The role in which a simulation's correlation stands among its parameters."""

OF_PLAYERS = Layout(rows=Rows(per="player", person="person", role="role"))
"""A layout of files in which a person may have rows of either role."""

TRUST = "trust"
"""What goes with a person's aversion to lying."""


def check_same_people(sender: Model | None, receiver: Model | None, correlation: float) -> None:
    """Refuse models whose people cannot be the same in both roles, and what is no correlation.

    Parameters
    ----------
    sender, receiver : Model or None
    correlation : float

    Raises
    ------
    InputError
    """
    if not -1 < correlation < 1:
        expected = "a number above -1 and below 1"
        raise InputError(Fault("simulation, correlation", str(correlation), expected))
    if sender is None or receiver is None:
        missing = "sender" if sender is None else "receiver"
        raise InputError(Fault(f"simulation, {missing}", "", "a model of both roles"))
    if sender.learns or receiver.learns:
        expected = "models without learning, where the same people play both roles"
        raise InputError(Fault("simulation, models", f"{sender.name}, {receiver.name}", expected))
    check_normal(sender, lying_parameter(sender))
    check_normal(receiver, TRUST)


def correlation_from_prior(seed: int) -> float:
    """Draw the correlation of lying aversion and trust from its default prior.

    Parameters
    ----------
    seed : int

    Returns
    -------
    float

    Examples
    --------
    >>> -1 < correlation_from_prior(1) < 1
    True
    """
    rng = np.random.default_rng([seed, 20090909])
    return float(2 * rng.beta(SHAPE, SHAPE) - 1)


def correlated(sender: Draws, receiver: Draws, correlation: float) -> Draws:
    """Tie the trust of people to their aversion to lying.

    In units of the populations' spreads, on the scales of the links, aversion x and trust y are
    independent as drawn; ρx + √(1 − ρ²)y has the correlation ρ with x and the same distribution
    as y.

    Parameters
    ----------
    sender, receiver : Draws
        Of models that pass `check_same_people`, of the same people in the same order.
    correlation : float

    Returns
    -------
    Draws
        The receivers', with other values of trust.
    """
    given = personal(sender, lying_parameter(sender.model)).standard
    drawn = personal(receiver, TRUST)
    moved = correlation * given + np.sqrt(1 - correlation**2) * drawn.standard - drawn.standard
    array = receiver.data[TRUST].transpose("sample", "subject", ...)
    link = drawn.family.link
    shift = (moved * drawn.spread[:, None]).reshape(*moved.shape, *(1,) * (array.ndim - 2))
    natural = link.inverse(link.forward(array.to_numpy()) + shift)
    return replace(receiver, data=receiver.data.assign({TRUST: (array.dims, natural)}))


def planted_correlation(parameters: pd.DataFrame) -> float:
    """The correlation of a simulation of the same people.

    Parameters
    ----------
    parameters : DataFrame
        See `trustbayes.simulation.simulate.Simulation`.

    Returns
    -------
    float
    """
    [value] = parameters.loc[parameters["role"] == BOTH, "value"]
    return float(value)


def met_by(
    people: np.ndarray, groups: np.ndarray, rounds: int, rng: np.random.Generator
) -> np.ndarray:
    """Who receives from each person in every round: another person of the same group.

    Parameters
    ----------
    people : array of str, shape (people,)
    groups : array of int, shape (people,)
        Within which people meet, two or more in each.
    rounds : int
    rng : numpy.random.Generator

    Returns
    -------
    array of str, shape (rounds, people)
        Everybody once in each round.

    Examples
    --------
    >>> met_by(np.array(["a", "b"]), np.array([0, 0]), 1, np.random.default_rng(1))
    array([['b', 'a']], dtype='<U1')
    """
    met = np.empty((rounds, people.size), dtype=people.dtype)
    for group in np.unique(groups):
        here = np.flatnonzero(groups == group)
        # Round a table in a random order, each receives from her neighbor.
        order = rng.permuted(np.tile(here, (rounds, 1)), axis=1)
        np.put_along_axis(met, order, people[np.roll(order, 1, axis=1)], axis=1)
    return met
