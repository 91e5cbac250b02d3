"""The hybrids of the finite game, declared: limited thinking with lying aversion or trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trustbayes.games.finite import FiniteGame
from trustbayes.games.forecast import ForecastGame
from trustbayes.theories.adapters import by_bias, trial_terms
from trustbayes.theories.hybrid import finite, forecast
from trustbayes.theories.level_k.declaration import (
    CONVENTIONS,
    FINITE_RECEIVER as FINITE_LEVEL_K_RECEIVER,
    FORECAST_RECEIVER as FORECAST_LEVEL_K_RECEIVER,
    LEVEL,
    MAX_LEVEL,
    UNSENT,
)
from trustbayes.theories.responses.censored import NOISE, RESPONSE_NOISE, censored
from trustbayes.theories.responses.logit import LAPSE, RESPONSE_PRECISION, logit
from trustbayes.theories.spec import Convention, ModelSpec
from trustbayes.theories.trust_embedded.declaration import (
    CITATION,
    FINITE_LYING_AVERSION,
    FORECAST_LYING_AVERSION,
    INDIFFERENCE,
    TRUST,
)
from trustbayes.theories.values import Values

__all__ = ["FINITE_RECEIVER", "FINITE_SENDER", "FORECAST_RECEIVER", "FORECAST_SENDER"]

_FINITE_CITATION = (
    "Crawford (2003), American Economic Review 93(1); Özer, Zheng and Chen (2011), Management "
    "Science 57(6); as specified here"
)


_BELIEF = Convention(
    name="belief",
    choices=("weighted", "mixture"),
    rivals=("weighted", "mixture"),
    default=None,
    meaning=(
        "What trust does: weighs the message against the state that the level-k receiver reads "
        "from it; or, with mixture, is the probability that the message is true, and else it is "
        "read as the level-k receiver does. Default: weighted; mixture where payoffs are tables."
    ),
)


def _sender_utility(
    game: FiniteGame, values: Values, conventions: Mapping[str, Any], levels: Sequence[int]
) -> Any:
    units, (ties, unsent) = values.units, _open_questions(conventions)
    utility = by_bias(
        lambda bias, aversion: finite.sender_utility(game, bias, aversion, levels, ties, unsent),
        units.biases[units.unit_bias],
        values.of_units("lying_aversion") * game.lying_unit,
    )
    return utility / game.scale


def _receiver_utility(
    game: FiniteGame, values: Values, conventions: Mapping[str, Any], levels: Sequence[int]
) -> Any:
    units, (ties, unsent) = values.units, _open_questions(conventions)
    utility = by_bias(
        lambda bias, trust: finite.receiver_utility(
            game, bias, trust, levels, ties, unsent, conventions["belief"]
        ),
        units.biases[units.unit_bias],
        values.of_units("trust"),
    )
    return utility / game.scale


def _open_questions(conventions: Mapping[str, Any]) -> tuple[Any, Any]:
    return conventions["ties"], conventions["unsent"]


def _every_level(utility: Any) -> Any:
    def answer(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
        return utility(game, values, conventions, range(conventions["max_level"] + 1))

    return answer


def _one_level(utility: Any) -> Any:
    def answer(
        game: FiniteGame, values: Values, conventions: Mapping[str, Any], type_index: int
    ) -> Any:
        return utility(game, values, conventions, [type_index])[..., 0, :, :]

    return answer


def _resolve(game: FiniteGame, conventions: Mapping[str, Any]) -> Mapping[str, Any]:
    found = dict(conventions)
    if found["belief"] is None:
        found["belief"] = "weighted" if game.payoffs.continuous else "mixture"
    return found


def _finite_level_0_ignores(name: str) -> Any:
    """Level 0 tells or believes the truth, whatever the parameter."""
    return lambda conventions: {"0": (name,)}


FINITE_SENDER = ModelSpec(
    name="hybrid",
    role="sender",
    kind="finite",
    title="Hybrid",
    description=(
        "Senders think a few steps ahead, as level-k ones do, and dislike lying; level 0 is "
        "truthful."
    ),
    citation=_FINITE_CITATION,
    parameters=(RESPONSE_PRECISION, FINITE_LYING_AVERSION, LEVEL, LAPSE),
    conventions=CONVENTIONS,
    answer=_every_level(_sender_utility),
    answer_of_type=_one_level(_sender_utility),
    response=logit,
    types=FINITE_LEVEL_K_RECEIVER.types,
    ignores=_finite_level_0_ignores("lying_aversion"),
    placed=True,
    by_default=False,
    coupling={"lying_aversion": "response_precision"},
)


FINITE_RECEIVER = ModelSpec(
    name="hybrid",
    role="receiver",
    kind="finite",
    title="Hybrid",
    description=(
        "Receivers take a message at its word by their trust factor, and for the rest read it as "
        "level-k receivers do; level 0 is credulous."
    ),
    citation=_FINITE_CITATION,
    parameters=(RESPONSE_PRECISION, TRUST, LEVEL, LAPSE),
    conventions=(_BELIEF, *CONVENTIONS),
    answer=_every_level(_receiver_utility),
    answer_of_type=_one_level(_receiver_utility),
    response=logit,
    types=FINITE_LEVEL_K_RECEIVER.types,
    ignores=_finite_level_0_ignores("trust"),
    resolve=_resolve,
    placed=True,
    by_default=False,
)


_FORECAST_CITATION = (
    f"{CITATION}; Crawford (2003), American Economic Review 93(1); as specified here"
)


def _reports(game: ForecastGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return forecast.hybrid_reports(
        values.units.trial_seen,
        values.of_trials("lying_aversion") * game.lying_unit,
        conventions["max_level"],
        trial_terms(game, values.units),
        wavering=conventions["indifference"] == "waver",
    )


def _capacities(game: ForecastGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return forecast.hybrid_capacities(
        values.units.trial_seen,
        values.of_trials("trust"),
        conventions["max_level"],
        trial_terms(game, values.units),
        conventions["unsent"],
    )


def _forecast_level_0_ignores(name: str) -> Any:
    """Level 0 tells or believes the truth, whatever the parameter."""
    return lambda conventions: {"0": (name,)}


FORECAST_SENDER = ModelSpec(
    name="hybrid",
    role="sender",
    kind="forecast-sharing",
    title="Hybrid",
    description="Senders think a few steps ahead, as level-k ones do, and dislike lying.",
    citation=_FORECAST_CITATION,
    parameters=(RESPONSE_NOISE, FORECAST_LYING_AVERSION, LEVEL),
    conventions=(MAX_LEVEL, INDIFFERENCE, NOISE),
    answer=_reports,
    response=censored("sender"),
    types=FORECAST_LEVEL_K_RECEIVER.types,
    ignores=_forecast_level_0_ignores("lying_aversion"),
    placed=True,
    by_default=False,
)


FORECAST_RECEIVER = ModelSpec(
    name="hybrid",
    role="receiver",
    kind="forecast-sharing",
    title="Hybrid",
    description=(
        "Receivers take a report at its word by their trust factor, and for the rest read it as "
        "level-k receivers do."
    ),
    citation=_FORECAST_CITATION,
    parameters=(RESPONSE_NOISE, TRUST, LEVEL),
    conventions=(MAX_LEVEL, UNSENT, NOISE),
    answer=_capacities,
    response=censored("receiver"),
    types=FORECAST_LEVEL_K_RECEIVER.types,
    ignores=_forecast_level_0_ignores("trust"),
    placed=True,
    by_default=False,
)
