"""Predictive checks: what was observed against what each model replicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.analysis import Analysis
from trustbayes.checking import PredictiveCheck
from trustbayes.games.finite import Role
from trustbayes.report.figures.evidence import title
from trustbayes.report.patterns import OPTION, SEEN, SHIFT
from trustbayes.report.style import OBSERVED, brief, grid, legend_below, look
from trustbayes.report.wording import fixed, listed, percent, probability

__all__ = ["choices", "choices_says", "outside", "summary", "summary_says"]


def choices(analysis: Analysis, role: Role, models: Sequence[str], height: float = 1.75) -> Figure:
    """Shares of choices after everything seen: a row for each treatment, models side by side."""
    checks = {name: analysis.posterior_checks[name, role] for name in models}
    treatments = analysis.trials.treatments
    game = analysis.trials.game
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
        _panel(panel, table[table["treatment"] == treatment], analysis, role, name)
        panel.set_title(f"{brief(treatment, 24)}: {title(analysis, name, role)}")
    for panel in axes[-columns:]:
        panel.set_xlabel(f"{OPTION[role]} chosen, by {SEEN[role]} seen (in grey)")
    for panel in axes[::columns]:
        panel.set_ylabel("share")
    prob = probability(checks[models[0]].ci_prob)
    handles = [Line2D([], [], color="#BDBDBD", lw=7, label="observed")]
    handles += [
        _handle(name, f"{title(analysis, name, role)}, replicated ({prob})") for name in models
    ]
    legend_below(figure, handles)
    return figure


def _handle(model: str, label: str) -> Line2D:
    shape = look(model)
    return Line2D([], [], color=shape.colour, marker=shape.marker, ms=4, lw=1.3, label=label)


def _panel(panel: Axes, table: pd.DataFrame, analysis: Analysis, role: Role, model: str) -> None:
    game, shape = analysis.trials.game, look(model)
    seen, options = game.seen(role), game.options(role)
    group = options.size + 1
    x = np.searchsorted(seen, table["seen"]) * group + np.searchsorted(options, table["option"])
    spans = np.abs(table[["lower", "upper"]].to_numpy().T - table["mean"].to_numpy())
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
        (i * group + j, o)
        for i in range(seen.size)
        for j, o in enumerate(options)
        if j % every == 0
    ]
    panel.set_xticks([t for t, _ in ticks], [f"{o:g}" for _, o in ticks], fontsize=6)
    for i, value in enumerate(seen):
        middle = i * group + (options.size - 1) / 2
        panel.text(
            middle,
            1.02,
            f"{SEEN[role]} {value:g}" if seen.size <= 6 else f"{value:g}",
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


def outside(table: pd.DataFrame) -> pd.DataFrame:
    """The rows whose observed value lies outside its interval."""
    return table[(table["observed"] < table["lower"]) | (table["observed"] > table["upper"])]


def choices_says(analysis: Analysis, role: Role, models: Sequence[str]) -> str:
    """How many observed shares fall outside their intervals, and which the most."""
    parts = []
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
            text += (
                f", the farthest in {row['treatment']}, {OPTION[role]} {row['option']:g} after "
                f"{SEEN[role]} {row['seen']:g} (observed {percent(float(row['observed']))}, "
                f"replicated {percent(float(row['lower']))} to {percent(float(row['upper']))})"
            )
        parts.append(text + ".")
    return " ".join(parts)


_SUMMARIES = {
    "shift": "mean {shift}\n(units of the state)",
    "spread": "standard deviation across\nsubjects of their mean shift\n(units of the state)",
}


def summary(
    analysis: Analysis,
    role: Role,
    what: str,
    checks: Mapping[tuple[str, Role], PredictiveCheck],
    height: float = 3.0,
) -> Figure:
    """Observed and replicated mean shift, or its spread across subjects, by treatment."""
    models = [model for model, one in checks if one == role]
    treatments = analysis.trials.treatments
    figure, (panel,) = grid(1, 1, width=7.2, height=height)
    steps = np.linspace(-0.3, 0.3, len(models)) if len(models) > 1 else np.zeros(1)
    x = np.arange(len(treatments))
    panel.axhline(0, color="#DDDDDD", lw=0.8, zorder=0)
    first = getattr(checks[models[0], role], what).set_index("treatment").loc[list(treatments)]
    for i, value in zip(x, first["observed"], strict=True):
        panel.plot([i - 0.42, i + 0.42], [value, value], color=OBSERVED.colour, lw=1.6, zorder=1)
    handles = [Line2D([], [], color=OBSERVED.colour, lw=1.6, label="observed")]
    for name, step in zip(models, steps, strict=True):
        table = getattr(checks[name, role], what).set_index("treatment").loc[list(treatments)]
        shape = look(name)
        spans = np.abs(table[["lower", "upper"]].to_numpy().T - table["mean"].to_numpy())
        panel.errorbar(
            x + step, table["mean"], yerr=spans, fmt=shape.marker, color=shape.colour, capsize=3
        )
        handles.append(_handle(name, title(analysis, name, role)))
    for i in x[1:]:
        panel.axvline(i - 0.5, color="#EEEEEE", lw=0.8, zorder=0)
    panel.set_xticks(x, [brief(t, 60 // len(x)) for t in treatments])
    panel.set_xlim(-0.5, len(x) - 0.5)
    panel.set_xlabel("treatment")
    panel.set_ylabel(_SUMMARIES[what].format(shift=SHIFT[role]))
    legend_below(figure, handles, 5)
    return figure


def summary_says(
    analysis: Analysis, role: Role, what: str, checks: Mapping[tuple[str, Role], PredictiveCheck]
) -> str:
    """In which treatments the observed value falls outside each model's interval."""
    parts, prob = [], ""
    for (model, one), check in checks.items():
        if one != role:
            continue
        table, prob = getattr(check, what), probability(check.ci_prob)
        parts.append(f"{title(analysis, model, role)} {_misses(table, outside(table))}")
    return f"The observed value falls outside the {prob} interval of: " + "; ".join(parts) + "."


def _misses(table: pd.DataFrame, out: pd.DataFrame) -> str:
    """Where the observed value falls outside, in few words however many treatments there are."""
    if out.empty:
        return "nowhere"
    gap = (out["observed"] - out["mean"]).abs().to_numpy()
    row = out.iloc[int(gap.argmax())]
    worst = (
        f"observed {fixed(row['observed'])}, replicated {fixed(row['lower'])} to "
        f"{fixed(row['upper'])}"
    )
    if len(out) == 1:
        return f"in {row['treatment']} ({worst})"
    where = f"in {listed(out['treatment'])}" if len(out) < 4 else f"in {len(out)} of {len(table)}"
    return f"{where}, the farthest in {row['treatment']} ({worst})"
