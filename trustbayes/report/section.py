"""A section of the report, and which models it speaks of."""

from __future__ import annotations

from dataclasses import dataclass, field

from trustbayes.analysis import Analysis
from trustbayes.games.finite import Role
from trustbayes.report.picture import Rendered
from trustbayes.report.table import Table

__all__ = ["BENCHMARKS", "Section", "models_of", "roles", "theories"]

BENCHMARKS = ("babbling", "full-trust")
"""Models that theories are held against."""


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


def roles(analysis: Analysis) -> list[Role]:
    """The roles compared."""
    return list(analysis.comparisons)


def models_of(analysis: Analysis, role: Role) -> list[str]:
    """The models fitted to a role."""
    return [model for model, one in analysis.fits if one == role]


def theories(analysis: Analysis, role: Role) -> list[str]:
    """Those that are more than benchmarks."""
    return [model for model in models_of(analysis, role) if model not in BENCHMARKS]
