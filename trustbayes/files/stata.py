"""Stata files: whether they are as long as they say, so that no row is left in them."""

from __future__ import annotations

import struct

__all__ = ["STATA", "is_old_stata", "is_whole"]

STATA = b"<stata_dta>"
"""How a Stata file begins, since Stata 13."""

_WIDTHS = {65526: 8, 65527: 4, 65528: 4, 65529: 2, 65530: 1, 32768: 8}  # doubles to bytes; strL
_OLD_WIDTHS = {251: 1, 252: 2, 253: 4, 254: 4, 255: 8}  # other codes are lengths of texts
_OLD = {bytes([version, order]) for version in (113, 114, 115) for order in (1, 2)}


def is_old_stata(content: bytes) -> bool:
    """Whether a file begins as one of Stata 8 to 12."""
    return content[:2] in _OLD


def is_whole(content: bytes) -> bool:
    """Whether the rows that a Stata file says it has fill the place where its rows stand.

    pandas reads as many rows as the header says, whatever follows.

    Parameters
    ----------
    content : bytes
        Of a file of Stata 8 or newer.

    Returns
    -------
    bool
        False also where the file breaks off.

    Notes
    -----
    As in Stata's manual, "dta: Description of .dta file format" (versions 113 to 119).
    """
    try:
        return _old(content) if is_old_stata(content) else _new(content)
    except (struct.error, IndexError):
        return False


def _new(content: bytes) -> bool:
    """Sections between tags, whose places stand in a map."""
    release = int(content[28:31])
    order = "<" if content[52:55] == b"LSF" else ">"
    at = content.index(b"<N>") + 3
    rows = struct.unpack_from(order + ("I" if release == 117 else "Q"), content, at)[0]
    places = struct.unpack_from(order + "14Q", content, content.index(b"<map>") + 5)
    begin, end = places[2] + len("<variable_types>"), places[3] - len("</variable_types>")
    codes = struct.unpack_from(f"{order}{(end - begin) // 2}H", content, begin)
    width = sum(_WIDTHS.get(code, code) for code in codes)
    return places[10] - places[9] == rows * width + len("<data></data>")


def _old(content: bytes) -> bool:
    """Rows without an end of their own; tables of labels may follow, up to the file's end."""
    order = "<" if content[1] == 2 else ">"
    variables, rows = struct.unpack_from(order + "Hi", content, 4)
    widths = [_OLD_WIDTHS.get(code, code) for code in content[109 : 109 + variables]]
    formats = 12 if content[0] == 113 else 49
    at = 109 + variables * (1 + 33 + 2 + formats + 33 + 81) + 2
    kind, length = -1, -1
    while (kind, length) != (0, 0):  # characteristics of variables; one of no kind ends them
        kind, length = struct.unpack_from(order + "bi", content, at)
        at += 5 + length
    at += rows * sum(widths)
    while at < len(content):
        at += 4 + 33 + 3 + struct.unpack_from(order + "i", content, at)[0]
    return at == len(content)
