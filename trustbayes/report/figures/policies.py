"""What would build trust: effects by policy, how strong one should be, and how far to trust it."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from trustbayes.report.page.style import GREY, OBSERVED, brief, grid, legend_below
from trustbayes.report.page.wording import listed, number, probability
from trustbayes.simulation.policies import Counterfactual
from trustbayes.simulation.policies.frontier import Frontier
from trustbayes.simulation.policies.unseen import Unseen

__all__ = [
    "effects_figure",
    "effects_says",
    "frontier_figure",
    "frontier_says",
    "paths_figure",
    "paths_says",
    "unseen_figure",
    "unseen_says",
]

_PARTIES = {
    "both": ("both together", "D", "#000000"),
    "sender": ("sender", "^", "#D55E00"),
    "receiver": ("receiver", "v", "#0072B2"),
}
_GAIN = "#009E73"


def effects_figure(counterfactual: Counterfactual) -> Figure:
    """What each policy changes in what a meeting earns, and in trust's share, with intervals."""
    names = [policy.name for policy in counterfactual.policies]
    where = "all" if len(counterfactual.treatments) > 1 else counterfactual.treatments[0]
    rows: Any = counterfactual.effects[
        (counterfactual.effects["treatment"] == where) & (counterfactual.effects["round"] == "all")
    ]
    figure, (earned, share) = grid(2, 2, width=4.0, height=1.3 + 0.5 * len(names), sharey=True)
    places = np.arange(len(names))
    for panel, outcome in ((earned, "payoff"), (share, "share")):
        panel.axvline(0, color=GREY, lw=1, zorder=1)
        here = rows[rows["outcome"] == outcome]
        for (party, (_, marker, colour)), step in zip(
            _PARTIES.items(), (-0.22, 0.0, 0.22), strict=True
        ):
            changes = here[here["party"] == party].set_index("policy")
            if changes.empty:
                continue
            changes = changes.loc[names]
            spans = np.abs(
                changes[["difference_lower", "difference_upper"]].to_numpy().T
                - changes["difference"].to_numpy()
            )
            panel.errorbar(
                changes["difference"],
                places + step,
                xerr=spans,
                fmt=marker,
                color=colour,
                ms=5 if party == "both" else 4,
                lw=1.6 if party == "both" else 1,
                capsize=2,
            )
    for at, policy in zip(places, counterfactual.policies, strict=True):
        if policy.cost:
            earned.plot([policy.cost] * 2, [at - 0.4, at + 0.4], color=_GAIN, lw=2)
    earned.set_yticks(places, [brief(name, 28) for name in names])
    earned.invert_yaxis()
    earned.set_xlabel("gain in a meeting, payoff units")
    share.set_xlabel("gain, share of the way from\nbabbling to full trust")
    handles: list[Any] = [
        Line2D([], [], color=colour, marker=marker, label=words)
        for party, (words, marker, colour) in _PARTIES.items()
        if (rows["party"] == party).any()
    ]
    if any(policy.cost for policy in counterfactual.policies):
        handles.append(Line2D([], [], color=_GAIN, lw=2, label="cost of the policy"))
    legend_below(figure, handles)
    return figure


def effects_says(counterfactual: Counterfactual) -> str:
    """Which policies gain for sure, and which lose."""
    where = "all" if len(counterfactual.treatments) > 1 else counterfactual.treatments[0]
    rows: Any = counterfactual.effects[
        (counterfactual.effects["treatment"] == where)
        & (counterfactual.effects["round"] == "all")
        & (counterfactual.effects["outcome"] == "payoff")
        & (counterfactual.effects["party"] == counterfactual.together)
        & counterfactual.effects["difference"].notna()
    ]
    pair = counterfactual.together == "both"
    who, alone = ("both together", "Both") if pair else ("receivers", "Receivers")
    sure = rows[rows["difference_lower"] > 0]
    gains = list(sure["policy"])
    loses = list(rows.loc[rows["difference_upper"] < 0, "policy"])
    parts = []
    if gains:
        best = sure.loc[sure["difference"].idxmax()]
        parts.append(
            f"By the whole interval {who} gain by {listed(gains)}, most by "
            f"{best['policy']} ({number(best['difference'])})"
        )
    if loses:
        parts.append(
            f"they lose by {listed(loses)}" if gains else f"{alone} lose by {listed(loses)}"
        )
    if not parts:
        parts.append("No policy gains, or loses, by its whole interval")
    mean = ", treatments averaged" if where == "all" else ""
    bars = f"Differences to what is, with {probability(counterfactual.ci_prob)} intervals{mean}."
    return f"{'; '.join(parts)}. {bars}"


def frontier_figure(frontier: Frontier, caution: float) -> Figure:
    """Net gain over the strength of a policy."""
    figure, [panel] = grid(1, 1, width=6.0, height=3.2)
    rows = frontier.table
    panel.axhline(0, color=GREY, lw=1)
    panel.axvspan(frontier.lower, frontier.upper, color=_GAIN, alpha=0.12, lw=0)
    panel.fill_between(
        rows["strength"], rows["net_lower"], rows["net_upper"], color=GREY, alpha=0.3
    )
    panel.plot(rows["strength"], rows["net"], color="black", lw=1.6)
    panel.plot(rows["strength"], rows["cautious"], color="#D55E00", lw=1.4, ls="--")
    panel.plot(frontier.best, frontier.best_net, "D", color="black", ms=6)
    panel.plot(frontier.cautious, frontier.cautious_net, "o", color="#D55E00", ms=6)
    panel.set_xlabel(frontier.over)
    panel.set_ylabel("net gain in a meeting,\npayoff units")
    legend_below(
        figure,
        [
            Line2D([], [], color="black", marker="D", label="mean, and its best"),
            Line2D(
                [],
                [],
                color="#D55E00",
                marker="o",
                ls="--",
                label=f"quantile {caution:g}, its best",
            ),
            Patch(color=GREY, alpha=0.3, label="interval of the gain"),
            Patch(color=_GAIN, alpha=0.2, label="interval of the best"),
        ],
        2,
    )
    return figure


