"""Taking recommendations: an estimate of one's own, a recommendation, a decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from trustbayes.errors import Fault
from trustbayes.games.base import Game, Role
from trustbayes.games.feedback import Feedback
from trustbayes.games.layout import Layout

__all__ = ["NUMBERS", "Adviser", "RecommendationGame", "recommendation_faults"]

NUMBERS = (
    "lowest",
    "highest",
    "unit",
    "step",
    "advisers",
    "typical_outcome",
    "outcome_spread",
    "estimate_error",
)
"""The arguments of a `RecommendationGame` that are single numbers."""

_MOST_ADVISERS = 9


@dataclass(frozen=True)
class Adviser:
    """What is known of the recommendations of a treatment; only simulations ask.

    Parameters
    ----------
    error : float
        Standard deviation of a recommendation round the outcome, in units of decisions; above 0.
    """

    error: float


@dataclass(frozen=True, eq=False)
class RecommendationGame(Game):
    """A person has an estimate, receives a recommendation, and decides.

    Recommendations may come from people or from machines: nothing is said of who makes them, so
    there are trials of receivers only. Decisions lie on a line; those within half a ``step`` of
    the estimate keep it, those within half a step of the recommendation follow it.

    Parameters
    ----------
    lowest, highest : float
        The ends of the range of decisions, where they pile up; without ends -inf and inf.
    unit : float or None
        What response noise is measured in, in units of decisions: a typical distance between
        estimates and recommendations. Default: a quarter of the range.
    step : float or None
        How finely decisions are recorded, in units of decisions. Default: a hundredth of ``unit``.
    advisers : int
        How many recommendations a person receives at once, 1 to 9.
    treatments : mapping of str to Adviser or None
        What trials may name as their treatment; None: anything, such as the adviser's name.
    typical_outcome, outcome_spread, estimate_error : float or None
        Of simulated experiments: mean and standard deviation of outcomes, and standard deviation of
        estimates round them, in units of decisions. Default: the middle of the range (0 without
        ends), a quarter of it (or ``unit``), and ``unit``.
    layout : Layout
        How trial files are laid out.
    name : str
        For titles.

    Raises
    ------
    ValueError
        If a number makes the game senseless, see `recommendation_faults`; names every such number.

    References
    ----------
    Yaniv and Kleinberger (2000), Organizational Behavior and Human Decision Processes 83(2), for
    the weight of advice.

    Examples
    --------
    >>> game = RecommendationGame(lowest=0, highest=200)
    >>> game.scale, game.step
    (50.0, 0.5)
    """

    lowest: float
    highest: float
    unit: float
    step: float
    advisers: int
    treatments: Mapping[str, Adviser] | None
    typical_outcome: float
    outcome_spread: float
    estimate_error: float
    layout: Layout
    name: str
    feedback: Feedback | None = None  # no theory of recommendations learns from any

    kind: ClassVar[str] = "recommendation"
    roles: ClassVar[tuple[Role, ...]] = ("receiver",)
    needed: ClassVar[Mapping[Role, tuple[str, ...]]] = {
        "receiver": ("receiver", "estimate", "message", "action")
    }
    trial_columns: ClassVar[tuple[str, ...]] = (
        "receiver",
        "round",
        "treatment",
        "adviser",
        "estimate",
        "estimate_width",
        "message",
        *(f"message_{number}" for number in range(2, _MOST_ADVISERS + 1)),
        "message_width",
        "action",
        "outcome",
        "group",
    )

    def __init__(
        self,
        lowest: float = -np.inf,
        highest: float = np.inf,
        unit: float | None = None,
        step: float | None = None,
        advisers: int = 1,
        treatments: Mapping[str, Adviser] | None = None,
        typical_outcome: float | None = None,
        outcome_spread: float | None = None,
        estimate_error: float | None = None,
        layout: Layout | None = None,
        name: str = "recommendations",
    ) -> None:
        given = {
            "lowest": lowest,
            "highest": highest,
            "unit": unit,
            "step": step,
            "advisers": advisers,
            "typical_outcome": typical_outcome,
            "outcome_spread": outcome_spread,
            "estimate_error": estimate_error,
        }
        listed = None if treatments is None else dict(treatments)
        if faults := list(recommendation_faults(given, listed)):
            raise ValueError("; ".join(map(str, faults)))
        ended = bool(np.isfinite(highest - lowest))
        width = float(highest - lowest) / 4 if ended else None
        numbers: dict[str, Any] = {
            "lowest": float(lowest),
            "highest": float(highest),
            "unit": float(unit if unit is not None else width),  # type: ignore[arg-type]
            "advisers": int(advisers),
        }
        numbers["step"] = numbers["unit"] / 100 if step is None else float(step)
        middle = (lowest + highest) / 2 if ended else 0.0
        spread = numbers["unit"] if width is None else width
        for key, value, default in (
            ("typical_outcome", typical_outcome, middle),
            ("outcome_spread", outcome_spread, spread),
            ("estimate_error", estimate_error, numbers["unit"]),
        ):
            numbers[key] = float(default if value is None else value)
        set_ = object.__setattr__
        for key, value in numbers.items():
            set_(self, key, value)
        set_(self, "treatments", listed)
        set_(self, "layout", Layout() if layout is None else layout)
        set_(self, "name", name)

    @property
    def messages(self) -> tuple[str, ...]:
        """The standard columns of the recommendations, one for each adviser at once."""
        return ("message", *(f"message_{number}" for number in range(2, self.advisers + 1)))

    def options(self, role: Role) -> np.ndarray:
        """The numbers of the advisers at once: what a parameter has a value each for."""
        return np.arange(1.0, self.advisers + 1)

    @property
    def scale(self) -> float:
        """Units of decisions that one standardised unit of response noise stands for."""
        return self.unit

    @property
    def lying_unit(self) -> float:
        """Nobody lies here; as `scale`."""
        return self.unit

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe description of all that bears on behaviour (not of files)."""
        numbers = {key: getattr(self, key) for key in NUMBERS}
        return {
            "kind": self.kind,
            "name": self.name,
            **{key: value if np.isfinite(value) else None for key, value in numbers.items()},
            "treatments": None
            if self.treatments is None
            else {
                name: {"adviser_error": adviser.error} for name, adviser in self.treatments.items()
            },
        }

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> RecommendationGame:
        """Read back what `to_dict` wrote.

        Examples
        --------
        >>> game = RecommendationGame(lowest=0, unit=20, treatments={"bot": Adviser(10.0)})
        >>> RecommendationGame.from_dict(game.to_dict()).checksum == game.checksum
        True
        """
        numbers: dict[str, Any] = {key: form[key] for key in NUMBERS}
        numbers["lowest"] = -np.inf if form["lowest"] is None else form["lowest"]
        numbers["highest"] = np.inf if form["highest"] is None else form["highest"]
        listed = form["treatments"]
        treatments = listed and {n: Adviser(each["adviser_error"]) for n, each in listed.items()}
        return cls(**numbers, treatments=treatments, name=form["name"])


