"""The trust that senders expect beside the trust that receivers give."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from trustbayes.report.page.style import brief, grid, legend_below
from trustbayes.report.page.wording import fixed, listed, probability

__all__ = ["expected_and_given", "expected_and_given_says"]

_MARKS = {
    "expected": ("s", "#000000", "white", "expected by senders"),
    "given": ("o", "#000000", "#000000", "given by receivers (population mean)"),
}
_SURE = 0.95


def expected_and_given(gap: pd.DataFrame) -> Figure:
    """Both, with their intervals, by treatment."""
    treatments = list(gap["treatment"])
    figure, (panel,) = grid(1, 1, width=7.2, height=2.9)
    x = np.arange(len(treatments))
    handles = []
    for (name, (marker, colour, inside, label)), step in zip(
        _MARKS.items(), (-0.1, 0.1), strict=True
    ):
        middle = gap[name].to_numpy()
        spans = np.abs(gap[[f"{name}_lower", f"{name}_upper"]].to_numpy().T - middle)
        handles.append(
            panel.errorbar(
                x + step,
                middle,
                yerr=spans,
                fmt=marker,
                color=colour,
                mfc=inside,
                capsize=3,
                label=label,
            )
        )
    for i in x[1:]:
        panel.axvline(i - 0.5, color="#EEEEEE", lw=0.8, zorder=0)
    panel.set_xticks(x, [brief(t, 60 // len(x)) for t in treatments])
    panel.set_xlim(-0.5, len(x) - 0.5)
    panel.set_ylim(0, 1)
    panel.set_xlabel("treatment")
    panel.set_ylabel("trust factor (0: none, 1: full)")
    legend_below(figure, handles, 2)
    return figure


def expected_and_given_says(gap: pd.DataFrame, ci_prob: float) -> str:
    """Where senders expect more or less than receivers give, and how sure that is."""
    parts = []
    for words, sure in (
        ("more", gap["more"] >= _SURE),
        ("less", gap["more"] <= 1 - _SURE),
    ):
        here = gap[sure]
        if len(here):
            where = listed(
                f"{row['treatment']} (by {fixed(abs(row['gap']))})" for _, row in here.iterrows()
            )
            parts.append(f"{words} trust than receivers give in {where}")
    text = (
        f"With a probability of at least {fixed(_SURE)}, senders expect {'; '.join(parts)}."
        if parts
        else "In no treatment do senders expect, with a probability of at least "
        f"{fixed(_SURE)}, more or less trust than receivers give."
    )
    return f"{text} Bars: {probability(ci_prob)} intervals."
