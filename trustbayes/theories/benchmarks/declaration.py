"""The "all or nothing" benchmarks, declared: babbling and full trust.

For finite games, forecast sharing, and games on an interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from trustbayes.games.base import Role
from trustbayes.games.continuous import ContinuousGame
from trustbayes.games.finite import FiniteGame
from trustbayes.games.forecast import ForecastGame
from trustbayes.games.interval import IntervalGame
from trustbayes.priors.prior import Prior
from trustbayes.theories.adapters import trial_terms, unit_conditions
from trustbayes.theories.benchmarks import finite, forecast
from trustbayes.theories.responses.censored import INTERVAL_NOISE, RESPONSE_NOISE, censored
from trustbayes.theories.responses.heaped import HEAPING, ROUNDING, heaped
from trustbayes.theories.responses.logit import LAPSE, RESPONSE_PRECISION, WITH_LAPSE, logit
from trustbayes.theories.responses.noises import NOISE
from trustbayes.theories.spec import Guide, Line, Look, ModelSpec, Parameter
from trustbayes.theories.values import Values

__all__ = [
    "BABBLING",
    "FINITE_BABBLING_RECEIVER",
    "FINITE_BABBLING_SENDER",
    "FINITE_FULL_TRUST_RECEIVER",
    "FINITE_FULL_TRUST_SENDER",
    "FORECAST_BABBLING_RECEIVER",
    "FORECAST_BABBLING_SENDER",
    "FORECAST_FULL_TRUST_RECEIVER",
    "FORECAST_FULL_TRUST_SENDER",
    "FULL_TRUST",
    "INTERVAL_BABBLING_RECEIVER",
    "INTERVAL_BABBLING_SENDER",
    "INTERVAL_FULL_TRUST_RECEIVER",
    "INTERVAL_FULL_TRUST_SENDER",
    "MESSAGE_HABIT",
    "SPECS",
]

BABBLING = "babbling"
FULL_TRUST = "full-trust"

_BABBLING_LOOK = Look("#009E73", "^", ":", "..")
_FULL_TRUST_LOOK = Look("#CC79A7", "D", "-.")
_CRAWFORD_SOBEL = "Crawford and Sobel (1982), Econometrica 50(6)"


MESSAGE_HABIT = Parameter(
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


def _by_unit(table: Callable[[FiniteGame], Any], game: FiniteGame, values: Values) -> Any:
    """The standardised table of every unit's condition."""
    conditions = unit_conditions(game, values.units)
    stacked = np.stack([table(stage) / game.scale for stage, _ in conditions.distinct])
    return stacked[conditions.index]


