"""What the report of a game on an interval shows and says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trustbayes.games import IntervalGame
from trustbayes.report.games.continuous.kind import Continuous
from trustbayes.report.games.continuous.tables import slope_table
from trustbayes.report.games.interval.tables import design_table, treatment_table
from trustbayes.report.page.table import Table
from trustbayes.theories.benchmarks.interval import partition_equilibrium
from trustbayes.trials.table import Trials

__all__ = ["Interval"]


class Interval(Continuous):
    """States, messages and actions on an interval: scatters, bands and slopes."""

    def __init__(self, game: IntervalGame) -> None:
        super().__init__(game)
        # As many decimals as tell a thousandth of the interval.
        self.places = max(0, 3 - round(np.log10(game.highest - game.lowest)))

    def treatment_facts(self, trials: Trials, treatment: str) -> dict[str, Any]:
        """The bias, and how many intervals the most informative equilibrium tells apart."""
        game, facts = trials.game, trials.conditions(treatment)
        assert isinstance(game, IntervalGame)
        assert isinstance(facts, dict)
        try:
            intervals = partition_equilibrium(game, treatment).actions.size
        except ValueError:  # no bias, or hardly any: every state may be told
            intervals = None
        return facts | {"equilibrium_intervals": intervals}

    def tables(self, results: Mapping[str, Any]) -> list[Table]:
        """The game, its treatments, and the slopes."""
        return [design_table(results), treatment_table(results), slope_table(results, self.words)]
