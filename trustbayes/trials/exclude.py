"""Rows that do not count because the game file says so: each rule with its count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.files import TextTable, identifiers, numbers
from trustbayes.games import Layout, Share, Span

__all__ = ["Exclusion", "exclude_rows"]


@dataclass(frozen=True)
class Exclusion:
    """Rows left out because the game file says so.

    Parameters
    ----------
    column : str
        Column of the file.
    value : int, float or str
        Rows in which the column holds this value are left out; of a condition, its words:
        "below 2".
    rows : int
        How many were; a row that several rules match counts for the first.
    people : int or None
        How many people were left out, if the rule is about people.
    """

    column: str
    value: float | str
    rows: int
    people: int | None = None


def exclude_rows(
    file: TextTable, layout: Layout, lacking: Sequence[str] = ()
) -> tuple[TextTable, tuple[Exclusion, ...]]:
    """Leave out the rows that do not count.

    Parameters
    ----------
    file : TextTable
    layout : Layout
    lacking : sequence of str
        Columns that the layout names in vain, passed over.

    Returns
    -------
    kept : TextTable
    exclusions : tuple of Exclusion
        One for each rule, also where it matched no row.

    Raises
    ------
    InputError
        If no row is kept, a range is asked of a column that holds texts, or a column of people
        is not there.
    """
    out = pd.Series(False, index=file.frame.index)
    exclusions: list[Exclusion] = []
    faults: list[Fault] = []
    for column, rules in layout.exclude.items():
        for rule in rules if column not in lacking else ():
            people = None
            if isinstance(rule, Share):
                match, people, more = _often(file, column, rule, layout.rows.person)
                faults += more
            elif isinstance(rule, Span):
                match, more = _outside(file, column, rule)
                faults += more
            else:
                match = _equal(file.frame[column], rule)
            match &= ~out
            said = rule if isinstance(rule, int | float | str) else str(rule)
            exclusions.append(Exclusion(column, said, int(match.sum()), people))
            out |= match
    if faults:
        raise InputError(faults)
    kept = replace(file, frame=file.frame[~out])
    if len(kept.frame) == 0 and not file.faults:
        after = ", but all are excluded" if out.any() else ", but there are none"
        raise InputError(Fault(file.source, "", f"at least one trial{after}"))
    return kept, tuple(exclusions)


def _equal(cells: pd.Series, value: float | str) -> pd.Series:
    number = numbers(pd.Series([value], dtype="str")).iloc[0]
    return (cells == str(value)) | (numbers(cells) == number)


def _outside(file: TextTable, column: str, span: Span) -> tuple[pd.Series, list[Fault]]:
    """Rows in a range; empty cells are in none, and texts are faults."""
    cells = file.frame[column]
    values = numbers(cells)
    faults = [
        file.fault(row, column, f"a number, since rows {span} are to be left out")
        for row in cells.index[values.isna() & cells.ne("")]
    ]
    low = values < span.below if span.below is not None else None
    high = values > span.above if span.above is not None else None
    if low is None or high is None:
        outside = high if low is None else low
        assert outside is not None
        return outside, faults
    between = (span.above or 0) < (span.below or 0)
    return (low & high if between else low | high), faults


def _often(
    file: TextTable, column: str, rule: Share, person: str | None
) -> tuple[pd.Series, int, list[Fault]]:
    """All rows of people who have a value too often, among their rows with an entry."""
    of = rule.of or person
    none = pd.Series(False, index=file.frame.index)
    if of is None or of not in file.frame:
        place = f"{file.source}, row 1"
        expected = f"a column {of!r} of people, which the game file names in [exclude] {column}; "
        return (
            none,
            0,
            [Fault(place, "", expected + suggestion(str(of), list(map(str, file.frame))))],
        )
    cells, people = file.frame[column], identifiers(file.frame[of])
    entered = cells.ne("") & people.ne("")
    failed = _equal(cells, rule.value)[entered].groupby(people[entered]).mean()
    names = failed.index[failed > rule.above]
    return people.isin(names), len(names), []
