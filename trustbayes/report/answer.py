"""The answer in plain sentences, made by rules from the numbers of the results and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trustbayes.comparison.rows import SMALL
from trustbayes.inference.gate import APPROXIMATIONS
from trustbayes.report.page.wording import counted, listed, number, percent
from trustbayes.report.quantities import against_half, chance, joined, of_them, of_whom, ratio

__all__ = ["Answer", "answer", "approximate", "group_shares", "in_short", "models_of", "ranked"]

Results = Mapping[str, Any]

_CRITERIA = {"subject": "loso", "group": "loso", "subject-sum": "loo"}
_WHOM = {
    "subject": "a new {role}",
    "group": "a new matching group of {role}s",
    "subject-sum": "a new choice of a known {role}",
}
_HOW = {
    "subject": "everybody is predicted from all the others",
    "group": "every matching group is predicted from all the others",
    "subject-sum": "each choice is predicted from all others, that person's among them",
}


@dataclass(frozen=True)
class Answer:
    """What the results say of one role.

    Parameters
    ----------
    role : "sender" or "receiver"
    people : str
        By how much in terms of people: the shares that act by each theory.
    wins : str
        Who wins.
    sure : str
        How sure that is, and by what rule.
    typical : str
        What a typical person does.
    missing : str
        Where no theory is named: what to do; else empty.
    """

    role: str
    people: str
    wins: str
    sure: str
    typical: str
    missing: str


def answer(results: Results, role: str) -> Answer:
    """Say in sentences what the results say of a role.

    Parameters
    ----------
    results : mapping
        Of `trustbayes.report.results.results`.
    role : "sender" or "receiver"

    Returns
    -------
    Answer
    """
    verdict = results["verdict"][role]
    return Answer(
        role,
        _people(results, role),
        _wins(results, role),
        f"{_sure(results, role)}{_majority(results, role)}",
        _typical(results, role),
        "" if verdict["reason"] == "named" else _missing(results, role),
    )


def models_of(results: Results, role: str) -> dict[str, Mapping[str, Any]]:
    """How each model of a role was made, by its name."""
    return {fit["model"]: fit for fit in results["how"]["models"] if fit["role"] == role}


def ranked(results: Results, role: str) -> list[str]:
    """The models that passed the gate, best first, without benchmarks that others beat.

    A benchmark that predicts worse than a theory is no description of people.
    """
    passed = {fit["model"] for fit in results["gate"] if fit["role"] == role and fit["passed"]}
    known, ranking = models_of(results, role), _ranking(results, role)
    return [
        name
        for name in ranking
        if name in passed and (not known[name]["benchmark"] or name == ranking[0])
    ]


def _ranking(results: Results, role: str) -> list[str]:
    """All models, the one that predicts best first."""
    unit = results["verdict"][role]["unit"]
    kind = (role, unit, _CRITERIA[unit])
    rows = [r for r in results["comparison"] if (r["role"], r["unit"], r["criterion"]) == kind]
    return [row["model"] for row in sorted(rows, key=lambda row: -row["elpd"])]


@dataclass(frozen=True)
class Group:
    """People who act by one theory.

    Parameters
    ----------
    model : str
        Its name, or "corner" for those of whom it cannot be said.
    share : float
        Of all people.
    interval : tuple of float, or None
        None if they are counted.
    count, total : int or None
        None if they are estimated.
    """

    model: str
    share: float
    interval: tuple[float, float] | None = None
    count: int | None = None
    total: int | None = None


def group_shares(results: Results, role: str) -> list[Group]:
    """How many people act by which theory, the largest group first.

    The shares that a mixture estimates, if one was fitted and passed the gate; else how many people
    each theory predicts best; nothing where some fit did not pass, or people were not predicted.
    """
    passed = {fit["model"] for fit in results["gate"] if fit["role"] == role and fit["passed"]}
    estimated = [
        Group(row["option"], row["mean"], tuple(row["interval"]))
        for row in results["population"]
        if (row["role"], row["parameter"], row["statistic"]) == (role, "theory", "share")
        and row["model"] in passed
    ]
    if estimated:
        return sorted(estimated, key=lambda group: -group.share)
    if results["verdict"][role]["reason"] == "gate":
        return []
    rows = results["shares"].get(role, [])
    total = sum(row["subjects"] for row in rows)
    counts = [
        Group(row["model"], row["share"], None, row["subjects"], total)
        for row in rows
        if row["subjects"]
    ]
    return sorted(counts, key=lambda group: (group.model == "corner", -group.share))


def _people(results: Results, role: str) -> str:
    groups, known = group_shares(results, role), models_of(results, role)
    if not groups:
        why = {
            "gate": "fits that have not converged say nothing of people",
            "alone": "with one theory there is nothing to choose between",
        }.get(results["verdict"][role]["reason"], "no new people were predicted")
        return f"How many {role}s act by which theory cannot be said: {why}."
    if groups[0].total == 1:
        return f"The only {role} acts {_manner(groups[0], known)}."
    parts = []
    for place, group in enumerate(groups):
        words = of_them(group.share) if place else of_whom(group.share, f"{role}s")
        exact = percent(group.share) if group.count is None else f"{group.count} of {group.total}"
        act = "" if place else "act "
        parts.append(f"{words} ({exact}) {act}{_manner(group, known)}")
    return joined(parts)


def _manner(group: Group, known: Mapping[str, Mapping[str, Any]]) -> str:
    if group.model == "corner":
        return "in a way that fits both theories equally"
    return str(known[group.model]["manner"]) if group.model in known else f"by {group.model}"


def _majority(results: Results, role: str) -> str:
    """Whether the largest group is the majority, if its share is an estimate."""
    groups = group_shares(results, role)
    if not groups or groups[0].interval is None:
        return ""
    lower, upper = groups[0].interval
    manner = _manner(groups[0], models_of(results, role))
    return f" Of those who act {manner}, {against_half(lower, upper, f'{role}s')}."


def _wins(results: Results, role: str) -> str:
    verdict, known = results["verdict"][role], models_of(results, role)
    titles = {name: fit["title"] for name, fit in known.items()}
    best, rival = titles.get(verdict["best"], ""), titles.get(verdict["rival"], "")
    whom = _WHOM[verdict["unit"]].format(role=role)
    if verdict["reason"] == "gate":
        failed = _failed(results, role)
        names = listed(titles[fit["model"]] for fit in failed)
        return (
            f"No theory of {role}s can be named yet: {names} {_failing(failed)} "
            f"({len(failed)} of {counted(len(titles), 'fit')})."
        )
    if verdict["reason"] == "alone":
        return f"Only {best} was fitted to {role}s, so that no theory can be said to win."
    if verdict["reason"] == "close":
        pair = f"{best} and {rival} are too close"
        return f"Which theory predicts {whom} best cannot be said: {pair}."
    if verdict["reason"] == "refits":
        return f"{best} leads {rival}, but fits made without the people predicted do not agree."
    if known[verdict["best"]]["mixture"]:
        return f"The theories together ({best}) predict {whom} better than any of them alone."
    return f"{best} predicts {whom} best, before {rival}{_how_many(results, role)}."


def _how_many(results: Results, role: str) -> str:
    """For how many people the winner is the better of the two best."""
    verdict, pair = results["verdict"][role], results["people"].get(role)
    if pair is None or (pair["best"], pair["second"]) != (verdict["best"], verdict["rival"]):
        return ""
    better = sum(row["difference"] > 0 for row in pair["rows"])
    return f"; it is the better one for {better} of {counted(len(pair['rows']), role)}"


def approximate(fit: Mapping[str, Any]) -> bool:
    """Whether all that a fit failed by is what its engine approximates."""
    return all(check["passed"] or check["name"] in APPROXIMATIONS for check in fit["checks"])


def _failing(fits: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong with fits that did not pass the gate, as a predicate."""
    if any(not approximate(fit) for fit in fits):
        return "did not converge"
    return f"{'was' if len(fits) == 1 else 'were'} not computed exactly enough"


