"""The report on several experiments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
from markupsafe import Markup

from trustbayes.games import Role
from trustbayes.inference.sampling import versions
from trustbayes.pooling.pooled_study import PooledStudy
from trustbayes.pooling.verdicts import differences, heterogeneity, pooled_rules
from trustbayes.report.figures.pooled import (
    beyond,
    leads_figure,
    leads_says,
    located,
    losses_figure,
    losses_says,
    parameters_figure,
    parameters_says,
)
from trustbayes.report.page.front import Card, Caution, Front
from trustbayes.report.page.picture import Picture, Rendered, render
from trustbayes.report.page.section import Section
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import counted, fixed, interval, listed, number
from trustbayes.report.studies.pooled_answer import carried_answer, pooled_answer
from trustbayes.report.studies.shared import StudyPage

__all__ = ["pooled_page"]

_ERROR = 0.2
"""Of a posterior standard deviation, above which the second stage's error is said as a warning."""
_FEW = 5


def pooled_page(
    pooled: PooledStudy, command: str, reports: Mapping[str, str] | None = None
) -> StudyPage:
    """A study of several experiments, as a page.

    Parameters
    ----------
    pooled : PooledStudy
    command : str
    reports : mapping of str to str, optional
        Where the reports on single experiments lie, seen from the page, by experiment.
    """
    study = pooled.study
    pictures = _pictures(pooled)
    sections = [
        _experiments(pooled, reports or {}),
        _comparison(pooled, pictures),
        _parameters(pooled, pictures),
        _carried(pooled, pictures),
        _convergence(pooled),
        _making(pooled, command),
    ]
    people = sum(
        len(experiment.trials.subjects(role))
        for experiment in study.experiments
        for role in experiment.roles
    )
    subtitle = (
        f"{counted(len(study.experiments), 'experiment')} with {people:,} people in their roles: "
        f"{listed(study.names)}."
    )
    return StudyPage(
        study.title,
        subtitle,
        _front(pooled, _first(pictures)),
        [section for section in sections if section is not None],
        pooled.to_dict(),
    )


def _front(pooled: PooledStudy, pictures: list[Rendered]) -> Front:
    cards = []
    for role in pooled.roles:
        said = pooled_answer(pooled, role)
        more = [("sure", "How sure", said.sure), ("typical", "A typical person", said.typical)]
        carried = carried_answer(pooled, role) if role in pooled.carries_over else ""
        if carried:
            more.append(("carried", "To a new experiment", carried))
        answers = [("people", said.people), ("wins", said.wins)]
        cards.append(Card(f"{role.capitalize()}s", answers, more, said.missing))
    return Front(
        "Which theory predicts people best over all experiments, and does it carry over?",
        cards,
        pictures,
        _cautions(pooled),
    )


def _cautions(pooled: PooledStudy) -> list[Caution]:
    failed = [", ".join(key) for key, fit in pooled.fits.items() if not fit.gate.passed]
    failed += [f"{', '.join(key)}, left out" for key in pooled.unsettled]
    failed_populations = [
        ", ".join(key)
        for key, population in pooled.populations.items()
        if not population.gate.passed
    ]
    text = "every fit, and every population of experiments, passed the gate."
    if failed or failed_populations:
        text = f"did not pass the gate: {listed([*failed, *failed_populations])}."
    cautions = [Caution("Convergence", text, "convergence", not (failed or failed_populations))]
    errors = {key: population.error for key, population in pooled.populations.items()}
    known = {key: error for key, error in errors.items() if error == error}
    if known:
        worst = max(known, key=lambda key: known[key])
        text = (
            f"experiments' numbers are off by {number(known[worst], 2)} posterior standard "
            f"deviations at most ({', '.join(worst)}), as far as draws can tell."
        )
        cautions.append(Caution("Pooling", text, "convergence", known[worst] < _ERROR))
    astray = [", ".join(key) for key, held in pooled.populations.items() if held.astray]
    if astray:
        text = (
            "what stands in for experiments' likelihoods misses these so far that pooled numbers "
            f"cannot be relied on: {listed(astray)}."
        )
        cautions.append(Caution("Pooling astray", text, "convergence", False))
    unreached = _unreached(pooled)
    if unreached:
        text = (
            f"intervals of {counted(len(unreached), 'pooled number')} may be too narrow: in good "
            "part they lie where the experiment's own prior left its fit hardly any draws "
            f"({listed(unreached, 1)})."
        )
        cautions.append(Caution("Beyond the draws", text, "convergence", False))
    count = len(pooled.study.experiments)
    if count < _FEW:
        text = (
            f"{counted(count, 'experiment')} say little about how much experiments differ: "
            "intervals of pooled means and of new experiments hang on the prior of that."
        )
        cautions.append(Caution("Few experiments", text, "parameters", False))
    return cautions


