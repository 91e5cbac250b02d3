"""What differs in a report between the kinds of game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd
from matplotlib.axes import Axes

from trustbayes.analysis.analyse import Analysis
from trustbayes.games import Role
from trustbayes.report.page.picture import Picture
from trustbayes.report.page.table import Table
from trustbayes.simulation import PredictiveCheck
from trustbayes.trials.table import Trials

__all__ = ["CORNERS", "QUESTIONS", "TOPIC", "Kind", "Words"]

CORNERS = (
    "The theories coincide at their corners: a trust-embedded receiver with full trust is the "
    "level-0 receiver, a trust-embedded sender with a very large lying aversion is the level-0 "
    "sender, and one with none who expects full trust is the level-1 sender. Subjects there "
    "cannot be told apart by their choices."
)
"""Where the theories coincide, in the kinds of game in which people send messages."""

TOPIC = "Trust or limited thinking?"
"""What the report is about, where people send messages."""

QUESTIONS: Mapping[tuple[Role, ...], str] = {
    ("sender",): "Why do senders say what they say: because lying has a cost for them, or because "
    "they think a few steps ahead?",
    ("receiver",): "Why do receivers do what they do: because they trust in part, or because they "
    "think a few steps ahead?",
    ("sender", "receiver"): "Why do people say and believe what they do: because honesty and trust "
    "weigh with them, or because they think a few steps ahead?",
}
"""The question of the report by the roles that it is about, where people send messages."""


@dataclass(frozen=True)
class Words:
    """What a role sees and does, in the words of a kind of game.

    Parameters
    ----------
    seen, choice : str
        "state" and "message", say.
    shift : str
        How far a choice is from face value, as a difference.
    drift : str
        The name of this difference, such as "exaggeration".
    unit : str
        The unit of shifts.
    sign : 1 or -1
        -1 where the report shows face value minus choice, that is the other way round than
        `trustbayes.simulation.PredictiveCheck` has it.
    """

    seen: str
    choice: str
    shift: str
    drift: str
    unit: str
    sign: int = 1


class Kind(Protocol):
    """What differs in a report between the kinds of game."""

    @property
    def words(self) -> Mapping[Role, Words]:
        """What each role sees and does."""

    @property
    def topic(self) -> str:
        """What the report is about, its title."""

    @property
    def questions(self) -> Mapping[tuple[Role, ...], str]:
        """What the report answers, by the roles that it is about."""

    @property
    def places(self) -> int:
        """Decimals of a mean shift."""

    @property
    def comparison_texts(self) -> Sequence[str]:
        """Where the theories coincide, and what else a reader of scores should know."""

    def trial_shifts(self, trials: Trials, role: Role) -> pd.Series:
        """Choice minus face value of every trial."""

    def treatment_facts(self, trials: Trials, treatment: str) -> dict[str, Any]:
        """What sets a treatment apart, for the results."""

    def facts(self, trials: Trials, ci_prob: float) -> dict[str, dict[Role, pd.DataFrame]]:
        """The patterns in the trials that the report shows before any model, by role."""

    def tables(self, results: Mapping[str, Any]) -> list[Table]:
        """The design of the experiment and its patterns, from the results."""

    def pictures(self, analysis: Analysis) -> list[Picture]:
        """The choices as they were observed."""

    def panel(
        self, axes: Axes, check: PredictiveCheck, trials: Trials, role: Role, treatment: str
    ) -> None:
        """Choices of one treatment as a check replicates them, without what was observed."""

    def replicated(
        self, analysis: Analysis, role: Role, group: str, models: Sequence[str]
    ) -> Picture:
        """The choices observed and replicated by some models, called a group."""
