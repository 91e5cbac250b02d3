"""Shares of choices in a finite game: observed against what each model replicates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.analysis.analyse import Analysis, title
from trustbayes.games import FiniteGame, Role
from trustbayes.report.games.finite.patterns import WORDS, game_of
from trustbayes.report.page.legend import handle, outside
from trustbayes.report.page.style import Look, brief, grid, legend_below, look
from trustbayes.report.page.wording import percent, probability

__all__ = ["choices", "choices_says", "shares_panel"]


def choices(analysis: Analysis, role: Role, models: Sequence[str], height: float = 1.75) -> Figure:
    """Shares of choices after everything seen: a row for each treatment, models side by side."""
    checks = {name: analysis.posterior_checks[name, role] for name in models}
    treatments = analysis.trials.treatments
    game, words = game_of(analysis.trials), WORDS[role]
    places = game.seen(role).size * (game.options(role).size + 1)
    beside = places * len(models) <= 75
    columns = len(models) if beside else 1
    figure, axes = grid(
        len(treatments) * len(models),
        columns,
        width=max(9.0 / columns, 4.0) if beside else 11.0,
        height=height,
        sharey=True,
    )
    for panel, (treatment, name) in zip(
        axes, [(t, m) for t in treatments for m in models], strict=True
    ):
        table = checks[name].choices
        shares_panel(panel, table[table["treatment"] == treatment], game, role, look(name))
        panel.set_title(f"{brief(treatment, 24)}: {title(analysis, name, role)}")
    for panel in axes[-columns:]:
        panel.set_xlabel(f"{words.choice} chosen, by {words.seen} seen (in grey)")
    for panel in axes[::columns]:
        panel.set_ylabel("share")
    prob = probability(checks[models[0]].ci_prob)
    handles = [Line2D([], [], color="#BDBDBD", lw=7, label="observed")]
    handles += [
        handle(name, f"{title(analysis, name, role)}, replicated ({prob})") for name in models
    ]
    legend_below(figure, handles)
    return figure


def shares_panel(
    panel: Axes,
    table: pd.DataFrame,
    game: FiniteGame,
    role: Role,
    shape: Look,
    observed: bool = True,
) -> None:
    """Shares of the options after everything seen, in one treatment.

    Parameters
    ----------
    panel : Axes
    table : DataFrame
        Rows of one treatment of `trustbayes.simulation.PredictiveCheck.choices`.
    game : FiniteGame
    role : "sender" or "receiver"
    shape : Look
    observed : bool
        Whether to show what was observed, too.
    """
    seen, options = game.seen(role), game.options(role)
    group = options.size + 1
    x = np.searchsorted(seen, table["seen"]) * group + np.searchsorted(options, table["option"])
    spans = np.abs(table[["lower", "upper"]].to_numpy().T - table["mean"].to_numpy())
    if observed:
        panel.bar(x, table["observed"], width=0.9, color="#BDBDBD")
    panel.errorbar(
        x,
        table["mean"],
        yerr=spans,
        fmt=shape.marker,
        color=shape.colour,
        ms=3 if options.size <= 6 else 2.2,
        lw=1.2,
    )
    every = -(-options.size // 6)
    ticks = [
        (i * group + j, label)
        for i in range(seen.size)
        for j, label in enumerate(brief(label, 12) for label in game.labels(role))
        if j % every == 0
    ]
    turn = 90 if role == "receiver" and game.labelled else 0
    panel.set_xticks([t for t, _ in ticks], [o for _, o in ticks], fontsize=6, rotation=turn)
    for i, value in enumerate(seen):
        middle = i * group + (options.size - 1) / 2
        panel.text(
            middle,
            1.02,
            f"{WORDS[role].seen} {value:g}" if seen.size <= 6 else f"{value:g}",
            ha="center",
            va="bottom",
            fontsize=6.5,
            color="#555555",
        )
        if i:
            panel.axvline(i * group - 1, color="#DDDDDD", lw=0.8, zorder=0)
    panel.set_xlim(-1, seen.size * group - 1)
    panel.set_ylim(0, 1.14)
    panel.set_yticks([0, 0.5, 1])


def choices_says(analysis: Analysis, role: Role, models: Sequence[str]) -> str:
    """How many observed shares fall outside their intervals, and which the most."""
    words, parts = WORDS[role], []
    game = game_of(analysis.trials)
    labels = game.labels(role)
    for name in models:
        check = analysis.posterior_checks[name, role]
        table = check.choices
        out = outside(table)
        text = (
            f"{title(analysis, name, role)}: {len(out)} of {len(table)} observed shares lie "
            f"outside the {probability(check.ci_prob)} intervals"
        )
        if len(out):
            gap = (out["observed"] - out["mean"]).abs()
            row = out.iloc[int(gap.to_numpy().argmax())]
            option = labels[int(np.searchsorted(game.options(role), row["option"]))]
            text += (
                f", the farthest in {row['treatment']}, {words.choice} {option} after "
                f"{words.seen} {row['seen']:g} (observed {percent(float(row['observed']))}, "
                f"replicated {percent(float(row['lower']))} to {percent(float(row['upper']))})"
            )
        parts.append(text + ".")
    return " ".join(parts)
