"""Recommendations simulated: estimates and advice round an outcome, and shares of what is done.

The functions that `trustbayes.simulation.kinds.Kind` asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError
from trustbayes.games import RecommendationGame, Role
from trustbayes.models.draws import Draws
from trustbayes.models.replications import replicate
from trustbayes.simulation.summaries import summary
from trustbayes.trials.recommendation import Recommendations, advice_of_trials

__all__ = [
    "DECISIONS",
    "add_states",
    "biases_of",
    "choose",
    "choose_in_order",
    "decision_classes",
    "observed_choices",
    "placeholder",
    "recorded",
    "replicated_choices",
    "trial_shifts",
    "units_of",
    "weight_of_advice",
]

DECISIONS = (
    "away (below 0)",
    "kept (0)",
    "0 to 1/3",
    "1/3 to 2/3",
    "2/3 to 1",
    "followed (1)",
    "beyond (above 1)",
)
"""Classes of decisions by the weight of advice; those on a spike are classes of their own."""

_APART = 2.0  # steps: nearer to the estimate a recommendation does not tell what weight it had


def weight_of_advice(
    game: RecommendationGame, estimate: np.ndarray, message: np.ndarray, decision: np.ndarray
) -> np.ndarray:
    """How far decisions went from estimate (0) to recommendation (1).

    Parameters
    ----------
    game : RecommendationGame
    estimate, message : array, shape (trials,)
    decision : array, shape (..., trials)

    Returns
    -------
    array, shape (..., trials)
        (a - e) / (m - e); NaN where estimate and recommendation are less than two steps apart.

    Examples
    --------
    >>> game = RecommendationGame(unit=10, step=1)
    >>> weight_of_advice(game, np.array([10.0, 10.0]), np.array([20.0, 10.0]), np.array([12.0, 9]))
    array([0.2, nan])
    """
    gap = message - estimate
    apart = np.abs(gap) >= _APART * game.step
    return np.where(apart, (decision - estimate) / np.where(apart, gap, 1.0), np.nan)


def decision_classes(
    game: RecommendationGame, estimate: np.ndarray, messages: np.ndarray, decision: np.ndarray
) -> np.ndarray:
    """The class of each decision.

    Parameters
    ----------
    game : RecommendationGame
    estimate : array, shape (trials,)
    messages : array, shape (trials, advisers)
    decision : array, shape (..., trials)

    Returns
    -------
    array of int, shape (..., trials)
        Positions in `DECISIONS`; -1 where nothing can be told, see `weight_of_advice`. Following
        any of several recommendations to the letter is following.
    """
    weight = weight_of_advice(game, estimate, messages.mean(axis=-1), decision)
    near = game.step / 2 * (1 + 1e-9)
    known = np.where(np.isnan(weight), 0.0, weight)
    third = np.clip(np.searchsorted([1 / 3, 2 / 3], known, side="right"), 0, 2) + 2
    position = np.where(known < 0, 0, np.where(known > 1, 6, third))
    followed = (np.abs(decision[..., None] - messages) <= near).any(axis=-1)
    position = np.where(followed, 5, position)
    position = np.where(np.abs(decision - estimate) <= near, 1, position)
    return np.where(np.isnan(weight), -1, position)


def biases_of(treatments: Mapping[str, Any] | Sequence[str]) -> dict[str, tuple[float, ...]]:
    """No biases in any treatment."""
    return {str(name): () for name in treatments}


def add_states(
    table: pd.DataFrame,
    game: RecommendationGame,
    treatments: Mapping[str, tuple[float, ...]],
    rng: np.random.Generator,
) -> None:
    """Draw an outcome for each row, an estimate round it, and recommendations round it."""
    if game.treatments is None:
        expected = "a table [treatments] in the game file, with adviser_error of each"
        raise InputError(Fault("simulation, treatments", "", expected))
    size = len(table)
    error = np.array([game.treatments[str(name)].error for name in table["treatment"]])
    outcome = rng.normal(game.typical_outcome, game.outcome_spread, size)
    table["outcome"] = outcome = recorded(game, outcome)
    table["estimate"] = recorded(game, outcome + rng.normal(0, game.estimate_error, size))
    for name in game.messages:
        table[name] = recorded(game, outcome + error * rng.normal(size=size))


def recorded(game: RecommendationGame, values: np.ndarray) -> np.ndarray:
    """Numbers on the line, in whole steps; the ends of the range stay as they are."""
    steps = np.round(values / game.step) * game.step
    # The last digits of a float are noise: 12 of them are kept.
    digits = 12 - int(np.ceil(np.log10(max(1.0, np.abs(steps).max(initial=1.0)))))
    return np.clip(steps.round(digits), game.lowest, game.highest)


def units_of(
    role: Role,
    game: RecommendationGame,
    table: pd.DataFrame,
    treatments: Mapping[str, tuple[float, ...]],
) -> Recommendations:
    """The trials, as if every decision that is to be made had been the estimate."""
    subjects = tuple(sorted(table[role].unique()))
    order = tuple(name for name in game.treatments or treatments if name in treatments)
    return advice_of_trials(table.assign(action=table["estimate"]), role, subjects, order)


def choose(
    draws: Draws, table: pd.DataFrame, kinds: np.ndarray | None, rng: np.random.Generator
) -> np.ndarray:
    """Draw a decision at every row of the table."""
    return choose_in_order(draws, kinds, rng)


def placeholder(game: RecommendationGame, name: str) -> float:
    """Nothing."""
    return 0.0


def choose_in_order(draws: Draws, kinds: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Draw a decision in every trial, in their order."""
    [(_, answer, values)] = draws.answers()
    given = None if kinds is None else kinds[None]
    game = cast(RecommendationGame, draws.game)
    decided = draws.model.response(game).choose(draws.units, answer, values, given, rng)[0]
    return recorded(game, decided)


def replicated_choices(
    draws: Draws, rng: np.random.Generator, given_trials: bool, ci_prob: float
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Shares of the classes of decisions; the units' total movement to the advice, replicated."""
    units = cast(Recommendations, draws.units)
    game = cast(RecommendationGame, draws.game)
    copies = replicate(draws, rng, given_trials)
    places = units.trial_estimate, units.trial_messages
    observed = decision_classes(game, *places, units.trial_choice)
    classes = decision_classes(game, *places, copies)
    treatment = units.unit_treatment[units.trial_unit]
    rows = []
    for index, name in enumerate(units.treatments):
        inside = (treatment == index) & (observed >= 0)
        for number, option in enumerate(DECISIONS):
            if not inside.any():
                continue
            shares = summary(
                (observed[inside] == number).mean(),
                (classes[:, inside] == number).mean(axis=1),
                ci_prob,
            )
            numbers = {key: float(value) for key, value in shares.items()}
            rows.append(
                {"treatment": name, "option": option, "trials": int(inside.sum()), **numbers}
            )
    order = np.argsort(units.trial_unit, kind="stable")
    starts = np.flatnonzero(np.diff(units.trial_unit[order], prepend=-1))
    total, totals = (
        np.add.reduceat(trial_shifts(game, units, made)[..., order], starts, axis=-1)
        for made in (units.trial_choice, copies)
    )
    return pd.DataFrame(rows), total, totals


def trial_shifts(game: RecommendationGame, units: Recommendations, choices: np.ndarray) -> Any:
    """How far decisions move from the estimate towards the recommendation."""
    toward = np.sign(units.trial_seen - units.trial_estimate)
    return (choices - units.trial_estimate) * toward


def observed_choices(units: Recommendations) -> np.ndarray:
    """The decisions."""
    return units.trial_choice
