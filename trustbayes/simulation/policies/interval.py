"""Policies in games on an interval: what meetings earn there, and what can be changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError
from trustbayes.games import Feedback, IntervalGame, PowerLoss
from trustbayes.games.interval import PAYOFFS
from trustbayes.numerics.plain import as_plain
from trustbayes.simulation.policies.meetings import faults_of_stage, met_meetings, play_meetings
from trustbayes.simulation.policies.policy import Audit, Ideal
from trustbayes.simulation.policies.stage import Outcomes, Parts, Stage, faults_of_changes

__all__ = ["ideal", "met", "play", "references", "stage"]

_LEAST = {"scale": 0.0, "exponent": 1.0}


def stage(
    game: IntervalGame,
    treatment: str,
    biases: tuple[float, ...],
    changes: Mapping[str, Any],
    audit: Audit | None,
    feedback: Feedback | None,
) -> Stage:
    """See `trustbayes.simulation.policies.stage.Play`."""
    known = ("bias", *PAYOFFS)
    faults = faults_of_changes(changes, known, known)
    faults += faults_of_stage(audit, feedback, treatment, "|message - state|", "the state")
    said = {fault.place for fault in faults}
    numbers = {
        key: float(as_plain(value)) for key, value in changes.items() if f"game.{key}" not in said
    }
    for key, least in _LEAST.items():
        if key in numbers and (numbers[key] < least or numbers[key] == 0):
            bound = "above 0" if key == "scale" else f"of at least {least:g}"
            faults.append(Fault(f"game.{key}", f"{numbers[key]:.12g}", f"a number {bound}"))
    if faults:
        raise InputError(faults)
    payoffs = {key: numbers.get(key, getattr(game.payoffs, key)) for key in PAYOFFS}
    made = IntervalGame(
        game.lowest,
        game.highest,
        {treatment: numbers.get("bias", game.treatments[treatment])},
        PowerLoss(**payoffs),
        game.step,
        name=game.name,
        feedback=feedback,
        fine=0.0 if audit is None else audit.expected,
        round_to=game.round_to,
    )
    return Stage(made, treatment, (), audit)


def references(stage: Stage) -> dict[str, tuple[float, float]]:
    """See `trustbayes.simulation.policies.stage.Play`."""
    terms = stage.game.terms([stage.treatment])
    bias, half = float(terms.bias[0]), terms.half
    constant, scale, p = (getattr(stage.game.payoffs, key) for key in PAYOFFS)

    def mean_loss(shift: float) -> float:
        """Of an action in the middle, whose distance from the ideal is uniform round the shift."""
        ends = np.array([half - shift, -half - shift])
        upper, lower = np.sign(ends) * abs(ends) ** (p + 1) / (p + 1)
        return float(scale * (upper - lower) / (2 * half))

    low = {"sender": constant - mean_loss(bias), "receiver": constant - mean_loss(0.0)}
    high = {"sender": constant - scale * abs(bias) ** p, "receiver": constant}
    each = {party: (low[party], high[party]) for party in low}
    return each | {"both": (sum(low.values()), sum(high.values()))}


def ideal(stage: Stage, play: Ideal) -> dict[tuple[str, str], float]:
    """See `trustbayes.simulation.policies.stage.Play`."""
    at = 0 if play == "babbling" else 1
    outcomes = {("payoff", party): both[at] for party, both in references(stage).items()}
    # A message that says nothing is anywhere, as often above the middle as below.
    return outcomes | {
        ("inflation", "sender"): 0.0,
        ("discount", "receiver"): 0.0,
        ("fines", "sender"): 0.0,
    }


def play(
    stage: Stage, senders: Parts, receivers: Parts, cache: dict[Any, Any], seed: int
) -> Outcomes:
    """See `trustbayes.simulation.policies.stage.Play` and `play_meetings`."""
    return play_meetings(stage, senders, receivers, cache, seed, _meeting)


def met(stage: Stage, table: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
    """See `trustbayes.simulation.policies.stage.Play`."""
    return met_meetings(stage, table, _meeting)


def _meeting(
    stage: Stage, state: np.ndarray, message: np.ndarray, action: np.ndarray
) -> dict[tuple[str, str], np.ndarray]:
    """Means over the meetings of each draw."""
    payoffs, bias = stage.game.payoffs, stage.game.treatments[stage.treatment]
    way = np.sign(bias) or 1.0
    inflation = way * (message - state).mean(axis=1)
    fines = stage.game.fine * abs(message - state).mean(axis=1)
    to_receiver = stage.audit is not None and stage.audit.to == "receiver"
    earned = {
        "sender": payoffs.sender(state, action, bias).mean(axis=1) - fines,
        "receiver": payoffs.receiver(state, action).mean(axis=1) + (fines if to_receiver else 0.0),
    }
    outcomes = {("payoff", party): values for party, values in earned.items()}
    return outcomes | {
        ("payoff", "both"): earned["sender"] + earned["receiver"],
        ("inflation", "sender"): inflation,
        ("discount", "receiver"): way * (message - action).mean(axis=1),
        ("fines", "sender"): fines,
    }
