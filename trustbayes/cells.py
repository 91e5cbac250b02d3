"""Folding trials into counts: all that the likelihood of a finite game depends on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from trustbayes.games.finite import FiniteGame, Role

__all__ = [
    "Cells",
    "Points",
    "Units",
    "fold_trials",
    "groups_of",
    "people_of",
    "points_of_trials",
]

_SEEN_AND_CHOSEN: dict[Role, tuple[str, str]] = {
    "sender": ("state", "message"),
    "receiver": ("message", "action"),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Units(ABC):
    """The trials of one role: who made them, in which treatment.

    A unit is an observed combination of subject and treatment (and, in a finite game, bias);
    units are sorted in this order. Everything is kept in the order of the trials, so models in
    which the order matters lose nothing.

    Parameters
    ----------
    role : "sender" or "receiver"
    subjects : tuple of str
        In natural order.
    treatments : tuple of str
    groups : tuple of str or None
        The group of each subject.
    unit_subject, unit_treatment : array of int, shape (units,)
        Positions in ``subjects`` and ``treatments``.
    trial_unit : array of int, shape (trials,)
        The unit of each trial, in the order of the trials.
    people : mapping of str to array, shape (subjects,)
        What else is known of each subject: every further column of the trials that is the same
        in all her trials, as numbers or texts. One called ``sender_age`` or ``receiver_age`` is
        ``age`` of her role, too.
    varying : tuple of str
        The further columns that are not.
    """

    role: Role
    subjects: tuple[str, ...]
    treatments: tuple[str, ...]
    groups: tuple[str, ...] | None
    unit_subject: np.ndarray
    unit_treatment: np.ndarray
    trial_unit: np.ndarray
    people: Mapping[str, np.ndarray] = field(default_factory=dict)
    varying: tuple[str, ...] = ()

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return int(self.trial_unit.size)

    @cached_property
    def trials_per_unit(self) -> np.ndarray:
        """Number of trials of each unit, shape (units,)."""
        return np.bincount(self.trial_unit, minlength=self.unit_subject.size)

    @cached_property
    def trials_per_subject(self) -> np.ndarray:
        """Number of trials of each subject, shape (subjects,)."""
        return np.bincount(self.trial_subject, minlength=len(self.subjects))

    @cached_property
    def trial_subject(self) -> np.ndarray:
        """The subject of each trial, shape (trials,)."""
        return self.unit_subject[self.trial_unit]

    @property
    @abstractmethod
    def cell_unit(self) -> np.ndarray:
        """The unit of each cell, shape (cells,): a cell holds trials that are alike."""

    @property
    @abstractmethod
    def cell_trials(self) -> np.ndarray:
        """Number of trials of each cell, shape (cells,)."""

    @property
    @abstractmethod
    def trial_cell(self) -> np.ndarray:
        """The cell of each trial, shape (trials,)."""

    @property
    @abstractmethod
    def pattern(self) -> tuple[np.ndarray, ...]:
        """The design: a model compiled for replaceable trials fits others of their pattern."""

    def by_design(self) -> Self:
        """The same trials with the subjects in an order that the design alone says.

        Experiments of one design then have one pattern, whatever their subjects are called.
        """
        return self

    @cached_property
    def cell_subject(self) -> np.ndarray:
        """The subject of each cell, shape (cells,)."""
        return self.unit_subject[self.cell_unit]


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

    def by_design(self) -> Self:
        """Subjects by treatments and biases, those alike in the order that they had."""
        played: list[list[list[int]]] = [[] for _ in self.subjects]
        units = np.column_stack([self.unit_treatment, self.unit_bias]).tolist()
        for subject, unit in zip(self.unit_subject.tolist(), units, strict=True):
            played[subject].append(unit)
        order = sorted(range(len(self.subjects)), key=played.__getitem__)
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


@dataclass(frozen=True, eq=False, kw_only=True)
class Points(Units):
    """The trials of a game of continuous choices, which do not fold: each is a point.

    Parameters
    ----------
    trial_seen, trial_choice : array of float, shape (trials,)
        What was seen (sender: the state, receiver: the message) and what was chosen (sender: the
        message, receiver: the action), in the game's units.
    """

    trial_seen: np.ndarray
    trial_choice: np.ndarray

    @property
    def pattern(self) -> tuple[np.ndarray, ...]:
        """Who made each trial, in which treatment."""
        return self.unit_subject, self.unit_treatment, self.trial_unit

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
        Checked trials with standard column names, see `trustbayes.trials.Trials`.
    game : FiniteGame
    role : "sender" or "receiver"
    subjects, treatments : tuple of str
        All that occur in the table, in the order that the cells should have.

    Returns
    -------
    Cells
    """
    seen, option = _SEEN_AND_CHOSEN[role]
    biases, bias = np.unique(table["bias"].to_numpy(float), return_inverse=True)
    units, trial_unit = _units(table, role, subjects, treatments, bias)
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


