"""Predictive checks: mean shifts and their spread against what each model replicates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.analysis.analyse import Analysis, title
from trustbayes.games import Role
from trustbayes.report.games.kind import Kind
from trustbayes.report.games.patterns import as_shown
from trustbayes.report.page.legend import handle, outside
from trustbayes.report.page.style import OBSERVED, brief, grid, legend_below, look, wrapped
from trustbayes.report.page.wording import fixed, listed, probability
from trustbayes.simulation import PredictiveCheck

__all__ = ["summary", "summary_says"]


_SUMMARIES = {
    "shift": "{mean_shift}\n({unit})",
    "spread": "standard deviation across\nsubjects of their mean shift\n({unit})",
}

_BESIDE = 5  # entries of the legend in a row


def summary(
    analysis: Analysis,
    kind: Kind,
    role: Role,
    what: str,
    checks: Mapping[tuple[str, Role], PredictiveCheck],
    height: float = 3.0,
) -> Figure:
    """Observed and replicated mean shift, or its spread across subjects, by treatment."""
    models = [model for model, checked_role in checks if checked_role == role]
    treatments = analysis.trials.treatments
    more_legend = len(models) // _BESIDE  # rows of the legend beyond the first
    figure, (panel,) = grid(1, 1, width=7.2, height=height + 0.25 * more_legend)
    steps = np.linspace(-0.3, 0.3, len(models)) if len(models) > 1 else np.zeros(1)
    x = np.arange(len(treatments))
    panel.axhline(0, color="#DDDDDD", lw=0.8, zorder=0)
    observed = _table(checks[models[0], role], kind, role, what)["observed"]
    for i, value in zip(x, observed, strict=True):
        panel.plot([i - 0.42, i + 0.42], [value, value], color=OBSERVED.colour, lw=1.6, zorder=1)
    handles = [Line2D([], [], color=OBSERVED.colour, lw=1.6, label="observed")]
    for name, step in zip(models, steps, strict=True):
        table, shape = _table(checks[name, role], kind, role, what), look(name)
        spans = np.abs(table[["lower", "upper"]].to_numpy().T - table["mean"].to_numpy())
        panel.errorbar(
            x + step, table["mean"], yerr=spans, fmt=shape.marker, color=shape.colour, capsize=3
        )
        handles.append(handle(name, title(analysis, name, role)))
    for i in x[1:]:
        panel.axvline(i - 0.5, color="#EEEEEE", lw=0.8, zorder=0)
    panel.set_xticks(x, [brief(t, 60 // len(x)) for t in treatments])
    panel.set_xlim(-0.5, len(x) - 0.5)
    panel.set_xlabel("treatment")
    mean_shift = wrapped(f"mean {kind.words[role].shift}", 26)
    panel.set_ylabel(_SUMMARIES[what].format(mean_shift=mean_shift, unit=kind.words[role].unit))
    legend_below(figure, handles, _BESIDE)
    return figure


def _table(check: PredictiveCheck, kind: Kind, role: Role, what: str) -> pd.DataFrame:
    table: pd.DataFrame = getattr(check, what)
    return as_shown(table, kind.words[role].sign) if what == "shift" else table


def summary_says(
    analysis: Analysis,
    kind: Kind,
    role: Role,
    what: str,
    checks: Mapping[tuple[str, Role], PredictiveCheck],
) -> str:
    """In which treatments the observed value falls outside each model's interval."""
    parts, prob = [], ""
    for (model, checked_role), check in checks.items():
        if checked_role != role:
            continue
        table, prob = _table(check, kind, role, what), probability(check.ci_prob)
        parts.append(
            f"{title(analysis, model, role)} {_misses(table, outside(table), kind.places)}"
        )
    return f"The observed value falls outside the {prob} interval of: " + "; ".join(parts) + "."


def _misses(table: pd.DataFrame, out: pd.DataFrame, places: int) -> str:
    """Where the observed value falls outside, in few words however many treatments there are."""
    if out.empty:
        return "nowhere"
    gap = (out["observed"] - out["mean"]).abs().to_numpy()
    row = out.iloc[int(gap.argmax())]
    worst = (
        f"observed {fixed(row['observed'], places)}, replicated {fixed(row['lower'], places)} to "
        f"{fixed(row['upper'], places)}"
    )
    if len(out) == 1:
        return f"in {row['treatment']} ({worst})"
    where = f"in {listed(out['treatment'])}" if len(out) < 4 else f"in {len(out)} of {len(table)}"
    return f"{where}, the farthest in {row['treatment']} ({worst})"
