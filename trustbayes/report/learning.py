"""The part of a report on how trust moves with what people are shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from trustbayes.analysis.analyse import Analysis
from trustbayes.analysis.learning import Learning
from trustbayes.estimates.trust_paths import LONGEST
from trustbayes.files import plain, records
from trustbayes.games import Role
from trustbayes.report.answer import ranked
from trustbayes.report.figures import learning as figures
from trustbayes.report.material import Material
from trustbayes.report.page.picture import Picture, render
from trustbayes.report.page.section import Section
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import counted, fixed, interval, listed, number, probability
from trustbayes.report.quantities import ratio

__all__ = ["learning_results", "learning_section", "moves"]

Results = Mapping[str, Any]

_TITLE = "How trust moves"
_AHEAD = "one step ahead"
_TRUST = {"trust": "trust", "expected_trust": "expected trust", "level": "level of thinking"}


def learning_results(analysis: Analysis) -> dict[str, Any]:
    """All numbers of the section, by role; single people's paths aside."""
    return {role: _numbers(learnt) for role, learnt in analysis.learning.items()}


def _numbers(learnt: Learning) -> dict[str, Any]:
    checks = [(name, True, check) for name, check in learnt.checks.items()]
    checks += [(name, False, check) for name, check in learnt.static.items()]
    if learnt.free is not None:
        checks.append((learnt.players[learnt.role], True, learnt.free))
    numbers: dict[str, Any] = plain(
        {
            "gain": records(learnt.gain),
            "players": dict(learnt.players),
            "effects": {name: records(rows) for name, rows in learnt.effects.items()},
            "after": {
                name: {"what": path.name, "fall": records(path.fall), "path": records(path.path)}
                for name, path in learnt.after.items()
            },
            "rounds": {
                name: {"what": path.name, "population": records(path.population)}
                for name, path in learnt.rounds.items()
            },
            "checks": [
                {
                    "model": name,
                    "compared": compared,
                    "source": check.source,
                    "replications": check.replications,
                    "ci_prob": check.ci_prob,
                    "after": records(check.after),
                    "since": records(check.since),
                }
                for name, compared, check in checks
            ],
        }
    )
    return numbers


def moves(results: Results, role: str) -> str:
    """In a sentence how trust moves, if people who learn are predicted best; else empty.

    Parameters
    ----------
    results : mapping
        Of `trustbayes.report.results.results`.
    role : "sender" or "receiver"
    """
    best = next(iter(ranked(results, role)), None)
    learning = results["learning"].get(role)
    if learning is None or best is None or best not in learning["after"]:
        return ""
    parts = (
        _path_says(learning, best, role),
        _asymmetry_says(learning, best),
        _gain(learning, best),
    )
    return " ".join(part for part in parts if part)


def _path_says(learning: Results, model: str, role: str) -> str:
    """How deep, and how long, where it is deepest."""
    what, falls = learning["after"][model]["what"], learning["after"][model]["fall"]
    fall = max(falls, key=lambda row: row["depth"])
    where = f" in {fall['treatment']}" if len(falls) > 1 else ""
    sender = role == "sender"
    bad = "one message that was not followed" if sender else "one lie"
    if what == "level":
        span = f"{fixed(fall['depth_lower'])} to {fixed(fall['depth_upper'])}"
        start = f"After {bad}, {role}s think {fixed(fall['depth'])} steps further ahead ({span})"
    else:
        whose = f"the trust that {role}s expect" if sender else f"the mean trust of {role}s"
        points, low, high = (
            fixed(100 * fall[name], 0) for name in ("depth", "depth_lower", "depth_upper")
        )
        span = f"{low} to {high}"
        start = f"After {bad}, {whose} is lower by {points} percentage points{where} ({span})"
    if fall["depth_upper"] <= 0 or not fall["back"]:
        return f"{start}."
    return f"{start}; {_half_says(fall)}."


def _half_says(fall: Results) -> str:
    """How long until half is back, as some of the draws may never see it."""
    low, middle, high = (fall[name] for name in ("half_lower", "half", "half_upper"))
    if middle is None or math.isinf(middle):
        return f"half of that is not back within {LONGEST} rounds of good news"
    upper = f"more than {LONGEST}" if high is None or math.isinf(high) else f"{high:.0f}"
    rounds = counted(int(middle), "round")
    return f"half of that is gone after {rounds} of good news ({low:.0f} to {upper})"


