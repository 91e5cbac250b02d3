"""The hybrid of level-k and trust-embedded play in the forecast-sharing game.

A level-k sender who dislikes lying, and a receiver who trusts in part and whose distrusting part
reads reports as level-k does. The hybrid nests level-k (no aversion, no trust), the truthful
sender (much aversion) and the credulous receiver (full trust).

Source: Crawford (2003), American Economic Review 93(1); Özer, Zheng and Chen (2011), Management
Science 57(6); as specified in the project's theory, section 5.
"""

from __future__ import annotations

import numpy as np

from trustbayes.games.forecast import Terms
from trustbayes.theories._arrays import Array, namespace
from trustbayes.theories.forecast.demand import sender_profit, uniform_sum_quantile
from trustbayes.theories.forecast.level_k import (
    Unsent,
    believed_states,
    capacities,
    level_shift,
)

__all__ = ["hybrid_capacities", "hybrid_reports"]


def hybrid_reports(
    forecast: np.ndarray, lying_aversion: Array, max_level: int, terms: Terms
) -> Array:
    """Best reports of level-k senders who dislike lying, for levels 0 to ``max_level``.

    Level 0 is truthful. Level k maximises (r - w) E min(D, R_{k-1}(x)) - β |x - ξ| over x in
    [ξ, a], where R_{k-1} is the level-(k-1) receiver's capacity with unsent reports "monotone".
    The best of three reports is taken, the smallest lie at ties:

    - on the line on which capacity rises one for one with the report: ξ + k h - 2eβ / (r - w),
      not below ξ and not above a, if β < r - w; else ξ;
    - the truth, since capacity may be flat from the truth up to that line;
    - a, since from level 2 on capacity jumps up there: all capped reports are pooled. The jump
      cannot be left out: at level 3 in the treatment CHUH a sender who took the end of the line
      for her reward would forgo up to 2250 payoff units, and report up to 300 too low.

    From level 2 on the report therefore jumps in β at some forecasts; elsewhere it falls
    continuously, but for levels with k h > 2e, which jump to the truth at β = r - w. It is S_k
    at β = 0 and the truth where β is large; close to a the cap may pay at a β above r - w.
    Where the receiver reads nothing into any report, (k - 1) h >= 2a, she is truthful at every β.

    Parameters
    ----------
    forecast : array, shape (..., trials)
        ξ, in [-a, a], units of demand.
    lying_aversion : array, shape () or (..., trials)
        β >= 0, payoff units per unit of demand.
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
    >>> hybrid_reports(np.array([0.0]), np.array([5.0]), 2, ForecastGame().terms(["CHUL"]))
    array([[ 0.],
           [30.],
           [70.]])
    """
    xp = namespace(lying_aversion)
    a = terms.forecast_range
    level = np.arange(max_level + 1)[:, None]
    answered = np.maximum(level - 1, 0)
    state, aversion = _by_level(forecast), _by_level(lying_aversion)

    def capacity(report: np.ndarray) -> np.ndarray:
        return capacities(report, max_level, terms)[..., answered[:, 0], :]

    def utility(report: Array, capacity: Array) -> Array:
        return sender_profit(capacity, state, terms) - aversion * (report - state)

    shift = level_shift(terms)
    aim = state + level * shift - 2 * terms.uncertainty * aversion / terms.sender_margin
    aim = xp.where(aversion < terms.sender_margin, aim, state)
    on_line = xp.minimum(xp.maximum(aim, state), a)
    believed = xp.maximum(on_line - answered * shift, -a)
    line_utility = utility(on_line, terms.mean_demand + believed + terms.safety)

    truth_utility = utility(state, capacity(forecast))
    on_flat = state - answered * shift < -a
    truthful = on_flat & (truth_utility >= line_utility)
    report = xp.where(truthful, state, on_line)

    # On a tie the smaller lie; payoffs are equal up to rounding.
    best = xp.where(truthful, truth_utility, line_utility)
    size = terms.sender_margin * (abs(terms.mean_demand) + a + terms.uncertainty)
    cap_pays = utility(a, capacity(np.full_like(terms.uncertainty, a))) > best + 1e-12 * size
    return xp.where(level == 0, state, xp.where(cap_pays, a, report))


def hybrid_capacities(
    report: np.ndarray, trust: Array, max_level: int, terms: Terms, unsent: Unsent = "monotone"
) -> Array:
    """Capacities of receivers who trust in part and read the rest as level-k does.

    The belief is α x + (1 - α) θ_k, where θ_k is uniform on the level-k receiver's
    `believed_states`; the capacity is the f-quantile of demand under it. Trust 0 is the level-k
    receiver, trust 1 builds μ + x + g.

    Parameters
    ----------
    report : array, shape (..., trials)
        x, in [-a, a], units of demand.
    trust : array, shape () or (..., trials)
        Trust factor α, in [0, 1].
    max_level : int
        K >= 0; levels 0..K are computed.
    terms : Terms
    unsent : {"monotone", "prior"}
        How the distrusting part reads a report that is never sent, see `believed_states`.

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
    >>> hybrid_capacities(np.array([0.0]), np.array([0.5]), 2, ForecastGame().terms(["CHUL"]))
    array([[235.],
           [215.],
           [195.]])
    """
    lowest, width = believed_states(report, max_level, terms, unsent)
    share = _by_level(trust)
    believed = share * _by_level(report) + (1 - share) * lowest
    return terms.mean_demand + believed + uniform_sum_quantile((1 - share) * width, terms)


def _by_level(values: Array) -> Array:
    """Values of shape () or (..., trials) as (..., 1, trials), to go with an axis of levels."""
    xp = namespace(values)
    return xp.expand_dims(xp.atleast_1d(values), -2)
