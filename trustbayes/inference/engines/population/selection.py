"""Which nodes a subject needs: those that bear some of her likelihood in some population.

It is asked on every second node of each axis, in populations from all over the posterior, what a
node adds to her likelihood, whichever type it belongs to. Where it is more than a share of e to the
minus the rule's cut, the node is kept with its neighbours.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from trustbayes.inference.engines.population.marginal import PopulationValue
from trustbayes.inference.engines.population.rule import Neighbourhood
from trustbayes.inference.engines.population.sources import default_range
from trustbayes.inference.engines.population.splines import Shifts
from trustbayes.inference.engines.population.type_table import TypeTable

__all__ = ["selected"]

_NUMBERS = 2**22  # of an array of some subjects at every second node: 32 MiB
_PILOT_CUT = 30.0
"""In place of a rule's cut while no population is known: what is so far below a likelihood's peak
matters only if the population lies nearly eight spreads from it."""
_POSES = (-0.6, -0.3, 0.0, 0.3, 0.6)
"""Where exposures lie if no population is known, as parts of half their range."""


def selected(
    types: list[TypeTable], near: Neighbourhood | None, cut: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Choose the nodes of all types.

    Parameters
    ----------
    types : list of TypeTable
    near : Neighbourhood, optional
        Default: nodes where the likelihood itself is not far below its highest.
    cut : float

    Returns
    -------
    list of (array of int, array of int)
        By type: subject and node of each that is kept, subjects increasing; at least one each.
    """
    coarse = [_Coarse(table, near) for table in types]
    subjects = types[0].layout.subjects
    step = max(1, _NUMBERS // max(c.nodes.size for c in coarse))
    subject: list[list[np.ndarray]] = [[] for _ in types]
    node: list[list[np.ndarray]] = [[] for _ in types]
    for first in range(0, subjects, step):
        part = slice(first, min(first + step, subjects))
        kept = _kept(coarse, part, near, cut)
        for k, keep in enumerate(kept):
            which, nodes = np.nonzero(keep)
            subject[k].append(which + first)
            node[k].append(nodes)
    return [(np.concatenate(a), np.concatenate(b)) for a, b in zip(subject, node, strict=True)]


def _kept(
    coarse: list[_Coarse], part: slice, near: Neighbourhood | None, cut: float
) -> list[np.ndarray]:
    keep = [np.zeros((part.stop - part.start, c.nodes.size), dtype=bool) for c in coarse]
    fixed = [c.of_subjects(part) for c in coarse]
    together = near is not None and not any(c.table.anew for c in coarse)
    for number in range(len(near.populations) if near else len(_POSES)):
        logs = [c.terms(part, of, number) for c, of in zip(coarse, fixed, strict=True)]
        if together:
            total = _log_sums(np.stack([_log_sums(by_node) for by_node in logs], axis=1))
            limits = np.repeat(total[:, None] - cut, len(logs), axis=1)
        else:
            limits = np.stack([by_node.max(axis=1) for by_node in logs], axis=1)
            limits = limits - (cut if near else _PILOT_CUT)
        for k, by_node in enumerate(logs):
            keep[k] |= by_node >= limits[:, k : k + 1]
            if number == 0:
                keep[k][np.arange(len(by_node)), by_node.argmax(axis=1)] = True
    return [c.widened(mask) for c, mask in zip(coarse, keep, strict=True)]


def _log_sums(logs: np.ndarray) -> np.ndarray:
    """Logs of sums of exp along the rows, in half of SciPy's time."""
    top = logs.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.exp(logs - top).sum(axis=1)) + top[:, 0])


