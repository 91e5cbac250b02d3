"""People who learn, round by round: the draws of a posterior side by side in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from trustbayes.games import Game
from trustbayes.models import Model
from trustbayes.models.draws import Draws
from trustbayes.simulation.in_turn import add_partners
from trustbayes.simulation.kinds import kind_of
from trustbayes.simulation.policies.crowd import Crowd
from trustbayes.simulation.policies.kinds import play_of
from trustbayes.simulation.policies.stage import Outcomes, Parts, Stage
from trustbayes.theories.learning.trust import moved_trust
from trustbayes.trials.rules import rules_of
from trustbayes.trials.sequences import sequence

__all__ = ["Matching", "play_rounds"]

Matching = Literal["random", "fixed"]
"""Whether people meet others in every round, or the same partner throughout."""

_CHOICE = {"sender": "message", "receiver": "action"}
_SHIFTED = 2**31  # streams of what is drawn of people, apart from those of rounds


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
    players = {
        role: _Player.of(role, each, stage, table, np.random.default_rng([seed, 1 + at]), seed)
        for at, (role, each) in enumerate(parts.items())
    }
    for name in _CHOICE.values():
        table[name] = kind_of(stage.game).placeholder(stage.game, name)
    found: Outcomes = {}
    for number in range(1, rounds + 1):
        so_far = table["round"].to_numpy() <= number
        now = table["round"].to_numpy() == number
        trust = None
        for role in ("sender", "receiver"):
            lived = table[so_far].reset_index(drop=True)
            choices, moved = players[role].choices(lived)
            table.loc[now, _CHOICE[role]] = choices[-now.sum() :]
            trust = moved[-now.sum() :] if role == "receiver" and moved is not None else trust
        met = play_of(stage.game).met(stage, table[now])
        if trust is not None:
            met["trust", "receiver"] = trust
        for key, values in met.items():
            kept = found.setdefault(key, np.empty((rounds, draws)))
            kept[number - 1] = np.asarray(values, float).reshape(draws, pairs).mean(axis=1)
    return found


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


@dataclass(frozen=True, eq=False)
class _Player:
    """Everybody of a role in all draws."""

    model: Model
    game: Game
    stage: Stage
    data: xr.Dataset
    kinds: np.ndarray | None
    rng: np.random.Generator
    seed: int

    @classmethod
    def of(
        cls,
        role: str,
        parts: Parts,
        stage: Stage,
        table: pd.DataFrame,
        rng: np.random.Generator,
        seed: int,
    ) -> _Player:
        """The people of a crowd, over again where the other role has more."""
        first = parts[0][1]
        people = table[role].nunique() // first.size
        who = np.arange(people) % first.people
        # Who of them is shifted is drawn once.
        sort = np.random.default_rng([seed, _SHIFTED]).random((first.size, people))
        data = {}
        for parameter in first.model.parameters:
            if parameter.support == "simplex":
                continue
            name = parameter.name
            drawn = [_spread(crowd, name, who) for _, crowd in parts]
            values, reached = drawn[0], parts[0][0]
            for (weight, _), other in zip(parts[1:], drawn[1:], strict=True):
                here = (sort < reached).reshape(*sort.shape, *(1,) * (values.ndim - 2))
                values = np.where(here, values, other)
                reached += weight
            unit = parameter.factor(first.game) / parameter.factor(stage.game)
            option = (str(parameter.option),) if parameter.option else ()
            flat = (values if unit == 1 else values * unit).reshape(-1, *values.shape[2:])
            data[name] = (("sample", "subject", *option), flat[None])
        kinds = None if first.type_index is None else first.type_index[:, who].reshape(-1)
        return cls(first.model, stage.game, stage, xr.Dataset(data), kinds, rng, seed)

    def choices(self, lived: pd.DataFrame) -> tuple[np.ndarray, np.ndarray | None]:
        """A choice at every row, after what the rows before show; and trust as it has moved."""
        kind, role = kind_of(self.game), self.model.role
        treatments = {self.stage.treatment: self.stage.biases}
        if not self.model.learns:
            units: Any = kind.units_of(role, self.game, lived, treatments)
            draws = Draws(self.model, self.game, units, self.data)
            return kind.choose(draws, lived, self.kinds, self.rng), self._static(lived)
        rules = rules_of(self.game)
        subjects = tuple(sorted(lived[role].unique()))
        folded = rules.fold(lived, role, subjects, (self.stage.treatment,))
        units = sequence(folded, lived, lived, self.game)
        draws = Draws(self.model, self.game, units, self.data)
        kinds = self.kinds
        if kinds is not None and (steps := draws.steps(slice(0, 1))) is not None:
            same = np.random.default_rng(self.seed)  # by the same numbers: nobody's past changes
            kinds = steps.walk(None, kinds[None], len(self.model.types), same)[0]
        trust = None
        if "trust" in self.data and self.kinds is None:
            conventions = self.model.resolve_conventions(self.game)
            trust = moved_trust(draws.values(slice(0, 1)), conventions, "trust")[0]
        return kind.choose_in_order(draws, kinds, self.rng), trust

    def _static(self, lived: pd.DataFrame) -> np.ndarray | None:
        """Trust that does not move, at every row."""
        if "trust" not in self.data:
            return None
        labels = sorted(lived[self.model.role].unique())
        at = pd.Index(labels).get_indexer(pd.Index(lived[self.model.role]))
        return np.asarray(self.data["trust"].to_numpy()[0, at])


def _spread(crowd: Crowd, name: str, who: np.ndarray) -> np.ndarray:
    """A parameter of everybody, shape (draws, people) and options, whoever shares it."""
    values = crowd.arrays[name]
    if name in crowd.personal:
        return values[:, who]
    return np.repeat(values[:, None], who.size, axis=1)
