"""The keys of a game file of ``kind = "recommendation"``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trustbayes.errors import Fault
from trustbayes.games.layout_toml import read_layout
from trustbayes.games.recommendation import (
    NUMBERS,
    Adviser,
    RecommendationGame,
    recommendation_faults,
)
from trustbayes.games.toml_section import Section, is_number

__all__ = ["read_recommendation"]

_DEFAULTS: Mapping[str, float | None] = dict.fromkeys(NUMBERS) | {
    "lowest": -math.inf,
    "highest": math.inf,
    "advisers": 1,
}


def read_recommendation(section: Section, path: Path) -> RecommendationGame | None:
    """Read the game; None if faults were noted in the section."""
    section.allow("kind", "name", *NUMBERS, "treatments", "columns", "exclude")
    name = section.text("name") if "name" in section.raw else path.stem
    numbers: dict[str, Any] = dict(_DEFAULTS)
    for key in NUMBERS:
        if key in section.raw:
            value = section.number(key)
            if value is not None:
                numbers[key] = value
    treatments = _treatments(section) if "treatments" in section.raw else None
    layout = read_layout(section, RecommendationGame.trial_columns)
    noted = [fault.place for fault in section.faults]
    for fault in recommendation_faults(numbers, treatments):
        place = section.place(fault.place)
        if not any(place == other or other.startswith(f"{place}.") for other in noted):
            section.faults.append(Fault(place, fault.value, fault.expected))
    if section.faults:
        return None
    return RecommendationGame(
        **numbers, treatments=treatments, layout=layout, name=name or path.stem
    )


def _treatments(section: Section) -> dict[str, Adviser]:
    listed = section.section("treatments")
    advisers: dict[str, Adviser] = {}
    if listed is None:
        return advisers
    for name in listed.raw:
        adviser = listed.section(name, "adviser_error")
        if adviser is not None:
            adviser.allow("adviser_error")
            adviser.number("adviser_error")
            error = adviser.raw.get("adviser_error")
            advisers[name] = Adviser(float(error) if is_number(error) else math.nan)
    return advisers
