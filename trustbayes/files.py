"""Files: text tables read cell by cell, files written whole, rows for JSON.

pandas is loaded by the functions that need it: the command line starts without it.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trustbayes.errors import Fault, InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "TextTable",
    "natural_order",
    "numbers",
    "parse_csv",
    "plain",
    "read_bytes",
    "records",
    "write_whole",
]


@dataclass(frozen=True, eq=False)
class TextTable:
    """A CSV file before anything in it was interpreted.

    Parameters
    ----------
    frame : DataFrame
        All cells as text, without surrounding blanks. The index is the line of the file at
        which a row begins; the header is line 1.
    source : str
        What to call the file in messages.
    faults : tuple of Fault
        Rows with too few or too many cells; they are not in ``frame``.
    """

    frame: pd.DataFrame
    source: str
    faults: tuple[Fault, ...]

    def cell(self, row: object, column: str) -> str:
        """What stands at a line of the file in a column."""
        return str(self.frame.at[row, column])

    def fault(self, row: object, column: str, expected: str) -> Fault:
        """The fault of one cell, quoting what stands there."""
        value = self.cell(row, column)
        empty = "" if value else ", but the cell is empty"
        return Fault(f"{self.source}, row {row}, column {column}", value, expected + empty)


def read_bytes(path: str | Path, what: str) -> bytes:
    """Read a whole file.

    Parameters
    ----------
    path : str or Path
    what : str
        What the file should have been, for the message: ``"a CSV file of trials"``.

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        If the file is missing or cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(Fault(str(path), "", f"{what}, but there is no such file")) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(Fault(str(path), "", f"{what} that can be read ({reason})")) from None


def parse_csv(content: bytes, source: str) -> TextTable:
    r"""Take a comma-separated file apart.

    Parameters
    ----------
    content : bytes
        UTF-8, with or without a byte order mark. Blank lines are passed over.
    source : str
        What to call the file in messages.

    Returns
    -------
    TextTable

    Raises
    ------
    InputError
        If the bytes are no UTF-8 text, there is no header, or the header repeats a column or
        leaves one without a name. Rows of the wrong length are not raised but returned, so
        that they can be reported together with the faults of their neighbours.

    Examples
    --------
    >>> parse_csv(b"sender,round\ns1, 1\n", "trials.csv").frame
      sender round
    2     s1     1
    """
    import pandas as pd

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = content[error.start : error.end].hex()
        expected = f"text in UTF-8, but there is the byte {found}"
        raise InputError(Fault(f"{source}, row {line}", "", expected)) from None
    reader = csv.reader(io.StringIO(text, newline=""))
    header: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    faults: list[Fault] = []
    begin = 1
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if any(cells) and not header:
                header = cells
            elif cells and header and len(cells) == len(header):
                rows.append(cells)
                lines.append(begin)
            elif any(cells):
                expected = f"{len(header)} cells as in the header, but there are {len(cells)}"
                faults.append(Fault(f"{source}, row {begin}", "", expected))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise InputError(Fault(f"{source}, row {begin}", "", f"a row of CSV ({error})")) from None
    if not header:
        raise InputError(Fault(source, "", "a header and rows, but the file is empty"))
    _check_header(header, source)
    columns = np.array(rows, dtype=object).reshape(len(rows), len(header)).T
    frame = pd.DataFrame(
        {name: pd.Series(cells, dtype="str") for name, cells in zip(header, columns, strict=True)}
    )
    frame.index = pd.Index(lines, dtype=int)
    return TextTable(frame, source, tuple(faults))


def _check_header(header: list[str], source: str) -> None:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise InputError(Fault(f"{source}, row 1", header[0], "columns separated by commas"))
    faults = [
        Fault(f"{source}, row 1, column {name}", name, "a name that no other column has")
        for name, count in Counter(header).items()
        if count > 1 and name
    ]
    faults += [
        Fault(f"{source}, row 1", "", f"a name for column number {position}")
        for position, name in enumerate(header, start=1)
        if not name
    ]
    if faults:
        raise InputError(faults)


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
    return value


def write_whole(contents: Mapping[Path, str | Callable[[Path], object]]) -> None:
    """Write files under temporary names, then give them their own.

    Parameters
    ----------
    contents : mapping of Path to str or callable
        Text, written in UTF-8, or a function that writes to the path it is given. Missing
        folders are made.

    Raises
    ------
    InputError
        If a file cannot be written; then none of them changes.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_whole({Path(folder, "note.txt"): "whole"})
    ...     Path(folder, "note.txt").read_text("utf-8")
    'whole'
    """
    parts = {path: path.with_name(f".{path.name}.{os.getpid()}.part") for path in contents}
    path = next(iter(contents))
    try:
        for path, part in parts.items():
            content = contents[path]
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                part.write_text(content, encoding="utf-8", newline="")
            else:
                content(part)
        for path, part in parts.items():
            os.replace(part, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(Fault(str(path), reason, "a file that can be written")) from error
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
