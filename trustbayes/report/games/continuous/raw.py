"""The raw patterns of games on a line: messages over states, actions over messages."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.analysis.analyse import Analysis
from trustbayes.games import ForecastGame, IntervalGame, Role
from trustbayes.report.games.continuous import lines
from trustbayes.report.games.continuous.patterns import choices, game_of, means, words_of
from trustbayes.report.page.style import brief, grid, legend_below
from trustbayes.report.page.wording import counted, listed, percent
from trustbayes.trials.table import Trials

__all__ = ["frame", "observed_handles", "points", "scatter", "scatter_says", "window"]

_POINTS = "#7F7F7F"

_SAYS: Mapping[str, Mapping[Role, str]] = {
    ForecastGame.kind: {
        "sender": (
            "Reports exceed the forecast in {parts}; {top} of all are at the highest report "
            "possible."
        ),
        "receiver": (
            "Receivers build less capacity than one who takes the report for the forecast in "
            "{parts}."
        ),
    },
    IntervalGame.kind: {
        "sender": (
            "Messages are off the state in the direction of the bias in {parts}; {top} of all are "
            "at the end of the interval to which it points."
        ),
        "receiver": (
            "Actions are off the message against the direction of the bias in {parts}. In the most "
            "informative equilibrium a message says in which interval the state lies: the step "
            "over it is the action."
        ),
    },
}
"""What is said of the figure of each role, by kind of game."""


def window(trials: Trials, role: Role) -> tuple[float, float]:
    """The choices that fit into a panel: all face values, and all that are not far off them.

    Parameters
    ----------
    trials : Trials
    role : "sender" or "receiver"

    Returns
    -------
    low, high : float
        In the game's units.
    """
    game = game_of(trials)
    ends = np.array(game.seen_range(role))
    faces = np.concatenate([game.face_value(role, ends, [t] * 2) for t in trials.treatments])
    chosen, far = choices(trials, role)["choice"], float(np.ptp(faces))
    low = max(min(faces.min(), chosen.min()), faces.min() - far)
    high = min(max(faces.max(), chosen.max()), faces.max() + far)
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def frame(panel: Axes, trials: Trials, role: Role) -> None:
    """The limits of a panel."""
    low, high = game_of(trials).seen_range(role)
    panel.set_xlim(low - 0.03 * (high - low), high + 0.03 * (high - low))
    panel.set_ylim(*window(trials, role))


def points(panel: Axes, here: pd.DataFrame, binned: pd.DataFrame) -> None:
    """Every trial of a treatment as a thin point, and the means in the bins."""
    alpha = float(np.clip(12 / np.sqrt(len(here)), 0.15, 0.8))
    panel.plot(here["seen"], here["choice"], ".", color=_POINTS, ms=3, mew=0, alpha=alpha, zorder=1)
    panel.plot(binned["seen"], binned["mean"], "o", color="black", mec="white", ms=5, zorder=4)


def observed_handles() -> list[Line2D]:
    """The legend of what was observed."""
    return [
        Line2D([], [], color=_POINTS, marker=".", ms=4, mew=0, lw=0, label="observed trial"),
        Line2D(
            [], [], color="black", marker="o", mec="white", lw=0, label="observed mean in a bin"
        ),
    ]


def scatter(analysis: Analysis, role: Role) -> Figure:
    """Every choice over what was seen, with the benchmarks, a panel for each treatment."""
    trials = analysis.trials
    words = words_of(game_of(trials))[role]
    table, binned = choices(trials, role), means(trials, role)
    treatments = trials.treatments
    figure, axes = grid(
        len(treatments),
        2 if len(treatments) in (2, 4) else 3,
        width=4.2 if len(treatments) in (2, 4) else 3.3,
        height=3.1,
        sharex=True,
        sharey=True,
    )
    for panel, treatment in zip(axes, treatments, strict=True):
        here = table[table["treatment"] == treatment]
        points(panel, here, binned[binned["treatment"] == treatment])
        mean_report = float(trials.table.loc[here.index, "message"].mean())
        lines.draw(panel, game_of(trials), role, treatment, mean_report)
        frame(panel, trials, role)
        panel.set_title(brief(treatment, 30))
        panel.set_xlabel(f"{words.seen} ({words.unit})")
        panel.set_ylabel(f"{words.choice} ({words.unit})")
        panel.label_outer()
    legend_below(figure, [*observed_handles(), *lines.handles(game_of(trials), role)], 5)
    return figure


def scatter_says(analysis: Analysis, role: Role) -> str:
    """How often choices exceed or fall short of face value, by treatment."""
    trials, game = analysis.trials, game_of(analysis.trials)
    table, sign = choices(trials, role), words_of(game)[role].sign
    ways = game.directions(table["treatment"])
    ways = np.where(ways == 0, 1.0, ways)
    away = sign * ways * (table["choice"] - table["face"])
    parts = []
    for treatment in trials.treatments:
        here = away[table["treatment"] == treatment]
        parts.append(f"{percent(float((here > 0).mean()))} of trials in {treatment}")
    low, high = game.choice_range(role)
    at_end = np.where(ways > 0, table["choice"] >= high, table["choice"] <= low)
    said = _SAYS[game.kind][role]
    text = said.format(parts=listed(parts), top=percent(float(at_end.mean())))
    low, high = window(trials, role)
    out = int((~table["choice"].between(low, high)).sum())
    beyond = f" {counted(out, 'trial')} beyond the panels." if out else ""
    return f"{text} Means: in ten bins of equal width.{beyond}"
