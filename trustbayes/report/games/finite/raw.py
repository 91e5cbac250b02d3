"""The raw patterns of a finite game: who says what in which state, who does what after it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.analysis.analyse import Analysis
from trustbayes.games import Role
from trustbayes.report.games.finite.patterns import WORDS, game_of, shares
from trustbayes.report.page.style import brief, grid, legend_below
from trustbayes.report.page.wording import listed, percent

__all__ = ["heat_maps", "heat_maps_says", "share_lines", "share_lines_says"]

_MARKERS = "osD^vP"


def heat_maps(analysis: Analysis, role: Role) -> Figure:
    """Share of every choice after everything seen, a panel for each treatment."""
    table, words = shares(analysis.trials, role), WORDS[role]
    game, treatments = game_of(analysis.trials), analysis.trials.treatments
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
        panel.set_xlabel(f"{words.seen} (seen)")
        panel.set_ylabel(f"{words.choice} (chosen)")
    if image is not None:
        bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=30, pad=0.02)
        bar.set_label(f"share of {words.choice}s after the {words.seen}")
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


def share_lines(analysis: Analysis, role: Role) -> Figure:
    """Share of each action over the message, where actions are labels; a panel per treatment."""
    table, words = shares(analysis.trials, role), WORDS[role]
    game, treatments = game_of(analysis.trials), analysis.trials.treatments
    labels, options = game.labels(role), game.options(role)
    figure, axes = grid(len(treatments), 3, width=3.0, height=2.4, sharey=True)
    # Where there are two the one's share is the other's rest.
    drawn = list(range(1 if options.size == 2 else 0, options.size))
    for panel, treatment in zip(axes, treatments, strict=True):
        here = table[table["treatment"] == treatment]
        for position in drawn:
            rows = here[here["option"] == options[position]]
            panel.plot(rows["seen"], rows["share"], lw=1.2, color=f"C{position}")
            size = 6 + 60 * rows["trials"] / max(1, here["trials"].max())
            marker = _MARKERS[position % len(_MARKERS)]
            panel.scatter(rows["seen"], rows["share"], s=size, color=f"C{position}", marker=marker)
        panel.set_ylim(-0.05, 1.05)
        panel.set_title(brief(treatment, 24))
        panel.set_xlabel(f"{words.seen} (seen)")
        panel.set_ylabel(f"share of {words.choice}s")
    handles = [
        Line2D(
            [], [], color=f"C{i}", marker=_MARKERS[i % len(_MARKERS)], label=brief(labels[i], 30)
        )
        for i in drawn
    ]
    legend_below(figure, handles)
    return figure


def share_lines_says(analysis: Analysis, role: Role) -> str:
    """How often each action is taken, by treatment, and after the lowest and highest message."""
    table, game = shares(analysis.trials, role), game_of(analysis.trials)
    labels, options = game.labels(role), game.options(role)
    shown = range(1 if options.size == 2 else 0, options.size)
    parts = []
    for treatment in analysis.trials.treatments:
        here = table[table["treatment"] == treatment]
        of_actions = []
        for position in shown:
            rows = here[here["option"] == options[position]]
            mean = float((rows["share"] * rows["trials"]).sum() / rows["trials"].sum())
            first, last = rows.iloc[0], rows.iloc[-1]
            of_actions.append(
                f"{labels[position]} in {percent(mean)} of trials ({percent(first['share'])} after "
                f"message {first['seen']:g}, {percent(last['share'])} after {last['seen']:g})"
            )
        parts.append(f"{treatment}: {listed(of_actions)}")
    return (
        f"What {role}s choose, by message (points grow with the number of trials). "
        f"{'; '.join(parts)}."
    )
