"""The level-k theory, declared: for finite games, forecast sharing, and games on an interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from trustbayes.errors import Fault, InputError
from trustbayes.games.base import Role
from trustbayes.games.continuous import ContinuousGame
from trustbayes.games.finite import FiniteGame
from trustbayes.games.forecast import ForecastGame
from trustbayes.games.interval import IntervalGame
from trustbayes.priors.prior import Prior
from trustbayes.theories.adapters import (
    by_condition,
    positions,
    row_of,
    trial_terms,
    unit_conditions,
)
from trustbayes.theories.learning.declaration import levels_that_learn
from trustbayes.theories.level_k import forecast as theory, interval
from trustbayes.theories.level_k.finite import level_tables
from trustbayes.theories.level_k.quantal import quantal_receiver_utility, quantal_sender_utility
from trustbayes.theories.responses.censored import INTERVAL_NOISE, RESPONSE_NOISE, censored
from trustbayes.theories.responses.heaped import HEAPING, ROUNDING, heaped
from trustbayes.theories.responses.logit import LAPSE, RESPONSE_PRECISION, WITH_LAPSE, logit
from trustbayes.theories.responses.noises import NOISE
from trustbayes.theories.spec import Convention, Guide, Line, Look, ModelSpec, Parameter
from trustbayes.theories.values import Values

__all__ = [
    "CRAWFORD",
    "FINITE_CONVENTIONS",
    "FINITE_RECEIVER",
    "FINITE_SENDER",
    "FORECAST_RECEIVER",
    "FORECAST_SENDER",
    "FORECAST_UNSENT",
    "INTERVAL_RECEIVER",
    "INTERVAL_SENDER",
    "INTERVAL_UNSENT",
    "LEVEL",
    "MAX_LEVEL",
    "NAME",
    "SPECS",
    "levels",
]

NAME = "level-k"
CRAWFORD = "Crawford (2003), American Economic Review 93(1)"

LEVEL = Parameter(
    name="level",
    symbol="k",
    meaning="steps of strategic thinking; the population's shares of the levels are estimated",
    typical="most often thinks {value}",
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

FINITE_CONVENTIONS = (
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

REPLY = Convention(
    name="reply",
    choices=("best", "quantal"),
    default="best",
    meaning=(
        "What a level replies to: the best reply of the level below, or its quantal response, "
        "noisy with the subject's own response precision; then nothing is tied or never sent."
    ),
)

_QUANTAL = {"sender": quantal_sender_utility, "receiver": quantal_receiver_utility}


def _utility(role: Role) -> Any:
    def utility(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
        conditions = unit_conditions(game, values.units)
        if conventions["reply"] == "quantal":
            noisy = by_condition(
                lambda stage, bias, precision: _QUANTAL[role](
                    stage, bias, precision, conventions["max_level"]
                ),
                conditions,
                values.of_units("response_precision"),
            )
            return noisy / game.scale
        tables = [
            level_tables(
                stage,
                bias,
                conventions["max_level"],
                conventions["ties"],
                conventions["unsent"],
            )
            for stage, bias in conditions.distinct
        ]
        stacked = np.stack([getattr(table, f"{role}_utility") for table in tables])
        return np.asarray(stacked[conditions.index] / game.scale)

    return utility


def _utility_seen(role: Role) -> Any:
    whole = _utility(role)

    def utility(game: FiniteGame, values: Values, conventions: Mapping[str, Any]) -> Any:
        """After what was seen in each trial, shape (trials, types, 1, options)."""
        units = values.units.by_trial
        conditions, of_trial = np.unique(
            np.column_stack([units.unit_treatment, units.unit_bias]), axis=0, return_inverse=True
        )
        each = replace(
            units,
            unit_subject=np.zeros(len(conditions), dtype=int),
            unit_treatment=conditions[:, 0],
            unit_bias=conditions[:, 1],
        )
        table = whole(game, Values({}, {}, each), conventions)
        table = np.moveaxis(table, -2, 1)  # conditions, seen, types, options
        place = of_trial.reshape(-1) * table.shape[1] + positions(units.trial_seen)
        return row_of(table.reshape(-1, *table.shape[2:]), place)[:, :, None]

    return utility


def _no_noise_where_depth_moves(
    game: FiniteGame, conventions: Mapping[str, Any]
) -> Mapping[str, Any]:
    if conventions["reply"] == "quantal" and conventions["learning"] != "none":
        expected = "best, where depth of thought moves with experience"
        raise InputError(Fault(f"{NAME}, reply", "quantal", expected))
    return conventions


def levels(conventions: Mapping[str, Any]) -> tuple[str, ...]:
    """Labels of the types."""
    return tuple(str(level) for level in range(conventions["max_level"] + 1))


def _spec(role: Role, description: str) -> ModelSpec:
    return ModelSpec(
        name=NAME,
        role=role,
        kind="finite",
        title="Level-k",
        look=Look("#D55E00", "s", "--"),
        description=description,
        manner="as if thinking a few steps ahead",
        citation=(
            f"{CRAWFORD}; Cai and Wang (2006), Games and Economic Behavior 56(1); as specified here"
        ),
        parameters=(RESPONSE_PRECISION, LEVEL, LAPSE),
        conventions=(*FINITE_CONVENTIONS, REPLY),
        resolve=_no_noise_where_depth_moves,
        answer=_utility(role),
        response=logit,
        types=levels,
        weighs_fines=True,
    )


FINITE_SENDER = _spec(
    "sender",
    "Senders are selfish and answer a receiver who thinks one step less; level 0 is truthful.",
)

FINITE_RECEIVER = _spec(
    "receiver",
    "Receivers are selfish and answer a sender of their own level; level 0 is credulous.",
)

FORECAST_UNSENT = Convention(
    name="unsent",
    choices=("monotone", "prior"),
    rivals=("monotone", "prior"),
    default="monotone",
    meaning=(
        "How a receiver reads a report that the sender he reckons with never makes: as the next "
        "report above that she does make, or as no news."
    ),
)


def _messages_by_level(theory: Callable[..., Any]) -> Any:
    """The answer of senders in games on a line, by what a theory says they send."""

    def answer(game: ContinuousGame, values: Values, conventions: Mapping[str, Any]) -> Any:
        units = values.units
        return theory(units.trial_seen, conventions["max_level"], trial_terms(game, units))

    return answer


def _actions_by_level(theory: Callable[..., Any]) -> Any:
    """The answer of receivers in games on a line, by what a theory says they do."""

    def answer(game: ContinuousGame, values: Values, conventions: Mapping[str, Any]) -> Any:
        units = values.units
        return theory(
            units.trial_seen,
            conventions["max_level"],
            trial_terms(game, units),
            conventions["unsent"],
        )

    return answer


def _message_of_level_1(theory: Callable[..., Any]) -> Any:
    def line(game: ContinuousGame, treatment: str, seen: np.ndarray, mean_report: float) -> Line:
        return Line(seen, theory(seen, 1, game.terms([treatment]))[1])

    return line


_reports, _capacities = _messages_by_level(theory.reports), _actions_by_level(theory.capacities)
_messages, _actions = _messages_by_level(interval.messages), _actions_by_level(interval.actions)


def _capacity_of_level_1(
    game: ForecastGame, treatment: str, seen: np.ndarray, mean_report: float
) -> Line:
    """Up to the highest report, which all who would exaggerate further make, too."""
    choice = theory.capacities(seen, 1, game.terms([treatment]))[1]
    return Line(seen[:-1], choice[:-1], last=(float(seen[-1]), float(choice[-1])))


FORECAST_SENDER = replace(
    FINITE_SENDER,
    kind="forecast-sharing",
    parameters=(RESPONSE_NOISE, LEVEL),
    conventions=(MAX_LEVEL, NOISE),
    answer=_reports,
    response=censored("sender"),
    resolve=None,
    weighs_fines=False,
    guide=Guide("level 1", _message_of_level_1(theory.reports)),
)

FORECAST_RECEIVER = replace(
    FINITE_RECEIVER,
    kind="forecast-sharing",
    parameters=(RESPONSE_NOISE, LEVEL),
    conventions=(MAX_LEVEL, FORECAST_UNSENT, NOISE),
    answer=_capacities,
    response=censored("receiver"),
    resolve=None,
    guide=Guide("level 1", _capacity_of_level_1),
)

INTERVAL_UNSENT = replace(
    FORECAST_UNSENT,
    meaning=(
        "How a receiver reads a message that the sender he reckons with never sends: as the next "
        "message in the direction of the bias that she does send, or as no news."
    ),
)


def _action_of_level_1(
    game: IntervalGame, treatment: str, seen: np.ndarray, mean_report: float
) -> Line:
    """Up to the end at which senders pile up, the message of whom is read otherwise."""
    choice = interval.actions(seen, 1, game.terms([treatment]))[1]
    if game.treatments[treatment] < 0:
        return Line(seen[1:], choice[1:], last=(float(seen[0]), float(choice[0])))
    return Line(seen[:-1], choice[:-1], last=(float(seen[-1]), float(choice[-1])))


INTERVAL_SENDER = replace(
    FORECAST_SENDER,
    kind="interval",
    parameters=(INTERVAL_NOISE, LEVEL, ROUNDING),
    conventions=(MAX_LEVEL, NOISE, HEAPING),
    answer=_messages,
    response=heaped("sender"),
    guide=Guide("level 1", _message_of_level_1(interval.messages)),
)

INTERVAL_RECEIVER = replace(
    FORECAST_RECEIVER,
    kind="interval",
    parameters=(INTERVAL_NOISE, LEVEL, ROUNDING),
    conventions=(MAX_LEVEL, INTERVAL_UNSENT, NOISE, HEAPING),
    answer=_actions,
    response=heaped("receiver"),
    guide=Guide("level 1", _action_of_level_1),
)

SPECS = (
    levels_that_learn(FINITE_SENDER, _utility_seen("sender")),
    levels_that_learn(FINITE_RECEIVER, _utility_seen("receiver")),
    levels_that_learn(FORECAST_SENDER, _reports),
    levels_that_learn(FORECAST_RECEIVER, _capacities),
    levels_that_learn(INTERVAL_SENDER, _messages),
    levels_that_learn(INTERVAL_RECEIVER, _actions),
)
"""In the order of reports."""
