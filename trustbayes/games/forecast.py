"""The forecast-sharing game of Özer, Zheng and Chen: continuous states, reports, capacities."""

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

__all__ = [
    "NUMBERS",
    "OZC_TREATMENTS",
    "SAID_BY_PAYOFFS",
    "ForecastGame",
    "Market",
    "Terms",
    "game_faults",
]

NUMBERS = (
    "mean_demand",
    "retail_price",
    "wholesale_price",
    "production_cost",
    "forecast_range",
    "largest_capacity",
)
"""The arguments of a `ForecastGame` that are single numbers."""

SAID_BY_PAYOFFS = "what demand is by chance hides the forecast in a payoff"
"""Why people learn nothing from payoffs here."""


@dataclass(frozen=True)
class Market:
    """What differs between the treatments.

    Parameters
    ----------
    capacity_cost : float
        c_K, what one unit of capacity costs the receiver; above 0, and less than w - c.
    uncertainty : float
        e > 0: demand differs from the forecast by up to this much, in units of demand.
    """

    capacity_cost: float
    uncertainty: float


OZC_TREATMENTS: Mapping[str, Market] = {
    "CLUL": Market(15.0, 25.0),
    "CLUH": Market(15.0, 75.0),
    "CHUL": Market(60.0, 25.0),
    "CHUH": Market(60.0, 75.0),
}
"""Low and high capacity cost by low and high demand uncertainty."""


@dataclass(frozen=True, eq=False)
class Terms:
    """What the theories need to know of a market; arrays broadcast against the trials.

    Parameters
    ----------
    mean_demand : float
        μ, units of demand.
    forecast_range : float
        a: the forecast is uniform on [-a, a], units of demand.
    sender_margin : float
        r - w, payoff units per unit sold.
    receiver_margin : float
        w - c, payoff units per unit sold.
    capacity_cost : array
        c_K, payoff units per unit of capacity.
    uncertainty : array
        e, units of demand.
    fine : float
        What the sender expects to pay for each unit of a lie, payoff units per unit of demand.
    """

    mean_demand: float
    forecast_range: float
    sender_margin: float
    receiver_margin: float
    capacity_cost: np.ndarray
    uncertainty: np.ndarray
    fine: float = 0.0

    @cached_property
    def critical_ratio(self) -> np.ndarray:
        """The quantile of demand that a receiver builds for, f = (w - c - c_K) / (w - c)."""
        return 1 - self.capacity_cost / self.receiver_margin

    @cached_property
    def safety(self) -> np.ndarray:
        """Capacity beyond the believed mean demand, g = e (2f - 1), units of demand."""
        return self.uncertainty * (2 * self.critical_ratio - 1)

    def at(self, rows: Any) -> Terms:
        """The terms of some rows (any NumPy index)."""
        return Terms(
            self.mean_demand,
            self.forecast_range,
            self.sender_margin,
            self.receiver_margin,
            self.capacity_cost[rows],
            self.uncertainty[rows],
            self.fine,
        )


