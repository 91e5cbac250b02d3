"""The answer over several experiments in plain sentences, made from the study's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trustbayes.comparison.rows import SMALL
from trustbayes.pooling.pooled_study import PooledStudy
from trustbayes.report.answer import Answer
from trustbayes.report.page.wording import counted, listed, number, percent
from trustbayes.report.quantities import joined, of_them, of_whom, ratio
from trustbayes.theories.spec import ModelSpec

__all__ = ["carried_answer", "pooled_answer"]

_SHARE = "logit"


def pooled_answer(pooled: PooledStudy, role: str) -> Answer:
    """Say in sentences what a study says of a role.

    Parameters
    ----------
    pooled : PooledStudy
        Of which its numbers are used, `PooledStudy.to_dict`, and the words of its theories.
    role : "sender" or "receiver"

    Returns
    -------
    Answer
    """
    results = pooled.to_dict()
    specs: dict[str, ModelSpec] = {}
    for (_, name, of), fit in pooled.fits.items():
        if of == role:
            specs.setdefault(name, fit.model.spec)  # in the words of the first game that has it
    of_role = results["roles"][role]
    return Answer(
        role,
        _people(of_role, role, specs),
        _wins(of_role, role, specs),
        _sure(of_role, role, specs),
        _typical(results, role, specs)
        if of_role["verdict"]["best"]
        else f"What a typical {role} does is not said before the fits pass the gate.",
        _missing(of_role["verdict"]),
    )


def carried_answer(pooled: PooledStudy, role: str) -> str:
    """Say whether a theory's lead carries over to experiments that it was not fitted to.

    Parameters
    ----------
    pooled : PooledStudy
        In which experiments were left out.
    role : "sender" or "receiver"

    Returns
    -------
    str
        Empty where there are no two theories to rank.
    """
    of_role = pooled.to_dict()["roles"][role]
    verdict = of_role["carries_over"]
    if not verdict["best"]:
        return ""
    best, rival = pooled.titles[verdict["best"]], pooled.titles[verdict["rival"]]
    where = _ahead(verdict, of_role["leads_left_out"])
    start = "When an experiment is left out and predicted from the others,"
    if verdict["winner"] is None:
        return f"{start} {best} and {rival} are too close to tell; {best} is {where}."
    return f"{start} {best} predicts its {role}s best, before {rival}; it is {where}."


def _manner(spec: ModelSpec) -> str:
    return spec.manner or f"as {spec.title} has it"


def _people(of_role: Mapping[str, Any], role: str, specs: Mapping[str, ModelSpec]) -> str:
    verdict, counts = of_role["verdict"], of_role["predicted_best"]
    if not verdict["best"]:
        return f"How many {role}s act by which theory cannot be said without a comparison."
    total = sum(counts.values())
    parts = []
    for place, (name, count) in enumerate(sorted(counts.items(), key=lambda pair: -pair[1])):
        if count:
            words = of_them(count / total) if place else of_whom(count / total, f"{role}s")
            act = "" if place else "act "
            parts.append(f"{words} ({count:,} of {total:,}) {act}{_manner(specs[name])}")
    return joined(parts)


def _ahead(verdict: Mapping[str, Any], leads: Sequence[Mapping[str, Any]]) -> str:
    """In how many experiments the best is ahead of the second, and of how many."""
    gaps = [row["difference"] for row in leads if row["other"] == verdict["rival"]]
    return f"ahead in {sum(gap > 0 for gap in gaps)} of {counted(len(gaps), 'experiment')}"


def _wins(of_role: Mapping[str, Any], role: str, specs: Mapping[str, ModelSpec]) -> str:
    verdict = of_role["verdict"]
    if not verdict["best"]:
        return str(verdict["text"])
    best, rival = specs[verdict["best"]].title, specs[verdict["rival"]].title
    where = _ahead(verdict, of_role["leads"])
    if verdict["winner"] is None:
        return (
            f"Which theory predicts a new {role} best over all experiments cannot be said: {best} "
            f"and {rival} are too close; {best} is {where}."
        )
    return f"{best} predicts a new {role} best over all experiments, before {rival}; it is {where}."


def _sure(of_role: Mapping[str, Any], role: str, specs: Mapping[str, ModelSpec]) -> str:
    verdict = of_role["verdict"]
    if not verdict["best"]:
        return "Nothing is sure before two theories that converged were held against each other."
    lead = ratio(verdict["lead"], verdict["error"])
    return (
        f"{specs[verdict['best']].title} leads by {lead}. The rule: when everybody is predicted "
        "from the others of the same experiment, the lead must exceed two standard errors, with "
        f"people and with experiments as what is drawn, and {SMALL:g} nats; it is "
        f"{number(verdict['lead'])} nats."
    )


def _typical(results: Mapping[str, Any], role: str, specs: Mapping[str, ModelSpec]) -> str:
    """The pooled mean of what a theory says of people, of the best theory that has any."""
    ranking = [row["model"] for row in results["roles"][role]["comparison"]]
    for name in [name for name in ranking if not specs[name].benchmark]:
        does = []
        for parameter in specs[name].parameters:
            whose = (name, role, parameter.name, "location", "pooled mean")
            for row in results["parameters"]:
                held = tuple(row[k] for k in ("model", "role", "parameter", "statistic", "of"))
                if held == whose and parameter.typical:
                    does.append(_value(row, parameter.typical))
        if does:
            title = specs[name].title
            return f"By {title}, a typical {role} of such experiments {listed(does)}."
    return f"What a typical {role} does was not pooled: no two experiments share its scale."


def _value(row: Mapping[str, Any], typical: str) -> str:
    say = percent if row["scale"] == _SHARE else number
    value = f"{say(row['median'])} ({say(row['lower'])} to {say(row['upper'])})"
    if row["scale"] == _SHARE:
        return typical.format(value=value)
    return f"has a {row['parameter'].replace('_', ' ')} of {value} {row['unit']}"


def _missing(verdict: Mapping[str, Any]) -> str:
    if not verdict["best"]:
        return "See which fits did not converge, and why."
    if verdict["winner"] is None:
        return (
            "Add experiments, or people to them, in which the theories say different things "
            "(trustbayes design says which would)."
        )
    return ""
