r"""The hybrid of level-k and trust-embedded play in the finite game.

A level-k sender who dislikes lying, and a receiver who trusts in part and whose distrusting part
reads messages as level-k does. What either thinks of the other is plain level-k: her opponent is
the selfish level-(k-1) receiver, who trusts nobody, and the sender whom his distrusting part
reckons with is the selfish level-k one. So the levels' tables are those of level-k, which no
parameter enters.

Level 0 tells and believes the truth, as in level-k, whatever her aversion and his trust: a lie
does nothing for a sender who wants to be understood, and he distrusts nothing. The hybrid nests

- level-k: no aversion, no trust, for every level and convention;
- the sender who expects full trust (TE with :math:`\alpha^e = 1`, at the same aversion): level 1,
  where the credulous action names the message;
- the truthful sender: much aversion, at every level;
- the credulous receiver: full trust, at every level;
- the trust-embedded receiver who falls back on the whole prior (belief "prior"): levels at which
  all senders pool, at the same trust.

All functions are plain array functions: they take NumPy arrays or PyTensor variables, and
parameters may have any leading shape.

Source: Crawford (2003), American Economic Review 93(1); Özer, Zheng and Chen (2011), Management
Science 57(6); as specified in the project's theory, section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from trustbayes.errors import check_word
from trustbayes.games.finite import FiniteGame
from trustbayes.numerics.arrays import Array, namespace
from trustbayes.theories.level_k.finite import Ties, Unsent, level_tables, posterior
from trustbayes.theories.trust_embedded.finite import is_lie, lie_size, weighed_payoff

__all__ = [
    "Belief",
    "less_costs",
    "receiver_utility",
    "selfish_utility",
    "sender_utility",
]

Belief = Literal["weighted", "mixture"]


def sender_utility(
    game: FiniteGame,
    bias: float,
    lying_aversion: Array = None,
    levels: Sequence[int] = range(4),
    ties: Ties = "smallest-lie",
    unsent: Unsent = "monotone",
    lump_sum: Array = None,
) -> Array:
    r"""Utility of each message in each state, :math:`U_k(\theta, m) - c(\theta, m)`.

    :math:`U_k` is what the level-k sender expects to earn, from the selfish level-(k-1) receiver,
    and :math:`c = \beta |m - \theta| + \beta_0 1\{m \ne \theta\}` what a lie costs her; either
    part may be missing. At level 0 :math:`U_0` is the utility of being understood, and no cost is
    taken from it.

    Parameters
    ----------
    game : FiniteGame
    bias : float
        How much higher than the state the sender wants the action, in units of the state.
    lying_aversion : array of any shape, optional
        β >= 0, in payoff units per unit of |m - θ|.
    levels : sequence of int
        Which levels, from 0.
    ties, unsent : str
        How level-k play is settled, see `trustbayes.theories.level_k.finite.level_tables`.
    lump_sum : array of the same shape, optional
        β₀ >= 0, in payoff units, whatever the size of the lie.

    Returns
    -------
    array, shape (*lying_aversion.shape, levels, states, messages)
        Payoff units.

    Raises
    ------
    ValueError
        If a convention is unknown or a level is negative.

    Examples
    --------
    >>> game = FiniteGame([1, 2, 3, 4, 5])
    >>> sender_utility(game, 1.0, np.array([0.0, 10.0]))[:, 2].argmax(axis=-1) + 1
    array([[3, 4, 5, 5, 5],
           [1, 4, 5, 5, 5]])
    """
    selfish = selfish_utility(game, bias, levels, ties, unsent)
    return less_costs(game, selfish, levels, lying_aversion, lump_sum)


def selfish_utility(
    game: FiniteGame, bias: float, levels: Sequence[int], ties: Ties, unsent: Unsent
) -> np.ndarray:
    """What a sender of each level expects to earn, shape (levels, states, messages)."""
    tables = level_tables(game, bias, _deepest(levels), ties, unsent)
    return tables.sender_utility[np.array(levels)]


def less_costs(
    game: FiniteGame,
    selfish: Array,
    levels: Sequence[int],
    lying_aversion: Array = None,
    lump_sum: Array = None,
) -> Array:
    """What senders expect to earn, less what lies cost them.

    Parameters
    ----------
    game : FiniteGame
    selfish : array, shape (..., levels, states, messages)
        From :func:`selfish_utility`.
    levels, lying_aversion, lump_sum
        See :func:`sender_utility`.

    Returns
    -------
    array, shape (*lying_aversion.shape, levels, states, messages)
        Payoff units.
    """
    thinks = (np.array(levels) > 0)[:, None, None]
    for cost, size in ((lying_aversion, lie_size(game)), (lump_sum, is_lie(game))):
        if cost is not None:
            selfish = selfish - cost[..., None, None, None] * (size * thinks)
    return selfish


def receiver_utility(
    game: FiniteGame,
    bias: float,
    trust: Array,
    levels: Sequence[int] = range(4),
    ties: Ties = "smallest-lie",
    unsent: Unsent = "monotone",
    belief: Belief = "weighted",
) -> Array:
    r"""Expected payoff of each action after each message, for trust factor α and each level.

    .. math:: U(m, a) = \sum_\theta \pi_k(\theta \mid m)\,
              u_R(\alpha m + (1 - \alpha)\,\theta, a)

    where :math:`\pi_k` is how the level-k receiver reads messages: the posterior, given what the
    selfish level-k sender does. With belief "mixture" it is :math:`\alpha\,u_R(m, a) + (1 -
    \alpha) \sum_\theta \pi_k(\theta \mid m)\,u_R(\theta, a)`. At level 0 both are
    :math:`u_R(m, a)`, whatever the trust.

    Parameters
    ----------
    game : FiniteGame
    bias : float
        Bias of the sender the receiver faces.
    trust : array of any shape
        Trust factor α, in [0, 1].
    levels, ties, unsent
        See :func:`sender_utility`.
    belief : {"weighted", "mixture"}
        Whether trust is the weight of the message in the state that he believes in, or the
        probability that the message is true; as in the trust-embedded model, where "truncated"
        and "prior" are weighted.

    Returns
    -------
    array, shape (*trust.shape, levels, messages, actions)
        Payoff units.

    Raises
    ------
    ValueError
        If a convention is unknown, a level is negative, or the game's payoffs are tables and
        the belief is not "mixture".

    Examples
    --------
    >>> game = FiniteGame([1, 2, 3, 4, 5])
    >>> receiver_utility(game, 1.0, np.array([0.0, 0.5]))[:, 2].argmax(axis=-1) + 1
    array([[1, 1, 1, 2, 4],
           [1, 1, 2, 3, 4]])
    """
    check_word("belief", belief, Belief)
    tables = level_tables(game, bias, _deepest(levels), ties, unsent)
    credulous, chosen = tables.receiver_utility[0], np.array(levels)
    if belief == "mixture":
        suspicious = tables.receiver_utility[chosen]
        return suspicious + trust[..., None, None, None] * (credulous - suspicious)
    if not game.payoffs.continuous:
        raise ValueError("belief: payoff tables need 'mixture', they say nothing between states")
    xp = namespace(trust)
    return xp.stack(
        [
            weighed_payoff(game, posterior(game, bias, tables.sender_choice[level], unsent), trust)
            if level
            else credulous + xp.zeros_like(trust)[..., None, None]
            for level in levels
        ],
        axis=-3,
    )


def _deepest(levels: Sequence[int]) -> int:
    if min(levels) < 0:
        raise ValueError(f"levels: found {min(levels)}, expected 0 or more")
    return max(levels)
