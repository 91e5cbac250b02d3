"""The two "all or nothing" views of cheap talk: babbling, and full trust.

Source: Crawford and Sobel (1982), Econometrica 50(6), for the babbling equilibrium; the project's
theory, section 5.
"""

from __future__ import annotations

import numpy as np

from trustbayes.games.base import Role
from trustbayes.games.finite import FiniteGame
from trustbayes.theories.level_k.finite import level_tables
from trustbayes.theories.outcomes import believed_payoff

__all__ = ["babbling_receiver_utility", "full_trust_utility"]


def babbling_receiver_utility(game: FiniteGame) -> np.ndarray:
    """Expected payoff of every action for a receiver who ignores the message.

    Parameters
    ----------
    game : FiniteGame

    Returns
    -------
    array, shape (messages, actions)
        Payoff units; all rows are the same, but where payoffs know the message.

    Examples
    --------
    >>> babbling_receiver_utility(FiniteGame([1, 2, 3])).argmax(axis=1) + 1
    array([2, 2, 2])
    """
    if not game.cheap_talk:
        belief = np.tile(game.receiver_prior, (game.messages.size, 1))
        return believed_payoff(game, belief)
    expected = game.receiver_prior @ game.receiver_table
    return np.tile(expected, (game.messages.size, 1))


def full_trust_utility(game: FiniteGame, role: Role) -> np.ndarray:
    """Utility of a truthful sender or a credulous receiver: level 0 of the level-k model.

    Parameters
    ----------
    game : FiniteGame
    role : "sender" or "receiver"

    Returns
    -------
    array, shape (states, messages) or (messages, actions)
        Payoff units.

    Examples
    --------
    >>> full_trust_utility(FiniteGame([1, 2, 3]), "receiver").argmax(axis=1) + 1
    array([1, 2, 3])
    """
    tables = level_tables(game, bias=0.0, max_level=0)
    return tables.sender_utility[0] if role == "sender" else tables.receiver_utility[0]
