"""Payoffs that know the message: as formulas, and as Python functions; and families read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from trustbayes.games.formula import Formula, parse_formula
from trustbayes.games.payoffs import Payoffs, PowerLoss, table_from_dict

__all__ = [
    "RECEIVER_NAMES",
    "SENDER_NAMES",
    "MessagePayoffFunctions",
    "PayoffFormulas",
    "payoffs_from_dict",
]

SENDER_NAMES = ("state", "message", "action", "bias")
"""What a formula of the sender's payoff may name, besides constants."""

RECEIVER_NAMES = ("state", "message", "action")
"""What a formula of the receiver's payoff may name, besides constants."""


@dataclass(frozen=True)
class PayoffFormulas:
    """Payoffs given as two formulas, see `trustbayes.games.formula.parse_formula`.

    Parameters
    ----------
    sender_text, receiver_text : str
        Formulas of state, message, action and constants; the sender's also of the bias.
    constants : mapping of str to float
    labels : mapping of str to float
        What actions with names stand for; formulas name them as they are, or in quotes.

    Raises
    ------
    InputError
        If a formula is not understood.

    Notes
    -----
    A formula with a comparison, a choice or a rounding jumps, so that it counts as known at the
    listed states and actions only, as a table does.

    Examples
    --------
    >>> pay = PayoffFormulas("gain * message", "5 if message != state else -5", {"gain": 2.0})
    >>> pay.continuous, pay.by_message, float(pay.receiver(1.0, 1.0, 2.0))
    (False, True, 5.0)
    """

    sender_text: str
    receiver_text: str
    constants: Mapping[str, float] = field(default_factory=dict, hash=False)
    labels: Mapping[str, float] = field(default_factory=dict, hash=False)

    by_distance: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _ = self._formulas

    @cached_property
    def _formulas(self) -> tuple[Formula, Formula]:
        named = (*self.constants, *self.labels)
        return (
            parse_formula(self.sender_text, (*SENDER_NAMES, *named), "sender", self.labels),
            parse_formula(self.receiver_text, (*RECEIVER_NAMES, *named), "receiver", self.labels),
        )

    @property
    def continuous(self) -> bool:
        """Whether neither formula jumps."""
        return all(formula.smooth for formula in self._formulas)

    @property
    def by_message(self) -> bool:
        """Whether either formula names the message."""
        return any("message" in formula.names for formula in self._formulas)

    def sender(self, state: Any, action: Any, bias: Any, *message: Any) -> Any:
        """The value of the sender's formula."""
        return self._formulas[0](self._named(state, action, message) | {"bias": bias})

    def receiver(self, state: Any, action: Any, *message: Any) -> Any:
        """The value of the receiver's formula."""
        return self._formulas[1](self._named(state, action, message))

    def _named(self, state: Any, action: Any, message: tuple[Any, ...]) -> dict[str, Any]:
        named = {**self.constants, **self.labels, "state": state, "action": action}
        return named | {"message": message[0]} if message else named

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe description."""
        return {
            "family": "formula",
            "sender": self.sender_text,
            "receiver": self.receiver_text,
            "constants": dict(sorted(self.constants.items())),
            "labels": dict(sorted(self.labels.items())),
        }


@dataclass(frozen=True)
class MessagePayoffFunctions:
    """Payoffs that know the message, given as two functions of arrays.

    Parameters
    ----------
    sender_payoff : callable
        ``sender_payoff(state, message, action, bias)``.
    receiver_payoff : callable
        ``receiver_payoff(state, message, action)``. Both must broadcast.
    continuous : bool
        Whether they make sense between the listed states and actions, and understand PyTensor
        variables, as those of `trustbayes.games.payoffs.PayoffFunctions`; by default they are
        evaluated at the listed ones only.

    Examples
    --------
    >>> fine = MessagePayoffFunctions(
    ...     sender_payoff=lambda state, message, action, bias: action - 2 * (message != state),
    ...     receiver_payoff=lambda state, message, action: -((state - action) ** 2),
    ... )
    >>> fine.sender(1.0, 3.0, 0.0, 2.0)
    1.0
    """

    sender_payoff: Callable[[Any, Any, Any, Any], Any]
    receiver_payoff: Callable[[Any, Any, Any], Any]
    continuous: bool = False

    by_distance: ClassVar[bool] = False
    by_message: ClassVar[bool] = True

    def sender(self, state: Any, action: Any, bias: Any, *message: Any) -> Any:
        """u_S(θ, m, a; b)."""
        return self.sender_payoff(state, message[0], action, bias)

    def receiver(self, state: Any, action: Any, *message: Any) -> Any:
        """u_R(θ, m, a)."""
        return self.receiver_payoff(state, message[0], action)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe description: functions are told apart by their tables, see the game."""
        return {"family": "functions", "continuous": self.continuous}


def payoffs_from_dict(form: Mapping[str, Any]) -> Payoffs:
    """Read back what a family's ``to_dict`` wrote.

    Raises
    ------
    ValueError
        If the payoffs are functions, which no description can hold.
    """
    if form["family"] == "power-loss":
        return PowerLoss(form["constant"], form["scale"], form["exponent"])
    if form["family"] == "functions":
        raise ValueError("payoffs that are functions cannot be read back from a description")
    if form["family"] == "formula":
        return PayoffFormulas(form["sender"], form["receiver"], form["constants"], form["labels"])
    return table_from_dict(form)
