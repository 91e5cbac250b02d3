"""Formulas on people and treatments: what is regressed on what, and the design matrix of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from formulae import design_matrices, model_description
from formulae.environment import Environment

from trustbayes.errors import Fault, InputError, listing, suggestion
from trustbayes.models.covariates import Known, covariate_fault
from trustbayes.trials.units import Units

__all__ = ["Formula"]

_FACTORS = ("C", "S", "T")
_FUNCTIONS = (*_FACTORS, "I", "binary", "bs", "center", "poly", "scale", "standardize")
_NUMPY = ("abs", "exp", "log", "log1p", "log2", "log10", "sqrt")
# All that a formula can call: one that was read from a file runs nothing else.
_ENVIRONMENT = Environment([{"np": SimpleNamespace(**{n: getattr(np, n) for n in _NUMPY})}])


@dataclass(frozen=True, eq=False)
class Formula:
    """The right side of a formula, in the language of formulae, which is that of bambi.

    Columns of its design matrix are centred at the mean of the people whom it was first used for,
    and divided by their standard deviation unless they hold nothing but 0 and 1: the intercept is
    the location of average people, and priors of slopes mean the same for all covariates.

    Parameters
    ----------
    text : str
        Such as ``"1 + treatment + crt + (1 | group)"``. A name that is not of letters, digits and
        _ alone stands between backquotes.
    place : str
        What it is of, for messages.
    known : Known, optional
        See `fixed_to`.

    Raises
    ------
    InputError
        If it cannot be understood, has a response or no intercept, calls a function that is not
        allowed, or has group terms other than ``(1 | group)``.

    Examples
    --------
    >>> formula = Formula("1 + np.log(age) * treatment + (1 | group)", "formula of trust")
    >>> formula.covariates, formula.by_treatment, formula.grouped
    (('age',), True, True)
    """

    text: str
    place: str
    known: Known | None = None

    def __repr__(self) -> str:
        return repr(self.text)

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise InputError(Fault(self.place, str(self.text), "a formula, as text"))
        parsed = self._parsed
        fault = ""
        terms = [term for term in parsed.common_terms if hasattr(term, "components")]
        for call in (part for term in terms for part in term.components if hasattr(part, "call")):
            name = str(getattr(call.call, "callee", ""))
            known = (*_FUNCTIONS, *(f"np.{function}" for function in _NUMPY))
            if name and name not in known:
                fault = f"functions that are allowed, in place of {name}: {suggestion(name, known)}"
        if parsed.response is not None:
            fault = "the right side only, such as '1 + age': what it is of is named beside it"
        elif len(terms) == len(parsed.common_terms):
            fault = "a formula with an intercept: the location of the population is that"
        elif any(str(term.expr) != "Intercept()" or term.var_names != {"group"}
                 for term in parsed.group_terms):  # fmt: skip
            fault = "no group terms but (1 | group), effects of matching groups"
        elif "group" in self.names and not self.grouped:
            fault = "group in (1 | group) only"
        if fault:
            raise InputError(Fault(self.place, self.text, fault))

    @cached_property
    def _parsed(self) -> Any:
        try:
            return model_description(self._source)
        except Exception as error:  # of many kinds, by a parser that is not ours
            expected = f"a formula, such as '1 + age + (1 | group)' ({error})"
            raise InputError(Fault(self.place, self.text, expected)) from None

    @property
    def _source(self) -> str:
        # Treatments are a factor anyhow, in the order of the game, which C() would not keep.
        return re.sub(r"\bC\(\s*treatment\s*\)", "treatment", self.text.strip().lstrip("~"))

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it names in terms other than those of groups, in alphabetical order."""
        names = {name for term in self._parsed.common_terms for name in term.var_names}
        return tuple(sorted(names - {""}))

    @property
    def covariates(self) -> tuple[str, ...]:
        """The covariates of people that it names."""
        return tuple(name for name in self.names if name not in ("treatment", "group"))

    @property
    def by_treatment(self) -> bool:
        """Whether it names the treatment."""
        return "treatment" in self.names

    @property
    def grouped(self) -> bool:
        """Whether it has effects of matching groups."""
        return bool(self._parsed.group_terms)

    @property
    def has_slopes(self) -> bool:
        """Whether it has terms other than the intercept and effects of groups."""
        return bool(self.names)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, as `fixed_to` found them."""
        return self._fixed[0]

    @property
    def scale(self) -> np.ndarray:
        """What each column was divided by, shape (columns,)."""
        return self._fixed[3]

    @property
    def flags(self) -> np.ndarray:
        """Whether each column holds nothing but 0 and 1, shape (columns,)."""
        return self._fixed[4]

    def at(self, units: Units, name: str) -> np.ndarray:
        """A covariate in the rows of `design`, flat."""
        return self._frame(units)[name].to_numpy()

    def factor_levels(self, name: str) -> tuple[Any, ...]:
        """The levels of what the formula takes for a factor, the reference first; else empty."""
        assert self.known is not None
        if name == "treatment":
            return tuple(t for t in self.known.treatments if t in self.known.people[name])
        values = self.known.people[name]
        calls = [part for term in self._parsed.common_terms
                 for part in getattr(term, "components", ()) if hasattr(part, "call")]  # fmt: skip
        marked = any(
            getattr(c.call, "callee", "") in _FACTORS and name in c.var_names for c in calls
        )
        listed = marked or isinstance(values[0], str) or set(values) <= {0, 1}
        return self._reference_first(name, sorted(set(values))) if listed else ()

    def _reference_first(self, name: str, levels: list[Any]) -> tuple[Any, ...]:
        """The levels with that in front against which the columns code the others.

        It is the level whose columns hold nothing but 0, by default the first; codes that sum to
        zero have none.
        """
        columns, whole, *_ = self._fixed
        if not columns:
            return tuple(levels)
        of_name = np.zeros(len(columns) + 1, dtype=bool)
        for term in whole.terms.values():
            if name in getattr(term, "var_names", ()):
                of_name[whole.slices[term.name]] = True
        people = self.people()
        empty = [
            level
            for level in levels
            if not np.asarray(whole.evaluate_new_data(people.assign(**{name: level})))[
                :, of_name
            ].any()
        ]
        return tuple(sorted(levels, key=lambda level: level not in empty[:1]))

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe form that `from_dict` reads back."""
        if self.known is None:
            return {"formula": self.text}
        fixed = {"columns": list(self.columns), "known": self.known.to_dict()}
        return {"formula": self.text, **fixed}

    @classmethod
    def from_dict(cls, form: Mapping[str, Any], place: str) -> Formula:
        """Read back what `to_dict` wrote."""
        known = Known.from_dict(form["known"]) if "known" in form else None
        return cls(form["formula"], place, known)

    def fixed_to(self, units: Units) -> Formula:
        """Fix levels, means and spreads by the people of some trials, unless they are fixed.

        Parameters
        ----------
        units : Units

        Returns
        -------
        Formula

        Raises
        ------
        InputError
            If a covariate is unknown (with a suggestion), has missing values, differs between the
            trials of a subject or is the same for all; if there are no groups; or if some columns
            are sums of others.
        """
        if self.known is not None:
            return self
        faults = [
            fault for name in self.covariates if (fault := covariate_fault(self.place, name, units))
        ]
        if self.grouped and units.groups is None:
            faults.append(Fault(self.place, self.text, "trials with a column of matching groups"))
        if self.by_treatment and len(set(units.unit_treatment)) < 2:
            only = units.treatments[units.unit_treatment[0]]
            faults.append(Fault(f"{self.place}, treatment", only, "two treatments or more"))
        if faults:
            raise InputError(faults)
        frame = self._frame(units)
        if self.by_treatment:
            met = np.zeros((len(units.subjects), len(units.treatments)), dtype=bool)
            met[units.unit_subject, units.unit_treatment] = True
            frame = frame[met.ravel()]
        groups = tuple(dict.fromkeys(units.groups or ())) if self.grouped else ()
        people = {str(name): tuple(frame[name].tolist()) for name in frame if name != "group"}
        fixed = replace(self, known=Known(people, units.treatments, groups))
        if fixed.has_slopes:
            whole = fixed.matrix(fixed.people())
            if np.linalg.matrix_rank(whole) < whole.shape[1]:
                expected = "terms of which none follows from the others"
                raise InputError(Fault(self.place, self.text, expected))
        return fixed

    def people(self) -> pd.DataFrame:
        """The people it was learnt from, as `matrix` takes them."""
        assert self.known is not None
        frame = pd.DataFrame({name: list(values) for name, values in self.known.people.items()})
        return self._typed(frame, self.known.treatments)

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """The standardised columns, shape (rows, columns), of rows laid out as `people`."""
        columns, whole, centre, scale, _ = self._fixed
        if not columns:
            return np.zeros((len(frame), 0))
        try:
            raw = np.asarray(whole.evaluate_new_data(frame))[:, 1:]
        except ValueError as error:
            expected = f"people like those that the formula was learnt from ({error})"
            raise InputError(Fault(self.place, self.text, expected)) from None
        return (raw - centre) / scale

    def design(self, units: Units, **changes: Any) -> np.ndarray:
        """The standardised columns of every subject, or subject and treatment.

        Parameters
        ----------
        units : Units
            Of the people that it was learnt from, or of others.
        **changes
            What to put in the place of covariates or of the treatment, as
            ``pandas.DataFrame.assign`` takes it.

        Returns
        -------
        array, shape (subjects, columns) or (subjects, treatments, columns)

        Raises
        ------
        InputError
            If a covariate is missing, or has levels that are new.
        """
        faults = [
            f
            for n in self.covariates
            if (f := covariate_fault(self.place, n, units, constant=True))
        ]
        if faults:
            raise InputError(faults)
        columns = self.matrix(self._frame(units, changes))
        if self.by_treatment:
            columns = columns.reshape(len(units.subjects), len(units.treatments), -1)
        return columns

    def group_indicator(self, units: Units) -> np.ndarray:
        """Which group each subject is of, 0 or 1, shape (subjects, groups).

        Raises
        ------
        InputError
            If a group was not among those that the formula was learnt from.
        """
        assert self.known is not None
        groups = self.known.groups
        new = [g for g in dict.fromkeys(units.groups or ("none",)) if g not in groups]
        if new:
            expected = f"groups that the formula was learnt from: {listing(groups)}"
            raise InputError(Fault(f"{self.place}, group", new[0], expected))
        assert units.groups is not None
        return np.array([[float(group == g) for g in groups] for group in units.groups])

    @cached_property
    def _fixed(self) -> tuple[tuple[str, ...], Any, np.ndarray, np.ndarray, np.ndarray]:
        """Column names, formulae's matrix, means, what columns are divided by, which are flags."""
        if not self.has_slopes:
            return (), None, np.zeros(0), np.ones(0), np.zeros(0, dtype=bool)
        # Effects of groups are none of these columns, but formulae wants groups where they stand.
        frame = self.people().assign(group="any")
        try:
            whole = design_matrices(self._source, frame, na_action="error", env=_ENVIRONMENT).common
        except Exception as error:  # of many kinds
            expected = f"a formula that fits its covariates ({type(error).__name__}: {error})"
            raise InputError(Fault(self.place, self.text, expected)) from None
        labels = [str(name) for name in whole.as_dataframe().columns]
        raw = np.asarray(whole.design_matrix, dtype=float)
        assert labels[0] == "Intercept"
        raw, labels = raw[:, 1:], labels[1:]
        flags = np.isin(raw, (0, 1)).all(axis=0)
        spread = np.where(flags, 1.0, raw.std(axis=0))
        return tuple(labels), whole, raw.mean(axis=0), np.where(spread > 0, spread, 1.0), flags

    def _frame(self, units: Units, changes: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """A row per subject or, if treatments matter, per subject and treatment."""
        times = len(units.treatments) if self.by_treatment else 1
        columns: dict[str, Any] = {n: np.repeat(units.people[n], times) for n in self.covariates}
        if self.by_treatment:
            columns["treatment"] = np.tile(np.array(units.treatments), len(units.subjects))
        known = units.treatments if self.known is None else self.known.treatments
        index = range(len(units.subjects) * times)
        frame = pd.DataFrame(columns, index=index).assign(**(changes or {}))
        return self._typed(frame, known)

    @staticmethod
    def _typed(frame: pd.DataFrame, treatments: Sequence[str]) -> pd.DataFrame:
        if "treatment" in frame:
            kind = pd.CategoricalDtype(list(treatments), ordered=True)
            frame["treatment"] = frame["treatment"].astype(kind)
        return frame