def _asymmetry_says(learning: Results, model: str) -> str:
    row = next((r for r in learning["effects"][model] if r["quantity"] == "asymmetry"), None)
    if row is None:
        return ""
    sure = row["above"]
    if sure >= 0.95 or sure <= 0.05:
        word = "more" if sure >= 0.95 else "less"
        return f"Bad news moves it {word} than good (probability {fixed(max(sure, 1 - sure))})."
    return f"Whether bad news moves it more than good is open (probability {fixed(sure)})."


def _gain(learning: Results, model: str) -> str:
    row = next((r for r in learning["gain"] if r["model"] == model and r["used"]), None)
    if row is None:
        return ""
    gain = f"{number(row['gain'])} nats, {ratio(row['gain'], row['error'])}"
    return f"Letting it move predicts better (by {gain})."


def learning_section(material: Material) -> Section | None:
    """How trust moves, as a section with a part for each role; None where nothing is known of it.

    Parameters
    ----------
    material : Material
    """
    learning = material.analysis.learning
    if not learning:
        return None
    parts = [_part(material, role, learnt) for role, learnt in learning.items()]
    said = {role: moves(material.results, role) for role in learning}
    clauses = [text.partition("; ")[0] for text in said.values() if text]
    message = ". ".join(clause.partition(". ")[0] for clause in clauses)
    message = message or "No sign that trust moves with what people were shown"
    text = (
        "What people had been shown before each choice, and whether it moved them. To a receiver "
        "it is bad news that a message was false, to a sender that hers was not followed. Choices "
        "of the same person after seeing the same are held against each other, so that neither "
        "who is lied to nor what is said after lies makes an effect. Every model is put to the "
        "check, also those in which nobody learns: they fail it where people do."
    )
    paths = {
        role: learnt.after[name]
        for role, learnt in learning.items()
        if (name := _best_learner(material.results, role, learnt)) in learnt.after
    }
    pictures = []
    if paths:
        pictures.append(
            Picture(
                "one-lie",
                "After one lie",
                partial(figures.one_lie, paths),
                partial(_one_lie_says, material),
            )
        )
    return Section(
        "learning",
        _TITLE,
        message,
        [text],
        items=[f"{role.capitalize()}s: {text}" for role, text in said.items() if text],
        pictures=[render(picture) for picture in pictures],
        parts=parts,
    )


def _best_learner(results: Results, role: str, learnt: Learning) -> str:
    """The model of people who learn that predicts best; empty if there is none."""
    names = (name for name in ranked(results, role) if name in learnt.after)
    return next(names, "")


def _one_lie_says(material: Material) -> str:
    parts = []
    for role, learnt in material.analysis.learning.items():
        name = _best_learner(material.results, role, learnt)
        if name:
            said = _path_says(material.results["learning"][role], name, role)
            parts.append(f"{material.titles[name]}, {role}s: {said}")
    bands = f"Bands: {probability(material.results['ci_prob'])} intervals of the mean."
    return " ".join([*parts, bands])


def _part(material: Material, role: Role, learnt: Learning) -> Section:
    results, titles, kind = material.results, material.titles, material.kind
    numbers = results["learning"][role]
    order = [name for name in ranked(results, role) if name in learnt.checks]
    order += [name for name in learnt.checks if name not in order]
    models = order[: figures.MOST]
    learner = _best_learner(results, role, learnt)
    pictures = [
        Picture(
            f"news-{role}",
            f"What choices of {role}s owe to news",
            partial(figures.effect_of_news, learnt, kind, models, titles),
            partial(_effect_says, numbers, role, models, titles),
        ),
        Picture(
            f"since-{role}",
            f"Choices of {role}s by rounds since bad news",
            partial(figures.since_bad_news, learnt, kind, models, titles),
            partial(_since_says, numbers, models, titles),
        ),
    ]
    if learner:
        pictures.append(
            Picture(
                f"rounds-{role}",
                f"{_TRUST[learnt.rounds[learner].name].capitalize()} over the rounds, {role}s",
                partial(figures.over_the_rounds, learnt.rounds[learner], learner),
                partial(_rounds_says, numbers, learner, titles),
            )
        )
    texts = [_tried(numbers, titles, role)]
    if learnt.free is not None:
        who = " and ".join(f"{titles[name]} ({of}s)" for of, name in learnt.players.items())
        texts.append(
            "One step ahead, everybody is shown before each trial what she was shown in the "
            f"experiment. Free running, {who} play it from the first round on "
            f"({counted(learnt.free.replications, 'time')}), so that news is what these people do."
        )
    shown = [_effects_table(numbers, titles), _check_table(numbers, titles, role)]
    return Section(
        f"learning-{role}",
        f"{role.capitalize()}s",
        texts=texts,
        tables=[made for made in shown if made.rows],
        pictures=[render(picture) for picture in pictures],
    )


