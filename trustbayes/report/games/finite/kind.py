"""What the report of a finite game shows and says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from trustbayes.analysis.analyse import Analysis
from trustbayes.games import Role
from trustbayes.report.games.finite import choices, raw
from trustbayes.report.games.finite.patterns import WORDS, game_of, shares
from trustbayes.report.games.finite.tables import design_table, treatment_table
from trustbayes.report.games.kind import CORNERS
from trustbayes.report.page.picture import Picture
from trustbayes.report.page.style import PRIOR
from trustbayes.report.page.table import Table
from trustbayes.simulation import PredictiveCheck
from trustbayes.trials.table import Trials

__all__ = ["Finite"]

_HEIGHTS = {"theories": 1.75, "benchmarks": 1.4}


class Finite:
    """States, messages and actions from lists: shares of choices, as heat maps and bars."""

    words = WORDS
    unit = "units of the state"
    places = 2
    comparison_texts = (CORNERS,)

    def trial_shifts(self, trials: Trials, role: Role) -> pd.Series:
        """Message - state, or action - message."""
        words = self.words[role]
        table = trials.of_role(role).table
        return table[words.choice] - table[words.seen]

    def treatment_facts(self, trials: Trials, treatment: str) -> dict[str, Any]:
        """The biases that occur, increasing."""
        return {"biases": np.array(trials.conditions(treatment))}

    def facts(self, trials: Trials, ci_prob: float) -> dict[str, dict[Role, pd.DataFrame]]:
        """Shares of all choices."""
        return {"shares": {role: shares(trials, role) for role in trials.roles}}

    def tables(self, found: Mapping[str, Any]) -> list[Table]:
        """The game, and its treatments."""
        return [design_table(found), treatment_table(found)]

    def pictures(self, analysis: Analysis) -> list[Picture]:
        """Heat maps."""
        return [
            Picture(
                f"raw-{role}",
                f"Observed choices of {role}s",
                partial(raw.heat_maps, analysis, role),
                partial(raw.heat_maps_says, analysis, role),
            )
            for role in analysis.trials.roles
        ]

    def panel(
        self, axes: Axes, check: PredictiveCheck, trials: Trials, role: Role, treatment: str
    ) -> None:
        """Shares of the options after everything seen."""
        game, words = game_of(trials), self.words[role]
        table = check.choices[check.choices["treatment"] == treatment]
        choices.shares_panel(axes, table, game, role, PRIOR, observed=False)
        axes.set_xlabel(f"{words.choice} chosen, by {words.seen} seen (in grey)")
        axes.set_ylabel("share")

    def replicated(
        self, analysis: Analysis, role: Role, group: str, models: Sequence[str]
    ) -> Picture:
        """Shares of choices after everything seen."""
        return Picture(
            f"choices-{group}-{role}",
            f"Choices of {role}s, observed and replicated: {group}",
            partial(choices.choices, analysis, role, models, _HEIGHTS[group]),
            partial(choices.choices_says, analysis, role, models),
        )
