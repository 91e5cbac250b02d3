"""The level-k model (LK) of the finite game.

Everyone is selfish and thinks a bounded number of steps ahead, starting from a truthful sender
and a credulous receiver: a level-k sender answers the level-(k-1) receiver, a level-k receiver
answers the level-k sender. Nothing here depends on estimated parameters.

Source: Crawford (2003), American Economic Review 93(1); Cai and Wang (2006), Games and Economic
Behavior 56(1); as specified in the project's theory, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trustbayes.errors import check_word
from trustbayes.games.changed import Fined, with_payoffs
from trustbayes.games.finite import FiniteGame
from trustbayes.theories.outcomes import believed_payoff, payoff_after, taken_at_word

__all__ = ["LevelTables", "Ties", "Unsent", "level_tables", "posterior"]

Ties = Literal["smallest-lie", "uniform"]
Unsent = Literal["monotone", "prior", "tremble"]

_TREMBLE = 0.01
_SAME = 1e-9


@dataclass(frozen=True)
class LevelTables:
    """Level-k play in one game with one bias, for levels 0 to ``max_level``.

    Parameters
    ----------
    sender_utility : array, shape (levels, states, messages)
        What each level's sender expects to earn, payoff units.
    receiver_utility : array, shape (levels, messages, actions)
        What each level's receiver expects to earn, payoff units.
    sender_choice : array, shape (levels, states, messages)
        Probabilities of the best responses, one-hot unless ties are spread.
    receiver_choice : array, shape (levels, messages, actions)
    """

    sender_utility: np.ndarray
    receiver_utility: np.ndarray
    sender_choice: np.ndarray
    receiver_choice: np.ndarray


def level_tables(
    game: FiniteGame,
    bias: float,
    max_level: int = 3,
    ties: Ties = "smallest-lie",
    unsent: Unsent = "monotone",
) -> LevelTables:
    """Utilities and best responses of every level.

    Parameters
    ----------
    game : FiniteGame
    bias : float
        How much higher than the state the sender wants the action, in units of the state.
    max_level : int
        K >= 0; levels 0..K are computed.
    ties : {"smallest-lie", "uniform"}
        Among equally good messages the sender takes the one nearest to the state (of two
        equally near ones, the one in the direction of the bias), and among equally good actions
        the receiver takes the one farthest from where the sender wants it; or both spread evenly.
    unsent : {"monotone", "prior", "tremble"}
        How the receiver reads a message that the level-k sender never sends: as the next sent
        message above (below, for a negative bias; the other side where there is none); as no
        news, keeping the prior; or as a slip, every sender sending each message with a
        total probability of 0.01 by mistake.

    Returns
    -------
    LevelTables

    Raises
    ------
    ValueError
        If a convention is unknown or ``max_level`` is negative.

    Examples
    --------
    >>> tables = level_tables(FiniteGame([1, 2, 3, 4, 5]), bias=1.0)
    >>> tables.sender_choice[1].argmax(axis=-1) + 1
    array([2, 3, 4, 5, 5])
    """
    check_word("ties", ties, Ties)
    check_word("unsent", unsent, Unsent)
    if max_level < 0:
        raise ValueError(f"max_level: found {max_level}, expected 0 or more")
    direction = _direction(game, bias)

    # Level 0: he takes the message for the state, she wants to be understood.
    receiver_utility = taken_at_word(game)
    receiver = _best(receiver_utility, _action_order(game, direction), ties)
    sender_utility = _understood(game, receiver)
    sender = _best(-_lie(game), _lie_order(game, direction), ties)
    levels = [(sender_utility, receiver_utility, sender, receiver)]
    for _ in range(max_level):
        sender_utility = _earned(game, bias, receiver)
        sender = _best(sender_utility, _lie_order(game, direction), ties)
        receiver_utility = believed_payoff(game, posterior(game, bias, sender, unsent))
        receiver = _best(receiver_utility, _action_order(game, direction), ties)
        levels.append((sender_utility, receiver_utility, sender, receiver))
    return LevelTables(*(np.stack(parts) for parts in zip(*levels, strict=True)))


def posterior(
    game: FiniteGame, bias: float, sender: np.ndarray, unsent: Unsent = "monotone"
) -> np.ndarray:
    """How a receiver reads messages if he knows what the sender does.

    Parameters
    ----------
    game : FiniteGame
    bias : float
    sender : array, shape (states, messages)
        Probabilities with which she sends each message, as in `LevelTables.sender_choice`.
    unsent : {"monotone", "prior", "tremble"}
        How he reads a message that she never sends, see `level_tables`.

    Returns
    -------
    array, shape (messages, states)
        Each row is a distribution of the state.

    Examples
    --------
    >>> game = FiniteGame([1, 2, 3])
    >>> posterior(game, 1.0, level_tables(game, 1.0).sender_choice[1])
    array([[1. , 0. , 0. ],
           [1. , 0. , 0. ],
           [0. , 0.5, 0.5]])
    """
    direction, prior = _direction(game, bias), game.receiver_prior
    if unsent == "tremble":
        sender = (1 - _TREMBLE) * sender + _TREMBLE / game.messages.size
    joint = (prior[:, None] * sender).T
    mass = joint.sum(axis=1)
    sent = np.flatnonzero(mass > _SAME)
    beliefs = np.tile(prior, (game.messages.size, 1))
    for message in range(game.messages.size):
        read_as = message
        if message not in sent:
            if unsent != "monotone":
                continue
            gap = direction * (game.messages[sent] - game.messages[message])
            above = sent[gap > 0]
            # None sent on that side: the nearest sent message on the other.
            candidates = above if above.size else sent
            distance = abs(game.messages[candidates] - game.messages[message])
            read_as = int(candidates[distance.argmin()])
        beliefs[message] = joint[read_as] / mass[read_as]
    return beliefs


def _direction(game: FiniteGame, bias: float) -> float:
    return -1.0 if game.direction_of(bias) < 0 else 1.0


def _understood(game: FiniteGame, receiver: np.ndarray) -> np.ndarray:
    """What being understood is worth to the truthful sender, shape (states, messages).

    The believing receiver's own payoff; where messages bear on it, or actions are no estimates, it
    says nothing of the truth, and a lie costs her one standard deviation of it per message step.
    """
    if isinstance(game.payoffs, Fined):  # no reason to be understood in another way
        unfined = _understood(with_payoffs(game, game.payoffs.payoffs), receiver)
        return np.asarray(unfined - game.payoffs.fine(game.states[:, None], game.messages))
    if game.cheap_talk and not game.labelled:
        return np.asarray(game.receiver_table @ receiver.T)
    return -game.lying_unit * _lie(game)


def _earned(game: FiniteGame, bias: float, receiver: np.ndarray) -> np.ndarray:
    if game.cheap_talk:
        return np.asarray(game.sender_table(bias) @ receiver.T)
    return np.asarray(payoff_after(game, bias, receiver))


def _best(utility: np.ndarray, order: np.ndarray, ties: Ties) -> np.ndarray:
    """Choice probabilities of the best option of each row; ``order`` ranks ties, lowest first."""
    span = float(np.ptp(utility)) or 1.0
    best = utility >= utility.max(axis=1, keepdims=True) - _SAME * span
    if ties == "uniform":
        return best / best.sum(axis=1, keepdims=True)
    chosen = np.where(best, order, np.inf).argmin(axis=1)
    return np.eye(utility.shape[1])[chosen]


def _lie(game: FiniteGame) -> np.ndarray:
    return abs(game.messages[None, :] - game.states[:, None])


def _lie_order(game: FiniteGame, direction: float) -> np.ndarray:
    """Rank of messages for each state: the smaller lie first, then the one along the bias."""
    against = direction * (game.messages[None, :] - game.states[:, None]) < 0
    return _lie(game) + 1e-9 * game.step * against


def _action_order(game: FiniteGame, direction: float) -> np.ndarray:
    return np.broadcast_to(direction * game.actions, (game.messages.size, game.actions.size))
