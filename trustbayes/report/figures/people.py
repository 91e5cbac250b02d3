"""The people: every subject's parameters, what pooling does to them, and their types."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from trustbayes.analysis.analyse import Analysis, title
from trustbayes.games.base import Role
from trustbayes.report.page.style import GREY, brief, grid, legend_below, log_axis, look, wrapped
from trustbayes.report.page.wording import (
    counted,
    fixed,
    listed,
    number,
    percent,
    probability,
    type_label,
)

__all__ = [
    "everyone",
    "everyone_says",
    "parameter_name",
    "rows_of",
    "shrinkage",
    "shrinkage_says",
    "types",
    "types_says",
]

_TYPICAL = ("population median", "population mean")
_NAMED = 20  # subjects that still fit by name on an axis
_SHADES = ("#0D3B66", "#56B4E9", "#F0E442", "#D55E00", "#CC79A7", "#000000")  # of the levels


def rows_of(table: pd.DataFrame, model: str, role: Role, parameter: str) -> pd.DataFrame:
    """The rows of one parameter."""
    if table.empty:
        return table
    return table[
        (table["model"] == model) & (table["role"] == role) & (table["parameter"] == parameter)
    ]


def _population(
    analysis: Analysis, model: str, role: Role, parameter: str, treatment: str, unit: str
) -> pd.Series | None:
    """The population's typical value, if it was estimated."""
    table = rows_of(analysis.population, model, role, parameter)
    table = table[(table["unit"] == unit) & (table["treatment"] == treatment)]
    for statistic in _TYPICAL:
        estimates = table[table["statistic"] == statistic]
        if len(estimates):
            return estimates.iloc[0]
    return None


def _support(analysis: Analysis, model: str, role: Role, parameter: str) -> str:
    spec = analysis.fits[model, role].model.spec
    return next(p.support for p in spec.parameters if p.name == parameter)


def parameter_name(rows: pd.DataFrame) -> str:
    """The parameter of the rows in words."""
    return str(rows["parameter"].iloc[0]).replace("_", " ")


def _treatments(analysis: Analysis, rows: pd.DataFrame) -> list[str]:
    estimated = set(rows["treatment"])
    return [t for t in ("", *analysis.trials.treatments) if t in estimated]


def everyone(analysis: Analysis, model: str, role: Role, parameter: str) -> Figure:
    """All subjects sorted by estimate, with intervals and the population's typical value."""
    rows = rows_of(analysis.subjects, model, role, parameter)
    shape, support = look(model), _support(analysis, model, role, parameter)
    treatments = _treatments(analysis, rows)
    most = int(rows.groupby("treatment").size().max())
    figure, axes = grid(
        len(treatments),
        3,
        width=3.3 if len(treatments) > 1 else 6.6,
        height=float(np.clip(1.4 + 0.16 * most, 2.0, 5.2)),
        sharex=True,
    )
    for panel, treatment in zip(axes, treatments, strict=True):
        here = rows[rows["treatment"] == treatment].sort_values("median")
        y = np.arange(len(here))
        unit = str(here["unit"].iloc[0])
        panel.hlines(y, here["lower"], here["upper"], color=shape.colour, lw=1, alpha=0.45)
        panel.plot(here["median"], y, shape.marker, color=shape.colour, ms=3.2)
        typical = _population(analysis, model, role, parameter, treatment, unit)
        if typical is not None:
            panel.axvspan(typical["lower"], typical["upper"], color=GREY, alpha=0.35, lw=0)
            panel.axvline(typical["mean"], color="black", lw=0.8, ls="--", zorder=0)
        _scale(panel, support)
        if len(here) <= _NAMED:
            panel.set_yticks(y, [brief(s, 14) for s in here["subject"]])
        else:
            panel.set_yticks([0, len(here) - 1], ["1", str(len(here))])
        panel.set_ylim(-0.8, len(here) - 0.2)
        panel.set_title(brief(treatment, 24) if treatment else f"{role.capitalize()}s")
        panel.set_ylabel(f"{role}s, sorted")
        panel.set_xlabel(_axis_label(rows))
    handles: list[Line2D | Patch] = [
        Line2D(
            [],
            [],
            color=shape.colour,
            marker=shape.marker,
            ms=4,
            label=f"posterior median, {probability(analysis.ci_prob)} interval",
        ),
        _band(analysis),
    ]
    legend_below(figure, handles)
    return figure


