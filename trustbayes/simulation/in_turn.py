"""Experiments played round by round, by people who learn from the rounds before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.games import Game, Role
from trustbayes.models import Model
from trustbayes.models.draws import Draws, prior_draws
from trustbayes.simulation.kinds import kind_of
from trustbayes.trials.columns import SEEN_AND_CHOSEN
from trustbayes.trials.rules import rules_of
from trustbayes.trials.sequences import check_sequences, sequence
from trustbayes.trials.units import Units

__all__ = [
    "Player",
    "add_partners",
    "first_draw",
    "play_in_turn",
    "play_rounds",
    "put_placeholders",
    "units_at",
]


def add_partners(table: pd.DataFrame, game: Game) -> None:
    """Add the columns that the game's [feedback] names: who met whom, and what was shown."""
    if game.feedback is None:
        return
    if game.feedback.partners not in ("random", "fixed"):
        table[game.feedback.partners] = table["sender"] + " and " + table["receiver"]
    if game.feedback.column is not None:
        table[game.feedback.column] = "state"


def first_draw(
    model: Model, game: Game, units: Units, rng: np.random.Generator
) -> tuple[Draws, np.ndarray | None]:
    """Draw everybody's parameters from the priors, once.

    Parameters
    ----------
    model : Model
    game : Game
    units : Units
    rng : numpy.random.Generator

    Returns
    -------
    draws : Draws
        A single one.
    kinds : array of int, shape (subjects,), or None
        The type of each subject, where the model has types.
    """
    # The first of two: `prior_draws` keeps no axis of draws for a single one.
    draws = prior_draws(model, game, units, 2, seed=int(rng.integers(2**31)))
    draws = replace(draws, data=draws.data.isel(sample=[0]))
    if draws.shares is None:
        return draws, None
    reached = draws.shares[0].cumsum(axis=1)
    reached /= reached[:, -1:]
    return draws, (reached <= rng.random((len(units.subjects), 1))).sum(axis=1)


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
        If the game says nothing of what people are shown, or those are missing from whose choices
        the others learn.
    """
    put_placeholders(table, game, [model.role for model in models])
    for model in models:
        if model.learns:
            check_sequences(table, game, model.role, "simulation")
    players = []
    for model, rng in zip(models, streams, strict=True):
        units = units_at(model, game, table, treatments)
        players.append(Player(treatments, *first_draw(model, game, units, rng), rng))
    play_rounds(players, table)
    return [(player.draws, player.kinds) for player in players]


def put_placeholders(table: pd.DataFrame, game: Game, roles: Iterable[Role]) -> None:
    """Add the columns of the choices, none of which is made yet."""
    for role in roles:
        _, choice = SEEN_AND_CHOSEN[role]
        table[choice] = kind_of(game).placeholder(game, choice)


def play_rounds(players: Sequence[Player], table: pd.DataFrame) -> None:
    """Replace the placeholders in a table by choices, round by round; senders come first."""
    for number in sorted(table["round"].unique()):
        rows = (table["round"] == number).to_numpy()
        for player in players:
            _, choice = SEEN_AND_CHOSEN[player.draws.model.role]
            table.loc[rows, choice] = player.choices(table)[rows]


@dataclass(frozen=True, eq=False)
class Player:
    """Everybody of a role.

    Parameters
    ----------
    treatments : mapping of str to tuple of float
        With the biases of each.
    draws : Draws
        A single one.
    kinds : array of int, shape (subjects,), or None
        The type of each at first.
    rng : numpy.random.Generator
    """

    treatments: Mapping[str, tuple[float, ...]]
    draws: Draws
    kinds: np.ndarray | None
    rng: np.random.Generator
    seed: int = field(init=False)

    def __post_init__(self) -> None:
        # By the same numbers in every round types move: nobody's past changes.
        object.__setattr__(self, "seed", int(self.rng.integers(2**31)))

    def at(self, table: pd.DataFrame) -> Draws:
        """The draw at the rows of a table."""
        units = units_at(self.draws.model, self.draws.game, table, self.treatments)
        return replace(self.draws, units=units)

    def choices(self, table: pd.DataFrame) -> np.ndarray:
        """A choice at every row, after what the rows before show.

        Parameters
        ----------
        table : DataFrame
            The same rows every time, or else types would move by other numbers.
        """
        draws, kinds, model = self.at(table), self.kinds, self.draws.model
        if kinds is not None and (steps := draws.steps(slice(0, 1))) is not None:
            same = np.random.default_rng(self.seed)
            kinds = steps.walk(None, kinds[None], len(model.types), same)[0]
        kind = kind_of(draws.game)
        if model.learns:
            return kind.choose_in_order(draws, kinds, self.rng)
        return kind.choose(draws, table, kinds, self.rng)


def units_at(
    model: Model, game: Game, table: pd.DataFrame, treatments: Mapping[str, tuple[float, ...]]
) -> Units:
    """The rows of a table as units of a role: as sequences, if people learn.

    Parameters
    ----------
    model : Model
    game : Game
    table : DataFrame
        With placeholders for choices that are not made yet.
    treatments : mapping of str to tuple of float
        With the biases of each.
    """
    if not model.learns:
        return kind_of(game).units_of(model.role, game, table, treatments)
    rules = rules_of(game)
    subjects = tuple(sorted(table[model.role].unique()))
    units: Any = rules.fold(table, model.role, subjects, rules.treatments(table))
    return sequence(units, table, table, game)
