"""A section of the report, and which models it speaks of."""

from __future__ import annotations

from dataclasses import dataclass, field

from trustbayes.report.page.picture import Rendered
from trustbayes.report.page.table import Table

__all__ = ["Section"]


@dataclass(frozen=True)
class Section:
    """A section, or a part of one.

    Parameters
    ----------
    name : str
        Its anchor.
    title : str
    texts : list of str
        Paragraphs.
    items : list of str
        Points of a list.
    notes : list of str
        Warnings.
    code : list of str
        Programs, each as its lines.
    tables : list of Table
    pictures : list of Rendered
    parts : list of Section
    """

    name: str
    title: str
    texts: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    pictures: list[Rendered] = field(default_factory=list)
    parts: list[Section] = field(default_factory=list)
