"""How policies are played in each kind of game."""

from __future__ import annotations

from collections.abc import Mapping

from trustbayes.games import FiniteGame, ForecastGame, Game, IntervalGame, RecommendationGame
from trustbayes.simulation.policies import finite, forecast, interval, recommendation
from trustbayes.simulation.policies.stage import Play

__all__ = ["play_of"]

_KINDS: Mapping[str, Play] = {
    FiniteGame.kind: finite,
    ForecastGame.kind: forecast,
    IntervalGame.kind: interval,
    RecommendationGame.kind: recommendation,
}


def play_of(game: Game) -> Play:
    """How a game's kind is played.

    Examples
    --------
    >>> play_of(ForecastGame()).stage(ForecastGame(), "CHUL", (), {}, None, None).treatment
    'CHUL'
    """
    return _KINDS[game.kind]
