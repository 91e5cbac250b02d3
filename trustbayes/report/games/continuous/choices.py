"""Choices on a line over what was seen: observed against what each model replicates."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from trustbayes.analysis.analyse import Analysis, title
from trustbayes.games import Role
from trustbayes.report.games.continuous import lines, raw
from trustbayes.report.games.continuous.patterns import choices, game_of, words_of
from trustbayes.report.page.legend import outside
from trustbayes.report.page.style import GREY, Look, brief, grid, legend_below, look
from trustbayes.report.page.wording import number, probability

__all__ = ["band", "bands", "bands_says"]

_SINGLE, _MEAN = 0.18, 0.5  # how dark the bands are


def bands(analysis: Analysis, role: Role, models: Sequence[str]) -> Figure:
    """Bands of replicated choices and means: a row for each treatment, models side by side."""
    trials = analysis.trials
    words = words_of(game_of(trials))[role]
    checks = {name: analysis.posterior_checks[name, role] for name in models}
    table = choices(trials, role)
    columns = len(models)
    figure, axes = grid(
        len(trials.treatments) * columns,
        columns,
        width=min(10.0 / columns, 4.2),
        height=2.1,
        sharex=True,
        sharey=True,
    )
    places = [(t, m) for t in trials.treatments for m in models]
    for panel, (treatment, name) in zip(axes, places, strict=True):
        here = table[table["treatment"] == treatment]
        check = checks[name].choices
        binned = check[check["treatment"] == treatment]
        raw.points(panel, here, binned.rename(columns={"mean": "copied", "observed": "mean"}))
        band(panel, binned, look(name))
        mean_report = float(trials.table.loc[here.index, "message"].mean())
        lines.draw(panel, game_of(trials), role, treatment, mean_report, back=True)
        raw.frame(panel, trials, role)
        panel.set_title(f"{brief(treatment, 12)}: {title(analysis, name, role)}")
    for panel in axes[-columns:]:
        panel.set_xlabel(f"{words.seen}\n({words.unit})")
    for panel in axes[::columns]:
        panel.set_ylabel(f"{words.choice}\n({words.unit})")
    prob = probability(checks[models[0]].ci_prob)
    handles: list[Line2D | Patch] = [
        *raw.observed_handles(),
        Patch(color=GREY, alpha=_MEAN, label=f"replicated mean ({prob})"),
        Patch(color=GREY, alpha=_SINGLE, label=f"replicated trial ({prob})"),
        *lines.handles(game_of(trials), role, back=True),
    ]
    legend_below(figure, handles, 4)
    return figure


def band(panel: Axes, binned: pd.DataFrame, shape: Look) -> None:
    """Where single choices and their means are replicated; a bar where there is one bin only."""
    for lower, upper, alpha in (("low", "high", _SINGLE), ("lower", "upper", _MEAN)):
        panel.fill_between(
            binned["seen"], binned[lower], binned[upper], color=shape.colour, alpha=alpha, lw=0
        )
    if len(binned) == 1:
        panel.vlines(binned["seen"], binned["lower"], binned["upper"], color=shape.colour, lw=4)


def bands_says(analysis: Analysis, role: Role, models: Sequence[str]) -> str:
    """How many observed means fall outside their intervals, and which the most."""
    words, parts = words_of(game_of(analysis.trials))[role], []
    for name in models:
        check = analysis.posterior_checks[name, role]
        out = outside(check.choices)
        text = (
            f"{title(analysis, name, role)}: {len(out)} of {len(check.choices)} observed means "
            f"lie outside the {probability(check.ci_prob)} intervals"
        )
        if len(out):
            gap = (out["observed"] - out["mean"]).abs()
            row = out.iloc[int(gap.to_numpy().argmax())]
            text += (
                f", the farthest in {row['treatment']} at {words.seen}s around "
                f"{number(float(row['seen']))} (observed {number(float(row['observed']))}, "
                f"replicated {number(float(row['lower']))} to {number(float(row['upper']))})"
            )
        parts.append(text + ".")
    return " ".join(parts)
