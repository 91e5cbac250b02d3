"""Uncertain demand: what is sold, what it earns, and the quantile a receiver builds for."""

from __future__ import annotations

from trustbayes.games.forecast import Terms
from trustbayes.numerics.arrays import Array, namespace

__all__ = ["expected_sales", "receiver_profit", "sender_profit", "uniform_sum_quantile"]


def expected_sales(capacity: Array, forecast: Array, terms: Terms) -> Array:
    """E min(D, K) for demand D = μ + ξ + ε with ε ~ U[-e, e].

    Parameters
    ----------
    capacity : array
        K, units of demand.
    forecast : array
        ξ, units of demand.
    terms : Terms

    Returns
    -------
    array, shape of the broadcast arguments
        Units of demand.

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> float(expected_sales(265.0, 0.0, ForecastGame().terms(["CLUL"]))[0])
    249.0
    """
    xp = namespace(capacity, forecast)
    e = terms.uncertainty
    # Of demand from mean - e to mean + e, sales lose what exceeds capacity.
    spare = capacity - terms.mean_demand - forecast
    lost = (e - xp.clip(spare, -e, e)) ** 2 / (4 * e)
    # As a difference, so that at the seam the two slopes do not add up.
    below = spare - xp.maximum(spare, -e)
    return terms.mean_demand + forecast - lost + below


def sender_profit(capacity: Array, forecast: Array, terms: Terms) -> Array:
    """(r - w) E min(D, K), in payoff units; arguments as for `expected_sales`."""
    return terms.sender_margin * expected_sales(capacity, forecast, terms)


def receiver_profit(capacity: Array, forecast: Array, terms: Terms) -> Array:
    """(w - c) E min(D, K) - c_K K, in payoff units; arguments as for `expected_sales`."""
    earned = terms.receiver_margin * expected_sales(capacity, forecast, terms)
    return earned - terms.capacity_cost * capacity


def uniform_sum_quantile(width: Array, terms: Terms) -> Array:
    """The f-quantile of U[0, width] + U[-e, e]: the capacity for such a belief.

    Parameters
    ----------
    width : array
        Of the believed interval of states, at least 0, units of demand.
    terms : Terms

    Returns
    -------
    array, shape of the broadcast arguments
        Units of demand; once continuously differentiable in the width above 0.

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> uniform_sum_quantile(300.0, ForecastGame().terms(["CLUL", "CLUH"])) - 150
    array([90.        , 90.83592135])
    """
    xp = namespace(width)
    e, f = terms.uncertainty, terms.critical_ratio
    q = xp.minimum(f, 1 - f)
    # The density is a trapezoid: a quantile lies on its flat top or on one of its slopes.
    top_of_narrow = width / 2 + (2 * f - 1) * e
    top_of_wide = f * width
    root = xp.sqrt(4 * e * q * xp.maximum(width, 4 * e * q))
    on_slope = xp.where(f < 0.5, root - e, width + e - root)
    flat = xp.where(width <= 4 * e * q, top_of_narrow, on_slope)
    return xp.where(width * q >= e, top_of_wide, flat)
