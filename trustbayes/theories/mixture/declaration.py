"""The mixtures of theories, declared: for finite games, forecast sharing, games on an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trustbayes.games.finite import FiniteGame
from trustbayes.priors.prior import Prior
from trustbayes.theories.benchmarks import declaration as benchmarks
from trustbayes.theories.level_k import declaration as level_k
from trustbayes.theories.mixture.combine import NAME, mixture
from trustbayes.theories.responses.logit import RESPONSE_PRECISION
from trustbayes.theories.spec import ModelSpec
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


def _babbling(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    """Habits are log odds, whatever the precision that the response rule multiplies by."""
    habit = benchmarks.FINITE_BABBLING_SENDER.answer(game, values, conventions)
    return habit / values.of_units("response_precision")[..., None, None]


# Some who babble always send high messages, others low ones. With habits in common, one of the two
# sorts would babble and which one would depend on where a chain begins.
_HABIT = replace(benchmarks.MESSAGE_HABIT, prior=Prior("Normal", mu=0.0, sigma=1.5))


def _on_request(spec: ModelSpec) -> ModelSpec:
    return replace(spec, by_default=False)


FINITE_SENDER = _on_request(
    mixture(
        trust_embedded.FINITE_SENDER,
        level_k.FINITE_SENDER,
        replace(
            benchmarks.FINITE_BABBLING_SENDER,
            parameters=(RESPONSE_PRECISION, _HABIT),
            answer=_babbling,
        ),
    )
)

FINITE_RECEIVER = _on_request(
    mixture(
        trust_embedded.FINITE_RECEIVER, level_k.FINITE_RECEIVER, benchmarks.FINITE_BABBLING_RECEIVER
    )
)

FORECAST_SENDER = mixture(
    trust_embedded.FORECAST_SENDER, level_k.FORECAST_SENDER, benchmarks.FORECAST_BABBLING_SENDER
)

FORECAST_RECEIVER = mixture(
    trust_embedded.FORECAST_RECEIVER,
    level_k.FORECAST_RECEIVER,
    benchmarks.FORECAST_BABBLING_RECEIVER,
)

INTERVAL_SENDER = mixture(
    trust_embedded.INTERVAL_SENDER, level_k.INTERVAL_SENDER, benchmarks.INTERVAL_BABBLING_SENDER
)

INTERVAL_RECEIVER = mixture(
    trust_embedded.INTERVAL_RECEIVER,
    level_k.INTERVAL_RECEIVER,
    benchmarks.INTERVAL_BABBLING_RECEIVER,
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
