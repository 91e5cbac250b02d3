"""The kinds of game that there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.games.finite import FiniteGame
from trustbayes.games.forecast import ForecastGame

__all__ = ["Game", "game_from_dict"]

Game = FiniteGame | ForecastGame
"""A game of either kind."""


def game_from_dict(form: Mapping[str, Any]) -> Game:
    """Read back what a game's ``to_dict`` wrote.

    Parameters
    ----------
    form : mapping
        With the key ``kind``.

    Returns
    -------
    FiniteGame or ForecastGame

    Raises
    ------
    KeyError
        If there is no game of that kind.
    ValueError
        If the payoffs of a finite game are functions.

    Examples
    --------
    >>> game_from_dict(ForecastGame().to_dict()).kind
    'forecast-sharing'
    """
    kinds: Mapping[str, Any] = {game.kind: game for game in (FiniteGame, ForecastGame)}
    game: Game = kinds[form["kind"]].from_dict(form)
    return game
