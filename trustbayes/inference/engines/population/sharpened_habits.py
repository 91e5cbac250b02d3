"""Habits within a mixture: how sharply a subject follows hers is her response precision.

Their population is known, not estimated, so that a subject's likelihood under the type that has
habits is a table over her precision. A product of a precision and habits from a normal population
is a habit from a wider one.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from trustbayes.inference.engines.population.habits import HabitMarginal
from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.marginal import PopulationValue
from trustbayes.inference.engines.population.rule import Rule

__all__ = ["draw_sharpened", "habit_of", "sharpened_logs"]

_WIDEST = 24.0
"""Standard deviation of precision times habits. Where it is larger, a subject sends one message,
or her likelihood falls as the precision to the power of one for each further message she sends."""
_RULE = Rule((0.25,))  # its error is a millionth
_CHUNK = 20_000  # subjects at a time
_KNOWN: WeakKeyDictionary[Layout, dict[Any, np.ndarray]] = WeakKeyDictionary()


def habit_of(layout: Layout) -> int | None:
    """Position of habits whose population is known, normal and sharpened by a precision."""
    names = [effect.name for effect in layout.effects]
    for position, effect in enumerate(layout.effects):
        prior = layout.model.priors[effect.name]
        numbers = all(isinstance(value, int | float) for value in prior.arguments.values())
        plain = prior.family.normal and not prior.family.zero_sum
        if effect.parameter.option and numbers and plain:
            return position if "response_precision" in names else None
    return None


def sharpened_logs(layout: Layout, habit: int, log_precision: np.ndarray) -> np.ndarray:
    """Log likelihood of habitual messages at some precisions.

    Parameters
    ----------
    layout : Layout
    habit : int
        Position of the habits among the effects.
    log_precision : array, shape (nodes,)

    Returns
    -------
    array, shape (subjects, nodes)
    """
    known = _KNOWN.setdefault(layout, {})
    key = (float(log_precision[0]), log_precision.size)
    if key not in known:
        given = layout.model.priors[layout.effects[habit].name].arguments
        logs = np.empty((layout.subjects, log_precision.size))
        limit = np.log(_WIDEST / given["sigma"])
        inside = np.flatnonzero(log_precision <= limit)
        for q in inside.tolist():
            spread = float(np.exp(log_precision[q]) * given["sigma"])
            marginal = HabitMarginal(layout, _RULE, max(spread, 0.5), habit)
            logs[:, q] = marginal.by_subject(_population(layout, habit, log_precision[q]))
        last = inside[-1]
        used = (marginal.counts > 0).sum(axis=1)
        beyond = log_precision[last + 1 :] - log_precision[last]
        logs[:, last + 1 :] = logs[:, [last]] - (used - 1)[:, None] * beyond
        known[key] = logs
    return known[key]


def draw_sharpened(
    layout: Layout,
    habit: int,
    subject: np.ndarray,
    log_precision: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw habits given precisions.

    Parameters
    ----------
    layout : Layout
    habit : int
        Position of the habits among the effects.
    subject : array of int, shape (n,)
        Positions of subjects, each as often as wanted.
    log_precision : array, shape (n,)
    rng : numpy.random.Generator

    Returns
    -------
    array, shape (n, messages)
    """
    marginal = HabitMarginal(layout, _RULE, 1.0, habit)
    given = layout.model.priors[layout.effects[habit].name].arguments
    habits = np.empty((subject.size, marginal.counts.shape[1]))
    for first in range(0, subject.size, _CHUNK):
        some = slice(first, first + _CHUNK)
        precision = np.exp(np.minimum(log_precision[some], 4.0))[:, None]
        middle = precision * given["mu"] + np.zeros(habits.shape[1])
        shape = {"sigma": precision * given["sigma"]}
        habits[some] = marginal.draw_alone(subject[some], middle, shape, rng) / precision
    return habits


def _population(layout: Layout, habit: int, log_precision: Any) -> PopulationValue:
    given = layout.model.priors[layout.effects[habit].name].arguments
    precision, messages = (
        np.exp(log_precision),
        layout.model.width(layout.effects[habit].parameter, layout.game),
    )
    location = precision * given["mu"] + np.zeros(messages)
    return PopulationValue(
        (location,), ({"sigma": precision * given["sigma"]},), np.zeros((1, 1)), {}
    )
