"""A policy as data: what would be changed in the game, or in the people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from trustbayes.errors import Fault, suggestion
from trustbayes.files import plain
from trustbayes.games.toml_section import is_number
from trustbayes.models import Model
from trustbayes.numerics.plain import as_plain

__all__ = ["Audit", "Ideal", "Policy", "Strength", "at_strength", "policy_faults", "shifts_of"]

Ideal = Literal["babbling", "full-trust"]
"""What people would do if messages said nothing, or were true and believed."""


@dataclass(frozen=True)
class Audit:
    """Fines for lies that are found out.

    Parameters
    ----------
    probability : float
        Of a lie being found out, from 0 to 1.
    fine : float
        What it then costs the sender, at least 0, payoff units.
    per : "lie" or "unit"
        Whether that is for any lie, or for each unit of ``|message - state|``.
    to : "nobody" or "receiver"
        Who gets it.
    """

    probability: float
    fine: float
    per: Literal["lie", "unit"] = "lie"
    to: Literal["nobody", "receiver"] = "nobody"

    @property
    def expected(self) -> float:
        """What a lie, or a unit of one, is expected to cost, payoff units."""
        return self.probability * self.fine


@dataclass(frozen=True)
class Strength:
    """A number of a policy that may be larger or smaller, such as a fine.

    Parameters
    ----------
    over : str
        Which: "share", or a key of a table such as "audit.fine", "shift.trust" or "game.bias".
    low, high : float
        Between what it is to be chosen.
    cost : float
        What each unit of it costs in a meeting, payoff units, besides the policy's own cost.
    """

    over: str
    low: float
    high: float
    cost: float = 0.0


@dataclass(frozen=True)
class Policy:
    """What would be changed; what is not named stays as it is.

    Parameters
    ----------
    name : str
    game : mapping of str to object
        What the game would be instead. Finite: bias, prior, receiver_prior, direction, the
        numbers of a power loss (constant, scale, exponent) or the constants of formulas. Forecast
        sharing: capacity_cost, uncertainty, mean_demand, retail_price, wholesale_price,
        production_cost. On an interval: bias, constant, scale, exponent. Recommendations:
        adviser_error (their accuracy), estimate_error, typical_outcome, outcome_spread.
    treatments : tuple of str
        Where it would be changed; everywhere by default.
    shift : mapping of str to float
        By how much parameters of people would be moved, on the scale of the link: trust and other
        shares in log odds, lying aversion and other positive ones in logs. Where both roles have
        the parameter, with the role before it: "receiver.response_precision".
    share : float
        Of the people whose parameters would be moved, the others staying as they are.
    audit : Audit, optional
        Fines for lies.
    feedback : "state", "payoff" or "none", optional
        What is seen after a round; it matters to people who learn.
    partners : "fixed" or "random", optional
        Whom people meet round after round; it matters to people who learn.
    play : "babbling" or "full-trust", optional
        In place of what people do: messages that say nothing, or that are true and believed.
    cost : float
        What the policy costs in each meeting, both parties together, payoff units.
    frontier : Strength, optional
        Which of its numbers to choose well.

    Examples
    --------
    >>> Policy("a guarantee", shift={"trust": 0.5}, cost=1.0).shift
    {'trust': 0.5}
    """

    name: str
    game: Mapping[str, Any] = field(default_factory=dict)
    treatments: tuple[str, ...] = ()
    shift: Mapping[str, float] = field(default_factory=dict)
    share: float = 1.0
    audit: Audit | None = None
    feedback: Literal["state", "payoff", "none"] | None = None
    partners: Literal["fixed", "random"] | None = None
    play: Ideal | None = None
    cost: float = 0.0
    frontier: Strength | None = None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe form of what it changes."""
        form: dict[str, Any] = {"name": self.name, "cost": self.cost}
        form |= {key: dict(getattr(self, key)) for key in ("game", "shift") if getattr(self, key)}
        if self.treatments:
            form["treatments"] = list(self.treatments)
        if self.share != 1:
            form["share"] = self.share
        for key in ("audit", "frontier"):
            if getattr(self, key) is not None:
                form[key] = vars(getattr(self, key))
        for key in ("feedback", "partners", "play"):
            if getattr(self, key) is not None:
                form[key] = getattr(self, key)
        json: dict[str, Any] = plain(form)
        return json


def at_strength(policy: Policy, strength: float) -> Policy:
    """The policy with the number that its frontier is over set to a value, at what that costs.

    Examples
    --------
    >>> fine = Policy("fine", audit=Audit(0.5, 10), frontier=Strength("audit.fine", 0, 40, 0.1))
    >>> chosen = at_strength(fine, 20.0)
    >>> chosen.audit.fine, chosen.cost
    (20.0, 2.0)
    """
    assert policy.frontier is not None
    table, _, key = policy.frontier.over.partition(".")
    changes: dict[str, Any] = {"cost": policy.cost + policy.frontier.cost * strength}
    if table == "share":
        changes["share"] = strength
    elif table == "audit" and policy.audit is not None:
        changed: dict[str, Any] = {key: strength}
        changes["audit"] = replace(policy.audit, **changed)
    else:
        changes[table] = {**getattr(policy, table), key: strength}
    return replace(policy, frontier=None, **changes)