def _pictures(pooled: PooledStudy) -> dict[str, Rendered]:
    pictures = {}
    if any(len(pooled.comparison(role)) > 1 for role in pooled.roles):
        pictures["leads"] = Picture(
            "leads",
            "Which theory predicts better, experiment by experiment",
            partial(leads_figure, pooled),
            partial(leads_says, pooled),
        )
    if located(pooled):
        pictures["parameters"] = Picture(
            "parameters-forest",
            "What people are like, experiment by experiment",
            partial(parameters_figure, pooled),
            partial(parameters_says, pooled),
        )
        pictures["first-parameters"] = Picture(
            "first-parameters",
            "What a typical person is like, experiment by experiment",
            partial(parameters_figure, pooled, 2),
            partial(parameters_says, pooled, 2),
        )
    if pooled.transfers:
        pictures["losses"] = Picture(
            "losses",
            "What it costs not to know the experiment",
            partial(losses_figure, pooled),
            partial(losses_says, pooled),
        )
    return {name: render(picture) for name, picture in pictures.items()}


def _first(pictures: Mapping[str, Rendered]) -> list[Rendered]:
    """Those of the first page, under names and titles that no other picture has."""
    chosen = []
    if "leads" in pictures:
        title = "Which theory predicts better, by experiment"
        chosen.append(replace(pictures["leads"], name="first-leads", title=title))
    return [*chosen, *(pictures[n] for n in ("first-parameters",) if n in pictures)]


def _experiments(pooled: PooledStudy, reports: Mapping[str, str]) -> Section:
    rows = []
    for experiment in pooled.study.experiments:
        people = ", ".join(counted(len(experiment.trials.subjects(r)), r) for r in experiment.roles)
        known = "; ".join(f"{name} {value}" for name, value in experiment.covariates.items())
        name = experiment.name
        if experiment.name in reports:  # escaped, but for the link itself
            name = Markup('<a href="{}">{}</a>').format(reports[experiment.name], experiment.name)
        rows.append(
            (
                name,
                "" if experiment.year is None else str(experiment.year),
                f"{experiment.game.name} ({experiment.game.kind})",
                listed(experiment.trials.treatments, 4),
                people,
                f"{len(experiment.trials.table):,}",
                known,
                experiment.citation or experiment.trials.source,
            )
        )
    header = "experiment|year|game|treatments|people|trials|covariates|source"
    held = table("The experiments.", header, rows, (0, 2, 3, 4, 6, 7))
    kinds = dict.fromkeys(experiment.game.kind for experiment in pooled.study.experiments)
    text = (
        f"{counted(len(rows), 'experiment')}, of {listed(kinds)} games. Theories, priors and "
        "conventions are the same in all of them; only what stands on a common scale is pooled."
    )
    return Section("experiments", "The experiments", texts=[text], tables=[held])


def _comparison(pooled: PooledStudy, pictures: Mapping[str, Rendered]) -> Section:
    tables = []
    for role in pooled.roles:
        tables.append(_totals(pooled, role, False))
        tables += _leads(pooled, role, False)
    messages = [pooled.verdicts[role].text for role in pooled.roles]
    picture = [pictures["leads"]] if "leads" in pictures else []
    return Section(
        "comparison",
        "Over all experiments",
        texts=[" ".join(messages), pooled_rules()],
        tables=tables,
        pictures=picture,
    )


