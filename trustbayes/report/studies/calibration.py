"""The report of a calibration."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from trustbayes.files import records
from trustbayes.report.page.front import Card, Front
from trustbayes.report.page.picture import Picture, render
from trustbayes.report.page.section import Section
from trustbayes.report.page.style import GREY, OBSERVED, grid, legend_below, look, wrapped
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import counted, fixed, listed, number, percent
from trustbayes.report.studies.shared import StudyPage, complete, made, missing, size_of
from trustbayes.simulation.calibration import LEVEL, Calibration, calibration_rules
from trustbayes.simulation.uniformity import band

__all__ = ["calibration_page", "ecdf_figure", "ecdf_says"]


def calibration_page(calibration: Calibration, command: str) -> StudyPage:
    """A calibration, as a page."""
    title = f"Calibration of {calibration.model.spec.title}, {calibration.model.role}s"
    picture = Picture(
        "ranks",
        "Ranks of what was planted, against uniform ranks",
        partial(ecdf_figure, calibration),
        partial(ecdf_says, calibration),
    )
    lost = [f"simulation {seed} ({why})" for seed, why in calibration.lost.items()]
    front = Front(
        "Do the model's intervals hold the truth as often as they say?",
        [Card("The answer", [("calibrated", answer(calibration))])],
        [render(picture)] if calibration.simulations else [],
        [complete(lost, calibration.failures)],
    )
    passed = int(calibration.tests["passed"].sum())
    size = f"{counted(calibration.simulations, 'simulation')} of {size_of(calibration.experiment)}"
    sections = [
        Section(
            "quantities",
            "Every quantity",
            f"{passed} of {counted(len(calibration.tests), 'quantity')} passed",
            texts=[calibration_rules()],
            tables=[_table(calibration)],
        ),
        Section(
            "making",
            "How it was made",
            size,
            notes=missing(lost, calibration.failures),
            tables=[
                made(
                    calibration.sampling,
                    calibration.seconds,
                    command,
                    model=f"{calibration.model.name}, {calibration.model.role}",
                    simulated_by=calibration.experiment.player.name,
                    experiment=size_of(calibration.experiment),
                    simulations=str(calibration.simulations),
                )
            ],
        ),
    ]
    numbers = {
        "passed": calibration.passed,
        "complete": calibration.complete,
        "simulations": calibration.simulations,
        "left_out": {str(seed): why for seed, why in calibration.lost.items()},
        "failures": list(calibration.failures),
        "tests": records(calibration.tests),
        "ranks": records(calibration.ranks),
        "model": calibration.model.to_dict(),
        "experiment": calibration.experiment.to_dict(),
        "sampling": vars(calibration.sampling),
        "seconds": dict(calibration.seconds),
    }
    return StudyPage(title, f"{size}.", front, sections, numbers)


def answer(calibration: Calibration) -> str:
    """Whether the model is calibrated, in words."""
    tests = calibration.tests
    if calibration.simulations == 0:
        return "Nothing can be said: no simulation could be used."
    failed = list(tests.loc[~tests["passed"], "quantity"])
    if failed:
        return (
            f"FAILED: the ranks of {listed(failed)} are not uniform "
            f"({len(failed)} of {len(tests)} quantities, at {100 * LEVEL:g} % over all together). "
            "Either the model that simulates is not the one fitted, or the sampler does not draw "
            "from its posterior."
        )
    if not calibration.complete:
        return (
            "FAILED: too many simulations are missing; the quantities of the others pass, "
            f"{len(tests)} of {len(tests)}."
        )
    return (
        f"Passed: in {counted(calibration.simulations, 'simulation')}, the ranks of all "
        f"{len(tests)} quantities agree with uniform ones, so posterior intervals hold what was "
        "planted as often as they say."
    )


def _table(calibration: Calibration) -> Table:
    rows = [
        (
            row["quantity"],
            row["about"],
            str(row["simulations"]),
            number(row["p_value"]),
            number(row["threshold"]),
            "yes" if row["passed"] else "FAILED",
            fixed(row["mean_rank"]),
            number(row["ess"]),
        )
        for row in calibration.tests.to_dict("records")
    ]
    return table(
        "Test of uniform ranks of each quantity. Mean rank: share of draws below what was planted; "
        "one half if right. ESS: median over simulations.",
        "quantity|about|simulations|p|needed|passed|mean rank|bulk ESS",
        rows,
        (0, 1, 5),
    )


def ecdf_figure(calibration: Calibration) -> Figure:
    """Empirical distribution of the ranks less the uniform one, a panel for each quantity."""
    tests: Any = calibration.tests
    figure, axes = grid(len(tests), 4, width=2.5, height=2.1, sharex=True, sharey=True)
    shape = look(calibration.model.name.split(" ")[0])
    for panel, test in zip(axes, tests.to_dict("records"), strict=True):
        here = calibration.ranks["quantity"] == test["quantity"]
        values = np.sort(calibration.ranks.loc[here, "pit"].to_numpy(float))
        edge = band(values.size, 1 - test["threshold"])
        share = np.searchsorted(values, edge.points, side="right") / values.size
        panel.fill_between(
            edge.points,
            edge.lower - edge.points,
            edge.upper - edge.points,
            color=GREY,
            alpha=0.35,
            lw=0,
        )
        panel.axhline(0, color=GREY, lw=0.8)
        colour = shape.colour if test["passed"] else OBSERVED.colour
        panel.plot(edge.points, share - edge.points, color=colour, lw=1.4 if test["passed"] else 2)
        verdict = "" if test["passed"] else ": FAILED"
        panel.set_title(wrapped(f"{test['quantity']}{verdict}", 26), fontsize=8.5)
        panel.set_xticks([0, 0.5, 1])
    for panel in axes:
        spec = panel.get_subplotspec()
        if spec is not None and spec.is_first_col():
            panel.set_ylabel("ECDF − uniform")
    for panel in axes[-4:]:
        panel.set_xlabel("rank, as a share")
        panel.tick_params(labelbottom=True)
    legend_below(
        figure,
        [
            Line2D([], [], color=shape.colour, lw=1.4, label="ranks"),
            Line2D([], [], color=OBSERVED.colour, lw=2, label="ranks that leave the band"),
            Patch(color=GREY, alpha=0.35, label="band of uniform ranks, all quantities together"),
        ],
    )
    return figure


def ecdf_says(calibration: Calibration) -> str:
    """What the figure shows, in numbers."""
    tests: Any = calibration.tests
    worst = tests.loc[tests["p_value"].idxmin()]
    inside = int(tests["passed"].sum())
    return (
        f"{inside} of {len(tests)} quantities stay within their band, which holds all of them "
        f"with {percent(1 - LEVEL)} probability if the model is right; closest to leaving it, or "
        f"furthest outside: {worst['quantity']} (p = {number(worst['p_value'])}, needed "
        f"{number(worst['threshold'])}). A line above zero throughout means that estimates are too "
        "high; one that rises in the middle that intervals are too wide, one that falls there that "
        "they are too narrow."
    )
