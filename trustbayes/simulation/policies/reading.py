"""Reading policies from a TOML file, strictly: every unknown key is a fault, all are reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trustbayes.errors import Fault, InputError
from trustbayes.games.toml_section import Section, read_section
from trustbayes.simulation.policies.policy import Audit, Policy, Strength

__all__ = ["read_policies"]

_KEYS = (
    "game", "treatments", "shift", "share", "audit", "feedback", "partners", "play", "cost",
    "frontier",
)  # fmt: skip


def read_policies(path: str | Path) -> tuple[Policy, ...]:
    """Read a file of policies.

    Parameters
    ----------
    path : str or Path
        A TOML file with a table ``[policies.NAME]`` for each policy, whose keys are those of
        `Policy`: ``audit = {probability = ..., fine = ...}``, ``frontier = {over = "audit.fine",
        low = ..., high = ...}`` and so on.

    Returns
    -------
    tuple of Policy
        In the order of the file. Whether they suit a game and models is found by
        `counterfactual`.

    Raises
    ------
    InputError
        Listing everything that is wrong with the file.

    Examples
    --------
    >>> [policy.name for policy in read_policies("policies.toml")]  # doctest: +SKIP
    ['a fine for lies', 'a guarantee']
    """
    section = read_section(Path(path), "a file of policies (TOML)")
    section.allow("policies")
    listed = section.section("policies")
    if listed is not None and not listed.raw:
        section.faults.append(Fault(section.place("policies"), "", "at least one policy"))
    policies = [] if listed is None else [_policy(listed, name) for name in listed.raw]
    if section.faults:
        raise InputError(section.faults)
    return tuple(policy for policy in policies if policy is not None)


def _policy(listed: Section, name: str) -> Policy | None:
    section = listed.section(name)
    if section is None:
        return None
    section.allow(*_KEYS)
    given: dict[str, Any] = {}
    for key in ("share", "cost"):
        if key in section.raw:
            given[key] = section.number(key)
    for key in ("feedback", "partners", "play"):
        if key in section.raw:
            given[key] = section.text(key)
    if "treatments" in section.raw:
        given["treatments"] = section.names("treatments")
    if "game" in section.raw:
        game = section.section("game")
        given["game"] = {} if game is None else dict(game.raw)
    if "shift" in section.raw:
        shift = section.section("shift")
        given["shift"] = {} if shift is None else {key: shift.number(key) for key in shift.raw}
    if "audit" in section.raw:
        given["audit"] = _audit(section)
    if "frontier" in section.raw:
        given["frontier"] = _strength(section)
    return Policy(name, **given)


def _audit(section: Section) -> Audit | None:
    audit = section.section("audit", "probability", "fine")
    if audit is None:
        return None
    audit.allow("probability", "fine", "per", "to")
    probability, fine = audit.number("probability"), audit.number("fine")
    words = {key: audit.text(key) for key in ("per", "to") if key in audit.raw}
    if probability is None or fine is None or None in words.values():
        return None
    return Audit(probability, fine, **words)  # type: ignore[arg-type] # checked against the game


def _strength(section: Section) -> Strength | None:
    strength = section.section("frontier", "over", "low", "high")
    if strength is None:
        return None
    strength.allow("over", "low", "high", "cost")
    over, low, high = strength.text("over"), strength.number("low"), strength.number("high")
    cost = strength.number("cost") if "cost" in strength.raw else 0.0
    if over is None or low is None or high is None or cost is None:
        return None
    return Strength(over, low, high, cost)
