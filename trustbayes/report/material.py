"""What sections are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from trustbayes.analysis.analyse import Analysis
from trustbayes.report.games.kind import Kind
from trustbayes.report.games.registry import kind_of

__all__ = ["Material"]


@dataclass(frozen=True, eq=False)
class Material:
    """An analysis, and its numbers as they are written.

    Parameters
    ----------
    analysis : Analysis
    results : mapping
        Its `trustbayes.report.results.results`.
    """

    analysis: Analysis
    results: Mapping[str, Any]

    @cached_property
    def kind(self) -> Kind:
        """What differs between the kinds of game."""
        return kind_of(self.analysis.trials.game)

    @cached_property
    def titles(self) -> dict[str, str]:
        """The title of each model, by its name."""
        return {model: fit.model.spec.title for (model, _), fit in self.analysis.fits.items()}
