"""The level-k models of the finite game, declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trustbayes.games.finite import FiniteGame, Role
from trustbayes.models.finite.response import logit
from trustbayes.models.finite.shared import LAPSE, RESPONSE_PRECISION, WITH_LAPSE
from trustbayes.models.spec import Convention, ModelSpec, Parameter
from trustbayes.models.values import Values
from trustbayes.priors import Prior
from trustbayes.theories.finite.level_k import level_tables

__all__ = ["CONVENTIONS", "LEVEL", "MAX_LEVEL", "RECEIVER", "SENDER"]

LEVEL = Parameter(
    name="level",
    symbol="k",
    meaning="steps of strategic thinking; the population's shares of the levels are estimated",
    unit="steps",
    support="simplex",
    varies=("subject",),
    prior=Prior("Dirichlet", a=1.0),
    ordered=True,
)

MAX_LEVEL = Convention(
    name="max_level",
    choices=(),
    default=3,
    meaning="The deepest level considered.",
)

CONVENTIONS = (
    MAX_LEVEL,
    Convention(
        name="ties",
        choices=("smallest-lie", "uniform"),
        rivals=("smallest-lie", "uniform"),
        default="smallest-lie",
        meaning=(
            "How ties are broken among equally good replies: senders take the smallest lie and "
            "receivers the action farthest from the sender's wish, or all spread evenly."
        ),
    ),
    Convention(
        name="unsent",
        choices=("monotone", "prior", "tremble"),
        rivals=("monotone", "prior"),
        default="monotone",
        meaning=(
            "How a receiver reads a message that the sender he reckons with never sends: as the "
            "next message that she does send in the direction of the bias, as no news, or as a "
            "rare slip."
        ),
    ),
    WITH_LAPSE,
)


def _utility(role: Role) -> Any:
    def utility(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> np.ndarray:
        tables = [
            level_tables(
                game,
                float(bias),
                conventions["max_level"],
                conventions["ties"],
                conventions["unsent"],
            )
            for bias in values.units.biases
        ]
        stacked = np.stack([getattr(table, f"{role}_utility") for table in tables])
        return stacked[values.units.unit_bias] / game.scale

    return utility


def _types(conventions: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(level) for level in range(conventions["max_level"] + 1))


def _spec(role: Role, description: str) -> ModelSpec:
    return ModelSpec(
        name="level-k",
        role=role,
        kind="finite",
        title="Level-k",
        description=description,
        citation=(
            "Crawford (2003), American Economic Review 93(1); Cai and Wang (2006), Games and "
            "Economic Behavior 56(1); as specified here"
        ),
        parameters=(RESPONSE_PRECISION, LEVEL, LAPSE),
        conventions=CONVENTIONS,
        answer=_utility(role),
        response=logit,
        types=_types,
    )


SENDER = _spec(
    "sender",
    "Senders are selfish and answer a receiver who thinks one step less; level 0 is truthful.",
)
RECEIVER = _spec(
    "receiver",
    "Receivers are selfish and answer a sender of their own level; level 0 is credulous.",
)
