"""The kinds of game that there are: a line for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trustbayes.games.base import Game
from trustbayes.games.finite import FiniteGame
from trustbayes.games.finite_toml import read_finite
from trustbayes.games.forecast import ForecastGame
from trustbayes.games.forecast_toml import read_forecast
from trustbayes.games.interval import IntervalGame
from trustbayes.games.interval_toml import read_interval
from trustbayes.games.recommendation import RecommendationGame
from trustbayes.games.recommendation_toml import read_recommendation
from trustbayes.games.toml_section import Section

__all__ = ["KINDS", "GameKind", "game_from_dict"]


@dataclass(frozen=True)
class GameKind:
    """A kind of game.

    Parameters
    ----------
    game : type of Game
        The class of its games.
    read : callable
        Reads the keys of a game file of the kind, given the file's content and its path; gives
        None if faults were noted in the section.
    """

    game: type[Game]
    read: Callable[[Section, Path], Game | None]


KINDS: Mapping[str, GameKind] = {
    entry.game.kind: entry
    for entry in (
        GameKind(FiniteGame, read_finite),
        GameKind(ForecastGame, read_forecast),
        GameKind(IntervalGame, read_interval),
        GameKind(RecommendationGame, read_recommendation),
    )
}
"""Every kind of game, by its name in game files."""


def game_from_dict(form: Mapping[str, Any]) -> Game:
    """Read back what a game's ``to_dict`` wrote.

    Parameters
    ----------
    form : mapping
        With the key ``kind``.

    Returns
    -------
    Game
        Of the class of its kind.

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
    return KINDS[form["kind"]].game.from_dict(form)
