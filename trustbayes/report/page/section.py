"""A section of a report: one message, a sentence, a picture; the rest is folded."""

from __future__ import annotations

from dataclasses import dataclass, field

from trustbayes.report.page.picture import Rendered
from trustbayes.report.page.table import Table
from trustbayes.report.page.wording import counted, listed

__all__ = ["Section"]


@dataclass(frozen=True)
class Section:
    """A section of the report, or a part of one.

    The first text and the first picture stand open, and so do points and warnings; further texts
    and pictures, tables and programs are folded.

    Parameters
    ----------
    name : str
        Its anchor.
    title : str
        What it is about, in the contents.
    message : str
        Its heading: what it says. Default: the title.
    texts : list of str
        Paragraphs; the first says the message in a sentence or two.
    items : list of str
        Points of a list.
    notes : list of str
        Warnings.
    code : list of str
        Programs, and what else is to be copied, each as its lines.
    tables : list of Table
    pictures : list of Rendered
    parts : list of Section
    """

    name: str
    title: str
    message: str = ""
    texts: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    pictures: list[Rendered] = field(default_factory=list)
    parts: list[Section] = field(default_factory=list)

    @property
    def heading(self) -> str:
        """What stands above it."""
        return self.message or self.title

    @property
    def folded(self) -> str:
        """What the fold holds, in words; empty if nothing."""
        held = (
            (len(self.tables), "table"),
            (max(0, len(self.pictures) - 1), "further picture"),
            (len(self.code), "copyable text"),
        )
        parts = [counted(count, what) for count, what in held if count]
        if len(self.texts) > 1:
            parts.append("notes")
        words = listed(parts)
        return f"{words[:1].upper()}{words[1:]}"

    @property
    def words(self) -> str:
        """What of it stands open, in words, and what is folded: in the order of reading."""
        shown = [self.heading, *self.texts[:1], *self.items, *self.notes]
        shown += [f"{picture.title} {picture.message}" for picture in self.pictures]
        return " ".join([*shown, *self.texts[1:], *(table.caption for table in self.tables)])
