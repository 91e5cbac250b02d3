"""Reading a game from a TOML file, strictly: every unknown key is a fault, all are reported."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from trustbayes.errors import Fault, InputError, listing, suggestion
from trustbayes.games.finite import FiniteGame, Layout
from trustbayes.games.payoffs import Payoffs, PayoffTable, PowerLoss
from trustbayes.games.tables import read_payoff_table
from trustbayes.textfile import read_bytes

__all__ = ["COLUMNS", "read_game"]

COLUMNS = (
    "sender",
    "receiver",
    "round",
    "treatment",
    "bias",
    "state",
    "message",
    "action",
    "group",
)
"""The standard names of the columns of a trial table."""


def read_game(path: str | Path) -> FiniteGame:
    """Read a game file.

    Parameters
    ----------
    path : str or Path
        A TOML file with the keys ``kind`` ("finite"), ``states``, optionally ``name`` (default:
        the file's name), ``messages`` and ``actions`` (default: the states), ``prior`` (default:
        "uniform"), and the tables

        - ``[payoffs]``: ``family = "power-loss"`` with ``constant``, ``scale``, ``exponent``; or
          ``family = "table"`` with ``sender`` and ``receiver``, CSV files beside the game file
          with the columns state, action, payoff (and, for the sender, optionally bias: one
          table per bias; without it one table serves every bias),
        - ``[treatments]``, optional: name = bias or list of biases,
        - ``[columns]``, optional: standard column name = name in the trial file,
        - ``[exclude]``, optional: column of the trial file = value or list of values.

    Returns
    -------
    FiniteGame
        With the file's ``[columns]`` and ``[exclude]`` as its ``layout``.

    Raises
    ------
    InputError
        Listing everything that is wrong with the file.

    Examples
    --------
    >>> read_game("data/games/ioannidis-2024.toml").treatments  # doctest: +SKIP
    {'Low': (0.2,), 'Medium': (1.0,), 'Large': (2.0,)}
    """
    path = Path(path)
    content = read_bytes(path, "a game file (TOML)")
    try:
        raw = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError(Fault(path.name, "", "a TOML file in UTF-8")) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(Fault(path.name, "", f"a TOML file ({error})")) from None
    section = _Section(raw, path.name, "", [])
    kind = section.text("kind", choices=tuple(_KINDS))
    if kind is None:
        raise InputError(section.faults)
    game = _KINDS[kind](section, path)
    if section.faults or game is None:
        raise InputError(section.faults)
    return game


class _Section:
    """One table of the file; every look-up that fails is noted as a fault and gives None."""

    def __init__(self, raw: Mapping[str, Any], file: str, name: str, faults: list[Fault]) -> None:
        self.raw, self.file, self.name, self.faults = raw, file, name, faults

    def note(self, key: str, expected: str) -> None:
        """Note a fault at a key."""
        name = f"{self.name}.{key}" if self.name else key
        value = _shown(self.raw[key]) if key in self.raw else ""
        self.faults.append(Fault(f"{self.file}, key {name}", value, expected))

    def allow(self, *keys: str) -> None:
        """Note every key that is not among these."""
        for key in self.raw:
            if key not in keys:
                name = f"{self.name}.{key}" if self.name else key
                place = f"{self.file}, key {name}"
                self.faults.append(Fault(place, key, suggestion(key, keys)))

    def text(self, key: str, choices: tuple[str, ...] = ()) -> str | None:
        """A text, one of the choices if there are any."""
        value = self.raw.get(key)
        if not isinstance(value, str) or not value.strip():
            named = " or ".join(f'"{choice}"' for choice in choices)
            self.note(key, named or "a text")
            return None
        if choices and value not in choices:
            self.note(key, suggestion(value, choices))
            return None
        return value

    def number(self, key: str, least: float = -math.inf, above: float = -math.inf) -> float | None:
        """A finite number, at least ``least`` and above ``above``."""
        value = self.raw.get(key)
        if not _is_number(value) or value < least or value <= above:
            bound = f" above {above:g}" if above > -math.inf else ""
            bound += f" of at least {least:g}" if least > -math.inf else ""
            self.note(key, f"a number{bound}")
            return None
        return float(value)

    def increasing(self, key: str) -> list[float] | None:
        """A list of distinct numbers in increasing order."""
        value = self.raw.get(key)
        if (
            not isinstance(value, list)
            or not value
            or not all(map(_is_number, value))
            or any(b <= a for a, b in pairwise(value))
        ):
            self.note(key, "a list of distinct numbers in increasing order")
            return None
        return [float(item) for item in value]

    def section(self, key: str) -> _Section | None:
        """A table inside this one."""
        value = self.raw.get(key)
        if not isinstance(value, Mapping):
            self.note(key, f"a table [{key}]")
            return None
        return _Section(value, self.file, key, self.faults)


def _finite(section: _Section, path: Path) -> FiniteGame | None:
    section.allow(
        "kind", "name", "states", "messages", "actions", "prior", "payoffs", "treatments",
        "columns", "exclude",
    )  # fmt: skip
    name = section.text("name") if "name" in section.raw else path.stem
    states = section.increasing("states")
    messages = section.increasing("messages") if "messages" in section.raw else states
    actions = section.increasing("actions") if "actions" in section.raw else states
    prior = _prior(section, states)
    treatments = _treatments(section)
    payoffs = _payoffs(section, path, states, actions)
    layout = Layout(_columns(section), _exclude(section))
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


_KINDS: dict[str, Callable[[_Section, Path], FiniteGame | None]] = {"finite": _finite}


def _prior(section: _Section, states: list[float] | None) -> Any:
    prior = section.raw.get("prior", "uniform")
    if prior == "uniform" or states is None:
        return prior
    listed = isinstance(prior, list) and all(_is_number(p) and p >= 0 for p in prior)
    if not listed or len(prior) != len(states) or not np.isclose(sum(prior), 1):
        section.note("prior", f'"uniform" or {len(states)} probabilities that add up to 1')
    return prior


def _payoffs(
    section: _Section, path: Path, states: list[float] | None, actions: list[float] | None
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
    section: _Section,
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
            place = f"{section.file}, key treatments.{name}"
            section.faults.append(Fault(place, _shown(list(biases)), expected))


def _treatments(section: _Section) -> dict[str, tuple[float, ...]] | None:
    treatments = section.section("treatments") if "treatments" in section.raw else None
    if treatments is None:
        return None
    if not treatments.raw:
        section.note("treatments", "at least one treatment")
    listed = {}
    for name, value in treatments.raw.items():
        biases = value if isinstance(value, list) else [value]
        if not biases or not all(map(_is_number, biases)):
            treatments.note(name, "a bias, or a list of biases")
        else:
            listed[name] = tuple(float(bias) for bias in biases)
    return listed


def _columns(section: _Section) -> dict[str, str]:
    columns = section.section("columns") if "columns" in section.raw else None
    if columns is None:
        return {}
    columns.allow(*COLUMNS)
    named = {key: columns.text(key) for key in columns.raw if key in COLUMNS}
    return {key: name for key, name in named.items() if name is not None}


def _exclude(section: _Section) -> dict[str, tuple[Any, ...]]:
    exclude = section.section("exclude") if "exclude" in section.raw else None
    if exclude is None:
        return {}
    rules = {}
    for column, value in exclude.raw.items():
        values = value if isinstance(value, list) else [value]
        if not values or not all(_is_number(v) or isinstance(v, str) for v in values):
            exclude.note(column, "a number or a text, or a list of them")
        else:
            rules[column] = tuple(values)
    return rules


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
