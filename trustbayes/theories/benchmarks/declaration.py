"""The "all or nothing" benchmarks of the finite game, declared: babbling and full trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from trustbayes.games.base import Role
from trustbayes.games.finite import FiniteGame
from trustbayes.games.forecast import ForecastGame
from trustbayes.priors.prior import Prior
from trustbayes.theories.adapters import trial_terms
from trustbayes.theories.benchmarks import finite, forecast
from trustbayes.theories.responses.censored import NOISE, RESPONSE_NOISE, censored
from trustbayes.theories.responses.logit import LAPSE, RESPONSE_PRECISION, WITH_LAPSE, logit
from trustbayes.theories.spec import ModelSpec, Parameter
from trustbayes.theories.values import Values

__all__ = [
    "FINITE_BABBLING_RECEIVER",
    "FINITE_BABBLING_SENDER",
    "FINITE_FULL_TRUST_RECEIVER",
    "FINITE_FULL_TRUST_SENDER",
    "FORECAST_BABBLING_RECEIVER",
    "FORECAST_BABBLING_SENDER",
    "FORECAST_FULL_TRUST_RECEIVER",
    "FORECAST_FULL_TRUST_SENDER",
    "HABIT",
]

_CRAWFORD_SOBEL = "Crawford and Sobel (1982), Econometrica 50(6)"


HABIT = Parameter(
    name="habit",
    symbol="h",
    meaning="log propensity to send a message, whatever the state",
    unit="log odds",
    support="real",
    varies=("subject",),
    prior=Prior(
        "Normal", mu=Prior("ZeroSumNormal", sigma=1.0), sigma=Prior("HalfNormal", sigma=1.0)
    ),
    option="message",
)


# Receivers who follow messages leave this model with a precision near zero; a population of
# shape one keeps its density bounded there.
_IGNORING_PRECISION = replace(
    RESPONSE_PRECISION,
    prior=Prior("Gamma", mean=Prior("LogNormal", mu=1.0, sigma=1.0), shape=1.0),
)


def _babbling_sender(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return values.of_units("habit")[..., None, :] + np.zeros((game.states.size, 1))


def _babbling_receiver(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    table = finite.babbling_receiver_utility(game) / game.scale
    return np.broadcast_to(table, (values.units.unit_subject.size, *table.shape))


def _full_trust(role: Role) -> Any:
    def utility(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
        table = finite.full_trust_utility(game, role) / game.scale
        return np.broadcast_to(table, (values.units.unit_subject.size, *table.shape))

    return utility


FINITE_BABBLING_SENDER = ModelSpec(
    name="babbling",
    role="sender",
    kind="finite",
    title="Babbling",
    description="Messages carry no information: each sender has her habits, whatever the state.",
    citation=_CRAWFORD_SOBEL,
    parameters=(HABIT,),
    conventions=(),
    answer=_babbling_sender,
    response=logit,
)


FINITE_BABBLING_RECEIVER = ModelSpec(
    name="babbling",
    role="receiver",
    kind="finite",
    title="Babbling",
    description="Receivers ignore the message and answer the prior.",
    citation=_CRAWFORD_SOBEL,
    parameters=(_IGNORING_PRECISION, LAPSE),
    conventions=(WITH_LAPSE,),
    answer=_babbling_receiver,
    response=logit,
)


FINITE_FULL_TRUST_SENDER = ModelSpec(
    name="full-trust",
    role="sender",
    kind="finite",
    title="Full trust",
    description="Senders want to be understood, and err only by noise.",
    citation="the truthful benchmark; level 0 of the level-k model",
    parameters=(RESPONSE_PRECISION, LAPSE),
    conventions=(WITH_LAPSE,),
    answer=_full_trust("sender"),
    response=logit,
)


FINITE_FULL_TRUST_RECEIVER = ModelSpec(
    name="full-trust",
    role="receiver",
    kind="finite",
    title="Full trust",
    description="Receivers take every message at its word, and err only by noise.",
    citation="the credulous benchmark; level 0 of the level-k model",
    parameters=(RESPONSE_PRECISION, LAPSE),
    conventions=(WITH_LAPSE,),
    answer=_full_trust("receiver"),
    response=logit,
)


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
    return forecast.babbling_capacity(trial_terms(game, values.units))


def _truth(game: ForecastGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return values.units.trial_seen


def _credulous_capacities(
    game: ForecastGame, values: Values, conventions: Mapping[str, Any]
) -> Any:
    return forecast.credulous_capacity(values.units.trial_seen, trial_terms(game, values.units))


def _spec(finite_spec: Any, answer: Any, *own: Parameter) -> Any:
    return replace(
        finite_spec,
        kind="forecast-sharing",
        parameters=(RESPONSE_NOISE, *own),
        conventions=(NOISE,),
        answer=answer,
        response=censored(finite_spec.role),
    )


FORECAST_BABBLING_SENDER = _spec(FINITE_BABBLING_SENDER, _babbling_reports, _HABIT)


FORECAST_BABBLING_RECEIVER = _spec(FINITE_BABBLING_RECEIVER, _babbling_capacities)


FORECAST_FULL_TRUST_SENDER = _spec(FINITE_FULL_TRUST_SENDER, _truth)


FORECAST_FULL_TRUST_RECEIVER = _spec(FINITE_FULL_TRUST_RECEIVER, _credulous_capacities)