def _failed(results: Results, role: str) -> list[Mapping[str, Any]]:
    known = models_of(results, role)
    return [
        fit
        for fit in results["gate"]
        if fit["role"] == role and not fit["passed"] and fit["model"] in known
    ]


def _sure(results: Results, role: str) -> str:
    verdict, titles = results["verdict"][role], models_of(results, role)
    if verdict["reason"] == "gate":
        worst = [
            f"{titles[fit['model']]['title']}: {check['name']} {number(check['value'], 4)}"
            for fit in _failed(results, role)
            for check in [check for check in fit["checks"] if not check["passed"]][:1]
        ]
        return f"Nothing is sure before every fit passes the gate ({listed(worst, 3)})."
    if verdict["reason"] == "alone":
        return "Nothing is sure of a theory that was held against no other."
    rival, other_way = titles[verdict["rival"]]["title"], chance(verdict["other_sign"])
    rule = (
        f"The chance that {rival} predicts better after all is {other_way}. The rule: when "
        f"{_HOW[verdict['unit']]}, the lead must exceed two standard errors and {SMALL:g} "
        "nats"
    )
    lead = ratio(verdict["lead"], verdict["error"])
    if verdict["reason"] == "close":
        return f"{rule}; it is {lead} and {number(verdict['lead'])} nats."
    if verdict["reason"] == "refits":
        return f"{rule}, and real refits must agree; it is {lead}, but they do not."
    return f"{rule}; it is {lead}."


