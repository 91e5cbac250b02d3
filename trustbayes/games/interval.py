"""The game on an interval: states, messages and actions are numbers, payoffs fall with distance.

With quadratic loss it is the uniform-quadratic game of Crawford and Sobel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from trustbayes.errors import Fault
from trustbayes.games.base import Role
from trustbayes.games.continuous import ContinuousGame, feedback_faults
from trustbayes.games.feedback import Feedback
from trustbayes.games.layout import Layout
from trustbayes.games.payoffs import PowerLoss

__all__ = [
    "NUMBERS",
    "PAYOFFS",
    "SAID_BY_PAYOFFS",
    "IntervalGame",
    "IntervalTerms",
    "interval_faults",
    "power_loss",
]

NUMBERS = ("lowest", "highest", "step", "round_to")
"""The arguments of an `IntervalGame` that are single numbers."""

PAYOFFS = ("constant", "scale", "exponent")
"""The numbers of its payoffs, see `power_loss` for their defaults."""

SAID_BY_PAYOFFS = "a payoff says how far action and state are apart, and not which is higher"
"""Why people learn nothing from payoffs here."""

_STEPS = 10_000  # of the interval, where choices are as good as continuous
_SLACK = 1e-6  # of a step


@dataclass(frozen=True, eq=False)
class IntervalTerms:
    """What the theories need to know of treatments; arrays broadcast against the trials.

    Parameters
    ----------
    lowest, highest : float
        The ends of the interval.
    scale : float
        d, payoff lost at distance one.
    exponent : float
        p >= 1.
    bias : array
        b, how much higher than the state the sender wants the action.
    fine : float
        What the sender expects to pay for each unit of a lie, payoff units.
    """

    lowest: float
    highest: float
    scale: float
    exponent: float
    bias: np.ndarray
    fine: float = 0.0

    @property
    def width(self) -> float:
        """Of the interval."""
        return self.highest - self.lowest

    @property
    def half(self) -> float:
        """Half the width of the interval."""
        return self.width / 2

    @property
    def middle(self) -> float:
        """The middle of the interval: the mean state."""
        return (self.lowest + self.highest) / 2

    @cached_property
    def direction(self) -> np.ndarray:
        """Whether senders gain by higher (1) or lower (-1) actions than the state, or neither."""
        return np.sign(self.bias)

    def at(self, rows: Any) -> IntervalTerms:
        """The terms of some rows (any NumPy index)."""
        numbers = (self.lowest, self.highest, self.scale, self.exponent)
        return IntervalTerms(*numbers, self.bias[rows], self.fine)


@dataclass(frozen=True, eq=False)
class IntervalGame(ContinuousGame):
    """A sender knows a state on an interval and names one; a receiver takes an action there.

    States θ are uniform on [lowest, highest]; messages m and actions a lie there, too. The receiver
    earns c - d|a - θ|^p, the sender c - d|a - (θ + b)|^p: with p = 2 the uniform-quadratic game of
    Crawford and Sobel.

    Parameters
    ----------
    lowest, highest : float
        The ends of the interval, where choices pile up.
    treatments : mapping of str to float
        Name to bias b, of either sign, in units of the state.
    payoffs : PowerLoss, optional
        Default: quadratic, from 100 at the ideal action to 0 an interval's width from it.
    step : float, optional
        How finely answers are recorded, such as by a slider: a whole number of steps makes the
        interval, and what is meant is recorded as the nearest step, that of an end included.
        Nobody's noise counts as less than an eighth of a step. Default: a ten-thousandth of the
        interval.
    layout : Layout
        How trial files are laid out.
    name : str
        For titles.
    feedback : Feedback, optional
        What people are shown after a trial, and whom they meet.
    fine : float
        What the sender expects to pay for each unit of a lie ``|m - θ|``, at least 0, payoff units:
        the fine for lies found out, times the probability that one is.
    round_to : float, optional
        The round number to whose multiples, counted from zero, people may round what they mean:
        a whole number of steps, at least two, and both ends are multiples of it. Needed by the
        convention "heaping" of models.

    Raises
    ------
    ValueError
        If a number makes the game senseless, see `interval_faults`; names every such number.

    References
    ----------
    Crawford and Sobel (1982), Econometrica 50(6).

    Examples
    --------
    >>> game = IntervalGame(0, 100, {"Small": 5, "Large": 20})
    >>> game.terms(["Large", "Small"]).bias
    array([20.,  5.])
    """

    lowest: float
    highest: float
    treatments: Mapping[str, float]
    payoffs: PowerLoss
    step: float
    layout: Layout
    name: str
    feedback: Feedback | None
    fine: float
    round_to: float | None

    kind: ClassVar[str] = "interval"

    def __init__(
        self,
        lowest: float,
        highest: float,
        treatments: Mapping[str, float],
        payoffs: PowerLoss | None = None,
        step: float | None = None,
        layout: Layout | None = None,
        name: str = "game on an interval",
        feedback: Feedback | None = None,
        fine: float = 0.0,
        round_to: float | None = None,
    ) -> None:
        biases = {str(key): float(bias) for key, bias in treatments.items()}
        given = (float(lowest), float(highest), step, round_to)
        numbers = dict(zip(NUMBERS, given, strict=True))
        faults = list(interval_faults(numbers, biases))
        faults += feedback_faults(feedback, SAID_BY_PAYOFFS)
        if not 0 <= fine < np.inf:
            faults.append(_fault("fine", fine, "a number of at least 0"))
        if faults:
            raise ValueError("; ".join(map(str, faults)))
        width = float(highest) - float(lowest)
        set_ = object.__setattr__
        set_(self, "lowest", float(lowest))
        set_(self, "highest", float(highest))
        set_(self, "treatments", biases)
        set_(self, "payoffs", power_loss({}, width) if payoffs is None else payoffs)
        set_(self, "step", width / _STEPS if step is None else float(step))
        set_(self, "layout", Layout() if layout is None else layout)
        set_(self, "name", name)
        set_(self, "feedback", feedback)
        set_(self, "fine", float(fine))
        set_(self, "round_to", None if round_to is None else float(round_to))

    def terms(self, treatments: Any) -> IntervalTerms:
        """The terms of a list of treatments, one entry for each name."""
        return IntervalTerms(
            self.lowest,
            self.highest,
            self.payoffs.scale,
            self.payoffs.exponent,
            np.array([self.treatments[str(name)] for name in treatments], dtype=float),
            self.fine,
        )

    def seen_range(self, role: Role) -> tuple[float, float]:
        """The interval."""
        return self.lowest, self.highest

    def choice_range(self, role: Role) -> tuple[float, float]:
        """The interval."""
        return self.lowest, self.highest

    def face_value(self, role: Role, seen: np.ndarray, treatments: Any) -> np.ndarray:
        """What was seen: the truth, or the action that is best if the message is true."""
        return seen

    def directions(self, treatments: Any) -> np.ndarray:
        """The signs of the biases."""
        return self.terms(treatments).direction

    @property
    def coarse_step(self) -> float:
        """The step: noise may be smaller, as of people who always tell the truth."""
        return self.step

    @property
    def scale(self) -> float:
        """Units of the state that one standardised unit of response noise stands for: half."""
        return (self.highest - self.lowest) / 2

    @property
    def lying_unit(self) -> float:
        """Payoff units that one standardised unit of lying aversion stands for.

        What the next unit of the action loses a quarter of the interval off its ideal: of the
        quadratic game, a sender of aversion 1 whose lies cost their square exaggerates to receivers
        who believe her by half the bias, whatever it is.
        """
        exponent = self.payoffs.exponent
        return float(exponent * self.payoffs.scale * (self.scale / 2) ** (exponent - 1))

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe description of all that bears on behaviour (not of files)."""
        return {
            "kind": self.kind,
            "name": self.name,
            "lowest": self.lowest,
            "highest": self.highest,
            "step": self.step,
            "treatments": dict(self.treatments),
            "payoffs": {key: getattr(self.payoffs, key) for key in PAYOFFS},
            **({} if self.feedback is None else {"feedback": self.feedback.to_dict()}),
            **({"fine": self.fine} if self.fine else {}),
            **({} if self.round_to is None else {"round_to": self.round_to}),
        }

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> IntervalGame:
        """Read back what `to_dict` wrote.

        Examples
        --------
        >>> game = IntervalGame(0, 1, {"b": -0.1}, PowerLoss(1, 2, 1.5))
        >>> IntervalGame.from_dict(game.to_dict()).checksum == game.checksum
        True
        """
        return cls(
            form["lowest"],
            form["highest"],
            form["treatments"],
            PowerLoss(**form["payoffs"]),
            form["step"],
            name=form["name"],
            feedback=Feedback.from_dict(form.get("feedback")),
            fine=form.get("fine", 0.0),
            round_to=form.get("round_to"),
        )


