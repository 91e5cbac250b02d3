"""The forecast-sharing game of Özer, Zheng and Chen: continuous states, reports, capacities."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from trustbayes.games.finite import Layout, Role

__all__ = ["OZC_TREATMENTS", "ForecastGame", "Market", "Terms"]


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
    """

    mean_demand: float
    forecast_range: float
    sender_margin: float
    receiver_margin: float
    capacity_cost: np.ndarray
    uncertainty: np.ndarray

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
        )


@dataclass(frozen=True, eq=False)
class ForecastGame:
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

    Raises
    ------
    ValueError
        If prices make the game senseless: names what was found and what was expected.

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
    ) -> None:
        for key, value in {
            "mean_demand": float(mean_demand),
            "retail_price": float(retail_price),
            "wholesale_price": float(wholesale_price),
            "production_cost": float(production_cost),
            "forecast_range": float(forecast_range),
            "treatments": dict(OZC_TREATMENTS if treatments is None else treatments),
            "largest_capacity": float(largest_capacity),
            "layout": Layout() if layout is None else layout,
            "name": name,
        }.items():
            object.__setattr__(self, key, value)
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(f"{key}: {text}" for key, text in faults))

    def _faults(self) -> Iterator[tuple[str, str]]:
        """Where the game makes no sense, and what was expected and why."""
        r, w, c = self.retail_price, self.wholesale_price, self.production_cost
        if not np.isfinite(self.mean_demand):
            yield "mean_demand", f"found {self.mean_demand:g}, expected a number"
        if not self.forecast_range > 0:
            yield "forecast_range", f"found {self.forecast_range:g}, expected a number above 0"
        if not r > w:
            yield (
                "retail_price",
                f"found {r:g}, expected more than the wholesale price {w:g}: else no sender gains "
                "by a sale",
            )
        if not self.treatments:
            yield "treatments", "found none, expected at least one"
        for name, market in self.treatments.items():
            if not market.uncertainty > 0:
                yield (
                    f"treatments.{name}.uncertainty",
                    f"found {market.uncertainty:g}, expected a number above 0",
                )
            if not market.capacity_cost > 0:
                yield (
                    f"treatments.{name}.capacity_cost",
                    f"found {market.capacity_cost:g}, expected a number above 0: free capacity "
                    "has no limit",
                )
            elif not w > c + market.capacity_cost:
                yield (
                    f"treatments.{name}.capacity_cost",
                    f"found {market.capacity_cost:g}, expected less than wholesale price minus "
                    f"production cost, {w - c:g}: else no receiver builds anything",
                )
        if not self.largest_capacity > 0:
            yield "largest_capacity", f"found {self.largest_capacity:g}, expected more than 0"

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
        )

    def seen_range(self, role: Role) -> tuple[float, float]:
        """Between what limits lies what a role sees: the forecast, or the report."""
        return -self.forecast_range, self.forecast_range

    def choice_range(self, role: Role) -> tuple[float, float]:
        """The limits of what a role can choose: a report, or a capacity."""
        if role == "sender":
            return -self.forecast_range, self.forecast_range
        return 0.0, self.largest_capacity

    @property
    def scale(self) -> float:
        """Units of demand that one standardised unit of response noise stands for: a."""
        return self.forecast_range

    @property
    def lying_unit(self) -> float:
        """Payoff units that one standardised unit of lying aversion stands for: r - w.

        From a standardised lying aversion of 1 every sender is truthful, since capacity rises
        by at most one unit with the report.
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
        )

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the description, to tell two games apart."""
        text = json.dumps({k: v for k, v in self.to_dict().items() if k != "name"}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
