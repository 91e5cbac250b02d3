"""The keys of a game file of ``kind = "finite"``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trustbayes.errors import Fault, InputError, listing
from trustbayes.games.finite import FiniteGame
from trustbayes.games.layout_toml import LAYOUT_KEYS, read_layout
from trustbayes.games.payoff_csv import read_payoff_table
from trustbayes.games.payoffs import Payoffs, PayoffTable, PowerLoss
from trustbayes.games.toml_section import Section, is_number, shown

__all__ = ["read_finite"]


def read_finite(section: Section, path: Path) -> FiniteGame | None:
    """Read the game; None if faults were noted in the section."""
    section.allow(
        "kind", "name", "states", "messages", "actions", "prior", "payoffs", "treatments",
        *LAYOUT_KEYS,
    )  # fmt: skip
    name = section.text("name") if "name" in section.raw else path.stem
    states = section.increasing("states")
    messages = section.increasing("messages") if "messages" in section.raw else states
    actions = section.increasing("actions") if "actions" in section.raw else states
    prior = _prior(section, states)
    treatments = _treatments(section)
    payoffs = _payoffs(section, path, states, actions)
    layout = read_layout(section, FiniteGame.trial_columns)
    if isinstance(payoffs, PayoffTable):
        _check_table_game(section, payoffs, states, messages, treatments)
    if states is None or section.faults:
        return None
    game = FiniteGame(
        states, messages, actions, prior, payoffs, treatments, layout, name or path.stem
    )
    if not np.ptp(game.receiver_table) > 0:
        section.note("payoffs", "receiver payoffs that are not the same everywhere")
    return game


def _prior(section: Section, states: list[float] | None) -> Any:
    prior = section.raw.get("prior", "uniform")
    if prior == "uniform" or states is None:
        return prior
    listed = isinstance(prior, list) and all(is_number(p) and p >= 0 for p in prior)
    if not listed or len(prior) != len(states) or not np.isclose(sum(prior), 1):
        section.note("prior", f'"uniform" or {len(states)} probabilities that add up to 1')
    return prior


def _payoffs(
    section: Section, path: Path, states: list[float] | None, actions: list[float] | None
) -> Payoffs | None:
    payoffs = section.section("payoffs")
    family = payoffs.text("family", choices=("power-loss", "table")) if payoffs else None
    if payoffs is None or family is None:
        return None
    if family == "power-loss":
        payoffs.allow("family", "constant", "scale", "exponent")
        constant = payoffs.number("constant")
        scale = payoffs.number("scale", above=0)
        exponent = payoffs.number("exponent", least=1)
        if constant is None or scale is None or exponent is None:
            return None
        return PowerLoss(constant, scale, exponent)
    payoffs.allow("family", "sender", "receiver")
    sender, receiver = payoffs.text("sender"), payoffs.text("receiver")
    if sender is None or receiver is None or states is None or actions is None:
        return None
    try:
        return read_payoff_table(path.parent / sender, path.parent / receiver, states, actions)
    except InputError as error:
        section.faults.extend(error.faults)
        return None


def _check_table_game(
    section: Section,
    payoffs: PayoffTable,
    states: list[float] | None,
    messages: list[float] | None,
    treatments: Mapping[str, tuple[float, ...]] | None,
) -> None:
    if states and messages and not np.isin(messages, states).all():
        section.note("messages", "messages that are states, since the payoffs are tables")
    if payoffs.biases is None:
        return
    for name, biases in (treatments or {}).items():
        if not set(biases) <= set(payoffs.biases):
            expected = f"biases with a sender table: {listing(payoffs.biases)}"
            place = section.place(f"treatments.{name}")
            section.faults.append(Fault(place, shown(list(biases)), expected))


def _treatments(section: Section) -> dict[str, tuple[float, ...]] | None:
    treatments = section.section("treatments") if "treatments" in section.raw else None
    if treatments is None:
        return None
    if not treatments.raw:
        section.note("treatments", "at least one treatment")
    listed = {}
    for name, value in treatments.raw.items():
        biases = value if isinstance(value, list) else [value]
        if not biases or not all(map(is_number, biases)):
            treatments.note(name, "a bias, or a list of biases")
        else:
            listed[name] = tuple(float(bias) for bias in biases)
    return listed
