"""What an experiment pays."""

from trustbayes.games.base import Game, Role
from trustbayes.games.continuous import ContinuousGame
from trustbayes.games.feedback import Feedback
from trustbayes.games.finite import FiniteGame
from trustbayes.games.finite_terms import FiniteTerms
from trustbayes.games.forecast import ForecastGame, Market, Terms
from trustbayes.games.game import game_from_dict
from trustbayes.games.interval import IntervalGame, IntervalTerms
from trustbayes.games.layout import Layout, Rows, Share, Span
from trustbayes.games.message_payoffs import MessagePayoffFunctions, PayoffFormulas
from trustbayes.games.payoffs import PayoffFunctions, Payoffs, PayoffTable, PowerLoss
from trustbayes.games.reading import read_game
from trustbayes.games.recommendation import Adviser, RecommendationGame

__all__ = [
    "Adviser",
    "ContinuousGame",
    "Feedback",
    "FiniteGame",
    "FiniteTerms",
    "ForecastGame",
    "Game",
    "IntervalGame",
    "IntervalTerms",
    "Layout",
    "Market",
    "MessagePayoffFunctions",
    "PayoffFormulas",
    "PayoffFunctions",
    "PayoffTable",
    "Payoffs",
    "PowerLoss",
    "RecommendationGame",
    "Role",
    "Rows",
    "Share",
    "Span",
    "Terms",
    "game_from_dict",
    "read_game",
]
