"""A table as it stands in the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Table", "table", "values"]


@dataclass(frozen=True)
class Table:
    """A table as it stands in the page.

    Parameters
    ----------
    caption : str
    header : tuple of str
    rows : tuple of tuple of str
    words : frozenset of int
        The columns that hold words; all others hold numbers.
    notes : tuple of str
        What stands under it, numbered from 1, as cells refer to it.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[int] = frozenset({0})
    notes: tuple[str, ...] = ()


def table(
    caption: str,
    header: str,
    rows: Iterable[Iterable[str]],
    words: Iterable[int] = (0,),
    notes: Iterable[str] = (),
) -> Table:
    """A table from its rows; the names of its columns have bars between them.

    Examples
    --------
    >>> table("Counts.", "what|count", [("trials", "12")]).header
    ('what', 'count')
    """
    return Table(
        caption,
        tuple(header.split("|")),
        tuple(tuple(row) for row in rows),
        frozenset(words),
        tuple(notes),
    )


def values(numbers: Iterable[float]) -> str:
    """Numbers with commas between, without loss.

    Examples
    --------
    >>> values([0.5, 1.0])
    '0.5, 1'
    """
    return ", ".join(f"{number:g}" for number in numbers)
