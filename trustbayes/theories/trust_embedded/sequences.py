"""The trust-embedded model of the finite game where trust differs from trial to trial.

What `trustbayes.theories.trust_embedded.finite` says of everything that may be seen is worked out
here for what was seen, so that many trials cost little more than a few conditions do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trustbayes.games.finite import FiniteGame
from trustbayes.numerics.arrays import Array, namespace
from trustbayes.theories.adapters import (
    Conditions,
    by_condition,
    positions,
    row_of,
    unit_conditions,
)
from trustbayes.theories.outcomes import believed_payoff, taken_at_word
from trustbayes.theories.trust_embedded.finite import (
    Belief,
    distrusted_prior,
    expected_action,
    lie_size,
    quantal_payoff,
)
from trustbayes.theories.values import Values

__all__ = [
    "payoff_in",
    "receiver_utility_seen",
    "sender_utility_seen",
    "utility_after",
]

_SAME = 1e-9


def utility_after(
    game: FiniteGame, bias: float, trust: Array, seen: Array, belief: Belief
) -> Array:
    """Expected payoff of each action after the message of each trial.

    Parameters
    ----------
    game : FiniteGame
    bias : float
    trust : array, shape (..., trials)
        Trust factor α, in [0, 1].
    seen : array of int, shape (trials,)
        The message, as a position.
    belief : {"truncated", "prior", "mixture"}

    Returns
    -------
    array, shape (..., trials, actions)
        Payoff units.

    Examples
    --------
    >>> game = FiniteGame([1, 2, 3, 4, 5])
    >>> utility = utility_after(game, 1.0, np.array([1.0, 0.0]), np.array([4, 4]), "truncated")
    >>> (utility.argmax(axis=-1) + 1).tolist()
    [5, 3]
    """
    weight = distrusted_prior(game, bias, belief)
    share = trust[..., None]
    if belief == "mixture":
        credulous = row_of(taken_at_word(game), seen)
        distrusting = row_of(believed_payoff(game, weight), seen)
        return share * credulous + (1 - share) * distrusting
    if not game.payoffs.continuous:
        raise ValueError("belief: payoff tables need 'mixture', they say nothing between states")
    message = row_of(game.messages, seen)[:, None]
    possible = slice(None) if namespace(seen) is not np else weight[seen].any(axis=0)
    believed = share * message + (1 - share) * game.states[possible]
    payoff = game.receiver_payoff(believed[..., None], message[..., None], game.actions)
    likely = row_of(weight[:, possible], seen)
    if namespace(payoff, likely) is np:
        return (likely[:, None] @ payoff)[..., 0, :]
    return (likely[..., None] * payoff).sum(axis=-2)


def payoff_in(
    game: FiniteGame, bias: float, expected_trust: Array, seen: Array, belief: Belief
) -> Array:
    """What a sender expects to earn in the state of each trial, shape (..., trials, messages).

    Parameters
    ----------
    game : FiniteGame
    bias : float
    expected_trust : array, shape (..., trials)
    seen : array of int, shape (trials,)
        The state, as a position.
    belief : {"truncated", "prior", "mixture"}

    Returns
    -------
    array
        Payoff units.

    Examples
    --------
    >>> game = FiniteGame([1, 2, 3, 4, 5])
    >>> payoff = payoff_in(game, 1.0, np.array([1.0]), np.array([1]), "truncated")
    >>> payoff.argmax(axis=-1) + 1
    array([3])
    """
    action = expected_action(game, bias, expected_trust, belief)
    return game.sender_payoff(row_of(game.states, seen)[:, None], game.messages, action, bias)


def receiver_utility_seen(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    """As `trustbayes.theories.trust_embedded.declaration` asks: (..., trials, 1, actions)."""
    belief, seen = conventions["belief"], values.units.trial_seen
    under = unit_conditions(game, values.units, signs=True)
    if namespace(seen) is np:  # message by message: few states are behind each
        count = game.messages.size
        pairs = under.index * count + seen
        keys = np.flatnonzero(np.bincount(pairs))
        index = np.searchsorted(keys, pairs)
        under = Conditions(tuple(under.distinct[key // count] for key in keys), index)
    utility = by_condition(
        lambda stage, bias, trust, seen: utility_after(stage, bias, trust, seen, belief),
        under,
        values.of_units("trust"),
        seen,
    )
    return utility[..., None, :] / game.scale


def sender_utility_seen(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    """As `trustbayes.theories.trust_embedded.declaration` asks: (..., trials, 1, messages)."""
    units, belief = values.units, conventions["belief"]
    given = [values.of_units("expected_trust"), units.trial_seen]
    if conventions["expected_action"] == "quantal":

        def expected(stage: FiniteGame, bias: float, trust: Any, seen: Any, precision: Any) -> Any:
            whole = quantal_payoff(stage, bias, trust, precision, belief)
            return whole[..., np.arange(trust.shape[-1]), positions(seen), :]

        given.append(values.of_units("response_precision"))
    else:

        def expected(stage: FiniteGame, bias: float, trust: Any, seen: Any) -> Any:  # type: ignore[misc]
            return payoff_in(stage, bias, trust, seen, belief)

    utility = by_condition(expected, unit_conditions(game, units), *given)
    lie = row_of(lie_size(game), units.trial_seen)
    aversion = values.of_units("lying_aversion")
    lump_sum = values.of_units("lump_sum_aversion")
    if aversion is not None:
        utility = utility - (aversion * game.lying_unit)[..., None] * lie
    if lump_sum is not None:
        utility = utility - (lump_sum * game.scale)[..., None] * (lie > _SAME)
    return utility[..., None, :] / game.scale
