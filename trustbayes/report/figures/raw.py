"""The raw patterns: who says what in which state, who does what after which message."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trustbayes.analysis import Analysis
from trustbayes.games.finite import Role
from trustbayes.report.patterns import OPTION, SEEN, SHIFT, mean_shifts, shares
from trustbayes.report.style import GREY, OBSERVED, brief, grid
from trustbayes.report.wording import fixed, listed, percent, probability

__all__ = ["heat_maps", "heat_maps_says", "shift_means", "shift_means_says"]

_WORD = {"sender": "exaggeration", "receiver": "discount"}


def heat_maps(analysis: Analysis, role: Role) -> Figure:
    """Share of every choice after everything seen, a panel for each treatment."""
    table = shares(analysis.trials, role)
    game, treatments = analysis.trials.game, analysis.trials.treatments
    seen, options = game.seen(role), game.options(role)
    side = 2.9 if max(seen.size, options.size) <= 6 else 3.3
    figure, axes = grid(len(treatments), 3, width=side, height=side + 0.25)
    image = None
    for panel, treatment in zip(axes, treatments, strict=True):
        here = table[table["treatment"] == treatment]
        matrix = (
            here.pivot_table(index="option", columns="seen", values="share")
            .reindex(index=options, columns=seen)
            .to_numpy()
        )
        image = panel.imshow(matrix, origin="lower", cmap="cividis", vmin=0, vmax=1, aspect="auto")
        _numbers(panel, matrix)
        _equal(panel, seen, options)
        panel.set_xticks(range(seen.size), [f"{v:g}" for v in seen], rotation=_turn(seen))
        panel.set_yticks(range(options.size), [f"{v:g}" for v in options])
        for spine in panel.spines.values():
            spine.set_visible(False)
        panel.set_title(brief(treatment, 24))
        panel.set_xlabel(f"{SEEN[role]} (seen)")
        panel.set_ylabel(f"{OPTION[role]} (chosen)")
    if image is not None:
        bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=30, pad=0.02)
        bar.set_label(f"share of {OPTION[role]}s after the {SEEN[role]}")
    return figure


def _turn(values: np.ndarray) -> int:
    return 90 if max(len(f"{v:g}") for v in values) * values.size > 30 else 0


def _numbers(panel: Axes, matrix: np.ndarray) -> None:
    """Percentages in the cells, as far as they are legible."""
    if max(matrix.shape) > 12:
        return
    size = 8 if max(matrix.shape) <= 6 else 5.5
    for (y, x), share in np.ndenumerate(matrix):
        if np.isfinite(share) and share > 0:
            shade = "white" if share < 0.45 else "black"
            text = "<1" if share < 0.005 else f"{100 * share:.0f}"
            panel.text(x, y, text, ha="center", va="center", color=shade, fontsize=size)


def _equal(panel: Axes, seen: np.ndarray, options: np.ndarray) -> None:
    """Frame the cells in which the choice equals what was seen."""
    for x, value in enumerate(seen):
        for y in np.flatnonzero(options == value):
            frame = ([x - 0.5, x + 0.5, x + 0.5, x - 0.5, x - 0.5], np.array([-1, -1, 1, 1, -1]))
            panel.plot(frame[0], y + 0.5 * frame[1], color="#D55E00", lw=1.4, clip_on=False)


def heat_maps_says(analysis: Analysis, role: Role) -> str:
    """How often the choice equals what was seen, by treatment (framed cells)."""
    table = shares(analysis.trials, role)
    same = table[table["seen"] == table["option"]]
    parts = []
    for treatment in analysis.trials.treatments:
        here = same[same["treatment"] == treatment]
        exact = float((here["share"] * here["trials"]).sum())
        total = float(
            table.loc[table["treatment"] == treatment].groupby("seen")["trials"].first().sum()
        )
        parts.append(f"{percent(exact / total)} of trials in {treatment}")
    verb = "tell the exact truth" if role == "sender" else "follow the message exactly"
    return (
        f"{role.capitalize()}s {verb} (framed cells) in {listed(parts)}; each column adds up to "
        "100 %."
    )


def shift_means(analysis: Analysis) -> Figure:
    """Mean shift by treatment, a panel for each role."""
    roles = analysis.trials.roles
    figure, axes = grid(len(roles), 2, width=4.2, height=2.8)
    for panel, role in zip(axes, roles, strict=True):
        table = mean_shifts(analysis.trials, role, analysis.ci_prob)
        x = np.arange(len(table))
        spans = np.abs(table[["lower", "upper"]].to_numpy().T - table["mean"].to_numpy())
        panel.axhline(0, color=GREY, lw=1, zorder=0)
        panel.errorbar(x, table["mean"], yerr=spans, fmt="o", color=OBSERVED.colour, capsize=4)
        panel.set_xticks(x, _treatments(table), rotation=20 if len(table) > 3 else 0)
        panel.set_xlim(-0.6, len(table) - 0.4)
        panel.set_title(f"{role.capitalize()}s: {_WORD[role]}")
        panel.set_xlabel("treatment (number of trials)")
        panel.set_ylabel(f"mean {SHIFT[role]}\n(units of the state)")
    return figure


def _treatments(table: pd.DataFrame) -> list[str]:
    return [
        f"{brief(t, 14)}\n({n:,})" for t, n in zip(table["treatment"], table["trials"], strict=True)
    ]


def shift_means_says(analysis: Analysis) -> str:
    """The mean shifts in numbers."""
    parts = []
    for role in analysis.trials.roles:
        table = mean_shifts(analysis.trials, role, analysis.ci_prob)
        values = listed(
            f"{fixed(row['mean'])} in {row['treatment']}" for _, row in table.iterrows()
        )
        parts.append(f"The mean {SHIFT[role]} of {role}s is {values}.")
    words = f"Bars: {probability(analysis.ci_prob)} intervals, clustered by subject."
    return " ".join([*parts, words])