def points_of_trials(
    table: pd.DataFrame, role: Role, subjects: tuple[str, ...], treatments: tuple[str, ...]
) -> Points:
    """Take what was seen and chosen in the trials of a role as it is.

    Parameters
    ----------
    table : DataFrame
        Checked trials with standard column names, see `trustbayes.trials.Trials`.
    role : "sender" or "receiver"
    subjects, treatments : tuple of str
        All that occur in the table, in the order that the units should have.

    Returns
    -------
    Points
    """
    seen, choice = _SEEN_AND_CHOSEN[role]
    units, trial_unit = _units(table, role, subjects, treatments)
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


def _units(
    table: pd.DataFrame,
    role: Role,
    subjects: tuple[str, ...],
    treatments: tuple[str, ...],
    *others: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Number what sets units apart, shape (units, 2 + others), and the unit of each trial."""
    subject = pd.Index(subjects).get_indexer(pd.Index(table[role]))
    treatment = pd.Index(treatments).get_indexer(pd.Index(table["treatment"]))
    columns = np.column_stack([subject, treatment, *others])
    units, trial_unit = np.unique(columns, axis=0, return_inverse=True)
    return units, trial_unit


def groups_of(table: pd.DataFrame, role: Role, subjects: tuple[str, ...]) -> tuple[str, ...] | None:
    """The matching group of each subject; None if the table has none."""
    if "group" not in table:
        return None
    return tuple(table.drop_duplicates(role).set_index(role)["group"].loc[list(subjects)])


_STANDARD = (
    *("sender", "receiver", "round", "treatment", "bias", "group"),
    *("state", "message", "action"),
)


def people_of(
    table: pd.DataFrame, role: Role, subjects: tuple[str, ...]
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Take what is known of the subjects of a role from a table of trials.

    Parameters
    ----------
    table : DataFrame
        With standard column names and others.
    role : "sender" or "receiver"
    subjects : tuple of str

    Returns
    -------
    people : dict of str to array, shape (subjects,)
        See `Units`.
    varying : tuple of str
        The further columns that differ between the trials of a subject.
    """
    others = [str(name) for name in table if name not in _STANDARD]
    row = table.drop_duplicates(role).set_index(role)
    first = row[others].loc[table[role]]
    same = {n: bool((first[n].to_numpy() == table[n].to_numpy()).all()) for n in others}
    people = {name: row[name].loc[list(subjects)].to_numpy() for name in others if same[name]}
    for name in list(people):
        short = name.removeprefix(f"{role}_")
        if short != name and short not in table:
            people[short] = people[name]
    return people, tuple(name for name in others if not same[name])


def _positions(values: pd.Series, listed: np.ndarray) -> np.ndarray:
    """Positions of checked values, which equal an entry of the list exactly."""
    return np.searchsorted(listed, values.to_numpy(float))
