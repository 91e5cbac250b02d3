r"""Level-k thinking that reckons with noise: each level replies to the choices of the level below.

In the level-k model of `trustbayes.theories.level_k.finite` a person answers somebody who never
errs. Here the level-(k-1) receiver and the level-k sender err as she does herself, with her own
response precision λ. Every message is then sent with some probability, so that no rule is needed
for ties and for messages that nobody sends:

.. math::

    U^S_k(\theta, m) &= \sum_a P^R_{k-1}(a \mid m)\,u_S(\theta, m, a), \qquad
    P^S_k = \operatorname{softmax}(\lambda U^S_k / s) \\
    U^R_k(m, a) &= \sum_\theta \pi_k(\theta \mid m)\,u_R(\theta, m, a), \qquad
    \pi_k(\theta \mid m) \propto \pi(\theta) P^S_k(m \mid \theta), \qquad
    P^R_k = \operatorname{softmax}(\lambda U^R_k / s)

with s the scale of the game. Level 0 is that of level-k. Without noise (λ large) the sender of
level 1 is the selfish one of level-k.

The functions take NumPy arrays or PyTensor variables.

Source: Crawford (2003), American Economic Review 93(1), with the quantal responses of McKelvey and
Palfrey (1998), Experimental Economics 1(1); as specified in the project's theory, section 8.
"""

from __future__ import annotations

import numpy as np

from trustbayes.games.finite import FiniteGame
from trustbayes.numerics.arrays import Array, log_sum_exp, namespace, softmax
from trustbayes.theories.level_k.finite import level_tables
from trustbayes.theories.outcomes import payoff_after

__all__ = ["quantal_receiver_utility", "quantal_sender_utility"]


def quantal_sender_utility(
    game: FiniteGame, bias: float, response_precision: Array, max_level: int = 3
) -> Array:
    """What senders of each level expect to earn.

    Parameters
    ----------
    game : FiniteGame
    bias : float
        How much higher than the state the sender wants the action, in units of the state.
    response_precision : array of any shape
        λ >= 0, per standard deviation of the payoff table.
    max_level : int
        K >= 0; levels 0..K are computed.

    Returns
    -------
    array, shape (*response_precision.shape, levels, states, messages)
        Payoff units.

    Raises
    ------
    ValueError
        If ``max_level`` is negative.

    Examples
    --------
    >>> game = FiniteGame([1, 2, 3, 4, 5])
    >>> quantal_sender_utility(game, 1.0, np.array(50.0), 1)[1].argmax(axis=-1) + 1
    array([2, 3, 4, 5, 5])
    """
    return _utilities(game, bias, response_precision, max_level)[0]


def quantal_receiver_utility(
    game: FiniteGame, bias: float, response_precision: Array, max_level: int = 3
) -> Array:
    """What receivers of each level expect to earn.

    Parameters
    ----------
    game, bias, response_precision, max_level
        See `quantal_sender_utility`.

    Returns
    -------
    array, shape (*response_precision.shape, levels, messages, actions)
        Payoff units.

    Raises
    ------
    ValueError
        If ``max_level`` is negative.

    Examples
    --------
    >>> game = FiniteGame([1, 2, 3, 4, 5])
    >>> quantal_receiver_utility(game, 1.0, np.array(0.0), 1)[1].argmax(axis=-1) + 1
    array([3, 3, 3, 3, 3])
    """
    return _utilities(game, bias, response_precision, max_level)[1]


def _utilities(
    game: FiniteGame, bias: float, precision: Array, max_level: int
) -> tuple[Array, Array]:
    first = level_tables(game, bias, 0)
    xp = namespace(precision)
    sharp = precision[..., None, None] / game.scale
    of_senders, of_receivers = (
        [table[0] + xp.zeros_like(sharp)]
        for table in (first.sender_utility, first.receiver_utility)
    )
    for _ in range(max_level):
        receiver = softmax(sharp * of_receivers[-1])
        of_senders.append(payoff_after(game, bias, receiver))
        belief = _posterior(game, sharp * of_senders[-1])
        of_receivers.append((belief * _outcomes(game)).sum(axis=-2))
    return xp.stack(of_senders, axis=-3), xp.stack(of_receivers, axis=-3)


def _posterior(game: FiniteGame, sharpened: Array) -> Array:
    """How receivers read messages, shape (..., messages, states that are possible, 1)."""
    xp, possible = namespace(sharpened), game.receiver_prior > 0
    logs = sharpened - log_sum_exp(sharpened, keepdims=True)
    logs = logs[..., np.flatnonzero(possible), :] + np.log(game.receiver_prior[possible])[:, None]
    return softmax(xp.moveaxis(logs, -1, -2))[..., None]


def _outcomes(game: FiniteGame) -> np.ndarray:
    """Receivers' payoffs, shape (messages, states that are possible, actions)."""
    return np.swapaxes(game.receiver_outcomes[game.receiver_prior > 0], 0, 1)
