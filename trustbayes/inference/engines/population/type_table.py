"""What one type chooses at the nodes of a grid, and the rows of tables that this makes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from scipy.sparse import csr_array

from trustbayes.inference.engines.population.axes import Axes
from trustbayes.inference.engines.population.direct import ChoicesAnew, DirectCounts
from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.sharpened_habits import habit_of, sharpened_logs
from trustbayes.inference.engines.population.splines import Knots, Shifts, basis
from trustbayes.inference.engines.population.tables import Parts, Rows, Source
from trustbayes.inference.engines.population.theory import choice_logs

__all__ = ["TypeTable"]

_NUMBERS = 2**24  # of the largest array of a theory's choices
_BELOW_CHANCE = 40.0  # nats
_SPLINE_ENDS = 8  # knots that a spline's end is felt


class TypeTable:
    """What one type chooses at all nodes, and how often the subjects did.

    Parameters
    ----------
    layout : Layout
    kind : int or None
    axes : tuple of Axes
    source : Source or None
        What exposes some of the trials.
    anew : tuple of str
        What does where no interpolation fits; then nothing is tabulated.

    Attributes
    ----------
    active : tuple of int
        Positions of the effects that have a coordinate.
    sizes : list of int
        Nodes along each coordinate.
    lattice : array of int, shape (coordinates, nodes)
    axis : dict of int to array of int, shape (subjects,)
        By effect, each subject's axis.
    fixed : csr_array, shape (subjects, cells)
        Counts of trials without exposure by condition, what was seen and what was chosen.
    unit, exposure : array of int
        Units with an exposure, and which.
    counts : csr_array, shape (units with an exposure, cells)
    """

    def __init__(
        self,
        layout: Layout,
        kind: int | None,
        axes: tuple[Axes, ...],
        source: Source | None,
        anew: tuple[str, ...],
    ) -> None:
        self.layout, self.kind, self.axes, self.source, self.anew = layout, kind, axes, source, anew
        active, habit = layout.active(kind), habit_of(layout)
        self.habit = habit if habit in active else None
        self.active = tuple(e for e in active if e != habit)
        self.sizes = [axes[e].size for e in self.active]
        self.lattice = np.indices(self.sizes).reshape(len(self.active), math.prod(self.sizes))
        self.linked = {
            layout.effects[e].name: axes[e].nodes[0][self.lattice[c]]
            for c, e in enumerate(self.active)
        }
        self.axis = {
            e: np.arange(layout.subjects)
            if layout.effects[e].by_subject
            else layout.effects[e].location_of
            for e in self.active
        }
        units = layout.cells
        exposure_of = np.full(units.unit_subject.size, -1)
        if source is not None:
            exposure_of = layout.sources()[source.name].exposure_of
        cells = units.counts.shape[1] * units.counts.shape[2]
        unit, seen, option = units.observed
        column = units.unit_condition[unit] * cells + seen * units.counts.shape[2] + option
        number = units.counts[units.observed].astype(float)
        plain, width = exposure_of[unit] < 0, len(units.condition_treatment) * cells
        where = units.unit_subject[unit[plain]], column[plain]
        self.fixed = csr_array((number[plain], where), (layout.subjects, width))
        self.unit = np.flatnonzero(exposure_of >= 0)
        self.exposure = exposure_of[self.unit]
        self.owner = units.unit_subject[self.unit]
        where = np.searchsorted(self.unit, unit[~plain]), column[~plain]
        self.counts = csr_array((number[~plain], where), (self.unit.size, width))

    @property
    def shifts(self) -> bool:
        """Whether exposed trials are read on the nodes' own grid, moved."""
        return self.source is not None and isinstance(self.source.knots, Shifts)

    @property
    def along(self) -> int:
        """The coordinate along which they are moved."""
        assert self.source is not None
        names = [self.layout.effects[e].name for e in self.active]
        return names.index(self.source.name)

    @cached_property
    def plain(self) -> np.ndarray:
        """Log choice probabilities without exposure, shape (cells of all conditions, nodes)."""
        every = np.arange(len(self.layout.cells.condition_treatment))
        return self._logs(every, {}, np.arange(self.lattice.shape[1]))

    @cached_property
    def habitual(self) -> np.ndarray:
        """Log likelihood of those who follow habits, shape (subjects, nodes)."""
        assert self.habit is not None
        return sharpened_logs(self.layout, self.habit, self.linked["response_precision"])

    def at_knot(self, exposure: int, knot: int, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Columns of the cells with an exposure, and log choice probabilities at a knot of it.

        Parameters
        ----------
        exposure, knot : int
        nodes : array of int, shape (n,)

        Returns
        -------
        columns : array of int, shape (cells,)
        logs : array, shape (cells, n)
        """
        assert self.source is not None
        assert isinstance(self.source.knots, Knots)
        units, brings = self.layout.cells, self.layout.sources()[self.source.name]
        cells = units.counts.shape[1] * units.counts.shape[2]
        condition = np.unique(units.unit_condition[brings.exposure_of == exposure])
        columns = (condition[:, None] * cells + np.arange(cells)).reshape(-1)
        value = np.full(brings.exposures, self.source.knots.values[exposure, knot])
        return columns, self._logs(condition, {self.source.name: value}, nodes)

    def _logs(
        self, condition: np.ndarray, shared: Mapping[str, np.ndarray], nodes: np.ndarray
    ) -> np.ndarray:
        """Log choice probabilities, shape (cells, nodes), read off a grid that holds the nodes."""
        units, names = self.layout.cells, [self.layout.effects[e].name for e in self.active]
        cells = condition.size * units.counts.shape[1] * units.counts.shape[2]
        if not names:
            logs = choice_logs(self.layout, self.kind, {}, condition, {}, shared)
            return np.asarray(logs.reshape(-1, cells).T)
        along = [np.unique(places, return_inverse=True) for places in self.lattice[:, nodes]]
        values = [
            self.axes[e].nodes[0][places] for e, (places, _) in zip(self.active, along, strict=True)
        ]
        lead, *rest = [v.size for v in values]
        by_cell = np.empty((cells, lead, math.prod(rest)))
        step = max(1, _NUMBERS // (cells * units.counts.shape[2] * math.prod(rest)))
        for first in range(0, lead, step):
            grid = np.ix_(values[0][first : first + step], *values[1:])
            some = dict(zip(names, grid, strict=True))
            logs = choice_logs(self.layout, self.kind, some, condition, {}, shared)
            logs = logs.reshape(len(grid[0]), -1, cells)
            by_cell[:, first : first + step] = np.moveaxis(logs, -1, 0)
        place = np.ravel_multi_index([of for _, of in along], (lead, *rest))
        return by_cell.reshape(cells, -1)[:, place]

    def rows(self, subject: np.ndarray, node: np.ndarray) -> Rows:
        """The rows of all subjects, at the nodes that each keeps.

        Parameters
        ----------
        subject, node : array of int
            Subjects increase.
        """
        size = np.bincount(subject, minlength=self.layout.subjects)
        if self.habit is not None:
            logs = self.habitual[subject, node]
        else:
            logs = np.zeros(node.size)
            start = np.concatenate([[0], np.cumsum(size)])
            _add(*_sparse(self.fixed), self.plain, node, start[:-1], start, logs)
        parts = Parts.none(size)
        if self.unit.size:
            parts = self._shifted(node, size) if self.shifts else self._at_knots(node, size)
        return Rows(
            size=size,
            logs=logs,
            place={e: self.lattice[c][node] for c, e in enumerate(self.active)},
            axis=self.axis,
            parts=parts,
        )

    def rows_anew(self) -> Rows:
        """Rows whose likelihood is worked out for every population, at all nodes."""
        size, subjects = self.lattice.shape[1], self.layout.subjects
        choices = ChoicesAnew(self.layout, self.kind, self.linked, self.anew)
        node, number = np.tile(np.arange(size), subjects), np.full(subjects, size)
        return Rows(
            size=number,
            logs=np.zeros(subjects * size),
            place={e: self.lattice[c][node] for c, e in enumerate(self.active)},
            axis=self.axis,
            parts=Parts.none(number),
            direct=DirectCounts(choices, self.layout),
        )

    def _at_knots(self, node: np.ndarray, size: np.ndarray) -> Parts:
        """Spline coefficients of exposed trials at the nodes that are kept."""
        assert self.source is not None
        assert isinstance(self.source.knots, Knots)
        start = np.concatenate([[0], np.cumsum(size)])
        order = np.lexsort((self.exposure, self.owner))
        tables: list[Any] = [None] * self.unit.size
        coefficients = basis(self.source.knots.size)
        nodes, place = np.unique(node, return_inverse=True)
        for e in np.unique(self.exposure).tolist():
            mine = np.flatnonzero(self.exposure == e)
            begin = np.concatenate([[0], np.cumsum(size[self.owner[mine]])])
            values = np.zeros((self.source.knots.size, begin[-1]))
            for k in range(self.source.knots.size):
                columns, logs = self.at_knot(e, k, nodes)
                some = csr_array(self.counts[mine][:, columns])
                _add(*_sparse(some), logs, place, start[self.owner[mine]], begin, values[k])
            lowest = self._floor(mine)
            values = np.maximum(values, np.repeat(lowest, size[self.owner[mine]]))
            values = (coefficients @ values).T
            for row, unit in enumerate(mine.tolist()):
                tables[unit] = values[begin[row] : begin[row + 1]]
        exposure = self.source.first + self.exposure[order]
        return Parts.at_knots(self.owner[order], exposure, [tables[u] for u in order], size)

    def _floor(self, units: np.ndarray) -> np.ndarray:
        """Log likelihoods of units that cannot matter, whatever lies below them.

        Who is not precise at all chooses each option alike, and that is a node, too. Without a
        floor steps between knots are thousands of nats high where people are very precise, and a
        spline overshoots by hundreds.
        """
        trials = np.asarray(self.counts[units].sum(axis=1)).reshape(-1)
        return -trials * np.log(self.layout.cells.counts.shape[2]) - _BELOW_CHANCE

    def _shifted(self, node: np.ndarray, size: np.ndarray) -> Parts:
        """Spline coefficients of exposed trials in the boxes that hold their nodes, moved."""
        assert self.source is not None
        assert isinstance(self.source.knots, Shifts)
        knots, subjects = self.source.knots, self.layout.subjects
        along = self.along
        others = [c for c in range(len(self.active)) if c != along]
        place = self.lattice[:, node]
        start = np.concatenate([[0], np.cumsum(size)])
        lowest = np.minimum.reduceat(place, start[:-1], axis=1)
        highest = np.maximum.reduceat(place, start[:-1], axis=1)
        first = np.full(subjects, np.iinfo(np.int64).max)
        last = np.full(subjects, np.iinfo(np.int64).min)
        np.minimum.at(first, self.owner, knots.first[self.exposure])
        np.maximum.at(last, self.owner, knots.last[self.exposure])
        exposed = np.zeros(subjects, dtype=bool)
        exposed[self.owner] = True
        first, last = np.where(exposed, first, 0), np.where(exposed, last, 0)
        origin = lowest[along] + first
        length = highest[along] + last - origin + 1
        extent = highest[others] - lowest[others] + 1
        rest = np.zeros(node.size, dtype=int)
        of = np.repeat(np.arange(subjects), size)
        for row, c in enumerate(others):
            rest = rest * extent[row][of] + place[c] - lowest[c][of]
        spot = rest * length[of] + place[along] - origin[of]
        pad = _SPLINE_ENDS + max(0, -int(origin.min()))
        beyond = _SPLINE_ENDS + max(0, int((origin + length).max()) - self.sizes[along])
        grid = self.plain.reshape(len(self.plain), *self.sizes)
        grid = np.moveaxis(grid, along + 1, -1)
        line = np.clip(np.arange(-pad, self.sizes[along] + beyond), 0, self.sizes[along] - 1)
        coefficients = grid[..., line].reshape(len(grid), -1, line.size) @ basis(line.size).T
        order = np.lexsort((self.exposure, self.owner))
        numbers = (length * extent.prod(axis=0))[self.owner[order]]
        base = np.concatenate([[0], np.cumsum(numbers)])
        table = np.zeros(base[-1])
        ends = np.array([self.sizes[c] for c in others], dtype=np.int64)
        _boxes(
            *_sparse(csr_array(self.counts[order])),
            coefficients,
            (origin + pad)[self.owner[order]],
            length[self.owner[order]],
            np.ascontiguousarray(lowest[others].T)[self.owner[order]],
            np.ascontiguousarray(extent.T)[self.owner[order]],
            ends,
            base,
            table,
        )
        return Parts(
            row=self.owner[order],
            exposure=self.source.first + self.exposure[order],
            tables=np.split(table, base[1:-1]),
            spot=spot,
        )


def _sparse(matrix: csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data


@njit(cache=True, nogil=True)
def _add(
    rows: np.ndarray,
    cells: np.ndarray,
    counts: np.ndarray,
    logs: np.ndarray,
    node: np.ndarray,
    first: np.ndarray,
    begin: np.ndarray,
    values: np.ndarray,
) -> None:
    """Add up counts times logs, shape (cells, nodes), at each row's nodes, of which it has some."""
    for u in range(first.size):
        for j in range(rows[u], rows[u + 1]):
            for q in range(begin[u], begin[u + 1]):
                values[q] += counts[j] * logs[cells[j], node[first[u] + q - begin[u]]]


@njit(cache=True, nogil=True)
def _boxes(
    rows: np.ndarray,
    cells: np.ndarray,
    counts: np.ndarray,
    coefficients: np.ndarray,
    origin: np.ndarray,
    length: np.ndarray,
    lowest: np.ndarray,
    extent: np.ndarray,
    sizes: np.ndarray,
    base: np.ndarray,
    table: np.ndarray,
) -> None:
    """Add up counts times coefficients, shape (cells, rest, line), in each row's box."""
    for u in range(origin.size):
        total = 1
        for c in range(sizes.size):
            total *= extent[u, c]
        for r in range(total):
            left, place, scale = r, 0, 1
            for c in range(sizes.size - 1, -1, -1):
                place += (lowest[u, c] + left % extent[u, c]) * scale
                left //= extent[u, c]
                scale *= sizes[c]
            begin = base[u] + r * length[u]
            for j in range(rows[u], rows[u + 1]):
                for x in range(length[u]):
                    table[begin + x] += counts[j] * coefficients[cells[j], place, origin[u] + x]
