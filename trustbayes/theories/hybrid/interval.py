"""The hybrid of level-k and trust-embedded play in the game on an interval.

A level-k sender who dislikes lying, and a receiver who trusts in part and whose distrusting part
reads messages as level-k does. The hybrid nests level-k (no aversion, no trust), the truthful
sender (much aversion) and the credulous receiver (full trust).

Source: Crawford (2003), American Economic Review 93(1); Özer, Zheng and Chen (2011), Management
Science 57(6); as specified in the project's theory, section 5.
"""

from __future__ import annotations

import numpy as np

from trustbayes.games.interval import IntervalTerms
from trustbayes.numerics.arrays import TINY, Array, namespace
from trustbayes.theories.level_k.forecast import Unsent, levels_to
from trustbayes.theories.level_k.interval import actions, from_far_end
from trustbayes.theories.trust_embedded.interval import shortfall
from trustbayes.theories.trust_embedded.wavering import worth_lying

__all__ = ["hybrid_actions", "hybrid_messages"]


def hybrid_messages(
    state: Array,
    lying_aversion: Array,
    max_level: int,
    terms: IntervalTerms,
    wavering: bool = False,
) -> Array:
    """Best messages of level-k senders who dislike lying, for levels 0 to ``max_level``.

    Level 0 is truthful. Level k maximises -d |R_{k-1}(m) - θ - b|^p - β |m - θ|, where R_{k-1} is
    the level-(k-1) receiver's action with unsent messages "monotone". The smallest lie is taken at
    ties. With a positive bias (a negative one mirrors it) the best of three messages is hers:

    - the truth;
    - one on the line on which actions rise one for one with messages, from (k - 1) b above the
      lowest state on: as far below θ + k b as makes the next unit of the lie not worth its cost
      (see `trustbayes.theories.trust_embedded.interval.shortfall`);
    - from level 2 on the highest, where those who pile up are pooled, and the action jumps up.

    Where the receiver reads nothing into any message, (k - 1) |b| at least the interval's width,
    she is truthful at every β; else she is the level-k sender at β = 0. As for that one, the end
    stands for messages as near to it as can be, too.

    Parameters
    ----------
    state : array, shape (..., trials)
        θ, on the interval, units of the state.
    lying_aversion : array, shape () or (..., trials)
        β >= 0, payoff units per unit of the state.
    max_level : int
        K >= 0; levels 0..K are computed.
    terms : IntervalTerms
    wavering : bool
        Whether her aversion wavers from trial to trial, see
        `trustbayes.theories.trust_embedded.wavering`: the mean message then passes gradually over
        each jump, the message from which it jumps being held; else the exact optimum.

    Returns
    -------
    array, shape (..., levels, trials)
        On the interval, units of the state. With wavering it jumps nowhere.

    Raises
    ------
    ValueError
        If ``max_level`` is negative.

    Examples
    --------
    >>> from trustbayes.games import IntervalGame
    >>> terms = IntervalGame(0, 100, {"b": 20}).terms(["b"])
    >>> hybrid_messages(np.array([20.0]), np.array([0.2]), 2, terms)
    array([[20.],
           [30.],
           [50.]])
    """
    place, cost = _by_level(from_far_end(state, terms)), _by_level(lying_aversion)
    xp = namespace(place, cost)
    level = levels_to(max_level)
    width, step = terms.width, abs(terms.bias)
    answered = np.maximum(level - 1, 0) * step  # how far the receiver discounts messages
    start = xp.maximum(place, answered)
    full = xp.minimum(place + level * step, width)  # where the action is as she wishes
    at_truth = place + step - xp.maximum(place - answered, 0.0)

    def jumps(low: Array, high: Array, before: Array, after: Array) -> Array:
        """Whether the longer lie is worth its cost: 1 or 0, or by wavering between them."""
        p = terms.exponent
        earned = terms.scale * (before**p - abs(after) ** p)
        gain = xp.maximum(earned, 0.0) / xp.maximum(high - low, TINY * width)
        return worth_lying(gain, cost) if wavering else xp.where(gain > cost, 1.0, 0.0)

    if terms.exponent == 1 and wavering:
        line = start + (full - start) * worth_lying(terms.scale, cost)
    else:
        left = shortfall(cost, np.ones_like(terms.bias), terms)
        line = xp.minimum(xp.maximum(place + level * step - left, start), full)
    line = xp.maximum(line, start)
    short = place + level * step - line
    pooled = place + step - (width - answered / 2)
    has_pool = np.where((answered > 0) & (answered < width), 1.0, 0.0)
    leaves = xp.where(place < answered, jumps(place, line, at_truth, short), 1.0)
    from_truth = has_pool * jumps(place, width, at_truth, pooled)
    from_line = has_pool * jumps(line, width, short, pooled)
    message = (1 - leaves) * (place + from_truth * (width - place))
    message = message + leaves * (line + from_line * (width - line))
    deaf = (level == 0) | (answered >= width)
    message = xp.where(deaf, place, xp.maximum(message, place))
    message = xp.where(terms.bias < 0, terms.highest - message, terms.lowest + message)
    return xp.clip(message, terms.lowest, terms.highest)


def hybrid_actions(
    message: Array,
    trust: Array,
    max_level: int,
    terms: IntervalTerms,
    unsent: Unsent = "monotone",
) -> Array:
    """Actions of receivers who trust in part and read the rest as level-k does.

    The belief is α m + (1 - α) θ_k, where θ_k is what a level-k receiver believes: the action is
    its middle, α m + (1 - α) R_k(m). Trust 0 is the level-k receiver, trust 1 acts as the message
    says.

    Parameters
    ----------
    message : array, shape (..., trials)
        m, on the interval, units of the state.
    trust : array, shape () or (..., trials)
        Trust factor α, in [0, 1].
    max_level : int
        K >= 0; levels 0..K are computed.
    terms : IntervalTerms
    unsent : {"monotone", "prior"}
        How the distrusting part reads a message that is never sent, see
        `trustbayes.theories.level_k.interval.actions`.

    Returns
    -------
    array, shape (..., levels, trials)
        On the interval, units of the state.

    Raises
    ------
    ValueError
        If ``unsent`` is unknown or ``max_level`` is negative.

    Examples
    --------
    >>> from trustbayes.games import IntervalGame
    >>> terms = IntervalGame(0, 100, {"b": 20}).terms(["b"])
    >>> hybrid_actions(np.array([50.0]), np.array([0.5]), 2, terms)
    array([[50.],
           [40.],
           [30.]])
    """
    share = _by_level(trust)
    doubted = actions(message, max_level, terms, unsent)
    return share * _by_level(message) + (1 - share) * doubted


def _by_level(values: Array) -> Array:
    """Values of shape () or (..., trials) as (..., 1, trials), to go with an axis of levels."""
    xp = namespace(values)
    return xp.expand_dims(xp.atleast_1d(values), -2)
