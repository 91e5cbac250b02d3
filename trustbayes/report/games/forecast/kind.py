"""What the report of a forecast-sharing game shows and says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.games import ForecastGame
from trustbayes.report.games.continuous.kind import Continuous
from trustbayes.report.games.continuous.tables import slope_table
from trustbayes.report.games.forecast.tables import design_table, treatment_table
from trustbayes.report.page.table import Table
from trustbayes.theories.benchmarks.forecast import babbling_capacity
from trustbayes.theories.level_k.forecast import level_shift
from trustbayes.trials.table import Trials

__all__ = ["Forecast"]


class Forecast(Continuous):
    """Forecasts, reports and capacities on a line: scatters, bands and slopes."""

    places = 1

    def treatment_facts(self, trials: Trials, treatment: str) -> dict[str, Any]:
        """Cost and uncertainty, and what the theories make of them."""
        assert isinstance(trials.game, ForecastGame)
        terms = trials.game.terms([treatment])
        market = trials.conditions(treatment)
        assert isinstance(market, dict)
        return market | {
            "critical_ratio": terms.critical_ratio[0],
            "safety": terms.safety[0],
            "level_shift": level_shift(terms)[0],
            "babbling_capacity": babbling_capacity(terms)[0],
        }

    def tables(self, results: Mapping[str, Any]) -> list[Table]:
        """The game, its treatments, and the slopes."""
        return [design_table(results), treatment_table(results), slope_table(results, self.words)]