def recommendation_faults(
    numbers: Mapping[str, float | None], treatments: Mapping[str, Adviser] | None
) -> Iterator[Fault]:
    """Find the numbers with which a game of recommendations makes no sense.

    Parameters
    ----------
    numbers : mapping of str to float or None
        Every one of `NUMBERS`; None where the default is meant.
    treatments : mapping of str to Adviser, or None

    Yields
    ------
    Fault
        Its place is the key: ``highest``, ``treatments.bot.adviser_error``.

    Examples
    --------
    >>> numbers = dict.fromkeys(NUMBERS) | {"lowest": 3.0, "highest": 2.0, "advisers": 1}
    >>> [fault.place for fault in recommendation_faults(numbers, None)]
    ['highest']
    """
    low, high = numbers["lowest"], numbers["highest"]
    assert low is not None
    assert high is not None
    ends = {"lowest": (low, -np.inf), "highest": (high, np.inf)}
    for key, (value, open_end) in ends.items():
        if not (np.isfinite(value) or value == open_end):
            yield _fault(key, value, "a number")
    if high <= low:
        yield _fault("highest", high, f"a number above lowest, {low:.12g}")
    elif numbers["unit"] is None and not np.isfinite(high - low):
        expected = (
            "a number above 0, a typical distance between estimates and recommendations: without "
            "both lowest and highest nothing else says how large noise may be"
        )
        yield Fault("unit", "", expected)
    for key in ("unit", "step", "outcome_spread", "estimate_error"):
        size = numbers[key]
        if size is not None and not 0 < size < np.inf:
            yield _fault(key, size, "a number above 0")
    outcome = numbers["typical_outcome"]
    if outcome is not None and not low <= outcome <= high:
        yield _fault("typical_outcome", outcome, "a number between lowest and highest")
    count = numbers["advisers"]
    if count is None or count not in range(1, _MOST_ADVISERS + 1):
        yield Fault("advisers", f"{count}", f"a whole number from 1 to {_MOST_ADVISERS}")
    if treatments is not None and not treatments:
        yield Fault("treatments", "", "at least one treatment, or no table of them")
    for name, adviser in (treatments or {}).items():
        if not 0 < adviser.error < np.inf:
            yield _fault(f"treatments.{name}.adviser_error", adviser.error, "a number above 0")


def _fault(key: str, value: float, expected: str) -> Fault:
    return Fault(key, f"{value:.12g}", expected)