def _babbling_sender(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return values.of_units("habit")[..., None, :] + np.zeros((game.states.size, 1))


def _babbling_receiver(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return _by_unit(finite.babbling_receiver_utility, game, values)


def _full_trust(role: Role) -> Any:
    def utility(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
        return _by_unit(lambda stage: finite.full_trust_utility(stage, role), game, values)

    return utility


FINITE_BABBLING_SENDER = ModelSpec(
    name=BABBLING,
    role="sender",
    kind="finite",
    title="Babbling",
    look=_BABBLING_LOOK,
    benchmark=True,
    description="Messages carry no information: each sender has her habits, whatever the state.",
    manner="as if messages meant nothing",
    citation=_CRAWFORD_SOBEL,
    parameters=(MESSAGE_HABIT,),
    conventions=(),
    answer=_babbling_sender,
    response=logit,
)

FINITE_BABBLING_RECEIVER = ModelSpec(
    name=BABBLING,
    role="receiver",
    kind="finite",
    title="Babbling",
    look=_BABBLING_LOOK,
    benchmark=True,
    description="Receivers ignore the message and answer the prior.",
    manner="as if messages meant nothing",
    citation=_CRAWFORD_SOBEL,
    parameters=(_IGNORING_PRECISION, LAPSE),
    conventions=(WITH_LAPSE,),
    answer=_babbling_receiver,
    response=logit,
)

FINITE_FULL_TRUST_SENDER = ModelSpec(
    name=FULL_TRUST,
    role="sender",
    kind="finite",
    title="Full trust",
    look=_FULL_TRUST_LOOK,
    benchmark=True,
    description="Senders want to be understood, and err only by noise.",
    manner="as if only the truth would do",
    citation="the truthful benchmark; level 0 of the level-k model",
    parameters=(RESPONSE_PRECISION, LAPSE),
    conventions=(WITH_LAPSE,),
    answer=_full_trust("sender"),
    response=logit,
    weighs_fines=True,
)

FINITE_FULL_TRUST_RECEIVER = ModelSpec(
    name=FULL_TRUST,
    role="receiver",
    kind="finite",
    title="Full trust",
    look=_FULL_TRUST_LOOK,
    benchmark=True,
    description="Receivers take every message at its word, and err only by noise.",
    manner="as if every message were true",
    citation="the credulous benchmark; level 0 of the level-k model",
    parameters=(RESPONSE_PRECISION, LAPSE),
    conventions=(WITH_LAPSE,),
    answer=_full_trust("receiver"),
    response=logit,
)

_REPORT_HABIT = Parameter(
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


def _truth(game: ContinuousGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return values.units.trial_seen


def _credulous_capacities(
    game: ForecastGame, values: Values, conventions: Mapping[str, Any]
) -> Any:
    return forecast.credulous_capacity(values.units.trial_seen, trial_terms(game, values.units))


def _mean_report(
    game: ContinuousGame, treatment: str, seen: np.ndarray, mean_report: float
) -> Line:
    """Any report will do, if only it is unrelated to the forecast."""
    return Line(seen, np.full_like(seen, mean_report))


def _prior_capacity(
    game: ForecastGame, treatment: str, seen: np.ndarray, mean_report: float
) -> Line:
    return Line(seen, np.full_like(seen, forecast.babbling_capacity(game.terms([treatment]))[0]))


def _face_value(game: ContinuousGame, treatment: str, seen: np.ndarray, mean_report: float) -> Line:
    return Line(seen, seen)


def _credulous_capacity(
    game: ForecastGame, treatment: str, seen: np.ndarray, mean_report: float
) -> Line:
    return Line(seen, forecast.credulous_capacity(seen, game.terms([treatment])))


def _of_forecast_sharing(
    finite_spec: ModelSpec, answer: Any, guide: Guide, *parameters: Parameter
) -> ModelSpec:
    """The same benchmark in the other kind of game."""
    return replace(
        finite_spec,
        kind="forecast-sharing",
        parameters=(RESPONSE_NOISE, *parameters),
        conventions=(NOISE,),
        answer=answer,
        response=censored(finite_spec.role),
        guide=guide,
    )


FORECAST_BABBLING_SENDER = _of_forecast_sharing(
    FINITE_BABBLING_SENDER,
    _babbling_reports,
    Guide("babbling (here: the mean report)", _mean_report),
    _REPORT_HABIT,
)

FORECAST_BABBLING_RECEIVER = _of_forecast_sharing(
    FINITE_BABBLING_RECEIVER, _babbling_capacities, Guide("babbling", _prior_capacity)
)

FORECAST_FULL_TRUST_SENDER = _of_forecast_sharing(
    FINITE_FULL_TRUST_SENDER, _truth, Guide("truth", _face_value)
)

FORECAST_FULL_TRUST_RECEIVER = _of_forecast_sharing(
    FINITE_FULL_TRUST_RECEIVER,
    _credulous_capacities,
    Guide("credulous (full trust)", _credulous_capacity),
)

_MESSAGE_HABIT_ON_INTERVAL = replace(
    _REPORT_HABIT,
    meaning="how far above the middle of the interval a sender's message is, whatever the state",
    unit="share of half the interval",
    report_unit="units of the state",
)


def _babbling_messages(game: IntervalGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return trial_terms(game, values.units).middle + values.of_trials("habit") * game.scale


def _middle_always(game: IntervalGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return np.full(values.units.trial_unit.shape, trial_terms(game, values.units).middle)


def _middle_line(game: IntervalGame, treatment: str, seen: np.ndarray, mean_report: float) -> Line:
    return Line(seen, np.full_like(seen, game.terms([treatment]).middle))


def _on_interval(spec: ModelSpec, answer: Any, guide: Guide, *parameters: Parameter) -> ModelSpec:
    """The same benchmark of forecast sharing in the game on an interval."""
    return replace(
        spec,
        kind="interval",
        parameters=(INTERVAL_NOISE, *parameters, ROUNDING),
        conventions=(NOISE, HEAPING),
        answer=answer,
        response=heaped(spec.role),
        guide=guide,
    )


INTERVAL_BABBLING_SENDER = _on_interval(
    FORECAST_BABBLING_SENDER,
    _babbling_messages,
    Guide("babbling (here: the mean message)", _mean_report),
    _MESSAGE_HABIT_ON_INTERVAL,
)

INTERVAL_BABBLING_RECEIVER = _on_interval(
    FORECAST_BABBLING_RECEIVER, _middle_always, Guide("babbling", _middle_line)
)

INTERVAL_FULL_TRUST_SENDER = _on_interval(
    FORECAST_FULL_TRUST_SENDER, _truth, Guide("truth", _face_value)
)

INTERVAL_FULL_TRUST_RECEIVER = _on_interval(
    FORECAST_FULL_TRUST_RECEIVER, _truth, Guide("credulous (full trust)", _face_value)
)

SPECS = (
    FINITE_BABBLING_SENDER,
    FINITE_BABBLING_RECEIVER,
    FINITE_FULL_TRUST_SENDER,
    FINITE_FULL_TRUST_RECEIVER,
    FORECAST_BABBLING_SENDER,
    FORECAST_BABBLING_RECEIVER,
    FORECAST_FULL_TRUST_SENDER,
    FORECAST_FULL_TRUST_RECEIVER,
    INTERVAL_BABBLING_SENDER,
    INTERVAL_BABBLING_RECEIVER,
    INTERVAL_FULL_TRUST_SENDER,
    INTERVAL_FULL_TRUST_RECEIVER,
)
"""In the order of reports."""
