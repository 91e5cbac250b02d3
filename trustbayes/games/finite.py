"""The finite sender-receiver game (Crawford and Sobel type)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from trustbayes.games.base import Game, Role
from trustbayes.games.layout import Layout
from trustbayes.games.payoffs import PayoffFunctions, Payoffs, PowerLoss, payoffs_from_dict

__all__ = ["FiniteGame"]


@dataclass(frozen=True, eq=False)
class FiniteGame(Game):
    """A sender sees a state and sends a message; a receiver sees the message and acts.

    Parameters
    ----------
    states, messages, actions : sequence of float
        Distinct, in increasing order. Messages name states (a message may stand for a value
        that is no state); the three may be spaced differently.
    prior : sequence of float or "uniform"
        Probabilities of the states, shape (states,).
    payoffs : Payoffs
        A payoff family; default the power loss 110 - 20 d^1.4.
    treatments : mapping of str to tuple of float, optional
        The treatments that trials may name and the biases that occur in each.
    layout : Layout
        How trial files are laid out.
    name : str
        For titles.

    Raises
    ------
    ValueError
        If the lists are not increasing, the prior is not a distribution over the states, or a
        table game has messages that are no states.

    References
    ----------
    Crawford and Sobel (1982), Econometrica 50(6).

    Examples
    --------
    >>> game = FiniteGame(states=[1, 2, 3, 4, 5])
    >>> game.receiver_table.shape
    (5, 5)
    """

    states: np.ndarray
    messages: np.ndarray
    actions: np.ndarray
    prior: np.ndarray
    payoffs: Payoffs
    treatments: Mapping[str, tuple[float, ...]] | None
    layout: Layout
    name: str

    kind: ClassVar[str] = "finite"
    trial_columns: ClassVar[tuple[str, ...]] = (
        "sender",
        "receiver",
        "round",
        "treatment",
        "bias",
        "state",
        "message",
        "action",
        "group",
    )

    def __init__(
        self,
        states: Sequence[float],
        messages: Sequence[float] | None = None,
        actions: Sequence[float] | None = None,
        prior: Sequence[float] | Literal["uniform"] = "uniform",
        payoffs: Payoffs | None = None,
        treatments: Mapping[str, float | Sequence[float]] | None = None,
        layout: Layout | None = None,
        name: str = "finite game",
    ) -> None:
        set_ = object.__setattr__
        set_(self, "states", _increasing(states, "states"))
        set_(self, "messages", _increasing(states if messages is None else messages, "messages"))
        set_(self, "actions", _increasing(states if actions is None else actions, "actions"))
        set_(self, "prior", _distribution(prior, self.states.size))
        set_(self, "payoffs", PowerLoss() if payoffs is None else payoffs)
        listed = None
        if treatments is not None:
            listed = {
                str(k): tuple(np.atleast_1d(v).astype(float).tolist())
                for k, v in treatments.items()
            }
        set_(self, "treatments", listed)
        set_(self, "layout", Layout() if layout is None else layout)
        set_(self, "name", name)
        if not self.payoffs.continuous and not np.isin(self.messages, self.states).all():
            raise ValueError("messages: a game of payoff tables needs every message to be a state")

    def seen(self, role: Role) -> np.ndarray:
        """What a role sees before choosing: the states, or the messages."""
        return self.states if role == "sender" else self.messages

    def options(self, role: Role) -> np.ndarray:
        """What a role chooses from: the messages, or the actions."""
        return self.messages if role == "sender" else self.actions

    def sender_table(self, bias: float) -> np.ndarray:
        """u_S at every state and action, shape (states, actions), payoff units."""
        table = self.payoffs.sender(self.states[:, None], self.actions[None, :], bias)
        return np.broadcast_to(np.asarray(table, float), (self.states.size, self.actions.size))

    @cached_property
    def receiver_table(self) -> np.ndarray:
        """u_R at every state and action, shape (states, actions), payoff units."""
        table = self.payoffs.receiver(self.states[:, None], self.actions[None, :])
        return np.broadcast_to(np.asarray(table, float), (self.states.size, self.actions.size))

    @cached_property
    def scale(self) -> float:
        """Standard deviation of the receiver's payoff table, in payoff units.

        Utilities are divided by it before the response rule, so that response precision and
        its prior mean the same in every game.
        """
        deviation = float(self.receiver_table.std())
        if not deviation > 0:
            raise ValueError("payoffs: the receiver's payoff is the same everywhere")
        return deviation

    @cached_property
    def step(self) -> float:
        """Median distance of neighbouring messages, in units of the state."""
        return float(np.median(np.diff(self.messages))) if self.messages.size > 1 else 1.0

    @property
    def lying_unit(self) -> float:
        """Payoff units that one standardised unit of lying aversion stands for.

        Standardised lying aversion is the disutility of a lie of one message step, in standard
        deviations of the payoff table; times this it is in payoff units per unit of |m - θ|.
        """
        return self.scale / self.step

    @property
    def tabled(self) -> bool:
        """Whether the payoffs are tables."""
        return not self.payoffs.continuous

    @property
    def storable(self) -> bool:
        """Whether the payoffs are no Python functions."""
        return not isinstance(self.payoffs, PayoffFunctions)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe description of all that bears on behaviour (not of files)."""
        form = {
            "kind": self.kind,
            "name": self.name,
            "states": self.states.tolist(),
            "messages": self.messages.tolist(),
            "actions": self.actions.tolist(),
            "prior": self.prior.tolist(),
            "payoffs": self.payoffs.to_dict(),
            "treatments": {name: list(biases) for name, biases in (self.treatments or {}).items()},
        }
        if form["payoffs"]["family"] == "functions":  # told apart by what they pay
            biases = {b for values in (self.treatments or {}).values() for b in values} or {
                0.0,
                1.0,
            }
            form["receiver_table"] = self.receiver_table.tolist()
            form["sender_tables"] = {str(b): self.sender_table(b).tolist() for b in sorted(biases)}
        return form

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> FiniteGame:
        """Read back what `to_dict` wrote; payoffs that are functions cannot be.

        Raises
        ------
        ValueError
            If the payoffs are functions.

        Examples
        --------
        >>> game = FiniteGame([1, 2, 3])
        >>> FiniteGame.from_dict(game.to_dict()).checksum == game.checksum
        True
        """
        return cls(
            form["states"],
            form["messages"],
            form["actions"],
            form["prior"],
            payoffs_from_dict(form["payoffs"]),
            form["treatments"] or None,
            name=form["name"],
        )


def _increasing(values: Sequence[float], what: str) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or array.size < 1 or not np.isfinite(array).all():
        raise ValueError(f"{what}: found {values!r}, expected a list of numbers")
    if not (np.diff(array) > 0).all():
        raise ValueError(f"{what}: found {list(values)!r}, expected increasing, distinct numbers")
    return array


def _distribution(prior: Sequence[float] | str, size: int) -> np.ndarray:
    if isinstance(prior, str):
        if prior != "uniform":
            raise ValueError(f"prior: found {prior!r}, expected 'uniform' or {size} probabilities")
        return np.full(size, 1 / size)
    array = np.asarray(prior, dtype=float)
    if array.shape != (size,) or not (array >= 0).all() or not np.isclose(array.sum(), 1):
        raise ValueError(
            f"prior: found {list(prior)!r}, expected {size} probabilities that add up to 1"
        )
    return array / array.sum()
