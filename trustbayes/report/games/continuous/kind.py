"""What the reports of games on a line show and say alike."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
from matplotlib.axes import Axes

from trustbayes.analysis.analyse import Analysis
from trustbayes.games import ContinuousGame, Role
from trustbayes.report.games.continuous import choices, patterns, raw, slopes
from trustbayes.report.games.kind import CORNERS, QUESTIONS, TOPIC
from trustbayes.report.page.picture import Picture
from trustbayes.report.page.style import PRIOR
from trustbayes.simulation import PredictiveCheck
from trustbayes.trials.table import Trials

__all__ = ["Continuous"]

_DENSITY = (
    "{messages} and {actions} are continuous: what is compared are log densities per unit of "
    "{unit}, and log probabilities at the ends of the range, where choices pile up. The "
    "differences between the models do not depend on the unit."
)


class Continuous:
    """States, messages and actions on a line: scatters, bands and slopes.

    Parameters
    ----------
    game : ContinuousGame
    """

    topic, questions = TOPIC, QUESTIONS

    def __init__(self, game: ContinuousGame) -> None:
        self.words = patterns.words_of(game)
        density = _DENSITY.format(
            messages=_plural(self.words["sender"].choice).capitalize(),
            actions=_plural(self.words["receiver"].choice),
            unit=self.words["sender"].unit.removeprefix("units of "),
        )
        self.comparison_texts = (CORNERS, density)

    def trial_shifts(self, trials: Trials, role: Role) -> pd.Series:
        """Message - state, or action - that of one who trusts fully."""
        table = patterns.choices(trials, role)
        return table["choice"] - table["face"]

    def facts(self, trials: Trials, ci_prob: float) -> dict[str, dict[Role, pd.DataFrame]]:
        """Means in bins, and slopes."""
        return {
            "means": {role: patterns.means(trials, role) for role in trials.roles},
            "slopes": {role: patterns.slopes(trials, role, ci_prob) for role in trials.roles},
        }

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
        axes.set_xlabel(f"{words.seen}\n({words.unit})")
        axes.set_ylabel(f"{words.choice}\n({words.unit})")

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


def _plural(word: str) -> str:
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
