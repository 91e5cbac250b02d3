"""The part of the report on what people's traits predict."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from trustbayes.analysis.analyse import Analysis
from trustbayes.report.figures.traits import average_effects, average_effects_says
from trustbayes.report.page.picture import Picture, render
from trustbayes.report.page.section import Section
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import fixed, interval, number, probability

__all__ = ["traits_section"]


def traits_section(
    analysis: Analysis, results: Mapping[str, Any], titles: Mapping[str, str]
) -> Section:
    """Average effects, drawn and in a table, and the coefficients behind them."""
    formulas = [
        f"{fit.model.spec.title}, {role}s: {name} by {formula.text}"
        for (_, role), fit in analysis.fits.items()
        for name, formula in fit.model.formulas.items()
    ]
    text = (
        "Formulas regress parameters on what is known of people and on treatments. An average "
        "effect says by how much the mean among people such as these would differ if a trait were "
        "one standard deviation (in brackets), or one unit, higher for everybody, or if all had "
        "one level of a factor rather than the first. It describes who does what, and need not be "
        "what a change of the trait would cause."
    )
    picture = Picture(
        "traits",
        "Average effects of traits and treatments",
        partial(average_effects, analysis.traits, titles, analysis.ci_prob),
        partial(average_effects_says, analysis.traits, analysis.ci_prob),
    )
    said = average_effects_says(analysis.traits, analysis.ci_prob).partition(". Bars")[0]
    return Section(
        "traits",
        "What people's traits predict",
        f"What people's traits predict: {said[:1].lower()}{said[1:]}",
        texts=[text],
        items=formulas,
        tables=[_effect_table(results, titles, kind) for kind in _CAPTIONS],
        pictures=[render(picture)],
    )


_CAPTIONS = {
    "average effect": "Average effects on the natural scale",
    "coefficient": "Coefficients, on the scale on which effects add up",
}


def _effect_table(results: Mapping[str, Any], titles: Mapping[str, str], kind: str) -> Table:
    rows = [
        (
            titles[row["model"]],
            row["role"],
            f"{row['parameter'].replace('_', ' ')} {row['symbol']}",
            row["term"],
            row["change"],
            f"level {row['option']}" if row["option"].isdigit() else row["option"],
            row["unit"],
            number(row["mean"]),
            interval(*row["interval"]),
            fixed(row["positive"]),
        )
        for row in results["traits"]
        if row["kind"] == kind
    ]
    caption = (
        f"{_CAPTIONS[kind]}: posterior means, {probability(results['ci_prob'])} intervals, and the "
        "probability of being above zero."
    )
    header = "model|role|parameter|term|change|of|unit|mean|interval|above zero"
    return table(caption, header, rows, range(7))
