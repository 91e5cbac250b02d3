"""What people's traits and treatments predict, on the natural scale."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.report.page.style import GREY, brief, grid, legend_below, look, wrapped
from trustbayes.report.page.wording import fixed, listed, probability

__all__ = ["average_effects", "average_effects_says"]

_SURE = 0.95


def _shown(traits: pd.DataFrame) -> pd.DataFrame:
    """Average effects of one standard deviation of a number, or between levels of a factor."""
    average = traits["kind"] == "average effect"
    return traits[average & (traits["change"] != "1 unit")]


def average_effects(traits: pd.DataFrame, titles: Mapping[str, str], ci_prob: float) -> Figure:
    """Average effects with their intervals, a panel for each parameter of each model.

    Parameters
    ----------
    traits : DataFrame
        See `trustbayes.estimates.traits.trait_effects`.
    titles : mapping of str to str
        Of the models.
    ci_prob : float
    """
    keys = ["role", "model", "parameter", "symbol", "unit"]
    panels = list(_shown(traits).groupby(keys, sort=False))
    panels.sort(key=lambda group: len(group[1]))  # low panels share a row
    sizes = [len(rows) for _, rows in panels]
    tallest = [max(sizes[start : start + 2]) for start in range(0, len(sizes), 2)]
    heights = [1.3 + 0.3 * most for most in tallest]
    figure, axes = grid(
        len(panels),
        2,
        width=4.6,
        height=sum(heights) / len(heights),
        gridspec_kw={"height_ratios": heights},
    )
    for place, (panel, (key, rows)) in enumerate(zip(axes, panels, strict=True)):
        role, model, parameter, symbol, unit = map(str, key)
        shape = look(model)
        panel.axvline(0, color=GREY, lw=0.9)
        for y, (_, row) in enumerate(rows.iterrows()):
            panel.plot([row["lower"], row["upper"]], [y, y], color=shape.colour, lw=2)
            panel.plot(row["mean"], y, shape.marker, color=shape.colour, ms=5)
        panel.set_yticks(range(len(rows)), [_label(row) for _, row in rows.iterrows()])
        panel.set_ylim(tallest[place // 2] - 0.5, -0.5)
        reach = 1.1 * float(np.abs(rows[["lower", "upper"]].to_numpy()).max())
        panel.set_xlim(-reach, reach)
        panel.set_title(f"{titles[model]}, {role}s:\n{parameter.replace('_', ' ')} {symbol}")
        panel.set_xlabel(wrapped(f"change in {unit}"))
    bars = f"posterior mean and {probability(ci_prob)} interval"
    legend_below(figure, [Line2D([], [], color="black", marker="o", lw=2, label=bars)])
    return figure


def _label(row: pd.Series) -> str:
    term = str(row["term"]).replace("_", " ")
    option = str(row["option"])
    ends = f"\n{'level ' if option.isdigit() else ''}{option}" if option else ""
    return f"{brief(term, 24)}: {brief(row['change'], 24)}{ends}"


def average_effects_says(traits: pd.DataFrame, ci_prob: float) -> str:
    """Which effects surely have one sign."""
    shown = _shown(traits)
    shown = shown[~shown["option"].str.isdigit()]  # of levels, the mean level
    parts = []
    for words, sure in (
        ("more", shown["positive"] >= _SURE),
        ("less", shown["positive"] <= 1 - _SURE),
    ):
        parts += [
            f"{words} {str(row['parameter']).replace('_', ' ')} of {row['role']}s by "
            f"{str(row['term']).replace('_', ' ')}, {row['change']} ({row['model']})"
            for _, row in shown[sure].iterrows()
        ]
    start = f"With a probability of at least {fixed(_SURE)} there is "
    text = (
        f"{start}{listed(parts)}."
        if parts
        else (f"No effect has one sign with a probability of at least {fixed(_SURE)}.")
    )
    return f"{text} Bars: {probability(ci_prob)} intervals."
