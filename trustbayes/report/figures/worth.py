"""What trust is worth: how far from babbling to full trust the people get."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.report.page.style import GREY, brief, legend_below
from trustbayes.report.page.wording import listed, percent, probability

__all__ = ["PARTIES", "share_says", "together_says", "way_to_trust", "way_to_trust_says"]

PARTIES = {"sender": "sender", "receiver": "receiver", "both": "both together"}
"""Who earns, in words."""

_WHO = {"sender": "senders", "receiver": "receivers", "both": "both together"}
_MARKS = {"sender": ("^", "#4D4D4D"), "receiver": ("v", "#4D4D4D"), "both": ("D", "#000000")}


def way_to_trust(worth: pd.DataFrame, width: float = 7.2) -> Figure:
    """Profits as a share of the way from babbling to full trust, by treatment."""
    treatments = list(dict.fromkeys(worth["treatment"]))
    figure = Figure(figsize=(width, 3.2))
    panel = figure.subplots()
    x = np.arange(len(treatments))
    for at, style in ((0, ":"), (1, "-")):
        panel.axhline(at, color=GREY, lw=1, ls=style, zorder=1)
    for (party, words), step in zip(PARTIES.items(), (-0.2, 0.0, 0.2), strict=True):
        here = worth[worth["party"] == party].set_index("treatment").loc[treatments]
        marker, colour = _MARKS[party]
        spans = np.abs(here[["share_lower", "share_upper"]].to_numpy().T - here["share"].to_numpy())
        panel.errorbar(
            x + step,
            here["share"],
            yerr=spans,
            fmt=marker,
            color=colour,
            mfc="white" if party != "both" else colour,
            capsize=3,
            label=words,
        )
    for i in x[1:]:
        panel.axvline(i - 0.5, color="#EEEEEE", lw=0.8, zorder=0)
    room = round(8 * width) // len(x)
    if all(len(str(t)) <= room for t in treatments):
        panel.set_xticks(x, treatments)
    else:  # upright, there is more room
        panel.set_xticks(x, [brief(t, 16) for t in treatments], rotation=90)
    panel.set_xlim(-0.5, len(x) - 0.5)
    panel.yaxis.set_major_formatter(lambda share, _: percent(share))
    panel.set_xlabel("treatment")
    what = "expected profit, share of the way\nfrom babbling to full trust"
    panel.set_ylabel(what if width > 5 else "profit, share of the way\nto full trust")
    handles = [
        Line2D(
            [],
            [],
            color=colour,
            marker=marker,
            mfc="white" if party != "both" else colour,
            label=PARTIES[party],
        )
        for party, (marker, colour) in _MARKS.items()
    ]
    handles.append(Line2D([], [], color=GREY, lw=1, label="full trust"))
    handles.append(Line2D([], [], color=GREY, lw=1, ls=":", label="babbling"))
    legend_below(figure, handles, 5 if width > 5 else 2)
    return figure


def together_says(worth: pd.DataFrame) -> str:
    """Where the profits of both together lie."""
    shares = listed(
        f"{percent(row['share'])} ({percent(row['share_lower'])} to "
        f"{percent(row['share_upper'])}) in "
        f"{row['treatment']}"
        for _, row in worth[worth["party"] == "both"].iterrows()
    )
    return (
        "Of the way from babbling to full trust, the expected profit of sender and receiver "
        f"together has gone {shares}."
    )


def share_says(worth: pd.DataFrame) -> str:
    """The same in short, as a heading."""
    shares = listed(
        f"{percent(row['share'])} in {row['treatment']}"
        for _, row in worth[worth["party"] == "both"].iterrows()
    )
    return f"of the way from babbling to full trust, sender and receiver together get {shares}"


def way_to_trust_says(worth: pd.DataFrame, ci_prob: float) -> str:
    """The shares of both together, and where somebody falls outside the way."""
    text = together_says(worth)
    beyond = (
        ("less than under babbling", worth[worth["share_upper"] < 0]),
        ("more than under full trust", worth[worth["share_lower"] > 1]),
    )
    for words, rows in beyond:
        where = [
            f"{who} in {listed(rows.loc[rows['party'] == party, 'treatment'])}"
            for party, who in _WHO.items()
            if (rows["party"] == party).any()
        ]
        if where:
            text += f" {words.capitalize()}, by the whole interval: {'; '.join(where)}."
    return f"{text} Bars: {probability(ci_prob)} intervals."