def shifts_of(policy: Policy, models: Mapping[str, Model]) -> dict[str, dict[str, float]]:
    """The shifts of each role's parameters, of a policy without faults."""
    by_role: dict[str, dict[str, float]] = {role: {} for role in models}
    for key, by in policy.shift.items():
        roles = _roles_of(key, models)
        by_role[roles[0]][key.rpartition(".")[2]] = float(by)
    return by_role


def _roles_of(key: str, models: Mapping[str, Model]) -> list[str]:
    """The roles whose parameter a key of a shift may be."""
    role, _, name = key.rpartition(".")
    return [
        each
        for each, model in models.items()
        if role in ("", each)
        and any(p.name == name and p.support != "simplex" for p in model.parameters)
    ]


def policy_faults(
    policy: Policy,
    place: str,
    models: Mapping[str, Model],
    treatments: tuple[str, ...],
) -> Iterator[Fault]:
    """Find what makes no sense in a policy, but for what it makes of the game.

    Parameters
    ----------
    policy : Policy
    place : str
        What to call it in messages.
    models : mapping of role to Model
    treatments : tuple of str
        Those that both roles played.
    """
    for name in policy.treatments:
        if name not in treatments:
            yield Fault(f"{place}, treatments", name, suggestion(name, treatments))
    known = [
        name if len(_roles_of(name, models)) == 1 else f"{role}.{name}"
        for role, model in models.items()
        for name in (p.name for p in model.parameters if p.support != "simplex")
    ]
    for key, by in policy.shift.items():
        roles = _roles_of(key, models)
        if not roles:
            yield Fault(f"{place}, shift", key, suggestion(key, known))
        elif len(roles) > 1:
            expected = " or ".join(f"{role}.{key}" for role in roles)
            yield Fault(f"{place}, shift", key, f"{expected}: both roles have it")
        yield from _number(f"{place}, shift.{key}", by)
    yield from _number(f"{place}, share", policy.share, 0, 1)
    yield from _number(f"{place}, cost", policy.cost)
    for key, choices in (
        ("play", get_args(Ideal)),
        ("feedback", ("state", "payoff", "none")),
        ("partners", ("fixed", "random")),
    ):
        value = getattr(policy, key)
        if value is not None and value not in choices:
            yield Fault(f"{place}, {key}", str(value), suggestion(str(value), choices))
    if policy.play is not None and (policy.shift or policy.audit):
        expected = "no shift and no audit beside it: people's own parameters then say nothing"
        yield Fault(f"{place}, play", policy.play, expected)
    for key in ("feedback", "partners"):
        if getattr(policy, key) is not None and not any(m.learns for m in models.values()):
            learn = "models that learn from round to round, which these are not: their people play"
            expected = f"{learn} every round alike, whatever they have seen and whomever they meet"
            yield Fault(f"{place}, {key}", str(getattr(policy, key)), expected)
    if policy.audit is not None:
        yield from _audit_faults(policy.audit, f"{place}, audit", models.get("sender"))
    if policy.frontier is not None:
        yield from _strength_faults(policy, policy.frontier, f"{place}, frontier")


def _audit_faults(audit: Audit, place: str, sender: Model | None) -> Iterator[Fault]:
    yield from _number(f"{place}.probability", audit.probability, 0, 1)
    yield from _number(f"{place}.fine", audit.fine, 0)
    for key, choices in (("per", ("lie", "unit")), ("to", ("nobody", "receiver"))):
        value = getattr(audit, key)
        if value not in choices:
            yield Fault(f"{place}.{key}", str(value), suggestion(str(value), choices))
    if sender is None:
        yield Fault(place, "a fine", "none: nobody is modelled who makes recommendations")
    elif not sender.spec.weighs_fines:
        expected = "a theory of senders whose answer weighs fines (`ModelSpec.weighs_fines`)"
        yield Fault(place, f"senders of the {sender.name} model", expected)


def _strength_faults(policy: Policy, strength: Strength, place: str) -> Iterator[Fault]:
    table, _, key = strength.over.partition(".")
    fits = {
        "share": not key and bool(policy.shift),
        "audit": policy.audit is not None and key in ("fine", "probability"),
        "shift": key in policy.shift,
        "game": is_number(as_plain(policy.game.get(key))),
    }
    if not fits.get(table, False):
        expected = "a number that the policy states: audit.fine, audit.probability, share, or one "
        yield Fault(f"{place}.over", strength.over, f"{expected}of its shift or game")
    numbers = [*_number(f"{place}.low", strength.low), *_number(f"{place}.high", strength.high)]
    yield from numbers
    if not numbers and not strength.low < strength.high:
        yield Fault(f"{place}.high", f"{strength.high:g}", f"more than low, {strength.low:g}")
    yield from _number(f"{place}.cost", strength.cost)


def _number(
    place: str, value: Any, least: float = -math.inf, most: float = math.inf
) -> Iterator[Fault]:
    value = as_plain(value)
    if is_number(value) and least <= value <= most:
        return
    bounds = f" from {least:g} to {most:g}" if most < math.inf else f" of at least {least:g}"
    yield Fault(place, str(value), "a number" + (bounds if least > -math.inf else ""))
