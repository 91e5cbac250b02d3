"""What a kind of game asks of its trials: values, what is filled in, order, and folding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pandas as pd

from trustbayes.cells import Cells, Points, fold_trials, points_of_trials
from trustbayes.errors import Fault, listing
from trustbayes.games import FiniteGame, ForecastGame, Game, PayoffTable, Role
from trustbayes.textfile import TextTable, natural_order, numbers

__all__ = ["FiniteRules", "ForecastRules", "TrialRules", "rules_of"]

_SAME = 1e-9


class TrialRules(Protocol):
    """What differs between the kinds of game in a table of trials."""

    def expected(self, name: str) -> str:
        """What a cell of a column of numbers (state, message, action, bias) may be, in words."""

    def values(self, name: str, cells: pd.Series) -> pd.Series:
        """Cells of such a column as floats; NaN where a cell is not what was expected."""

    def complete(
        self, table: pd.DataFrame, kept: TextTable, columns: Mapping[str, str]
    ) -> list[Fault]:
        """Fill in what the file leaves to the game, and find what does not fit together.

        Parameters
        ----------
        table : DataFrame
            The standard columns of the file with their types, NaN where a cell was at fault.
        kept : TextTable
            The same rows as text.
        columns : mapping of str to str
            Standard name to the file's name.
        """

    def treatments(self, table: pd.DataFrame) -> tuple[str, ...]:
        """The treatments that occur, in the order that results should have."""

    def conditions(self, table: pd.DataFrame, treatment: str) -> list[float] | dict[str, float]:
        """What sets a treatment apart, as a game file would say it."""

    def fold(
        self,
        table: pd.DataFrame,
        role: Role,
        subjects: tuple[str, ...],
        treatments: tuple[str, ...],
    ) -> Cells | Points:
        """The trials of a role in the form that its models take."""


def rules_of(game: Game) -> TrialRules:
    """Give the rules of a game's kind.

    Examples
    --------
    >>> rules_of(ForecastGame()).expected("action")
    'a capacity: a number of at least 0'
    """
    return FiniteRules(game) if isinstance(game, FiniteGame) else ForecastRules(game)


class FiniteRules:
    """Values from the game's lists, and a bias for every trial."""

    def __init__(self, game: FiniteGame) -> None:
        self.game = game
        self.listed = {"state": game.states, "message": game.messages, "action": game.actions}

    def expected(self, name: str) -> str:
        """One of a list, or any bias."""
        if name == "bias":
            return "a number"
        return f"one of the game's {name}s: {listing(self.listed[name])}"

    def values(self, name: str, cells: pd.Series) -> pd.Series:
        """The listed values, or the biases as they are."""
        found = numbers(cells)
        return found if name == "bias" else _snap(found, self.listed[name])

    def complete(
        self, table: pd.DataFrame, kept: TextTable, columns: Mapping[str, str]
    ) -> list[Fault]:
        """One treatment "all" if there is none; every bias known, and one of its treatment's."""
        if "treatment" not in table:
            table["treatment"] = "all"
        if "bias" not in columns:
            return self._biases_from_game(table, kept, columns)
        faults = []
        listed = self.game.treatments or {}
        for treatment, rows in table["bias"].groupby(table["treatment"]):
            if str(treatment) in listed:
                snapped = _snap(rows, np.array(listed[str(treatment)]))
                expected = f"a bias of treatment {treatment}: {listing(listed[str(treatment)])}"
                wrong = rows.index[rows.notna() & snapped.isna()]
                faults += [kept.fault(row, columns["bias"], expected) for row in wrong]
                table.loc[rows.index, "bias"] = snapped
        payoffs = self.game.payoffs
        if isinstance(payoffs, PayoffTable) and payoffs.biases is not None and not listed:
            snapped = _snap(table["bias"], np.array(payoffs.biases))
            expected = f"a bias with a table of sender payoffs: {listing(payoffs.biases)}"
            wrong = table.index[table["bias"].notna() & snapped.isna()]
            faults += [kept.fault(row, columns["bias"], expected) for row in wrong]
            table["bias"] = snapped
        return faults

    def _biases_from_game(
        self, table: pd.DataFrame, kept: TextTable, columns: Mapping[str, str]
    ) -> list[Fault]:
        listed = self.game.treatments or {}
        single = {name: values[0] for name, values in listed.items() if len(set(values)) == 1}
        present = set(table["treatment"].unique())
        table["bias"] = table["treatment"].map(single)
        if "treatment" in columns and listed:
            present &= set(listed)  # the others are faults already
        if without := sorted(present - set(single)):
            expected = (
                "a column bias, or a game file that gives one bias to treatment "
                f"{listing(without)} in [treatments]"
            )
            return [Fault(f"{kept.source}, row 1", "", expected)]
        return []

    def treatments(self, table: pd.DataFrame) -> tuple[str, ...]:
        """By mean of their biases, then in natural order."""
        biases = table.groupby("treatment")["bias"].unique()
        order = natural_order(list(biases.index))
        return tuple(sorted(order, key=lambda name: round(float(biases[name].mean()), 9)))

    def conditions(self, table: pd.DataFrame, treatment: str) -> list[float]:
        """The biases that occur, increasing."""
        return sorted(map(float, table["bias"][table["treatment"] == treatment].unique()))

    def fold(
        self,
        table: pd.DataFrame,
        role: Role,
        subjects: tuple[str, ...],
        treatments: tuple[str, ...],
    ) -> Cells:
        """Counts."""
        return fold_trials(table, self.game, role, subjects, treatments)


class ForecastRules:
    """Values between the game's limits, and a treatment of the game for every trial."""

    def __init__(self, game: ForecastGame) -> None:
        self.game = game
        self.limits = {
            "state": game.seen_range("sender"),
            "message": game.choice_range("sender"),
            "action": game.choice_range("receiver"),
        }

    def expected(self, name: str) -> str:
        """A number between limits."""
        what = {"state": "a forecast", "message": "a report", "action": "a capacity"}[name]
        low, high = self.limits[name]
        if np.isinf(high):
            return f"{what}: a number of at least {low:g}"
        return f"{what}: a number from {low:.12g} to {high:.12g}"

    def values(self, name: str, cells: pd.Series) -> pd.Series:
        """As they are; what is within 1e-9 of a limit is at the limit, where choices pile up."""
        found = numbers(cells)
        for limit in self.limits[name]:
            found = found.mask((found - limit).abs() <= _SAME, limit)
        return found.where(found.between(*self.limits[name]))

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
        """Capacity cost and uncertainty."""
        market = self.game.treatments[treatment]
        return {"capacity_cost": market.capacity_cost, "uncertainty": market.uncertainty}

    def fold(
        self,
        table: pd.DataFrame,
        role: Role,
        subjects: tuple[str, ...],
        treatments: tuple[str, ...],
    ) -> Points:
        """Points."""
        return points_of_trials(table, role, subjects, treatments)


def _snap(values: pd.Series, listed: np.ndarray) -> pd.Series:
    """The listed value that each value is (within 1e-9), NaN where it is none."""
    distance = np.abs(values.to_numpy()[:, None] - listed)
    close = (distance <= _SAME).any(axis=1)
    nearest = np.where(close, listed[np.where(close, distance.argmin(axis=1), 0)], np.nan)
    return pd.Series(nearest, index=values.index)
