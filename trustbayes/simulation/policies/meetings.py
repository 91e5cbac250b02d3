"""Policies in games on a line: people who meet one by one, in the same meetings each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.errors import Fault
from trustbayes.games import Feedback
from trustbayes.simulation.policies.crowd import Crowd
from trustbayes.simulation.policies.policy import Audit
from trustbayes.simulation.policies.stage import Outcomes, Parts, Stage
from trustbayes.trials.forecast import Points

__all__ = ["Meeting", "faults_of_stage", "met_meetings", "play_meetings"]

_ROUNDS = 8
_MEETINGS = 1000  # of a draw in a treatment and a round, at least
_STRATA = 30  # states of each sender in a round, at least
_BUDGET = 8 * 2**20  # bytes of the largest array of a slice of draws

Meeting = Callable[[Stage, np.ndarray, np.ndarray, np.ndarray], dict[tuple[str, str], np.ndarray]]
"""What meetings earned and were like."""


def faults_of_stage(
    audit: Audit | None, feedback: Feedback | None, treatment: str, lie: str, hidden: str
) -> list[Fault]:
    """What theories of games on a line cannot weigh.

    Parameters
    ----------
    audit : Audit or None
    feedback : Feedback or None
    treatment : str
    lie : str
        What a fine must go by, in the words of the game.
    hidden : str
        What a payoff does not say.

    Returns
    -------
    list of Fault
    """
    faults = []
    if audit is not None and audit.per == "lie" and audit.expected:
        expected = f'a fine per = "unit" of {lie}: the theories have no other'
        faults.append(Fault("audit.per", audit.per, expected))
    if feedback is not None and feedback.in_treatment(treatment) == "payoff":
        expected = f'"state" or "none": what a payoff says of {hidden} is not known'
        faults.append(Fault("feedback", "payoff", expected))
    return faults


def met_meetings(
    stage: Stage, table: pd.DataFrame, meeting: Meeting
) -> dict[tuple[str, str], np.ndarray]:
    """What the meetings of a trial table earned and were like, each by itself.

    Parameters
    ----------
    stage : Stage
        Of a game on a line.
    table : DataFrame
        With the columns state, message and action.
    meeting : callable
        As for `play_meetings`.

    Returns
    -------
    dict of (str, str) to array, shape (trials,)
    """
    state, message, action = table[["state", "message", "action"]].to_numpy(float).T[..., None]
    return meeting(stage, state, message, action)


def play_meetings(
    stage: Stage,
    senders: Parts,
    receivers: Parts,
    cache: dict[Any, Any],
    seed: int,
    meeting: Meeting,
) -> Outcomes:
    """Let people meet: see `trustbayes.simulation.policies.stage.Play`.

    Every sender sends messages in states spread evenly over all there are, the midpoints of equal
    strata. Who meets, who of them is shifted and how choices scatter are the same under every
    policy.

    Parameters
    ----------
    stage : Stage
        Of a game on a line.
    senders, receivers : Parts
    cache : dict
    seed : int
    meeting : callable
        ``meeting(stage, state, message, action)`` gives the outcomes of meetings, arrays of shape
        (meetings,) or (draws, meetings), as means of each draw.

    Returns
    -------
    Outcomes
    """
    people, size = senders[0][1].people, senders[0][1].size
    strata = max(_STRATA, -(-_MEETINGS // people))
    middle = (np.arange(strata) + 0.5) / strata
    low, high = stage.game.seen_range("sender")
    state = np.repeat(low + (high - low) * middle, people)
    who = np.tile(np.arange(people), strata)[None]
    types = [max(1, len(parts[0][1].model.types)) for parts in (senders, receivers)]
    step = max(1, _BUDGET // (state.size * max(types) * 8))
    outcomes: Outcomes = {}
    for start in range(0, size, step):
        rows = slice(start, min(start + step, size))
        # A stream for each use: a choice that needs no noise would else move the next ones.
        streams = [np.random.default_rng([seed, start, use]) for use in range(3)]
        best = _best_messages(stage, senders, rows, who, state, cache)
        for number in range(_ROUNDS):
            message = _drawn(best, senders, streams[0])
            met = _deal(receivers[0][1].people, message.shape, streams[1])
            action = _choices(stage, receivers, rows, met, message, streams[2])
            for what, values in meeting(stage, state, message, action).items():
                kept = outcomes.setdefault(what, np.empty((_ROUNDS, size)))
                kept[number, rows] = values
    return outcomes


def _best_messages(
    stage: Stage,
    senders: Parts,
    rows: slice,
    who: np.ndarray,
    state: np.ndarray,
    cache: dict[Any, Any],
) -> list[tuple[Any, ...]]:
    """What everybody would say in every state without noise; of people as they are, kept."""
    if len(senders) > 1 or senders[0][1].moved:
        return [_answer(stage, crowd, rows, who, state) for _, crowd in senders]
    key = (stage.key, rows.start)
    if key not in cache:
        cache[key] = [_answer(stage, senders[0][1], rows, who, state)]
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
    """A random receiver for each message, all equally often up to one; shape (draws, meetings).

    As from shuffled decks of receivers, dealt one after the other.
    """
    size, meetings = shape
    decks = np.tile(np.arange(people), (size, -(-meetings // people), 1))
    return rng.permuted(decks, axis=-1).reshape(size, -1)[:, :meetings]
