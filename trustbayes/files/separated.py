"""Text to a table: cells between separators, read strictly, nothing lost in silence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trustbayes.errors import Fault, InputError, listing
from trustbayes.files.table import TextTable
from trustbayes.files.text import text_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["parse_csv"]

_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_QUOTED = re.compile(r'"([^"]*+(?:""[^"]*+)*+)"')
_DECIMAL_COMMA = r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?"
_WHOLE = r"[+-]?\d+"
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class _Row:
    """A row as it stands in the file."""

    line: int
    cells: list[str]
    more: int = 0  # how many more lines it runs over
    texts: Mapping[int, str] = field(default_factory=dict)  # its cells with line breaks, by column
    fault: str = ""  # why reading stops at its last cell


def parse_csv(content: bytes, source: str) -> TextTable:
    r"""Take a file of separated cells apart.

    Parameters
    ----------
    content : bytes
        Text in an encoding that `trustbayes.files.text_of` knows, with line ends of any kind, and
        cells between commas, semicolons, tabs or bars. Lines without any cell that is filled are
        passed over, and so are columns without name and cells. Cells in quotes may hold anything.
    source : str
        What to call the file in messages.

    Returns
    -------
    TextTable
        Numbers with decimal commas have points, in columns that hold nothing else.

    Raises
    ------
    InputError
        If the bytes are no text, a quote is not closed, there is no header, the header repeats a
        column or leaves one without a name, or two separators would do. Rows of the wrong length
        are not raised but returned, so that they can be reported together with the faults of their
        neighbours.

    Examples
    --------
    >>> parse_csv(b"sender,round\ns1, 1\n", "trials.csv").frame
      sender round
    2     s1     1
    >>> parse_csv(b"sender;age\ns1;23,5\n", "trials.csv").notes
    ('trials.csv has semicolons between its columns, and decimal commas in: age.',)
    """
    import pandas as pd

    text, notes = text_of(content, source)
    start, separator = _separator(text, source)
    reader = _rows(text, separator, start)
    faults: list[Fault] = []
    header = _header(reader, source)
    rows: list[list[str]] = []
    lines: list[int] = []
    empty = 0
    for row in reader:
        place = f"{source}, row {row.line}"
        if row.fault:
            raise InputError([*faults, _stopped(row, header, source)])
        cells = row.cells
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()
        if not any(cells):
            empty += len(row.cells) > 1
            continue
        rowlike = _swallowed(row.texts, separator, len(header))
        if rowlike is not None:
            where = f"{place}, column {_name(header, rowlike)}"
            expected = (
                f"a quote that closes in its row, but it does by row {row.line + row.more}, "
                "after what looks like rows"
            )
            faults.append(Fault(where, row.texts[rowlike][:40], expected))
        elif len(cells) != len(header):
            expected = f"{len(header)} cells as in the header, but there are {len(cells)}"
            faults.append(Fault(place, "", expected))
        else:
            rows.append(cells)
            lines.append(row.line)
    columns = list(np.array(rows, dtype=object).reshape(len(rows), len(header)).T)
    kept = [i for i, name in enumerate(header) if name or any(columns[i])]
    if dropped := len(header) - len(kept):
        notes += (f"{source} has {dropped} columns without a name or a cell, passed over.",)
    if empty:
        notes += (f"{source} has {empty} rows of empty cells, passed over.",)
    header = [header[i] for i in kept]
    _check_header(header, source)
    frame = pd.DataFrame(
        {name: pd.Series(columns[i], dtype="str") for name, i in zip(header, kept, strict=True)}
    )
    frame.index = pd.Index(lines, dtype=int)
    written = {} if separator == "," else _decimal_commas(frame)
    if separator != ",":
        commas = f", and decimal commas in: {listing(written)}" if written else ""
        notes += (f"{source} has {_NAMES[separator]} between its columns{commas}.",)
    return TextTable(frame, source, tuple(faults), notes, written)


def _header(reader: Iterator[_Row], source: str) -> list[str]:
    for row in reader:
        if row.fault:
            raise InputError(_stopped(row, row.cells, source))
        if any(row.cells):
            return row.cells
    raise InputError(Fault(source, "", "a header and rows, but the file is empty"))


def _rows(text: str, separator: str, start: int = 0) -> Iterator[_Row]:
    """The rows of a file; the last one carries the fault at which reading had to stop."""
    position, line = start, 1 + len(re.findall(r"\r\n|\r|\n", text[:start]))
    while position < len(text):
        match = _LINE.match(text, position)
        assert match is not None
        if '"' not in match[1]:
            yield _Row(line, [cell.strip() for cell in match[1].split(separator)])
            position, line = match.end(), line + 1
            continue
        row, position = _quoted_row(text, separator, position, line)
        yield row
        if row.fault:
            return
        line += 1 + row.more


def _quoted_row(text: str, separator: str, position: int, line: int) -> tuple[_Row, int]:
    """A row with quotes, character by character where they stand, and where the next begins."""
    plain = re.compile(f"[^{re.escape(separator)}\r\n]*")
    blank = re.compile("[ \t\xa0]*" if separator != "\t" else "[ \xa0]*")
    cells: list[str] = []
    texts: dict[int, str] = {}
    at = position
    while True:
        at = blank.match(text, at).end()  # type: ignore[union-attr]
        if text.startswith('"', at):
            match = _QUOTED.match(text, at)
            if match is None:
                cells.append(text[at : at + 60])
                fault = "a quote that closes, but it does not in the rest of the file"
                return _Row(line, cells, fault=fault), at
            if "\r" in match[1] or "\n" in match[1]:
                texts[len(cells)] = match[1]
            cells.append(match[1].replace('""', '"').strip())
            at = blank.match(text, match.end()).end()  # type: ignore[union-attr]
            if at < len(text) and text[at] not in f"{separator}\r\n":
                cells[-1] = text[match.start() : at + 20]
                fault = f"the end of the cell after its closing quote, not {text[at]!r}"
                return _Row(line, cells, fault=fault), at
        else:
            match = plain.match(text, at)
            assert match is not None
            cells.append(match[0].strip())
            at = match.end()
        if not text.startswith(separator, at):
            break
        at += len(separator)
    end = _LINE.match(text, at)
    assert end is not None
    more = sum(len(re.findall(r"\r\n|\r|\n", value)) for value in texts.values())
    return _Row(line, cells, more, texts), end.end()


def _stopped(row: _Row, header: list[str], source: str) -> Fault:
    """What a row says at which reading stopped."""
    column = _name(header, len(row.cells) - 1)
    return Fault(f"{source}, row {row.line}, column {column}", row.cells[-1][:40], row.fault)


def _name(header: list[str], column: int) -> str:
    named = column < len(header) and re.fullmatch('[^"\r\n]+', header[column])
    return header[column] if named else f"number {column + 1}"


def _swallowed(cells: Mapping[int, str], separator: str, width: int) -> int | None:
    """Which cell with line breaks looks as if it held rows, if any does.

    A text of several lines is legitimate; two stray quotes in different rows, between which all
    rows would become one cell, are not. The lines between theirs are then as wide as rows are, and
    before the second quote stand as many cells as before the first.
    """
    for column, text in cells.items():
        _, *inner, last = re.split(r"\r\n|\r|\n", text)
        full = any(line.count(separator) == width - 1 for line in inner)
        if width > 3 and (full or last.count(separator) == column > 2):
            return column
    return None


def _separator(text: str, source: str) -> tuple[int, str]:
    """Where the table begins, and what stands between its columns."""
    first = next((m for m in _LINE.finditer(text) if m[1].strip(",;|\t \xa0")), None)
    if first is None:
        raise InputError(Fault(source, "", "a header and rows, but the file is empty"))
    declared = re.fullmatch(r"sep=([,;\t|])", first[1].strip(" "))  # as spreadsheets write it
    if declared:
        return first.end(), declared[1]
    fits: dict[str, tuple[float, int]] = {}
    for mark in _NAMES:
        if mark not in first[1]:
            continue
        reader = (row.cells for row in _rows(text, mark, first.start()) if any(row.cells))
        header = next(reader, [])
        some = [len(cells) for _, cells in zip(range(200), reader, strict=False)]
        if len(header) > 1:
            fits[mark] = (some.count(len(header)) / len(some) if some else 1.0, len(header))
    if not fits:
        return first.start(), ","
    best = max(fits.values())
    able = [mark for mark in fits if fits[mark][0] == best[0]]
    if best[0] == 1 and len(able) > 1:
        which = " and ".join(_NAMES[mark] for mark in able)
        expected = f"one kind of separator between columns, but {which} would do"
        raise InputError(Fault(f"{source}, row 1", first[1].strip()[:60], expected))
    return first.start(), max(able, key=lambda mark: fits[mark])


def _decimal_commas(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Put points in the place of decimal commas; gives the columns as they were written."""
    written = {}
    for name in frame:
        cells = frame[name]
        commas = cells.str.fullmatch(_DECIMAL_COMMA)
        if commas.any() and (commas | cells.str.fullmatch(_WHOLE) | cells.eq("")).all():
            written[str(name)] = cells
            frame[name] = cells.str.replace(",", ".", regex=False)
    return written


def _check_header(header: list[str], source: str) -> None:
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
    faults += [
        Fault(f"{source}, row 1", name, f"a name without the character {unseen[0]!r}")
        for name in header
        if (unseen := _UNSEEN.search(name) or re.search(r"[\r\n\t]", name))
    ]
    if faults:
        raise InputError(faults)
