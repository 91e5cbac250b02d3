"""The trust-embedded theory of recommendations, declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from trustbayes.errors import Fault, InputError
from trustbayes.games.recommendation import RecommendationGame
from trustbayes.priors.prior import Prior
from trustbayes.theories.responses.noises import NOISE
from trustbayes.theories.responses.spiked import (
    DECISION_NOISE,
    FOLLOWING,
    KEEPING,
    SCALE,
    on_scale,
    spiked,
)
from trustbayes.theories.spec import Convention, ModelSpec, Parameter
from trustbayes.theories.trust_embedded import recommendation as theory
from trustbayes.theories.trust_embedded.declaration import FINITE_RECEIVER, TRUST
from trustbayes.theories.values import Values

__all__ = ["ADVICE_CONVENTIONS", "ADVICE_TRUST", "RECEIVER", "check_scale"]

ADVICE_TRUST = replace(
    TRUST,
    meaning="weight of the recommendation in the person's belief",
    typical="gives a recommendation a weight of {value}, and her own estimate the rest",
)

ADVICE_CONVENTIONS = (SCALE, NOISE)
"""What every theory of recommendations leaves open."""

_EFFECT = Prior(
    "Normal", mu=Prior("Normal", mu=0.0, sigma=1.0), sigma=Prior("HalfNormal", sigma=0.5)
)

_DISTANCE_EFFECT = Parameter(
    name="distance_effect",
    symbol="δ",
    meaning="how trust changes with the distance between recommendation and estimate",
    unit="log odds of trust per unit of the game; trust is that at a distance of one unit",
    support="real",
    varies=(),
    prior=_EFFECT,
    only_with="distance",
)

_CONFIDENCE_EFFECT = Parameter(
    name="confidence_effect",
    symbol="γ",
    meaning="how trust changes with stated widths; 2, with trust ½, is weighting by precision",
    unit="log odds of trust per unit of log(width of estimate / width of recommendation)",
    support="real",
    varies=(),
    prior=_EFFECT,
    only_with="confidence",
)

_ADVISER_PULL = Parameter(
    name="adviser_pull",
    symbol="v",
    meaning="log weight of each of several advisers at once, but for a constant",
    unit="log odds",
    support="real",
    varies=(),
    prior=Prior(
        "Normal", mu=Prior("ZeroSumNormal", sigma=1.0), sigma=Prior("HalfNormal", sigma=0.5)
    ),
    option="adviser",
    only_with="advisers",
    only_for=("weighted",),
)

_DISTANCE = Convention(
    name="distance",
    choices=(False, True),
    default=False,
    meaning="Whether trust changes with how far the recommendation is from the estimate.",
)

_CONFIDENCE = Convention(
    name="confidence",
    choices=(False, True),
    default=False,
    meaning="Whether trust changes with the stated widths of estimate and recommendation.",
)

_ADVISERS = Convention(
    name="advisers",
    choices=("even", "weighted"),
    default="even",
    meaning=(
        "How several recommendations at once share the trust: evenly, or by weights that are "
        "estimated, the same for all people."
    ),
)


def check_scale(game: RecommendationGame, conventions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse logarithms where decisions may be zero or less.

    Raises
    ------
    InputError
    """
    if conventions["scale"] == "log" and game.lowest <= 0:
        expected = f"linear, or a game whose lowest is above 0 (it is {game.lowest:g})"
        raise InputError(Fault("convention scale", "log", expected))
    return conventions


def _belief(game: RecommendationGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    units = values.units
    estimate = on_scale(units.trial_estimate, conventions)
    if conventions["advisers"] == "weighted":
        pull = values.of_trials("adviser_pull")
        message = theory.joint_message(on_scale(units.trial_messages, conventions), pull)
    else:
        message = on_scale(units.trial_messages, conventions).mean(axis=-1)
    trust = values.of_trials("trust")
    if conventions["distance"]:
        apart = abs(units.trial_seen - units.trial_estimate) / game.scale
        trust = theory.shifted_trust(trust, values.of_trials("distance_effect") * (apart - 1))
    if conventions["confidence"]:
        odds = log_odds_of_widths(units)
        trust = theory.shifted_trust(trust, values.of_trials("confidence_effect") * odds)
    return theory.belief(estimate, message, trust)


def log_odds_of_widths(units: Any) -> Any:
    """Log of the ratio of the stated widths of estimate and recommendation, by trial.

    Raises
    ------
    InputError
        If a width is not known.
    """
    estimate_width, message_width = units.trial_estimate_width, units.trial_message_width
    if isinstance(estimate_width, np.ndarray):
        unknown = np.isnan(estimate_width) | np.isnan(message_width)
        if unknown.any():
            given = f"{int(unknown.sum())} of {unknown.size} trials without widths"
            expected = "the columns estimate_width and message_width, filled in every trial"
            raise InputError(Fault("theory that weighs by stated widths", given, expected))
        return np.log(estimate_width / message_width)
    return (estimate_width / message_width).log()


RECEIVER: ModelSpec = replace(
    FINITE_RECEIVER,
    kind="recommendation",
    description=(
        "People form a belief between their estimate and the recommendation, each by her trust "
        "factor; now and then they keep the estimate, or follow, to the letter."
    ),
    manner="as if recommendations deserved some trust",
    citation="Yaniv and Kleinberger (2000), OBHDP 83(2), for the weight of advice; as specified",
    parameters=(
        DECISION_NOISE,
        ADVICE_TRUST,
        KEEPING,
        FOLLOWING,
        _DISTANCE_EFFECT,
        _CONFIDENCE_EFFECT,
        _ADVISER_PULL,
    ),
    conventions=(*ADVICE_CONVENTIONS, _DISTANCE, _CONFIDENCE, _ADVISERS),
    answer=_belief,
    response=spiked,
    resolve=check_scale,
)

SPECS = (RECEIVER,)
"""In the order of reports."""
