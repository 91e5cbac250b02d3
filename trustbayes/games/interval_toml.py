"""The keys of a game file of ``kind = "interval"``."""

from __future__ import annotations

import math
from pathlib import Path

from trustbayes.errors import Fault
from trustbayes.games.continuous import feedback_faults
from trustbayes.games.feedback import read_feedback
from trustbayes.games.interval import (
    NUMBERS,
    PAYOFFS,
    SAID_BY_PAYOFFS,
    IntervalGame,
    interval_faults,
    power_loss,
)
from trustbayes.games.layout_toml import LAYOUT_KEYS, read_layout
from trustbayes.games.toml_section import Section

__all__ = ["read_interval"]

_LIMITS = {"scale": {"above": 0.0}, "exponent": {"least": 1.0}}


def read_interval(section: Section, path: Path) -> IntervalGame | None:
    """Read the game; None if faults were noted in the section."""
    section.allow(
        "kind", "name", *NUMBERS, "payoffs", "treatments", "feedback", *LAYOUT_KEYS
    )  # fmt: skip
    name = section.text("name") if "name" in section.raw else path.stem
    low, high = (_or_nan(section.number(key)) for key in ("lowest", "highest"))
    step, round_to = (
        section.number(key) if key in section.raw else None for key in ("step", "round_to")
    )
    stated = _payoffs(section) if "payoffs" in section.raw else {}
    treatments = _treatments(section)
    layout = read_layout(section, IntervalGame.trial_columns)
    feedback = read_feedback(section, treatments)
    noted = [fault.place for fault in section.faults]
    numbers = dict(zip(NUMBERS, (low, high, step, round_to), strict=True))
    for fault in (
        *interval_faults(numbers, treatments),
        *feedback_faults(feedback, SAID_BY_PAYOFFS),
    ):
        place = section.place(fault.place)
        if not any(place == other or other.startswith(f"{place}.") for other in noted):
            section.faults.append(Fault(place, fault.value, fault.expected))
    if section.faults:
        return None
    return IntervalGame(
        low,
        high,
        treatments,
        power_loss(stated, high - low),
        step,
        layout=layout,
        name=name or path.stem,
        feedback=feedback,
        round_to=round_to,
    )


def _payoffs(section: Section) -> dict[str, float]:
    """The numbers of [payoffs] that are stated, and can be."""
    table = section.section("payoffs")
    if table is None:
        return {}
    table.allow("family", *PAYOFFS)
    if "family" in table.raw:
        table.text("family", choices=("power-loss",))
    read = {key: table.number(key, **_LIMITS.get(key, {})) for key in PAYOFFS if key in table.raw}
    return {key: value for key, value in read.items() if value is not None}


def _treatments(section: Section) -> dict[str, float]:
    """The bias of each treatment; NaN where none could be read, which is then noted."""
    listed = section.section("treatments")
    if listed is None:
        return {}
    return {name: _or_nan(listed.number(name)) for name in listed.raw}


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
