"""Population estimates against their priors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trustbayes.analysis.analyse import Analysis
from trustbayes.games.base import Role
from trustbayes.report.page.style import GREY, brief, grid, legend_below, log_axis, look, wrapped
from trustbayes.report.page.wording import listed, percent, probability

__all__ = ["against_priors", "against_priors_says"]

_FREE = ("population spread", "spread of groups", "Poisson mean")
"""Statistics that may exceed 1, whatever the parameter's support."""


def _quantities(
    analysis: Analysis, role: Role, model: str
) -> list[tuple[tuple[str, str, str], pd.DataFrame]]:
    table = analysis.population
    here = table[(table["model"] == model) & (table["role"] == role)]
    in_payoffs = {
        p.name: p.report_unit for p in analysis.fits[model, role].model.parameters if p.report_unit
    }
    standardised = [
        p in in_payoffs and s != "population spread" and u != in_payoffs[p]
        for p, s, u in zip(here["parameter"], here["statistic"], here["unit"], strict=True)
    ]
    here = here[~np.array(standardised, dtype=bool)]
    quantities = [
        ((str(parameter), str(statistic), str(unit)), rows)
        for (parameter, statistic, unit), rows in here.groupby(
            ["parameter", "statistic", "unit"], sort=False
        )
    ]
    return sorted(quantities, key=lambda quantity: len(quantity[1]) > 1)  # low panels share a row


def against_priors(analysis: Analysis, role: Role, model: str) -> Figure:
    """Posterior and prior intervals of every population quantity of a model."""
    shape, quantities = look(model), _quantities(analysis, role, model)
    supports = {p.name: p.support for p in analysis.fits[model, role].model.parameters}
    options = {p.name: p.option or p.name for p in analysis.fits[model, role].model.parameters}
    sizes = [len(rows) for _, rows in quantities]
    tallest = [max(sizes[start : start + 3]) for start in range(0, len(sizes), 3)]
    heights = [1.3 + 0.3 * most for most in tallest]
    figure, axes = grid(
        len(quantities),
        3,
        width=3.4,
        height=sum(heights) / len(heights),
        gridspec_kw={"height_ratios": heights},
    )
    for place, (panel, ((parameter, statistic, unit), rows)) in enumerate(
        zip(axes, quantities, strict=True)
    ):
        for y, (_, row) in enumerate(rows.iterrows()):
            panel.plot([row["prior_lower"], row["prior_upper"]], [y + 0.14] * 2, color=GREY, lw=3.5)
            panel.plot([row["lower"], row["upper"]], [y - 0.14] * 2, color=shape.colour, lw=2)
            panel.plot(row["mean"], y - 0.14, shape.marker, color=shape.colour, ms=5)
        option = options.get(parameter, "element")
        labels = [brief(_place(row, option), 18) for _, row in rows.iterrows()]
        panel.set_yticks(range(len(rows)), labels)
        panel.set_ylim(tallest[place // 3] - 0.5, -0.5)
        bounds = rows[["lower", "upper", "prior_lower", "prior_upper"]].to_numpy()
        support = supports.get(parameter, "real")
        if support == "positive" and (bounds > 0).all():
            log_axis(panel, "x")
        elif support in ("unit", "simplex") and statistic not in _FREE:
            panel.set_xlim(-0.02, 1.02)
        symbol = rows["symbol"].iloc[0]
        panel.set_title(f"{parameter.replace('_', ' ')} {symbol}:\n{statistic}")
        panel.set_xlabel(wrapped(unit))
    prob = probability(analysis.ci_prob)
    legend_below(
        figure,
        [
            Line2D(
                [],
                [],
                color=shape.colour,
                marker=shape.marker,
                lw=2,
                label=f"posterior mean and {prob} interval",
            ),
            Line2D([], [], color=GREY, lw=3.5, label=f"prior, {prob} interval"),
        ],
    )
    return figure


def _place(row: pd.Series, option: str) -> str:
    label = str(row["option"])
    if label and option != "theory":  # the name of a theory speaks for itself
        label = f"{option} {label}"
    return ", ".join(p for p in (str(row["treatment"]), label) if p) or "all"


def _option(row: pd.Series) -> str:
    return "theory" if row["parameter"] == "theory" else "option"


def against_priors_says(analysis: Analysis, role: Role, model: str) -> str:
    """How much narrower than its prior each quantity has become."""
    table = analysis.population
    here = table[(table["model"] == model) & (table["role"] == role)]
    here = here[here["prior_upper"] > here["prior_lower"]]  # without what is given
    ratio = (here["upper"] - here["lower"]) / (here["prior_upper"] - here["prior_lower"])
    names = [
        f"{row['parameter']} ({row['statistic']}".replace("_", " ")
        + (f", {_place(row, _option(row))})" if row["treatment"] or row["option"] else ")")
        for _, row in here.iterrows()
    ]
    wide = [name for name, r in zip(names, ratio, strict=True) if r > 0.5]
    typical = percent(float(np.median(ratio)))
    text = f"The posterior intervals have {typical} of the width of their priors (median of "
    text += f"{len(here)}); "
    if wide:
        return (
            text
            + f"the data say little about {listed(dict.fromkeys(wide))} (more than half the width)."
        )
    return text + f"the widest has {percent(float(ratio.max()))}."
