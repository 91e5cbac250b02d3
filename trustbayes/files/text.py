"""Bytes to text: which encoding a file is in, said where it is not the usual one."""

from __future__ import annotations

import codecs
import unicodedata
from pathlib import Path

from trustbayes.errors import Fault, InputError
from trustbayes.files.targets import expanded

__all__ = ["read_bytes", "text_of"]

_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NO_TEXT = (
    (b"PK\x03\x04", "an Excel workbook or another ZIP file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"<stata_dta>", "a Stata file"),
    (b"$FL2", "an SPSS file"),
)


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
        return expanded(path).read_bytes()
    except FileNotFoundError:
        raise InputError(Fault(str(path), "", f"{what}, but there is no such file")) from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(Fault(str(path), "", f"{what} that can be read ({reason})")) from None


def text_of(content: bytes, source: str) -> tuple[str, tuple[str, ...]]:
    r"""Decode a text file of any usual origin.

    Parameters
    ----------
    content : bytes
        UTF-8, UTF-16 or UTF-32, with or without a byte order mark, or Windows-1252.
    source : str
        What to call the file in messages.

    Returns
    -------
    text : str
        With accents composed (NFC), so that names written in either form are the same.
    notes : tuple of str
        What was recognised, if it is not UTF-8.

    Raises
    ------
    InputError
        If it is no text in these encodings, or in two of them at once.

    Notes
    -----
    Windows-1252 is taken only where nothing in the file is a multibyte character of UTF-8: a file
    that mixes the two was damaged, and reading it in either would spoil some of its names.

    Examples
    --------
    >>> text_of("name\nJosé\n".encode("utf-16"), "people.csv")
    ('name\nJosé\n', ('people.csv was read as UTF-16.',))
    """
    for start, kind in _NO_TEXT:
        if content.startswith(start):
            expected = f"a text file, but it is {kind}: save the table as CSV"
            raise InputError(Fault(source, "", expected))
    encoding, marked = _encoding(content)
    try:
        text = content[marked:].decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            expected = f"text in {_called(encoding)}, as its first bytes say ({error.reason})"
            raise InputError(Fault(source, "", expected)) from None
        text, encoding = _western(content[marked:], error, source), "cp1252"
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(Fault(f"{source}, row {row}", "", "text, but there is a null character"))
    note = () if encoding == "utf-8" else (f"{source} was read as {_called(encoding)}.",)
    return unicodedata.normalize("NFC", text), note


def _encoding(content: bytes) -> tuple[str, int]:
    """The encoding, and the length of the byte order mark that says so."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding, len(mark)
    start = content[:1000]
    for encoding, zeros, others in (
        ("utf-16-le", start[1::2], start[::2]),
        ("utf-16-be", start[::2], start[1::2]),
    ):  # the header of a table is mostly ASCII, every second byte of which is zero then
        if zeros.count(0) > 0.8 * len(zeros) and others.count(0) == 0:
            return encoding, 0
    return "utf-8", 0


def _western(content: bytes, error: UnicodeDecodeError, source: str) -> str:
    """The text in Windows-1252, if nothing speaks against it."""
    line = content.count(b"\n", 0, error.start) + 1
    byte = content[error.start : error.start + 1].hex()
    expected = f"text in UTF-8, but there is the byte {byte}"
    if content.decode("utf-8", "ignore").isascii():
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            expected += ", which Windows-1252 has not either"
        else:
            return text
    else:
        expected += " among characters that are in UTF-8"
    raise InputError(Fault(f"{source}, row {line}", "", expected)) from None


def _called(encoding: str) -> str:
    return "Windows-1252" if encoding == "cp1252" else encoding[:6].upper()