def _band(analysis: Analysis) -> Patch:
    prob = probability(analysis.ci_prob)
    return Patch(color=GREY, alpha=0.35, label=f"population's typical value, {prob} interval")


def _scale(panel: Axes, support: str) -> None:
    if support == "positive":
        log_axis(panel, "x")
    elif support == "unit":
        panel.set_xlim(-0.02, 1.02)


def _axis_label(rows: pd.DataFrame) -> str:
    name = f"{parameter_name(rows)} {rows['symbol'].iloc[0]}"
    return f"{name}\n{wrapped('(' + str(rows['unit'].iloc[0]) + ')', 48)}"


def everyone_says(analysis: Analysis, model: str, role: Role, parameter: str) -> str:
    """The range of the subjects' estimates, by treatment."""
    rows = rows_of(analysis.subjects, model, role, parameter)
    parts = []
    for treatment in _treatments(analysis, rows):
        here = rows.loc[rows["treatment"] == treatment, "median"]
        low, middle, high = here.quantile([0.1, 0.5, 0.9])
        where = f" in {treatment}" if treatment else ""
        say = fixed if _support(analysis, model, role, parameter) == "unit" else number
        parts.append(f"{say(middle)}{where} ({say(low)} to {say(high)})")
    return (
        f"The middle one of the {role}s, sorted by {parameter.replace('_', ' ')}, has "
        f"{listed(parts)}; in brackets the middle {percent(0.8)} of {role}s."
    )


def shrinkage(analysis: Analysis, model: str, role: Role, parameter: str) -> Figure:
    """Each subject's estimate alone joined to the pooled one."""
    rows = rows_of(analysis.subjects, model, role, parameter).dropna(subset=["alone"])
    shape, support = look(model), _support(analysis, model, role, parameter)
    treatments = _treatments(analysis, rows)
    figure, axes = grid(
        len(treatments), 3, width=3.3 if len(treatments) > 1 else 6.6, height=3.6, sharey=True
    )
    for panel, treatment in zip(axes, treatments, strict=True):
        here = rows[rows["treatment"] == treatment]
        alone, pooled = here["alone"].to_numpy(), here["median"].to_numpy()
        panel.plot([0, 1], [alone, pooled], color=GREY, lw=0.6, alpha=0.6, zorder=1)
        left = np.zeros_like(alone)
        panel.plot(left, alone, "x", color="black", ms=4, alpha=0.7)
        panel.plot(left + 1, pooled, shape.marker, color=shape.colour, ms=4, alpha=0.7)
        typical = _population(
            analysis, model, role, parameter, treatment, str(here["unit"].iloc[0])
        )
        if typical is not None:
            panel.axhspan(typical["lower"], typical["upper"], color=GREY, alpha=0.35, lw=0)
            panel.axhline(typical["mean"], color="black", lw=0.8, ls="--", zorder=0)
        panel.set_xlim(-0.25, 1.25)
        panel.set_xticks([0, 1], ["alone", "pooled"])
        if support == "positive":
            log_axis(panel, "y")
        panel.set_title(brief(treatment, 24) if treatment else f"{role.capitalize()}s")
    for panel in axes[::3]:
        panel.set_ylabel(_axis_label(rows))
    handles: list[Line2D | Patch] = [
        Line2D([], [], color="black", marker="x", lw=0, label="from the subject's trials alone"),
        Line2D([], [], color=shape.colour, marker=shape.marker, lw=0, label="pooled (posterior)"),
        _band(analysis),
    ]
    legend_below(figure, handles, 3 if len(treatments) > 2 else 2)
    return figure


def shrinkage_says(analysis: Analysis, model: str, role: Role, parameter: str) -> str:
    """By how much pooling draws the estimates together."""
    every = rows_of(analysis.subjects, model, role, parameter)
    rows = every.dropna(subset=["alone"])
    positive = _support(analysis, model, role, parameter) == "positive"
    parts = []
    for treatment in _treatments(analysis, rows):
        here = rows[rows["treatment"] == treatment]
        alone, pooled = (
            float(np.subtract(*np.quantile(np.log(v) if positive else v, [0.9, 0.1])))
            for v in (here["alone"], here["median"])
        )
        where = f" in {treatment}" if treatment else ""
        if positive:
            alone, pooled = np.exp(alone), np.exp(pooled)
            parts.append(f"a factor of {number(alone)} alone, {number(pooled)} pooled{where}")
        else:
            parts.append(f"{fixed(alone)} alone, {fixed(pooled)} pooled{where}")
    return (
        f"The middle {percent(0.8)} of {role}s span in {parameter_name(rows)}: "
        f"{listed(parts)}. "
        "An estimate alone stands at the edge of the range searched where the subject's own "
        f"trials set no limit.{_without(len(every) - len(rows))}"
    )


