"""What an experiment pays."""

from collections.abc import Mapping
from typing import Any

from trustbayes.games.finite import FiniteGame, Layout, Role
from trustbayes.games.forecast import ForecastGame, Market, Terms
from trustbayes.games.payoffs import PayoffFunctions, Payoffs, PayoffTable, PowerLoss
from trustbayes.games.reading import read_game

__all__ = [
    "FiniteGame",
    "ForecastGame",
    "Game",
    "Layout",
    "Market",
    "PayoffFunctions",
    "PayoffTable",
    "Payoffs",
    "PowerLoss",
    "Role",
    "Terms",
    "game_from_dict",
    "read_game",
]

Game = FiniteGame | ForecastGame
"""A game of either kind."""


def game_from_dict(form: Mapping[str, Any]) -> Game:
    """Read back what a game's ``to_dict`` wrote.

    Examples
    --------
    >>> game_from_dict(ForecastGame().to_dict()).kind
    'forecast-sharing'
    """
    kinds: Mapping[str, Any] = {game.kind: game for game in (FiniteGame, ForecastGame)}
    game: Game = kinds[form["kind"]].from_dict(form)
    return game
