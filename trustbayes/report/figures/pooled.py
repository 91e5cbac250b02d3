"""Several experiments: forest plots of theories and of parameters, and what carries over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.games.base import Role
from trustbayes.pooling.common_scales import APART, EFFECT_OF, OF_ALL
from trustbayes.pooling.pooled_study import PooledStudy
from trustbayes.pooling.verdicts import differences, heterogeneity
from trustbayes.report.page.style import GREY, brief, grid, legend_below, log_axis, look, wrapped
from trustbayes.report.page.wording import (
    counted,
    interval,
    listed,
    number,
    probability,
    type_label,
)

__all__ = [
    "leads_figure",
    "leads_says",
    "located",
    "losses_figure",
    "losses_says",
    "parameters_figure",
    "parameters_says",
]

_ALL = "All together"
_OTHERS = 3  # theories that the best is held against in a figure
_PANELS = 6


def _ranked(pooled: PooledStudy, role: Role, new_experiments: bool) -> list[str]:
    """The best theory, and those worth a place in a figure: no benchmarks unless there are only."""
    order = [str(name) for name in pooled.comparison(role, new_experiments).index]
    benchmark = {fit.model.name: fit.model.spec.benchmark for fit in pooled.fits.values()}
    rest = [name for name in order[1:] if not benchmark[name]] or order[1:]
    return [*order[:1], *rest[:_OTHERS]]


def _with_leads(pooled: PooledStudy, new_experiments: bool) -> list[Role]:
    return [r for r in pooled.roles if len(_ranked(pooled, r, new_experiments)) > 1]


def _scores(pooled: PooledStudy, role: Role, new_experiments: bool) -> Any:
    return pooled.of_new_experiments(role) if new_experiments else pooled.of_people(role)


def leads_figure(pooled: PooledStudy, new_experiments: bool = False) -> Figure:
    """The lead a person of the best theory over others, by experiment, ± 2 standard errors."""
    roles = _with_leads(pooled, new_experiments)
    most = max(len(pooled.study.names), 2)
    figure, axes = grid(len(roles), 2, width=3.6, height=1.5 + 0.36 * (most + 1))
    for panel, role in zip(axes, roles, strict=True):
        best, *others = _ranked(pooled, role, new_experiments)
        scores = _scores(pooled, role, new_experiments)
        both = {n for other in others for n in scores[other]} & set(scores[best])
        names = [n for n in pooled.study.names if n in both]
        steps = np.linspace(-0.2, 0.2, len(others)) if len(others) > 1 else [0.0]
        for other, step in zip(others, steps, strict=True):
            gaps = differences(scores, best, other)
            shape = look(other)
            y = np.array([names.index(n) for n in gaps["experiment"]]) + step
            panel.errorbar(
                gaps["mean"], y, xerr=2 * gaps["mean_se"], fmt=shape.marker, color=shape.colour,
                ms=6, capsize=2, lw=1.6,
            )  # fmt: skip
            if len(gaps) > 1:
                whole = heterogeneity(gaps)
                panel.errorbar(
                    whole.mean, len(names) + step, xerr=2 * whole.error, fmt="D",
                    color=shape.colour, ms=7, capsize=3, lw=2.2,
                )  # fmt: skip
        panel.axvline(0, color=GREY, lw=1, zorder=0)
        panel.axhline(len(names) - 0.5, color="#DDDDDD", lw=0.8, zorder=0)
        panel.set_yticks(range(len(names) + 1), [*(brief(n, 24) for n in names), _ALL])
        panel.set_ylim(len(names) + 0.5, -0.5)
        panel.set_xlabel("nats a person (± 2 standard errors)")
        title = f"{role.capitalize()}s: lead of {pooled.titles[best]}"
        if len(others) == 1:
            panel.set_title(f"{title}\nover {pooled.titles[others[0]]}")
            continue
        panel.set_title(title)
        handles = [
            Line2D([], [], color=look(o).colour, marker=look(o).marker, label=pooled.titles[o])
            for o in others
        ]
        panel.legend(handles=handles, title="over", loc="best")
    return figure


def leads_says(pooled: PooledStudy, new_experiments: bool = False) -> str:
    """Whether the lead is the same everywhere."""
    parts = []
    for role in _with_leads(pooled, new_experiments):
        best, other, *_ = _ranked(pooled, role, new_experiments)
        gaps = differences(_scores(pooled, role, new_experiments), best, other)
        whole = heterogeneity(gaps)
        start = (
            f"{role.capitalize()}s: {pooled.titles[best]} leads {pooled.titles[other]} by "
            f"{number(whole.mean)} ± {number(2 * whole.error)} nats a person over "
            f"{counted(len(gaps), 'experiment')}, and is ahead in {whole.ahead} of them"
        )
        if len(gaps) > 1:
            start += f"; the lead differs by {number(whole.spread)} nats between experiments"
        parts.append(f"{start}.")
    return " ".join(parts)


def located(pooled: PooledStudy) -> list[pd.DataFrame]:
    """The rows of each parameter's location, theories that are no benchmarks first."""
    benchmark = {fit.model.name: fit.model.spec.benchmark for fit in pooled.fits.values()}
    rows = pooled.parameters
    if rows.empty:
        return []
    parts = [
        part
        for (model, *_), part in rows[~rows["statistic"].isin(["spread", APART])].groupby(
            ["model", "role", "label"], sort=False
        )
        if not benchmark[str(model)]
    ]
    return sorted(parts, key=lambda part: part["parameter"].iloc[0].startswith("response"))


