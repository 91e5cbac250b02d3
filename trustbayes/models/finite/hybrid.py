"""The hybrids of the finite game, declared: limited thinking with lying aversion or trust."""

from __future__ import annotations

from collections.abc import Mapping
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


def _thinking(conventions: Mapping[str, Any]) -> dict[str, Any]:
    """The conventions of level-k play."""
    return {name: conventions[name] for name in ("max_level", "ties", "unsent")}


def _sender_utility(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    units = values.units
    utility = by_bias(
        lambda bias, aversion: theory.sender_utility(
            game, bias, aversion, **_thinking(conventions)
        ),
        units.biases[units.unit_bias],
        values.of_units("lying_aversion") * game.lying_unit,
    )
    return utility / game.scale


def _receiver_utility(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    units, belief = values.units, conventions["belief"]
    utility = by_bias(
        lambda bias, trust: theory.receiver_utility(
            game, bias, trust, **_thinking(conventions), belief=belief
        ),
        units.biases[units.unit_bias],
        values.of_units("trust"),
    )
    return utility / game.scale


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
    answer=_sender_utility,
    response=logit,
    types=LEVEL_K_RECEIVER.types,
    ignores=_level_0_ignores("lying_aversion"),
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
    answer=_receiver_utility,
    response=logit,
    types=LEVEL_K_RECEIVER.types,
    ignores=_level_0_ignores("trust"),
    resolve=_resolve,
    by_default=False,
)
