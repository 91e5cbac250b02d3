"""What differs between the kinds of game in simulated experiments and replications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from trustbayes.games import FiniteGame, ForecastGame, Game, IntervalGame, RecommendationGame, Role
from trustbayes.models.draws import Draws
from trustbayes.simulation import continuous, finite, recommendation
from trustbayes.trials.units import Units

__all__ = ["Kind", "kind_of"]


class Kind(Protocol):
    """A module with the functions that simulations of one kind of game need."""

    def biases_of(
        self, treatments: Mapping[str, Any] | Sequence[str]
    ) -> dict[str, tuple[float, ...]]:
        """The treatments to play by name, with their biases if the game has any."""

    def add_states(
        self,
        table: pd.DataFrame,
        game: Any,
        treatments: Mapping[str, tuple[float, ...]],
        rng: np.random.Generator,
    ) -> None:
        """Draw the state of every row and what else comes before the sender's choice.

        Parameters
        ----------
        table : DataFrame
            A row for each pair and round, with the column treatment; gets the new columns.
        game : Game
        treatments : mapping of str to tuple of float
            As `biases_of` gives them.
        rng : numpy.random.Generator
        """

    def units_of(
        self, role: Role, game: Any, table: pd.DataFrame, treatments: Mapping[str, Any]
    ) -> Units:
        """What a role's choices are to be drawn for, before they are made."""

    def choose(
        self, draws: Draws, table: pd.DataFrame, kinds: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw a choice at every row of the table.

        Parameters
        ----------
        draws : Draws
            A single one, for the units that `units_of` gave.
        table : DataFrame
            With all that the role sees.
        kinds : array of int, shape (subjects,), or None
            The type of each subject, if the model has types.
        rng : numpy.random.Generator

        Returns
        -------
        array, shape (rows,)
            In the units of the game.
        """

    def placeholder(self, game: Any, name: str) -> float:
        """What stands for a message or an action that is not made yet."""

    def choose_in_order(
        self, draws: Draws, kinds: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        """As `choose`, at every trial of the draws' units, which are sequences.

        Parameters
        ----------
        draws : Draws
            A single one.
        kinds : array of int, shape (subjects,) or (trials,), or None
            The type of each subject, or in each trial.
        rng : numpy.random.Generator

        Returns
        -------
        array, shape (trials,)
            In the units of the game.
        """

    def replicated_choices(
        self, draws: Draws, rng: np.random.Generator, given_trials: bool, ci_prob: float
    ) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
        """Replicate the trials of the draws' units once for each draw.

        Parameters
        ----------
        draws : Draws
        rng : numpy.random.Generator
        given_trials : bool
            Whether types are drawn given the trials; else from the population's shares.
        ci_prob : float
            Probability of the intervals.

        Returns
        -------
        choices : DataFrame
            See `trustbayes.simulation.predictive.PredictiveCheck`.
        total : array, shape (units,)
            Observed sum of the shifts of each unit's trials, in units of the state.
        totals : array, shape (draws, units)
            The same, replicated.
        """

    def trial_shifts(self, game: Any, units: Any, choices: np.ndarray) -> np.ndarray:
        """How far choices are from face value, in units of the state.

        Parameters
        ----------
        game : Game
        units : Units
        choices : array, shape (..., trials)
            As `trustbayes.models.replications.replicate_trials` gives them.

        Returns
        -------
        array, shape (..., trials)
        """

    def observed_choices(self, units: Any) -> np.ndarray:
        """What was chosen in each trial, in the form of replicated choices, shape (trials,)."""


_KINDS: Mapping[str, Kind] = {
    FiniteGame.kind: finite,
    ForecastGame.kind: continuous,
    IntervalGame.kind: continuous,
    RecommendationGame.kind: recommendation,
}
"""The functions of every kind of game."""


def kind_of(game: Game) -> Kind:
    """What simulations of a game's kind need.

    Examples
    --------
    >>> kind_of(ForecastGame()).biases_of(["CHUH"])
    {'CHUH': ()}
    """
    return _KINDS[game.kind]
