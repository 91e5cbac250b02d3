"""The sections on single models: what they replicate, the people, the population."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from trustbayes.analysis.analyse import Analysis, benchmarks, roles, theories
from trustbayes.estimates.prior_sensitivity import SENSITIVE
from trustbayes.games.base import Role
from trustbayes.report import tables
from trustbayes.report.answer import answer, in_short
from trustbayes.report.both_roles import both_section, both_sentence
from trustbayes.report.figures import people, planted_types, population, predictive, truth
from trustbayes.report.figures.gap import expected_and_given, expected_and_given_says
from trustbayes.report.figures.worth import share_says, way_to_trust, way_to_trust_says
from trustbayes.report.first_page import replications
from trustbayes.report.material import Material
from trustbayes.report.page.picture import Picture, render
from trustbayes.report.page.section import Section
from trustbayes.report.page.wording import counted, fixed, listed, probability
from trustbayes.report.policies import policies_section
from trustbayes.report.traits import traits_section
from trustbayes.report.typical import typical_values

__all__ = ["checks_section", "people_section", "population_section"]


def checks_section(material: Material) -> Section:
    """What each model replicates well and badly."""
    analysis, kind, results = material.analysis, material.kind, material.results
    parts, messages = [], []
    for role in roles(analysis):
        groups = {"theories": theories(analysis, role), "benchmarks": benchmarks(analysis, role)}
        pictures = [
            kind.replicated(analysis, role, group, models)
            for group, models in groups.items()
            if models
        ]
        for name, title, what, checks, height in (
            ("shift", "Mean shift by treatment", "shift", analysis.posterior_checks, 3.0),
            ("spread", "Spread across subjects", "spread", analysis.posterior_checks, 3.0),
            ("prior", "Mean shift before the data", "shift", analysis.prior_checks, 2.3),
        ):
            pictures.append(
                Picture(
                    f"{name}-{role}",
                    f"{title}, {role}s",
                    partial(predictive.summary, analysis, kind, role, what, checks, height),
                    partial(predictive.summary_says, analysis, kind, role, what, checks),
                )
            )
        rendered = [render(picture) for picture in pictures]
        said = replications(results, role)
        texts = [_missed(results, role)] if said else []
        name = f"{role.capitalize()}s"
        parts.append(Section(f"checks-{role}", name, texts=texts, pictures=rendered))
        if said:
            (title, held, size), *rivals = said[:2]
            best = f"{title} reproduces {held} of {size} patterns of {role}s"
            messages.append(listed([best, *(f"{other} {number}" for other, number, _ in rivals)]))
    text = (
        "Each fitted model replays the experiment with the same people, who see the same as they "
        "did. Where what was observed lies outside what the model replicates, the model is wrong "
        "about it. The last figure of each role does the same with draws from the priors."
    )
    message = "; ".join(messages)
    title = "What each theory gets right and wrong"
    return Section("checks", title, message, [text], parts=parts)


def _missed(results: Mapping[str, Any], role: Role) -> str:
    """What the model that predicts best does not replicate, as a sentence."""
    title, held, size = replications(results, role)[0]
    if held == size:
        return f"{title} misses no pattern of {role}s."
    return (
        f"{title} misses {size - held} of {counted(size, 'pattern')} of {role}s: what was observed "
        "lies outside its interval."
    )


def people_section(material: Material) -> Section:
    """Every subject's parameters and types."""
    analysis, results, titles = material.analysis, material.results, material.titles
    parts = []
    for role in roles(analysis):
        pictures = []
        for model in theories(analysis, role):
            pictures += _person_pictures(analysis, model, role)
        alike = role in analysis.people and analysis.people[role]["corner"].any()
        parts.append(
            Section(
                f"people-{role}",
                f"{role.capitalize()}s",
                tables=[tables.alike_table(results, role, titles)] if alike else [],
                pictures=[render(picture) for picture in pictures],
            )
        )
    if analysis.recovery is not None:
        parts.append(_planted(analysis, analysis.recovery, results, titles))
    if analysis.type_recovery is not None:
        parts.append(_planted_types(analysis.type_recovery, results))
    text = (
        "Each person is placed by what she or he did, with what is known of all the others; all "
        "estimates of single people stand in the file of results beside this report."
    )
    message = " ".join(answer(results, role).people for role in roles(analysis)).removesuffix(".")
    return Section("people", "The people", message, [text], parts=parts)


