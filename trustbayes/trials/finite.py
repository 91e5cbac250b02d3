"""Trials of a finite game: which are allowed, and how they fold into counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, listing
from trustbayes.files import TextTable, natural_order, numbers
from trustbayes.games import FiniteGame, PayoffTable, Role
from trustbayes.trials.columns import SAME, SEEN_AND_CHOSEN
from trustbayes.trials.units import Units, groups_of, number_units, people_of

__all__ = ["Cells", "FiniteRules", "fold_trials"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Cells(Units):
    """The trials of a finite game, counted by who chose what after seeing what.

    Parameters
    ----------
    biases : array of float, shape (biases,)
        Increasing; how much higher than the state the sender wants the action. Treatments are
        sorted by their mean bias.
    unit_bias : array of int, shape (units,)
        Positions in ``biases``.
    counts : array of int, shape (units, seen, options)
        Trials by what was seen (sender: state, receiver: message) and what was chosen (sender:
        message, receiver: action), as positions in the game's lists.
    trial_seen, trial_option : array of int, shape (trials,)
        The cell of each trial, in the order of the trials.
    """

    continuous: ClassVar[bool] = False
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **Units.dims,
        "biases": ("bias",),
        "unit_bias": ("unit",),
        "counts": ("unit", "seen", "option"),
        "trial_seen": ("trial",),
        "trial_option": ("trial",),
    }

    biases: np.ndarray
    unit_bias: np.ndarray
    counts: np.ndarray
    trial_seen: np.ndarray
    trial_option: np.ndarray

    @cached_property
    def trials_per_unit(self) -> np.ndarray:
        """Number of trials of each unit, shape (units,)."""
        return self.counts.sum(axis=(1, 2))

    @property
    def pattern(self) -> tuple[np.ndarray, ...]:
        """Who is observed under which treatment and bias, and the numbers of options."""
        shape = np.array(self.counts.shape)
        return self.unit_subject, self.unit_treatment, self.biases, self.unit_bias, shape

    def replaceable(self, alike: bool) -> Mapping[str, str]:
        """The counts, always."""
        return {"counts": "counts"}

    def by_design(self) -> Self:
        """Subjects by treatments and biases, those alike in the order that they had."""
        conditions: list[list[list[int]]] = [[] for _ in self.subjects]
        units = np.column_stack([self.unit_treatment, self.unit_bias]).tolist()
        for subject, unit in zip(self.unit_subject.tolist(), units, strict=True):
            conditions[subject].append(unit)
        order = sorted(range(len(self.subjects)), key=conditions.__getitem__)
        subject = np.argsort(order)[self.unit_subject]
        moved = np.argsort(subject, kind="stable")
        return replace(
            self,
            subjects=tuple(self.subjects[i] for i in order),
            groups=None if self.groups is None else tuple(self.groups[i] for i in order),
            unit_subject=subject[moved],
            unit_treatment=self.unit_treatment[moved],
            unit_bias=self.unit_bias[moved],
            counts=self.counts[moved],
            trial_unit=np.argsort(moved)[self.trial_unit],
            people={name: values[order] for name, values in self.people.items()},
        )

    @cached_property
    def observed(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Unit, seen and option of every cell that holds a trial, in the order of the cells."""
        unit, seen, option = np.nonzero(self.counts)
        return unit, seen, option

    @property
    def cell_unit(self) -> np.ndarray:
        """The unit of each cell that holds a trial, shape (cells,)."""
        return self.observed[0]

    @property
    def cell_trials(self) -> np.ndarray:
        """Number of trials of each cell, shape (cells,)."""
        return self.counts[self.observed]

    @cached_property
    def trial_cell(self) -> np.ndarray:
        """The cell of each trial, shape (trials,)."""
        position = np.full(self.counts.shape, -1)
        position[self.observed] = np.arange(self.cell_unit.size)
        return position[self.trial_unit, self.trial_seen, self.trial_option]

    @cached_property
    def _conditions(self) -> tuple[np.ndarray, np.ndarray]:
        pairs = np.column_stack([self.unit_treatment, self.unit_bias])
        conditions, unit_condition = np.unique(pairs, axis=0, return_inverse=True)
        return conditions, unit_condition.reshape(-1)

    @property
    def condition_treatment(self) -> np.ndarray:
        """The treatment of each observed combination of treatment and bias, shape (conditions,)."""
        return self._conditions[0][:, 0]

    @property
    def condition_bias(self) -> np.ndarray:
        """The bias of each such condition, as a position in ``biases``."""
        return self._conditions[0][:, 1]

    @property
    def unit_condition(self) -> np.ndarray:
        """The condition of each unit, shape (units,)."""
        return self._conditions[1]


