"""The first page of an analysis: question, answer, pictures, and what to know before relying on it.

A picture is added to the page by a line in `PICTURES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from trustbayes.analysis.analyse import Analysis, roles
from trustbayes.report.answer import answer, approximate, models_of, ranked
from trustbayes.report.figures import first
from trustbayes.report.figures.worth import together_says, way_to_trust
from trustbayes.report.games.registry import kind_of
from trustbayes.report.learning import moves
from trustbayes.report.page.front import Card, Caution, Front
from trustbayes.report.page.picture import Picture, render
from trustbayes.report.page.wording import counted, listed, probability

__all__ = ["PICTURES", "front_page", "replications"]

_FEW = 20


def front_page(analysis: Analysis, results: Mapping[str, Any]) -> Front:
    """The first page, its pictures drawn.

    Parameters
    ----------
    analysis : Analysis
    results : mapping
        Its `trustbayes.report.results.results`, of which all sentences are made.

    Returns
    -------
    Front
    """
    shown = [picture for make in PICTURES if (picture := make(analysis)) is not None]
    return Front(
        kind_of(analysis.trials.game).questions[tuple(roles(analysis))],
        [_card(results, role) for role in roles(analysis)],
        [render(figure) for figure in shown],
        [_gate(results), *(_fit(results, role) for role in roles(analysis)), _sample(results)],
    )


def _card(results: Mapping[str, Any], role: str) -> Card:
    said, moved = answer(results, role), moves(results, role)
    more = [("sure", "How sure", said.sure), ("typical", "A typical person", said.typical)]
    return Card(
        f"{role.capitalize()}s",
        [("people", said.people), ("wins", said.wins)],
        [*more, ("moves", "How trust moves", moved)] if moved else more,
        said.missing,
    )


def _people(analysis: Analysis) -> Picture | None:
    if not any(first.placed_people(analysis, role) is not None for role in roles(analysis)):
        return None
    return Picture(
        "first-people",
        "Each person, by theory",
        partial(first.marks, analysis),
        partial(first.marks_says, analysis),
    )


def _trust(analysis: Analysis) -> Picture | None:
    rows = first.trust_rows(analysis)
    if not rows:
        return None
    return Picture(
        "first-trust",
        f"Trust {' and '.join(rows)}",
        partial(first.trust, analysis, kind_of(analysis.trials.game).words["receiver"].seen),
        partial(first.trust_says, analysis),
    )


def _worth(analysis: Analysis) -> Picture | None:
    if analysis.worth is None:
        return None
    return Picture(
        "first-worth",
        "What trust is worth",
        partial(way_to_trust, analysis.worth, first.WIDTH),
        partial(together_says, analysis.worth),
    )


PICTURES: tuple[Callable[[Analysis], Picture | None], ...] = (_people, _trust, _worth)
"""Each gives a picture, or None where the analysis does not have what it shows."""


def _gate(results: Mapping[str, Any]) -> Caution:
    """Whether the computation can be relied on."""
    failed = [fit for fit in results["gate"] if not fit["passed"]]
    folds = sum(len(kfold["failed"]) for kfold in results["kfold"].values())
    size = counted(len(results["gate"]), "fit")
    if failed or folds:
        refits = f" and {counted(folds, 'refit')} of the k-fold" if folds else ""
        text = f"{len(failed)} of {size}{refits} {_why(failed)}; nothing is concluded from them."
        return Caution("The computation", text, "convergence", False)
    doubtful = {
        (row["role"], name)
        for row in results["reliability"]
        if row["unit"] == "subject"
        for name in row["unreliable"] or []
    }
    each = {1: "the fit", 2: "both fits"}.get(len(results["gate"]), f"all {size}")
    text = f"{each} converged."
    if doubtful:
        text += f" How well {counted(len(doubtful), 'person')} "
        text += f"{'is' if len(doubtful) == 1 else 'are'} predicted is unreliable."
    return Caution("The computation", text, "convergence", not doubtful)


def _why(failed: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong with fits and refits that cannot be used."""
    inexact = sum(approximate(fit) for fit in failed)
    if not inexact:
        return "did not converge"
    exact = "not computed exactly enough"
    if inexact < len(failed):
        return f"did not converge or were {exact}"
    return f"{'was' if inexact == 1 else 'were'} {exact}"


def replications(results: Mapping[str, Any], role: str) -> list[tuple[str, int, int]]:
    """Of each model its title, and how many patterns it replicates, of how many.

    The one that predicts best first, without benchmarks that others beat and fits that did not
    pass the gate.
    """
    known, checks = models_of(results, role), {}
    for check in results["checks"]:
        if (check["kind"], check["role"]) == ("posterior", role):
            checks[check["model"]] = [
                row["interval"][0] <= row["observed"] <= row["interval"][1]
                for row in check["choices"]
            ]
    return [
        (known[name]["title"], sum(checks[name]), len(checks[name]))
        for name in ranked(results, role)
    ]


def _fit(results: Mapping[str, Any], role: str) -> Caution:
    """Whether the model that predicts best describes what people did."""
    said = replications(results, role)
    label, anchor = f"The fit to {role}s", f"checks-{role}"
    if not said:
        return Caution(label, "not known before the fit of a theory converges.", anchor, False)
    title, held, size = said[0]
    prob = results["ci_prob"]
    enough = held >= (1 - 2 * (1 - prob)) * size
    text = (
        f"{title} reproduces {held} of {counted(size, 'pattern')} of choices within its "
        f"{probability(prob)} intervals, "
    )
    text += "about as many as it should." if enough else "too few: it misses part of what they do."
    return Caution(label, text, anchor, enough)


def _sample(results: Mapping[str, Any]) -> Caution:
    """Who took part."""
    experiment = results["experiment"]
    people = listed(counted(n, role) for role, n in experiment["subjects"].items())
    treatments = counted(len(experiment["treatments"]), "treatment")
    left = sum(exclusion["rows"] for exclusion in results["exclusions"])
    text = f"{people}, {counted(experiment['trials'], 'trial')} in {treatments}"
    text += f"; {counted(left, 'row')} left out as declared." if left else "; no row left out."
    few = min(experiment["subjects"].values()) < _FEW
    text += " So few people leave shares rough." if few else ""
    return Caution("The sample", f"{text} It speaks of people like these.", "experiment", not few)
