"""Which theory predicts better: differences in expected log predictive density."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trustbayes.analysis import Analysis
from trustbayes.games.finite import Role
from trustbayes.report.style import GREY, grid, look
from trustbayes.report.wording import counted, listed, number, percent

__all__ = [
    "alike",
    "by_subject",
    "by_subject_says",
    "differences",
    "differences_says",
    "failed",
    "headline",
    "headline_says",
    "title",
]

_KINDS = {
    ("loo", "subject-sum"): "LOO, summed by subject",
    ("loo", "trial"): "LOO, by trial",
    ("waic", "subject-sum"): "WAIC, summed by subject",
    ("waic", "trial"): "WAIC, by trial",
}


def title(analysis: Analysis, model: str, role: Role) -> str:
    """The model's title."""
    return analysis.fits[model, role].model.spec.title


def failed(analysis: Analysis, role: Role) -> list[str]:
    """Titles of the models of a role that did not pass the convergence gate."""
    return [
        fit.model.spec.title
        for (_, one), fit in analysis.fits.items()
        if one == role and not fit.gate.passed
    ]


def _no_ranking(analysis: Analysis, role: Role) -> str:
    names = listed(failed(analysis, role))
    return (
        f"{role.capitalize()}s: no ranking, because {names} did not pass the convergence gate; "
        "the differences shown may be wrong."
    )


def headline(analysis: Analysis) -> Figure:
    """Elpd difference to the best model of each role, LOO summed by subject, ± 2 dse."""
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
        panel.set_xlabel(
            "elpd difference to the model with the highest\n(nats; bars: ± 2 standard errors)"
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
        start = f"{role.capitalize()}s: {names[0]} has the highest expected log predictive density"
        parts.append(
            start + (f", then {listed(behind)} nats, ± two standard errors." if behind else ".")
        )
    return " ".join(parts)


def differences(analysis: Analysis, role: Role) -> Figure:
    """Each model's difference to the highest, by each criterion and unit."""
    comparison = analysis.comparisons[role]
    worst = comparison.table.groupby("model")["elpd_diff"].min()
    behind = [str(m) for m in comparison.rows().index if worst[m] < 0]
    figure, axes = grid(len(behind), 3, width=3.3, height=2.0, sharey=True)
    for panel, model in zip(axes, behind, strict=True):
        shape = look(model)
        for y, kind in enumerate(_KINDS):
            row = comparison.rows(kind[1], kind[0]).loc[str(model)]
            panel.errorbar(
                row["elpd_diff"],
                y,
                xerr=2 * row["dse"],
                fmt=shape.marker,
                color=shape.colour,
                mfc=shape.colour if kind[0] == "loo" else "white",
                capsize=3,
                lw=1.8,
            )
        panel.axvline(0, color=GREY, lw=1, zorder=0)
        panel.set_yticks(range(len(_KINDS)), list(_KINDS.values()))
        panel.set_ylim(len(_KINDS) - 0.5, -0.5)
        panel.xaxis.set_major_locator(MaxNLocator(4))
        panel.set_title(title(analysis, model, role))
        panel.set_xlabel("elpd difference to the highest\n(nats; ± 2 standard errors)")
    return figure


def differences_says(analysis: Analysis, role: Role) -> str:
    """Whether the criteria agree."""
    comparison = analysis.comparisons[role]
    if failed(analysis, role):
        return _no_ranking(analysis, role)
    best = {
        words: title(analysis, str(comparison.rows(unit, criterion).index[0]), role)
        for (criterion, unit), words in _KINDS.items()
    }
    if len(set(best.values())) == 1:
        return f"All criteria and units rank {next(iter(best.values()))} first for {role}s."
    return (
        "The criteria disagree: "
        + listed(f"{name} by {words}" for words, name in best.items())
        + "."
    )


def _subject_lead(analysis: Analysis, role: Role) -> tuple[list[str], np.ndarray]:
    """The two best models and, for each subject, the first's lead over the second."""
    comparison = analysis.comparisons[role]
    first, second = map(str, comparison.rows().index[:2])
    sums = [
        np.bincount(comparison.pointwise[name].subject, weights=comparison.pointwise[name].loo)
        for name in (first, second)
    ]
    return [first, second], sums[0] - sums[1]


def by_subject(analysis: Analysis, role: Role) -> Figure:
    """For every subject, the lead of the best model over the second."""
    models, lead = _subject_lead(analysis, role)
    lead = np.sort(lead)[::-1]
    figure, (panel,) = grid(1, 1, width=7.2, height=2.8)
    for name, here in zip(models, (lead >= 0, lead < 0), strict=True):
        if not here.any():
            continue
        panel.bar(
            np.flatnonzero(here),
            lead[here],
            width=0.85,
            color=look(name).colour,
            label=f"better predicted by {title(analysis, name, role)}",
        )
    panel.axhline(0, color="black", lw=0.8)
    panel.set_xlabel(f"{role}s, sorted")
    panel.set_ylabel("lead in elpd, summed over\nthe subject's trials (nats)")
    panel.set_xticks([0, lead.size - 1] if lead.size > 1 else [0])
    panel.set_xticklabels(["1", str(lead.size)] if lead.size > 1 else ["1"])
    panel.legend(loc="best")
    return figure


def by_subject_says(analysis: Analysis, role: Role) -> str:
    """For how many subjects the best model is the better one."""
    models, lead = _subject_lead(analysis, role)
    names = [title(analysis, name, role) for name in models]
    ahead = int((lead > 0).sum())
    share = percent(ahead / lead.size)
    top = np.sort(np.abs(lead))[::-1]
    few = max(1, round(0.1 * lead.size))
    weight = percent(float(top[:few].sum() / top.sum())) if top.sum() > 0 else "0 %"
    return (
        f"{names[0]} predicts {ahead} of {counted(lead.size, role)} ({share}) better than "
        f"{names[1]}; the {counted(few, role)} with the largest differences make up {weight} of "
        "all absolute differences."
    )


def alike(analysis: Analysis, role: Role) -> str:
    """For how many subjects the two best models can hardly be told apart."""
    models, lead = _subject_lead(analysis, role)
    first, second = (title(analysis, name, role) for name in models)
    close = int((np.abs(lead) < 1).sum())
    return (
        f"For {close} of {counted(lead.size, role)} the two differ by less than one nat "
        f"({first} against {second})."
    )
