"""What the forecast-sharing game earns: one interaction, and the two points to hold it against.

Source: Özer, Zheng and Chen (2011), Management Science 57(6); as specified in the project's
theory, section 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustbayes.games.forecast import Terms
from trustbayes.games.forecast_demand import receiver_profit, sender_profit
from trustbayes.numerics.arrays import Array
from trustbayes.theories.benchmarks.forecast import babbling_capacity, credulous_capacity

__all__ = [
    "Profits",
    "babbling_profits",
    "expected_profits",
    "full_trust_profits",
    "share_of_trust",
]


@dataclass(frozen=True, eq=False)
class Profits:
    """Expected profits of the two roles.

    Parameters
    ----------
    sender, receiver : array
        Payoff units.
    """

    sender: Array
    receiver: Array

    @property
    def both(self) -> Array:
        """What the two earn together, payoff units."""
        return self.sender + self.receiver


def expected_profits(capacity: Array, forecast: Array, terms: Terms) -> Profits:
    """What a capacity earns at a forecast, in expectation over the demand to come.

    Parameters
    ----------
    capacity : array
        K, units of demand.
    forecast : array
        ξ, units of demand.
    terms : Terms

    Returns
    -------
    Profits
        Of the shape of the broadcast arguments.

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> expected_profits(265.0, 0.0, ForecastGame().terms(["CLUL"])).both
    array([20925.])
    """
    return Profits(
        sender_profit(capacity, forecast, terms), receiver_profit(capacity, forecast, terms)
    )


def full_trust_profits(terms: Terms) -> Profits:
    """Expected profits before the forecast is known, where reports are true and believed.

    Parameters
    ----------
    terms : Terms

    Returns
    -------
    Profits
        Of shape (trials,).

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> full_trust_profits(ForecastGame().terms(["CLUL", "CHUH"])).sender
    array([6225., 5050.])
    """
    # Capacity follows the forecast, so that sales are linear in it: the mean forecast will do.
    return expected_profits(credulous_capacity(0.0, terms), 0.0, terms)


def babbling_profits(terms: Terms) -> Profits:
    """Expected profits before the forecast is known, where reports say nothing.

    Parameters
    ----------
    terms : Terms

    Returns
    -------
    Profits
        Of shape (trials,).

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> babbling_profits(ForecastGame().terms(["CLUL", "CHUH"])).sender.round(1)
    array([6091.3, 3755.5])
    """
    capacity = babbling_capacity(terms)
    a, e = terms.forecast_range, terms.uncertainty
    # Demand is μ + U[-a, a] + U[-e, e]; what it exceeds capacity by is a sum of cubes.
    corners = [(i * j, i * a + j * e) for i in (-1, 1) for j in (-1, 1)]
    lost = sum(
        sign * np.maximum(terms.mean_demand + corner - capacity, 0.0) ** 3
        for sign, corner in corners
    ) / (24 * a * e)
    sales = terms.mean_demand - lost
    return Profits(
        terms.sender_margin * sales,
        terms.receiver_margin * sales - terms.capacity_cost * capacity,
    )


def share_of_trust(profit: Array, babbling: Array, full_trust: Array) -> Array:
    """How far from babbling to full trust a profit lies.

    Parameters
    ----------
    profit : array
        Payoff units.
    babbling, full_trust : array
        The reference points, of the same role or of both; full trust earns more.

    Returns
    -------
    array, shape of the broadcast arguments
        0 at babbling, 1 at full trust; may lie outside.

    Examples
    --------
    >>> share_of_trust(np.array([6000.0, 6150.0]), np.array(6100.0), np.array(6200.0))
    array([-1. ,  0.5])
    """
    return (profit - babbling) / (full_trust - babbling)
