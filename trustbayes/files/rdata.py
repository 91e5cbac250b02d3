"""Tables in files of R's own format (``.rda``), read without R.

Only what tables are made of is understood: lists, numbers, texts and factors, with their names.
Nothing in such a file is run.

Source: R Internals, section "Serialization Formats"; R Core Team (2026).
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trustbayes.errors import Fault, InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_rdata"]

_MOST = 2**28  # bytes of an unpacked file
_PACKED: tuple[tuple[bytes, Callable[[], Any]], ...] = (
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ", lzma.LZMADecompressor),
)
_NIL, _GLOBAL, _EMPTY, _BASE = 254, 253, 242, 241
_REFERENCE, _SYMBOL, _PAIRS, _LANGUAGE, _CHARACTERS = 255, 1, 2, 6, 9
_LOGICAL, _INTEGER, _REAL, _STRINGS, _VECTOR = 10, 13, 14, 16, 19
_MISSING = -(2**31)


def read_rdata(content: bytes, name: str) -> dict[str, pd.DataFrame]:
    """Read the tables that a file of R holds.

    Parameters
    ----------
    content : bytes
        Of the file, packed by bzip2, xz or gzip, or not at all.
    name : str
        What to call it in messages.

    Returns
    -------
    dict of str to DataFrame
        Every table in the file by its name; all cells as text, empty where they are missing, but
        for those that are tables themselves.

    Raises
    ------
    InputError
        If it is no such file, or holds what is not understood.
    """
    try:
        reader = _Reader(_unpacked(content))
        return {key: _table(value) for key, value in reader.pairs().items() if _is_table(value)}
    except (ValueError, IndexError, struct.error, EOFError, OSError, lzma.LZMAError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(Fault(name, "", f"a file of R with tables ({reason})")) from None


def _unpacked(content: bytes) -> bytes:
    for start, packer in _PACKED:
        if content.startswith(start):
            unpacker = packer()
            data: bytes = unpacker.decompress(content, _MOST)
            if not unpacker.eof:
                raise ValueError("too large, or cut short")
            return data
    if content.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            data = file.read(_MOST + 1)
        if len(data) > _MOST:
            raise ValueError("too large")
        return data
    return content


class _Node:
    """A value of R: what it holds, and its attributes."""

    def __init__(self, held: Any, attributes: dict[str, Any]) -> None:
        self.held, self.attributes = held, attributes

    def texts(self, attribute: str) -> list[str]:
        """An attribute that is a list of texts; empty if there is none."""
        node = self.attributes.get(attribute)
        return [str(value or "") for value in node.held] if isinstance(node, _Node) else []


class _Reader:
    """The items of a file, one after the other."""

    def __init__(self, data: bytes) -> None:
        if not data.startswith((b"RDX2\nX\n", b"RDX3\nX\n")):
            raise ValueError("neither of its second nor of its third format")
        self.data, self.at, self.known = data, 7, list[Any]()
        version, _, _ = (self.whole() for _ in range(3))
        if version == 3:
            self.at += self.whole()  # the encoding of the machine that wrote it

    def whole(self) -> int:
        [value] = struct.unpack_from(">i", self.data, self.at)
        self.at += 4
        return int(value)

    def length(self, width: int) -> int:
        count = self.whole()
        if not 0 <= count * width <= len(self.data) - self.at:
            raise ValueError("cut short")
        return count

    def pairs(self) -> dict[str, Any]:
        """What the file holds, by name."""
        node = self.item()
        if not isinstance(node, _Node) or not isinstance(node.held, dict):
            raise ValueError("no list of names")
        return node.held

    def item(self) -> Any:
        flags = self.whole()
        kind, attributed, tagged = flags & 255, bool(flags & 512), bool(flags & 1024)
        if kind in (_NIL, _GLOBAL, _EMPTY, _BASE):
            return None
        if kind == _REFERENCE:
            index = flags >> 8
            return self.known[(index or self.whole()) - 1]
        if kind == _SYMBOL:
            self.known.append(self.item())
            return self.known[-1]
        if kind in (_PAIRS, _LANGUAGE):
            return self.chain(attributed, tagged)
        if kind == _CHARACTERS:
            size = self.whole()
            if size < 0:
                return None
            self.at += size
            return self.data[self.at - size : self.at].decode("utf-8", "replace")
        held: Any
        if kind in (_LOGICAL, _INTEGER):
            count = self.length(4)
            held = struct.unpack_from(f">{count}i", self.data, self.at)
            self.at += 4 * count
        elif kind == _REAL:
            count = self.length(8)
            held = struct.unpack_from(f">{count}d", self.data, self.at)
            self.at += 8 * count
        elif kind in (_STRINGS, _VECTOR):
            held = [self.item() for _ in range(self.length(4))]
        else:
            raise ValueError(f"a value of R's type {kind}")
        node = _Node(held, self.item().held if attributed else {})
        if kind == _LOGICAL:
            node.held = tuple({0: "False", 1: "True"}.get(value) for value in held)
        return node

    def chain(self, attributed: bool, tagged: bool) -> _Node:
        """A list of pairs, which the format nests: each holds the next."""
        held: dict[str, Any] = {}
        while True:
            if attributed:
                self.item()
            tag = self.item() if tagged else f"{len(held)}"
            held[str(tag)] = self.item()
            flags = self.whole()
            kind, attributed, tagged = flags & 255, bool(flags & 512), bool(flags & 1024)
            if kind == _NIL:
                return _Node(held, {})
            if kind not in (_PAIRS, _LANGUAGE):
                raise ValueError("a list of pairs that is none")


def _table(node: _Node) -> pd.DataFrame:
    """A table with text in its cells; in a column of tables they are tables themselves."""
    import pandas as pd

    columns = {
        name: pd.Series(_cells(column), dtype="object")
        for name, column in zip(node.texts("names"), node.held, strict=True)
        if isinstance(column, _Node)
    }
    return pd.DataFrame(columns)


def _is_table(value: Any) -> bool:
    return isinstance(value, _Node) and "data.frame" in value.texts("class")


def _cells(column: _Node) -> list[Any]:
    """The cells of a column; a factor's are its labels."""
    if labels := column.texts("levels"):
        return [labels[at - 1] if 0 < at <= len(labels) else "" for at in column.held]
    return [_table(node) if _is_table(node) else _text(node) for node in column.held]


def _text(value: Any) -> str:
    if value is None or isinstance(value, _Node) or value == _MISSING or value != value:
        return ""
    return f"{value:.15g}" if isinstance(value, float) else str(value)
