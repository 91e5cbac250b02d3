"""The hybrids, declared: limited thinking with lying aversion or trust.

For finite games, forecast sharing, and games on an interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from trustbayes.games.continuous import ContinuousGame
from trustbayes.games.finite import FiniteGame
from trustbayes.theories.adapters import by_condition, stacked, trial_terms, unit_conditions
from trustbayes.theories.hybrid import finite, forecast, interval
from trustbayes.theories.level_k import declaration as level_k
from trustbayes.theories.responses.censored import INTERVAL_NOISE, RESPONSE_NOISE, censored
from trustbayes.theories.responses.heaped import HEAPING, ROUNDING, heaped
from trustbayes.theories.responses.logit import LAPSE, RESPONSE_PRECISION, logit
from trustbayes.theories.responses.noises import NOISE
from trustbayes.theories.spec import Convention, Look, ModelSpec, Parameter
from trustbayes.theories.trust_embedded import declaration as trust_embedded
from trustbayes.theories.values import Values

__all__ = [
    "FINITE_RECEIVER",
    "FINITE_SENDER",
    "FORECAST_RECEIVER",
    "FORECAST_SENDER",
    "INTERVAL_RECEIVER",
    "INTERVAL_SENDER",
    "NAME",
    "SPECS",
]

NAME = "hybrid"
_LOOK = Look("#56B4E9", "P", "-")
_REMARK = (
    "The hybrid is level-k at a lying aversion or a trust of zero, and at level 0 whatever they "
    "are."
)
_COMBINES = (level_k.NAME, trust_embedded.NAME)

_BELIEF = Convention(
    name="belief",
    choices=("weighted", "mixture"),
    rivals=("weighted", "mixture"),
    default=None,
    meaning=(
        "What trust does: weighs the message against the state that the level-k receiver reads "
        "from it; or, with mixture, is the probability that the message is true, and else it is "
        "read as the level-k receiver does. Default: weighted; mixture where payoffs are tables "
        "or jump."
    ),
)


def _sender_utility(
    game: FiniteGame, values: Values, conventions: Mapping[str, Any], levels: Sequence[int]
) -> Any:
    ties, unsent = _open_questions(conventions)
    selfish = stacked(
        lambda stage, bias: finite.selfish_utility(stage, bias, levels, ties, unsent),
        unit_conditions(game, values.units),
    )
    costs = trust_embedded.costs_of_lies(game, values)
    return finite.less_costs(game, selfish, levels, *costs) / game.scale


def _receiver_utility(
    game: FiniteGame, values: Values, conventions: Mapping[str, Any], levels: Sequence[int]
) -> Any:
    ties, unsent = _open_questions(conventions)
    utility = by_condition(
        lambda stage, bias, trust: finite.receiver_utility(
            stage, bias, trust, levels, ties, unsent, conventions["belief"]
        ),
        unit_conditions(game, values.units),
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
    resolved = dict(conventions)
    if resolved["belief"] is None:
        resolved["belief"] = "mixture" if game.tabled else "weighted"
    return resolved


def _level_0_ignores(*parameters: Parameter) -> Any:
    """Level 0 tells or believes the truth, whatever the parameters, as far as there are any."""

    def ignores(conventions: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        exist = [
            p.name
            for p in parameters
            if p.only_with is None or conventions[p.only_with] in p.only_for
        ]
        return {"0": tuple(exist)}

    return ignores


FINITE_SENDER = ModelSpec(
    name=NAME,
    role="sender",
    kind="finite",
    title="Hybrid",
    look=_LOOK,
    remark=_REMARK,
    combines=_COMBINES,
    description=(
        "Senders think a few steps ahead, as level-k ones do, and dislike lying; level 0 is "
        "truthful."
    ),
    manner="as if thinking a few steps ahead, with a cost of lying",
    citation=f"{level_k.CRAWFORD}; {trust_embedded.OZER_ZHENG_CHEN}; as specified here",
    parameters=(
        RESPONSE_PRECISION,
        trust_embedded.FINITE_LYING_AVERSION,
        trust_embedded.LUMP_SUM_AVERSION,
        level_k.LEVEL,
        LAPSE,
    ),
    conventions=(trust_embedded.FINITE_LYING_COST, *level_k.FINITE_CONVENTIONS),
    answer=_every_level(_sender_utility),
    answer_of_type=_one_level(_sender_utility),
    response=logit,
    types=level_k.levels,
    ignores=_level_0_ignores(
        trust_embedded.FINITE_LYING_AVERSION, trust_embedded.LUMP_SUM_AVERSION
    ),
    placed=True,
    weighs_fines=True,
    by_default=False,
    coupling=trust_embedded.FINITE_SENDER.coupling,
)

FINITE_RECEIVER = ModelSpec(
    name=NAME,
    role="receiver",
    kind="finite",
    title="Hybrid",
    look=_LOOK,
    remark=_REMARK,
    combines=_COMBINES,
    description=(
        "Receivers take a message at its word by their trust factor, and for the rest read it as "
        "level-k receivers do; level 0 is credulous."
    ),
    manner="as if thinking a few steps ahead, with some trust in messages",
    citation=f"{level_k.CRAWFORD}; {trust_embedded.OZER_ZHENG_CHEN}; as specified here",
    parameters=(RESPONSE_PRECISION, trust_embedded.TRUST, level_k.LEVEL, LAPSE),
    conventions=(_BELIEF, *level_k.FINITE_CONVENTIONS),
    answer=_every_level(_receiver_utility),
    answer_of_type=_one_level(_receiver_utility),
    response=logit,
    types=level_k.levels,
    ignores=_level_0_ignores(trust_embedded.TRUST),
    resolve=_resolve,
    placed=True,
    by_default=False,
)


def _messages_by_level(theory: Callable[..., Any]) -> Any:
    """The answer of senders in games on a line, by what a theory says are their best messages."""

    def answer(game: Any, values: Values, conventions: Mapping[str, Any]) -> Any:
        return theory(
            values.units.trial_seen,
            values.of_trials("lying_aversion") * game.lying_unit,
            conventions["max_level"],
            trial_terms(game, values.units),
            wavering=conventions["indifference"] == "waver",
        )

    return answer


def _actions_by_level(theory: Callable[..., Any]) -> Any:
    """The answer of receivers in games on a line, by what a theory says are their best actions."""

    def answer(game: ContinuousGame, values: Values, conventions: Mapping[str, Any]) -> Any:
        return theory(
            values.units.trial_seen,
            values.of_trials("trust"),
            conventions["max_level"],
            trial_terms(game, values.units),
            conventions["unsent"],
        )

    return answer


FORECAST_SENDER = ModelSpec(
    name=NAME,
    role="sender",
    kind="forecast-sharing",
    title="Hybrid",
    look=_LOOK,
    remark=_REMARK,
    combines=_COMBINES,
    description="Senders think a few steps ahead, as level-k ones do, and dislike lying.",
    manner="as if thinking a few steps ahead, with a cost of lying",
    citation=f"{trust_embedded.OZER_ZHENG_CHEN}; {level_k.CRAWFORD}; as specified here",
    parameters=(RESPONSE_NOISE, trust_embedded.FORECAST_LYING_AVERSION, level_k.LEVEL),
    conventions=(level_k.MAX_LEVEL, trust_embedded.INDIFFERENCE, NOISE),
    answer=_messages_by_level(forecast.hybrid_reports),
    response=censored("sender"),
    types=level_k.levels,
    ignores=_level_0_ignores(trust_embedded.FORECAST_LYING_AVERSION),
    placed=True,
    by_default=False,
)

FORECAST_RECEIVER = ModelSpec(
    name=NAME,
    role="receiver",
    kind="forecast-sharing",
    title="Hybrid",
    look=_LOOK,
    remark=_REMARK,
    combines=_COMBINES,
    description=(
        "Receivers take a report at its word by their trust factor, and for the rest read it as "
        "level-k receivers do."
    ),
    manner="as if thinking a few steps ahead, with some trust in messages",
    citation=f"{trust_embedded.OZER_ZHENG_CHEN}; {level_k.CRAWFORD}; as specified here",
    parameters=(RESPONSE_NOISE, trust_embedded.TRUST, level_k.LEVEL),
    conventions=(level_k.MAX_LEVEL, level_k.FORECAST_UNSENT, NOISE),
    answer=_actions_by_level(forecast.hybrid_capacities),
    response=censored("receiver"),
    types=level_k.levels,
    ignores=_level_0_ignores(trust_embedded.TRUST),
    placed=True,
    by_default=False,
)


INTERVAL_SENDER = replace(
    FORECAST_SENDER,
    kind="interval",
    parameters=(INTERVAL_NOISE, trust_embedded.INTERVAL_LYING_AVERSION, level_k.LEVEL, ROUNDING),
    conventions=(level_k.MAX_LEVEL, trust_embedded.INTERVAL_INDIFFERENCE, NOISE, HEAPING),
    answer=_messages_by_level(interval.hybrid_messages),
    response=heaped("sender"),
    ignores=_level_0_ignores(trust_embedded.INTERVAL_LYING_AVERSION),
)

INTERVAL_RECEIVER = replace(
    FORECAST_RECEIVER,
    kind="interval",
    description=FINITE_RECEIVER.description,
    parameters=(INTERVAL_NOISE, trust_embedded.TRUST, level_k.LEVEL, ROUNDING),
    conventions=(level_k.MAX_LEVEL, level_k.INTERVAL_UNSENT, NOISE, HEAPING),
    answer=_actions_by_level(interval.hybrid_actions),
    response=heaped("receiver"),
)

SPECS = (
    FINITE_SENDER,
    FINITE_RECEIVER,
    FORECAST_SENDER,
    FORECAST_RECEIVER,
    INTERVAL_SENDER,
    INTERVAL_RECEIVER,
)
"""In the order of reports."""
