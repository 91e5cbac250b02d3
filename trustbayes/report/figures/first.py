"""The pictures of the first page: small enough for a phone, and three beside each other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.analysis.analyse import Analysis, title
from trustbayes.comparison import single_theories
from trustbayes.games.base import Role
from trustbayes.report.figures.persons import theory_chances
from trustbayes.report.page.style import brief, look
from trustbayes.report.page.wording import counted, listed, percent, probability

__all__ = ["marks", "marks_says", "placed_people", "trust", "trust_rows", "trust_says"]

WIDTH = 3.7
"""Inches: as wide as a telephone."""
DIM = "#555555"
"""Of people of whom no theory says more than another."""
STRONG = 0.9
"""The probability of a theory from which a person's mark is full."""
_LINES, _LINE, _CROWDED = 2.3, 0.16, 0.25
"""Inches of all treatments, at least of each, and of each below which marks are smaller."""
_MOST = 400  # marks of a role that can still be seen


def placed_people(analysis: Analysis, role: Role) -> pd.DataFrame | None:
    """By which theory each person acts, and how strongly that shows.

    By the mixture's probabilities where it was fitted and passed the gate, else by how well each
    single theory predicts a person who is new to it.

    Parameters
    ----------
    analysis : Analysis
    role : "sender" or "receiver"

    Returns
    -------
    DataFrame or None
        A row for each person, with columns subject, theory ("corner" for whom the two best say
        the same) and strength (probability of the theory, or as if all were equally probable
        before); None where people were not predicted or some fit did not pass.
    """
    chances = theory_chances(analysis, role)
    if chances is not None and _mixture_passed(analysis, role):
        matrix, names = chances.to_numpy(), chances.columns.to_numpy(str)
        subjects = chances.index.to_numpy(str)
        corner = np.zeros(len(matrix), dtype=bool)
    elif role in analysis.people and analysis.verdicts[role].reason != "gate":
        comparison = analysis.comparisons[role]
        names = np.array(single_theories(comparison))
        scores = comparison.elpd_by_unit("subject")[list(names)]
        odds = np.exp(scores.to_numpy() - scores.to_numpy().max(axis=1, keepdims=True))
        matrix, subjects = odds / odds.sum(axis=1, keepdims=True), scores.index.to_numpy(str)
        people = analysis.people[role].set_index("subject")["corner"]
        corner = people.loc[subjects].to_numpy(bool)
    else:
        return None
    theory = np.where(corner, "corner", names[matrix.argmax(axis=1)])
    placed = pd.DataFrame({"subject": subjects, "theory": theory, "strength": matrix.max(axis=1)})
    order = [*names, "corner"]
    place = placed["theory"].map(order.index)
    return placed.assign(place=place).sort_values(
        ["place", "strength"], ascending=[True, False], kind="stable", ignore_index=True
    )


def _mixture_passed(analysis: Analysis, role: Role) -> bool:
    return any(
        fit.gate.passed and fit.model.spec.theory_of_type is not None
        for (_, fitted_role), fit in analysis.fits.items()
        if fitted_role == role
    )


def _all_placed(analysis: Analysis) -> dict[Role, pd.DataFrame]:
    placed = {role: placed_people(analysis, role) for role in analysis.comparisons}
    return {role: rows for role, rows in placed.items() if rows is not None}


def marks(analysis: Analysis) -> Figure:
    """Every person as a mark, a panel for each role: which theory, and how strongly it shows."""
    placed = _all_placed(analysis)
    names = list(dict.fromkeys(name for rows in placed.values() for name in rows["theory"]))
    lines = -(-(len(names) + 1) // 2)
    figure = Figure(figsize=(WIDTH, 1.75 + 0.2 * lines))
    axes = figure.subplots(1, len(placed), squeeze=False).ravel()
    for panel, (role, rows) in zip(axes, placed.items(), strict=True):
        _waffle(panel, rows, counted(len(rows), role))
    handles = [
        Line2D([], [], ls="", ms=5, label=_name(analysis, name), **_shape(name, True))
        for name in names
    ]
    handles.append(Line2D([], [], ls="", ms=5, label="hollow: weakly", **_pale()))
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=8)
    return figure


