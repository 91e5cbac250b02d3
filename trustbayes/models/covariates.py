"""Covariates of people as formulas find them, and what can be wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trustbayes.errors import Fault, listing, suggestion
from trustbayes.files import MISSING
from trustbayes.trials.units import Units

__all__ = ["Known", "covariate_fault"]


@dataclass(frozen=True, eq=False)
class Known:
    """The people whom a formula was first used for: levels, means and spreads are theirs.

    Parameters
    ----------
    people : mapping of str to tuple
        Columns of equal length: the covariates of every subject or, if the formula has treatments,
        of every subject and treatment that met, with a column ``treatment``.
    treatments : tuple of str
    groups : tuple of str
        Empty unless the formula has group effects.
    """

    people: Mapping[str, tuple[Any, ...]]
    treatments: tuple[str, ...]
    groups: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe form."""
        people = {name: list(values) for name, values in self.people.items()}
        return {"people": people, "treatments": self.treatments, "groups": self.groups}

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> Known:
        """Read back what `to_dict` wrote."""
        people = {name: tuple(values) for name, values in form["people"].items()}
        return cls(people, tuple(form["treatments"]), tuple(form["groups"]))


def covariate_fault(where: str, name: str, units: Units, *, constant: bool = False) -> Fault | None:
    """What is wrong with a covariate of the people of some trials.

    Parameters
    ----------
    where : str
        What names it, for the message.
    name : str
    units : Units
    constant : bool
        Whether it may be the same for all.

    Returns
    -------
    Fault or None
        If it is unknown (with a suggestion), differs between the trials of a subject, lacks
        values, or is the same for all.
    """
    place = f"{where}, covariate"
    if name not in units.people:
        if {name, f"{units.role}_{name}"} & set(units.varying):
            expected = f"a column that is the same in all trials of a {units.role}"
            return Fault(place, name, expected)
        return Fault(place, name, f"one of the {units.role}s': "
                     + suggestion(name, [*units.people, "treatment"]))  # fmt: skip
    values = units.people[name]
    text = values.dtype.kind not in "fiub"
    missing = [
        s for s, v in zip(units.subjects, values, strict=True)
        if (str(v).strip().casefold() in MISSING if text else not np.isfinite(v))
    ]  # fmt: skip
    if missing:
        whose = listing(missing)
        return Fault(f"{place} {name}", "", f"a value for every {units.role}; missing for {whose}")
    if not constant and len(set(values.tolist())) == 1:
        expected = f"a covariate that differs between {units.role}s"
        return Fault(f"{place} {name}", f"{values[0]} for all", expected)
    return None
