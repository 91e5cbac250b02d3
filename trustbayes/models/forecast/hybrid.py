"""The hybrids of the forecast-sharing game, declared: limited thinking with lying aversion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.games.forecast import ForecastGame
from trustbayes.models.finite.level_k import LEVEL, MAX_LEVEL
from trustbayes.models.finite.trust_embedded import TRUST
from trustbayes.models.forecast.level_k import RECEIVER as LEVEL_K_RECEIVER
from trustbayes.models.forecast.level_k import UNSENT
from trustbayes.models.forecast.response import censored
from trustbayes.models.forecast.shared import CITATION, NOISE, RESPONSE_NOISE, trial_terms
from trustbayes.models.forecast.trust_embedded import INDIFFERENCE, LYING_AVERSION
from trustbayes.models.spec import ModelSpec
from trustbayes.models.values import Values
from trustbayes.theories.forecast import hybrid as theory

__all__ = ["RECEIVER", "SENDER"]

_CITATION = f"{CITATION}; Crawford (2003), American Economic Review 93(1); as specified here"


def _reports(game: ForecastGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return theory.hybrid_reports(
        values.units.trial_seen,
        values.of_trials("lying_aversion") * game.lying_unit,
        conventions["max_level"],
        trial_terms(game, values.units),
        wavering=conventions["indifference"] == "waver",
    )


def _capacities(game: ForecastGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return theory.hybrid_capacities(
        values.units.trial_seen,
        values.of_trials("trust"),
        conventions["max_level"],
        trial_terms(game, values.units),
        conventions["unsent"],
    )


def _level_0_ignores(name: str) -> Any:
    """Level 0 tells or believes the truth, whatever the parameter."""
    return lambda conventions: {"0": (name,)}


SENDER = ModelSpec(
    name="hybrid",
    role="sender",
    kind="forecast-sharing",
    title="Hybrid",
    description="Senders think a few steps ahead, as level-k ones do, and dislike lying.",
    citation=_CITATION,
    parameters=(RESPONSE_NOISE, LYING_AVERSION, LEVEL),
    conventions=(MAX_LEVEL, INDIFFERENCE, NOISE),
    answer=_reports,
    response=censored("sender"),
    types=LEVEL_K_RECEIVER.types,
    ignores=_level_0_ignores("lying_aversion"),
    placed=True,
    by_default=False,
)

RECEIVER = ModelSpec(
    name="hybrid",
    role="receiver",
    kind="forecast-sharing",
    title="Hybrid",
    description=(
        "Receivers take a report at its word by their trust factor, and for the rest read it as "
        "level-k receivers do."
    ),
    citation=_CITATION,
    parameters=(RESPONSE_NOISE, TRUST, LEVEL),
    conventions=(MAX_LEVEL, UNSENT, NOISE),
    answer=_capacities,
    response=censored("receiver"),
    types=LEVEL_K_RECEIVER.types,
    ignores=_level_0_ignores("trust"),
    placed=True,
    by_default=False,
)
