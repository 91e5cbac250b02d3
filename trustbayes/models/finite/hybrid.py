"""The hybrids of the finite game, declared: limited thinking with lying aversion or trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trustbayes.games.finite import FiniteGame
from trustbayes.models.finite.by_bias import by_bias
from trustbayes.models.finite.level_k import CONVENTIONS, LEVEL
from trustbayes.models.finite.level_k import RECEIVER as LEVEL_K_RECEIVER
from trustbayes.models.finite.response import logit
from trustbayes.models.finite.shared import LAPSE, RESPONSE_PRECISION
from trustbayes.models.finite.trust_embedded import LYING_AVERSION, TRUST
from trustbayes.models.spec import Convention, ModelSpec
from trustbayes.models.values import Values
from trustbayes.theories.finite import hybrid as theory

__all__ = ["RECEIVER", "SENDER"]

_CITATION = (
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
        lambda bias, aversion: theory.sender_utility(game, bias, aversion, levels, ties, unsent),
        units.biases[units.unit_bias],
        values.of_units("lying_aversion") * game.lying_unit,
    )
    return utility / game.scale


def _receiver_utility(
    game: FiniteGame, values: Values, conventions: Mapping[str, Any], levels: Sequence[int]
) -> Any:
    units, (ties, unsent) = values.units, _open_questions(conventions)
    utility = by_bias(
        lambda bias, trust: theory.receiver_utility(
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
    def answer(game: FiniteGame, values: Values, conventions: Mapping[str, Any], kind: int) -> Any:
        return utility(game, values, conventions, [kind])[..., 0, :, :]

    return answer


def _resolve(game: FiniteGame, conventions: Mapping[str, Any]) -> Mapping[str, Any]:
    found = dict(conventions)
    if found["belief"] is None:
        found["belief"] = "weighted" if game.payoffs.continuous else "mixture"
    return found


def _level_0_ignores(name: str) -> Any:
    """Level 0 tells or believes the truth, whatever the parameter."""
    return lambda conventions: {"0": (name,)}


SENDER = ModelSpec(
    name="hybrid",
    role="sender",
    kind="finite",
    title="Hybrid",
    description=(
        "Senders think a few steps ahead, as level-k ones do, and dislike lying; level 0 is "
        "truthful."
    ),
    citation=_CITATION,
    parameters=(RESPONSE_PRECISION, LYING_AVERSION, LEVEL, LAPSE),
    conventions=CONVENTIONS,
    answer=_every_level(_sender_utility),
    answer_of_type=_one_level(_sender_utility),
    response=logit,
    types=LEVEL_K_RECEIVER.types,
    ignores=_level_0_ignores("lying_aversion"),
    placed=True,
    by_default=False,
    coupling={"lying_aversion": "response_precision"},
)

RECEIVER = ModelSpec(
    name="hybrid",
    role="receiver",
    kind="finite",
    title="Hybrid",
    description=(
        "Receivers take a message at its word by their trust factor, and for the rest read it as "
        "level-k receivers do; level 0 is credulous."
    ),
    citation=_CITATION,
    parameters=(RESPONSE_PRECISION, TRUST, LEVEL, LAPSE),
    conventions=(_BELIEF, *CONVENTIONS),
    answer=_every_level(_receiver_utility),
    answer_of_type=_one_level(_receiver_utility),
    response=logit,
    types=LEVEL_K_RECEIVER.types,
    ignores=_level_0_ignores("trust"),
    resolve=_resolve,
    placed=True,
    by_default=False,
)
