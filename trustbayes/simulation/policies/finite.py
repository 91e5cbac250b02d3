"""Policies in finite games: choice probabilities averaged over people, payoffs in closed form.

Who meets is random, and what the two roles do is independent given a draw: a meeting's expected
payoff follows from the mean probability of every message in every state, and of every action after
every message. Nothing is simulated but new people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError, listing
from trustbayes.games import Feedback, FiniteGame, Role
from trustbayes.games.changed import Fined, measured_in, with_payoffs
from trustbayes.games.message_payoffs import PayoffFormulas
from trustbayes.games.payoffs import PowerLoss
from trustbayes.simulation.policies.crowd import Crowd
from trustbayes.simulation.policies.policy import Audit, Ideal
from trustbayes.simulation.policies.stage import PARTIES, Outcomes, Parts, Stage, faults_of_changes
from trustbayes.theories.benchmarks.finite import babbling_receiver_utility, full_trust_utility
from trustbayes.trials.finite import Cells

__all__ = ["ideal", "met", "play", "references", "stage"]

_BUDGET = 8 * 2**20  # bytes of the largest array of a slice of draws
_TERMS = ("bias", "prior", "receiver_prior", "direction")
_LOSS = ("constant", "scale", "exponent")
_SAME = 1e-9


def stage(
    game: FiniteGame,
    treatment: str,
    biases: tuple[float, ...],
    changes: Mapping[str, Any],
    audit: Audit | None,
    feedback: Feedback | None,
) -> Stage:
    """See `trustbayes.simulation.policies.stage.Play`."""
    base = game.in_treatment(treatment)
    payoffs = base.payoffs
    constants: tuple[str, ...] = ()
    if isinstance(payoffs, PowerLoss):
        constants = _LOSS
    elif isinstance(payoffs, PayoffFormulas):
        constants = tuple(payoffs.constants)
    known = (*_TERMS, *constants)
    faults = faults_of_changes(changes, known, ("bias", *constants))
    numbers = {key: changes[key] for key in ("bias", *constants) if key in changes}
    said = {fault.place for fault in faults}
    changes = {key: value for key, value in changes.items() if f"game.{key}" not in said}
    numbers = {key: value for key, value in numbers.items() if key in changes}
    new = {key: float(value) for key, value in numbers.items() if key in constants}
    try:
        if new and isinstance(payoffs, PowerLoss):
            payoffs = replace(payoffs, **new)
        elif new and isinstance(payoffs, PayoffFormulas):
            payoffs = replace(payoffs, constants={**payoffs.constants, **new})
        if "bias" in changes:
            biases = (float(changes["bias"]),)
        received = changes.get("receiver_prior")
        if received is None and "prior" not in changes:
            received = base.receiver_prior.tolist()
        made = FiniteGame(
            base.states.tolist(),
            base.messages.tolist(),
            base.actions.tolist(),
            changes.get("prior", base.prior.tolist()),
            payoffs,
            {treatment: biases},
            name=game.name,
            receiver_prior=received,
            direction=changes.get("direction", base.direction),
            action_labels=base.action_labels,
            feedback=feedback,
        )
        for bias in biases:
            made.sender_outcomes(bias)  # tables know some biases only
    except (ValueError, TypeError, KeyError) as error:
        stated = listing([f"{key} = {value}" for key, value in changes.items()])
        faults.append(Fault("game", stated, f"a game that makes sense ({error})"))
    if faults:
        raise InputError(faults)
    made = measured_in(made, game)
    if audit is not None and audit.expected:
        lump = audit.per == "lie"
        fine = {"per_lie" if lump else "per_unit": audit.expected}
        made = with_payoffs(made, Fined(made.payoffs, **fine))
    return Stage(made, treatment, biases, audit)


def references(stage: Stage) -> dict[str, tuple[float, float]]:
    """See `trustbayes.simulation.policies.stage.Play`."""
    low, high = (_payoffs(stage, *_ideal_tables(stage, kind)) for kind in _IDEALS)
    return {party: (float(low[party].item()), float(high[party].item())) for party in PARTIES}


_IDEALS: tuple[Ideal, ...] = ("babbling", "full-trust")


def ideal(stage: Stage, play: Ideal) -> dict[tuple[str, str], float]:
    """See `trustbayes.simulation.policies.stage.Play`."""
    tables = _ideal_tables(stage, play)
    return {key: float(value.item()) for key, value in _outcomes(stage, *tables).items()}


def _ideal_tables(stage: Stage, kind: Ideal) -> tuple[np.ndarray, np.ndarray]:
    """Messages that say nothing and the best action, or true ones, taken at their word."""
    game: FiniteGame = stage.game
    if isinstance(game.payoffs, Fined):
        game = with_payoffs(game, game.payoffs.payoffs)
    count = len(stage.biases)
    if kind == "babbling":
        sent = np.full((game.states.size, game.messages.size), 1 / game.messages.size)
        utility = babbling_receiver_utility(game)
    else:
        nearest = abs(game.messages[None] - game.states[:, None]).argmin(axis=1)
        sent = np.eye(game.messages.size)[nearest]
        utility = full_trust_utility(game, "receiver")
    best = utility >= utility.max(axis=1, keepdims=True) - _SAME * float(np.ptp(utility))
    done = best / best.sum(axis=1, keepdims=True)
    return np.tile(sent, (1, 1, count, 1, 1)), np.tile(done, (1, 1, count, 1, 1))


def play(
    stage: Stage, senders: Parts, receivers: Parts, cache: dict[Any, Any], seed: int
) -> Outcomes:
    """See `trustbayes.simulation.policies.stage.Play`."""
    tables = []
    for parts in (senders, receivers):
        total: Any = 0.0
        for weight, crowd in parts:
            key = (stage.key, crowd.key)
            if key not in cache:
                cache[key] = _table(stage, crowd)
            total = total + (cache[key] if weight == 1 else weight * cache[key])
        tables.append(total)
    return _outcomes(stage, *tables)


def met(stage: Stage, table: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
    """See `trustbayes.simulation.policies.stage.Play`."""
    game: FiniteGame = stage.game
    state, message, action, bias = (
        table[name].to_numpy(float) for name in ("state", "message", "action", "bias")
    )
    earned = np.empty(len(table))
    for value in np.unique(bias).tolist():
        rows = bias == value
        earned[rows] = game.sender_payoff(state[rows], message[rows], action[rows], value)
    fines = np.zeros(len(table))
    if isinstance(game.payoffs, Fined):
        fines = game.payoffs.fine(state, message)
    received = np.asarray(game.receiver_payoff(state, message, action), float)
    if stage.audit is not None and stage.audit.to == "receiver":
        received = received + fines
    sign = np.array([game.direction_of(float(value)) or 1.0 for value in bias])
    labelled = (action != game.actions[0]).astype(float)
    return {
        ("payoff", "sender"): earned,
        ("payoff", "receiver"): received,
        ("payoff", "both"): earned + received,
        ("inflation", "sender"): sign * (message - state),
        ("discount", "receiver"): labelled if game.labelled else sign * (message - action),
        ("lies", "sender"): (abs(message - state) > _SAME).astype(float),
        ("fines", "sender"): fines,
    }


def _table(stage: Stage, crowd: Crowd) -> np.ndarray:
    """Mean probability of every option; shape (batches, draws, biases, seen, options)."""
    game, role, count = stage.game, crowd.model.role, len(stage.biases)
    units = _cells(stage, role, crowd.people)
    width = units.counts.size * (1 if crowd.type_index is None else len(crowd.model.types))
    step = max(1, _BUDGET // (8 * width))
    response = crowd.model.response(game)
    seen, options = game.seen(role).size, game.options(role).size
    table = np.empty((crowd.copies, crowd.size, count, seen, options))
    for start in range(0, crowd.size, step):
        rows = slice(start, min(start + step, crowd.size))
        values = crowd.values(game, rows, units)
        answer, types = crowd.model.answer(game, values), crowd.types(rows)
        if types is not None:
            answer = response.pick(units, answer, types)
        chances = np.exp(response.cell_logs(units, answer, values, typed=False))
        several = (rows.stop - rows.start, crowd.copies, -1, count, seen, options)
        chances = np.broadcast_to(chances, (several[0], chances.shape[-1]))
        table[:, rows] = chances.reshape(several).mean(axis=2).swapaxes(0, 1)
    return table


def _cells(stage: Stage, role: Role, people: int) -> Cells:
    """Everybody under every bias, choosing each option once after all that can be seen."""
    game, count = stage.game, len(stage.biases)
    shape = (people * count, game.seen(role).size, game.options(role).size)
    nothing = np.empty(0, dtype=int)
    return Cells(
        role=role,
        subjects=tuple(map(str, range(people))),
        treatments=(stage.treatment,),
        groups=None,
        biases=np.array(stage.biases),
        unit_subject=np.repeat(np.arange(people), count),
        unit_treatment=np.zeros(people * count, dtype=int),
        unit_bias=np.tile(np.arange(count), people),
        counts=np.ones(shape, dtype=int),
        trial_unit=nothing,
        trial_seen=nothing,
        trial_option=nothing,
    )


def _payoffs(stage: Stage, sent: np.ndarray, done: np.ndarray) -> dict[str, np.ndarray]:
    """Expected payoff of a meeting by party, shape (batches, draws), biases averaged."""
    game: FiniteGame = stage.game
    reached = game.prior[:, None] * sent
    tables = {
        "sender": np.stack([game.sender_outcomes(bias) for bias in stage.biases]),
        "receiver": np.stack([game.receiver_outcomes] * len(stage.biases)),
    }
    earned = {
        party: (reached * np.einsum("cdbma,bsma->cdbsm", done, table)).sum(axis=(-1, -2)).mean(-1)
        for party, table in tables.items()
    }
    if stage.audit is not None and stage.audit.to == "receiver":
        earned["receiver"] = earned["receiver"] + _fines(stage, reached)
    return earned | {"both": earned["sender"] + earned["receiver"]}


def _fines(stage: Stage, reached: np.ndarray) -> np.ndarray:
    """What senders expect to pay in a meeting, shape (batches, draws)."""
    game: FiniteGame = stage.game
    if not isinstance(game.payoffs, Fined):
        return np.zeros(reached.shape[:2])
    fine = game.payoffs.fine(game.states[:, None], game.messages)
    return np.asarray((reached * fine).sum(axis=(-1, -2)).mean(axis=-1))


def _outcomes(stage: Stage, sent: np.ndarray, done: np.ndarray) -> Outcomes:
    game: FiniteGame = stage.game
    outcomes: Outcomes = {
        ("payoff", party): values for party, values in _payoffs(stage, sent, done).items()
    }
    reached = game.prior[:, None] * sent
    sign = np.array([game.direction_of(bias) or 1.0 for bias in stage.biases])
    moved = (reached * game.shifts("sender")).sum(axis=(-1, -2))
    outcomes["inflation", "sender"] = (sign * moved).mean(axis=-1)
    heard = reached.sum(axis=-2)[..., None] * done
    below = (heard * game.shifts("receiver")).sum(axis=(-1, -2))
    outcomes["discount", "receiver"] = (below if game.labelled else -sign * below).mean(axis=-1)
    lie = abs(game.messages[None] - game.states[:, None]) > _SAME
    outcomes["lies", "sender"] = (reached * lie).sum(axis=(-1, -2)).mean(axis=-1)
    outcomes["fines", "sender"] = _fines(stage, reached)
    return outcomes