def power_loss(stated: Mapping[str, float], width: float) -> PowerLoss:
    """The payoffs of a game of which some numbers are stated.

    Parameters
    ----------
    stated : mapping of str to float
        Any of `PAYOFFS`.
    width : float
        Of the interval, units of the state.

    Returns
    -------
    PowerLoss
        Without a scale, payoffs fall from the constant to 0, or by 100 if there is none, over the
        width of the interval.

    Examples
    --------
    >>> power_loss({}, 100.0)
    PowerLoss(constant=100.0, scale=0.01, exponent=2.0)
    """
    constant = float(stated.get("constant", 100.0))
    exponent = float(stated.get("exponent", 2.0))
    lost = constant if constant > 0 else 100.0
    return PowerLoss(constant, float(stated.get("scale", lost / width**exponent)), exponent)


def interval_faults(
    numbers: Mapping[str, float | None], treatments: Mapping[str, float]
) -> Iterator[Fault]:
    """Find the numbers with which a game on an interval makes no sense.

    Parameters
    ----------
    numbers : mapping of str to float or None
        Every one of `NUMBERS`; the step None where the default is meant, the round number None
        where there is none.
    treatments : mapping of str to float
        Biases.

    Yields
    ------
    Fault
        Its place is the key: ``highest``, ``treatments.Small``.

    Examples
    --------
    >>> numbers = {"lowest": 0.0, "highest": 0.0, "step": 1.0, "round_to": None}
    >>> [fault.place for fault in interval_faults(numbers, {"a": 1.0})]
    ['highest']
    """
    low, high, step, round_to = (numbers[key] for key in NUMBERS)
    assert low is not None
    assert high is not None
    for key, value in (("lowest", low), ("highest", high)):
        if not np.isfinite(value):
            yield _fault(key, value, "a number")
    if high <= low:
        yield _fault("highest", high, f"a number above lowest, {low:.12g}")
    if step is not None:
        if not 0 < step < np.inf:
            yield _fault("step", step, "a number above 0")
        elif np.isfinite(high - low) and high > low and not _is_multiple(high - low, step):
            expected = f"a step of which a whole number makes the interval, {high - low:.12g}"
            yield _fault("step", step, expected)
    if round_to is not None:
        yield from _round_number_faults(low, high, step, round_to)
    if not treatments:
        yield Fault("treatments", "", "at least one treatment: name = bias")
    for name, bias in treatments.items():
        if not np.isfinite(bias):
            yield _fault(f"treatments.{name}", bias, "a bias: a number, of either sign")


def _round_number_faults(
    low: float, high: float, step: float | None, round_to: float
) -> Iterator[Fault]:
    """What is wrong with a round number; what is wrong with the other numbers is said elsewhere."""
    if not 0 < round_to < np.inf:
        yield _fault("round_to", round_to, "a number above 0")
        return
    if not np.isfinite(high - low) or high <= low:
        return
    step = (high - low) / _STEPS if step is None else step
    if 0 < step < np.inf and not _is_multiple(round_to, step, least=2):
        expected = f"a whole number of steps of {step:.12g}, at least two"
        yield _fault("round_to", round_to, expected)
    if not all(end == 0 or _is_multiple(abs(end), round_to) for end in (low, high)):
        ends = f"lowest, {low:.12g}, and highest, {high:.12g}"
        yield _fault("round_to", round_to, f"a number of which {ends}, are whole multiples")


def _is_multiple(number: float, part: float, least: int = 1) -> bool:
    """Whether a positive number is a whole multiple of a part, but for the last digits."""
    parts = number / part
    return parts >= least - _SLACK and abs(parts - round(parts)) <= _SLACK * max(1.0, parts)


def _fault(key: str, value: float, expected: str) -> Fault:
    return Fault(key, f"{value:.12g}", expected)
