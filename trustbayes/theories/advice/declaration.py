"""The rivals of trust where people take recommendations, declared.

Some always keep their estimate, some always follow, some average, some choose trial by trial; with
stated widths there is the benchmark that weighs both by precision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trustbayes.games.recommendation import RecommendationGame
from trustbayes.theories.responses.spiked import (
    DECISION_NOISE,
    EXACTNESS,
    FOLLOWING,
    KEEPING,
    choosing,
    on_scale,
    spiked,
)
from trustbayes.theories.spec import Look, ModelSpec
from trustbayes.theories.trust_embedded.recommendation import belief, shifted_trust
from trustbayes.theories.trust_embedded.recommendation_declaration import (
    ADVICE_CONVENTIONS,
    ADVICE_TRUST,
    check_scale,
    log_odds_of_widths,
)
from trustbayes.theories.values import Values

__all__ = ["AVERAGE", "CHOOSE", "FOLLOW", "KEEP", "PRECISION_WEIGHTED", "SPECS"]

_SOLL_LARRICK = "Soll and Larrick (2009), JEP: Learning, Memory and Cognition 35(3)"


def _of_estimate(weight: Callable[[Any], Any]) -> Any:
    """The answer that gives all recommendations together a weight, the same for everybody."""

    def answer(game: RecommendationGame, values: Values, conventions: Mapping[str, Any]) -> Any:
        units = values.units
        estimate = on_scale(units.trial_estimate, conventions)
        message = on_scale(units.trial_messages, conventions).mean(axis=-1)
        return belief(estimate, message, weight(units))

    return answer


def _even(units: Any) -> Any:
    """All views count the same: n recommendations have n / (n + 1) together."""
    advisers = units.trial_messages.shape[1]
    return advisers / (advisers + 1)


def _precise(units: Any) -> Any:
    return shifted_trust(0.5, 2 * log_odds_of_widths(units))


def _choice(game: RecommendationGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return values.of_trials("trust")


def _benchmark(
    name: str,
    title: str,
    does: str,
    weight: Callable[[Any], Any],
    look: Look,
    **more: Any,
) -> ModelSpec:
    return ModelSpec(
        name=name,
        role="receiver",
        kind="recommendation",
        title=title,
        description=f"People act as if they {does}.",
        manner=f"as if they {does}",
        citation=more.pop("citation", "a benchmark; as specified here"),
        look=look,
        benchmark=True,
        parameters=(DECISION_NOISE, KEEPING, FOLLOWING),
        conventions=ADVICE_CONVENTIONS,
        answer=_of_estimate(weight),
        response=spiked,
        resolve=check_scale,
        **more,
    )


KEEP = _benchmark(
    "keep",
    "Keep",
    "decided by their own estimate, whatever is recommended",
    lambda units: 0.0,
    Look("#009E73", "^", ":", ".."),
)

FOLLOW = _benchmark(
    "follow",
    "Follow",
    "did as is recommended, whatever they thought",
    lambda units: 1.0,
    Look("#CC79A7", "D", "-."),
)

AVERAGE = _benchmark(
    "average",
    "Average",
    "averaged their estimate and what is recommended, all views alike",
    _even,
    Look("#E69F00", "v", "--"),
    citation=_SOLL_LARRICK,
)

PRECISION_WEIGHTED = _benchmark(
    "precision-weighted",
    "Precision-weighted",
    "weighed estimate and recommendation by the precision that stated widths say",
    _precise,
    Look("#56B4E9", "s", "--"),
    by_default=False,
)

CHOOSE = ModelSpec(
    name="choose",
    role="receiver",
    kind="recommendation",
    title="Choose",
    description=(
        "In every trial people choose their estimate or the recommendation, each person the latter "
        "with her own probability."
    ),
    manner="as if they chose, case by case, between their estimate and the recommendation",
    citation=_SOLL_LARRICK,
    look=Look("#D55E00", "s", "--"),
    parameters=(DECISION_NOISE, ADVICE_TRUST, EXACTNESS),
    conventions=ADVICE_CONVENTIONS,
    answer=_choice,
    response=choosing,
    resolve=check_scale,
)

SPECS = (CHOOSE, KEEP, FOLLOW, AVERAGE, PRECISION_WEIGHTED)
"""In the order of reports."""
