"""The level-k model (LK) of the forecast-sharing game.

Everyone is selfish and thinks a bounded number of steps ahead, starting from a truthful sender
and a credulous receiver: a level-k sender answers the level-(k-1) receiver, a level-k receiver
answers the level-k sender. Nothing here depends on estimated parameters.

A selfish sender wants capacity for the largest possible demand, a receiver builds for the
f-quantile only. Each step therefore raises the report by h = 2e (1 - f), up to the cap at a.

Source: Crawford (2003), American Economic Review 93(1), for the model; Özer, Zheng and Chen
(2011), Management Science 57(6), for the game; as specified in the project's theory, section 3.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from trustbayes.errors import check_word
from trustbayes.games.forecast import Terms
from trustbayes.games.forecast_demand import uniform_sum_quantile
from trustbayes.numerics.arrays import Array, namespace

__all__ = ["Unsent", "believed_states", "capacities", "level_shift", "levels_to", "reports"]

Unsent = Literal["monotone", "prior"]

# Reports are equal, and count as the cap a, within this share of a.
_SAME = 1e-9


def level_shift(terms: Terms) -> np.ndarray:
    """How much each level adds to the report of the level below, h = 2e (1 - f).

    Parameters
    ----------
    terms : Terms

    Returns
    -------
    array, shape (trials,)
        Above 0, units of demand.

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> level_shift(ForecastGame().terms(["CLUL", "CLUH", "CHUL", "CHUH"]))
    array([ 10.,  30.,  40., 120.])
    """
    # 1 - f as a ratio of costs: whole numbers stay whole.
    return 2 * terms.uncertainty * terms.capacity_cost / terms.receiver_margin


def reports(forecast: Array, max_level: int, terms: Terms) -> Array:
    """Reports of level-k senders, S_k(ξ) = min(ξ + k h, a), for levels 0 to ``max_level``.

    S_k is the smallest lie among the best replies to the level-(k-1) receiver. From k >= 2a/h
    on she always reports a. From the level after that on every report earns the same, since
    the receiver of the level below reads nothing into any; the formula keeps her at a.

    Parameters
    ----------
    forecast : array, shape (..., trials)
        ξ, in [-a, a], units of demand.
    max_level : int
        K >= 0; levels 0..K are computed.
    terms : Terms

    Returns
    -------
    array, shape (..., levels, trials)
        In [ξ, a], units of demand.

    Raises
    ------
    ValueError
        If ``max_level`` is negative.

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> reports(np.array([-20.0, 100.0]), 2, ForecastGame().terms(["CLUL", "CHUL"]))
    array([[-20., 100.],
           [-10., 140.],
           [  0., 150.]])
    """
    shift = levels_to(max_level) * level_shift(terms)
    xp = namespace(forecast)
    return xp.minimum(xp.expand_dims(forecast, -2) + shift, terms.forecast_range)


def believed_states(
    report: Array, max_level: int, terms: Terms, unsent: Unsent = "monotone"
) -> tuple[Array, Array]:
    """States that a level-k receiver holds possible after a report, for levels 0..``max_level``.

    They are uniform on an interval: the one state x - k h after a report below a; all those
    whose reports are capped after a report of a; the whole range [-a, a] after no news.

    Parameters
    ----------
    report : array, shape (..., trials)
        x, in [-a, a], units of demand.
    max_level : int
        K >= 0; levels 0..K are computed.
    terms : Terms
    unsent : {"monotone", "prior"}
        How he reads a report that the level-k sender never sends, x < -a + k h: as the next
        report that is sent above; or as no news. The next above is the one sent from the lowest
        state, so that he believes -a; but where she always reports a it is a itself, so that he
        learns nothing.

    Returns
    -------
    lowest, width : arrays, shape (..., levels, trials)
        Lower end, in [-a, a], and width of the interval, in [0, 2a], units of demand.

    Raises
    ------
    ValueError
        If ``unsent`` is unknown or ``max_level`` is negative.

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> lowest, width = believed_states(np.array([20.0, 150.0]), 1, ForecastGame().terms(["CHUL"]))
    >>> lowest[1], width[1]
    (array([-20., 110.]), array([ 0., 40.]))
    """
    check_word("unsent", unsent, Unsent)
    a = terms.forecast_range
    shift = levels_to(max_level) * level_shift(terms)
    xp = namespace(report)
    heard = xp.expand_dims(report, -2)
    lowest = xp.maximum(heard - shift, -a)
    no_news = shift >= 2 * a
    if unsent == "prior":
        no_news = no_news | (heard - shift < -a - _SAME * a)
    capped = heard >= a - _SAME * a
    width = xp.where(capped, np.minimum(shift, 2 * a), xp.where(no_news, 2 * a, 0.0))
    return lowest, width


def capacities(report: Array, max_level: int, terms: Terms, unsent: Unsent = "monotone") -> Array:
    """Capacities R_k(x) of level-k receivers, for levels 0 to ``max_level``.

    The f-quantile of demand under `believed_states`: μ + x - k h + g below a, not less than
    μ - a + g; and μ + a - ω/2 + T at a, where ω = min(k h, 2a) and T is the f-quantile of
    U[-ω/2, ω/2] + U[-e, e].

    Parameters
    ----------
    report : array, shape (..., trials)
        x, in [-a, a], units of demand.
    max_level : int
        K >= 0; levels 0..K are computed.
    terms : Terms
    unsent : {"monotone", "prior"}
        How he reads a report that is never sent, see `believed_states`.

    Returns
    -------
    array, shape (..., levels, trials)
        Units of demand.

    Raises
    ------
    ValueError
        If ``unsent`` is unknown or ``max_level`` is negative.

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> capacities(np.array([-140.0, 0.0, 150.0]), 2, ForecastGame().terms(["CHUL"])).round(2)
    array([[ 95.  , 235.  , 385.  ],
           [ 85.  , 195.  , 363.28],
           [ 85.  , 155.  , 335.  ]])
    """
    lowest, width = believed_states(report, max_level, terms, unsent)
    return terms.mean_demand + lowest + uniform_sum_quantile(width, terms)


def levels_to(max_level: int) -> np.ndarray:
    """Levels 0 to ``max_level``, shape (levels, 1)."""
    if max_level < 0:
        raise ValueError(f"max_level: found {max_level}, expected 0 or more")
    return np.arange(max_level + 1)[:, None]