def _totals(pooled: PooledStudy, role: Role, new_experiments: bool) -> Table:
    rows = []
    for model, row in pooled.comparison(role, new_experiments).iterrows():
        rows.append(
            (
                pooled.titles[str(model)],
                fixed(row["elpd"], 1),
                fixed(row["elpd_diff"], 1),
                fixed(row["se_people"], 1),
                fixed(row["se_experiments"], 1),
                str(int(row["experiments"])),
                str(int(row["people"])),
            )
        )
    what = "experiments left out" if new_experiments else "new people"
    header = "theory|elpd|difference|se by person|se by experiment|experiments|people"
    return table(f"{role.capitalize()}s: sums over all experiments, {what} (nats).", header, rows)


def _leads(pooled: PooledStudy, role: Role, new_experiments: bool) -> list[Table]:
    leads = pooled.leads(role, new_experiments)
    if leads.empty:
        return []
    rows = [
        (
            f"{pooled.titles[lead.model]} over {pooled.titles[lead.other]}",
            str(lead.experiment),
            str(lead.people),
            fixed(lead.difference, 1),
            fixed(lead.se, 1),
            fixed(lead.mean, 3),
        )
        for lead in _rows(leads)
    ]
    whom = ", experiments left out" if new_experiments else ""
    caption = f"{role.capitalize()}s: leads by experiment (nats){whom}."
    by_experiment = table(caption, "lead|experiment|people|nats|se|a person", rows, (0, 1))
    scores = pooled.of_new_experiments(role) if new_experiments else pooled.of_people(role)
    several = []
    pairs = dict.fromkeys((str(lead.model), str(lead.other)) for lead in _rows(leads))
    for best, other in pairs:
        gaps = differences(scores, best, other)
        if len(gaps) < 2:
            continue
        whole = heterogeneity(gaps)
        several.append(
            (
                f"{pooled.titles[best]} over {pooled.titles[other]}",
                f"{fixed(whole.mean, 3)} ± {fixed(2 * whole.error, 3)}",
                fixed(whole.spread, 3),
                f"{fixed(whole.q, 1)} (p = {number(whole.p_value, 2)})",
                fixed(whole.share, 2),
                "–" if whole.lower != whole.lower else interval(whole.lower, whole.upper),
                f"{whole.ahead} of {len(gaps)}",
            )
        )
    header = "lead|mean ± 2 se, a person|spread|Q|I²|new experiment (90 %)|ahead"
    caption = (
        f"{role.capitalize()}s: whether leads differ between experiments (nats a person){whom}."
    )
    return [by_experiment, table(caption, header, several, (0,))] if several else [by_experiment]


