"""The eight sections of the report: which sentences, tables and figures stand in each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from trustbayes.analysis import Analysis
from trustbayes.report import tables
from trustbayes.report.figures import evidence, raw
from trustbayes.report.kind import Kind
from trustbayes.report.kinds import kind_of
from trustbayes.report.model_sections import (
    checks_section,
    people_section,
    population_section,
)
from trustbayes.report.picture import Picture, render
from trustbayes.report.section import Section, models_of, roles
from trustbayes.report.typical import typical_values
from trustbayes.report.wording import listed, probability

__all__ = ["sections"]


_ABOUT = {
    "mixture": (
        "Where types of the mixture coincide for a subject, their probabilities say no more than "
        "the population's shares of these types."
    ),
    "hybrid": (
        "The hybrid is level-k at a lying aversion or a trust of zero, and at level 0 whatever "
        "they are."
    ),
}
"""What a reader should know of models that combine the theories."""


def sections(analysis: Analysis, found: Mapping[str, Any]) -> list[Section]:
    """All sections, their figures drawn.

    Parameters
    ----------
    analysis : Analysis
    found : mapping
        Its `trustbayes.report.results.results`, of which the tables are made.

    Returns
    -------
    list of Section
    """
    kind = kind_of(analysis.trials.game)
    titles = {model: fit.model.spec.title for (model, _), fit in analysis.fits.items()}
    return [
        _answer(analysis),
        _experiment(analysis, kind, found),
        _comparison(analysis, kind, found, titles),
        checks_section(analysis, kind),
        people_section(analysis, found, titles),
        population_section(analysis, found, titles),
        _convergence(analysis, found, titles),
        _making(found),
    ]


def _answer(analysis: Analysis) -> Section:
    typical = typical_values(analysis)
    words = f"Estimates, with {probability(analysis.ci_prob)} intervals in brackets:"
    return Section(
        "answer",
        "The answer",
        texts=[
            " ".join(one.text for one in analysis.verdicts.values()),
            *([words] if typical else []),
        ],
        items=typical,
        notes=_gate_notes(analysis),
        pictures=[
            render(
                Picture(
                    "headline",
                    "How far each model falls behind in predicting choices",
                    partial(evidence.headline, analysis),
                    partial(evidence.headline_says, analysis),
                )
            )
        ],
    )


def _gate_notes(analysis: Analysis) -> list[str]:
    failed = [
        f"{fit.model.spec.title}, {role}s ({listed(check.name for check in fit.gate.failed)})"
        for (_, role), fit in analysis.fits.items()
        if not fit.gate.passed
    ]
    if analysis.joint is not None and not analysis.joint.gate.passed:
        checks = listed(check.name for check in analysis.joint.gate.failed)
        failed.append(f"both roles together ({checks})")
    if not failed:
        return []
    return [f"Did not pass the convergence gate, see section 7: {'; '.join(failed)}."]


def _experiment(analysis: Analysis, kind: Kind, found: Mapping[str, Any]) -> Section:
    drifts = listed(kind.words[role].drift for role in analysis.trials.roles)
    pictures = [
        *kind.pictures(analysis),
        Picture(
            "raw-shift",
            f"Observed mean {drifts}",
            partial(raw.shift_means, analysis, kind),
            partial(raw.shift_means_says, analysis, kind),
        ),
    ]
    shown = kind.tables(found)
    excluded = [] if found["exclusions"] else ["The game file declares no rows to leave out."]
    if found["exclusions"]:
        shown.append(tables.exclusion_table(found))
    return Section(
        "experiment",
        "The experiment",
        texts=excluded,
        notes=list(analysis.trials.warnings),
        tables=shown,
        pictures=[render(picture) for picture in pictures],
    )


def _comparison(
    analysis: Analysis, kind: Kind, found: Mapping[str, Any], titles: Mapping[str, str]
) -> Section:
    parts = []
    for role in roles(analysis):
        texts, pictures = [analysis.verdicts[role].text], []
        if len(models_of(analysis, role)) > 1:
            pictures.append(
                Picture(
                    f"differences-{role}",
                    f"Differences by criterion and unit, {role}s",
                    partial(evidence.differences, analysis, role),
                    partial(evidence.differences_says, analysis, role),
                )
            )
        if pictures and not evidence.failed(analysis, role):
            texts.append(evidence.alike(analysis, role))
            pictures.append(
                Picture(
                    f"by-subject-{role}",
                    f"The two models with the highest elpd, {role} by {role}",
                    partial(evidence.by_subject, analysis, role),
                    partial(evidence.by_subject_says, analysis, role),
                )
            )
        parts.append(
            Section(
                f"comparison-{role}",
                f"{role.capitalize()}s",
                texts=texts,
                tables=[tables.comparison_table(found, role, titles)],
                pictures=[render(picture) for picture in pictures],
            )
        )
    variants = [tables.variant_table(found, titles)] if found["variants"] else []
    if variants:
        parts.append(Section("variants", "Conventions", tables=variants))
    fitted = {model for model, _ in analysis.fits}
    texts = [*kind.comparison_texts, *(_ABOUT[model] for model in _ABOUT if model in fitted)]
    return Section("comparison", "Which theory predicts better", texts=texts, parts=parts)


def _convergence(
    analysis: Analysis, found: Mapping[str, Any], titles: Mapping[str, str]
) -> Section:
    text = (
        "Every model passed the convergence gate."
        if analysis.converged
        else "Not every model passed the convergence gate; a comparison with one that did not "
        "names no winner. More warm-up, more draws or a higher target acceptance may help."
    )
    fitted = [*roles(analysis), *([] if analysis.joint is None else ["both"])]
    shown = [tables.gate_table(found, role, titles) for role in fitted]
    notes = _gate_notes(analysis)
    return Section("convergence", "Convergence", texts=[text], notes=notes, tables=shown)


def _making(found: Mapping[str, Any]) -> Section:
    shown = [tables.record_table(found), *tables.model_tables(found)]
    return Section("making", "How it was made", tables=shown)