def _missing(results: Results, role: str) -> str:
    verdict, sampling = results["verdict"][role], results["how"]["sampling"]
    if verdict["reason"] == "gate":
        failed = _failed(results, role)
        if failed and all(approximate(fit) for fit in failed):
            return "Run again without the approximation (--method nuts), which takes longer."
        return (
            f"Run again with more draws (--draws {2 * sampling['draws']}) and more warm-up (--tune "
            f"{2 * sampling['tune']})."
        )
    if verdict["reason"] == "alone":
        return "Fit at least two theories (--models trust-embedded,level-k)."
    if verdict["reason"] == "refits":
        return "Look at whom the refits predict otherwise, and have more people play."
    if verdict["more"] is None:
        return (
            f"More {role}s of this design would hardly tell them apart: change the design "
            "(trustbayes design says which would)."
        )
    more = counted(verdict["more"], f"more {role}")
    return f"Have about {more} play, if the lead is as large as it looks."


def in_short(typical: str) -> str:
    """A sentence on a typical person without its intervals, as a heading.

    Examples
    --------
    >>> in_short("By One, a typical sender loses 15.1 (10.6 to 20.5) coins.")
    'By One, a typical sender loses 15.1 coins'
    """
    return re.sub(r" \([^()]* to [^()]*\)", "", typical).removesuffix(".")


def _typical(results: Results, role: str) -> str:
    """What the theory that predicts best says of the middle of its people.

    Of a mixture that is the theory by which most people act, as the mixture has it: alone it has
    to fit everybody, and says something else.
    """
    known, groups = models_of(results, role), group_shares(results, role)
    for place, name in enumerate(ranked(results, role)):
        theory = name
        start, whom = f"By {known[name]['title']}, a typical {role}", f"{role}s"
        if known[name]["combines"]:
            if place or not known[name]["mixture"] or not groups or groups[0].model not in known:
                continue
            theory = groups[0].model
            start, whom = f"Of those who act {known[theory]['manner']}, a typical {role}", "them"
        does = [
            text.format(value=value)
            for parameter, text in known[theory]["typical"].items()
            if (value := _value(results, role, name, parameter, whom))
        ]
        if does:
            return f"{start} {listed(does)}."
        if theory == name:
            return f"{start} acts {known[name]['manner']}."
    return f"What a typical {role} does cannot be said before the fit of a theory converges."


_ORDER = ("population median", "population mean", "value", "share")


def _value(results: Results, role: str, model: str, parameter: str, whom: str) -> str:
    """A parameter's typical values in words, by treatment, and empty if there is none."""
    whose = (role, model, parameter)
    rows = [r for r in results["population"] if (r["role"], r["model"], r["parameter"]) == whose]
    unit = models_of(results, role)[model]["units"].get(parameter, "")
    rows = [row for row in rows if not unit or row["unit"] == unit]
    for statistic in _ORDER:
        chosen = [row for row in rows if row["statistic"] == statistic]
        if not chosen:
            continue
        if statistic == "share":
            top = max(chosen, key=lambda row: row["mean"])
            steps = "no step" if top["option"] == "0" else counted(int(top["option"]), "step")
            return f"{steps} ahead ({percent(top['mean'])} of {whom})"
        say = percent if "share" in chosen[0]["unit"] else number
        return listed(
            f"{say(row['mean'])} ({' to '.join(map(say, row['interval']))})"
            + (f" in {row['treatment']}" if row["treatment"] else "")
            for row in chosen
        )
    return ""
