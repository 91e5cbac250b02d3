"""The raw patterns of recommendations: weights of advice, people, and what would have been best."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from trustbayes.analysis.analyse import Analysis
from trustbayes.report.games.recommendation.patterns import (
    game_of,
    keepers,
    outcomes,
    points,
    weights,
)
from trustbayes.report.page.style import GREY, OBSERVED, brief, grid, legend_below, look
from trustbayes.report.page.wording import counted, fixed, listed, percent, probability

__all__ = [
    "people",
    "people_says",
    "trust_and_best",
    "trust_and_best_says",
    "weight_bars",
    "weight_bars_says",
]

_MODELLED = "trust-embedded"
_BAR = "#BDBDBD"
_BINS = np.linspace(-0.5, 1.5, 41)


def weight_bars(analysis: Analysis) -> Figure:
    """How the observed weights of advice are spread, a panel for each treatment."""
    trials = analysis.trials
    table = points(trials)
    treatments = trials.treatments
    figure, axes = grid(len(treatments), 3, width=3.3, height=2.4, sharex=True)
    for panel, treatment in zip(axes, treatments, strict=True):
        here = table[(table["treatment"] == treatment) & (table["class"] >= 0)]
        between = here[~here["class"].isin([1, 5])]["weight"]
        share = np.full(len(between), 1 / max(len(here), 1))
        panel.hist(between.clip(-0.499, 1.499), bins=_BINS.tolist(), weights=share, color=_BAR)
        for at, number in ((0.0, 1), (1.0, 5)):
            panel.vlines(at, 0, float((here["class"] == number).mean()), color="black", lw=3)
        panel.set_title(f"{brief(treatment, 26)} ({len(here):,})")
        panel.set_xlabel("weight of advice")
        panel.set_ylabel("share of trials")
    handles = [
        Patch(color=_BAR, label="between, away and beyond (ends: all farther)"),
        Line2D([], [], color="black", lw=3, label="kept (0) or followed (1) to the letter"),
    ]
    legend_below(figure, handles, 2)
    return figure


def weight_bars_says(analysis: Analysis) -> str:
    """The medians and the spikes in numbers."""
    table = weights(analysis.trials)
    telling = table[table["trials"] > 0]
    medians = listed(
        (f"{fixed(r['median'])} ({r['treatment']})" for _, r in telling.iterrows()), 12
    )
    total = telling["trials"].sum()
    kept, followed = ((telling[n] * telling["trials"]).sum() / total for n in ("kept", "followed"))
    near = int(table["too_near"].sum())
    return (
        f"The median weight of advice is {medians}. Estimates are kept to the letter in "
        f"{percent(kept)} of the {total:,} trials that tell, recommendations followed to the "
        f"letter in {percent(followed)}. {counted(near, 'trial')} in which both are less than two "
        f"steps ({2 * game_of(analysis.trials).step:g}) apart do not tell."
    )


def people(analysis: Analysis) -> Figure:
    """How often people keep and follow to the letter, and their own weights of advice."""
    table = keepers(analysis.trials)
    figure, axes = grid(3, 3, width=3.3, height=2.4)
    tenths = np.linspace(0, 1, 11).tolist()
    for panel, name in zip(axes, ("kept", "followed"), strict=False):
        panel.hist(table[name], bins=tenths, color=_BAR)
        panel.set_xlabel(f"share of her trials {name} to the letter")
        panel.set_ylabel("people")
    axes[2].hist(table["slope"].clip(-0.499, 1.499), bins=_BINS[::2].tolist(), color=_BAR)
    axes[2].set_xlabel("her weight of advice (slope)")
    axes[2].set_ylabel("people")
    return figure


def people_says(analysis: Analysis) -> str:
    """How many keep half the time or more, and how people's weights differ."""
    table = keepers(analysis.trials)
    low, middle, high = (float(q) for q in table["slope"].quantile([0.1, 0.5, 0.9]))
    always = int((table["kept"] == 1).sum())
    return (
        f"{percent(float((table['kept'] >= 0.5).mean()))} of {len(table):,} people keep their "
        f"estimate to the letter in half of their trials or more, {counted(always, 'person')} in "
        f"all of them. People's weights of advice: median {fixed(middle)}, a tenth below "
        f"{fixed(low)}, a tenth above {fixed(high)}."
    )