def parameters_figure(pooled: PooledStudy, panels: int = _PANELS) -> Figure:
    """Each experiment's middling person, alone and pooled, with the pooled mean."""
    parts = located(pooled)[:panels]
    most = max(int((~part["of"].isin(OF_ALL)).sum()) for part in parts)
    figure, axes = grid(
        len(parts),
        min(panels, 3),
        width=3.4,
        height=1.5 + 0.36 * (most + 2),
    )
    for panel, part in zip(axes, parts, strict=True):
        first = part.iloc[0]
        shape = look(first["model"])
        experiments = part[~part["of"].isin(OF_ALL) & ~part["of"].str.startswith(EFFECT_OF)]
        mean, new = (part[part["of"] == of].iloc[0] for of in OF_ALL[:2])
        panel.axvspan(mean["lower"], mean["upper"], color=shape.colour, alpha=0.12, lw=0)
        places = np.arange(len(experiments))
        _bars(
            panel,
            experiments,
            places - 0.14,
            ("alone", "alone_lower", "alone_upper"),
            GREY,
            "o",
            "white",
        )
        _bars(panel, experiments, places + 0.14, _POOLED, shape.colour, "o", shape.colour)
        _bars(
            panel,
            mean.to_frame().T,
            np.array([len(experiments)]),
            _POOLED,
            "#000000",
            "D",
            "#000000",
        )
        _bars(
            panel,
            new.to_frame().T,
            np.array([len(experiments) + 1]),
            _POOLED,
            "#000000",
            "s",
            "white",
        )
        labels = [*(brief(n, 20) for n in experiments["of"]), "Pooled mean", "New experiment"]
        panel.set_yticks(range(len(labels)), labels)
        panel.set_ylim(len(labels) - 0.5, -0.5)
        panel.axhline(len(experiments) - 0.5, color="#DDDDDD", lw=0.8, zorder=0)
        if first["scale"] == "log":
            log_axis(panel, "x")
        else:
            panel.set_xlim(-0.03, 1.03)
        title = f"{pooled.titles[first['model']]}, {first['role']}s"
        panel.set_title(f"{title}\n{_name(first)}")
        panel.set_xlabel(wrapped(str(first["unit"]), 34))
    handles = [
        Line2D([], [], color=GREY, marker="o", mfc="white", label="its own data alone"),
        Line2D([], [], color="#0072B2", marker="o", label="with the other experiments"),
        Line2D([], [], color="#000000", marker="D", label="pooled mean"),
        Line2D([], [], color="#000000", marker="s", mfc="white", label="an experiment to come"),
    ]
    legend_below(figure, handles, 4 if panels > 2 else 2)
    return figure


_ALONE = ("alone", "alone_lower", "alone_upper")
_POOLED = ("median", "lower", "upper")


def _name(row: pd.Series) -> str:
    name = str(row["parameter"]).replace("_", " ")
    if row["statistic"] == "location":
        return f"{name} {row['symbol']}"
    return f"chance to go {beyond(row['statistic'])}"