def frontier_says(frontier: Frontier, ci_prob: float) -> str:
    """The optimum and its uncertainty."""
    text = (
        f"{frontier.policy}: the greatest gain, net of the cost, is at {frontier.over} = "
        f"{number(frontier.best)} ({probability(ci_prob)} of the posterior have their best from "
        f"{number(frontier.lower)} to {number(frontier.upper)}): "
        f"{number(frontier.best_net)} in a meeting."
    )
    ends = frontier.table["strength"].iloc[[0, -1]].tolist()
    if frontier.best in ends:
        text += " That is an end of the range that was looked at."
    return f"{text} Who goes by the low quantile chooses {number(frontier.cautious)}."


_COLOURS = ["#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
_LINES = ["-", "--", "-.", ":"]


def paths_figure(counterfactual: Counterfactual, outcome: str, party: str) -> Figure:
    """An outcome over the rounds, a line for each policy, a panel for each treatment."""
    rows: Any = counterfactual.effects[
        (counterfactual.effects["round"] != "all")
        & (counterfactual.effects["outcome"] == outcome)
        & (counterfactual.effects["party"] == party)
    ]
    figure, axes = grid(len(counterfactual.treatments), 3, width=3.4, height=2.9, sharey=True)
    handles: dict[str, Any] = {}
    for panel, treatment in zip(axes, counterfactual.treatments, strict=True):
        here = rows[rows["treatment"] == treatment]
        for (name, path), colour, line in zip(
            here.groupby("policy", sort=False), cycle(_COLOURS), cycle(_LINES), strict=False
        ):
            x = path["round"].astype(int)
            panel.fill_between(x, path["lower"], path["upper"], color=colour, alpha=0.1, lw=0)
            [drawn] = panel.plot(
                x, path["mean"], color=colour, ls=line, lw=1.6, label=brief(name, 24)
            )
            handles[str(name)] = drawn
        panel.set_title(brief(treatment, 30))
        panel.set_xlabel("round")
    axes[0].set_ylabel("trust given" if outcome == "trust" else f"{outcome}, {party}")
    legend_below(figure, list(handles.values()), 3)
    return figure


def paths_says(counterfactual: Counterfactual, outcome: str, party: str) -> str:
    """Where each policy leads: from the first round to the last."""
    rows: Any = counterfactual.effects[
        (counterfactual.effects["round"] != "all")
        & (counterfactual.effects["outcome"] == outcome)
        & (counterfactual.effects["party"] == party)
    ]
    last = rows["round"].astype(int).max()
    parts = []
    for name, path in rows.groupby("policy", sort=False):
        ends = [path.loc[path["round"] == at, "mean"].mean() for at in (1, last)]
        parts.append(f"{name} from {number(ends[0])} to {number(ends[1])}")
    what = "Trust given" if outcome == "trust" else f"{outcome.capitalize()}, {party},"
    return (
        f"{what} from round 1 to round {last}, treatments averaged: {'; '.join(parts)}. Bands: "
        f"{probability(counterfactual.ci_prob)} intervals of experiments of this size."
    )


def unseen_figure(unseen: Unseen) -> Figure:
    """What was observed in each treatment, and what was predicted without it."""
    roles = list(dict.fromkeys(unseen.table["role"]))
    figure, axes = grid(len(roles), 2, width=3.6, height=3.0)
    for panel, role in zip(axes, roles, strict=True):
        rows: Any = unseen.table[unseen.table["role"] == role]
        x = np.arange(len(rows))
        spans = np.abs(rows[["lower", "upper"]].to_numpy().T - rows["predicted"].to_numpy())
        panel.errorbar(x, rows["predicted"], yerr=spans, fmt="o", color="#0072B2", capsize=3)
        panel.plot(x, rows["observed"], OBSERVED.marker, color=OBSERVED.colour, ms=8, mew=2)
        panel.plot(x, rows["others"], "_", color=GREY, ms=14, mew=2)
        panel.set_xticks(x, [brief(name, 12) for name in rows["treatment"]])
        panel.set_xlim(-0.5, len(x) - 0.5)
        panel.set_xlabel("treatment left out")
        what = "inflation of messages" if role == "sender" else "discount of actions"
        panel.set_ylabel(f"mean {what},\nunits of the state")
        panel.set_title(f"{rows['model'].iloc[0]}, {role}s")
    legend_below(
        figure,
        [
            Line2D([], [], color="#0072B2", marker="o", label="predicted"),
            Line2D([], [], color=OBSERVED.colour, marker=OBSERVED.marker, ls="", label="observed"),
            Line2D([], [], color=GREY, marker="_", ls="", label="observed in the others"),
        ],
    )
    return figure


def unseen_says(unseen: Unseen) -> str:
    """How many were foreseen."""
    return unseen.text
