"""What an outcome is worth: payoff functions of the finite sender-receiver game.

Every family offers ``sender(state, action, bias)`` and ``receiver(state, action)``, which
broadcast over NumPy arrays; one in which payoffs are ``by_message`` is given the message last.
Families that are ``continuous`` are also defined between the listed states and actions and accept
PyTensor variables, so a theory can differentiate them; those ``by_distance`` depend on state and
action only through their difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

__all__ = ["PayoffFunctions", "PayoffTable", "Payoffs", "PowerLoss", "table_from_dict"]


class Payoffs(Protocol):
    """What a payoff family must offer to a game."""

    @property
    def continuous(self) -> bool:
        """Whether payoffs are defined between the listed states and actions, too."""

    @property
    def by_distance(self) -> bool:
        """Whether payoffs depend on state and action through their difference only."""

    @property
    def by_message(self) -> bool:
        """Whether payoffs depend on the message, which both functions are then given last."""

    def sender(self, state: Any, action: Any, bias: Any, *message: Any) -> Any:
        """Sender's payoff u_S(state, action; bias), or u_S(state, message, action; bias)."""

    def receiver(self, state: Any, action: Any, *message: Any) -> Any:
        """Receiver's payoff u_R(state, action), or u_R(state, message, action)."""

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe description, enough to tell two games apart."""


@dataclass(frozen=True)
class PowerLoss:
    """Power loss around the state: u_R = c - d|θ - a|^p and u_S = c - d|θ + b - a|^p.

    Parameters
    ----------
    constant : float
        c, payoff of the ideal action, in payoff units.
    scale : float
        d > 0, payoff lost at distance one.
    exponent : float
        p >= 1; below one the loss would have a kink of infinite slope at the ideal action.

    Raises
    ------
    ValueError
        If ``scale`` is not positive or ``exponent`` is below one.

    References
    ----------
    Cai and Wang (2006), Games and Economic Behavior 56(1); Wang, Spezio and Camerer (2010),
    American Economic Review 100(3). As specified in the project's theory, section 1.

    Examples
    --------
    >>> PowerLoss().sender(1.0, 3.0, 2.0)
    110.0
    """

    constant: float = 110.0
    scale: float = 20.0
    exponent: float = 1.4

    continuous: ClassVar[bool] = True
    by_distance: ClassVar[bool] = True
    by_message: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ValueError(f"payoff scale: found {self.scale}, expected a number above 0")
        if not self.exponent >= 1:
            raise ValueError(f"payoff exponent: found {self.exponent}, expected at least 1")

    def sender(self, state: Any, action: Any, bias: Any) -> Any:
        """u_S(θ, a; b) = c - d|θ + b - a|^p."""
        return self.constant - self.scale * abs(state + bias - action) ** self.exponent

    def receiver(self, state: Any, action: Any) -> Any:
        """u_R(θ, a) = c - d|θ - a|^p."""
        return self.constant - self.scale * abs(state - action) ** self.exponent

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe description."""
        return {
            "family": "power-loss",
            "constant": self.constant,
            "scale": self.scale,
            "exponent": self.exponent,
        }


