"""The level-k model (LK) of the game on an interval.

Everyone is selfish and thinks a bounded number of steps ahead, starting from a truthful sender
and a credulous receiver: a level-k sender answers the level-(k-1) receiver, a level-k receiver
answers the level-k sender. Nothing here depends on estimated parameters.

Each step moves the message by the bias b, up to the end of the interval, at which senders pile up.
Losses being symmetric, nothing depends on their exponent either.

Source: Crawford (2003), American Economic Review 93(1), for the model; Crawford and Sobel (1982),
Econometrica 50(6), for the game; as specified in the project's theory, section 3.
"""

from __future__ import annotations

import numpy as np

from trustbayes.errors import check_word
from trustbayes.games.interval import IntervalTerms
from trustbayes.numerics.arrays import Array, namespace
from trustbayes.theories.level_k.forecast import Unsent, levels_to

__all__ = ["actions", "from_far_end", "messages"]

# Messages are equal, and count as an end, within this share of the interval.
_SAME = 1e-9


def messages(state: Array, max_level: int, terms: IntervalTerms) -> Array:
    """Messages S_k(θ) of level-k senders, for levels 0 to ``max_level``: θ + k b, up to the end.

    Next to the end there is no best reply: from level 2 on a receiver reads the end as the pool of
    all who pile up there, and a message as near to the end as can be as the lowest of them. A
    sender who is not much above that one wants the latter: the end stands for it, too.

    Parameters
    ----------
    state : array, shape (..., trials)
        θ, on the interval, units of the state.
    max_level : int
        K >= 0; levels 0..K are computed.
    terms : IntervalTerms

    Returns
    -------
    array, shape (..., levels, trials)
        On the interval, units of the state.

    Raises
    ------
    ValueError
        If ``max_level`` is negative.

    Examples
    --------
    >>> from trustbayes.games import IntervalGame
    >>> terms = IntervalGame(0, 100, {"Up": 20, "Down": -20}).terms(["Up", "Down"])
    >>> messages(np.array([50.0, 30.0]), 2, terms)
    array([[50., 30.],
           [70., 10.],
           [90.,  0.]])
    """
    xp = namespace(state)
    shifted = xp.expand_dims(state, -2) + levels_to(max_level) * terms.bias
    return xp.clip(shifted, terms.lowest, terms.highest)


def actions(
    message: Array, max_level: int, terms: IntervalTerms, unsent: Unsent = "monotone"
) -> Array:
    """Actions R_k(m) of level-k receivers, for levels 0 to ``max_level``.

    The middle of the states that a level-k sender sends the message from: m - k b; at the end
    where senders pile up the middle of all who do, those within k |b| of it.

    Parameters
    ----------
    message : array, shape (..., trials)
        m, on the interval, units of the state.
    max_level : int
        K >= 0; levels 0..K are computed.
    terms : IntervalTerms
    unsent : {"monotone", "prior"}
        How he reads a message that the level-k sender never sends: as the next one in the
        direction of the bias that is sent, from the state at the other end; or as no news. Where
        everybody sends the end, he learns nothing from any message.

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
    >>> actions(np.array([10.0, 50.0, 100.0]), 2, terms)
    array([[ 10.,  50., 100.],
           [  0.,  30.,  90.],
           [  0.,  10.,  80.]])
    """
    check_word("unsent", unsent, Unsent)
    xp = namespace(message)
    width, reach = terms.width, levels_to(max_level) * abs(terms.bias)
    heard = xp.expand_dims(from_far_end(message, terms), -2)
    read = xp.maximum(heard - reach, 0.0)
    no_news = reach >= width
    if unsent == "prior":
        no_news = no_news | (heard - reach < -_SAME * width)
    read = xp.where(no_news, width / 2, read)
    ends = heard >= width * (1 - _SAME)
    read = xp.where(ends, width - np.minimum(reach, width) / 2, read)
    return xp.where(terms.bias < 0, terms.highest - read, terms.lowest + read)


def from_far_end(place: Array, terms: IntervalTerms) -> Array:
    """How far a place is from the end that senders lead away from, units of the state.

    From the highest end where they gain by lower messages, else from the lowest: what holds of a
    positive bias holds of a negative one in these terms.
    """
    xp = namespace(place)
    return xp.where(terms.bias < 0, terms.highest - place, place - terms.lowest)
