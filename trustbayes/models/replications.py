"""Experiments replicated by the same people, as draws of a model's parameters have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trustbayes.models.draws import Draws
from trustbayes.theories.values import Values

__all__ = ["draw_types", "replicate", "replicate_trials"]


def draw_types(draws: Draws, rng: np.random.Generator) -> np.ndarray | None:
    """Draw each subject's type, given each draw and the subject's trials.

    Parameters
    ----------
    draws : Draws
    rng : numpy.random.Generator

    Returns
    -------
    array of int, shape (draws, subjects), or None
        Positions in the model's types; None if it has none.
    """
    if draws.shares is None:
        return None
    return np.concatenate([_types(draws, *part, rng) for part in draws.answers()])


def _types(
    draws: Draws,
    rows: slice,
    answer: Any,
    values: Values,
    rng: np.random.Generator,
    given_trials: bool = True,
) -> np.ndarray | None:
    """As `draw_types` for one of the slices that `Draws.answers` gives."""
    if draws.shares is None:
        return None
    joint = draws.log_shares[rows]
    if given_trials:
        response = draws.model.response(draws.game)
        logs = response.cell_logs(draws.units, answer, values, typed=True)
        joint = draws.type_logs(rows, logs)
    size = (joint.shape[0], len(draws.units.subjects), joint.shape[-1])
    return (joint + rng.gumbel(size=size)).argmax(axis=-1)


def replicate(draws: Draws, rng: np.random.Generator, given_trials: bool = True) -> np.ndarray:
    """Replicate the experiment: what the same people would choose after seeing the same.

    Parameters
    ----------
    draws : Draws
    rng : numpy.random.Generator
    given_trials : bool
        Draw each subject's type given her trials (posterior predictive) or from the population's
        shares (prior predictive).

    Returns
    -------
    array
        Replicated counts of shape (draws, units, seen, options) in a finite game, else choices
        of shape (draws, trials).
    """
    response = draws.model.response(draws.game)
    return _replicated(draws, rng, given_trials, response.draw)


def replicate_trials(draws: Draws, rng: np.random.Generator) -> np.ndarray:
    """Replicate the experiment trial by trial: one step ahead, if people learn.

    Everybody sees, and has been shown before each trial, what she had in the experiment. Types are
    drawn given the trials.

    Parameters
    ----------
    draws : Draws
    rng : numpy.random.Generator

    Returns
    -------
    array, shape (draws, trials)
        Positions of options in a finite game, else choices; in the order of the trials.
    """
    return _replicated(draws, rng, True, draws.model.response(draws.game).choose)


def _replicated(
    draws: Draws, rng: np.random.Generator, given_trials: bool, choose: Callable[..., Any]
) -> np.ndarray:
    response, choices = draws.model.response(draws.game), []
    for rows, answer, values in draws.answers():
        type_index = _types(draws, rows, answer, values, rng, given_trials)
        if type_index is not None and (steps := draws.steps(rows)) is not None:
            logs = response.cell_logs(draws.units, answer, values, typed=True)
            size = len(draws.model.types)
            type_index = steps.walk(logs if given_trials else None, type_index, size, rng)
        choices.append(choose(draws.units, answer, values, type_index, rng))
    return np.concatenate(choices)
