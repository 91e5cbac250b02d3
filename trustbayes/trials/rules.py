"""What a kind of game asks of its trials: values, what is filled in, order, and folding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pandas as pd

from trustbayes.errors import Fault
from trustbayes.files import TextTable
from trustbayes.games import FiniteGame, ForecastGame, Game, IntervalGame, RecommendationGame, Role
from trustbayes.trials.finite import FiniteRules
from trustbayes.trials.forecast import ForecastRules, PointRules
from trustbayes.trials.recommendation import RecommendationRules
from trustbayes.trials.units import Units

__all__ = ["TrialRules", "rules_of"]


class TrialRules(Protocol):
    """What differs between the kinds of game in a table of trials."""

    @property
    def units(self) -> type[Units]:
        """The form in which the models of the kind take trials."""

    @property
    def shown(self) -> tuple[str, ...]:
        """What may be shown after a trial."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The standard columns of numbers, but for the round."""

    @property
    def may_lack(self) -> tuple[str, ...]:
        """Those of them in which a cell may be empty."""

    def expected(self, name: str) -> str:
        """What a cell of a column of numbers may be, in words."""

    def values(self, name: str, cells: pd.Series) -> pd.Series:
        """Cells of such a column as floats; NaN where a cell is not what was expected."""

    def complete(
        self, table: pd.DataFrame, kept: TextTable, columns: Mapping[str, str]
    ) -> list[Fault]:
        """Fill in what the file leaves to the game, and find what does not fit together.

        Parameters
        ----------
        table : DataFrame
            The standard columns of the file with their types, NaN where a cell was at fault.
        kept : TextTable
            The same rows as text.
        columns : mapping of str to str
            Standard name to the file's name.
        """

    def treatments(self, table: pd.DataFrame) -> tuple[str, ...]:
        """The treatments that occur, in the order that results should have."""

    def conditions(self, table: pd.DataFrame, treatment: str) -> list[float] | dict[str, float]:
        """What sets a treatment apart, as a game file would say it."""

    def fold(
        self,
        table: pd.DataFrame,
        role: Role,
        subjects: tuple[str, ...],
        treatments: tuple[str, ...],
    ) -> Units:
        """The trials of a role in the form that its models take."""


_RULES: Mapping[str, Callable[[Any], TrialRules]] = {
    FiniteGame.kind: FiniteRules,
    ForecastGame.kind: ForecastRules,
    IntervalGame.kind: PointRules,
    RecommendationGame.kind: RecommendationRules,
}
"""The rules of every kind of game."""


def rules_of(game: Game) -> TrialRules:
    """Give the rules of a game's kind.

    Examples
    --------
    >>> from trustbayes.games import ForecastGame
    >>> rules_of(ForecastGame()).expected("action")
    'a capacity: a number of at least 0'
    """
    return _RULES[game.kind](game)