def _rows(table: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table, its columns as names."""
    return table.itertuples()


def _parameters(pooled: PooledStudy, pictures: Mapping[str, Rendered]) -> Section | None:
    rows = pooled.parameters
    if rows.empty:
        return None
    held = [
        (
            pooled.titles[row.model],
            f"{row.role}s",
            f"{row.parameter.replace('_', ' ')}, "
            + (beyond(row.statistic) if row.statistic.startswith("beyond") else row.statistic),
            row.of,
            number(row.median),
            interval(row.lower, row.upper),
            "" if pd.isna(row.alone) else number(row.alone),
            "" if pd.isna(row.alone) else interval(row.alone_lower, row.alone_upper),
            row.scale or "natural",
        )
        for row in _rows(rows)
    ]
    header = "theory|people|number|of|median|interval|alone|interval alone|scale"
    notes = [
        "Locations are those of a middling person, in the parameter's unit; spreads between "
        "experiments and effects of covariates are on the scale named last.",
    ]
    intro = (
        "Each experiment's people are a population; those populations come from one of "
        "experiments. An experiment that says little is pulled towards the others, and the "
        f"prior of spreads between experiments is half-normal with scale {pooled.between:g}."
    )
    says = pictures["parameters"].message if "parameters" in pictures else intro
    return Section(
        "parameters",
        "What people are like",
        texts=[says, intro],
        tables=[table("Populations of experiments.", header, held, (0, 1, 2, 3, 8), notes)],
        pictures=[pictures["parameters"]] if "parameters" in pictures else [],
    )


def _carried(pooled: PooledStudy, pictures: Mapping[str, Rendered]) -> Section | None:
    if not pooled.transfers:
        return None
    rows = [
        (
            row.experiment,
            pooled.titles[row.model],
            f"{row.role}s",
            str(row.people),
            fixed(row.loso, 1),
            fixed(row.loeo, 1),
            fixed(row.loss, 3),
            fixed(row.error, 2),
            fixed(row.nats, 2),
        )
        for row in _rows(pooled.carried)
    ]
    header = (
        "experiment|theory|people|number|from the same experiment|from the others|lost a person"
        "|Monte Carlo error|integration error"
    )
    tables = [table("Experiments left out (nats).", header, rows, (0, 1, 2))]
    for role in pooled.roles:
        tables.append(_totals(pooled, role, True))
        tables += _leads(pooled, role, True)
    texts = [" ".join(pooled.carries_over[role].text for role in pooled.roles)]
    texts.append(
        "Each experiment is left out in turn. The others say which populations of people there "
        "are; those of a new experiment are drawn, and every person of the one left out is "
        "integrated out. What no other experiment has comes from the prior."
    )
    return Section(
        "carried",
        "What carries over",
        texts=texts,
        tables=tables,
        pictures=[pictures["losses"]] if "losses" in pictures else [],
    )


def _unreached(pooled: PooledStudy) -> list[str]:
    """Numbers of experiments that lie beyond their fit's draws once they are pooled."""
    return [
        f"{where.replace('_', ' ')} ({pooled.titles[name]}, {role}s)"
        for (name, role), population in pooled.populations.items()
        for where in population.unreached
    ]


def _convergence(pooled: PooledStudy) -> Section:
    rows = [
        (*key[:2], f"{key[2]}s", "passed" if fit.gate.passed else f"no: {listed(fit.gate.why)}", "")
        for key, fit in pooled.fits.items()
    ]
    rows += [
        (
            "all",
            name,
            f"{role}s",
            "passed" if population.gate.passed else f"no: {listed(population.gate.why)}",
            fixed(population.error, 3),
        )
        for (name, role), population in pooled.populations.items()
    ]
    judged = max((p.judged.size for p in pooled.populations.values() if p.missed), default=0)
    worked_out = (
        f"pooled ones by the experiments' likelihoods, worked out at {judged:,} of them, over what "
        "stands in for these; where a number differs by treatment, "
        if judged
        else ""
    )
    notes = [
        "By how many posterior standard deviations the mean of an experiment's number would move "
        f"if draws were weighed: {worked_out}the fit's own by the population of experiments. A "
        "dash where too few draws bear weight."
    ]
    unreached = _unreached(pooled)
    if unreached:
        notes.append(
            "Pooled, these lie in good part where the experiment's own prior left its fit hardly "
            f"any draws: {listed(unreached, len(unreached))}."
        )
    held = table(
        "Convergence.", "experiment|theory|people|gate|error of pooling", rows, range(4), notes
    )
    passed = sum(fit.gate.passed for fit in pooled.fits.values())
    text = f"{passed} of {counted(len(pooled.fits), 'fit')} passed the convergence gate."
    return Section("convergence", "Convergence", texts=[text], tables=[held])


def _making(pooled: PooledStudy, command: str) -> Section:
    sampling = pooled.sampling
    draws = f"{sampling.chains} chains of {sampling.draws} draws after {sampling.tune} of warm-up"
    rows = [
        ("fits", f"{len(pooled.fits)}, of {counted(len(pooled.study.experiments), 'experiment')}"),
        ("sampling, each fit", draws),
        ("seed", str(sampling.seed)),
        ("scale of spreads between experiments", f"{pooled.between:g}"),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions().items())),
        *([("command", command)] if command else []),
    ]
    held = table("How it was made.", "what|value", rows, (0, 1))
    return Section("making", "How it was made", tables=[held])
