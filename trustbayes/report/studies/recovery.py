"""The report of a recovery study."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.files import plain, records
from trustbayes.report.page.front import Card, Front
from trustbayes.report.page.picture import Picture, render
from trustbayes.report.page.section import Section
from trustbayes.report.page.style import GREY, grid, legend_below, look, wrapped
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import counted, fixed, listed, percent
from trustbayes.report.studies.shared import StudyPage, complete, made, missing, size_of
from trustbayes.simulation.recovery import RecoveryStudy

__all__ = ["coverage_figure", "recovery_page", "scatter_figure"]

_MOST_POINTS = 1500


def recovery_page(recovery: RecoveryStudy, command: str) -> StudyPage:
    """A recovery study, as a page."""
    player = recovery.experiment.player
    title = f"Recovery of {player.spec.title}, {player.role}s"
    lengths = list(dict.fromkeys(recovery.values["rounds"]))
    tried = listed(
        f"{length}"
        for length in dict.fromkeys([*lengths, *(rounds for rounds, _ in recovery.lost)])
    )
    pictures = [
        Picture(
            f"scatter-{about}",
            f"Estimated against planted, {words}, {longest} rounds",
            partial(scatter_figure, recovery, about),
            partial(_scatter_says, recovery, about),
        )
        for about, words in (("population", "populations"), ("subject", "subjects"))
        for longest in lengths[-1:]
        if (recovery.values["about"] == about).any()
    ]
    coverage = Picture(
        "coverage",
        "Share of 90 % intervals that hold what was planted",
        partial(coverage_figure, recovery),
        partial(_coverage_says, recovery),
    )
    lost = [
        f"simulation {seed} of {rounds} rounds ({why})"
        for (rounds, seed), why in recovery.lost.items()
    ]
    front = Front(
        "Are parameters that are known, because they were planted, found again?",
        [Card("The answer", [("recovered", _answer(recovery))])],
        [render(coverage)] if lengths else [],
        [complete(lost, recovery.failures)],
    )
    sections = [
        Section(
            "planted",
            "Planted against estimated",
            _scatter_says(recovery, "subject").removesuffix(".")
            if (recovery.values["about"] == "subject").any()
            else "",
            texts=[
                "Populations are drawn from the priors, subjects from the populations, trials from "
                "the subjects. Estimates are posterior medians. Positive parameters are compared "
                "on the log scale, so that a bias of 0.1 is about 10 %."
            ],
            tables=[_table(recovery, about) for about in ("population", "subject")]
            if lengths
            else [],
            pictures=[render(picture) for picture in pictures],
        ),
        Section(
            "making",
            "How it was made",
            notes=missing(lost, recovery.failures),
            tables=[
                made(
                    recovery.sampling,
                    recovery.seconds,
                    command,
                    model=f"{player.name}, {player.role}",
                    experiment=size_of(recovery.experiment),
                    rounds_tried=tried,
                )
            ],
        ),
    ]
    numbers = {
        "coverage_90": {
            about: plain(
                dict(zip(("share", "standard_error"), recovery.coverage(about), strict=True))
            )
            for about in ("population", "subject")
        },
        "table": records(recovery.table),
        "values": records(recovery.values),
        "left_out": {
            f"{rounds} rounds, {seed}": why for (rounds, seed), why in recovery.lost.items()
        },
        "failures": list(recovery.failures),
        "experiment": recovery.experiment.to_dict(),
        "sampling": vars(recovery.sampling),
        "seconds": dict(recovery.seconds),
    }
    size = recovery.values[["rounds", "seed"]].drop_duplicates().shape[0]
    people = counted(recovery.experiment.subjects, player.role)
    subtitle = f"{counted(size, 'simulated experiment')}: {people}, {tried} rounds."
    return StudyPage(title, subtitle, front, sections, numbers)


def _answer(recovery: RecoveryStudy) -> str:
    if recovery.values.empty:
        return "Nothing can be said: no simulation could be used."
    parts = []
    for about in ("population", "subject"):
        share, error = recovery.coverage(about)
        parts.append(f"{percent(share)} (standard error {percent(error)}) for {about} parameters")
    return f"90 % intervals hold what was planted in {listed(parts)}."


def _table(recovery: RecoveryStudy, about: str) -> Table:
    rows: Any = recovery.table
    shown = [
        (
            _name(row["parameter"]),
            row["scale"],
            str(row["rounds"]),
            str(row["values"]),
            fixed(row["bias"]),
            fixed(row["rmse"]),
            percent(row["covered_50"]),
            f"{percent(row['covered_90'])} ± {percent(row['error_90'])}",
            fixed(row["correlation"]),
        )
        for row in rows[rows["about"] == about].to_dict("records")
    ]
    return table(
        f"Recovery of {about} parameters. Covered: share of intervals that hold what was planted, "
        "with its standard error. Correlation: of the ranks of planted and estimated values.",
        "parameter|scale|rounds|values|bias|RMSE|50 % covered|90 % covered|correlation",
        shown,
        (0, 1),
    )


def _name(parameter: str) -> str:
    return parameter.replace("_", " ")


def scatter_figure(recovery: RecoveryStudy, about: str) -> Figure:
    """Estimates over planted values, a panel for each parameter, at the most rounds."""
    values: Any = recovery.values[recovery.values["about"] == about]
    values = values[values["rounds"] == values["rounds"].max()]
    names = list(dict.fromkeys(values["parameter"]))
    figure, axes = grid(len(names), 3, width=3.2, height=3.0)
    shape = look(recovery.experiment.player.name)
    for panel, name in zip(axes, names, strict=True):
        here = values[values["parameter"] == name]
        step = -(-len(here) // _MOST_POINTS)
        here = here.iloc[::step]
        held = here["planted"].between(here["q05"], here["q95"])
        for rows, colour in ((here[held], shape.colour), (here[~held], "black")):
            panel.plot(
                rows["planted"],
                rows["estimate"],
                shape.marker,
                color=colour,
                ms=3,
                alpha=0.5,
                mew=0,
            )
        ends = here["planted"].min(), here["planted"].max()
        panel.plot(ends, ends, color=GREY, lw=1)
        panel.set_title(wrapped(_name(name), 32))
        scale = ", log" if here["scale"].iloc[0] == "log" else ""
        panel.set_xlabel(f"planted{scale}")
        panel.set_ylabel(f"estimated{scale}")
    marks: dict[str, Any] = {"marker": shape.marker, "ls": "", "ms": 4}
    legend_below(
        figure,
        [
            Line2D([], [], color=shape.colour, label="90 % interval holds the truth", **marks),
            Line2D([], [], color="black", label="interval misses it", **marks),
            Line2D([], [], color=GREY, lw=1, label="estimate = truth"),
        ],
    )
    return figure


def _scatter_says(recovery: RecoveryStudy, about: str) -> str:
    rows: Any = recovery.table
    rows = rows[(rows["about"] == about) & (rows["rounds"] == rows["rounds"].max())]
    best = rows.loc[rows["correlation"].idxmax()]
    worst = rows.loc[rows["correlation"].idxmin()]
    return (
        f"Estimates follow what was planted most closely for {_name(best['parameter'])} "
        f"(correlation {fixed(best['correlation'])}) and least for {_name(worst['parameter'])} "
        f"({fixed(worst['correlation'])})."
    )


def coverage_figure(recovery: RecoveryStudy) -> Figure:
    """Coverage of 90 % intervals by parameter and number of rounds."""
    rows: Any = recovery.table
    lengths = list(dict.fromkeys(rows["rounds"]))
    places = rows[["about", "parameter"]].drop_duplicates()
    figure, [panel] = grid(1, 1, width=7.0, height=1.2 + 0.32 * len(places))
    shape = look(recovery.experiment.player.name)
    markers = ["o", "s", "^", "D", "v", "P"]
    order = {tuple(key): at for at, key in enumerate(places.to_numpy().tolist())}
    handles = []
    for number, length in enumerate(lengths):
        here = rows[rows["rounds"] == length]
        at = [order[a, p] for a, p in zip(here["about"], here["parameter"], strict=True)]
        y = np.array(at) + 0.18 * (number - (len(lengths) - 1) / 2)
        style: dict[str, Any] = {
            "fmt": markers[number % len(markers)],
            "color": shape.colour,
            "ms": 5,
            "lw": 1,
        }
        handles.append(
            panel.errorbar(
                here["covered_90"],
                y,
                xerr=here["error_90"].fillna(0),
                alpha=0.45 + 0.55 * (number + 1) / len(lengths),
                label=f"{length} rounds",
                **style,
            )
        )
    panel.axvline(0.9, color=GREY, lw=1)
    labels = [f"{_name(p)} ({a})" for a, p in order]
    panel.set_yticks(range(len(order)), labels)
    panel.invert_yaxis()
    panel.set_xlabel("share of 90 % intervals that hold what was planted (± one standard error)")
    legend_below(figure, handles)
    return figure


def _coverage_says(recovery: RecoveryStudy) -> str:
    rows: Any = recovery.table
    least = np.sqrt(0.9 * 0.1 / rows["values"])  # none missed is no proof of no error
    away = (rows["covered_90"] - 0.9).abs() / np.maximum(rows["error_90"].fillna(0), least)
    within = int((away <= 2).sum())
    return (
        f"{within} of {len(rows)} coverages lie within two standard errors of 90 % (grey line); "
        "about 19 in 20 would, if intervals mean what they say."
    )
