"""Which theory predicts better: differences in expected log predictive density."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trustbayes.analysis.analyse import Analysis, title
from trustbayes.comparison.compare import CRITERIA
from trustbayes.games.base import Role
from trustbayes.report.page.style import GREY, grid, look
from trustbayes.report.page.wording import KINDS, listed, number

__all__ = [
    "differences",
    "differences_says",
    "failed",
    "headline",
    "headline_says",
    "headline_title",
]


def failed(analysis: Analysis, role: Role) -> list[str]:
    """Titles of the models of a role that did not pass the convergence gate."""
    return [
        fit.model.spec.title
        for (_, fitted_role), fit in analysis.fits.items()
        if fitted_role == role and not fit.gate.passed
    ]


def _no_ranking(analysis: Analysis, role: Role) -> str:
    names = listed(failed(analysis, role))
    return (
        f"{role.capitalize()}s: no ranking, because {names} did not pass the convergence gate; "
        "the differences shown may be wrong."
    )


def headline_title(analysis: Analysis) -> str:
    """What is predicted: new people, unless some model cannot."""
    units = {comparison.unit for comparison in analysis.comparisons.values()}
    what = {"subject": "new people", "subject-sum": "new trials of known people"}
    words = " or ".join(what.get(unit, unit) for unit in sorted(units))
    return f"How far each model falls behind in predicting {words}"


def headline(analysis: Analysis) -> Figure:
    """Difference to the best model of each role by the criterion to judge by, ± 2 SE."""
    roles = list(analysis.comparisons)
    most = max(len(c.rows()) for c in analysis.comparisons.values())
    figure, axes = grid(len(roles), 2, width=4.8, height=1.2 + 0.45 * most)
    for panel, role in zip(axes, roles, strict=True):
        rows = analysis.comparisons[role].rows()
        span = max(-float((rows["elpd_diff"] - 2 * rows["dse"]).min()), 1.0)
        for y, (model, row) in enumerate(rows.iterrows()):
            shape, diff, dse = look(str(model)), float(row["elpd_diff"]), float(row["dse"])
            panel.errorbar(
                diff, y, xerr=2 * dse, fmt=shape.marker, color=shape.colour, ms=7, capsize=3, lw=2
            )
            words = "reference" if y == 0 else f"{number(diff)} ± {number(2 * dse)}"
            left = diff < -0.5 * span
            panel.annotate(
                words,
                (diff, y),
                (-6 if left else 6, 8),
                textcoords="offset points",
                ha="left" if left else "right",
                fontsize=8,
            )
        panel.axvline(0, color=GREY, lw=1, zorder=0)
        panel.set_yticks(range(len(rows)), [title(analysis, str(m), role) for m in rows.index])
        panel.set_ylim(len(rows) - 0.5, -0.8)
        panel.set_xlim(-1.06 * span, 0.06 * span)
        panel.xaxis.set_major_locator(MaxNLocator(5))
        panel.set_title(f"{role.capitalize()}s")
        criterion = _criterion(analysis, role)
        panel.set_xlabel(
            f"{criterion} difference to the model with the highest\n"
            "(nats; bars: ± 2 standard errors)"
        )
    return figure


def headline_says(analysis: Analysis) -> str:
    """How far behind the best each model is."""
    parts = []
    for role, comparison in analysis.comparisons.items():
        if failed(analysis, role):
            parts.append(_no_ranking(analysis, role))
            continue
        rows = comparison.rows()
        names = [title(analysis, str(m), role) for m in rows.index]
        behind = [
            f"{name} ({number(float(row['elpd_diff']))} ± {number(2 * float(row['dse']))})"
            for name, (_, row) in list(zip(names, rows.iterrows(), strict=True))[1:]
        ]
        what = "new people" if comparison.unit == "subject" else "new trials of known people"
        start = (
            f"{role.capitalize()}s: {names[0]} has the highest expected log predictive density of "
            f"{what} ({_criterion(analysis, role)})"
        )
        parts.append(
            start + (f", then {listed(behind)} nats, ± two standard errors." if behind else ".")
        )
    return " ".join(parts)


def _criterion(analysis: Analysis, role: Role) -> str:
    """That to judge by."""
    return CRITERIA[analysis.comparisons[role].unit][0].upper()


def differences(analysis: Analysis, role: Role) -> Figure:
    """Each model's difference to the highest, by each unit and criterion."""
    comparison, kinds = analysis.comparisons[role], _kinds(analysis, role)
    worst = comparison.table.groupby("model")["elpd_diff"].min()
    behind = [str(m) for m in comparison.rows().index if worst[m] < 0]
    height = 0.9 + 0.27 * len(kinds)
    figure, axes = grid(len(behind), 3, width=3.5, height=height, sharey=True)
    for panel, model in zip(axes, behind, strict=True):
        shape = look(model)
        for y, (unit, criterion) in enumerate(kinds):
            row = comparison.rows(unit, criterion).loc[str(model)]
            panel.errorbar(
                row["elpd_diff"],
                y,
                xerr=2 * row["dse"],
                fmt=shape.marker,
                color=shape.colour,
                mfc=shape.colour if criterion == "loso" else "white",
                capsize=3,
                lw=1.8,
            )
        people = sum(criterion == "loso" for _, criterion in kinds)
        panel.axhline(people - 0.5, color="#DDDDDD", lw=0.8, zorder=0)
        panel.axvline(0, color=GREY, lw=1, zorder=0)
        panel.set_yticks(range(len(kinds)), [KINDS[kind] for kind in kinds])
        panel.set_ylim(len(kinds) - 0.5, -0.5)
        panel.xaxis.set_major_locator(MaxNLocator(4))
        panel.set_title(title(analysis, model, role))
        panel.set_xlabel("elpd difference to the highest\n(nats; ± 2 standard errors)")
    return figure


def _kinds(analysis: Analysis, role: Role) -> list[tuple[str, str]]:
    """The units and criteria of a comparison."""
    table = analysis.comparisons[role].table
    held = set(zip(table["unit"], table["criterion"], strict=True))
    return [kind for kind in KINDS if kind in held]


def differences_says(analysis: Analysis, role: Role) -> str:
    """Whether the criteria agree."""
    comparison = analysis.comparisons[role]
    if failed(analysis, role):
        return _no_ranking(analysis, role)
    best = {
        KINDS[kind]: title(analysis, str(comparison.rows(*kind).index[0]), role)
        for kind in _kinds(analysis, role)
    }
    if len(set(best.values())) == 1:
        return f"All criteria and units rank {next(iter(best.values()))} first for {role}s."
    return (
        "The criteria disagree on which is first: "
        + "; ".join(f"{words}: {name}" for words, name in best.items())
        + "."
    )
