"""The keys of a game file of ``kind = "finite"``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from trustbayes.errors import Fault, InputError, listing
from trustbayes.games.feedback import read_feedback
from trustbayes.games.finite import FiniteGame
from trustbayes.games.finite_terms import Direction, FiniteTerms
from trustbayes.games.formula import FUNCTIONS, parse_formula
from trustbayes.games.layout_toml import LAYOUT_KEYS, read_layout
from trustbayes.games.message_payoffs import RECEIVER_NAMES, SENDER_NAMES, PayoffFormulas
from trustbayes.games.payoff_csv import EVERY, Axes, read_payoff_tables
from trustbayes.games.payoffs import Payoffs, PayoffTable, PowerLoss
from trustbayes.games.toml_section import Section, is_number, shown

__all__ = ["read_finite"]

_OF_TREATMENT = ("bias", "prior", "receiver_prior", "direction")
_DIRECTIONS = get_args(Direction)
_NOTHING = FiniteTerms()


def read_finite(section: Section, path: Path) -> FiniteGame | None:
    """Read the game; None if faults were noted in the section."""
    section.allow(
        "kind", "name", "states", "messages", "actions", "prior", "receiver_prior", "direction",
        "payoffs", "treatments", "feedback", *LAYOUT_KEYS,
    )  # fmt: skip
    return _Reader(section, path).game()


class _Reader:
    """A finite game as it is read: its lists first, then treatments, then what they pay."""

    def __init__(self, section: Section, path: Path) -> None:
        self.section, self.path = section, path
        self.states = section.increasing("states")
        self.messages = section.increasing("messages") if "messages" in section.raw else self.states
        self.labels, self.actions = _actions(section, self.states)
        self.treatments = _treatments(section)
        self.terms = {
            name: FiniteTerms(
                _prior(table, "prior", self.states),
                _prior(table, "receiver_prior", self.states),
                _direction(table),
            )
            for name, (_, table) in (self.treatments or {}).items()
            if table is not None
        }

    def game(self) -> FiniteGame | None:
        """The whole game; None if anything is at fault."""
        section, states = self.section, self.states
        name = section.text("name") if "name" in section.raw else self.path.stem
        prior = _prior(section, "prior", states)
        receiver_prior = _prior(section, "receiver_prior", states)
        direction = _direction(section)
        payoffs = self._payoffs()
        layout = read_layout(section, FiniteGame.trial_columns)
        feedback = read_feedback(section, self.treatments or ())
        for table in payoffs.values():
            if isinstance(table, PayoffTable):
                self._check_table_game(table)
        if states is None or section.faults:
            return None
        game = FiniteGame(
            states,
            self.messages,
            self.actions,
            "uniform" if prior is None else prior,
            next(iter(payoffs.values())),
            None if self.treatments is None else {k: t[0] for k, t in self.treatments.items()},
            layout,
            name or self.path.stem,
            receiver_prior,
            direction,
            list(self.labels) if self.labels else None,
            self._with_payoffs(payoffs),
            feedback,
        )
        self._check_outcomes(game)
        return game

    def _with_payoffs(self, payoffs: Mapping[str, Payoffs]) -> dict[str, FiniteTerms]:
        """The terms of treatments in which anything differs."""
        terms = {}
        for name in self.treatments or {}:
            of_treatment = replace(self.terms.get(name, _NOTHING), payoffs=payoffs.get(name))
            if any(getattr(of_treatment, field.name) is not None for field in fields(of_treatment)):
                terms[name] = of_treatment
        return terms

    def _payoffs(self) -> dict[str, Payoffs]:
        """By treatment, or under `EVERY` alone."""
        section = self.section
        payoffs = section.section("payoffs")
        families = ("power-loss", "table", "formula")
        family = payoffs.text("family", choices=families) if payoffs else None
        for _, table in (self.treatments or {}).values():
            if table is not None and family in families and family != "formula":
                table.allow(*_OF_TREATMENT)
        if payoffs is None or family is None:
            return {}
        if family == "power-loss":
            return self._power_loss(payoffs)
        return self._formulas(payoffs) if family == "formula" else self._tables(payoffs)

    def _power_loss(self, payoffs: Section) -> dict[str, Payoffs]:
        payoffs.allow("family", "constant", "scale", "exponent")
        constant = payoffs.number("constant")
        scale = payoffs.number("scale", above=0)
        exponent = payoffs.number("exponent", least=1)
        if constant is None or scale is None or exponent is None:
            return {}
        return {EVERY: PowerLoss(constant, scale, exponent)}

    def _tables(self, payoffs: Section) -> dict[str, Payoffs]:
        payoffs.allow("family", "sender", "receiver")
        sender, receiver = payoffs.text("sender"), payoffs.text("receiver")
        if sender is None or receiver is None:
            return {}
        if self.states is None or self.messages is None or self.actions is None:
            return {}
        axes = Axes(
            self.states, self.messages, self.actions, list(self.treatments or {}), list(self.labels)
        )
        folder = self.path.parent
        try:
            return dict(read_payoff_tables(folder / sender, folder / receiver, axes))
        except InputError as error:
            self.section.faults.extend(error.faults)
            return {}

    def _formulas(self, payoffs: Section) -> dict[str, Payoffs]:
        payoffs.allow("family", "sender", "receiver", "constants")
        general = _constants(payoffs.section("constants")) if "constants" in payoffs.raw else {}
        by_treatment = {
            name: {} if table is None else _constants(table, _OF_TREATMENT)
            for name, (_, table) in (self.treatments or {}).items()
        }
        known = {*general, *(name for constants in by_treatment.values() for name in constants)}
        labels = dict(zip(self.labels, self.actions or (), strict=False))
        texts, formulas = [], []
        for key, names in (("sender", SENDER_NAMES), ("receiver", RECEIVER_NAMES)):
            text = payoffs.text(key)
            if text is None:
                continue
            texts.append(text)
            try:
                allowed = (*names, *known, *labels)
                formulas.append(parse_formula(text, allowed, payoffs.place(key), labels))
            except InputError as error:
                payoffs.faults.extend(error.faults)
        if len(formulas) < 2:
            return {}
        named = formulas[0].names | formulas[1].names
        self._check_constants(payoffs, general, by_treatment, named)
        if payoffs.faults:
            return {}
        if not any(by_treatment.values()):
            return {EVERY: PayoffFormulas(texts[0], texts[1], general, labels)}
        return {
            name: PayoffFormulas(texts[0], texts[1], general | constants, labels)
            for name, constants in by_treatment.items()
        }

    def _check_constants(
        self,
        payoffs: Section,
        general: Mapping[str, float],
        by_treatment: Mapping[str, Mapping[str, float]],
        named: frozenset[str],
    ) -> None:
        """Constants that payoffs name, in every treatment, and no others."""
        taken = {*SENDER_NAMES, *self.labels, *FUNCTIONS}
        unused = "a name that a formula of [payoffs] uses"
        for key in general:
            if key not in named or key in taken:
                payoffs.faults.append(Fault(payoffs.place(f"constants.{key}"), key, unused))
        needed = {name for constants in by_treatment.values() for name in constants} - set(general)
        for name, constants in by_treatment.items():
            place = self.section.place(f"treatments.{name}")
            for key in constants:
                if key not in named or key in taken:
                    expected = f"one of {', '.join(_OF_TREATMENT)}, or {unused}"
                    payoffs.faults.append(Fault(f"{place}.{key}", key, expected))
            for key in sorted(needed & named - set(constants)):
                payoffs.faults.append(Fault(f"{place}.{key}", "", "a number"))

    def _check_table_game(self, payoffs: PayoffTable) -> None:
        section = self.section
        if self.states and self.messages and not np.isin(self.messages, self.states).all():
            section.note("messages", "messages that are states, since the payoffs are tables")
        if payoffs.biases is None:
            return
        for name, (biases, _) in (self.treatments or {}).items():
            if not set(biases) <= set(payoffs.biases):
                expected = f"biases with a sender table: {listing(payoffs.biases)}"
                place = section.place(f"treatments.{name}")
                section.faults.append(Fault(place, shown(list(biases)), expected))

    def _check_outcomes(self, game: FiniteGame) -> None:
        """Payoffs that are numbers everywhere, and not all the same to the receiver."""
        section = self.section
        treatments = game.treatments or {EVERY: (0.0,)}
        stages = {name: game.in_treatment(name) for name in treatments}
        for name, stage in stages.items():
            tables = [stage.sender_outcomes(bias) for bias in treatments[name]]
            for key, outcomes in (("sender", tables), ("receiver", [stage.receiver_outcomes])):
                wrong = np.argwhere(~np.isfinite(np.stack(outcomes)).all(axis=0))
                if wrong.size:
                    s, m, a = wrong[0]
                    at = (
                        f"state {game.states[s]:g}, message {game.messages[m]:g}, action "
                        f"{game.labels('receiver')[a]}"
                    )
                    where = f" in treatment {name}" if name else ""
                    expected = f"a finite payoff everywhere, but at {at}{where} it is none"
                    section.faults.append(Fault(section.place(f"payoffs.{key}"), "", expected))
                    return
        if not np.ptp([stage.receiver_outcomes for stage in stages.values()]) > 0:
            section.note("payoffs", "receiver payoffs that are not the same everywhere")


def _actions(
    section: Section, states: list[float] | None
) -> tuple[tuple[str, ...], list[float] | None]:
    """Labels, if actions have any, and numbers."""
    raw = section.raw.get("actions")
    if raw is None:
        return (), states
    if isinstance(raw, list) and raw and all(isinstance(item, str) for item in raw):
        raw = {label: position for position, label in enumerate(raw)}
        if len(raw) < len(section.raw["actions"]):
            section.note("actions", "distinct labels")
            return (), None
    if not isinstance(raw, Mapping):
        return (), section.increasing("actions")
    numbers = list(raw.values())
    if (
        not numbers
        or not all(map(is_number, numbers))
        or len(set(numbers)) < len(numbers)
        or not all(label.strip() for label in raw)
    ):
        section.note("actions", "labels with distinct numbers: {accept = 0, ...}")
        return (), None
    ordered = sorted(raw, key=lambda label: float(raw[label]))
    return tuple(ordered), [float(raw[label]) for label in ordered]


def _prior(section: Section, key: str, states: list[float] | None) -> list[float] | None:
    """Probabilities of the states; None for the default, and where they are at fault."""
    prior = section.raw.get(key)
    if prior is None or states is None:
        return None
    if prior == "uniform":
        return [1 / len(states)] * len(states) if key != "prior" or section.name else None
    listed = isinstance(prior, list) and all(is_number(p) and p >= 0 for p in prior)
    if not listed or len(prior) != len(states) or not np.isclose(sum(prior), 1):
        section.note(key, f'"uniform" or {len(states)} probabilities that add up to 1')
        return None
    return [float(p) for p in prior]


def _direction(section: Section) -> Any:
    value = section.raw.get("direction")
    if value is None or value in _DIRECTIONS:
        return value
    return section.text("direction", choices=_DIRECTIONS)


def _constants(section: Section | None, besides: tuple[str, ...] = ()) -> dict[str, float]:
    """The numbers of a table, but for some keys."""
    if section is None:
        return {}
    read = {key: section.number(key) for key in section.raw if key not in besides}
    return {key: value for key, value in read.items() if value is not None}


def _treatments(section: Section) -> dict[str, tuple[tuple[float, ...], Section | None]] | None:
    """The biases of each treatment, and its table if it has one."""
    treatments = section.section("treatments") if "treatments" in section.raw else None
    if treatments is None:
        return None
    if not treatments.raw:
        section.note("treatments", "at least one treatment")
    listed: dict[str, tuple[tuple[float, ...], Section | None]] = {}
    for name, value in treatments.raw.items():
        table = treatments.section(name) if isinstance(value, Mapping) else None
        raw = table.raw.get("bias", 0.0) if table is not None else value
        biases = raw if isinstance(raw, list) else [raw]
        if biases and all(map(is_number, biases)):
            listed[name] = (tuple(float(bias) for bias in biases), table)
        elif table is not None:
            table.note("bias", "a bias, or a list of biases")
        else:
            treatments.note(name, "a bias, or a list of biases")
    return listed
