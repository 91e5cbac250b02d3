"""What the report of a finite game shows and says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from trustbayes.analysis.analyse import Analysis
from trustbayes.games import FiniteGame, Role
from trustbayes.report.games.finite import choices, raw
from trustbayes.report.games.finite.patterns import game_of, shares, words_of
from trustbayes.report.games.finite.tables import DIRECTIONS, design_table, treatment_table
from trustbayes.report.games.kind import CORNERS, QUESTIONS, TOPIC
from trustbayes.report.page.picture import Picture
from trustbayes.report.page.style import PRIOR
from trustbayes.report.page.table import Table
from trustbayes.simulation import PredictiveCheck
from trustbayes.trials.table import Trials

__all__ = ["Finite"]

_HEIGHTS = {"theories": 1.75, "benchmarks": 1.4}


class Finite:
    """States, messages and actions from lists: shares of choices, as heat maps and bars."""

    topic, questions = TOPIC, QUESTIONS
    places = 2
    comparison_texts = (CORNERS,)

    def __init__(self, game: FiniteGame) -> None:
        self.words = words_of(game)

    def trial_shifts(self, trials: Trials, role: Role) -> pd.Series:
        """Message - state, or action - message; see `trustbayes.games.FiniteGame.shifts`."""
        game, words = game_of(trials), self.words[role]
        table = trials.of_role(role).table
        seen = np.searchsorted(game.seen(role), table[words.seen])
        choice = np.searchsorted(game.options(role), table[words.choice])
        return pd.Series(game.shifts(role)[seen, choice], index=table.index)

    def treatment_facts(self, trials: Trials, treatment: str) -> dict[str, Any]:
        """The biases that occur, increasing; and what a general game says of the treatment."""
        game, biases = game_of(trials), trials.conditions(treatment)
        facts: dict[str, Any] = {"biases": np.array(biases)}
        if game.terms or game.direction:
            stage = game.in_treatment(treatment)
            signs = {stage.direction_of(float(bias)) for bias in biases}
            facts["messages_that_pay"] = [DIRECTIONS[sign] for sign in sorted(signs)]
            facts["mean_state"] = float(stage.prior @ stage.states)
        return facts

    def facts(self, trials: Trials, ci_prob: float) -> dict[str, dict[Role, pd.DataFrame]]:
        """Shares of all choices."""
        return {"shares": {role: shares(trials, role) for role in trials.roles}}

    def tables(self, results: Mapping[str, Any]) -> list[Table]:
        """The game, and its treatments."""
        return [design_table(results), treatment_table(results)]

    def pictures(self, analysis: Analysis) -> list[Picture]:
        """Heat maps; where actions are labels, the share of each by message."""
        game, pictures = game_of(analysis.trials), []
        for role in analysis.trials.roles:
            labelled = role == "receiver" and game.labelled
            draw, says = (
                (raw.share_lines, raw.share_lines_says)
                if labelled
                else (raw.heat_maps, raw.heat_maps_says)
            )
            pictures.append(
                Picture(
                    f"raw-{role}",
                    f"Observed choices of {role}s",
                    partial(draw, analysis, role),
                    partial(says, analysis, role),
                )
            )
        return pictures

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