def _without(missing: int) -> str:
    """How many estimates alone there are not."""
    if missing == 0:
        return ""
    return f" Left out: {counted(missing, 'estimate')} of which the subject's trials say nothing."


def types(analysis: Analysis, model: str, role: Role) -> Figure:
    """Every subject's type probabilities as stacked bars, sorted by type."""
    matrix, labels = type_matrix(analysis, model, role)
    order, sorting = _by_type(matrix, labels)
    matrix = matrix[order]
    figure, (panel,) = grid(1, 1, width=7.6, height=2.9)
    below = np.zeros(len(matrix))
    for index, label in enumerate(labels):
        colour, hatch = _type_look(label)
        panel.bar(
            np.arange(len(matrix)),
            matrix[:, index],
            bottom=below,
            width=1.0 if len(matrix) > _NAMED else 0.8,
            color=colour,
            hatch=hatch,
            label=type_label(label),
        )
        below += matrix[:, index]
    if len(matrix) <= _NAMED:
        names = np.array(_subject_order(analysis, model, role))[order]
        panel.set_xticks(range(len(matrix)), [brief(s, 10) for s in names], rotation=45)
    else:
        panel.set_xticks([0, len(matrix) - 1], ["1", str(len(matrix))])
    panel.set_xlim(-0.6, len(matrix) - 0.4)
    panel.set_ylim(0, 1)
    panel.set_xlabel(f"{role}s, sorted by {sorting}")
    panel.set_ylabel("probability")
    panel.set_title(title(analysis, model, role))
    handles, _ = panel.get_legend_handles_labels()
    legend_below(figure, handles, 6)
    return figure


def _by_type(matrix: np.ndarray, labels: list[str]) -> tuple[np.ndarray, str]:
    """The order of the subjects in the figure, and what it goes by."""
    if all(label.isdigit() for label in labels):
        return np.argsort(matrix @ np.arange(len(labels)), kind="stable"), "expected level"
    return np.lexsort((-matrix.max(axis=1), matrix.argmax(axis=1))), "most probable type"


def _type_look(label: str) -> tuple[str, str]:
    """Colour and hatch: levels by their number, theories as everywhere."""
    level = type_label(label).removeprefix("level ")
    if not level.isdigit():
        shape = look(label)
        return shape.colour, shape.hatch
    return _SHADES[int(level) % len(_SHADES)], "//" if int(level) >= len(_SHADES) else ""


def _subject_order(analysis: Analysis, model: str, role: Role) -> list[str]:
    table = analysis.types
    here = table[(table["model"] == model) & (table["role"] == role)]
    return list(dict.fromkeys(here["subject"]))


def type_matrix(analysis: Analysis, model: str, role: Role) -> tuple[np.ndarray, list[str]]:
    """Probabilities of shape (subjects, types), and the labels of the types."""
    table = analysis.types
    here = table[(table["model"] == model) & (table["role"] == role)]
    labels = list(dict.fromkeys(here["type"]))
    wide = here.set_index(["subject", "type"])["probability"].unstack()  # noqa: PD010
    return wide.loc[_subject_order(analysis, model, role), labels].to_numpy(), labels


def types_says(analysis: Analysis, model: str, role: Role) -> str:
    """How many subjects have which type, and how surely."""
    matrix, labels = type_matrix(analysis, model, role)
    most = matrix.argmax(axis=1)
    sure = int((matrix.max(axis=1) > 0.9).sum())
    ordinal = all(label.isdigit() for label in labels)
    kind = "level" if ordinal else "type"
    counts = [
        f"{int((most == i).sum())} {'at ' if ordinal else ''}{type_label(label)}"
        for i, label in enumerate(labels)
    ]
    return (
        f"By their most probable {kind}, {listed(counts, 8)}; {sure} of "
        f"{counted(len(matrix), role)} ({percent(sure / len(matrix))}) have one {kind} with a "
        f"probability above {percent(0.9)}."
    )
