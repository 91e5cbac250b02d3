"""Which report a game gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trustbayes.games import FiniteGame, ForecastGame, Game, IntervalGame, RecommendationGame
from trustbayes.report.games.finite import Finite
from trustbayes.report.games.forecast import Forecast
from trustbayes.report.games.interval import Interval
from trustbayes.report.games.kind import Kind
from trustbayes.report.games.recommendation import Recommendation

__all__ = ["kind_of"]


_KINDS: Mapping[str, Callable[[Any], Kind]] = {
    FiniteGame.kind: Finite,
    ForecastGame.kind: Forecast,
    IntervalGame.kind: Interval,
    RecommendationGame.kind: lambda game: Recommendation(),
}
"""The report of every kind of game, given the game."""


def kind_of(game: Game) -> Kind:
    """What the report of a game shows and says.

    Examples
    --------
    >>> kind_of(FiniteGame(states=[1, 2])).words["sender"].unit
    'units of the state'
    """
    return _KINDS[game.kind](game)