def _waffle(panel: Axes, rows: pd.DataFrame, heading: str) -> None:
    each = -(-len(rows) // _MOST)
    shown = rows.iloc[::each]
    columns = max(1, math.ceil(math.sqrt(1.1 * len(shown))))
    size = min(7.0, 95.0 / columns)
    for place, (_, row) in enumerate(shown.iterrows()):
        shape = _shape(str(row["theory"]), row["strength"] >= STRONG)
        panel.plot(place % columns, -(place // columns), ls="", ms=size, **shape)
    panel.set_xlim(-0.7, columns - 0.3)
    panel.set_ylim(0.3 - math.ceil(len(shown) / columns), 0.7)
    panel.set_axis_off()
    suffix = "" if each == 1 else f"\n(a mark for {each})"
    panel.set_title(f"{heading}{suffix}", fontsize=9)


def _shape(theory: str, strong: bool) -> dict[str, Any]:
    """Marker and colour; pale where the theory shows weakly, empty where two say the same."""
    if theory == "corner":
        return {"marker": "x", "color": DIM, "mew": 1.6}
    shape = look(theory)
    face = shape.colour if strong else "white"
    return {"marker": shape.marker, "color": shape.colour, "mfc": face, "mew": 1.2}


def _pale() -> dict[str, Any]:
    return {"marker": "D", "color": "black", "mfc": "white", "mew": 1.2}


def _name(analysis: Analysis, theory: str) -> str:
    if theory == "corner":
        return "fits both"
    fitted = next(((m, r) for m, r in analysis.fits if m == theory), None)
    return brief(title(analysis, *fitted) if fitted else theory, 20)


def marks_says(analysis: Analysis) -> str:
    """How many people are marked for each theory, and how many of them weakly."""
    parts = []
    for role, rows in _all_placed(analysis).items():
        counts = listed(
            f"{count} {'that fit both' if theory == 'corner' else _name(analysis, str(theory))}"
            for theory, count in rows["theory"].value_counts(sort=False).items()
        )
        weak = int(((rows["strength"] < STRONG) & (rows["theory"] != "corner")).sum())
        parts.append(f"{role.capitalize()}s: {counts}; {weak} of {len(rows)} weakly (hollow)")
    return f"{'. '.join(parts)}. Each person is a mark; weakly: a probability below {STRONG:g}."


_ROLES: dict[str, tuple[Role, str, tuple[str, ...], str]] = {
    "expected": ("sender", "expected_trust", ("value", "population mean"), "expected by senders"),
    "given": ("receiver", "trust", ("population mean", "value"), "given by receivers"),
}


def trust_rows(analysis: Analysis) -> dict[str, pd.DataFrame]:
    """Trust expected and trust given by treatment, of whichever role there is.

    Returns
    -------
    dict of str to DataFrame
        Keys "expected" and "given"; columns treatment, mean, lower, upper. From
        `trustbayes.analysis.analyse.Analysis.gap` where both roles were fitted.
    """
    gap = analysis.gap
    if gap is not None:
        return {
            name: pd.DataFrame(
                {
                    "treatment": gap["treatment"],
                    "mean": gap[name],
                    "lower": gap[f"{name}_lower"],
                    "upper": gap[f"{name}_upper"],
                }
            )
            for name in _ROLES
        }
    tables = {}
    for name, (role, parameter, statistics, _) in _ROLES.items():
        table = analysis.population
        rows = table[(table["role"] == role) & (table["parameter"] == parameter)]
        passed = [m for (m, r), fit in analysis.fits.items() if r == role and fit.gate.passed]
        for model in [m for m in passed if (rows["model"] == m).any()][:1]:
            estimates = rows[rows["model"] == model]
            statistic = next((s for s in statistics if (estimates["statistic"] == s).any()), None)
            estimates = estimates[estimates["statistic"] == statistic]
            if len(estimates):
                tables[name] = estimates[["treatment", "mean", "lower", "upper"]].reset_index(
                    drop=True
                )
    return tables


def trust(analysis: Analysis, seen: str = "message") -> Figure:
    """Trust expected and given in what receivers see, by treatment, from none to full."""
    tables = trust_rows(analysis)
    treatments = list(dict.fromkeys(t for rows in tables.values() for t in rows["treatment"]))
    # Pages show pictures at one height: the taller it were, the smaller its letters would be.
    each = min(0.36, max(_LINES / len(treatments), _LINE)) if treatments else 0.36
    figure = Figure(figsize=(WIDTH, 1.2 + each * max(2, len(treatments))))
    panel = figure.subplots()
    step, size = (0.12, 5.0) if each > _CROWDED else (0.2, 3.5)
    handles = []
    for side, (name, rows) in zip((-step, step), tables.items(), strict=False):
        y = np.array([treatments.index(t) for t in rows["treatment"]]) + side
        spans = np.abs(rows[["lower", "upper"]].to_numpy().T - rows["mean"].to_numpy())
        expected = name == "expected"
        handles.append(
            panel.errorbar(
                rows["mean"],
                y,
                xerr=spans,
                fmt="s" if expected else "o",
                color="black",
                mfc="white" if expected else "black",
                capsize=2,
                ms=size,
                label=_ROLES[name][3],
            )
        )
    panel.set_yticks(range(len(treatments)), [brief(t, 16) if t else "all" for t in treatments])
    panel.set_ylim(len(treatments) - 0.5, -0.5)
    panel.set_xlim(0, 1)
    panel.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %\nnone", "25 %", "50 %", "75 %", "100 %\nfull"])
    panel.set_xlabel(f"trust in {seen}s")
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=8)
    return figure


def trust_says(analysis: Analysis) -> str:
    """The numbers of the picture."""
    parts = [
        f"Trust {_ROLES[name][3]}: "
        + listed(
            percent(row["mean"]) + (f" in {row['treatment']}" if row["treatment"] else "")
            for _, row in rows.iterrows()
        )
        for name, rows in trust_rows(analysis).items()
    ]
    return f"{'. '.join(parts)}. Bars: {probability(analysis.ci_prob)} intervals."
