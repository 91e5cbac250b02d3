"""The keys of a game file of ``kind = "forecast-sharing"``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from trustbayes.errors import Fault
from trustbayes.games.continuous import feedback_faults
from trustbayes.games.feedback import read_feedback
from trustbayes.games.forecast import (
    NUMBERS,
    SAID_BY_PAYOFFS,
    ForecastGame,
    Market,
    game_faults,
)
from trustbayes.games.layout_toml import LAYOUT_KEYS, read_layout
from trustbayes.games.toml_section import Section

__all__ = ["read_forecast"]

_MARKET = ("capacity_cost", "uncertainty")


def read_forecast(section: Section, path: Path) -> ForecastGame | None:
    """Read the game; None if faults were noted in the section."""
    section.allow("kind", "name", *NUMBERS, "treatments", "feedback", *LAYOUT_KEYS)
    name = section.text("name") if "name" in section.raw else path.stem
    default = ForecastGame()
    numbers = {
        key: _number(section, key) if key in section.raw else float(getattr(default, key))
        for key in NUMBERS
    }
    treatments = _treatments(section) if "treatments" in section.raw else default.treatments
    layout = read_layout(section, ForecastGame.trial_columns)
    feedback = read_feedback(section, treatments)
    for fault in feedback_faults(feedback, SAID_BY_PAYOFFS):
        section.faults.append(Fault(section.place(fault.place), fault.value, fault.expected))
    _note_senseless(section, numbers, treatments)
    if section.faults:
        return None
    return ForecastGame(
        **numbers,
        treatments=treatments,
        layout=layout,
        name=name or path.stem,
        feedback=feedback,
    )


def _treatments(section: Section) -> dict[str, Market]:
    listed = section.section("treatments")
    markets: dict[str, Market] = {}
    if listed is None:
        return markets
    for name in listed.raw:
        market = listed.section(name, *_MARKET)
        if market is not None:
            market.allow(*_MARKET)
            markets[name] = Market(*(_number(market, key) for key in _MARKET))
    return markets


def _number(section: Section, key: str) -> float:
    """The number at a key; where none could be read, which is then noted, NaN."""
    value = section.number(key)
    return math.nan if value is None else value


def _note_senseless(
    section: Section, numbers: Mapping[str, float], treatments: Mapping[str, Market]
) -> None:
    """Note what makes no sense, except where something could not be read and was noted."""
    noted = [f"{fault.place}." for fault in section.faults]
    for fault in game_faults(numbers, treatments):
        place = section.place(fault.place)
        stated = fault.place.partition(".")[0] in section.raw
        value = fault.value if stated else f"{fault.value} (the default)"
        if not any(other.startswith(f"{place}.") for other in noted):
            section.faults.append(Fault(place, value, fault.expected))
