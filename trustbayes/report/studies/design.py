"""The report on how often sizes of experiment tell theories apart."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from trustbayes.comparison import verdict_rules
from trustbayes.files import records
from trustbayes.models import model
from trustbayes.report.page.front import Card, Front
from trustbayes.report.page.picture import Picture, render
from trustbayes.report.page.section import Section
from trustbayes.report.page.style import GREY, grid, legend_below
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import counted, listed, percent
from trustbayes.report.studies.shared import StudyPage, complete, made, missing
from trustbayes.simulation.power import Power

__all__ = ["design_page", "power_figure"]

_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
_MARKERS = ["o", "s", "^", "D", "v", "P"]


def design_page(power: Power, command: str) -> StudyPage:
    """A study of designs, as a page."""
    titles = [model(name, power.game.roles[0], power.game).spec.title for name in power.theories]
    roles = list(dict.fromkeys(power.experiments["role"]))
    pictures = [
        Picture(
            f"power-{role}",
            f"How often the right theory is named, {role}s",
            partial(power_figure, power, role),
            partial(_says, power, role),
        )
        for role in roles
    ]
    reasons = power.experiments.loc[power.experiments["reason"] != "", "reason"]
    front = Front(
        f"How many people and rounds does it take to tell {listed(titles)} apart?",
        [Card(f"{role.capitalize()}s", [("enough", _answer(power, role))]) for role in roles],
        [render(picture) for picture in pictures],
        [complete(reasons, power.failures)],
    )
    rows: Any = power.table[power.table["truth"] == "all"]
    right, size = int(rows["right"].sum()), int(rows["experiments"].sum())
    sections = [
        Section(
            "sizes",
            "Every size",
            f"Over all sizes and theories, {percent(right / size)} of verdicts are right"
            if size
            else "",
            texts=[
                "Populations are drawn from each theory's priors, anew for each experiment: shares "
                "are averages over all populations that the priors hold possible, also those in "
                "which theories coincide. A larger share needs a larger experiment, or a narrower "
                "prior.",
                verdict_rules(),
            ],
            notes=missing(reasons, []),
            tables=[_table(power, role) for role in roles],
        ),
        Section(
            "making",
            "How it was made",
            notes=missing([], power.failures),
            tables=[
                made(power.sampling, power.seconds, command, theories=", ".join(power.theories))
            ],
        ),
    ]
    numbers = {
        "table": records(power.table),
        "experiments": records(power.experiments),
        "failures": list(power.failures),
        "theories": list(power.theories),
        "game": power.game.to_dict(),
        "sampling": vars(power.sampling),
        "seconds": dict(power.seconds),
    }
    subtitle = f"{counted(len(power.experiments), 'simulated experiment')}, {power.game.name}."
    title = f"Would it tell {listed(titles)} apart?"
    return StudyPage(title, subtitle, front, sections, numbers)


def _answer(power: Power, role: str) -> str:
    rows: Any = power.table
    rows = rows[(rows["role"] == role) & (rows["truth"] == "all") & (rows["treatments"] == "all")]
    best = rows.loc[rows["power"].idxmax()]
    enough = rows[rows["power"] >= 0.8]
    words = (
        f"Of the sizes tried, {counted(int(best['subjects']), role)} and "
        f"{counted(int(best['rounds']), 'round')} name the right theory most often: in "
        f"{percent(best['power'])} of experiments "
        f"({percent(best['lower'])} to {percent(best['upper'])})."
    )
    if enough.empty:
        return f"{words} No size does so in 80 % of them."
    least = enough.assign(trials=enough["subjects"] * enough["rounds"])
    least = least.loc[least["trials"].idxmin()]
    return (
        f"{words} The smallest that does so in at least 80 %: "
        f"{counted(int(least['subjects']), role)} and {counted(int(least['rounds']), 'round')}."
    )


def _table(power: Power, role: str) -> Table:
    rows: Any = power.table
    shown = [
        (
            row["truth"] if row["truth"] != "all" else "all together",
            row["treatments"],
            str(row["subjects"]),
            str(row["rounds"]),
            f"{row['right']} of {row['experiments']}",
            f"{percent(row['power'])} ({percent(row['lower'])} to {percent(row['upper'])})",
            str(row["wrong"]),
            str(row["unsampled"]),
        )
        for row in rows[rows["role"] == role].to_dict("records")
    ]
    return table(
        f"Simulated experiments of {role}s in which the verdict names the theory that generated "
        "them, with 95 % Wilson intervals. Wrong: it names another. Not converged: a fit did not "
        "pass the gate even when sampled longer; these count as not right.",
        "truth|treatments|subjects|rounds|right|share|wrong|not converged",
        shown,
        (0, 1),
    )


def power_figure(power: Power, role: str) -> Figure:
    """Share of right verdicts by number of subjects, a line for each number of rounds."""
    rows: Any = power.table
    rows = rows[(rows["role"] == role) & (rows["truth"] == "all")]
    played = list(dict.fromkeys(rows["treatments"]))
    figure, axes = grid(len(played), 3, width=3.4, height=3.0, sharey=True)
    lengths = list(dict.fromkeys(rows["rounds"]))
    handles: list[Any] = []
    for panel, only in zip(axes, played, strict=True):
        handles = []
        for number, length in enumerate(lengths):
            here = rows[(rows["treatments"] == only) & (rows["rounds"] == length)]
            spans = np.abs(here[["lower", "upper"]].to_numpy().T - here["power"].to_numpy())
            spread = np.diff(np.unique(rows["subjects"])).min() if len(here) > 1 else 1
            place = here["subjects"] + 0.06 * spread * (number - (len(lengths) - 1) / 2)
            colour, marker = (part[number % len(part)] for part in (_COLOURS, _MARKERS))
            shown = panel.errorbar(
                place,
                here["power"],
                yerr=spans,
                color=colour,
                marker=marker,
                capsize=2,
                lw=1.4,
                ms=5,
                label=f"{length} rounds",
            )
            handles.append(shown)
        panel.axhline(0.8, color=GREY, lw=1, ls=":")
        panel.set_ylim(-0.02, 1.02)
        panel.set_xticks(sorted(set(rows["subjects"])))
        panel.set_xlabel(f"{role}s")
        panel.set_title("all treatments" if only == "all" else f"only {only}")
    axes[0].set_ylabel("share with the right verdict")
    legend_below(figure, handles)
    return figure


def _says(power: Power, role: str) -> str:
    rows: Any = power.table
    rows = rows[(rows["role"] == role) & (rows["truth"] == "all")]
    wrong, size = int(rows["wrong"].sum()), int(rows["experiments"].sum())
    return (
        f"Share of simulated experiments of {role}s in which the verdict names the theory that "
        f"generated them, over all theories, with 95 % intervals; dotted: 80 %. A wrong theory is "
        f"named in {wrong} of {size}."
    )
