"""The level-k models of the forecast-sharing game, declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trustbayes.games.forecast import ForecastGame
from trustbayes.models.finite import level_k as finite
from trustbayes.models.forecast.response import censored
from trustbayes.models.forecast.shared import NOISE, RESPONSE_NOISE, trial_terms
from trustbayes.models.spec import Convention
from trustbayes.models.values import Values
from trustbayes.theories.forecast import level_k as theory

__all__ = ["RECEIVER", "SENDER", "UNSENT"]

UNSENT = Convention(
    name="unsent",
    choices=("monotone", "prior"),
    rivals=("monotone", "prior"),
    default="monotone",
    meaning=(
        "How a receiver reads a report that the sender he reckons with never makes: as the next "
        "report above that she does make, or as no news."
    ),
)


def _reports(game: ForecastGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    units = values.units
    return theory.reports(units.trial_seen, conventions["max_level"], trial_terms(game, units))


def _capacities(game: ForecastGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    units = values.units
    return theory.capacities(
        units.trial_seen,
        conventions["max_level"],
        trial_terms(game, units),
        conventions["unsent"],
    )


SENDER = replace(
    finite.SENDER,
    kind="forecast-sharing",
    parameters=(RESPONSE_NOISE, finite.LEVEL),
    conventions=(finite.MAX_LEVEL, NOISE),
    answer=_reports,
    response=censored("sender"),
)

RECEIVER = replace(
    finite.RECEIVER,
    kind="forecast-sharing",
    parameters=(RESPONSE_NOISE, finite.LEVEL),
    conventions=(finite.MAX_LEVEL, UNSENT, NOISE),
    answer=_capacities,
    response=censored("receiver"),
)
