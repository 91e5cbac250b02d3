"""Experiments played round by round, by people who learn from the rounds before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.games import Game
from trustbayes.models import Model
from trustbayes.models.draws import Draws, prior_draws
from trustbayes.simulation.kinds import kind_of
from trustbayes.trials.rules import rules_of
from trustbayes.trials.sequences import check_sequences, sequence
from trustbayes.trials.units import Units

__all__ = ["add_partners", "play_in_turn"]

_CHOICE = {"sender": "message", "receiver": "action"}


def add_partners(table: pd.DataFrame, game: Game) -> None:
    """Add the columns that the game's [feedback] names: who met whom, and what was shown."""
    if game.feedback is None:
        return
    if game.feedback.partners not in ("random", "fixed"):
        table[game.feedback.partners] = table["sender"] + " and " + table["receiver"]
    if game.feedback.column is not None:
        table[game.feedback.column] = "state"


def play_in_turn(
    models: Sequence[Model],
    game: Game,
    table: pd.DataFrame,
    treatments: Mapping[str, tuple[float, ...]],
    streams: Sequence[np.random.Generator],
) -> list[tuple[Draws, np.ndarray | None]]:
    """Make all choices of a table, round by round, each after what was shown before.

    Parameters
    ----------
    models : sequence of Model
        Of senders, and of receivers if there are any.
    game : Game
    table : DataFrame
        A row for each pair and round, with all but the choices, which are put in.
    treatments : mapping of str to tuple of float
        With the biases of each.
    streams : sequence of numpy.random.Generator
        One for each model.

    Returns
    -------
    list of (Draws, array or None)
        For each model the single draw of its parameters, and each subject's type at first.

    Raises
    ------
    InputError
        If the game says nothing of what people are shown.
    """
    for name in _CHOICE.values():
        table[name] = kind_of(game).placeholder(game, name)
    players = [
        _Player.of(model, game, table, treatments, stream)
        for model, stream in zip(models, streams, strict=True)
    ]
    for number in sorted(table["round"].unique()):
        rows = (table["round"] == number).to_numpy()
        for player in players:
            choices = player.choices(table)
            table.loc[rows, _CHOICE[player.model.role]] = choices[rows]
    if len(models) == 1:
        del table["action"]
    return [(player.draws, player.kinds) for player in players]


@dataclass(frozen=True, eq=False)
class _Player:
    """Everybody of a role."""

    model: Model
    game: Game
    treatments: Mapping[str, tuple[float, ...]]
    draws: Draws
    kinds: np.ndarray | None
    rng: np.random.Generator
    seed: int

    @classmethod
    def of(
        cls,
        model: Model,
        game: Game,
        table: pd.DataFrame,
        treatments: Mapping[str, tuple[float, ...]],
        rng: np.random.Generator,
    ) -> _Player:
        """Draw the parameters of everybody."""
        units = _units(model, game, table, treatments)
        # The first of two: `prior_draws` keeps no axis of draws for a single one.
        draws = prior_draws(model, game, units, 2, seed=int(rng.integers(2**31)))
        draws = replace(draws, data=draws.data.isel(sample=[0]))
        kinds = None
        if draws.shares is not None:
            reached = draws.shares[0].cumsum(axis=1)
            reached /= reached[:, -1:]
            kinds = (reached <= rng.random((len(units.subjects), 1))).sum(axis=1)
        return cls(model, game, treatments, draws, kinds, rng, int(rng.integers(2**31)))

    def choices(self, table: pd.DataFrame) -> np.ndarray:
        """A choice at every row, after what the rows before show."""
        draws = replace(self.draws, units=_units(self.model, self.game, table, self.treatments))
        kinds = self.kinds
        if kinds is not None and (steps := draws.steps(slice(0, 1))) is not None:
            # By the same numbers in every round: nobody's past changes.
            same = np.random.default_rng(self.seed)
            kinds = steps.walk(None, kinds[None], len(self.model.types), same)[0]
        if self.model.learns:
            return kind_of(self.game).choose_in_order(draws, kinds, self.rng)
        return kind_of(self.game).choose(draws, table, kinds, self.rng)


def _units(
    model: Model, game: Game, table: pd.DataFrame, treatments: Mapping[str, tuple[float, ...]]
) -> Units:
    if not model.learns:
        return kind_of(game).units_of(model.role, game, table, treatments)
    check_sequences(table, game, model.role, "simulation")
    rules = rules_of(game)
    subjects = tuple(sorted(table[model.role].unique()))
    units: Any = rules.fold(table, model.role, subjects, rules.treatments(table))
    return sequence(units, table, table, game)
