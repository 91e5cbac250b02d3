"""What an experiment pays."""

from trustbayes.games.base import Game, Role
from trustbayes.games.finite import FiniteGame
from trustbayes.games.forecast import ForecastGame, Market, Terms
from trustbayes.games.game import game_from_dict
from trustbayes.games.layout import Layout, Rows, Share, Span
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
    "Rows",
    "Share",
    "Span",
    "Terms",
    "game_from_dict",
    "read_game",
]
