"""Subjects' own parameters, drawn given each draw of the population and their trials."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from trustbayes.inference.engines.population.habits import HabitMarginal
from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.marginal import PopulationValue, Terms
from trustbayes.inference.engines.population.picking import neighbours_of, pick
from trustbayes.inference.engines.population.sharpened_habits import draw_sharpened

__all__ = ["SubjectDraws", "draw_subjects"]

_LEAST, _MOST = -60.0, 60.0  # on the scale of the link
_TOGETHER = 50  # populations


class SubjectDraws:
    """Draws of subjects' parameters, filled draw by draw.

    Parameters
    ----------
    prepared : trustbayes.inference.engines.population.engine.Prepared
    """

    def __init__(self, prepared: Any) -> None:
        self.layout, self.marginal = prepared.layout, prepared.marginal
        tables = self.marginal.tables
        self._neighbours = neighbours_of(tables.start, tables.place)
        self._active = tables.effect_of >= 0
        ends = [axes.size - 1 for axes in tables.axes] or [0]
        self._last = np.where(self._active, np.array(ends)[tables.effect_of], 0)

    def linked(
        self, population: PopulationValue, terms: Terms, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw all subjects once.

        Parameters
        ----------
        population : PopulationValue
        terms : Terms
            Of this population.
        seed : int

        Returns
        -------
        linked : array, shape (effects, subjects)
            Values at anchors on the scale of the link.
        kind : array of int, shape (subjects,)
        """
        tables, layout = self.marginal.tables, self.layout
        kind = np.empty(layout.subjects, dtype=np.int64)
        place = np.empty((layout.subjects, tables.place.shape[0]))
        rng = np.random.default_rng(seed)
        pick(
            rng,
            tables.start,
            tables.place,
            self._neighbours,
            terms.chance,
            terms.by_type,
            self._active,
            self._last,
            self._rates(population),
            kind,
            place,
        )
        drawn = np.empty((len(layout.effects), layout.subjects))
        for e, effect in enumerate(layout.effects):
            if effect.parameter.option:
                drawn[e] = 0.0
                continue
            gap = effect.family.draw_gaps(rng, layout.subjects, population.shape[e])
            drawn[e] = population.location[e][effect.location_of] + gap
        rows = kind * layout.subjects + np.arange(layout.subjects)
        for c in range(place.shape[1]):
            effects = tables.effect_of[kind, c]
            for e in np.unique(effects[effects >= 0]).tolist():
                mine = np.flatnonzero(effects == e)
                axes = tables.axes[e]
                axis = (tables.offset[rows[mine], c] - tables.axis_start[e]) // axes.size
                values = axes.origin[axis] + axes.step[axis] * place[mine, c]
                drawn[e, mine] = np.clip(values, _LEAST, _MOST)
        return drawn, kind

    def _rates(self, population: PopulationValue) -> np.ndarray:
        """See `trustbayes.inference.engines.population.picking.pick`."""
        tables = self.marginal.tables
        rate = np.zeros((*tables.effect_of.shape, 2))
        for k, c in zip(*np.nonzero(self._active), strict=True):
            e = tables.effect_of[k, c]
            axes, effect = tables.axes[e], self.layout.effects[e]
            # Axes of one effect differ little in this; those that end have no rest to draw.
            ends = axes.origin[0] + axes.step[0] * np.array([0.0, float(axes.last[0])])
            gap = ends - population.location[e][axes.location_of[0]]
            rise = effect.family.slopes(gap, population.shape[e])[0] * axes.step[0]
            if axes.open_low.all():
                rate[k, c, 0] = max(rise[0], 1e-3)
            if axes.open_high.all() and (axes.last == axes.size - 1).all():
                rate[k, c, 1] = max(-rise[1], 1e-3)
        return rate


