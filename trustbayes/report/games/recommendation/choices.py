"""Decisions after recommendations by class: observed against what each model replicates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from trustbayes.analysis.analyse import Analysis, title
from trustbayes.games import Role
from trustbayes.report.page.legend import handle, outside
from trustbayes.report.page.style import Look, brief, grid, legend_below, look
from trustbayes.report.page.wording import fixed, listed, probability
from trustbayes.simulation.recommendation import DECISIONS

__all__ = ["class_panel", "classes", "classes_says"]

_SHORT = ("< 0", "kept", "0–⅓", "⅓–⅔", "⅔–1", "follow", "> 1")
_SPIKES = (DECISIONS[1], DECISIONS[5])


def class_panel(panel: Axes, table: pd.DataFrame, shape: Look, *, observed: bool = True) -> None:
    """Shares of the classes of decisions in one treatment."""
    x = table["option"].map({option: at for at, option in enumerate(DECISIONS)}).to_numpy()
    if observed:
        panel.bar(x, table["observed"], color="#BDBDBD", width=0.8)
    spans = np.abs(table[["lower", "upper"]].to_numpy().T - table["mean"].to_numpy())
    panel.errorbar(
        x, table["mean"], yerr=spans, fmt=shape.marker, color=shape.colour, ms=4, capsize=2
    )
    panel.set_xticks(range(len(DECISIONS)), list(_SHORT), fontsize=7)
    panel.set_xlim(-0.6, len(DECISIONS) - 0.4)
    panel.set_ylim(bottom=0)


def classes(analysis: Analysis, role: Role, models: Sequence[str]) -> Figure:
    """A row for each treatment, models side by side."""
    checks = {name: analysis.posterior_checks[name, role] for name in models}
    treatments = analysis.trials.treatments
    columns = len(models)
    figure, axes = grid(
        len(treatments) * columns,
        columns,
        width=min(10.0 / columns, 4.2),
        height=1.6,
        sharex=True,
        sharey=True,
    )
    places = [(t, m) for t in treatments for m in models]
    for panel, (treatment, name) in zip(axes, places, strict=True):
        table = checks[name].choices
        class_panel(panel, table[table["treatment"] == treatment], look(name))
        panel.set_title(f"{brief(treatment, 22)}: {title(analysis, name, role)}")
    for panel in axes[-columns:]:
        panel.set_xlabel("weight of advice")
    for panel in axes[::columns]:
        panel.set_ylabel("share")
    prob = probability(checks[models[0]].ci_prob)
    handles: list[Patch | Line2D] = [Patch(color="#BDBDBD", label="observed")]
    handles += [
        handle(name, f"{title(analysis, name, role)}, replicated ({prob})") for name in models
    ]
    legend_below(figure, handles)
    return figure


def classes_says(analysis: Analysis, role: Role, models: Sequence[str]) -> str:
    """How many shares fall outside their intervals, and whether the spikes are replicated."""
    parts = []
    for name in models:
        check = analysis.posterior_checks[name, role]
        table, out = check.choices, outside(check.choices)
        text = (
            f"{title(analysis, name, role)}: {len(out)} of {len(table)} observed shares lie "
            f"outside the {probability(check.ci_prob)} intervals"
        )
        missed = out[out["option"].isin(_SPIKES)]
        spikes = int(table["option"].isin(_SPIKES).sum())
        if missed.empty:
            text += f", none of the {spikes} spikes among them"
        else:
            said = listed(
                (
                    f"{row['option'].split(' ')[0]} in {row['treatment']} (observed "
                    f"{fixed(row['observed'])}, replicated {fixed(row['lower'])} to "
                    f"{fixed(row['upper'])})"
                    for _, row in missed.iterrows()
                ),
                3,
            )
            text += f"; {len(missed)} of the {spikes} spikes: {said}"
        parts.append(f"{text}.")
    return " ".join(parts)
