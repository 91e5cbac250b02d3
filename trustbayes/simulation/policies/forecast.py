"""Policies in forecast sharing: people who meet one by one, in the same meetings each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError
from trustbayes.estimates.profits import babbling_profits, expected_profits, full_trust_profits
from trustbayes.games import Feedback, ForecastGame, Market
from trustbayes.games.forecast import game_faults
from trustbayes.numerics.plain import as_plain
from trustbayes.simulation.policies.crowd import Crowd
from trustbayes.simulation.policies.policy import Audit, Ideal
from trustbayes.simulation.policies.stage import PARTIES, Outcomes, Parts, Stage, faults_of_changes
from trustbayes.theories.benchmarks.forecast import babbling_capacity
from trustbayes.trials.forecast import Points

__all__ = ["ideal", "met", "play", "references", "stage"]

_ROUNDS = 8
_MEETINGS = 1000  # of a draw in a treatment and a round, at least
_STRATA = 30  # forecasts of each sender in a round, at least
_BUDGET = 8 * 2**20  # bytes of the largest array of a slice of draws

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
    if audit is not None and audit.per == "lie" and audit.expected:
        expected = 'a fine per = "unit" of |report - forecast|: the theories have no other'
        faults.append(Fault("audit.per", audit.per, expected))
    if feedback is not None and feedback.in_treatment(treatment) == "payoff":
        expected = '"state" or "none": what a payoff says of demand is not known'
        faults.append(Fault("feedback", "payoff", expected))
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
    """See `trustbayes.simulation.policies.stage.Play`.

    Every sender reports at forecasts spread evenly over [-a, a], the midpoints of equal strata.
    Who meets, who of them is shifted and how choices scatter are the same under every policy.
    """
    people, size = senders[0][1].people, senders[0][1].size
    strata = max(_STRATA, -(-_MEETINGS // people))
    middle = (np.arange(strata) + 0.5) / strata
    forecast = np.repeat((2 * middle - 1) * stage.game.forecast_range, people)
    who = np.tile(np.arange(people), strata)[None]
    types = [max(1, len(parts[0][1].model.types)) for parts in (senders, receivers)]
    step = max(1, _BUDGET // (forecast.size * max(types) * 8))
    outcomes: Outcomes = {}
    for start in range(0, size, step):
        rows = slice(start, min(start + step, size))
        # A stream for each use: a choice that needs no noise would else move the next ones.
        streams = [np.random.default_rng([seed, start, use]) for use in range(3)]
        best = _best_reports(stage, senders, rows, who, forecast, cache)
        for number in range(_ROUNDS):
            report = _drawn(best, senders, streams[0])
            met = _deal(receivers[0][1].people, report.shape, streams[1])
            capacity = _choices(stage, receivers, rows, met, report, streams[2])
            for what, values in _meeting(stage, forecast, report, capacity).items():
                kept = outcomes.setdefault(what, np.empty((_ROUNDS, size)))
                kept[number, rows] = values
    return outcomes


def met(stage: Stage, table: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
    """See `trustbayes.simulation.policies.stage.Play`."""
    columns = (table[name].to_numpy(float)[:, None] for name in ("state", "message", "action"))
    state, message, action = columns
    return _meeting(stage, state, message, action)


def _best_reports(
    stage: Stage,
    senders: Parts,
    rows: slice,
    who: np.ndarray,
    forecast: np.ndarray,
    cache: dict[Any, Any],
) -> list[tuple[Any, ...]]:
    """What everybody would report at every forecast without noise; of people as they are, kept."""
    if len(senders) > 1 or senders[0][1].moved:
        return [_answer(stage, crowd, rows, who, forecast) for _, crowd in senders]
    key = (stage.key, rows.start)
    if key not in cache:
        cache[key] = [_answer(stage, senders[0][1], rows, who, forecast)]
    kept: list[tuple[Any, ...]] = cache[key]
    return kept


def _choices(
    stage: Stage,
    parts: Parts,
    rows: slice,
    who: np.ndarray,
    seen: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    best = [_answer(stage, crowd, rows, who, seen) for _, crowd in parts]
    return _drawn(best, parts, rng)


def _answer(
    stage: Stage, crowd: Crowd, rows: slice, who: np.ndarray, seen: np.ndarray
) -> tuple[Any, ...]:
    """What response rules ask for: units, best choices, values, types."""
    meetings = np.arange(who.shape[-1])
    units = Points(
        role=crowd.model.role,
        subjects=tuple(map(str, meetings)),
        treatments=(stage.treatment,),
        groups=None,
        unit_subject=meetings,
        unit_treatment=np.zeros_like(meetings),
        trial_unit=meetings,
        trial_seen=seen,
        trial_choice=np.full(seen.shape, np.nan),  # not made yet
    )
    values = crowd.values(stage.game, rows, units, who)
    types = crowd.types(rows, who)
    answer = crowd.model.answer(stage.game, values)
    # Noise is the people's, in the units in which it was estimated.
    return crowd.model.response(crowd.game), units, answer, values, types


def _drawn(best: list[tuple[Any, ...]], parts: Parts, rng: np.random.Generator) -> np.ndarray:
    """Choices with noise: the same noise whichever sort a person is of."""
    noise, sort = (int(rng.integers(2**31)) for _ in range(2))
    choices = [
        response.draw(units, answer, values, types, np.random.default_rng(noise))
        for response, units, answer, values, types in best
    ]
    chosen = choices[0]
    reached = parts[0][0]
    aim = np.random.default_rng(sort).random(chosen.shape) if len(parts) > 1 else None
    for (weight, _), other in zip(parts[1:], choices[1:], strict=True):
        assert aim is not None
        chosen = np.where(aim < reached, chosen, other)
        reached += weight
    return np.asarray(chosen)


def _deal(people: int, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """A random receiver for each report, all equally often up to one; shape (draws, meetings).

    As from shuffled decks of receivers, dealt one after the other.
    """
    size, meetings = shape
    decks = np.tile(np.arange(people), (size, -(-meetings // people), 1))
    return rng.permuted(decks, axis=-1).reshape(size, -1)[:, :meetings]


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
