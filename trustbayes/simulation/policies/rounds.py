"""People who learn, round by round: the draws of a posterior side by side in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from trustbayes.models.draws import Draws
from trustbayes.simulation.in_turn import (
    Player,
    add_partners,
    play_rounds as play_table,
    put_placeholders,
    units_at,
)
from trustbayes.simulation.kinds import kind_of
from trustbayes.simulation.policies.crowd import Crowd
from trustbayes.simulation.policies.kinds import play_of
from trustbayes.simulation.policies.stage import Outcomes, Parts, Stage
from trustbayes.theories.learning.trust import moved_trust

__all__ = ["Matching", "play_rounds"]

Matching = Literal["random", "fixed"]
"""Whether people meet others in every round, or the same partner throughout."""


def play_rounds(
    stage: Stage, parts: Mapping[str, Parts], rounds: int, matching: Matching, seed: int
) -> Outcomes:
    """What people do and earn in each round, by outcome and party, shape (rounds, draws).

    Everybody of each draw is a person of her own, and they meet within their draw only. Who meets
    whom, in which state, and how choices fall are the same under every policy.

    Parameters
    ----------
    stage : Stage
        Its game says what is shown after a round.
    parts : mapping of role to Parts
    rounds : int
    matching : "random" or "fixed"
    seed : int

    Returns
    -------
    dict of (outcome, party) to array, shape (rounds, draws)
    """
    crowds = {role: each[0][1] for role, each in parts.items()}
    draws = crowds["sender"].size
    pairs = max(crowd.people for crowd in crowds.values())
    design = np.random.default_rng([seed, 0])
    table = _table(stage, crowds, rounds, pairs, matching, design)
    put_placeholders(table, stage.game, ("sender", "receiver"))
    players = {
        role: _player(role, each, stage, table, np.random.default_rng([seed, 1 + at]))
        for at, (role, each) in enumerate(parts.items())
    }
    play_table(list(players.values()), table)
    outcomes = play_of(stage.game).met(stage, table)
    for role, name in (("receiver", "trust"), ("sender", "expected_trust")):
        trust = _trust(players[role], table, name)
        if trust is not None:
            outcomes[name.replace("_", " "), role] = trust
    shape = (rounds, draws, pairs)
    return {
        key: np.asarray(values, float).reshape(shape).mean(axis=-1)
        for key, values in outcomes.items()
    }


def _table(
    stage: Stage,
    crowds: Mapping[str, Crowd],
    rounds: int,
    pairs: int,
    matching: Matching,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """A row for each round, draw and pair, in this order, with all that precedes choices."""
    draws = crowds["sender"].size
    who = {role: np.arange(pairs) for role in crowds}
    table = pd.DataFrame({"round": np.repeat(np.arange(1, rounds + 1), draws * pairs)})
    table["treatment"] = stage.treatment
    kind_of(stage.game).add_states(table, stage.game, {stage.treatment: stage.biases}, rng)
    once = 1 if matching == "fixed" else rounds
    met = rng.permuted(np.tile(who["receiver"], (once, draws, 1)), axis=-1)
    met = np.broadcast_to(met, (rounds, draws, pairs))
    draw = np.broadcast_to(np.arange(draws)[:, None], (rounds, draws, pairs))
    sender = np.broadcast_to(who["sender"], (rounds, draws, pairs))
    for role, people in (("sender", sender), ("receiver", met)):
        table[role] = _labels(role, draw.ravel() * pairs + people.ravel())
    add_partners(table, stage.game)
    return table


def _labels(role: str, numbers: np.ndarray) -> np.ndarray:
    """Labels in whose order people are numbered."""
    width = len(str(int(numbers.max())))
    return np.char.add(role[0], np.char.zfill(numbers.astype(str), width))


def _player(
    role: str, parts: Parts, stage: Stage, table: pd.DataFrame, rng: np.random.Generator
) -> Player:
    """Everybody of a role in all draws: a crowd, over again where the other role has more."""
    first = parts[0][1]
    people = table[role].nunique() // first.size
    who = np.arange(people) % first.people
    sort = rng.random((first.size, people))  # who of them is shifted is drawn once
    data = {}
    for parameter in first.model.parameters:
        if parameter.support == "simplex":
            continue
        drawn = [_spread(crowd, parameter.name, who) for _, crowd in parts]
        values, reached = drawn[0], parts[0][0]
        for (weight, _), other in zip(parts[1:], drawn[1:], strict=True):
            inside = (sort < reached).reshape(*sort.shape, *(1,) * (values.ndim - 2))
            values = np.where(inside, values, other)
            reached += weight
        unit = parameter.factor(first.game) / parameter.factor(stage.game)
        option = (str(parameter.option),) if parameter.option else ()
        flat = (values if unit == 1 else values * unit).reshape(-1, *values.shape[2:])
        data[parameter.name] = (("sample", "subject", *option), flat[None])
    kinds = None if first.type_index is None else first.type_index[:, who].reshape(-1)
    treatments = {stage.treatment: stage.biases}
    units = units_at(first.model, stage.game, table, treatments)
    return Player(treatments, Draws(first.model, stage.game, units, xr.Dataset(data)), kinds, rng)


def _trust(player: Player, table: pd.DataFrame, name: str) -> np.ndarray | None:
    """Trust given or expected by everybody at every row, as it has moved; None without any."""
    draws = player.at(table)
    if name not in draws.data or player.kinds is not None:
        return None
    if draws.model.learns:
        conventions = draws.model.resolve_conventions(draws.game)
        return moved_trust(draws.values(slice(0, 1)), conventions, name)[0]
    given = draws.data[name].to_numpy()[0]
    at = pd.Index(draws.units.subjects).get_indexer(pd.Index(table[draws.model.role]))
    return np.asarray(given[at] if "subject" in draws.data[name].dims else given)


def _spread(crowd: Crowd, name: str, who: np.ndarray) -> np.ndarray:
    """A parameter of everybody, shape (draws, people) and options, whoever shares it."""
    values = crowd.arrays[name]
    if name in crowd.personal:
        return values[:, who]
    return np.repeat(values[:, None], who.size, axis=1)
