"""The trials of one role in the form that models take: who made them, in which treatment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import unquote

import numpy as np
import pandas as pd

from trustbayes.games.base import Role
from trustbayes.trials.columns import STANDARD

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Units", "groups_of", "number_units", "people_of"]

_COVARIATE = "people "  # before the name of a covariate in a data set of units


@dataclass(frozen=True, eq=False, kw_only=True)
class Units(ABC):
    """The trials of one role: who made them, in which treatment.

    A unit is an observed combination of subject and treatment (and, in a finite game, bias);
    units are sorted in this order. Everything is kept in the order of the trials, so models in
    which the order matters lose nothing. What was seen and chosen is in the units of each kind
    of game, `trustbayes.trials.finite.Cells` and `trustbayes.trials.forecast.Points`.

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

    Attributes
    ----------
    continuous : bool
        Whether choices are continuous rather than from a list.
    dims : mapping of str to tuple of str
        The arrays of the units and their dimensions; the first is "unit" or "trial" where an
        array has an entry for each.
    """

    continuous: ClassVar[bool]
    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "unit_subject": ("unit",),
        "unit_treatment": ("unit",),
        "trial_unit": ("trial",),
    }

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

    @cached_property
    def cell_subject(self) -> np.ndarray:
        """The subject of each cell, shape (cells,)."""
        return self.unit_subject[self.cell_unit]

    @property
    @abstractmethod
    def pattern(self) -> tuple[np.ndarray, ...]:
        """The design: a model compiled for replaceable trials fits others of their pattern."""

    @abstractmethod
    def replaceable(self, alike: bool) -> Mapping[str, str]:
        """Name the arrays that a compiled model holds as data, so that others may replace them.

        Parameters
        ----------
        alike : bool
            Whether the model is made for many experiments of one pattern; for a single one,
            arrays that are slower as data than as constants are constants.

        Returns
        -------
        mapping of str to str
            The attribute, and what the model calls the data.
        """

    def constants(self, alike: bool) -> tuple[np.ndarray, ...]:
        """All that a compiled model holds of the trials besides its data, see `replaceable`."""
        data = self.replaceable(alike)
        fixed = [name for name in self.replaceable(True) if name not in data]
        return (*self.pattern, *(getattr(self, name) for name in fixed))

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
            Positions of the subjects, increasing; each must have trials there.
        treatment : int, optional
            Position of the treatment; all treatments stay in ``treatments``.

        Returns
        -------
        Units
            Of the same class, in the same order.

        Examples
        --------
        >>> from trustbayes.games import FiniteGame
        >>> from trustbayes.trials import trials_from_frame
        >>> rows = [("s1", 1, 0.5, 1, 2), ("s2", 1, 0.5, 2, 2), ("s3", 1, 0.5, 1, 1)]
        >>> frame = pd.DataFrame(rows, columns=["sender", "round", "bias", "state", "message"])
        >>> cells = trials_from_frame(frame, FiniteGame(states=[1, 2])).fold("sender")
        >>> cells.of_subjects(np.array([0, 2])).counts.tolist()
        [[[0, 1], [0, 0]], [[1, 0], [0, 0]]]
        """
        chosen = np.isin(self.unit_subject, keep)
        if treatment is not None:
            chosen &= self.unit_treatment == treatment
        rows = {"unit": chosen, "trial": chosen[self.trial_unit]}
        arrays: dict[str, Any] = {
            name: getattr(self, name)[rows[dims[0]]]
            for name, dims in self.dims.items()
            if dims[0] in rows
        }
        arrays["unit_subject"] = np.searchsorted(keep, arrays["unit_subject"])
        arrays["trial_unit"] = (np.cumsum(chosen) - 1)[arrays["trial_unit"]]
        if "event_subject" in self.dims:  # all that the people had lived through
            lived = np.isin(getattr(self, "event_subject"), keep)  # noqa: B009 - of sequences
            arrays |= {
                n: getattr(self, n)[lived] for n, dims in self.dims.items() if dims[0] == "event"
            }
            arrays["event_subject"] = np.searchsorted(keep, arrays["event_subject"])
            arrays["trial_event"] = (np.cumsum(lived) - 1)[arrays["trial_event"]]
        return replace(
            self,
            subjects=tuple(self.subjects[i] for i in keep),
            groups=None if self.groups is None else tuple(self.groups[i] for i in keep),
            people={name: values[keep] for name, values in self.people.items()},
            **arrays,
        )

    def to_dataset(self) -> xr.Dataset:
        """The units as a data set, from which `from_dataset` makes them again.

        All but ``role`` and ``varying``; covariates are called ``people age`` and the like.
        """
        import xarray as xr  # late, since checking a table needs none

        data: dict[str, Any] = {
            name: (dims, getattr(self, name)) for name, dims in self.dims.items()
        }
        data["subjects"] = ("subject", np.array(self.subjects))
        data["treatments"] = ("treatment", np.array(self.treatments))
        if self.groups is not None:
            data["groups"] = ("subject", np.array(self.groups))
        for name, values in self.people.items():
            plain = values if values.dtype.kind in "fiub" else np.array(values.tolist())
            data[f"{_COVARIATE}{_in_file(name)}"] = ("subject", plain)
        return xr.Dataset(data)

    @classmethod
    def from_dataset(cls, data: xr.Dataset, role: Role) -> Self:
        """Make the units of a data set that `to_dataset` gave.

        Parameters
        ----------
        data : xarray.Dataset
        role : "sender" or "receiver"

        Raises
        ------
        KeyError
            If the data set is of units of another class.
        """

        def texts(name: str) -> tuple[str, ...]:
            return tuple(map(str, data[name].to_numpy()))

        fields: dict[str, Any] = {name: data[name].to_numpy() for name in cls.dims}
        return cls(
            role=role,
            subjects=texts("subjects"),
            treatments=texts("treatments"),
            groups=texts("groups") if "groups" in data else None,
            people={
                unquote(str(name).removeprefix(_COVARIATE)): array.to_numpy()
                for name, array in data.items()
                if str(name).startswith(_COVARIATE)
            },
            **fields,
        )