def _tried(numbers: Results, titles: Mapping[str, str], role: str) -> str:
    """What letting people learn brings each theory."""
    if not numbers["gain"]:
        return f"Models of {role}s in which trust moves were not tried beside static ones."
    parts = [
        f"{titles[row['model']]} {number(row['gain'])} nats (standard error "
        f"{number(row['error'])}; rule: {row['learning']}, "
        f"{'used' if row['used'] else 'not used'})"
        for row in numbers["gain"]
    ]
    return (
        f"What letting {role}s learn adds to how well short fits predict their choices, above 0 if "
        f"they do: {listed(parts)}. Of the "
        "rules by which trust may move only the first was tried, a shift of its log odds that "
        "fades; learning='delta', 'reputation' and 'evidence' are fitted on request."
    )


def _called(check: Results, titles: Mapping[str, str]) -> str:
    """A check by its model, and how that differs from the one compared."""
    name = titles[check["model"]]
    if not check["compared"]:
        return f"{name}, static,"
    return name if check["source"] == _AHEAD else f"{name}, {check['source']},"


def _effect_says(numbers: Results, role: Role, models: list[str], titles: Mapping[str, str]) -> str:
    bad, good = figures.NEWS[role]
    parts = []
    for check in numbers["checks"]:
        rows = [row for row in check["after"] if row["observed"] is not None]
        if check["model"] in models and rows:
            out = [row["treatment"] for row in rows if row["inside"] is False]
            misses = f"misses it in {listed(out)}" if out else "misses it nowhere"
            if all(row["inside"] is None for row in rows):
                misses = "never replicates what could be held against it"
            parts.append(f"{_called(check, titles)} {misses}")
    prob = probability(numbers["checks"][0]["ci_prob"])
    return (
        f"How much further from face value choices are {bad} than {good}, of the same person after "
        f"seeing the same. By {prob} intervals of replications: {'; '.join(parts)}."
    )


def _since_says(numbers: Results, models: list[str], titles: Mapping[str, str]) -> str:
    parts = []
    for check in numbers["checks"]:
        if check["model"] in models and check["source"] == _AHEAD:
            inside = [row["inside"] for row in check["since"] if row["inside"] is not None]
            parts.append(f"{_called(check, titles)} {sum(inside)} of {len(inside)}")
    return (
        "As if the same people saw the same as in the whole treatment. Points that lie in the "
        f"interval of replications: {listed(parts, len(parts))}."
    )


def _rounds_says(numbers: Results, model: str, titles: Mapping[str, str]) -> str:
    rows = numbers["rounds"][model]["population"]
    what = _TRUST[numbers["rounds"][model]["what"]]
    parts = []
    for treatment in list(dict.fromkeys(row["treatment"] for row in rows))[: figures.MOST]:
        theirs = [row for row in rows if row["treatment"] == treatment]
        where = f" in {treatment}" if treatment else ""
        parts.append(f"from {fixed(theirs[0]['mean'])} to {fixed(theirs[-1]['mean'])}{where}")
    return (
        f"{titles[model]}: mean {what} {listed(parts)}, from the first round to the last; every "
        "treatment as what people had been shown until then makes it there."
    )


def _effects_table(numbers: Results, titles: Mapping[str, str]) -> Table:
    rows = [
        (
            titles[model],
            row["quantity"].replace("_", " "),
            number(row["mean"]),
            interval(row["lower"], row["upper"]),
            fixed(row["above"]),
        )
        for model, theirs in numbers["effects"].items()
        for row in theirs
    ]
    caption = (
        "What moves people: memory (the share of experience that is left after one more piece of "
        "news), how far good and bad news move them, asymmetry (bad less good). Posterior means, "
        "intervals, and the probability of being above zero."
    )
    return table(caption, "model|quantity|mean|interval|above zero", rows, (0, 1))


def _check_table(numbers: Results, titles: Mapping[str, str], role: Role) -> Table:
    bad, good = figures.NEWS[role]
    rows = [
        (
            titles[check["model"]] + ("" if check["compared"] else ", static"),
            check["source"],
            row["treatment"],
            f"{row['trials']:,}",
            fixed(row["observed"]),
            fixed(row["mean"]),
            interval(row["lower"], row["upper"]),
            {True: "yes", False: "NO", None: "–"}[row["inside"]],
        )
        for check in numbers["checks"]
        for row in check["after"]
        if row["observed"] is not None
    ]
    caption = (
        f"Choice less face value: {bad} less {good}, within person, treatment and what was seen; "
        "observed, and as each model replicates it."
    )
    header = "model|replications|treatment|trials|observed|mean|interval|inside"
    return table(caption, header, rows, (0, 1, 2, 7))
