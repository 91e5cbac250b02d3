"""Policies where people take recommendations: receivers alone, whose decisions should be right.

The game pays nobody. What a decision costs is how far it lies from the outcome, so that a payoff is
minus that distance, in units of decisions. Messages that say nothing are ignored: everybody keeps
her estimate; under full trust everybody follows. Where recommendations are worse than estimates,
following pays less than keeping, and neither is the best that can be done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm, qmc

from trustbayes.errors import Fault, InputError
from trustbayes.games import Adviser, Feedback, RecommendationGame
from trustbayes.games.recommendation import NUMBERS, recommendation_faults
from trustbayes.numerics.plain import as_plain
from trustbayes.simulation.policies.policy import Audit, Ideal
from trustbayes.simulation.policies.stage import Outcomes, Parts, Stage, faults_of_changes
from trustbayes.simulation.recommendation import recorded, units_of
from trustbayes.theories.response import Response

__all__ = ["ideal", "met", "play", "references", "stage"]

_ROUNDS = 8
_MEETINGS = 1000  # of a draw in a treatment and a round, at least
_BUDGET = 8 * 2**20  # bytes of the largest array of a slice of draws
_POINTS_SEED = 20261127  # of what happens, which is the same in all draws and under every policy

_CHANGES = ("adviser_error", "typical_outcome", "outcome_spread", "estimate_error")


def stage(
    game: RecommendationGame,
    treatment: str,
    biases: tuple[float, ...],
    changes: Mapping[str, Any],
    audit: Audit | None,
    feedback: Feedback | None,
) -> Stage:
    """See `trustbayes.simulation.policies.stage.Play`."""
    faults = faults_of_changes(changes, _CHANGES, _CHANGES)
    changes = {key: as_plain(value) for key, value in changes.items()}
    if game.treatments is None:
        expected = "a table [treatments] in the game file, with adviser_error of each"
        faults.append(Fault("game", "recommendations of unknown accuracy", expected))
    if game.treatments is None or faults:
        raise InputError(faults)
    error = changes.get("adviser_error", game.treatments[treatment].error)
    numbers = {key: changes.get(key, getattr(game, key)) for key in NUMBERS}
    advisers = {treatment: Adviser(float(error))}
    for fault in recommendation_faults(numbers, advisers):
        key = "adviser_error" if "error" in fault.place and treatment in fault.place else None
        faults.append(replace(fault, place=f"game.{key or fault.place.rpartition('.')[2]}"))
    if faults:
        raise InputError(faults)
    made = RecommendationGame(**numbers, treatments=advisers, name=game.name)
    return Stage(made, treatment, (), None)


def references(stage: Stage) -> dict[str, tuple[float, float]]:
    """See `trustbayes.simulation.policies.stage.Play`."""
    low, high = (ideal(stage, play)["payoff", "receiver"] for play in _IDEALS)
    return {"receiver": (low, high)}


_IDEALS: tuple[Ideal, ...] = ("babbling", "full-trust")


def ideal(stage: Stage, play: Ideal) -> dict[tuple[str, str], float]:
    """See `trustbayes.simulation.policies.stage.Play`.

    Of several recommendations at once people follow each as often.
    """
    columns = ["estimate"] if play == "babbling" else list(stage.game.messages)
    parts = []
    for number in range(_ROUNDS):
        table = _happens(stage, _MEETINGS, number)
        for name in columns:
            decided = _decided(table, table[name].to_numpy(float))
            parts.append({key: float(values.mean()) for key, values in decided.items()})
    return {key: float(np.mean([part[key] for part in parts])) for key in parts[0]}


def play(
    stage: Stage, senders: Parts, receivers: Parts, cache: dict[Any, Any], seed: int
) -> Outcomes:
    """See `trustbayes.simulation.policies.stage.Play`.

    Outcomes, estimates and recommendations are spread evenly over what the game says of them (a
    Halton sequence, Owen 2017, arXiv:1706.02808), the same in every draw.
    """
    first = receivers[0][1]
    people, size = first.people, first.size
    meetings = people * -(-_MEETINGS // people)
    step = max(1, _BUDGET // (meetings * 8 * max(1, len(first.model.types))))
    outcomes: Outcomes = {}
    for number in range(_ROUNDS):
        rng = np.random.default_rng([seed, number])
        table = _happens(stage, meetings, number)
        who = rng.permutation(np.tile(np.arange(people), meetings // people))[None]
        table["receiver"] = np.char.zfill(np.arange(meetings).astype(str), 9)
        units = units_of("receiver", stage.game, table, {stage.treatment: ()})
        sort = rng.random(people)[who[0]]  # who of them is shifted
        for start in range(0, size, step):
            rows = slice(start, min(start + step, size))
            noise = int(rng.integers(2**31))
            chosen, reached = np.empty(0), 0.0
            for weight, crowd in receivers:
                values = crowd.values(stage.game, rows, units, who)
                answer = crowd.model.answer(stage.game, values)
                response: Response = crowd.model.response(stage.game)
                drawn = response.choose(
                    units, answer, values, crowd.types(rows, who), np.random.default_rng(noise)
                )
                drawn = np.broadcast_to(drawn, (rows.stop - rows.start, meetings))
                chosen = np.where(sort < reached, chosen, drawn) if chosen.size else drawn
                reached += weight
            for key, decided in _decided(table, recorded(stage.game, chosen)).items():
                of_all = outcomes.setdefault(key, np.empty((_ROUNDS, size)))
                of_all[number, rows] = decided.mean(axis=-1)
    return outcomes


def met(stage: Stage, table: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
    """See `trustbayes.simulation.policies.stage.Play`."""
    return _decided(table, table["action"].to_numpy(float))


def _happens(stage: Stage, meetings: int, number: int) -> pd.DataFrame:
    """Outcomes, estimates and recommendations of a round."""
    game: RecommendationGame = stage.game
    assert game.treatments is not None
    points = qmc.Halton(2 + game.advisers, rng=np.random.default_rng([_POINTS_SEED, number]))
    z = norm.ppf(np.clip(points.random(meetings), 1e-12, 1 - 1e-12)).T
    outcome = recorded(game, game.typical_outcome + game.outcome_spread * z[0])
    table = pd.DataFrame({"treatment": [stage.treatment] * meetings, "outcome": outcome})
    table["estimate"] = recorded(game, outcome + game.estimate_error * z[1])
    for name, noise in zip(game.messages, z[2:], strict=True):
        error = game.treatments[stage.treatment].error * noise
        table[name] = recorded(game, outcome + error)
    return table


def _decided(table: pd.DataFrame, decision: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """What comes of decisions in every meeting, shape (..., meetings)."""
    names = [name for name in table if name == "message" or str(name).startswith("message_")]
    message = table[names].to_numpy(float).mean(axis=1)
    estimate, outcome = (table[name].to_numpy(float) for name in ("estimate", "outcome"))
    toward = np.sign(message - estimate)
    return {
        ("payoff", "receiver"): -abs(decision - outcome),
        ("discount", "receiver"): (message - decision) * toward,
    }
