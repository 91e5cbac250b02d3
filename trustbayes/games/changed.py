"""Finite games changed from others whose units they keep, and fines for lies."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from trustbayes.games.finite import FiniteGame
from trustbayes.games.payoffs import Payoffs

__all__ = ["Fined", "measured_in", "with_payoffs"]

_SAME = 1e-9


@dataclass(frozen=True)
class Fined:
    """Payoffs of a game in which senders pay for lies.

    Parameters
    ----------
    payoffs : Payoffs
        Without the fine.
    per_lie, per_unit : float
        What a sender expects to pay for any lie, and for each unit of |m - θ|, at least 0, payoff
        units: the fine for a lie found out, times the probability that it is.

    Examples
    --------
    >>> from trustbayes.games.payoffs import PowerLoss
    >>> float(Fined(PowerLoss(), per_lie=10.0).sender(1.0, 3.0, 2.0, 3.0))
    100.0
    """

    payoffs: Payoffs
    per_lie: float = 0.0
    per_unit: float = 0.0

    by_distance: ClassVar[bool] = False
    by_message: ClassVar[bool] = True

    @property
    def continuous(self) -> bool:
        """Whether the payoffs without the fine are."""
        return self.payoffs.continuous

    def fine(self, state: Any, message: Any) -> Any:
        """What a sender expects to pay, payoff units."""
        lie = abs(message - state)
        return self.per_lie * (lie > _SAME) + self.per_unit * lie

    def sender(self, state: Any, action: Any, bias: Any, *message: Any) -> Any:
        """u_S(θ, m, a; b) less the fine."""
        known = message if self.payoffs.by_message else ()
        return self.payoffs.sender(state, action, bias, *known) - self.fine(state, message[0])

    def receiver(self, state: Any, action: Any, *message: Any) -> Any:
        """u_R(θ, m, a), which fines do not touch."""
        known = message if self.payoffs.by_message else ()
        return self.payoffs.receiver(state, action, *known)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe description."""
        form = self.payoffs.to_dict()
        return form | {"fined": {"per_lie": self.per_lie, "per_unit": self.per_unit}}


def measured_in(game: FiniteGame, other: FiniteGame) -> FiniteGame:
    """The same game in the units of another: its scale is the other's.

    Parameters, which are standardised, then mean the same payoffs as in the other.

    Parameters
    ----------
    game, other : FiniteGame

    Returns
    -------
    FiniteGame

    Examples
    --------
    >>> from trustbayes.games.payoffs import PowerLoss
    >>> base, richer = FiniteGame([1, 2, 3]), FiniteGame([1, 2, 3], payoffs=PowerLoss(scale=40.0))
    >>> measured_in(richer, base).scale == base.scale
    True
    """
    return _altered(game, whole=other)


def with_payoffs(game: FiniteGame, payoffs: Payoffs) -> FiniteGame:
    """The same game with other payoffs, in the same units.

    Parameters
    ----------
    game : FiniteGame
        Without terms of its own for any treatment.
    payoffs : Payoffs

    Returns
    -------
    FiniteGame

    Examples
    --------
    >>> base = FiniteGame([1, 2, 3])
    >>> fined = with_payoffs(base, Fined(base.payoffs, per_lie=10.0))
    >>> fined.cheap_talk, fined.scale == base.scale
    (False, True)
    """
    return _altered(game, payoffs=payoffs, whole=game.whole or game)


def _altered(game: FiniteGame, **fields: Any) -> FiniteGame:
    """A copy without what the game has worked out from its old fields."""
    made = copy(game)
    kept = set(FiniteGame.__dataclass_fields__)
    for name in [name for name in made.__dict__ if name not in kept]:
        del made.__dict__[name]
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made


def nearest_message(game: FiniteGame) -> np.ndarray:
    """The message nearest to each state, as positions; the lower of two, shape (states,)."""
    return np.asarray(abs(game.messages[None] - game.states[:, None]).argmin(axis=1))
