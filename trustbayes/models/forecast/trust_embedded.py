"""The trust-embedded models of the forecast-sharing game, declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trustbayes.games.forecast import ForecastGame
from trustbayes.models.finite import trust_embedded as finite
from trustbayes.models.forecast.response import censored
from trustbayes.models.forecast.shared import NOISE, RESPONSE_NOISE, trial_terms
from trustbayes.models.spec import Convention, Parameter
from trustbayes.models.values import Values
from trustbayes.priors import Prior
from trustbayes.theories.forecast import trust_embedded as theory

__all__ = ["INDIFFERENCE", "LYING_AVERSION", "RECEIVER", "SENDER"]

_BELIEF = Convention(
    name="belief",
    choices=("truncated", "prior"),
    rivals=("truncated", "prior"),
    default="truncated",
    meaning=(
        "What the distrusting part of a receiver believes: the forecast lies anywhere up to the "
        "report, or anywhere."
    ),
)

_LYING_COST = Convention(
    name="lying_cost",
    choices=("quadratic", "absolute"),
    default="quadratic",
    meaning=(
        "How the disutility of a lie grows with its size: with its square (lying aversion is then "
        "the marginal cost of a lie of half the forecast range a), or in proportion. Absolute "
        "costs make senders truthful from some aversion on: the likelihood has walls there, and "
        "sampling takes several times as many steps."
    ),
)

INDIFFERENCE = Convention(
    name="indifference",
    choices=("waver", "jump"),
    default="waver",
    meaning=(
        "What a sender does who is nearly indifferent over a range of reports: waver, since her "
        "lying aversion varies a little from trial to trial (by 0.23, one standard deviation of "
        "its logarithm), so that her mean report passes gradually from truth to lie; or jump, "
        "which leaves the sampler a likelihood with cliffs."
    ),
)

LYING_AVERSION = Parameter(
    name="lying_aversion",
    symbol="β",
    meaning=(
        "marginal cost of a lie: of one of half the forecast range, or of any if costs are absolute"
    ),
    unit="share of the sender's margin r - w",
    support="positive",
    varies=("subject",),
    prior=Prior(
        "LogNormal",
        mu=Prior("Normal", mu=-1.5, sigma=1.0),
        sigma=Prior("HalfNormal", sigma=1.0),
    ),
    report_unit="payoff units per unit of |report - forecast|",
)


def _reports(game: ForecastGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return theory.report(
        values.units.trial_seen,
        values.of_trials("lying_aversion") * game.lying_unit,
        values.of_trials("expected_trust"),
        trial_terms(game, values.units),
        conventions["belief"],
        conventions["lying_cost"],
        wavering=conventions["indifference"] == "waver",
    )


def _capacities(game: ForecastGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return theory.capacity(
        values.units.trial_seen,
        values.of_trials("trust"),
        trial_terms(game, values.units),
        conventions["belief"],
    )


SENDER = replace(
    finite.SENDER,
    kind="forecast-sharing",
    parameters=(RESPONSE_NOISE, LYING_AVERSION, finite.EXPECTED_TRUST),
    conventions=(_BELIEF, _LYING_COST, INDIFFERENCE, NOISE),
    answer=_reports,
    response=censored("sender"),
    resolve=None,
    coupling={"lying_aversion": "response_noise"},
)

RECEIVER = replace(
    finite.RECEIVER,
    kind="forecast-sharing",
    parameters=(RESPONSE_NOISE, finite.TRUST),
    conventions=(_BELIEF, NOISE),
    answer=_capacities,
    response=censored("receiver"),
    resolve=None,
)