def trust_and_best(analysis: Analysis) -> Figure:
    """Trust by treatment: raw, as modelled, by stated widths, and as would have been best."""
    treatments = analysis.trials.treatments
    figure, axes = grid(1, 1, width=7.5, height=1.2 + 0.34 * len(treatments))
    panel = axes[0]
    places = {name: at for at, name in enumerate(treatments)}
    raw, best = weights(analysis.trials), outcomes(analysis.trials)
    at = raw["treatment"].map(places)
    panel.plot(raw["slope"], at - 0.2, "x", color=OBSERVED.colour)
    handles = [Line2D([], [], color=OBSERVED.colour, marker="x", lw=0, label="raw (slope)")]
    if modelled := _modelled(analysis, panel, places):
        handles.append(modelled)
    if raw["precise"].notna().any():
        panel.plot(raw["precise"], at + 0.1, "s", color="#56B4E9", mec="black", ms=5)
        label = "by stated widths"
        handles.append(Line2D([], [], color="#56B4E9", marker="s", mec="black", lw=0, label=label))
    if len(best):
        panel.plot(best["best_weight"], best["treatment"].map(places) + 0.2, "D", color=GREY, ms=5)
        label = "best for the outcomes"
        handles.append(Line2D([], [], color=GREY, marker="D", lw=0, label=label))
    panel.set_yticks(range(len(treatments)), [brief(name, 30) for name in treatments])
    panel.set_ylim(len(treatments) - 0.5, -0.5)
    panel.set_xlim(-0.03, 1.03)
    panel.set_xlabel("weight of the recommendation")
    legend_below(figure, handles, 2)
    return figure


def _modelled(analysis: Analysis, panel: Axes, places: dict[str, int]) -> Line2D | None:
    """Draw the population's mean trust, if the model was fitted."""
    rows = _trust(analysis)
    if rows.empty:
        return None
    shape = look(_MODELLED)
    spans = np.abs(rows[["lower", "upper"]].to_numpy().T - rows["mean"].to_numpy())
    at = rows["treatment"].map(places)
    panel.errorbar(
        rows["mean"], at, xerr=spans, fmt=shape.marker, color=shape.colour, capsize=3, ms=5
    )
    label = f"trust factor, population mean ({probability(analysis.ci_prob)})"
    return Line2D([], [], color=shape.colour, marker=shape.marker, lw=1, label=label)


def _trust(analysis: Analysis) -> pd.DataFrame:
    """The population's mean trust by treatment; no row if the model was not fitted."""
    rows = analysis.population
    named = (rows["model"] == _MODELLED) & (rows["parameter"] == "trust")
    return rows[named & (rows["statistic"] == "population mean") & (rows["treatment"] != "")]


def trust_and_best_says(analysis: Analysis) -> str:
    """Where trust is above and below what would have been best, and what following earns."""
    best = outcomes(analysis.trials).set_index("treatment")
    given = _trust(analysis).set_index("treatment")
    parts = []
    for name in best.index.intersection(given.index):
        row, value = given.loc[name], float(best.loc[name, "best_weight"])
        verdict = (
            "too much"
            if row["lower"] > value
            else "too little"
            if row["upper"] < value
            else "about as much as helps"
        )
        parts.append(f"{verdict} in {name} ({fixed(row['mean'])}, best {fixed(value)})")
    text = f"Belief trusts {listed(parts, 12)}. " if parts else ""
    if len(best):
        saved = (best["decided"] - best["followed"]).to_numpy()
        gain = float(np.average(saved, weights=best["trials"].to_numpy()))
        side = "nearer to" if gain > 0 else "farther from"
        text += (
            f"Over all, following would have ended {fixed(abs(gain))} {side} the outcome "
            "than what was decided. "
        )
    return (
        f"{text}The raw slope counts kept estimates as trust of 0; the trust factor is the weight "
        "in the trials that are on no spike."
    )
