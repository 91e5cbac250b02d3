"""What the report of a forecast-sharing game shows and says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from trustbayes.analysis.analyse import Analysis
from trustbayes.games import Role
from trustbayes.report.games.forecast import choices, patterns, raw, slopes
from trustbayes.report.games.forecast.tables import design_table, slope_table, treatment_table
from trustbayes.report.games.kind import CORNERS, QUESTIONS, TOPIC
from trustbayes.report.page.picture import Picture
from trustbayes.report.page.style import PRIOR
from trustbayes.report.page.table import Table
from trustbayes.simulation import PredictiveCheck
from trustbayes.theories.benchmarks.forecast import babbling_capacity
from trustbayes.theories.level_k.forecast import level_shift
from trustbayes.trials.table import Trials

__all__ = ["Forecast"]

_DENSITY = (
    "Reports and capacities are continuous: what is compared are log densities per unit of "
    "demand, and log probabilities at the ends of the range, where choices pile up. The "
    "differences between the models do not depend on the unit."
)


class Forecast:
    """Forecasts, reports and capacities on a line: scatters, bands and slopes."""

    words = patterns.WORDS
    topic, questions = TOPIC, QUESTIONS
    places = 1
    comparison_texts = (CORNERS, _DENSITY)

    def trial_shifts(self, trials: Trials, role: Role) -> pd.Series:
        """Report - forecast, or capacity - that of one who trusts fully."""
        table = patterns.choices(trials, role)
        return table["choice"] - table["face"]

    def treatment_facts(self, trials: Trials, treatment: str) -> dict[str, Any]:
        """Cost and uncertainty, and what the theories make of them."""
        terms = patterns.game_of(trials).terms([treatment])
        market = trials.conditions(treatment)
        assert isinstance(market, dict)
        return market | {
            "critical_ratio": terms.critical_ratio[0],
            "safety": terms.safety[0],
            "level_shift": level_shift(terms)[0],
            "babbling_capacity": babbling_capacity(terms)[0],
        }

    def facts(self, trials: Trials, ci_prob: float) -> dict[str, dict[Role, pd.DataFrame]]:
        """Means in bins, and slopes."""
        return {
            "means": {role: patterns.means(trials, role) for role in trials.roles},
            "slopes": {role: patterns.slopes(trials, role, ci_prob) for role in trials.roles},
        }

    def tables(self, results: Mapping[str, Any]) -> list[Table]:
        """The game, its treatments, and the slopes."""
        return [design_table(results), treatment_table(results), slope_table(results)]

    def pictures(self, analysis: Analysis) -> list[Picture]:
        """Scatters and slopes."""
        scatters = [
            Picture(
                f"raw-{role}",
                f"Observed {words.choice} against {words.seen}",
                partial(raw.scatter, analysis, role),
                partial(raw.scatter_says, analysis, role),
            )
            for role, words in self.words.items()
            if role in analysis.trials.roles
        ]
        steepness = Picture(
            "raw-slopes",
            "Regression slopes",
            partial(slopes.slope_figure, analysis),
            partial(slopes.slope_figure_says, analysis),
        )
        return [*scatters, steepness]

    def panel(
        self, axes: Axes, check: PredictiveCheck, trials: Trials, role: Role, treatment: str
    ) -> None:
        """Bands of single choices and their means over what was seen."""
        words = self.words[role]
        binned = check.choices[check.choices["treatment"] == treatment]
        choices.band(axes, binned, PRIOR)
        axes.plot(binned["seen"], binned["mean"], color=PRIOR.colour)
        axes.set_xlabel(f"{words.seen}\n(units of demand)")
        axes.set_ylabel(f"{words.choice}\n(units of demand)")

    def replicated(
        self, analysis: Analysis, role: Role, group: str, models: Sequence[str]
    ) -> Picture:
        """Bands over what was seen."""
        words = self.words[role]
        return Picture(
            f"choices-{group}-{role}",
            f"{words.choice.capitalize()} against {words.seen}, observed and replicated: {group}",
            partial(choices.bands, analysis, role, models),
            partial(choices.bands_says, analysis, role, models),
        )
