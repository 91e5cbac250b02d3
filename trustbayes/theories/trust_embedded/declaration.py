"""The trust-embedded theory, declared: for finite games, forecast sharing, games on an interval.

What they have in common comes first, then the models of finite games, whose answer is the utility
of every option, then those of the others, whose answer is the best choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from trustbayes.games.continuous import ContinuousGame
from trustbayes.games.finite import FiniteGame
from trustbayes.priors.prior import Prior
from trustbayes.theories.adapters import (
    by_condition,
    shared_conditions,
    stacked,
    trial_terms,
    unit_conditions,
)
from trustbayes.theories.learning.declaration import trust_that_learns
from trustbayes.theories.outcomes import expected_outcome
from trustbayes.theories.responses.censored import INTERVAL_NOISE, RESPONSE_NOISE, censored
from trustbayes.theories.responses.heaped import HEAPING, ROUNDING, heaped
from trustbayes.theories.responses.logit import LAPSE, RESPONSE_PRECISION, WITH_LAPSE, logit
from trustbayes.theories.responses.noises import NOISE
from trustbayes.theories.spec import Convention, Look, ModelSpec, Parameter
from trustbayes.theories.trust_embedded import finite, forecast, interval, sequences
from trustbayes.theories.values import Values

__all__ = [
    "FINITE_LYING_AVERSION",
    "FINITE_LYING_COST",
    "FINITE_RECEIVER",
    "FINITE_SENDER",
    "FORECAST_LYING_AVERSION",
    "FORECAST_RECEIVER",
    "FORECAST_SENDER",
    "INDIFFERENCE",
    "INTERVAL_INDIFFERENCE",
    "INTERVAL_LYING_AVERSION",
    "INTERVAL_RECEIVER",
    "INTERVAL_SENDER",
    "LUMP_SUM_AVERSION",
    "NAME",
    "OZER_ZHENG_CHEN",
    "SPECS",
    "TRUST",
    "costs_of_lies",
]

NAME = "trust-embedded"
OZER_ZHENG_CHEN = "Özer, Zheng and Chen (2011), Management Science 57(6)"
_CITATION = (
    f"{OZER_ZHENG_CHEN}; "
    "Li, Özer and Subramanian (2022), Management Science 68(1); as specified here"
)
_LOOK = Look("#0072B2", "o", "-", "//")
_POPULATION_TRUST = Prior(
    "LogitNormal", mu=Prior("Normal", mu=0.0, sigma=1.5), sigma=Prior("HalfNormal", sigma=1.0)
)

_EXPECTED_TRUST = Parameter(
    name="expected_trust",
    symbol="αᵉ",
    meaning="trust that senders expect of receivers",
    typical="expects receivers to believe messages by a weight of {value}",
    unit="share, 0 to 1",
    support="unit",
    varies=("treatment",),
    prior=_POPULATION_TRUST,
)

TRUST = Parameter(
    name="trust",
    symbol="α",
    meaning="weight of the message in the receiver's belief",
    typical="gives the message a weight of {value} (full trust: 100\u00a0%)",
    unit="share, 0 to 1",
    support="unit",
    varies=("subject", "treatment"),
    prior=_POPULATION_TRUST,
)

_FINITE_BELIEF = Convention(
    name="belief",
    choices=("truncated", "prior", "mixture"),
    rivals=("truncated", "prior", "mixture"),
    default=None,
    meaning=(
        "What the distrusting part of a receiver believes: the prior truncated to the states "
        "from which a sender would exaggerate up to the message, or the whole prior; with "
        "mixture, the message is true with the probability of trust, and else the truncated "
        "prior holds. Default: truncated; mixture where payoffs are tables or jump."
    ),
)

_EXPECTED_ACTION = Convention(
    name="expected_action",
    choices=("mean", "quantal"),
    default=None,
    meaning=(
        "Which action the sender expects: the mean of the belief of a receiver with the "
        "expected trust, or that receiver's own noisy response. Default: mean; quantal where "
        "payoffs are tables or jump, or actions are labels."
    ),
)

FINITE_LYING_AVERSION = Parameter(
    name="lying_aversion",
    symbol="β",
    meaning="cost of a lie of one message step",
    typical="feels a lie of one unit like a loss of {value} payoff units",
    unit="standard deviations of the payoff table per message step",
    support="positive",
    varies=("subject",),
    prior=Prior(
        "LogNormal",
        mu=Prior("Normal", mu=-0.7, sigma=1.0),
        sigma=Prior("HalfNormal", sigma=1.0),
    ),
    report_unit="payoff units per unit of |message - state|",
    only_with="lying_cost",
    only_for=("proportional", "both"),
)

LUMP_SUM_AVERSION = Parameter(
    name="lump_sum_aversion",
    symbol="β₀",
    meaning="cost of any lie, whatever its size",
    typical="feels any lie like a loss of {value} payoff units",
    unit="standard deviations of the payoff table",
    support="positive",
    varies=("subject",),
    prior=FINITE_LYING_AVERSION.prior,
    report_unit="payoff units per lie",
    report_factor="scale",
    only_with="lying_cost",
    only_for=("lump-sum", "both"),
)

FINITE_LYING_COST = Convention(
    name="lying_cost",
    choices=("proportional", "lump-sum", "both"),
    rivals=("proportional", "lump-sum"),
    default="proportional",
    meaning=(
        "What a lie costs a sender who dislikes lying: in proportion to its size, the same "
        "whatever its size, or both."
    ),
)


def _resolve(game: FiniteGame, conventions: Mapping[str, Any]) -> Mapping[str, Any]:
    fallback = {
        "belief": "mixture" if game.tabled else "truncated",
        "expected_action": "quantal" if game.tabled or game.labelled else "mean",
    }
    return {
        name: fallback[name] if v is None and name in fallback else v
        for name, v in conventions.items()
    }


def costs_of_lies(game: FiniteGame, values: Values) -> tuple[Any, Any]:
    """What a lie costs each unit's sender.

    Parameters
    ----------
    game : FiniteGame
    values : Values

    Returns
    -------
    proportional : array, shape (..., units), or None
        Payoff units per unit of |m - θ|.
    lump_sum : array, shape (..., units), or None
        Payoff units per lie.
    """
    aversion = values.of_units("lying_aversion")
    lump_sum = values.of_units("lump_sum_aversion")
    return (
        None if aversion is None else aversion * game.lying_unit,
        None if lump_sum is None else lump_sum * game.scale,
    )


def _sender_utility(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    units, belief = values.units, conventions["belief"]
    costs = costs_of_lies(game, values)
    if conventions["expected_action"] == "quantal":
        material = _quantal_payoff(game, values, belief)
        return finite.sender_utility(game, material, *costs) / game.scale

    def expected(stage: FiniteGame, bias: float, trust: Any) -> Any:
        return finite.expected_payoff(stage, bias, trust, belief)

    if values.shared("expected_trust"):
        trust = values.of_conditions("expected_trust")
        material = by_condition(expected, shared_conditions(game, units), trust)
        material = material[..., units.unit_condition, :, :]
    else:
        trust = values.of_units("expected_trust")
        material = by_condition(expected, unit_conditions(game, units), trust)
    return finite.sender_utility(game, material, *costs) / game.scale


def _quantal_payoff(game: FiniteGame, values: Values, belief: finite.Belief) -> Any:
    """Payoff units of every message in every state, shape (..., units, states, messages)."""
    conditions = unit_conditions(game, values.units)
    precision = values.of_units("response_precision")
    if all(stage.cheap_talk for stage, _ in conditions.distinct):
        return by_condition(
            lambda stage, bias, trust, precise: finite.quantal_payoff(
                stage, bias, trust, precise, belief
            ),
            conditions,
            values.of_units("expected_trust"),
            precision,
        )
    utility = _utility_of_trust(game, values, "expected_trust", belief)
    outcomes = stacked(lambda stage, bias: stage.sender_outcomes(bias), conditions)
    return expected_outcome(finite.quantal_response(game, utility, precision), outcomes)


def _receiver_utility(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return _utility_of_trust(game, values, "trust", conventions["belief"]) / game.scale


def _utility_of_trust(game: FiniteGame, values: Values, name: str, belief: finite.Belief) -> Any:
    """Payoff units of every action after every message, shape (..., units, messages, actions)."""
    conditions = unit_conditions(game, values.units, signs=True)  # beliefs heed a bias's sign
    trust = values.of_units(name)
    if belief == "mixture":
        return finite.mixed_payoff(stacked(finite.mixture_payoffs, conditions), trust)
    return by_condition(
        lambda stage, bias, share: finite.receiver_utility(stage, bias, share, belief),
        conditions,
        trust,
    )


FINITE_SENDER = ModelSpec(
    name=NAME,
    role="sender",
    kind="finite",
    title="Trust-embedded",
    look=_LOOK,
    description=(
        "Senders dislike lying, each to her own degree, and expect receivers to trust them by "
        "some factor."
    ),
    manner="as if lying had a cost",
    citation=_CITATION,
    parameters=(
        RESPONSE_PRECISION,
        FINITE_LYING_AVERSION,
        LUMP_SUM_AVERSION,
        _EXPECTED_TRUST,
        LAPSE,
    ),
    conventions=(_EXPECTED_ACTION, _FINITE_BELIEF, FINITE_LYING_COST, WITH_LAPSE),
    answer=_sender_utility,
    response=logit,
    resolve=_resolve,
    weighs_fines=True,
    coupling={
        "lying_aversion": "response_precision",
        "lump_sum_aversion": "response_precision",
    },
)

FINITE_RECEIVER = ModelSpec(
    name=NAME,
    role="receiver",
    kind="finite",
    title="Trust-embedded",
    look=_LOOK,
    description=(
        "Receivers take a message at its word by their trust factor, and for the rest reckon "
        "with exaggeration."
    ),
    manner="as if messages deserved some trust",
    citation=_CITATION,
    parameters=(RESPONSE_PRECISION, TRUST, LAPSE),
    conventions=(_FINITE_BELIEF, WITH_LAPSE),
    answer=_receiver_utility,
    response=logit,
    resolve=_resolve,
)

_FORECAST_BELIEF = Convention(
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

FORECAST_LYING_AVERSION = Parameter(
    name="lying_aversion",
    symbol="β",
    meaning=(
        "marginal cost of a lie: of one of half the forecast range, or of any if costs are absolute"
    ),
    typical=(
        "feels each further unit of a lie of half the forecast range like a loss of {value} payoff "
        "units"
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


def _best_message(theory: Callable[..., Any]) -> Any:
    """The answer of senders in games on a line, by what a theory says is their best message."""

    def answer(game: Any, values: Values, conventions: Mapping[str, Any]) -> Any:
        return theory(
            values.units.trial_seen,
            values.of_trials("lying_aversion") * game.lying_unit,
            values.of_trials("expected_trust"),
            trial_terms(game, values.units),
            conventions["belief"],
            conventions["lying_cost"],
            wavering=conventions["indifference"] == "waver",
        )

    return answer


def _best_action(theory: Callable[..., Any]) -> Any:
    """The answer of receivers in games on a line, by what a theory says is their best action."""

    def answer(game: ContinuousGame, values: Values, conventions: Mapping[str, Any]) -> Any:
        return theory(
            values.units.trial_seen,
            values.of_trials("trust"),
            trial_terms(game, values.units),
            conventions["belief"],
        )

    return answer


_reports, _capacities = _best_message(forecast.report), _best_action(forecast.capacity)
_messages, _actions = _best_message(interval.message), _best_action(interval.action)

FORECAST_SENDER = replace(
    FINITE_SENDER,
    kind="forecast-sharing",
    parameters=(RESPONSE_NOISE, FORECAST_LYING_AVERSION, _EXPECTED_TRUST),
    conventions=(_FORECAST_BELIEF, _LYING_COST, INDIFFERENCE, NOISE),
    answer=_reports,
    response=censored("sender"),
    resolve=None,
    coupling={"lying_aversion": "response_noise"},
)

FORECAST_RECEIVER = replace(
    FINITE_RECEIVER,
    kind="forecast-sharing",
    parameters=(RESPONSE_NOISE, TRUST),
    conventions=(_FORECAST_BELIEF, NOISE),
    answer=_capacities,
    response=censored("receiver"),
    resolve=None,
)

_INTERVAL_BELIEF = replace(
    _FORECAST_BELIEF,
    meaning=(
        "What the distrusting part of a receiver believes: the state lies anywhere from which a "
        "sender would exaggerate up to the message, or anywhere."
    ),
)

_INTERVAL_LYING_COST = replace(
    _LYING_COST,
    meaning=(
        "How the disutility of a lie grows with its size: with its square (lying aversion is then "
        "the marginal cost of a lie of a quarter of the interval), or in proportion. Absolute "
        "costs make senders truthful from some aversion on: the likelihood has walls there."
    ),
)

INTERVAL_INDIFFERENCE = replace(
    INDIFFERENCE, meaning=INDIFFERENCE.meaning.replace("report", "message")
)

INTERVAL_LYING_AVERSION = replace(
    FORECAST_LYING_AVERSION,
    meaning=(
        "marginal cost of a lie: of one of a quarter of the interval, or of any if costs are "
        "absolute"
    ),
    typical=(
        "feels each further unit of a lie of a quarter of the interval like a loss of {value} "
        "payoff units"
    ),
    unit="what an action a quarter of the interval off its ideal loses by the next unit",
    prior=FINITE_LYING_AVERSION.prior,
    report_unit="payoff units per unit of |message - state|",
)


INTERVAL_SENDER = replace(
    FORECAST_SENDER,
    kind="interval",
    parameters=(INTERVAL_NOISE, INTERVAL_LYING_AVERSION, _EXPECTED_TRUST, ROUNDING),
    conventions=(
        _INTERVAL_BELIEF,
        _INTERVAL_LYING_COST,
        replace(INTERVAL_INDIFFERENCE, only_with="lying_cost", only_for=("absolute",)),
        NOISE,
        HEAPING,
    ),
    answer=_messages,
    response=heaped("sender"),
)

INTERVAL_RECEIVER = replace(
    FORECAST_RECEIVER,
    kind="interval",
    parameters=(INTERVAL_NOISE, TRUST, ROUNDING),
    conventions=(_INTERVAL_BELIEF, NOISE, HEAPING),
    answer=_actions,
    response=heaped("receiver"),
)

SPECS = (
    trust_that_learns(FINITE_SENDER, "expected_trust", sequences.sender_utility_seen),
    trust_that_learns(FINITE_RECEIVER, "trust", sequences.receiver_utility_seen),
    trust_that_learns(FORECAST_SENDER, "expected_trust", _reports),
    trust_that_learns(FORECAST_RECEIVER, "trust", _capacities),
    trust_that_learns(INTERVAL_SENDER, "expected_trust", _messages),
    trust_that_learns(INTERVAL_RECEIVER, "trust", _actions),
)
"""In the order of reports."""
