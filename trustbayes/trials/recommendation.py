"""Trials of recommendations: which are allowed, and the points of a likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, listing
from trustbayes.files import TextTable, natural_order, numbers
from trustbayes.games import RecommendationGame, Role
from trustbayes.trials.columns import SAME
from trustbayes.trials.forecast import Points, points_of_trials

__all__ = ["ADVICE_COLUMNS", "RecommendationRules", "Recommendations", "advice_of_trials"]

ADVICE_COLUMNS = ("estimate", "estimate_width", "message_width", "outcome", "adviser")
"""Standard columns of trials of recommendations that other kinds of game do not have."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Recommendations(Points):
    """Decisions after a recommendation, each a point.

    ``trial_seen`` is the recommendation, the mean of them if there are several at once, and
    ``trial_choice`` the decision.

    Parameters
    ----------
    trial_estimate : array of float, shape (trials,)
        The person's own estimate, in units of decisions.
    trial_messages : array of float, shape (trials, advisers)
        All recommendations.
    trial_estimate_width, trial_message_width, trial_outcome : array of float, shape (trials,)
        Stated widths, and what came out; NaN where that is not known.
    """

    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **Points.dims,
        "trial_estimate": ("trial",),
        "trial_messages": ("trial", "adviser"),
        "trial_estimate_width": ("trial",),
        "trial_message_width": ("trial",),
        "trial_outcome": ("trial",),
    }

    trial_estimate: np.ndarray
    trial_messages: np.ndarray
    trial_estimate_width: np.ndarray
    trial_message_width: np.ndarray
    trial_outcome: np.ndarray

    def replaceable(self, alike: bool) -> Mapping[str, str]:
        """What was seen and chosen, if the model is made for many experiments."""
        names = ("seen", "choice", "estimate", "messages", "estimate_width", "message_width")
        return {f"trial_{name}": name for name in names} if alike else {}

    @property
    def precision_weight(self) -> np.ndarray:
        """Weight of the recommendation when both are weighted by precision, shape (trials,).

        Widths are taken to be in proportion to standard deviations, so that the weight is
        w_e² / (w_e² + w_m²) (w_e and w_m the widths of estimate and recommendation); NaN where
        one of them is not known.
        """
        estimate, message = self.trial_estimate_width**2, self.trial_message_width**2
        return np.asarray(estimate / (estimate + message))


def advice_of_trials(
    table: pd.DataFrame, role: Role, subjects: tuple[str, ...], treatments: tuple[str, ...]
) -> Recommendations:
    """Take recommendations and decisions as they are.

    Parameters
    ----------
    table : DataFrame
        Checked trials with standard column names, see `trustbayes.trials.table.Trials`.
    role : "receiver"
    subjects, treatments : tuple of str
        All that occur in the table, in the order that the units should have.

    Returns
    -------
    Recommendations
    """
    columns = [name for name in table if name == "message" or str(name).startswith("message_")]
    several = [name for name in columns if str(name).removeprefix("message_").isdigit()]
    messages = table[["message", *several]].to_numpy(float)
    beside = [name for name in (*ADVICE_COLUMNS, *several) if name in table]
    points = points_of_trials(table.drop(columns=beside), role, subjects, treatments)
    unknown = np.full(len(table), np.nan)

    def column(name: str) -> np.ndarray:
        return table[name].to_numpy(float) if name in table else unknown

    known = {field.name: getattr(points, field.name) for field in fields(points)}
    return Recommendations(
        **known | {"trial_seen": messages.mean(axis=1)},
        trial_estimate=column("estimate"),
        trial_messages=messages,
        trial_estimate_width=column("estimate_width"),
        trial_message_width=column("message_width"),
        trial_outcome=column("outcome"),
    )


