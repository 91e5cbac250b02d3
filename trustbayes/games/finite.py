"""The finite sender-receiver game (Crawford and Sobel type), and its general form.

In the general form payoffs may know the message, actions may be labels, and payoffs and priors may
differ between treatments: see `FiniteTerms`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from trustbayes.games.base import Game, Role
from trustbayes.games.feedback import Feedback
from trustbayes.games.finite_terms import Direction, Exact, FiniteTerms, distribution, exact
from trustbayes.games.layout import Layout
from trustbayes.games.message_payoffs import MessagePayoffFunctions, payoffs_from_dict
from trustbayes.games.payoffs import PayoffFunctions, Payoffs, PayoffTable, PowerLoss

__all__ = ["FiniteGame"]

_SIGN = {"up": 1.0, "down": -1.0, "none": 0.0}


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
        The treatments that trials may name and the biases that occur in each; default: those of
        ``terms``, without a bias.
    layout : Layout
        How trial files are laid out.
    name : str
        For titles.
    receiver_prior : sequence of float, optional
        The prior that receivers hold, if it is another one.
    direction : {"up", "down", "none"}, optional
        Whether senders gain by higher or by lower messages; default: the sign of the bias.
    action_labels : sequence of str, optional
        Names of the actions, if they are no estimates of the state (accept, challenge): their
        numbers then bear on nothing but payoffs.
    terms : mapping of str to FiniteTerms, optional
        What differs between treatments, by treatment.
    feedback : Feedback, optional
        What people are shown after a trial, and whom they meet.

    Attributes
    ----------
    whole : FiniteGame or None
        The game whose scale is this one's: that which it is a treatment of, see `in_treatment`, or
        from which it was changed, see `trustbayes.games.changed`.

    Raises
    ------
    ValueError
        If the lists are not increasing, a prior is not a distribution over the states, a direction
        is unknown, labels do not match the actions, or a table game has messages that are no
        states.

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
    receiver_prior: np.ndarray
    direction: Direction | None
    action_labels: tuple[str, ...] | None
    terms: Mapping[str, FiniteTerms]
    feedback: Feedback | None
    whole: FiniteGame | None

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
        receiver_prior: Sequence[float] | None = None,
        direction: Direction | None = None,
        action_labels: Sequence[str] | None = None,
        terms: Mapping[str, FiniteTerms] | None = None,
        feedback: Feedback | None = None,
    ) -> None:
        set_ = object.__setattr__
        set_(self, "states", _increasing(states, "states"))
        set_(self, "messages", _increasing(states if messages is None else messages, "messages"))
        set_(self, "actions", _increasing(states if actions is None else actions, "actions"))
        set_(self, "prior", distribution(prior, self.states.size))
        set_(self, "payoffs", PowerLoss() if payoffs is None else payoffs)
        if treatments is None and terms:
            treatments = dict.fromkeys(terms, 0.0)
        listed = None
        if treatments is not None:
            listed = {
                str(k): tuple(np.atleast_1d(v).astype(float).tolist())
                for k, v in treatments.items()
            }
        set_(self, "treatments", listed)
        set_(self, "layout", Layout() if layout is None else layout)
        set_(self, "name", name)
        held = Exact(self.prior) if receiver_prior is None else receiver_prior
        set_(self, "receiver_prior", distribution(held, self.states.size))
        set_(self, "direction", direction)
        set_(self, "action_labels", None if action_labels is None else tuple(action_labels))
        set_(self, "terms", dict(terms or {}))
        set_(self, "feedback", feedback)
        set_(self, "whole", None)
        self._check()

    def _check(self) -> None:
        if isinstance(self.payoffs, PayoffTable) and not np.isin(self.messages, self.states).all():
            raise ValueError("messages: a game of payoff tables needs every message to be a state")
        if self.direction is not None and self.direction not in get_args(Direction):
            expected = ", ".join(get_args(Direction))
            raise ValueError(f"direction: found {self.direction!r}, expected one of {expected}")
        if self.action_labels is not None and (
            len(self.action_labels) != self.actions.size
            or len(set(self.action_labels)) != self.actions.size
        ):
            expected = f"{self.actions.size} distinct labels"
            raise ValueError(f"action_labels: found {self.action_labels!r}, expected {expected}")
        if unknown := set(self.terms) - set(self.treatments or {}):
            raise ValueError(f"terms: found {sorted(unknown)}, expected treatments of the game")
        _ = self._stages  # every treatment's own prior and payoffs are checked, too

    def seen(self, role: Role) -> np.ndarray:
        """What a role sees before choosing: the states, or the messages."""
        return self.states if role == "sender" else self.messages

    def options(self, role: Role) -> np.ndarray:
        """What a role chooses from: the messages, or the actions."""
        return self.messages if role == "sender" else self.actions

    @property
    def labelled(self) -> bool:
        """Whether actions are labels rather than estimates of the state."""
        return self.action_labels is not None

    def labels(self, role: Role) -> tuple[str, ...]:
        """The names of what a role chooses from, shape (options,)."""
        if role == "receiver" and self.action_labels is not None:
            return self.action_labels
        return tuple(f"{value:g}" for value in self.options(role))

    def shifts(self, role: Role) -> np.ndarray:
        """How far every choice is from face value, shape (seen, options).

        Choice minus what was seen, in units of the state; where actions are labels 1 for every
        action but the first, so that a mean shift is the share of the others.
        """
        if role == "receiver" and self.labelled:
            others = np.arange(self.actions.size) > 0
            return np.broadcast_to(others.astype(float), (self.messages.size, others.size))
        return self.options(role)[None, :] - self.seen(role)[:, None]

    def direction_of(self, bias: float) -> float:
        """1 if senders with this bias gain by higher messages, -1 by lower ones, else 0."""
        return float(np.sign(bias)) if self.direction is None else _SIGN[self.direction]

    @property
    def cheap_talk(self) -> bool:
        """Whether messages bear on no payoff."""
        return not self.payoffs.by_message

    def sender_payoff(self, state: Any, message: Any, action: Any, bias: Any) -> Any:
        """u_S(θ, m, a; b), broadcast over arrays, in payoff units."""
        known = (message,) if self.payoffs.by_message else ()
        return self.payoffs.sender(state, action, bias, *known)

    def receiver_payoff(self, state: Any, message: Any, action: Any) -> Any:
        """u_R(θ, m, a), broadcast over arrays, in payoff units."""
        known = (message,) if self.payoffs.by_message else ()
        return self.payoffs.receiver(state, action, *known)

    def sender_table(self, bias: float) -> np.ndarray:
        """u_S at every state and action of cheap talk, shape (states, actions), payoff units."""
        table = self.payoffs.sender(self.states[:, None], self.actions[None, :], bias)
        return np.broadcast_to(np.asarray(table, float), (self.states.size, self.actions.size))

    @cached_property
    def receiver_table(self) -> np.ndarray:
        """u_R at every state and action of cheap talk, shape (states, actions), payoff units."""
        table = self.payoffs.receiver(self.states[:, None], self.actions[None, :])
        return np.broadcast_to(np.asarray(table, float), (self.states.size, self.actions.size))

    def sender_outcomes(self, bias: float) -> np.ndarray:
        """u_S at every state, message and action, in this order, payoff units."""
        return self._everywhere(self.sender_payoff(*self._grid, bias))

    @cached_property
    def receiver_outcomes(self) -> np.ndarray:
        """u_R at every state, message and action, in this order, payoff units."""
        return self._everywhere(self.receiver_payoff(*self._grid))

    @property
    def _grid(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.states[:, None, None], self.messages[None, :, None], self.actions

    def _everywhere(self, table: Any) -> np.ndarray:
        shape = (self.states.size, self.messages.size, self.actions.size)
        return np.broadcast_to(np.asarray(table, float), shape)

    def in_treatment(self, name: str) -> FiniteGame:
        """The game as it is played in a treatment: this one, if nothing differs there.

        Treatments on equal terms share one game; its scale is that of the whole, so that
        parameters mean the same in every treatment.
        """
        return self._stages.get(name, self)

    @cached_property
    def _stages(self) -> dict[str, FiniteGame]:
        made: dict[str, FiniteGame] = {}
        stages = {}
        for name, terms in self.terms.items():
            of_receiver = terms.receiver_prior
            if of_receiver is None and terms.prior is None:
                of_receiver = Exact(self.receiver_prior)
            stage = FiniteGame(
                self.states.tolist(),
                self.messages.tolist(),
                self.actions.tolist(),
                Exact(self.prior) if terms.prior is None else terms.prior,
                self.payoffs if terms.payoffs is None else terms.payoffs,
                name=self.name,
                receiver_prior=of_receiver,
                direction=self.direction if terms.direction is None else terms.direction,
                action_labels=self.action_labels,
            )
            object.__setattr__(stage, "whole", self)
            # By content; functions by which they are, since they may differ between the states.
            form = stage.to_dict() | {"payoffs": _content(stage.payoffs)}
            stages[name] = made.setdefault(json.dumps(form, sort_keys=True), stage)
        return stages

    @cached_property
    def scale(self) -> float:
        """Standard deviation of the receiver's payoffs over all treatments, in payoff units.

        Utilities are divided by it before the response rule, so that response precision and
        its prior mean the same in every game.
        """
        if self.whole is not None:
            return self.whole.scale
        if self.terms:
            stages = dict.fromkeys(self._stages.get(name, self) for name in self.treatments or {})
            deviation = float(np.std([stage.receiver_outcomes for stage in stages]))
        elif self.cheap_talk:
            deviation = float(self.receiver_table.std())
        else:
            deviation = float(self.receiver_outcomes.std())
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
        deviations of the payoff table; times this it is in payoff units per unit of ``|m - θ|``.
        """
        return self.scale / self.step

    @property
    def tabled(self) -> bool:
        """Whether payoffs are known at listed states and actions only, in some treatment."""
        return not all(payoffs.continuous for payoffs in self._all_payoffs)

    @property
    def storable(self) -> bool:
        """Whether no payoffs are Python functions."""
        return not any(
            isinstance(payoffs, PayoffFunctions | MessagePayoffFunctions)
            for payoffs in self._all_payoffs
        )

    @property
    def _all_payoffs(self) -> list[Payoffs]:
        return [self.payoffs, *(stage.payoffs for stage in self._stages.values())]

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
            if self.cheap_talk:
                form["receiver_table"] = self.receiver_table.tolist()
                form["sender_tables"] = {
                    str(b): self.sender_table(b).tolist() for b in sorted(biases)
                }
            else:
                form["receiver_outcomes"] = self.receiver_outcomes.tolist()
                form["sender_outcomes"] = {
                    str(b): self.sender_outcomes(b).tolist() for b in sorted(biases)
                }
        return form | self._general_form()

    def _general_form(self) -> dict[str, Any]:
        """What the game of the textbooks is silent about: nothing, if this is one."""
        form: dict[str, Any] = {}
        if not np.array_equal(self.receiver_prior, self.prior):
            form["receiver_prior"] = self.receiver_prior.tolist()
        if self.direction is not None:
            form["direction"] = self.direction
        if self.action_labels is not None:
            form["action_labels"] = list(self.action_labels)
        if self.feedback is not None:
            form["feedback"] = self.feedback.to_dict()
        if self.terms:
            form["terms"] = {
                name: {
                    key: value
                    for key, value in self._stages[name].to_dict().items()
                    if key not in ("kind", "name", "states", "messages", "actions", "treatments")
                }
                for name in self.terms
            }
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
            Exact(form["prior"]),
            payoffs_from_dict(form["payoffs"]),
            form["treatments"] or None,
            name=form["name"],
            receiver_prior=exact(form.get("receiver_prior")),
            direction=form.get("direction"),
            action_labels=form.get("action_labels"),
            terms={
                name: FiniteTerms(
                    Exact(terms["prior"]),
                    exact(terms.get("receiver_prior")),
                    terms.get("direction"),
                    payoffs_from_dict(terms["payoffs"]),
                )
                for name, terms in form.get("terms", {}).items()
            },
            feedback=Feedback.from_dict(form.get("feedback")),
        )


def _content(payoffs: Payoffs) -> Any:
    form = payoffs.to_dict()
    return id(payoffs) if form["family"] == "functions" else form


def _increasing(values: Sequence[float], what: str) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or array.size < 1 or not np.isfinite(array).all():
        raise ValueError(f"{what}: found {values!r}, expected a list of numbers")
    if not (np.diff(array) > 0).all():
        raise ValueError(f"{what}: found {list(values)!r}, expected increasing, distinct numbers")
    return array