def fold_trials(
    table: pd.DataFrame,
    game: FiniteGame,
    role: Role,
    subjects: tuple[str, ...],
    treatments: tuple[str, ...],
) -> Cells:
    """Count the trials of a role.

    Parameters
    ----------
    table : DataFrame
        Checked trials with standard column names, see `trustbayes.trials.table.Trials`.
    game : FiniteGame
    role : "sender" or "receiver"
    subjects, treatments : tuple of str
        All that occur in the table, in the order that the cells should have.

    Returns
    -------
    Cells
    """
    seen, option = SEEN_AND_CHOSEN[role]
    biases, bias = np.unique(table["bias"].to_numpy(float), return_inverse=True)
    units, trial_unit = number_units(table, role, subjects, treatments, bias)
    trial_seen = _positions(table[seen], game.seen(role))
    trial_option = _positions(table[option], game.options(role))
    people, varying = people_of(table, role, subjects)
    counts = np.zeros((len(units), game.seen(role).size, game.options(role).size), dtype=int)
    np.add.at(counts, (trial_unit, trial_seen, trial_option), 1)
    return Cells(
        role=role,
        subjects=subjects,
        treatments=treatments,
        biases=biases,
        groups=groups_of(table, role, subjects),
        unit_subject=units[:, 0],
        unit_treatment=units[:, 1],
        unit_bias=units[:, 2],
        counts=counts,
        trial_unit=trial_unit,
        trial_seen=trial_seen,
        trial_option=trial_option,
        people=people,
        varying=varying,
    )


def _positions(values: pd.Series, listed: np.ndarray) -> np.ndarray:
    """Positions of checked values, which equal an entry of the list exactly."""
    return np.searchsorted(listed, values.to_numpy(float))


class FiniteRules:
    """Values from the game's lists, and a bias for every trial."""

    units: ClassVar[type[Cells]] = Cells
    shown: ClassVar[tuple[str, ...]] = ("state", "payoff", "none")
    numbers: ClassVar[tuple[str, ...]] = ("state", "message", "action", "bias")
    may_lack: ClassVar[tuple[str, ...]] = ()

    def __init__(self, game: FiniteGame) -> None:
        self.game = game
        self.listed = {"state": game.states, "message": game.messages, "action": game.actions}

    def expected(self, name: str) -> str:
        """One of a list, or any bias."""
        if name == "bias":
            return "a number"
        listed: Iterable[str | float] = self.listed[name]
        if name == "action" and self.game.action_labels:
            pairs = zip(self.game.action_labels, self.listed[name], strict=True)
            listed = [f"{label} ({number:g})" for label, number in pairs]
        return f"one of the game's {name}s: {listing(listed)}"

    def values(self, name: str, cells: pd.Series) -> pd.Series:
        """The listed values, of labels their numbers; or the biases as they are."""
        parsed = numbers(cells)
        if name == "action" and self.game.action_labels:
            named = dict(zip(self.game.action_labels, self.game.actions.tolist(), strict=True))
            parsed = cells.map(named).astype(float).fillna(parsed)
        return parsed if name == "bias" else _snap(parsed, self.listed[name])

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
        if not listed and self.game.direction is not None:  # no bias says what senders want
            table["bias"] = 0.0
            return []
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


def _snap(values: pd.Series, listed: np.ndarray) -> pd.Series:
    """The listed value that each value is (within 1e-9), NaN where it is none."""
    distance = np.abs(values.to_numpy()[:, None] - listed)
    close = (distance <= SAME).any(axis=1)
    nearest = np.where(close, listed[np.where(close, distance.argmin(axis=1), 0)], np.nan)
    return pd.Series(nearest, index=values.index)