def _planted(
    analysis: Analysis,
    recovered: pd.DataFrame,
    results: Mapping[str, Any],
    titles: Mapping[str, str],
) -> Section:
    known = recovered[recovered["identified"].astype(bool)]
    held = int(known["covered"].sum())
    picture = Picture(
        "planted",
        "Planted against estimated",
        partial(truth.planted, analysis, recovered),
        partial(truth.planted_says, analysis, recovered),
    )
    return Section(
        "recovery",
        "Planted parameters",
        f"{probability(analysis.ci_prob)} intervals hold {held} of {len(known)} planted values",
        texts=[
            "These data are simulated, so the truth is known: intervals that mean what they say "
            f"hold about {probability(analysis.ci_prob)} of it."
        ],
        tables=[tables.coverage_table(results, titles)],
        pictures=[render(picture)],
    )


def _planted_types(kinds: pd.DataFrame, results: Mapping[str, Any]) -> Section:
    picture = Picture(
        "planted-types",
        "Probability of the planted type",
        partial(planted_types.chances, kinds),
        partial(planted_types.chances_says, kinds),
    )
    shown = [tables.type_table(results)]
    if kinds["corner"].any():
        shown.append(tables.corner_table(results))
    return Section("type-recovery", "Planted types", tables=shown, pictures=[render(picture)])


def _person_pictures(analysis: Analysis, model: str, role: Role) -> list[Picture]:
    fit, pictures = analysis.fits[model, role], []
    for parameter in fit.model.parameters:
        rows = people.rows_of(analysis.subjects, model, role, parameter.name)
        if rows.empty:
            continue
        what = f"{fit.model.spec.title}, {role}s: {parameter.name.replace('_', ' ')}"
        anchor = f"{role}-{model}-{parameter.name}"
        arguments = (analysis, model, role, parameter.name)
        pictures.append(
            Picture(
                f"everyone-{anchor}",
                what,
                partial(people.everyone, *arguments),
                partial(people.everyone_says, *arguments),
            )
        )
        if rows["alone"].notna().any():
            pictures.append(
                Picture(
                    f"shrinkage-{anchor}",
                    f"{what}, alone and pooled",
                    partial(people.shrinkage, *arguments),
                    partial(people.shrinkage_says, *arguments),
                )
            )
    if fit.model.types:
        kind = "levels" if all(label.isdigit() for label in fit.model.types) else "types"
        pictures.append(
            Picture(
                f"types-{role}-{model}",
                f"{fit.model.spec.title}, {role}s: probabilities of the {kind}",
                partial(people.types, analysis, model, role),
                partial(people.types_says, analysis, model, role),
            )
        )
    return pictures


def population_section(material: Material) -> Section:
    """Population estimates against their priors."""
    analysis, results, titles = material.analysis, material.results, material.titles
    parts = []
    for role in roles(analysis):
        pictures = [
            Picture(
                f"population-{role}-{model}",
                f"{titles[model]}, {role}s: posterior against prior",
                partial(population.against_priors, analysis, role, model),
                partial(population.against_priors_says, analysis, role, model),
            )
            for model in theories(analysis, role)
        ]
        parts.append(
            Section(
                f"population-{role}",
                f"{role.capitalize()}s",
                tables=[tables.population_table(results, role, titles)],
                pictures=[render(picture) for picture in pictures],
            )
        )
    parts.append(_sensitivity(analysis, results, titles))
    if not analysis.traits.empty:
        parts.append(traits_section(analysis, results, titles))
    if analysis.worth is not None:
        parts.append(_worth(analysis.worth, analysis.ci_prob, results))
    if analysis.policies is not None:
        parts.append(policies_section(analysis.policies, titles))
    if analysis.gap is not None:
        parts.append(_gap(analysis, analysis.gap, results, titles))
    if analysis.both is not None:
        parts.append(both_section(analysis, analysis.both, results, titles))
    message = ". ".join(in_short(answer(results, role).typical) for role in roles(analysis))
    text = (
        "A typical person is the median or the mean of the population that a theory estimates; "
        f"equal-tailed {probability(analysis.ci_prob)} intervals stand in brackets."
    )
    typical = typical_values(analysis)
    if analysis.both is not None:
        typical.append(both_sentence(analysis, analysis.both))
    title = "The population, by treatment"
    return Section("population", title, message, [text], items=typical, parts=parts)


