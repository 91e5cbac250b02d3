"""How trust moves: after one lie, over the rounds, and what choices owe to news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.analysis.learning import Learning
from trustbayes.estimates.trust_paths import AfterOne, OverRounds
from trustbayes.games import Role
from trustbayes.report.games.kind import Kind
from trustbayes.report.games.patterns import as_shown
from trustbayes.report.page.style import GREY, OBSERVED, brief, grid, legend_below, look, wrapped
from trustbayes.simulation.experience import SINCE, ExperienceCheck

__all__ = [
    "MOST",
    "NEWS",
    "WHAT",
    "effect_of_news",
    "one_lie",
    "over_the_rounds",
    "shown_checks",
    "since_bad_news",
]

MOST = 4
"""Treatments, and models, that a figure can hold."""
WHAT = {
    "trust": "trust in messages",
    "expected_trust": "trust that senders expect",
    "level": "mean level of thinking",
}
NEWS: Mapping[Role, tuple[str, str]] = {
    "receiver": ("after a lie", "after truth"),
    "sender": ("after not being followed", "after being followed"),
}
"""Bad news and good, in words."""
_LINES = (("#0072B2", "-"), ("#D55E00", "--"), ("#009E73", "-."), ("#CC79A7", ":"))
_PEOPLE = 40  # lines of people that can be told apart


def one_lie(paths: Mapping[Role, AfterOne]) -> Figure:
    """Trust round by round as everybody is told the truth but once, a panel for each role."""
    figure, panels = grid(len(paths), 2, width=4.4, height=3.3)
    for panel, (role, path) in zip(panels, paths.items(), strict=True):
        _one_lie(panel, role, path)
    return figure


def _one_lie(panel: Axes, role: Role, after: AfterOne) -> None:
    treatments = list(dict.fromkeys(after.path["treatment"]))[:MOST]
    for name, (colour, line) in zip(treatments, _LINES, strict=False):
        rows = after.path[after.path["treatment"] == name]
        panel.fill_between(rows["round"], rows["lower"], rows["upper"], color=colour, alpha=0.13)
        panel.plot(
            rows["round"], rows["mean"], line, color=colour, lw=1.8, label=brief(name or "all")
        )
        panel.plot(rows["round"], rows["without"], color=colour, lw=0.8, alpha=0.8)
    bad = "lie" if role == "receiver" else "message not followed"
    panel.axvline(0, color=GREY, lw=1, ls=":")
    panel.set_xlabel(f"rounds since the {bad}")
    panel.set_ylabel(WHAT[after.name])
    panel.set_title(f"{role.capitalize()}s: one {bad} (round 0)\namong good news; thin: without it")
    if len(treatments) > 1:
        panel.legend(loc="best", fontsize=8)


@dataclass(frozen=True, eq=False)
class Shown:
    """A check as it stands in a figure.

    Parameters
    ----------
    label : str
    check : ExperienceCheck
    shape : mapping
        For Matplotlib: the theory's marker and colour, grey if nobody learns in it though people
        do in the comparison, hollow if it is free running.
    """

    label: str
    check: ExperienceCheck
    shape: Mapping[str, Any]


def shown_checks(
    learning: Learning, models: Sequence[str], titles: Mapping[str, str], free: bool
) -> list[Shown]:
    """The checks of some models: as they are compared, static, and where asked for free running."""
    entries = []
    for name in models:
        theirs = look(name)
        shape = {"fmt": theirs.marker, "color": theirs.colour, "mfc": theirs.colour}
        entries.append(Shown(titles[name], learning.checks[name], shape))
        if name in learning.static:
            grey = {**shape, "color": GREY, "mfc": GREY}
            entries.append(Shown(f"{titles[name]}, static", learning.static[name], grey))
        if free and learning.free is not None and learning.players[learning.role] == name:
            hollow = {**shape, "mfc": "white"}
            entries.append(Shown(f"{titles[name]}, free running", learning.free, hollow))
    return entries


def _handles(shown: Sequence[Shown], line: Line2D) -> list[Line2D]:
    return [line, *(_handle(entry.label, entry.shape) for entry in shown)]


def _handle(label: str, shape: Mapping[str, Any]) -> Line2D:
    colours = {"color": shape["color"], "mfc": shape["mfc"]}
    return Line2D([], [], marker=shape["fmt"], ms=5, lw=1.3, label=label, **colours)


def _bars(panel: Axes, x: np.ndarray, table: pd.DataFrame, shown: Shown) -> None:
    spans = np.abs(table[["lower", "upper"]].to_numpy().T - table["mean"].to_numpy())
    panel.errorbar(x, table["mean"], yerr=spans, capsize=2.5, ms=5, **shown.shape)


def effect_of_news(
    learning: Learning, kind: Kind, models: Sequence[str], titles: Mapping[str, str]
) -> Figure:
    """The shift after bad news less that after good, by treatment: observed and replicated."""
    shown = shown_checks(learning, models, titles, free=True)
    first = _after(shown[0].check, kind)
    figure, (panel,) = grid(1, 1, width=7.2, height=3.3)
    x = np.arange(len(first))
    steps = np.linspace(-0.3, 0.3, len(shown)) if len(shown) > 1 else np.zeros(1)
    panel.axhline(0, color="#DDDDDD", lw=0.8, zorder=0)
    for i, value in zip(x, first["observed"], strict=True):
        panel.plot([i - 0.42, i + 0.42], [value, value], color=OBSERVED.colour, lw=1.6, zorder=1)
    for entry, step in zip(shown, steps, strict=True):
        _bars(panel, x + step, _after(entry.check, kind), entry)
    for i in x[1:]:
        panel.axvline(i - 0.5, color="#EEEEEE", lw=0.8, zorder=0)
    panel.set_xticks(x, [brief(t, 60 // len(x)) for t in first["treatment"]])
    panel.set_xlim(-0.5, len(x) - 0.5)
    panel.set_xlabel("treatment")
    bad, good = NEWS[learning.role]
    words = kind.words[learning.role]
    what = wrapped(f"{words.shift}: {bad} less {good}", 34)
    panel.set_ylabel(f"{what}\n({words.unit})")
    legend_below(
        figure, _handles(shown, Line2D([], [], color="black", lw=1.6, label="observed")), 3
    )
    return figure


def _after(check: ExperienceCheck, kind: Kind) -> pd.DataFrame:
    return as_shown(check.after[check.after["observed"].notna()], kind.words[check.role].sign)


def since_bad_news(
    learning: Learning, kind: Kind, models: Sequence[str], titles: Mapping[str, str]
) -> Figure:
    """Mean shift by rounds since the last bad news, a panel for each treatment."""
    role, words = learning.role, kind.words[learning.role]
    checks = shown_checks(learning, models, titles, free=False)
    tables = [as_shown(entry.check.since, words.sign) for entry in checks]
    shown = list(dict.fromkeys(tables[0]["treatment"]))[:MOST]
    figure, panels = grid(len(shown), 2, width=4.4, height=2.9)
    steps = np.linspace(-0.25, 0.25, len(checks)) if len(checks) > 1 else np.zeros(1)
    for panel, treatment in zip(panels, shown, strict=True):
        rows = tables[0][tables[0]["treatment"] == treatment]
        x = np.array([SINCE.index(label) for label in rows["since"]])
        panel.plot(x, rows["observed"], color=OBSERVED.colour, lw=1, marker=OBSERVED.marker, ms=7)
        for entry, table, step in zip(checks, tables, steps, strict=True):
            _bars(panel, x + step, table[table["treatment"] == treatment], entry)
        panel.set_xticks(range(len(SINCE)), ["none\nyet", "1", "2", "3", "4", "5 or\nmore"])
        panel.set_xlim(-0.6, len(SINCE) - 0.4)
        panel.set_title(brief(treatment, 30))
        bad = "lie" if role == "receiver" else "message not followed"
        panel.set_xlabel(f"rounds since the last {bad}")
        panel.set_ylabel(f"{wrapped(f'mean {words.shift}', 26)}\n({words.unit})")
    line = Line2D([], [], color="black", lw=1, marker=OBSERVED.marker, label="observed")
    legend_below(figure, _handles(checks, line), 2 * min(2, len(shown)))
    return figure


def over_the_rounds(moved: OverRounds, model: str) -> Figure:
    """The population's trust in every round, and single people, a panel for each treatment."""
    shown = list(dict.fromkeys(moved.population["treatment"]))[:MOST]
    colour = look(model).colour
    figure, panels = grid(len(shown), 2, width=4.4, height=2.9)
    for panel, treatment in zip(panels, shown, strict=True):
        people = moved.people[moved.people["treatment"] == treatment]
        by_person = people.groupby("subject", sort=False)
        for _, rows in list(by_person)[:: -(-by_person.ngroups // _PEOPLE)]:
            panel.plot(rows["round"], rows["mean"], color=GREY, lw=0.5, alpha=0.55)
        rows = moved.population[moved.population["treatment"] == treatment]
        panel.fill_between(rows["round"], rows["lower"], rows["upper"], color=colour, alpha=0.3)
        panel.plot(rows["round"], rows["mean"], color=colour, lw=2)
        panel.set_title(brief(treatment, 30) if treatment else "")
        panel.set_xlabel("round")
        panel.set_ylabel(WHAT[moved.name])
        if moved.name != "level":
            panel.set_ylim(0, 1)
    handles = [
        Line2D([], [], color=colour, lw=2, label="mean of all people, with its interval"),
        Line2D([], [], color=GREY, lw=0.8, label="single people (posterior means)"),
    ]
    legend_below(figure, handles, min(2, len(shown)))
    return figure