def beyond(statistic: str) -> str:
    """What people share out among, in words.

    Examples
    --------
    >>> beyond("beyond 1"), beyond("beyond trust-embedded")
    ('beyond level 1', 'beyond trust-embedded')
    """
    return f"beyond {type_label(statistic.removeprefix('beyond '))}"


def _bars(
    panel: Any,
    rows: pd.DataFrame,
    y: np.ndarray,
    columns: tuple[str, str, str],
    colour: str,
    marker: str,
    face: str,
) -> None:
    middle, low, high = (rows[column].to_numpy(dtype=float) for column in columns)
    spans = np.array([middle - low, high - middle])
    panel.errorbar(
        middle, y, xerr=spans, fmt=marker, color=colour, mfc=face, ms=5, capsize=2, lw=1.4
    )


def parameters_says(pooled: PooledStudy, panels: int = 3) -> str:
    """Pooled means of the parameters that are no response's."""
    parts = [p for p in located(pooled) if not p["parameter"].iloc[0].startswith("response")]
    sentences = []
    for part in (parts or located(pooled))[:panels]:
        first = part.iloc[0]
        mean, new, spread = (part[part["of"] == of].iloc[0] for of in OF_ALL)
        scale = f" on the {first['scale']} scale" if first["scale"] else ""
        name = _name(first)
        sentences.append(
            f"{name[:1].upper()}{name[1:]} ({pooled.titles[first['model']]}, {first['role']}s): "
            f"{number(mean['median'])} ({interval(mean['lower'], mean['upper'])}) in an average "
            f"experiment, {interval(new['lower'], new['upper'])} in one to come; experiments "
            f"differ by {number(spread['median'])}{scale}."
        )
    return " ".join(sentences) + f" Intervals: {probability(pooled.ci_prob)}, equal-tailed."


def losses_figure(pooled: PooledStudy) -> Figure:
    """What it costs a person's prediction that her experiment is unseen, by theory."""
    rows = pooled.carried
    roles = [role for role in pooled.roles if (rows["role"] == role).any()]
    figure, axes = grid(len(roles), 2, width=4.6, height=1.6 + 0.42 * len(pooled.study.names))
    for panel, role in zip(axes, roles, strict=True):
        chosen = _ranked(pooled, role, True)
        here = rows[rows["role"] == role]
        names = [n for n in pooled.study.names if (here["experiment"] == n).any()]
        steps = np.linspace(-0.2, 0.2, len(chosen)) if len(chosen) > 1 else [0.0]
        handles = []
        for model, step in zip(chosen, steps, strict=True):
            of_model, shape = here[here["model"] == model], look(model)
            y = np.array([names.index(n) for n in of_model["experiment"]]) + step
            error = 2 * of_model["error"] / of_model["people"]
            panel.errorbar(
                of_model["loss"],
                y,
                xerr=error,
                fmt=shape.marker,
                color=shape.colour,
                ms=6,
                capsize=2,
            )
            handles.append(
                Line2D([], [], color=shape.colour, marker=shape.marker, label=pooled.titles[model])
            )
        panel.axvline(0, color=GREY, lw=1, zorder=0)
        panel.set_yticks(range(len(names)), [brief(n, 24) for n in names])
        panel.set_ylim(len(names) - 0.5, -0.5)
        panel.set_title(f"{role.capitalize()}s")
        panel.set_xlabel(
            "lost by not knowing the experiment\n(nats a person; ± 2 Monte Carlo errors)"
        )
        panel.legend(handles=handles, loc="best")
    return figure


def losses_says(pooled: PooledStudy) -> str:
    """How much each theory loses on an experiment that it has not seen."""
    rows, parts = pooled.carried, []
    for role in pooled.roles:
        here = rows[rows["role"] == role]
        if here.empty:
            continue
        words = []
        for model in _ranked(pooled, role, True):
            of_model = here[here["model"] == model]
            lost = float((of_model["loso"] - of_model["loeo"]).sum() / of_model["people"].sum())
            words.append(f"{pooled.titles[model]} {number(lost)}")
        parts.append(
            f"A {role} of an experiment that was left out is predicted worse than by the others of "
            f"her own experiment by (nats): {listed(words)}."
        )
    return " ".join(parts)