class _Coarse:
    """Every second node of each of a type's axes."""

    def __init__(self, table: TypeTable, near: Neighbourhood | None) -> None:
        self.table, self.near = table, near
        self.sizes = [size // 2 + 1 for size in table.sizes]
        every = (table.lattice % 2 == 0).all(axis=0)
        self.nodes = np.flatnonzero(every)
        self.place = table.lattice[:, self.nodes]
        self.at_knots: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
        self.densities = []
        for population in near.populations if near else ():
            logs = []
            for e in table.active:
                family, axes = table.layout.effects[e].family, table.axes[e]
                density = axes.densities(
                    family, population.location[e], population.shape[e], slopes=False
                )
                logs.append(density.logs)
            self.densities.append(logs)
        if table.habit is None and not table.anew:
            self.plain = np.ascontiguousarray(table.plain[:, self.nodes])

    def of_subjects(self, part: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log likelihood without exposure, exposed units and their log likelihood as it stands."""
        table = self.table
        if table.anew:
            none = np.zeros(0, dtype=int)
            return np.zeros((part.stop - part.start, self.nodes.size)), none, none
        if table.habit is not None:
            fixed = table.habitual[part][:, self.nodes]
        else:
            fixed = table.fixed[part] @ self.plain
        units = np.flatnonzero((table.owner >= part.start) & (table.owner < part.stop))
        exposed = table.counts[units] @ self.plain if table.shifts else np.zeros(0)
        return fixed, units, exposed

    def terms(
        self, part: slice, of: tuple[np.ndarray, np.ndarray, np.ndarray], number: int
    ) -> np.ndarray:
        """What nodes add to the likelihood in a population, shape (subjects, nodes)."""
        table, (fixed, units, exposed) = self.table, of
        total = fixed.copy()
        population = self.near.populations[number] if self.near else None
        if units.size:
            assert table.source is not None
            values = self._exposures(population, number)[table.exposure[units]]
            owner = table.owner[units] - part.start
            if table.shifts:
                assert isinstance(table.source.knots, Shifts)
                wide = np.moveaxis(exposed.reshape(-1, *self.sizes), table.along + 1, 1)
                length = wide.shape[1]
                by = np.round(values / table.source.knots.step / 2).astype(int)
                line = np.clip(np.arange(length) + by[:, None], 0, length - 1)
                moved = wide[np.arange(len(wide))[:, None], line]
                moved = np.moveaxis(moved, 1, table.along + 1).reshape(len(wide), -1)
                np.add.at(total, owner, moved)
            else:
                self._add_at_knots(total, units, owner, values)
        if self.near:
            for c, e in enumerate(table.active):
                logs = self.densities[number][c]
                total += logs[table.axis[e][part]][:, self.place[c]]
        if population is not None and table.kind is not None:
            shares = population.log_shares[:, table.kind]
            members = table.layout.members[part]
            total += shares[0] if shares.size == 1 else shares[members][:, None]
        return total

    def _exposures(self, population: PopulationValue | None, number: int) -> np.ndarray:
        assert self.table.source is not None
        if population is not None:
            return population.exposures[self.table.source.name]
        low, high = default_range(self.table.layout, self.table.source.name)
        return (low + high) / 2 + _POSES[number] * (high - low) / 2

    def _add_at_knots(
        self, total: np.ndarray, units: np.ndarray, owner: np.ndarray, values: np.ndarray
    ) -> None:
        """Add the log likelihood of exposed units at the knots nearest to some values."""
        table = self.table
        assert table.source is not None
        assert not isinstance(table.source.knots, Shifts)
        lines = table.source.knots.values[table.exposure[units]]
        knot = np.abs(lines - values[:, None]).argmin(axis=1)
        pairs = np.column_stack([table.exposure[units], knot])
        for e, k in np.unique(pairs, axis=0).tolist():
            mine = np.flatnonzero((pairs == (e, k)).all(axis=1))
            if (e, k) not in self.at_knots:
                self.at_knots[e, k] = table.at_knot(e, k, self.nodes)
            columns, logs = self.at_knots[e, k]
            people, of = np.unique(owner[mine], return_inverse=True)
            grouped = csr_array((np.ones(of.size), (of, np.arange(of.size))))
            total[people] += (grouped @ table.counts[units[mine]][:, columns]) @ logs

    def widened(self, keep: np.ndarray) -> np.ndarray:
        """The nodes that are kept, and those next to them, among all."""
        sizes = self.table.sizes
        fine = np.zeros((len(keep), *sizes), dtype=bool)
        fine[(slice(None), *[slice(None, None, 2)] * len(sizes))] = keep.reshape(-1, *self.sizes)
        for axis in range(1, len(sizes) + 1):
            wide = np.moveaxis(fine, axis, 1)
            before = wide.copy()
            wide[:, 1:] |= before[:, :-1]
            wide[:, :-1] |= before[:, 1:]
        return fine.reshape(len(keep), -1)
