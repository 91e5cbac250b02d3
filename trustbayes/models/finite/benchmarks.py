"""The "all or nothing" benchmarks of the finite game, declared: babbling and full trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from trustbayes.games.finite import FiniteGame, Role
from trustbayes.models.finite.response import logit
from trustbayes.models.finite.shared import LAPSE, RESPONSE_PRECISION, WITH_LAPSE
from trustbayes.models.spec import ModelSpec, Parameter
from trustbayes.models.values import Values
from trustbayes.priors import Prior
from trustbayes.theories.finite import benchmarks as theory

__all__ = [
    "BABBLING_RECEIVER",
    "BABBLING_SENDER",
    "FULL_TRUST_RECEIVER",
    "FULL_TRUST_SENDER",
    "HABIT",
]

_CRAWFORD_SOBEL = "Crawford and Sobel (1982), Econometrica 50(6)"

HABIT = Parameter(
    name="habit",
    symbol="h",
    meaning="log propensity to send a message, whatever the state",
    unit="log odds",
    support="real",
    varies=("subject",),
    prior=Prior(
        "Normal", mu=Prior("ZeroSumNormal", sigma=1.0), sigma=Prior("HalfNormal", sigma=1.0)
    ),
    option="message",
)

# Receivers who follow messages leave this model with a precision near zero; a population of
# shape one keeps its density bounded there.
_IGNORING_PRECISION = replace(
    RESPONSE_PRECISION,
    prior=Prior("Gamma", mean=Prior("LogNormal", mu=1.0, sigma=1.0), shape=1.0),
)


def _babbling_sender(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    return values.of_units("habit")[..., None, :] + np.zeros((game.states.size, 1))


def _babbling_receiver(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
    table = theory.babbling_receiver_utility(game) / game.scale
    return np.broadcast_to(table, (values.units.unit_subject.size, *table.shape))


def _full_trust(role: Role) -> Any:
    def utility(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
        table = theory.full_trust_utility(game, role) / game.scale
        return np.broadcast_to(table, (values.units.unit_subject.size, *table.shape))

    return utility


BABBLING_SENDER = ModelSpec(
    name="babbling",
    role="sender",
    kind="finite",
    title="Babbling",
    description="Messages carry no information: each sender has her habits, whatever the state.",
    citation=_CRAWFORD_SOBEL,
    parameters=(HABIT,),
    conventions=(),
    answer=_babbling_sender,
    response=logit,
)

BABBLING_RECEIVER = ModelSpec(
    name="babbling",
    role="receiver",
    kind="finite",
    title="Babbling",
    description="Receivers ignore the message and answer the prior.",
    citation=_CRAWFORD_SOBEL,
    parameters=(_IGNORING_PRECISION, LAPSE),
    conventions=(WITH_LAPSE,),
    answer=_babbling_receiver,
    response=logit,
)

FULL_TRUST_SENDER = ModelSpec(
    name="full-trust",
    role="sender",
    kind="finite",
    title="Full trust",
    description="Senders want to be understood, and err only by noise.",
    citation="the truthful benchmark; level 0 of the level-k model",
    parameters=(RESPONSE_PRECISION, LAPSE),
    conventions=(WITH_LAPSE,),
    answer=_full_trust("sender"),
    response=logit,
)

FULL_TRUST_RECEIVER = ModelSpec(
    name="full-trust",
    role="receiver",
    kind="finite",
    title="Full trust",
    description="Receivers take every message at its word, and err only by noise.",
    citation="the credulous benchmark; level 0 of the level-k model",
    parameters=(RESPONSE_PRECISION, LAPSE),
    conventions=(WITH_LAPSE,),
    answer=_full_trust("receiver"),
    response=logit,
)
