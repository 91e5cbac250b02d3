"""Excel workbooks: their one sheet as rows of values, and what is refused unread."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.parsers import expat

from trustbayes.errors import Fault, InputError, listing

__all__ = ["MOST_BYTES", "MOST_CELLS", "excel_rows"]

MOST_BYTES = 512 * 2**20
"""Of a file when it is unpacked; a sheet of a million rows and ten columns has half of it."""

MOST_CELLS = 50_000_000
"""Of a table in a file that is packed: more would not fit into a usual machine's memory."""

_MOST_PARTS = 1000
_MOST_ROWS = 2**20  # of a sheet, in Excel itself


def excel_rows(content: bytes, source: str) -> tuple[Iterable[Sequence[Any]], str]:
    """Take an Excel workbook apart.

    Parameters
    ----------
    content : bytes
    source : str
        What to call the file in messages.

    Returns
    -------
    rows : iterable of sequences
        Of the only sheet that is filled, all of the same length; None where a cell is empty.
    note : str
        Which sheet it is.

    Raises
    ------
    InputError
        If none or more than one sheet is filled, the workbook is absurdly large once it is
        unpacked, its XML declares entities, or the rows of a sheet or the cells of a row do not
        stand in their order, so that some would be read over others.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        size = sum(part.file_size for part in parts)
        if size > MOST_BYTES or len(parts) > _MOST_PARTS:
            expected = (
                f"a workbook of at most {MOST_BYTES // 2**20} MiB in {_MOST_PARTS} parts, but it "
                f"unpacks to {size / 2**20:.0f} MiB in {len(parts)}"
            )
            raise InputError(Fault(source, "", expected))
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as stream:
                    if refused := _Part().refused(stream):
                        raise InputError(Fault(source, part.filename, refused))
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    filled: dict[str, list[tuple[Any, ...]]] = {}
    for sheet in book.worksheets:
        rows: list[tuple[Any, ...]] = []
        cells = 0
        sheet.reset_dimensions()  # programs write wrong ones
        for row in sheet.iter_rows(values_only=True):
            rows.append(_without_end(row))
            cells += len(rows[-1])
            _count(cells, source)
        if cells:
            filled[str(sheet.title)] = rows
    book.close()
    if len(filled) != 1:
        expected = f"a workbook with one sheet that is filled, not {len(filled)}"
        raise InputError(Fault(source, listing(filled), expected))
    ((name, rows),) = filled.items()
    width = max(map(len, rows))
    _count(width * len(rows), source)
    return [(*row, *[None] * (width - len(row))) for row in rows], f", sheet {name!r}"


def _without_end(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row up to its last cell that is filled: sheets are often formatted far beyond it."""
    return tuple(row[: next((i for i in range(len(row), 0, -1) if row[i - 1] is not None), 0)])


def _count(cells: int, source: str) -> None:
    if cells > MOST_CELLS:
        raise InputError(Fault(source, "", f"a workbook of at most {MOST_CELLS} cells"))


class _Part:
    """A part of a workbook, looked through before anything is made of it."""

    def __init__(self) -> None:
        self.row, self.column = 0, (0, "")

    def refused(self, stream: Any) -> str:
        """What was expected in the place of this part, or "" if nothing speaks against it."""
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._declared
        parser.StartElementHandler = self._begun
        try:
            parser.ParseFile(stream)
        except _RefusedError as reason:
            return str(reason)
        return ""

    def _declared(self, *_: Any) -> None:
        raise _RefusedError("a workbook without declarations of entities in its XML")

    def _begun(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Hold that rows and cells that say where they stand come after those before them."""
        name, at = tag.rpartition(":")[2], attributes.get("r", "")
        if name == "row":
            before, self.row = self.row, int(at) if at else self.row + 1
            self.column = (0, "")
            if not before < self.row <= _MOST_ROWS:
                expected = f"rows in their order, at most {_MOST_ROWS} (row {self.row} after "
                raise _RefusedError(f"{expected}row {before})")
        elif name == "c" and (letters := re.match("[A-Z]+", at)):
            before_column, self.column = self.column, (len(letters[0]), letters[0])
            if not before_column < self.column:
                raise _RefusedError(f"the cells of row {self.row} in their order ({at} is late)")


class _RefusedError(Exception):
    """Why a part of a workbook is not read."""
