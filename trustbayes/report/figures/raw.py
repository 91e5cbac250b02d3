"""How far choices are from face value, as observed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from trustbayes.analysis.analyse import Analysis
from trustbayes.games import Role
from trustbayes.report.games.kind import Kind
from trustbayes.report.games.patterns import as_shown, mean_shifts
from trustbayes.report.page.style import GREY, OBSERVED, brief, grid, wrapped
from trustbayes.report.page.wording import fixed, listed, probability

__all__ = ["shift_means", "shift_means_says"]


def shift_means(analysis: Analysis, kind: Kind) -> Figure:
    """Mean shift by treatment, a panel for each role."""
    roles = analysis.trials.roles
    figure, axes = grid(len(roles), 2, width=4.2, height=2.8)
    for panel, role in zip(axes, roles, strict=True):
        words, table = kind.words[role], _table(analysis, kind, role)
        x = np.arange(len(table))
        spans = np.abs(table[["lower", "upper"]].to_numpy().T - table["mean"].to_numpy())
        panel.axhline(0, color=GREY, lw=1, zorder=0)
        panel.errorbar(x, table["mean"], yerr=spans, fmt="o", color=OBSERVED.colour, capsize=4)
        panel.set_xticks(x, _treatments(table), rotation=20 if len(table) > 3 else 0)
        panel.set_xlim(-0.6, len(table) - 0.4)
        panel.set_title(f"{role.capitalize()}s: {words.drift}")
        panel.set_xlabel("treatment (number of trials)")
        panel.set_ylabel(f"{wrapped(f'mean {words.shift}', 26)}\n({words.unit})")
    return figure


def _table(analysis: Analysis, kind: Kind, role: Role) -> pd.DataFrame:
    table = mean_shifts(analysis.trials, kind, role, analysis.ci_prob)
    return as_shown(table, kind.words[role].sign)


def _treatments(table: pd.DataFrame) -> list[str]:
    return [
        f"{brief(t, 14)}\n({n:,})" for t, n in zip(table["treatment"], table["trials"], strict=True)
    ]


def shift_means_says(analysis: Analysis, kind: Kind) -> str:
    """The mean shifts in numbers."""
    parts = []
    for role in analysis.trials.roles:
        words, table = kind.words[role], _table(analysis, kind, role)
        values = listed(
            f"{fixed(row['mean'], kind.places)} in {row['treatment']}"
            for _, row in table.iterrows()
        )
        parts.append(f"The mean {words.shift} of {role}s is {values}.")
    bars = f"Bars: {probability(analysis.ci_prob)} intervals, clustered by subject."
    return " ".join([*parts, bars])
