"""Tables of other programs: Excel, Stata and Parquet, read as if they were saved as CSV."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trustbayes.errors import Fault, InputError, listing
from trustbayes.files.excel import MOST_BYTES, MOST_CELLS, excel_rows
from trustbayes.files.separated import parse_csv
from trustbayes.files.stata import STATA, is_old_stata, is_whole
from trustbayes.files.table import TextTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["parse_table"]

_EXCEL, _PARQUET = b"PK\x03\x04", b"PAR1"


def parse_table(content: bytes, source: str) -> TextTable:
    r"""Take a table of any format apart.

    Parameters
    ----------
    content : bytes
        An Excel workbook (.xlsx) with one sheet that is filled, a Stata file, a Parquet file
        (each known by its first bytes), or separated text, see `parse_csv`.
    source : str
        What to call the file in messages.

    Returns
    -------
    TextTable
        Whole numbers without decimals, true and false as 1 and 0, missing values as empty cells,
        labels of Stata's values in the place of their numbers. Rows are numbered as in a sheet
        whose first row is the header.

    Raises
    ------
    InputError
        As `parse_csv`; if the library for the format is not installed, the file is damaged, more
        than one sheet is filled, or the content is absurdly large once it is unpacked.

    Examples
    --------
    >>> parse_table(b"sender,round\ns1,1\n", "trials.csv").frame
      sender round
    2     s1     1
    """
    if content.startswith(_EXCEL):
        return _read(excel_rows, content, source, "an Excel workbook", "openpyxl", "defusedxml")
    if content.startswith(_PARQUET):
        return _read(_parquet, content, source, "a Parquet file", "pyarrow")
    if content.startswith(STATA) or is_old_stata(content):
        return _read(_stata, content, source, "a Stata file")
    return parse_csv(content, source)


def _read(
    reader: Callable[[bytes, str], tuple[Iterable[Sequence[Any]], str]],
    content: bytes,
    source: str,
    what: str,
    *needed: str,
) -> TextTable:
    from importlib.util import find_spec

    lacking = [name for name in needed if find_spec(name) is None]
    if lacking:
        expected = (
            f"a text file, or {listing(lacking)} to read {what}: pip install 'trustbayes[tables]'"
        )
        raise InputError(Fault(source, "", expected))
    try:
        rows, note = reader(content, source)
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([_text(cell) for cell in row] for row in rows)
    except InputError:
        raise
    except Exception as error:  # the libraries raise anything on damaged files
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise InputError(Fault(source, "", f"{what} that can be read ({reason})")) from None
    table = parse_csv(buffer.getvalue().encode("utf-8", "replace"), source)
    return replace(table, notes=(f"{source} was read as {what}{note}.", *table.notes))


def _text(cell: Any) -> str:
    """A cell as a CSV file has it, in one line."""
    if cell is None or cell != cell or str(cell) in ("NaT", "<NA>"):
        return ""
    if isinstance(cell, bool | np.bool_):
        return str(int(cell))
    if (
        isinstance(cell, float | np.floating)
        and float(cell).is_integer()
        and abs(float(cell)) < 1e15
    ):
        return str(int(cell))
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    if hasattr(cell, "isoformat"):
        return str(cell.isoformat())
    return " ".join(str(cell).splitlines())


def _parquet(content: bytes, source: str) -> tuple[Iterable[Sequence[Any]], str]:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(content))
    shape = file.metadata
    groups = [shape.row_group(i).total_byte_size for i in range(shape.num_row_groups)]
    if shape.num_rows * shape.num_columns > MOST_CELLS or sum(groups) > MOST_BYTES:
        expected = f"at most {MOST_CELLS} cells, but there are {shape.num_rows} rows of "
        raise InputError(Fault(source, "", expected + f"{shape.num_columns} columns"))
    return _rows(file.read().to_pandas()), ""


def _stata(content: bytes, source: str) -> tuple[Iterable[Sequence[Any]], str]:
    import pandas as pd

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UnicodeWarning)
        frame = pd.read_stata(io.BytesIO(content), convert_categoricals=True)
    if not is_whole(content):
        expected = f"a Stata file whose {len(frame)} rows fill the place that it has for rows"
        raise InputError(Fault(source, "", expected))
    labelled = [str(name) for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    note = f", with labels for the values of {listing(labelled)}" if labelled else ""
    if any(issubclass(warning.category, UnicodeWarning) for warning in caught):
        note += ", some of its texts in Latin-1, since they are not in UTF-8"
    return _rows(frame), note


def _rows(frame: pd.DataFrame) -> Iterable[Sequence[Any]]:
    columns = [frame[name].astype(object).tolist() for name in frame]
    return [[str(name) for name in frame], *zip(*columns, strict=True)]
