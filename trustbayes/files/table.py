"""Tables of text, and what their cells are: numbers, identifiers, missing values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from trustbayes.errors import Fault, listing

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TextTable", "identifiers", "natural_order", "numbers", "plain", "records", "typed"]

MISSING = (
    *("", "na", "n/a", "#n/a", "<na>", "nan", "none", "null", ".", "?", "missing"),
    *("-", "--", "–", "—", "−"),  # word processors make longer dashes of a hyphen
)
"""How programs and people write that there is no value, in small letters."""


@dataclass(frozen=True, eq=False)
class TextTable:
    """A file of separated cells before anything in it was interpreted.

    Parameters
    ----------
    frame : DataFrame
        All cells as text, without surrounding blanks. The index is the line of the file at
        which a row begins; the header is line 1.
    source : str
        What to call the file in messages.
    faults : tuple of Fault
        Rows with too few or too many cells; they are not in ``frame``.
    notes : tuple of str
        What was recognised, in sentences: an encoding, a separator, what was passed over.
    written : mapping of str to Series
        Columns as they stand in the file, where ``frame`` has another form of their numbers.
    places : mapping of str to Series
        Where each cell of a column stands in the file ("row 7, column talk.1.player.state"), if
        the table was made of rows of another form; else empty.
    """

    frame: pd.DataFrame
    source: str
    faults: tuple[Fault, ...]
    notes: tuple[str, ...] = ()
    written: Mapping[str, pd.Series] = field(default_factory=dict)
    places: Mapping[str, pd.Series] = field(default_factory=dict)

    def cell(self, row: object, column: str) -> str:
        """What stands at a line of the file in a column."""
        cells = self.written.get(column, self.frame[column])
        return str(cells.at[row])

    def fault(self, row: object, column: str, expected: str) -> Fault:
        """The fault of one cell, quoting what stands there."""
        value = self.cell(row, column)
        empty = "" if value else ", but the cell is empty"
        place = f"row {row}, column {column}"
        if column in self.places:
            place = self._places_by_row[column][row] or place
        return Fault(f"{self.source}, {place}", value, expected + empty)

    @cached_property
    def _places_by_row(self) -> dict[str, dict[object, str]]:
        """``places`` to be asked often: a wrong code in the game file is a fault of every row."""
        return {
            column: {row: str(place) for row, place in places.items()}
            for column, places in self.places.items()
        }


def numbers(cells: pd.Series) -> pd.Series:
    """Text to finite floats; whatever is no finite number becomes NaN.

    Examples
    --------
    >>> import pandas as pd
    >>> numbers(pd.Series(["1", "x", "inf", ""])).tolist()
    [1.0, nan, nan, nan]
    """
    import pandas as pd

    values = pd.to_numeric(cells, errors="coerce").astype(float)
    return values.where(np.isfinite(values))


def identifiers(cells: pd.Series) -> pd.Series:
    """Names of people and groups; whole numbers that a program wrote as decimals are whole again.

    Examples
    --------
    >>> import pandas as pd
    >>> identifiers(pd.Series(["1.0", "2.0", "10"])).tolist()
    ['1', '2', '10']
    >>> identifiers(pd.Series(["1.0", "1.5"])).tolist()
    ['1.0', '1.5']
    >>> identifiers(pd.Series(["1.0", "dropout"])).tolist()
    ['1', 'dropout']
    """
    decimal = cells.str.fullmatch(r"[+-]?\d+\.\d*")
    whole = cells.str.fullmatch(r"[+-]?\d+\.0*")
    if not whole.any() or (decimal & ~whole).any():
        return cells
    return cells.mask(whole, cells.str.replace(r"\.0*$", "", regex=True))


def typed(cells: pd.Series, place: str) -> tuple[pd.Series, str, list[object]]:
    """Give a column its type: numbers, or texts that are the levels of a factor.

    Parameters
    ----------
    cells : Series of str
        Of the rows that are used: what stands in others has no say.
    place : str
        What to call the column in the sentence.

    Returns
    -------
    values : Series
        Floats, NaN where a value is missing, if all others are numbers; else the texts.
    note : str
        A sentence, where a reader might have expected something else: missing values, or texts
        among numbers, which make all of them levels; else empty.
    doubtful : list
        Index of cells among numbers that look like numbers and are none that is understood.

    Examples
    --------
    >>> import pandas as pd
    >>> values, note, _ = typed(pd.Series(["20", "NA", "23.5"]), "age")
    >>> values.tolist(), note
    ([20.0, nan, 23.5], "age: 1 of 3 values missing ('NA').")
    >>> typed(pd.Series(["20", "23,5"]), "age")[2]
    [1]
    """
    values = numbers(cells)
    missing = cells.str.casefold().isin(MISSING)
    rest = cells[values.isna() & ~missing]
    if values.isna().all() or (rest.empty and not missing.any()):
        return (cells if values.isna().any() else values), "", []
    if rest.empty:
        codes = ", ".join(repr(code) for code in sorted(set(cells[missing])))
        return values, f"{place}: {missing.sum()} of {len(cells)} values missing ({codes}).", []
    doubtful = rest.index[rest.str.fullmatch(r"[^a-zA-Z]*\d+[.,'\s]\d+[^a-zA-Z]*")].tolist()
    levels = natural_order(list(cells.unique()))
    shown = listing([repr(level) for level in levels])
    return cells, f"{place} is a factor of {len(levels)} levels: {shown}.", doubtful


def natural_order(labels: list[str]) -> list[str]:
    """Sort labels as a reader would: by value if all are numbers, else "s2" before "s10".

    Examples
    --------
    >>> natural_order(["10", "9", "-1.5"])
    ['-1.5', '9', '10']
    >>> natural_order(["s10", "s2", "S1"])
    ['S1', 's2', 's10']
    """
    import pandas as pd

    series = pd.Series(labels, dtype="str")
    values = numbers(series)
    if values.notna().all():
        return [label for _, label in sorted(zip(values, labels, strict=True))]

    def key(label: str) -> tuple[list[str | int], str]:
        pieces = re.split(r"(\d+)", label)
        return [int(p) if i % 2 else p.casefold() for i, p in enumerate(pieces)], label

    return sorted(labels, key=key)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of plain values; what is not a finite number is None.

    Parameters
    ----------
    frame : DataFrame

    Returns
    -------
    list of dict
        By column.

    Examples
    --------
    >>> import pandas as pd
    >>> records(pd.DataFrame({"a": [1.5, float("nan")]}))
    [{'a': 1.5}, {'a': None}]
    """
    rows: list[dict[str, Any]] = plain(frame.to_dict("records"))
    return rows


def plain(value: Any) -> Any:
    """Values as JSON knows them; what is not a finite number is None.

    Parameters
    ----------
    value : mapping, sequence, array, number, text, bool or None

    Returns
    -------
    dict, list, float, int, str, bool or None

    Examples
    --------
    >>> plain({"a": np.array([1.5, np.inf]), 2: (True, "x")})
    {'a': [1.5, None], '2': [True, 'x']}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return None if type(value).__name__ == "NAType" else value  # of pandas, slow to import
