"""Trials of games on a line: which are allowed, and the points of a likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, listing
from trustbayes.files import TextTable, numbers
from trustbayes.games import ContinuousGame, Role
from trustbayes.trials.columns import SAME, SEEN_AND_CHOSEN
from trustbayes.trials.units import Units, groups_of, number_units, people_of

__all__ = ["ForecastRules", "PointRules", "Points", "points_of_trials"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Points(Units):
    """The trials of a game of continuous choices, which do not fold: each is a point.

    Parameters
    ----------
    trial_seen, trial_choice : array of float, shape (trials,)
        What was seen (sender: the state, receiver: the message) and what was chosen (sender: the
        message, receiver: the action), in the game's units.
    """

    continuous: ClassVar[bool] = True
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **Units.dims,
        "trial_seen": ("trial",),
        "trial_choice": ("trial",),
    }

    trial_seen: np.ndarray
    trial_choice: np.ndarray

    @property
    def pattern(self) -> tuple[np.ndarray, ...]:
        """Who made each trial, in which treatment."""
        return self.unit_subject, self.unit_treatment, self.trial_unit

    def replaceable(self, alike: bool) -> Mapping[str, str]:
        """What was seen and chosen, if the model is made for many experiments."""
        return {"trial_seen": "seen", "trial_choice": "choice"} if alike else {}

    @property
    def cell_unit(self) -> np.ndarray:
        """The unit of each trial: every trial is a cell of its own."""
        return self.trial_unit

    @property
    def cell_trials(self) -> np.ndarray:
        """One trial in each cell."""
        return np.ones(self.n_trials, dtype=int)

    @property
    def trial_cell(self) -> np.ndarray:
        """The trials themselves."""
        return np.arange(self.n_trials)


def points_of_trials(
    table: pd.DataFrame, role: Role, subjects: tuple[str, ...], treatments: tuple[str, ...]
) -> Points:
    """Take what was seen and chosen in the trials of a role as it is.

    Parameters
    ----------
    table : DataFrame
        Checked trials with standard column names, see `trustbayes.trials.table.Trials`.
    role : "sender" or "receiver"
    subjects, treatments : tuple of str
        All that occur in the table, in the order that the units should have.

    Returns
    -------
    Points
    """
    seen, choice = SEEN_AND_CHOSEN[role]
    units, trial_unit = number_units(table, role, subjects, treatments)
    people, varying = people_of(table, role, subjects)
    return Points(
        role=role,
        subjects=subjects,
        treatments=treatments,
        groups=groups_of(table, role, subjects),
        unit_subject=units[:, 0],
        unit_treatment=units[:, 1],
        trial_unit=trial_unit,
        trial_seen=table[seen].to_numpy(float),
        trial_choice=table[choice].to_numpy(float),
        people=people,
        varying=varying,
    )


class PointRules:
    """Values between the game's limits, and a treatment of the game for every trial."""

    units: ClassVar[type[Points]] = Points
    shown: ClassVar[tuple[str, ...]] = ("state", "none")
    numbers: ClassVar[tuple[str, ...]] = ("state", "message", "action")
    may_lack: ClassVar[tuple[str, ...]] = ()
    called: ClassVar[Mapping[str, str]] = {
        "state": "a state",
        "message": "a message",
        "action": "an action",
    }
    """What the numbers are in the words of the game."""

    def __init__(self, game: ContinuousGame) -> None:
        self.game = game
        self.limits = {
            "state": game.seen_range("sender"),
            "message": game.choice_range("sender"),
            "action": game.choice_range("receiver"),
        }

    def expected(self, name: str) -> str:
        """A number between limits."""
        what = self.called[name]
        low, high = self.limits[name]
        if np.isinf(high):
            return f"{what}: a number of at least {low:g}"
        return f"{what}: a number from {low:.12g} to {high:.12g}"

    def values(self, name: str, cells: pd.Series) -> pd.Series:
        """As they are; what is within 1e-9 of a limit is at the limit, where choices pile up."""
        parsed = numbers(cells)
        for limit in self.limits[name]:
            parsed = parsed.mask((parsed - limit).abs() <= SAME, limit)
        return parsed.where(parsed.between(*self.limits[name]))

    def complete(
        self, table: pd.DataFrame, kept: TextTable, columns: Mapping[str, str]
    ) -> list[Fault]:
        """The game's only treatment if the file names none."""
        if "treatment" in columns:
            return []
        names = list(self.game.treatments)
        if len(names) > 1:
            expected = f"a column treatment, since the game has several: {listing(names)}"
            return [Fault(f"{kept.source}, row 1", "", expected)]
        table["treatment"] = names[0]
        return []

    def treatments(self, table: pd.DataFrame) -> tuple[str, ...]:
        """In the order of the game."""
        present = set(table["treatment"])
        return tuple(name for name in self.game.treatments if name in present)

    def conditions(self, table: pd.DataFrame, treatment: str) -> dict[str, float]:
        """The bias."""
        return {"bias": float(self.game.treatments[treatment])}

    def fold(
        self,
        table: pd.DataFrame,
        role: Role,
        subjects: tuple[str, ...],
        treatments: tuple[str, ...],
    ) -> Points:
        """Points."""
        return points_of_trials(table, role, subjects, treatments)


class ForecastRules(PointRules):
    """Those of forecast sharing, in its words."""

    called: ClassVar[Mapping[str, str]] = {
        "state": "a forecast",
        "message": "a report",
        "action": "a capacity",
    }

    def conditions(self, table: pd.DataFrame, treatment: str) -> dict[str, float]:
        """Capacity cost and uncertainty."""
        market = self.game.treatments[treatment]
        return {"capacity_cost": market.capacity_cost, "uncertainty": market.uncertainty}