@dataclass(frozen=True)
class PayoffFunctions:
    """Payoffs given as two functions of arrays, defined between the listed states too.

    Parameters
    ----------
    sender : callable
        ``sender(state, action, bias)``.
    receiver : callable
        ``receiver(state, action)``. Both must broadcast. The trust-embedded models
        differentiate them, so write them with operators, ``abs`` and functions that PyTensor
        variables understand; ``np.exp``, ``np.sqrt`` and ``np.log`` are among them.

    Examples
    --------
    >>> quadratic = PayoffFunctions(
    ...     sender=lambda state, action, bias: -(state + bias - action) ** 2,
    ...     receiver=lambda state, action: -(state - action) ** 2,
    ... )
    >>> float(quadratic.receiver(2.0, 3.0))
    -1.0
    """

    sender: Callable[[Any, Any, Any], Any]
    receiver: Callable[[Any, Any], Any]

    continuous: ClassVar[bool] = True
    by_distance: ClassVar[bool] = False
    by_message: ClassVar[bool] = False

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe description: functions are told apart by their tables, see the game."""
        return {"family": "functions"}


@dataclass(frozen=True)
class PayoffTable:
    """Payoffs known only at listed states and actions.

    Parameters
    ----------
    states, actions : tuple of float
        What the rows and columns of the tables stand for.
    sender_tables : mapping of float to array, or array, shape (states, actions)
        One table per bias, or one table that serves every bias.
    receiver_table : array, shape (states, actions)
    messages : tuple of float, optional
        If payoffs depend on the message: all tables then have shape (states, messages, actions).

    Notes
    -----
    A table says nothing between its states: the trust-embedded receiver must then hold the
    "mixture" belief, and the trust-embedded sender expects the receiver's quantal response.

    Examples
    --------
    >>> import numpy as np
    >>> table = PayoffTable((1.0, 2.0), (1.0, 2.0), {1.0: np.eye(2)}, np.eye(2))
    >>> float(table.receiver(2.0, 2.0))
    1.0
    """

    states: tuple[float, ...]
    actions: tuple[float, ...]
    sender_tables: Mapping[float, np.ndarray] | np.ndarray = field(hash=False)
    receiver_table: np.ndarray = field(hash=False)
    messages: tuple[float, ...] | None = None

    continuous: ClassVar[bool] = False
    by_distance: ClassVar[bool] = False

    @property
    def by_message(self) -> bool:
        """Whether the tables have an axis of messages."""
        return self.messages is not None

    @property
    def biases(self) -> tuple[float, ...] | None:
        """The biases that have a table, in increasing order; None if one serves all."""
        if isinstance(self.sender_tables, Mapping):
            return tuple(sorted(map(float, self.sender_tables)))
        return None

    def _at(self, table: Any, state: Any, action: Any, message: tuple[Any, ...]) -> np.ndarray:
        rows = _positions(self.states, state, "state")
        columns = _positions(self.actions, action, "action")
        if self.messages is None:
            return np.asarray(table)[rows, columns]
        return np.asarray(table)[rows, _positions(self.messages, message[0], "message"), columns]

    def sender(self, state: Any, action: Any, bias: Any, *message: Any) -> Any:
        """u_S looked up; a KeyError names a bias without a table."""
        values = np.unique(np.asarray(bias, dtype=float))
        if values.size != 1:
            raise ValueError("a payoff table is read for one bias at a time")
        if isinstance(self.sender_tables, Mapping):
            return self._at(self.sender_tables[float(values[0])], state, action, message)
        return self._at(self.sender_tables, state, action, message)

    def receiver(self, state: Any, action: Any, *message: Any) -> Any:
        """u_R looked up."""
        return self._at(self.receiver_table, state, action, message)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe description."""
        if isinstance(self.sender_tables, Mapping):
            by_bias = {str(float(b)): np.asarray(t).tolist() for b, t in self.sender_tables.items()}
        else:
            by_bias = {"every": np.asarray(self.sender_tables).tolist()}
        return {
            "family": "table",
            "states": list(self.states),
            **({} if self.messages is None else {"messages": list(self.messages)}),
            "actions": list(self.actions),
            "sender": dict(sorted(by_bias.items())),
            "receiver": np.asarray(self.receiver_table).tolist(),
        }


def table_from_dict(form: Mapping[str, Any]) -> PayoffTable:
    """Read back what the ``to_dict`` of a table wrote."""
    sender = form["sender"]
    return PayoffTable(
        tuple(form["states"]),
        tuple(form["actions"]),
        np.asarray(sender["every"])
        if "every" in sender
        else {float(bias): np.asarray(table) for bias, table in sender.items()},
        np.asarray(form["receiver"]),
        tuple(form["messages"]) if "messages" in form else None,
    )


def _positions(listed: tuple[float, ...], values: Any, what: str) -> np.ndarray:
    match = np.isclose(np.asarray(values, dtype=float)[..., None], np.asarray(listed))
    if not match.any(axis=-1).all():
        raise ValueError(f"a payoff table is defined at its listed {what}s only")
    return match.argmax(axis=-1)
