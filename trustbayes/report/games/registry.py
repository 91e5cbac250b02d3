"""Which report a game gets."""

from __future__ import annotations

from trustbayes.games import FiniteGame, Game
from trustbayes.report.games.finite import Finite
from trustbayes.report.games.forecast import Forecast
from trustbayes.report.games.kind import Kind

__all__ = ["kind_of"]


def kind_of(game: Game) -> Kind:
    """What the report of a game shows and says.

    Examples
    --------
    >>> kind_of(FiniteGame(states=[1, 2])).unit
    'units of the state'
    """
    return Finite() if isinstance(game, FiniteGame) else Forecast()