class RecommendationRules:
    """Numbers on the game's line; the adviser, if nothing else, is the treatment."""

    units: ClassVar[type[Recommendations]] = Recommendations
    shown: ClassVar[tuple[str, ...]] = ()

    def __init__(self, game: RecommendationGame) -> None:
        self.game = game
        self.numbers: tuple[str, ...] = (
            "estimate",
            *(name for name in game.trial_columns if name.startswith("message")),
            "estimate_width",
            "action",
            "outcome",
        )
        self.may_lack: tuple[str, ...] = ("outcome",)

    def expected(self, name: str) -> str:
        """A number on the line; estimates and recommendations in every row."""
        if name.endswith("_width"):
            return "a width: a number above 0"
        what = {"estimate": "an estimate", "action": "a decision", "outcome": "an outcome"}
        said = what.get(name, "a recommendation")
        if name == "outcome":
            return f"{said}: a number, or nothing where it is not known"
        low, high = self.game.lowest, self.game.highest
        ends = [
            text
            for text, end in ((f"from {low:.12g}", low), (f"up to {high:.12g}", high))
            if np.isfinite(end)
        ]
        text = " ".join([f"{said}: a number", *ends])
        if name == "estimate":
            text += (
                " (without an estimate nothing tells who trusts from who had no view: leave the "
                "row out by [exclude])"
            )
        return text

    def values(self, name: str, cells: pd.Series) -> pd.Series:
        """As they are; what is within 1e-9 of an end is at it, where decisions pile up."""
        parsed = numbers(cells)
        if name == "outcome":
            return parsed
        if name.endswith("_width"):
            return parsed.where(parsed > 0)
        low, high = self.game.lowest, self.game.highest
        for limit in (low, high):
            if np.isfinite(limit):
                parsed = parsed.mask((parsed - limit).abs() <= SAME, limit)
        return parsed.where(parsed.between(low, high))

    def complete(
        self, table: pd.DataFrame, kept: TextTable, columns: Mapping[str, str]
    ) -> list[Fault]:
        """The adviser is the treatment if no column is; all recommendations must be there."""
        faults = []
        row = f"{kept.source}, row 1"
        lacking = [name for name in self.game.messages if name not in columns]
        if lacking:
            expected = f"the columns {listing(lacking)}: {self.game.advisers} advisers at once"
            faults.append(Fault(row, "", expected))
        beyond = [
            name
            for name in columns
            if name.removeprefix("message_").isdigit() and name not in self.game.messages
        ]
        if beyond:
            expected = f"advisers = {len(self.game.messages) + len(beyond)} in the game file, or no"
            faults.append(Fault(row, listing(beyond), f"{expected} such columns"))
        if "treatment" not in columns:
            known = self.game.treatments
            if known is not None and len(known) > 1 and "adviser" not in columns:
                expected = f"a column treatment, since the game has several: {listing(list(known))}"
                faults.append(Fault(row, "", expected))
            elif "adviser" in columns:
                table["treatment"] = table["adviser"]
                named = list(known or table["adviser"])
                expected = f"one of the game's treatments: {listing(named)}"
                strange = table.index[~table["adviser"].isin(named)]
                faults += [kept.fault(at, columns["adviser"], expected) for at in strange]
            else:
                table["treatment"] = "all" if known is None else next(iter(known))
        return faults

    def treatments(self, table: pd.DataFrame) -> tuple[str, ...]:
        """In the order of the game, or in natural order."""
        present = set(table["treatment"])
        order = natural_order(list(present)) if self.game.treatments is None else ()
        return tuple(name for name in (self.game.treatments or order) if name in present)

    def conditions(self, table: pd.DataFrame, treatment: str) -> dict[str, float]:
        """The adviser's error, if the game states it."""
        if self.game.treatments is None:
            return {}
        return {"adviser_error": self.game.treatments[treatment].error}

    def fold(
        self,
        table: pd.DataFrame,
        role: Role,
        subjects: tuple[str, ...],
        treatments: tuple[str, ...],
    ) -> Recommendations:
        """Points."""
        return advice_of_trials(table, role, subjects, treatments)
