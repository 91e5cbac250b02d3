"""Folding trials into counts: all that the likelihood of a finite game depends on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from trustbayes.games.base import Role

__all__ = ["Units", "groups_of", "people_of"]

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

    def of_subjects(self, keep: np.ndarray, treatment: int | None = None) -> Self:
        """The trials of some subjects, in one treatment or all.

        Parameters
        ----------
        keep : array of int
            Positions of the subjects, increasing; each must have trials.
        treatment : int, optional

        Returns
        -------
        Units
        """
        chosen = np.isin(self.unit_subject, keep)
        if treatment is not None:
            chosen &= self.unit_treatment == treatment
        trials = chosen[self.trial_unit]
        arrays: dict[str, Any] = {
            name: getattr(self, name)[trials if name.startswith("trial_") else chosen]
            for name in (each.name for each in fields(self))
            if name.startswith(("trial_", "unit_")) or name == "counts"
        }
        arrays["unit_subject"] = np.searchsorted(keep, arrays["unit_subject"])
        arrays["trial_unit"] = (np.cumsum(chosen) - 1)[arrays["trial_unit"]]
        return replace(
            self,
            subjects=tuple(self.subjects[i] for i in keep),
            groups=None if self.groups is None else tuple(self.groups[i] for i in keep),
            people={name: values[keep] for name, values in self.people.items()},
            **arrays,
        )

    @cached_property
    def cell_subject(self) -> np.ndarray:
        """The subject of each cell, shape (cells,)."""
        return self.unit_subject[self.cell_unit]


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


_SAME = 1e-9
