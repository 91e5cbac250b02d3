"""What the report of recommendations shows and says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from trustbayes.analysis.analyse import Analysis
from trustbayes.games import Role
from trustbayes.report.games.recommendation import choices, patterns, raw
from trustbayes.report.games.recommendation.tables import (
    design_table,
    keeper_table,
    outcome_table,
    weight_table,
)
from trustbayes.report.page.picture import Picture
from trustbayes.report.page.style import PRIOR
from trustbayes.report.page.table import Table
from trustbayes.simulation import PredictiveCheck
from trustbayes.trials.table import Trials

__all__ = ["Recommendation"]

_CORNERS = (
    "The theories coincide at their corners: one who trusts with a factor near 0 keeps, near 1 "
    "follows, and at one half averages; one who always keeps to the letter says nothing of the "
    "weight that she would give. Choosing and trusting agree on the mean decision, and differ in "
    "how decisions are spread between estimate and recommendation."
)
_DENSITY = (
    "Decisions are recorded in steps: what is compared are log densities per unit of decisions, in "
    "which a spike is its probability over a step. The differences between the models do not "
    "depend on the unit."
)
_QUESTIONS: Mapping[tuple[Role, ...], str] = {
    ("receiver",): "How do people take recommendations: do they give them a weight of their own, "
    "by how far they trust, or go by a rule, such as keeping, following or averaging?"
}


class Recommendation:
    """Estimates, recommendations and decisions on a line: weights, spikes and outcomes."""

    words = patterns.WORDS
    topic = "What is a recommendation worth?"
    questions = _QUESTIONS
    places = 1
    comparison_texts = (_CORNERS, _DENSITY)

    def trial_shifts(self, trials: Trials, role: Role) -> pd.Series:
        """Movement from the estimate towards the recommendation."""
        return patterns.points(trials)["toward"]

    def treatment_facts(self, trials: Trials, treatment: str) -> dict[str, Any]:
        """The adviser's error, where the game states it."""
        facts = trials.conditions(treatment)
        assert isinstance(facts, dict)
        return dict(facts)

    def facts(self, trials: Trials, ci_prob: float) -> dict[str, dict[Role, pd.DataFrame]]:
        """Weights of advice, classes of decisions, outcomes, and people."""
        return {
            "weights": {"receiver": patterns.weights(trials)},
            "classes": {"receiver": patterns.classes(trials)},
            "outcomes": {"receiver": patterns.outcomes(trials)},
            "keepers": {"receiver": patterns.keepers(trials)},
        }

    def tables(self, results: Mapping[str, Any]) -> list[Table]:
        """The game, weights of advice, what following would have earned, who keeps."""
        shown = [design_table(results), weight_table(results), outcome_table(results)]
        people = results["experiment"]["keepers"]["receiver"]
        tables = [table for table in shown if table is not None]
        return tables + [keeper_table(results)] * bool(people)

    def pictures(self, analysis: Analysis) -> list[Picture]:
        """Weights of advice, people, and trust beside what would have been best."""
        return [
            Picture(
                "raw-receiver",
                "Observed weights of advice",
                partial(raw.weight_bars, analysis),
                partial(raw.weight_bars_says, analysis),
            ),
            Picture(
                "raw-people",
                "Who keeps, who follows, and whose advice counts how much",
                partial(raw.people, analysis),
                partial(raw.people_says, analysis),
            ),
            Picture(
                "trust-and-best",
                "Trust by adviser or treatment, and over- and under-trust",
                partial(raw.trust_and_best, analysis),
                partial(raw.trust_and_best_says, analysis),
            ),
        ]

    def panel(
        self, axes: Axes, check: PredictiveCheck, trials: Trials, role: Role, treatment: str
    ) -> None:
        """Shares of the classes of decisions."""
        table = check.choices[check.choices["treatment"] == treatment]
        choices.class_panel(axes, table, PRIOR, observed=False)
        axes.set_xlabel("weight of advice")
        axes.set_ylabel("share")

    def replicated(
        self, analysis: Analysis, role: Role, group: str, models: Sequence[str]
    ) -> Picture:
        """Shares of the classes of decisions, spikes on their own."""
        return Picture(
            f"choices-{group}-{role}",
            f"Weights of advice, observed and replicated: {group}",
            partial(choices.classes, analysis, role, models),
            partial(choices.classes_says, analysis, role, models),
        )
