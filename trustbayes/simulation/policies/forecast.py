"""Policies in forecast sharing: what meetings earn there, and what can be changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.errors import InputError
from trustbayes.estimates.profits import babbling_profits, expected_profits, full_trust_profits
from trustbayes.games import Feedback, ForecastGame, Market
from trustbayes.games.forecast import game_faults
from trustbayes.numerics.plain import as_plain
from trustbayes.simulation.policies.meetings import faults_of_stage, met_meetings, play_meetings
from trustbayes.simulation.policies.policy import Audit, Ideal
from trustbayes.simulation.policies.stage import PARTIES, Outcomes, Parts, Stage, faults_of_changes
from trustbayes.theories.benchmarks.forecast import babbling_capacity

__all__ = ["ideal", "met", "play", "references", "stage"]

_MARKET = ("capacity_cost", "uncertainty")
_PRICES = ("mean_demand", "retail_price", "wholesale_price", "production_cost")


def stage(
    game: ForecastGame,
    treatment: str,
    biases: tuple[float, ...],
    changes: Mapping[str, Any],
    audit: Audit | None,
    feedback: Feedback | None,
) -> Stage:
    """See `trustbayes.simulation.policies.stage.Play`."""
    known = (*_MARKET, *_PRICES)
    faults = faults_of_changes(changes, known, known)
    changes = {key: as_plain(value) for key, value in changes.items()}
    faults += faults_of_stage(audit, feedback, treatment, "|report - forecast|", "demand")
    said = {fault.place for fault in faults}
    changes = {key: value for key, value in changes.items() if f"game.{key}" not in said}
    market = vars(game.treatments[treatment]) | {k: changes[k] for k in _MARKET if k in changes}
    numbers = {key: float(changes.get(key, getattr(game, key))) for key in _PRICES}
    numbers |= {key: getattr(game, key) for key in ("forecast_range", "largest_capacity")}
    markets = {treatment: Market(**{key: float(value) for key, value in market.items()})}
    for fault in game_faults(numbers, markets):
        faults.append(replace(fault, place=f"game.{fault.place.rpartition('.')[2]}"))
    if faults:
        raise InputError(faults)
    fine = 0.0 if audit is None else audit.expected
    made = ForecastGame(
        numbers["mean_demand"],
        numbers["retail_price"],
        numbers["wholesale_price"],
        numbers["production_cost"],
        game.forecast_range,
        markets,
        game.largest_capacity,
        name=game.name,
        fine=fine,
        feedback=feedback,
    )
    return Stage(made, treatment, (), audit)


def references(stage: Stage) -> dict[str, tuple[float, float]]:
    """See `trustbayes.simulation.policies.stage.Play`."""
    terms = stage.game.terms([stage.treatment])
    low, high = babbling_profits(terms), full_trust_profits(terms)
    return {p: (float(getattr(low, p)[0]), float(getattr(high, p)[0])) for p in PARTIES}


def ideal(stage: Stage, play: Ideal) -> dict[tuple[str, str], float]:
    """See `trustbayes.simulation.policies.stage.Play`."""
    at = 0 if play == "babbling" else 1
    outcomes = {("payoff", party): both[at] for party, both in references(stage).items()}
    terms = stage.game.terms([stage.treatment])
    trusted = terms.mean_demand + float(terms.safety[0])  # after a report of 0, the mean
    discount = trusted - float(babbling_capacity(terms)[0]) if at == 0 else 0.0
    return outcomes | {
        ("inflation", "sender"): 0.0,
        ("discount", "receiver"): discount,
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
    stage: Stage, forecast: np.ndarray, report: np.ndarray, capacity: np.ndarray
) -> dict[tuple[str, str], np.ndarray]:
    """Means over the meetings of each draw."""
    terms = stage.game.terms([stage.treatment])
    profits = expected_profits(capacity, forecast, terms)
    inflation, fines = (report - forecast).mean(axis=1), 0.0
    if terms.fine:
        fines = terms.fine * abs(report - forecast).mean(axis=1)
    trusted = terms.mean_demand + report + terms.safety
    to_receiver = stage.audit is not None and stage.audit.to == "receiver"
    earned = {
        "sender": profits.sender.mean(axis=1) - fines,
        "receiver": profits.receiver.mean(axis=1) + (fines if to_receiver else 0.0),
    }
    outcomes = {("payoff", party): values for party, values in earned.items()}
    return outcomes | {
        ("payoff", "both"): earned["sender"] + earned["receiver"],
        ("inflation", "sender"): inflation,
        ("discount", "receiver"): (trusted - capacity).mean(axis=1),
        ("fines", "sender"): np.broadcast_to(fines, inflation.shape),
    }