_SCALED = (
    "How much of an estimate is the prior? The priors of the population are given a little more "
    "and a little less weight (power-scaling, without refits: Kallioinen et al. 2024, Statistics "
    "and Computing 34), then the data. A sensitivity of {0:g} or more counts. It is no fault: it "
    "says that a reader with another prior would come to another number. How people vary within "
    "the population is part of the model and keeps its weight."
)


def _sensitivity(
    analysis: Analysis, results: Mapping[str, Any], titles: Mapping[str, str]
) -> Section:
    """Where the priors still speak."""
    flagged = analysis.sensitivity[analysis.sensitivity["diagnosis"] != ""]
    keys = ["role", "model", "parameter", "statistic", "diagnosis"]
    items = [
        _still_speaks(rows, titles[str(rows["model"].iloc[0])])
        for _, rows in flagged.groupby(keys, sort=False)
    ]
    shown = [
        tables.sensitivity_table(results, role, titles)
        for role in roles(analysis)
        if (analysis.sensitivity["role"] == role).any()
    ]
    texts = [_SCALED.format(SENSITIVE)]
    if not items:
        texts.append("No estimate of the population hangs on its priors to that degree.")
    size = counted(len(analysis.sensitivity), "estimate")
    message = f"The priors still speak in {len(flagged)} of {size} of the population"
    title = "How much the priors say"
    return Section("sensitivity", title, message, texts, items, tables=shown)


def _still_speaks(rows: pd.DataFrame, title: str) -> str:
    """The sentence on one quantity, in all treatments and options in which it is flagged."""
    first = rows.sort_values("prior").iloc[-1]
    places = [
        ", ".join(part for part in (str(row["treatment"]), str(row["option"])) if part)
        for _, row in rows.iterrows()
    ]
    where = f" ({listed(places)})" if any(places) else ""
    what = f"{first['statistic']} of {first['parameter'].replace('_', ' ')} {first['symbol']}"
    data = (
        f"the data pull as well ({fixed(first['likelihood'])}), elsewhere than the prior"
        if first["likelihood"] >= SENSITIVE
        else f"the data say little ({fixed(first['likelihood'])})"
    )
    most = "up to " if len(rows) > 1 else ""
    return (
        f"The prior still speaks: {title}, {first['role']}s, {what.strip()}{where}: sensitivity to "
        f"the prior {most}{fixed(first['prior'])}, most to that of "
        f"{str(first['strongest']).replace('_', ' ')}; {data}."
    )


def _worth(worth: pd.DataFrame, ci_prob: float, results: Mapping[str, Any]) -> Section:
    text = (
        "What the people of the experiment would earn if they met at random, held against two "
        "points: babbling, where reports say nothing and everybody knows, and full trust, where "
        "reports are true and believed. The people are those of the model of each role that "
        "predicts best, among those that passed the convergence gate."
    )
    picture = Picture(
        "worth-of-trust",
        "Profits on the way from babbling to full trust",
        partial(way_to_trust, worth),
        partial(way_to_trust_says, worth, ci_prob),
    )
    shown = [tables.worth_table(results)]
    title = "What trust is worth"
    message = f"{title}: {share_says(worth)}"
    return Section("worth", title, message, [text], tables=shown, pictures=[render(picture)])


def _gap(
    analysis: Analysis, gap: pd.DataFrame, results: Mapping[str, Any], titles: Mapping[str, str]
) -> Section:
    if analysis.joint is None:
        models = [titles[gap[f"{role}_model"].iloc[0]] for role in ("sender", "receiver")]
        text = (
            "The senders' and the receivers' estimates come from separate fits "
            f"({listed(dict.fromkeys(models))}), which know nothing of each other. "
            "A joint fit, in which what senders expect is tied to what receivers do, is made on "
            "request."
        )
    else:
        text = (
            "From a joint fit of the trust-embedded models of both roles: on the logit scale, the "
            "trust that senders expect is the mean trust of the population of receivers and a gap "
            f"that is estimated, with the prior {analysis.joint.joint.gap} in each treatment."
        )
    picture = Picture(
        "trust-gap",
        "Trust expected and trust given",
        partial(expected_and_given, gap),
        partial(expected_and_given_says, gap, analysis.ci_prob),
    )
    title, shown = "Trust expected and trust given", [tables.gap_table(results)]
    said = expected_and_given_says(gap, analysis.ci_prob).partition(". Bars")[0]
    message = f"{title}: {said[:1].lower()}{said[1:]}"
    return Section("gap", title, message, [text], tables=shown, pictures=[render(picture)])
