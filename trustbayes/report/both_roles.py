"""The part of the report on people who play both roles."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from trustbayes.analysis.analyse import Analysis
from trustbayes.comparison import BothRoles
from trustbayes.files import plain, records
from trustbayes.report.figures.both_roles import both_sides, both_sides_says, parameters_of
from trustbayes.report.page.picture import Picture, render
from trustbayes.report.page.section import Section
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import fixed, listed, number

__all__ = ["both_results", "both_section", "both_sentence"]


def both_sentence(analysis: Analysis, both: BothRoles) -> str:
    """The correlation of the roles in a sentence, with the question that it answers."""
    return f"Do the trustworthy trust? {both_sides_says(analysis, both).split(' A point is')[0]}"


def both_section(
    analysis: Analysis, both: BothRoles, results: Mapping[str, Any], titles: Mapping[str, str]
) -> Section:
    """The scatter of people, the correlation, and predictions of whole persons."""
    names = [titles[name] for name in both.models]
    first, second = (p.name.replace("_", " ") for p in parameters_of(analysis, both))
    gain, error = both.difference
    texts = [
        f"{len(both.people)} people play both roles. Their {first} and {second} are draws from one "
        f"population, bivariate normal on the scales of the links ({listed(dict.fromkeys(names))}; "
        "prior of the correlation: LKJ with shape 2). The two fits, which know nothing of each "
        "other, are weighted to the joint posterior: all of a person but the two values is "
        "independent given the populations. "
        f"Largest Pareto k of these weights {fixed(both.pareto_k)} (reliable up to "
        f"{fixed(both.good_k)}); they are worth {both.draws:.0f} independent draws.",
        f"{both_sentence(analysis, both)} The trials are {_times(both.bayes_factor)} with a "
        "correlation than without one. A person left out in both roles is predicted "
        f"{'better' if gain > 0 else 'worse'} with the correlation, by {fixed(abs(gain), 1)} nats "
        f"in all (SE {fixed(error, 1)}).",
    ]
    picture = Picture(
        "both-roles",
        f"{first.capitalize()} and {second} of the same people",
        partial(both_sides, analysis, both),
        partial(both_sides_says, analysis, both),
    )
    notes = [] if both.passed else [f"Not to be relied on: {_why(both)}."]
    return Section(
        "both-roles",
        "People in both roles",
        both_sentence(analysis, both).removesuffix("."),
        texts=texts,
        notes=notes,
        tables=[persons_table(results, titles)] if results["both_roles"]["persons"] else [],
        pictures=[render(picture)],
    )


def _times(factor: float) -> str:
    if factor >= 1:
        return f"{number(factor)} times more probable"
    return f"{number(1 / factor)} times less probable"


def _why(both: BothRoles) -> str:
    return (
        f"the weights have a Pareto k of {fixed(both.pareto_k)} and are worth {both.draws:.0f} "
        "independent draws"
    )


def persons_table(results: Mapping[str, Any], titles: Mapping[str, str]) -> Table:
    """How theories predict whole persons."""
    rows = [
        (titles[row["model"]], *(number(row[name]) for name in ("elpd", "se", "elpd_diff", "dse")))
        for row in results["both_roles"]["persons"]
    ]
    caption = (
        "Leave one person out, in both roles at once: expected log predictive density of all her "
        "trials, summed over people (nats); the difference to the best theory and its standard "
        "error, over people. The same theory stands for both roles, without a correlation."
    )
    return table(caption, "theory in both roles|elpd|SE|difference|its SE", rows, (0,))


def both_results(analysis: Analysis) -> dict[str, Any] | None:
    """The numbers of this part, JSON-safe."""
    both = analysis.both
    if both is None:
        return None
    gain, error = both.difference
    return {
        "models": list(both.models),
        "parameters": [both.sender, both.receiver],
        "correlation": both.mean,
        "interval": list(both.interval),
        "positive": both.positive,
        "bayes_factor": plain(both.bayes_factor),
        "pareto_k": plain(both.pareto_k),
        "pareto_k_threshold": both.good_k,
        "draws": both.draws,
        "elpd_gain": gain,
        "elpd_gain_se": error,
        "passed": both.passed,
        "people": records(both.people),
        "scores": records(both.scores),
        "persons": records(analysis.persons),
    }
