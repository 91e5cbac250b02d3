"""The mixtures of theories of the finite game."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trustbayes.games.finite import FiniteGame
from trustbayes.models.finite import benchmarks, level_k, trust_embedded
from trustbayes.models.finite.shared import RESPONSE_PRECISION
from trustbayes.models.mixture import mixture
from trustbayes.models.spec import ModelSpec
from trustbayes.models.values import Values
from trustbayes.priors import Prior

__all__ = ["RECEIVER", "SENDER"]


def _babbling(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    """Habits are log odds, whatever the precision that the response rule multiplies by."""
    habit = benchmarks.BABBLING_SENDER.answer(game, values, conventions)
    return habit / values.of_units("response_precision")[..., None, None]


# Some who babble always send high messages, others low ones. With habits in common, one of the two
# sorts would babble and which one would depend on where a chain begins.
_HABIT = replace(benchmarks.HABIT, prior=Prior("Normal", mu=0.0, sigma=1.5))


def _on_request(spec: ModelSpec) -> ModelSpec:
    return replace(spec, by_default=False)


SENDER = _on_request(
    mixture(
        trust_embedded.SENDER,
        level_k.SENDER,
        replace(
            benchmarks.BABBLING_SENDER,
            parameters=(RESPONSE_PRECISION, _HABIT),
            answer=_babbling,
        ),
    )
)
RECEIVER = _on_request(
    mixture(trust_embedded.RECEIVER, level_k.RECEIVER, benchmarks.BABBLING_RECEIVER)
)
