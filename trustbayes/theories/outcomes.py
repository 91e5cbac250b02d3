"""What choices are expected to earn in a finite game, whether or not payoffs know the message."""

from __future__ import annotations

from typing import Any

import numpy as np

from trustbayes.games.finite import FiniteGame
from trustbayes.numerics.arrays import namespace

__all__ = ["believed_payoff", "expected_outcome", "payoff_after", "taken_at_word"]

_FEW = 4


def taken_at_word(game: FiniteGame) -> np.ndarray:
    """What every action earns a receiver if the message is true, :math:`u_R(m, m, a)`.

    Parameters
    ----------
    game : FiniteGame

    Returns
    -------
    array, shape (messages, actions)
        Payoff units.

    Examples
    --------
    >>> taken_at_word(FiniteGame([1, 2, 3])).argmax(axis=1) + 1
    array([1, 2, 3])
    """
    messages = game.messages[:, None]
    table = np.asarray(game.receiver_payoff(messages, messages, game.actions[None, :]), float)
    return np.broadcast_to(table, (game.messages.size, game.actions.size))


def believed_payoff(game: FiniteGame, belief: np.ndarray) -> np.ndarray:
    r"""What every action earns a receiver in expectation.

    .. math:: U(m, a) = \sum_\theta p(\theta \mid m)\,u_R(\theta, m, a)

    Parameters
    ----------
    game : FiniteGame
    belief : array, shape (messages, states)
        Distribution of the state after each message.

    Returns
    -------
    array, shape (messages, actions)
        Payoff units.

    Examples
    --------
    >>> game = FiniteGame([1, 2, 3])
    >>> np.array_equal(believed_payoff(game, np.eye(3)), game.receiver_table)
    True
    """
    if game.cheap_talk:
        return np.asarray(belief @ game.receiver_table)
    return np.asarray(np.einsum("ms,sma->ma", belief, game.receiver_outcomes))


def payoff_after(game: FiniteGame, bias: float, response: Any) -> Any:
    r"""What every message earns a sender, :math:`\sum_a P(a \mid m)\,u_S(\theta, m, a)`.

    Parameters
    ----------
    game : FiniteGame
    bias : float
        How much higher than the state the sender wants the action, in units of the state.
    response : array, shape (..., messages, actions)
        Probabilities with which the receiver takes each action after each message.

    Returns
    -------
    array, shape (..., states, messages)
        Payoff units.

    Examples
    --------
    >>> payoff_after(FiniteGame([1, 2, 3]), 1.0, np.eye(3)).argmax(axis=1) + 1
    array([2, 3, 3])
    """
    if game.cheap_talk:
        return namespace(response).swapaxes(response @ game.sender_table(bias).T, -1, -2)
    return expected_outcome(response, game.sender_outcomes(bias))


def expected_outcome(response: Any, outcomes: np.ndarray) -> Any:
    """The mean of outcomes over the actions that follow.

    Parameters
    ----------
    response : array, shape (..., messages, actions)
    outcomes : array, shape (..., states, messages, actions)

    Returns
    -------
    array, shape (..., states, messages)
    """
    response = response[..., None, :, :]
    if outcomes.shape[-1] > _FEW:
        return (response * outcomes).sum(axis=-1)
    # Where actions are few, as accept and challenge, a sum over the last axis is slower than this.
    total = response[..., 0] * outcomes[..., 0]
    for action in range(1, outcomes.shape[-1]):
        total = total + response[..., action] * outcomes[..., action]
    return total
