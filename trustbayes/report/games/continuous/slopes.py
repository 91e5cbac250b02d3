"""How steeply choices follow what was seen, beside the slopes that were published."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.analysis.analyse import Analysis
from trustbayes.report.games.continuous.patterns import OWN, game_of, slopes, words_of
from trustbayes.report.page.style import GREY, brief, grid, legend_below
from trustbayes.report.page.wording import fixed, listed, probability

__all__ = ["slope_figure", "slope_figure_says"]


def slope_figure(analysis: Analysis) -> Figure:
    """Slopes by treatment, the published ones below, a panel for each role."""
    tables = {r: slopes(analysis.trials, r, analysis.ci_prob) for r in analysis.trials.roles}
    most = max(len(table) for table in tables.values())
    figure, axes = grid(len(tables), 2, width=4.8, height=1.3 + 0.3 * most)
    for panel, (role, table) in zip(axes, tables.items(), strict=True):
        for y, (_, row) in enumerate(table.iterrows()):
            observed = row["sample"] == OWN
            panel.errorbar(
                row["coefficient"],
                y,
                xerr=[
                    [row["coefficient"] - row["lower"]],
                    [row["upper"] - row["coefficient"]],
                ],
                fmt="o" if observed else "D",
                color="black" if observed else GREY,
                mfc="black" if observed else "white",
                capsize=3,
            )
        for at in (0, 1):
            panel.axvline(at, color=GREY, lw=1, ls=":" if at == 0 else "-", zorder=0)
        count = int((table["sample"] == OWN).sum())
        if count < len(table):
            panel.axhline(count - 0.5, color="#DDDDDD", lw=0.8)
        panel.set_yticks(range(len(table)), [_label(row) for _, row in table.iterrows()])
        panel.set_ylim(len(table) - 0.5, -0.5)
        words = words_of(game_of(analysis.trials))[role]
        panel.set_title(f"{role.capitalize()}s: {words.choice} on {words.seen}")
        panel.set_xlabel(f"slope ({words.unit} per {words.unit.replace('units', 'unit', 1)})")
    prob = probability(analysis.ci_prob)
    marks = [Line2D([], [], color="black", marker="o", label=f"{OWN}, {prob} interval")]
    if any((table["sample"] != OWN).any() for table in tables.values()):
        label = f"published, {prob} interval"
        marks.append(Line2D([], [], color=GREY, marker="D", mfc="white", label=label))
    marks.append(Line2D([], [], color=GREY, lw=1, label="slope of truth and full trust"))
    marks.append(Line2D([], [], color=GREY, lw=1, ls=":", label="slope of babbling"))
    legend_below(figure, marks)
    return figure


def _label(row: pd.Series) -> str:
    """A treatment, or a published sample with its treatment if that was stated."""
    if row["sample"] == OWN:
        return brief(row["treatment"], 18)
    return ", ".join(part for part in (row["sample"], row["treatment"]) if part)


def slope_figure_says(analysis: Analysis) -> str:
    """The slopes in numbers."""
    parts = []
    for role in analysis.trials.roles:
        words = words_of(game_of(analysis.trials))[role]
        table = slopes(analysis.trials, role, analysis.ci_prob)
        for observed, start in ((True, "The slope of {} on {} is "), (False, "published: ")):
            here = table[(table["sample"] == OWN) == observed]
            if here.empty:
                continue
            values = listed(
                fixed(row["coefficient"])
                + (f" in {row['treatment']}" if observed else f" ({_label(row)})")
                for _, row in here.iterrows()
            )
            parts.append(start.format(words.choice, words.seen) + values)
        parts[-1] += "."
    text = "; ".join(parts).replace(".; ", ". ")
    return (
        f"{text} Truthful senders and fully trusting receivers have a slope of 1, babbling "
        "gives 0; but level-k senders, whom the end of the range caps, have slopes below 1 too, "
        "so that slopes alone do not tell the theories apart."
    )
