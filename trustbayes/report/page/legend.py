"""What the figures of replicated data share."""

from __future__ import annotations

import pandas as pd
from matplotlib.lines import Line2D

from trustbayes.report.page.style import look

__all__ = ["handle", "outside"]


def handle(model: str, label: str) -> Line2D:
    """The legend of a model."""
    shape = look(model)
    return Line2D([], [], color=shape.colour, marker=shape.marker, ms=4, lw=1.3, label=label)


def outside(table: pd.DataFrame) -> pd.DataFrame:
    """The rows whose observed value lies outside its interval."""
    return table[(table["observed"] < table["lower"]) | (table["observed"] > table["upper"])]