def draw_subjects(
    prepared: Any, points: np.ndarray, seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Draw subjects' parameters for each draw of the population.

    Parameters
    ----------
    prepared : trustbayes.inference.engines.population.engine.Prepared
    points : array, shape (draws, size)
        Of the sampler.
    seed : int

    Returns
    -------
    values : dict of str to array, shape (draws, subjects) or (draws, subjects, treatments)
        Natural values by parameter.
    kinds : array of int, shape (draws, subjects)
        Positions of types.
    by_subject : array, shape (draws, subjects)
        Log likelihood of each subject's trials given the population.
    """
    if isinstance(prepared.marginal, HabitMarginal):
        return _draw_habits(prepared, points, seed)
    layout, people = prepared.layout, SubjectDraws(prepared)
    size = len(points)
    linked = np.empty((size, len(layout.effects), layout.subjects))
    kinds = np.empty((size, layout.subjects), dtype=np.int16)
    by_subject = np.empty((size, layout.subjects))
    seeds = np.random.default_rng(seed).integers(2**31, size=size)

    def some(rows: np.ndarray) -> None:
        for before, row in zip([-1, *rows.tolist()], rows.tolist(), strict=False):
            if before < 0 or (points[row] != points[before]).any():  # else a proposal was refused
                population = prepared.population(points[row])
                terms = prepared.marginal.terms(population, slopes=False)
            linked[row], kinds[row] = people.linked(population, terms, int(seeds[row]))
            by_subject[row] = terms.by_subject

    workers = min(os.cpu_count() or 1, size)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(some, np.array_split(np.arange(size), workers)))
    values: dict[str, np.ndarray] = {}
    names = [e.name for e in layout.effects if e.by_treatment]
    everywhere = prepared.density.many(points, [prepared.graph.locations[n] for n in names])
    locations = dict(zip(names, everywhere, strict=True))
    for e, effect in enumerate(layout.effects):
        drawn = linked[:, e]
        if effect.parameter.option:
            values[effect.name] = _habits(layout, e, linked, kinds, seed)
            continue
        if effect.by_treatment:
            location = np.asarray(locations[effect.name])
            if not effect.by_subject:
                location = np.broadcast_to(
                    location.reshape(len(location), 1, -1), (size, 1, len(layout.units.treatments))
                )
                middle = location[:, 0, effect.anchor]
            else:
                middle = location[:, np.arange(layout.subjects), effect.anchor]
            drawn = drawn[..., None] + (location - middle[..., None])
        values[effect.name] = effect.link.inverse(drawn)
    return values, kinds, by_subject


def _draw_habits(
    prepared: Any, points: np.ndarray, seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """As `draw_subjects`, of subjects who have habits and nothing else."""
    marginal, layout = prepared.marginal, prepared.layout
    chunks = np.array_split(points, max(1, len(points) // _TOGETHER))
    seeds = np.random.default_rng(seed).integers(2**31, size=len(chunks))

    def some(chunk: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        populations = [prepared.population(point) for point in chunk]
        drawn: tuple[np.ndarray, np.ndarray] = marginal.draw(
            populations, np.random.default_rng(seed)
        )
        return drawn

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        parts = list(pool.map(some, chunks, seeds))
    habits, by_subject = (np.concatenate(both) for both in zip(*parts, strict=True))
    kinds = np.zeros((len(points), layout.subjects), dtype=np.int16)
    return {layout.effects[0].name: habits}, kinds, by_subject


def _habits(
    layout: Layout, habit: int, linked: np.ndarray, kinds: np.ndarray, seed: int
) -> np.ndarray:
    """Habits of those who follow theirs, and of the others from their known population."""
    rng = np.random.default_rng([seed, habit])
    given = layout.model.priors[layout.effects[habit].name].arguments
    messages = layout.model.width(layout.effects[habit].parameter, layout.game)
    habits = given["mu"] + given["sigma"] * rng.normal(size=(*kinds.shape, messages))
    [precision] = [
        e for e, effect in enumerate(layout.effects) if effect.name == "response_precision"
    ]
    habitual = np.array([habit in layout.active(kind) for kind in layout.kinds])
    draw, subject = np.nonzero(habitual[kinds])
    habits[draw, subject] = draw_sharpened(
        layout, habit, subject, linked[draw, precision, subject], rng
    )
    return habits
