"""What an experiment pays."""

from trustbayes.games.finite import FiniteGame, Layout, Role
from trustbayes.games.payoffs import PayoffFunctions, Payoffs, PayoffTable, PowerLoss
from trustbayes.games.reading import read_game

__all__ = [
    "FiniteGame",
    "Layout",
    "PayoffFunctions",
    "PayoffTable",
    "Payoffs",
    "PowerLoss",
    "Role",
    "read_game",
]
