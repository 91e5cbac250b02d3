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
from trustbayes.games.forecast_demand import uniform_sum_quantile
from trustbayes.numerics.arrays import Array, namespace
from trustbayes.theories.level_k.forecast import Unsent, believed_states, level_shift, levels_to
from trustbayes.theories.trust_embedded.wavering import wavers

__all__ = ["hybrid_capacities", "hybrid_reports"]


def hybrid_reports(
    forecast: Array,
    lying_aversion: Array,
    max_level: int,
    terms: Terms,
    wavering: bool = False,
) -> Array:
    """Best reports of level-k senders who dislike lying, for levels 0 to ``max_level``.

    Level 0 is truthful. Level k maximises (r - w) E min(D, R_{k-1}(x)) - β (x - ξ) over x in
    [ξ, a], where R_{k-1} is the level-(k-1) receiver's capacity with unsent reports "monotone".
    The smallest lie is taken at ties. What a report earns is, as a function of its lie,

    - flat up to -a + (k - 1) h, if the truth is below;
    - then on a line on which capacity rises one for one with the report, up to ξ + k h, from where
      on all demand is met; the best report there is ξ + k h - 2eβ / (r - w);
    - higher at a, from level 2 on: all capped reports are pooled, and capacity jumps up there.
      The jump cannot be left out: at level 3 in the treatment CHUH a sender who took the end of
      the line for her reward would forgo up to 2250 payoff units, and report up to 300 too low.

    So as β falls the report leaves the truth, perhaps by a jump onto the line, follows the line,
    and from level 2 on may jump to a; or it jumps from the truth to a. Each jump has a β of its
    own, what the longer lie earns per unit of its length, which the state, the level and the market
    determine. The report is S_k at β = 0 and the truth where β is large; close to a the cap may
    pay at a β above r - w. Where the receiver reads nothing into any report, (k - 1) h >= 2a, she
    is truthful at every β.

    Parameters
    ----------
    forecast : array, shape (..., trials)
        ξ, in [-a, a], units of demand.
    lying_aversion : array, shape () or (..., trials)
        β >= 0, payoff units per unit of demand.
    max_level : int
        K >= 0; levels 0..K are computed.
    terms : Terms
    wavering : bool
        Whether her aversion wavers from trial to trial, see
        `trustbayes.theories.trust_embedded.wavering`: the mean report then passes gradually over
        each jump; else the exact optimum.

    Returns
    -------
    array, shape (..., levels, trials)
        In [ξ, a], units of demand. With wavering it jumps nowhere.

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
    state, aversion = _by_level(forecast), _by_level(lying_aversion)
    xp = namespace(state, aversion)
    a, level = terms.forecast_range, levels_to(max_level)
    first, last, leaves, caps = _jumps(forecast, max_level, terms)
    line = state + level * level_shift(terms)
    line = line - 2 * terms.uncertainty * aversion / terms.sender_margin
    on_line = xp.minimum(xp.maximum(line, first), last)
    best = xp.where(aversion < caps, a, xp.where(aversion < leaves, on_line, state))
    if not wavering:
        return best
    best = best + (first - state) * wavers(leaves, aversion) + (a - last) * wavers(caps, aversion)
    return xp.minimum(xp.maximum(best, state), a)


def _jumps(forecast: Array, max_level: int, terms: Terms) -> tuple[Array, Array, Array, Array]:
    """What a sender's best report is made of as her lying aversion falls.

    It is the truth down to the aversion ``leaves``, then jumps to ``first``, follows the line up to
    ``last``, and at the aversion ``caps`` jumps to a. These are the corners of the concave envelope
    of what reports earn. Where it touches the line only at the truth or not at all, first and last
    are the truth.

    With u for how much a report on the line falls short of where all demand is met, ξ + k h, a
    report earns (r - w) u² / 4e less than there, up to u = 2e, and the next unit of the lie earns
    (r - w) u / 2e. The straight piece from the truth touches the line where
    u² - 2 u k h + c = 0, the one to a where u² - 2 u A + g = 0; c and g are 4e / (r - w) times
    what the truth and a earn less, and A = ξ + k h - a.

    Returns
    -------
    first, last : arrays, shape (..., levels, trials)
        In [ξ, a], units of demand.
    leaves, caps : arrays, shape (..., levels, trials)
        Payoff units per unit of demand.
    """
    lowest, width = believed_states(
        np.full_like(terms.uncertainty, terms.forecast_range), max_level, terms
    )
    state = _by_level(forecast)
    xp = namespace(state)
    a, e, h = terms.forecast_range, terms.uncertainty, level_shift(terms)
    level = levels_to(max_level)
    answered = np.maximum(level - 1, 0)
    reach = level * h

    flat = xp.maximum(answered * h - a - state, 0.0)
    rise = reach - flat
    apart = xp.where(rise > 2 * e, (reach - 2 * e) ** 2 + 4 * e * flat, flat * (reach + rise))
    lost_by_truth = xp.where(rise > 2 * e, 4 * e * (rise - e), rise**2)
    truth_touches = reach - xp.sqrt(apart)

    beyond = state + reach - a
    # Without μ, next to which rounding would hide a tie.
    pooled = (lowest + uniform_sum_quantile(width, terms))[answered[:, 0]]
    short = beyond - (pooled - (a - answered * h + terms.safety))
    lost_by_cap = xp.where(short > 2 * e, 4 * e * (short - e), xp.maximum(short, 0.0) ** 2)
    gained = xp.where(beyond > 0, xp.maximum(beyond**2 - lost_by_cap, 0.0), 0.0)
    cap_touches = beyond + xp.sqrt(gained)

    straight = cap_touches >= truth_touches
    first = xp.where(straight, state, state + reach - truth_touches)
    last = xp.where(straight, state, xp.minimum(state + reach - cap_touches, a))
    earns = (lost_by_truth - lost_by_cap) / xp.maximum(a - state, 1e-9 * a)
    earns = xp.where(answered * h >= 2 * a, 0.0, earns / 2)
    caps = xp.where(straight, earns, cap_touches)
    unit = terms.sender_margin / (2 * e)
    return first, last, unit * truth_touches, unit * xp.maximum(caps, 0.0)


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
