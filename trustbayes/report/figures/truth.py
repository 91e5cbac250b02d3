"""Planted parameters against estimated ones, where the truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.analysis.analyse import Analysis
from trustbayes.report.page.style import GREY, grid, legend_below, log_axis, look
from trustbayes.report.page.wording import listed, percent, probability

__all__ = ["coverage", "planted", "planted_says"]


_KEY = ["role", "model", "parameter", "symbol", "unit"]


def coverage(recovery: pd.DataFrame) -> pd.DataFrame:
    """How many intervals hold the planted value, by role, model and parameter.

    Returns
    -------
    DataFrame
        Columns role, model, parameter, symbol, unit, subjects, covered, share; unidentified, the
        number of estimates of which the trials say next to nothing, and which do not count.
    """
    rows = []
    for key, here in recovery.groupby(_KEY, sort=False):
        held = here.loc[here["identified"], "covered"]
        rows.append((*key, len(held), int(held.sum()), held.mean(), len(here) - len(held)))
    return pd.DataFrame(rows, columns=[*_KEY, "subjects", "covered", "share", "unidentified"])


def planted(analysis: Analysis, recovery: pd.DataFrame) -> Figure:
    """Estimates with intervals over the planted values, a panel for each parameter."""
    table = coverage(recovery)
    figure, axes = grid(len(table), 3, width=3.4, height=3.5)
    for panel, (_, what) in zip(axes, table.iterrows(), strict=True):
        same = recovery[["role", "model", "parameter"]] == what[["role", "model", "parameter"]]
        here = recovery[same.all(axis=1)]
        shape = look(str(what["model"]))
        known, held = here["identified"], here["covered"]
        for rows, colour, face in (
            (known & held, shape.colour, shape.colour),
            (known & ~held, "black", "black"),
            (~known, GREY, "white"),
        ):
            part = here[rows]
            spans = np.abs(part[["lower", "upper"]].to_numpy().T - part["median"].to_numpy())
            panel.errorbar(
                part["planted"],
                part["median"],
                yerr=spans,
                fmt=shape.marker,
                color=colour,
                mfc=face,
                ms=4,
                lw=0.7,
                alpha=0.8,
            )
        spec = analysis.fits[what["model"], what["role"]].model.spec
        if next(p.support for p in spec.parameters if p.name == what["parameter"]) == "positive":
            log_axis(panel, "x")
            log_axis(panel, "y")
        panel.axline(*_diagonal(here), color=GREY, lw=1, zorder=0)
        name = str(what["parameter"]).replace("_", " ")
        panel.set_title(
            f"{spec.title}, {what['role']}s:\n{name} {what['symbol']}, "
            f"{percent(what['share'])} of {what['subjects']} covered"
        )
        panel.set_xlabel("planted")
        panel.set_ylabel("estimated (median)")
    handles = [
        Line2D(
            [],
            [],
            color="#0072B2",
            marker="o",
            lw=0.7,
            label="interval holds the truth (in colour)",
        ),
        Line2D([], [], color="black", marker="o", lw=0.7, label="interval misses it (black)"),
        Line2D(
            [], [], color=GREY, marker="o", mfc="white", lw=0.7, label="not identified (hollow)"
        ),
        Line2D([], [], color=GREY, lw=1, label="estimate = truth"),
    ]
    legend_below(figure, handles)
    return figure


def _diagonal(rows: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    low, high = float(rows["planted"].min()), float(rows["planted"].max())
    high = high if high > low else low + 1
    return (low, low), (high, high)


def planted_says(analysis: Analysis, recovery: pd.DataFrame) -> str:
    """The coverage in numbers."""
    table = coverage(recovery)
    parts = [
        f"{percent(row['share'])} of {row['subjects']} for {row['parameter'].replace('_', ' ')} "
        f"({analysis.fits[row['model'], row['role']].model.spec.title}, {row['role']}s)"
        for _, row in table.iterrows()
    ]
    prob = probability(analysis.ci_prob)
    known = recovery["identified"]
    total = percent(float(recovery.loc[known, "covered"].mean()))
    text = f"The {prob} intervals hold the planted value in {total} overall: {listed(parts, 12)}."
    if known.all():
        return text
    return f"{text} Not identified, drawn hollow and not counted: {_unidentified(recovery)}."


def _unidentified(recovery: pd.DataFrame) -> str:
    """Whose parameters the trials say next to nothing of."""
    out = recovery[~recovery["identified"]]
    return listed(
        (
            f"{str(parameter).replace('_', ' ')} of "
            f"{listed(dict.fromkeys(map(str, rows['subject'])), 4)}"
            for (_, _, parameter), rows in out.groupby(["role", "model", "parameter"], sort=False)
        ),
        8,
    )