def number_units(
    table: pd.DataFrame,
    role: Role,
    subjects: tuple[str, ...],
    treatments: tuple[str, ...],
    *others: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the units of a table of trials.

    Parameters
    ----------
    table : DataFrame
        With standard column names.
    role : "sender" or "receiver"
    subjects, treatments : tuple of str
        All that occur in the table, in the order that the units should have.
    *others : array of int, shape (trials,)
        What else sets units apart.

    Returns
    -------
    units : array of int, shape (units, 2 + others)
        Subject, treatment and the others of each unit, as positions; sorted.
    trial_unit : array of int, shape (trials,)
    """
    subject = pd.Index(subjects).get_indexer(pd.Index(table[role]))
    treatment = pd.Index(treatments).get_indexer(pd.Index(table["treatment"]))
    columns = np.column_stack([subject, treatment, *others])
    units, trial_unit = np.unique(columns, axis=0, return_inverse=True)
    return units, trial_unit


def _in_file(name: str) -> str:
    """A name without the stroke that separates the groups of a file."""
    return name.replace("%", "%25").replace("/", "%2F")


def groups_of(table: pd.DataFrame, role: Role, subjects: tuple[str, ...]) -> tuple[str, ...] | None:
    """The matching group of each subject; None if the table has none."""
    if "group" not in table:
        return None
    return tuple(table.drop_duplicates(role).set_index(role)["group"].loc[list(subjects)])


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
    others = [str(name) for name in table if name not in STANDARD]
    row = table.drop_duplicates(role).set_index(role)
    first = row[others].loc[table[role]]
    same = {
        n: first[n].reset_index(drop=True).equals(table[n].reset_index(drop=True)) for n in others
    }
    people = {name: row[name].loc[list(subjects)].to_numpy() for name in others if same[name]}
    for name in list(people):
        short = name.removeprefix(f"{role}_")
        if short != name and short not in table:
            people[short] = people[name]
    return people, tuple(name for name in others if not same[name])
