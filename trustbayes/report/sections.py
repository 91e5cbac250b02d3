"""The sections after the first page: which sentences, tables and figures stand in each.

A section is added by a line in `SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from trustbayes.analysis.analyse import Analysis, models_of, roles
from trustbayes.comparison import verdict_rules
from trustbayes.games import Role
from trustbayes.report import tables
from trustbayes.report.answer import answer
from trustbayes.report.figures import evidence, persons, raw
from trustbayes.report.games.patterns import as_shown, mean_shifts
from trustbayes.report.learning import learning_section
from trustbayes.report.material import Material
from trustbayes.report.model_sections import checks_section, people_section, population_section
from trustbayes.report.page.picture import Picture, render
from trustbayes.report.page.section import Section
from trustbayes.report.page.table import Table
from trustbayes.report.page.wording import counted, fixed, listed
from trustbayes.report.paper import paper_section
from trustbayes.report.quantities import joined

__all__ = ["SECTIONS", "Builder", "sections"]


_PREDICTED = (
    "Theories are judged by how well they predict all trials of a person whom they have not seen, "
    "from all other people: leave-one-subject-out (LOSO). The person's own parameters are "
    "integrated out, so that no theory gains by parameters fitted to the very person it predicts. "
    "LOO and WAIC predict a new trial of a person whose other trials are known; they stand beside "
    "it and decide nothing."
)
_BY_TRIAL = (
    "New {0}s cannot be predicted by every model here, so theories of {0}s are judged by new "
    "trials of known {0}s alone (LOO, summed by {0}), which are easier for a theory that gives "
    "each person more freedom."
)


Builder = Callable[[Material], Section | None]
"""Makes a section of an analysis, or None where there is nothing to say."""


def sections(analysis: Analysis, results: Mapping[str, Any]) -> list[Section]:
    """All sections, their figures drawn.

    Parameters
    ----------
    analysis : Analysis
    results : mapping
        Its `trustbayes.report.results.results`, of which the tables are made.

    Returns
    -------
    list of Section
    """
    material = Material(analysis, results)
    return [section for make in SECTIONS if (section := make(material)) is not None]


def _gate_notes(analysis: Analysis) -> list[str]:
    failed = [
        f"{fit.model.spec.title}, {role}s ({listed(fit.gate.why)})"
        for (_, role), fit in analysis.fits.items()
        if fit.gate.failed
    ]
    if analysis.joint is not None and not analysis.joint.gate.passed:
        failed.append(f"both roles together ({listed(analysis.joint.gate.why)})")
    if analysis.both is not None and not analysis.both.passed:
        failed.append("the weights by which the two roles are joined")
    failed += [
        f"{len(held.failed)} of the k-fold's refits of {role}s"
        for role, held in analysis.kfolds.items()
        if held.failed
    ]
    if not failed:
        return []
    return [f"Did not pass the convergence gate, see Convergence: {'; '.join(failed)}."]


def _experiment(material: Material) -> Section:
    analysis, kind, results = material.analysis, material.kind, material.results
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
    shown = kind.tables(results)
    excluded = [] if results["exclusions"] else ["The game file declares no rows to leave out."]
    if results["exclusions"]:
        shown.append(tables.exclusion_table(results))
    counts = listed(counted(n, role) for role, n in results["experiment"]["subjects"].items())
    text = (
        f"{counts} made {counted(results['experiment']['trials'], 'trial')} of "
        f"{analysis.trials.game.name}; what they did before any model is applied."
    )
    return Section(
        "experiment",
        "The experiment",
        _shifts(material),
        texts=[text, *excluded],
        notes=[*analysis.trials.warnings, *analysis.trials.notes],
        tables=shown,
        pictures=[render(picture) for picture in pictures],
    )


def _shifts(material: Material) -> str:
    """How far choices are from face value, in one line."""
    parts = []
    for role in material.analysis.trials.roles:
        words, places = material.kind.words[role], material.kind.places
        trials, prob = material.analysis.trials, material.results["ci_prob"]
        table = as_shown(mean_shifts(trials, material.kind, role, prob), words.sign)
        table = table.sort_values("mean", kind="stable")
        low, high = table.iloc[0], table.iloc[-1]
        span = f"is {fixed(low['mean'], places)} in {low['treatment']}"
        if len(table) > 1:
            top = f"{fixed(high['mean'], places)} in {high['treatment']}"
            span = f"goes from {span.removeprefix('is ')} to {top}"
        parts.append(f"the mean {words.drift} of {role}s {span}")
    return joined(parts).removesuffix(".")


def _comparison(material: Material) -> Section:
    analysis, results, titles = material.analysis, material.results, material.titles
    parts = [_comparison_of(analysis, role, results, titles) for role in roles(analysis)]
    variants = [tables.variant_table(results, titles)] if results["variants"] else []
    if variants:
        parts.append(_conventions(results, titles, variants))
    by_trial = [
        role
        for role, comparison in analysis.comparisons.items()
        if comparison.unit == "subject-sum"
    ]
    texts = [_PREDICTED, *map(_BY_TRIAL.format, by_trial), verdict_rules(), _refits(analysis)]
    texts += material.kind.comparison_texts
    remarks = (fit.model.spec.remark for fit in analysis.fits.values())
    texts += dict.fromkeys(remark for remark in remarks if remark)
    headline = Picture(
        "headline",
        evidence.headline_title(analysis),
        partial(evidence.headline, analysis),
        partial(evidence.headline_says, analysis),
    )
    return Section(
        "comparison",
        "Which theory predicts better",
        " ".join(answer(results, role).wins for role in roles(analysis)).removesuffix("."),
        texts=texts,
        notes=_gate_notes(analysis),
        pictures=[render(headline)],
        parts=parts,
    )


def _conventions(
    results: Mapping[str, Any], titles: Mapping[str, str], variants: list[Table]
) -> Section:
    """What the theories leave open, and how it was settled."""
    defaults: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in results["variants"]:  # of each theory, the default is the first
        defaults.setdefault((row["role"], row["model"]), row)
    changed = [
        f"{titles[row['model']]} of {row['role']}s with {row['conventions']}"
        for row in results["variants"]
        if row["used"] and row is not defaults[row["role"], row["model"]]
    ]
    message = f"Other conventions predict better: {listed(changed)}"
    if not changed:
        message = "No theory predicts clearly better by other conventions than its defaults"
    text = (
        "Theories leave conventions open: short fits tried each alternative to a default, and one "
        "is used if it leads the default by more than two standard errors."
    )
    return Section("variants", "Conventions", message, [text], tables=variants)


def _refits(analysis: Analysis) -> str:
    """Whether there is a k-fold."""
    if analysis.kfolds:
        return "A k-fold, with real refits of every model, was made of each role."
    return (
        "No k-fold, which refits every model without a part of the people and predicts them, was "
        "made: it takes many times as long, and is made on request (trustbayes report --kfold 8)."
    )


def _comparison_of(
    analysis: Analysis, role: Role, results: Mapping[str, Any], titles: Mapping[str, str]
) -> Section:
    """The comparison of one role."""
    pictures = []
    shown = tables.comparison_tables(results, role, titles)
    if role in analysis.kfolds:
        shown.append(tables.kfold_table(results, role, titles))
    shown.append(tables.reliability_table(results, role, titles))
    if any(row["role"] == role for row in results["coinciding"]):
        shown.append(tables.coinciding_table(results, role, titles))
    if len(models_of(analysis, role)) > 1:
        pictures.append(
            Picture(
                f"differences-{role}",
                f"Differences by unit and criterion, {role}s",
                partial(evidence.differences, analysis, role),
                partial(evidence.differences_says, analysis, role),
            )
        )
        if role in analysis.people and not evidence.failed(analysis, role):
            shown.append(tables.share_table(results, role, titles))
            pictures.append(
                Picture(
                    f"person-by-person-{role}",
                    f"The two theories that predict new {role}s best, {role} by {role}",
                    partial(persons.person_by_person, analysis, role),
                    partial(persons.person_by_person_says, analysis, role),
                )
            )
    return Section(
        f"comparison-{role}",
        f"{role.capitalize()}s",
        texts=[analysis.verdicts[role].text],
        notes=[*_coinciding(results, role, titles), *_doubts(results, role, titles)],
        tables=shown,
        pictures=[render(picture) for picture in pictures],
    )


def _coinciding(results: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> list[str]:
    """Which types no choice tells apart."""
    return [
        f"{titles[row['model']]}: {row['types']} make the same choices in all that these {role}s "
        "saw; only their share together is learnt, its split is the prior's."
        for row in results["coinciding"]
        if row["role"] == role
    ]


def _doubts(results: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> list[str]:
    """Whose LOSO score cannot be relied on."""
    doubtful = [
        f"{titles[row['model']]} ({listed(row['unreliable'], 8)})"
        for row in results["reliability"]
        if (row["role"], row["unit"]) == (role, "subject") and row["unreliable"]
    ]
    anew = [
        f"{titles[row['model']]} ({listed(row['refitted'], 8)})"
        for row in results["reliability"]
        if (row["role"], row["unit"]) == (role, "subject") and row["refitted"]
    ]
    without = "Predicted by draws from a posterior without them"
    notes = [f"{without}: {'; '.join(anew)}."] if anew else []
    if not doubtful:
        return notes
    return [
        *notes,
        f"LOSO cannot be relied on for some {role}s, whose Pareto k is too large: "
        f"{'; '.join(doubtful)}.",
    ]


def _convergence(material: Material) -> Section:
    analysis, results, titles = material.analysis, material.results, material.titles
    texts = [
        "The population engine integrates subjects' own parameters out on tables, samples the "
        "population alone (independent proposals, accepted as Metropolis and Hastings say, where "
        "they are good enough, else NUTS), and draws subjects given each draw; a rule of half the "
        "step on a shifted grid measures the error of integration. NUTS samples all parameters "
        "together. Which of them made each fit stands in the last section.",
    ]
    text = (
        "Every model passed the convergence gate."
        if analysis.converged
        else "Not every model passed the convergence gate; a comparison with one that did not "
        "names no winner. More warm-up, more draws or a higher target acceptance may help."
    )
    fitted = [*roles(analysis), *([] if analysis.joint is None else ["both"])]
    shown = [tables.gate_table(results, role, titles) for role in fitted]
    notes = _gate_notes(analysis)
    failed, size = sum(not fit["passed"] for fit in results["gate"]), len(results["gate"])
    message = (
        f"{failed} of {counted(size, 'fit')} did not converge"
        if failed
        else f"All {counted(size, 'fit')} converged"
    )
    return Section("convergence", "Convergence", message, [text, *texts], notes=notes, tables=shown)


def _making(material: Material) -> Section:
    results = material.results
    shown = [tables.record_table(results), *tables.model_tables(results)]
    code = list(dict.fromkeys(text for model in results["how"]["models"] for text in model["code"]))
    parts = []
    if code:
        text = "Priors that are Python code, as it was fitted with."
        parts.append(Section("code", "Priors in code", texts=[text], code=code))
    seed, made = results["how"]["sampling"]["seed"], results["how"]["models"]
    version = made[0]["versions"].get("trustbayes", "")
    return Section(
        "making",
        "How it was made",
        f"Made with trustbayes {version} and the seed {seed}",
        texts=[
            f"{counted(len(made), 'model')} of {results['experiment']['source']}; the same seed, "
            "data and versions give the same numbers."
        ],
        tables=shown,
        parts=parts,
    )


SECTIONS: tuple[Builder, ...] = (
    _experiment,
    _comparison,
    checks_section,
    learning_section,
    people_section,
    population_section,
    _convergence,
    paper_section,
    _making,
)
"""In the order of the report."""
