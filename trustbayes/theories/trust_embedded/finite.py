r"""The trust-embedded model (TE) of the finite game.

Senders dislike lying, receivers trust by a factor. All functions are plain array functions: they
take NumPy arrays or PyTensor variables, and parameters may have any leading shape.

Source: Özer, Zheng and Chen (2011), Management Science 57(6); Li, Özer and Subramanian (2022),
Management Science 68(1); as specified in the project's theory, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trustbayes.errors import check_word
from trustbayes.games.finite import FiniteGame
from trustbayes.numerics.arrays import Array, softmax
from trustbayes.theories.outcomes import believed_payoff, payoff_after, taken_at_word

__all__ = [
    "Belief",
    "distrusted_prior",
    "expected_action",
    "expected_payoff",
    "is_lie",
    "lie_size",
    "mixed_payoff",
    "mixture_payoffs",
    "quantal_payoff",
    "quantal_response",
    "receiver_utility",
    "sender_utility",
    "weighed_payoff",
]

Belief = Literal["truncated", "prior", "mixture"]

_SAME = 1e-9


def distrusted_prior(game: FiniteGame, bias: float, belief: Belief = "truncated") -> np.ndarray:
    r"""What a receiver who does not trust a message believes: :math:`\pi(\theta^T \mid m)`.

    The receiver's prior truncated to the states from which a sender would exaggerate up to the
    message: :math:`\theta^T \le m` when senders gain by higher messages (the bias is positive, or
    the game's direction is up), :math:`\theta^T \ge m` when by lower ones, and
    :math:`\theta^T = m` without a conflict of interest. Where no possible state qualifies,
    the possible states nearest to the message do. With belief "prior", the whole prior.

    Parameters
    ----------
    game : FiniteGame
    bias : float
        How much higher than the state the sender wants the action, in units of the state.
    belief : {"truncated", "prior", "mixture"}
        "mixture" truncates as "truncated" does.

    Returns
    -------
    array, shape (messages, states)
        Each row is a distribution.

    Raises
    ------
    ValueError
        If the belief is not one of the three.

    Examples
    --------
    >>> distrusted_prior(FiniteGame([1, 2, 3]), bias=1.0).round(2)
    array([[1.  , 0.  , 0.  ],
           [0.5 , 0.5 , 0.  ],
           [0.33, 0.33, 0.33]])
    """
    check_word("belief", belief, Belief)
    shape, prior = (game.messages.size, game.states.size), game.receiver_prior
    if belief == "prior":
        return np.broadcast_to(prior, shape).copy()
    gap = game.states[None, :] - game.messages[:, None]
    direction = game.direction_of(bias)
    possible = (direction * gap <= 1e-12) if direction else (abs(gap) <= 1e-12)
    mass = prior * possible
    distance = np.where(prior > 0, abs(gap), np.inf)
    nearest = distance <= distance.min(axis=1, keepdims=True) + 1e-12
    empty = mass.sum(axis=1, keepdims=True) == 0
    mass = np.where(empty, prior * nearest, mass)
    return mass / mass.sum(axis=1, keepdims=True)


def receiver_utility(
    game: FiniteGame, bias: float, trust: Array, belief: Belief = "truncated"
) -> Array:
    r"""Expected payoff of each action after each message, for a receiver with trust factor α.

    .. math:: U(m, a) = \sum_{\theta^T} \pi(\theta^T \mid m)\,
              u_R(\alpha m + (1 - \alpha)\,\theta^T, a)

    and with belief "mixture" :math:`\alpha\,u_R(m, a) + (1 - \alpha) \sum_{\theta^T}
    \pi(\theta^T \mid m)\,u_R(\theta^T, a)`. Where payoffs know the message it stands in every
    :math:`u_R`.

    Parameters
    ----------
    game : FiniteGame
    bias : float
        Bias of the sender the receiver faces.
    trust : array of any shape
        Trust factor α, in [0, 1].
    belief : {"truncated", "prior", "mixture"}
        How the distrusting part reads the message, see :func:`distrusted_prior`.

    Returns
    -------
    array, shape (*trust.shape, messages, actions)
        Payoff units.

    Raises
    ------
    ValueError
        If the game's payoffs are tables and the belief is not "mixture".

    Examples
    --------
    >>> game = FiniteGame([1, 2, 3, 4, 5])
    >>> receiver_utility(game, bias=1.0, trust=np.array(1.0)).argmax(axis=-1) + 1
    array([1, 2, 3, 4, 5])
    """
    if belief == "mixture":
        return mixed_payoff(mixture_payoffs(game, bias), trust)
    weight = distrusted_prior(game, bias, belief)
    if not game.payoffs.continuous:
        raise ValueError("belief: payoff tables need 'mixture', they say nothing between states")
    return weighed_payoff(game, weight, trust)


def mixture_payoffs(game: FiniteGame, bias: float) -> np.ndarray:
    """What every action earns if the message is true, and in expectation if it is distrusted.

    Parameters
    ----------
    game : FiniteGame
    bias : float
        Bias of the sender the receiver faces.

    Returns
    -------
    array, shape (2, messages, actions)
        Payoff units.

    Examples
    --------
    >>> mixture_payoffs(FiniteGame([1, 2, 3]), 1.0).argmax(axis=-1) + 1
    array([[1, 2, 3],
           [1, 1, 2]])
    """
    distrusted = believed_payoff(game, distrusted_prior(game, bias, "mixture"))
    return np.stack([taken_at_word(game), distrusted])


def mixed_payoff(payoffs: Array, trust: Array) -> Array:
    """Expected payoff of each action if a message is true with the probability of trust.

    Parameters
    ----------
    payoffs : array, shape (2, messages, actions), with axes before that fit those of trust
        From :func:`mixture_payoffs`.
    trust : array of any shape
        Trust factor α, in [0, 1].

    Returns
    -------
    array, shape (*trust.shape, messages, actions)
        Payoff units.
    """
    share = trust[..., None, None]
    return share * payoffs[..., 0, :, :] + (1 - share) * payoffs[..., 1, :, :]


def weighed_payoff(game: FiniteGame, distrusted: np.ndarray, trust: Array) -> Array:
    r"""Expected payoff of each action for a receiver who believes α m + (1 - α) θᵀ.

    Parameters
    ----------
    game : FiniteGame
        With payoffs defined between the listed states.
    distrusted : array, shape (messages, states)
        Distribution of θᵀ after each message.
    trust : array of any shape
        Trust factor α, in [0, 1].

    Returns
    -------
    array, shape (*trust.shape, messages, actions)
        Payoff units.

    Examples
    --------
    >>> game = FiniteGame([1, 2, 3])
    >>> truth = weighed_payoff(game, np.eye(3), np.array(0.5))
    >>> np.array_equal(truth, game.receiver_table)
    True
    """
    outcome = _outcomes(game, distrusted)
    believed = outcome.state + trust[..., None] * outcome.gap
    payoff = game.receiver_payoff(believed, outcome.message, outcome.action)
    utility = payoff @ outcome.weight
    return utility.reshape((*trust.shape, game.messages.size, game.actions.size))


@dataclass(frozen=True)
class _Outcomes:
    """The distinct terms of the sum over θᵀ: a believed state is state + α·gap."""

    state: np.ndarray
    gap: np.ndarray
    message: np.ndarray
    action: np.ndarray
    weight: np.ndarray


def _outcomes(game: FiniteGame, weight: np.ndarray) -> _Outcomes:
    """List each (θᵀ, m - θᵀ, a) that carries weight once; shapes (terms,), (terms, m x a).

    Payoffs that depend on the distance only give the same term for many of them: with five
    states 26 powers remain of 125, which is most of the time of a gradient.
    """
    message, state, action = np.nonzero(
        np.broadcast_to(weight[:, :, None], (*weight.shape, game.actions.size))
    )
    gap = game.messages[message] - game.states[state]
    key = np.column_stack([gap, game.states[state], game.actions[action]])
    if game.payoffs.by_distance:
        key = np.column_stack([gap, game.states[state] - game.actions[action]])
    if not game.cheap_talk:
        key = np.column_stack([key, game.messages[message]])
    _, first, term = np.unique(key.round(9), axis=0, return_index=True, return_inverse=True)
    total = np.zeros((first.size, game.messages.size * game.actions.size))
    np.add.at(total, (term, message * game.actions.size + action), weight[message, state])
    return _Outcomes(
        game.states[state][first],
        gap[first],
        game.messages[message][first],
        game.actions[action][first],
        total,
    )


def expected_action(
    game: FiniteGame, bias: float, expected_trust: Array, belief: Belief = "truncated"
) -> Array:
    r"""Action the sender expects after each message.

    :math:`a^e(m) = \alpha^e m + (1 - \alpha^e)\,E[\theta^T \mid m]`.

    Parameters
    ----------
    game : FiniteGame
    bias : float
    expected_trust : array of any shape
        Expected trust α^e, in [0, 1].
    belief : {"truncated", "prior", "mixture"}

    Returns
    -------
    array, shape (*expected_trust.shape, messages)
        In units of the action.

    Examples
    --------
    >>> expected_action(FiniteGame([1, 2, 3]), 1.0, np.array(0.5))
    array([1.  , 1.75, 2.5 ])
    """
    distrusted = distrusted_prior(game, bias, belief) @ game.states
    share = expected_trust[..., None]
    return share * game.messages + (1 - share) * distrusted


def expected_payoff(
    game: FiniteGame, bias: float, expected_trust: Array, belief: Belief = "truncated"
) -> Array:
    r"""What a sender expects to earn, :math:`u_S(\theta, a^e(m); b)`, before the cost of lying.

    Parameters
    ----------
    game : FiniteGame
        With payoffs defined between the listed actions.
    bias : float
    expected_trust : array of any shape
        Expected trust α^e, in [0, 1].
    belief : {"truncated", "prior", "mixture"}

    Returns
    -------
    array, shape (*expected_trust.shape, states, messages)
        Payoff units.

    Raises
    ------
    ValueError
        If the game's payoffs are tables, or actions are labels.

    Examples
    --------
    >>> game = FiniteGame([1, 2, 3, 4, 5])
    >>> expected_payoff(game, 1.0, np.array(1.0)).argmax(axis=-1) + 1
    array([2, 3, 4, 5, 5])
    """
    if not game.payoffs.continuous:
        raise ValueError(
            "expected_action: payoff tables need 'quantal', they say nothing between actions"
        )
    if game.labelled:
        raise ValueError(
            "expected_action: actions that are labels need 'quantal', they have no mean"
        )
    action = expected_action(game, bias, expected_trust, belief)
    return game.sender_payoff(game.states[:, None], game.messages, action[..., None, :], bias)


def quantal_payoff(
    game: FiniteGame,
    bias: float,
    expected_trust: Array,
    response_precision: Array,
    belief: Belief = "truncated",
) -> Array:
    """What a sender expects to earn from a receiver who errs as she does.

    The expected receiver has trust factor α^e and answers with the sender's own response
    precision: an alternative to :func:`expected_payoff` that needs no payoffs between the listed
    actions.

    Parameters
    ----------
    game : FiniteGame
    bias : float
    expected_trust, response_precision : arrays of one shape
    belief : {"truncated", "prior", "mixture"}

    Returns
    -------
    array, shape (*expected_trust.shape, states, messages)
        Payoff units.

    Examples
    --------
    >>> game = FiniteGame([1, 2, 3, 4, 5])
    >>> quantal_payoff(game, 1.0, np.array(1.0), np.array(50.0)).argmax(axis=-1) + 1
    array([2, 3, 4, 5, 5])
    """
    utility = receiver_utility(game, bias, expected_trust, belief)
    return payoff_after(game, bias, quantal_response(game, utility, response_precision))


def quantal_response(game: FiniteGame, utility: Array, response_precision: Array) -> Array:
    """Probabilities with which a receiver takes each action after each message.

    Parameters
    ----------
    game : FiniteGame
    utility : array, shape (..., messages, actions)
        Payoff units, from :func:`receiver_utility`.
    response_precision : array of shape (...)

    Returns
    -------
    array, shape (..., messages, actions)
    """
    return softmax(response_precision[..., None, None] * utility / game.scale)


def lie_size(game: FiniteGame) -> np.ndarray:
    """Distance |m - θ| of every message from every state, shape (states, messages)."""
    return abs(game.messages[None, :] - game.states[:, None])


def is_lie(game: FiniteGame) -> np.ndarray:
    """Whether every message is untrue in every state, shape (states, messages)."""
    return lie_size(game) > _SAME


def sender_utility(
    game: FiniteGame, material: Array, lying_aversion: Array = None, lump_sum: Array = None
) -> Array:
    r"""Utility of each message in each state: :math:`u_S(\theta, a^e(m); b) - c(\theta, m)`.

    The cost of a lie is :math:`c = \beta |m - \theta| + \beta_0 1\{m \ne \theta\}`; either part
    may be missing.

    Parameters
    ----------
    game : FiniteGame
    material : array, shape (..., states, messages)
        What the sender expects to earn, from :func:`expected_payoff` or :func:`quantal_payoff`.
    lying_aversion : array of shape (...), optional
        β >= 0, in payoff units per unit of |m - θ|.
    lump_sum : array of shape (...), optional
        β₀ >= 0, in payoff units, whatever the size of the lie.

    Returns
    -------
    array, shape (..., states, messages)
        Payoff units.
    """
    if lying_aversion is not None:
        material = material - lying_aversion[..., None, None] * lie_size(game)
    if lump_sum is not None:
        material = material - lump_sum[..., None, None] * is_lie(game)
    return material