@dataclass(frozen=True, eq=False)
class ForecastGame(ContinuousGame):
    """A manufacturer knows her forecast and reports one; a supplier builds capacity.

    Demand is μ + ξ + ε. The sender (manufacturer) alone knows the forecast ξ ~ U[-a, a] and
    reports x in [-a, a]; the receiver (supplier) builds capacity K; ε ~ U[-e, e]. The sender
    earns (r - w) E min(D, K), the receiver (w - c) E min(D, K) - c_K K.

    Parameters
    ----------
    mean_demand : float
        μ, units of demand.
    retail_price, wholesale_price, production_cost : float
        r > w > c + c_K, payoff units per unit of demand.
    forecast_range : float
        a > 0, units of demand.
    treatments : mapping of str to Market
        Default: Özer, Zheng and Chen's two by two.
    largest_capacity : float
        The most that a receiver may build; choices there are piled up. The least is 0.
    layout : Layout
        How trial files are laid out.
    name : str
        For titles.
    feedback : Feedback, optional
        What people are shown after a trial, and whom they meet.
    fine : float
        What the sender expects to pay for each unit of a lie ``|x - ξ|``, at least 0, payoff units:
        the fine for lies found out, times the probability that one is.

    Raises
    ------
    ValueError
        If a number makes the game senseless, see `game_faults`; names every such number.

    References
    ----------
    Özer, Zheng and Chen (2011), Management Science 57(6).

    Examples
    --------
    >>> game = ForecastGame()
    >>> game.terms(["CLUL", "CHUH"]).critical_ratio
    array([0.8, 0.2])
    """

    mean_demand: float
    retail_price: float
    wholesale_price: float
    production_cost: float
    forecast_range: float
    treatments: Mapping[str, Market]
    largest_capacity: float
    layout: Layout
    name: str
    feedback: Feedback | None
    fine: float

    kind: ClassVar[str] = "forecast-sharing"

    def __init__(
        self,
        mean_demand: float = 250.0,
        retail_price: float = 100.0,
        wholesale_price: float = 75.0,
        production_cost: float = 0.0,
        forecast_range: float = 150.0,
        treatments: Mapping[str, Market] | None = None,
        largest_capacity: float = np.inf,
        layout: Layout | None = None,
        name: str = "forecast sharing",
        feedback: Feedback | None = None,
        fine: float = 0.0,
    ) -> None:
        numbers = {
            "mean_demand": float(mean_demand),
            "retail_price": float(retail_price),
            "wholesale_price": float(wholesale_price),
            "production_cost": float(production_cost),
            "forecast_range": float(forecast_range),
            "largest_capacity": float(largest_capacity),
        }
        markets = dict(OZC_TREATMENTS if treatments is None else treatments)
        faults = [*game_faults(numbers, markets), *feedback_faults(feedback, SAID_BY_PAYOFFS)]
        if not 0 <= fine < np.inf:
            faults.append(_fault("fine", fine, "a number of at least 0"))
        if faults:
            raise ValueError("; ".join(map(str, faults)))
        set_ = object.__setattr__
        for key, value in numbers.items():
            set_(self, key, value)
        set_(self, "treatments", markets)
        set_(self, "layout", Layout() if layout is None else layout)
        set_(self, "name", name)
        set_(self, "feedback", feedback)
        set_(self, "fine", float(fine))
        set_(self, "step", 0.01)

    def terms(self, treatments: Any) -> Terms:
        """The terms of a list of treatments, one entry for each name."""
        markets = [self.treatments[str(name)] for name in treatments]
        return Terms(
            mean_demand=self.mean_demand,
            forecast_range=self.forecast_range,
            sender_margin=self.retail_price - self.wholesale_price,
            receiver_margin=self.wholesale_price - self.production_cost,
            capacity_cost=np.array([market.capacity_cost for market in markets]),
            uncertainty=np.array([market.uncertainty for market in markets]),
            fine=self.fine,
        )

    def seen_range(self, role: Role) -> tuple[float, float]:
        """Between what limits lies what a role sees: the forecast, or the report."""
        return -self.forecast_range, self.forecast_range

    def choice_range(self, role: Role) -> tuple[float, float]:
        """The limits of what a role can choose: a report, or a capacity."""
        if role == "sender":
            return -self.forecast_range, self.forecast_range
        return 0.0, self.largest_capacity

    def face_value(self, role: Role, seen: np.ndarray, treatments: Any) -> np.ndarray:
        """The choice of one who is truthful, or trusts fully: ξ, or μ + x + g.

        Parameters
        ----------
        role : "sender" or "receiver"
        seen : array, shape (trials,)
            The forecast or the report, units of demand.
        treatments : sequence of str
            Of each trial.

        Returns
        -------
        array, shape (trials,)
            Units of demand.
        """
        if role == "sender":
            return seen
        return self.mean_demand + seen + self.terms(treatments).safety

    def directions(self, treatments: Any) -> np.ndarray:
        """Up: every sender wants more capacity than the receiver has reason to build."""
        return np.ones(len(treatments))

    @property
    def scale(self) -> float:
        """Units of demand that one standardised unit of response noise stands for: a."""
        return self.forecast_range

    @property
    def lying_unit(self) -> float:
        """Payoff units that one standardised unit of lying aversion stands for: r - w.

        Capacity rises by at most one unit with a trusted report: so much is the most that a
        unit of a report can earn.
        """
        return self.retail_price - self.wholesale_price

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe description of all that bears on behaviour (not of files)."""
        limit = self.largest_capacity
        return {
            "kind": self.kind,
            "name": self.name,
            "mean_demand": self.mean_demand,
            "retail_price": self.retail_price,
            "wholesale_price": self.wholesale_price,
            "production_cost": self.production_cost,
            "forecast_range": self.forecast_range,
            "largest_capacity": limit if np.isfinite(limit) else None,
            "treatments": {
                name: {"capacity_cost": m.capacity_cost, "uncertainty": m.uncertainty}
                for name, m in self.treatments.items()
            },
            **({} if self.feedback is None else {"feedback": self.feedback.to_dict()}),
            **({"fine": self.fine} if self.fine else {}),
        }

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> ForecastGame:
        """Read back what `to_dict` wrote.

        Examples
        --------
        >>> game = ForecastGame(mean_demand=300)
        >>> ForecastGame.from_dict(game.to_dict()).checksum == game.checksum
        True
        """
        limit = form["largest_capacity"]
        return cls(
            form["mean_demand"],
            form["retail_price"],
            form["wholesale_price"],
            form["production_cost"],
            form["forecast_range"],
            {name: Market(**market) for name, market in form["treatments"].items()},
            np.inf if limit is None else limit,
            name=form["name"],
            feedback=Feedback.from_dict(form.get("feedback")),
            fine=form.get("fine", 0.0),
        )


def game_faults(numbers: Mapping[str, float], treatments: Mapping[str, Market]) -> Iterator[Fault]:
    """Find the numbers with which a forecast-sharing game makes no sense.

    Parameters
    ----------
    numbers : mapping of str to float
        Every one of `NUMBERS`. One that is NaN is a fault itself, and no reason for others.
    treatments : mapping of str to Market

    Yields
    ------
    Fault
        Its place is the key: ``retail_price``, ``treatments.CHUL.capacity_cost``.

    Examples
    --------
    >>> game = ForecastGame()
    >>> numbers = {key: getattr(game, key) for key in NUMBERS} | {"retail_price": 70.0}
    >>> [fault.place for fault in game_faults(numbers, game.treatments)]
    ['retail_price']
    """
    r, w, c = (numbers[key] for key in ("retail_price", "wholesale_price", "production_cost"))
    for key in ("mean_demand", "retail_price", "wholesale_price", "production_cost"):
        if not np.isfinite(numbers[key]):
            yield _fault(key, numbers[key], "a number")
    if not 0 < numbers["forecast_range"] < np.inf:
        yield _fault("forecast_range", numbers["forecast_range"], "a number above 0")
    if not numbers["largest_capacity"] > 0:
        yield _fault("largest_capacity", numbers["largest_capacity"], "a number above 0")
    if r <= w:
        why = f"more than the wholesale price, {w:.12g}: else no sender gains by a sale"
        yield _fault("retail_price", r, why)
    if w <= c:
        why = f"more than the production cost, {c:.12g}: else no receiver gains by a sale"
        yield _fault("wholesale_price", w, why)
    if not treatments:
        yield Fault("treatments", "", "at least one treatment")
    for name, market in treatments.items():
        key, cost = f"treatments.{name}.capacity_cost", market.capacity_cost
        if not 0 < cost < np.inf:
            why = "a number above 0: capacity that costs nothing has no limit"
            yield _fault(key, cost, why)
        elif c < w <= c + cost:
            margin = f"the wholesale price minus the production cost, {w - c:.12g}"
            yield _fault(key, cost, f"less than {margin}: else no receiver builds capacity")
        if not 0 < market.uncertainty < np.inf:
            place = f"treatments.{name}.uncertainty"
            yield _fault(place, market.uncertainty, "a number above 0")


def _fault(key: str, value: float, expected: str) -> Fault:
    return Fault(key, f"{value:.12g}", expected)
