"""The "all or nothing" benchmarks of the forecast-sharing game, declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trustbayes.games.forecast import ForecastGame
from trustbayes.models.finite import benchmarks as finite
from trustbayes.models.forecast.response import censored
from trustbayes.models.forecast.shared import NOISE, RESPONSE_NOISE, trial_terms
from trustbayes.models.spec import Parameter
from trustbayes.models.values import Values
from trustbayes.priors import Prior
from trustbayes.theories.forecast import benchmarks as theory

__all__ = [
    "BABBLING_RECEIVER",
    "BABBLING_SENDER",
    "FULL_TRUST_RECEIVER",
    "FULL_TRUST_SENDER",
]

_HABIT = Parameter(
    name="habit",
    symbol="h",
    meaning="report that a sender makes, whatever the forecast",
    unit="share of the forecast range a",
    support="real",
    varies=("subject",),
    prior=Prior(
        "Normal",
        mu=Prior("Normal", mu=0.0, sigma=0.5),
        sigma=Prior("HalfNormal", sigma=0.5),
    ),
    report_unit="units of demand",
    report_factor="scale",
)


def _babbling_reports(game: ForecastGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return values.of_trials("habit") * game.scale


def _babbling_capacities(game: ForecastGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return theory.babbling_capacity(trial_terms(game, values.units))


def _truth(game: ForecastGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return values.units.trial_seen


def _credulous_capacities(
    game: ForecastGame, values: Values, conventions: Mapping[str, Any]
) -> Any:
    return theory.credulous_capacity(values.units.trial_seen, trial_terms(game, values.units))


def _spec(finite_spec: Any, answer: Any, *own: Parameter) -> Any:
    return replace(
        finite_spec,
        kind="forecast-sharing",
        parameters=(RESPONSE_NOISE, *own),
        conventions=(NOISE,),
        answer=answer,
        response=censored(finite_spec.role),
    )


BABBLING_SENDER = _spec(finite.BABBLING_SENDER, _babbling_reports, _HABIT)
BABBLING_RECEIVER = _spec(finite.BABBLING_RECEIVER, _babbling_capacities)
FULL_TRUST_SENDER = _spec(finite.FULL_TRUST_SENDER, _truth)
FULL_TRUST_RECEIVER = _spec(finite.FULL_TRUST_RECEIVER, _credulous_capacities)
