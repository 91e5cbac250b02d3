"""Tables of a game of continuous choices: every subject has a grid of her own.

A hundred trials say so exactly what a subject's noise is that a grid common to all would need
thousands of nodes. So each subject's grid covers the box in which her likelihood, times the
population, is not negligible; the box is found by halving in on it from the widest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trustbayes.inference.engines.population.axes import Axes
from trustbayes.inference.engines.population.boxes import boxes_of, cut_of
from trustbayes.inference.engines.population.grids import (
    at_nodes,
    by_subject,
    likelihoods,
    most_mass,
    posed,
    unit_logs,
)
from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.points_anew import Grouped, PointsAnew
from trustbayes.inference.engines.population.rule import Neighbourhood, Rule
from trustbayes.inference.engines.population.sources import knots_of, sources_of
from trustbayes.inference.engines.population.splines import Knots, basis
from trustbayes.inference.engines.population.tables import Parts, Rows, Source, Tables, joined

__all__ = ["point_tables"]


def point_tables(
    layout: Layout, rule: Rule, near: Neighbourhood | None = None, dtype: Any = float
) -> Tables:
    """Tabulate the likelihoods of trials that are points.

    Parameters
    ----------
    layout, rule, near, dtype
        As for `trustbayes.inference.engines.population.finite_tables.finite_tables`.

    Returns
    -------
    Tables
    """
    relevant = {kind: sources_of(layout, kind) for kind in layout.kinds}
    sources: list[Source] = []
    used: dict[str, Source] = {}
    for names in relevant.values():
        if len(names) == 1 and not rule.anew and names[0] not in used:
            first = sum(s.knots.exposures for s in sources)
            used[names[0]] = Source(names[0], knots_of(layout, names[0], rule, near), first)
            sources.append(used[names[0]])
    axes: dict[int, list[Axes]] = {e: [] for e in range(len(layout.effects))}
    rows = []
    for kind in layout.kinds:
        names = relevant[kind]
        source = used.get(names[0]) if len(names) == 1 else None
        rows.append(_rows(layout, kind, rule, near, names, source, axes))
    return joined(rows, [_all(parts) for parts in axes.values()], sources, dtype)


def _all(parts: list[Axes]) -> Axes:
    """The axes of all types as one; an effect that no type needs has one that bears on nothing."""
    if not parts:
        none = np.zeros(1)
        return Axes(none, none + 1, 1, np.zeros(1, int), none > 0, none > 0, np.zeros(1, int))
    return Axes(
        origin=np.concatenate([a.origin for a in parts]),
        step=np.concatenate([a.step for a in parts]),
        size=max(a.size for a in parts),
        location_of=np.concatenate([a.location_of for a in parts]),
        open_low=np.concatenate([a.open_low for a in parts]),
        open_high=np.concatenate([a.open_high for a in parts]),
        last=np.concatenate([a.last for a in parts]),
    )


def _rows(
    layout: Layout,
    kind: int | None,
    rule: Rule,
    near: Neighbourhood | None,
    names: tuple[str, ...],
    source: Source | None,
    axes: dict[int, list[Axes]],
) -> Rows:
    active, subjects = layout.active(kind), layout.subjects
    boxes = boxes_of(layout, kind, rule, near, names)
    step = (boxes.high - boxes.low) / boxes.cells.T
    origin = boxes.low + rule.shift * step
    axis = {}
    for c, e in enumerate(active):
        axis[e] = sum(a.origin.size for a in axes[e]) + np.arange(subjects)
        axes[e].append(
            Axes(
                origin=origin[:, c],
                step=step[:, c],
                size=int(boxes.cells[c].max()) + 1,
                location_of=layout.effects[e].location_of,
                open_low=boxes.open_low[:, c],
                open_high=boxes.open_high[:, c],
                last=boxes.cells[c],
            )
        )
    # Those whose grids are alike in size are worked out together.
    _, group_of = np.unique(boxes.cells, axis=1, return_inverse=True)
    anew = () if source else names
    cut = None if anew else cut_of(rule, near)
    groups = []
    for number in range(int(group_of.max()) + 1):
        people = np.flatnonzero(group_of.reshape(-1) == number)
        sizes = [int(cells) + 1 for cells in boxes.cells[:, people[0]]]
        some = layout.of_subjects(people)
        at = at_nodes(some, active, origin[people], step[people], sizes)
        keep = _kept(some, kind, near, at, sizes, boxes.poses, cut)
        groups.append(_Group(people, some, at, keep, sizes))
    return _joined(groups, kind, anew, source, subjects, active, axis)


@dataclass(frozen=True, eq=False)
class _Group:
    """Subjects whose grids have the same numbers of nodes, and which of those are kept.

    Parameters
    ----------
    people : array of int
        Positions among all.
    layout : Layout
    at : mapping of str to array
        See `trustbayes.inference.engines.population.grids.at_nodes`.
    keep : array of bool, shape (nodes, people)
    sizes : list of int
        Nodes along each axis.
    """

    people: np.ndarray
    layout: Layout
    at: dict[str, np.ndarray]
    keep: np.ndarray
    sizes: list[int]


def _kept(
    layout: Layout,
    kind: int | None,
    near: Neighbourhood | None,
    at: dict[str, np.ndarray],
    sizes: list[int],
    poses: list[dict[str, np.ndarray]],
    cut: float | None,
) -> np.ndarray:
    """Which nodes bear on a likelihood, shape (nodes, subjects)."""
    keep = np.full((math.prod(sizes), layout.subjects), cut is None)
    if cut is not None:
        mass = most_mass(layout, near, layout.active(kind), at)
        for logs in likelihoods(layout, kind, at, poses):
            keep |= logs + mass >= (logs + mass).max(axis=0) - cut
    return _filled(keep, sizes)


def _joined(
    groups: list[_Group],
    kind: int | None,
    anew: tuple[str, ...],
    source: Source | None,
    subjects: int,
    active: tuple[int, ...],
    axis: dict[int, np.ndarray],
) -> Rows:
    """The rows of all subjects, one after the other; worked out anew for what these bring."""
    size = np.zeros(subjects, dtype=int)
    for group in groups:
        size[group.people] = group.keep.sum(axis=0)
    start = size.cumsum() - size
    logs = np.zeros(size.sum())
    place = {e: np.zeros(size.sum(), dtype=int) for e in active}
    direct: list[tuple[PointsAnew, np.ndarray]] = []
    parts: list[tuple[int, int, np.ndarray]] = []
    for group in groups:
        subject, node = np.nonzero(group.keep.T)
        mine = size[group.people]
        spots = np.arange(node.size) - np.repeat(mine.cumsum() - mine, mine)
        spots += start[group.people][subject]
        lattice = np.indices(group.sizes).reshape(len(active), group.keep.shape[0])
        for c, e in enumerate(active):
            place[e][spots] = lattice[c][node]
        if anew:
            given = group.layout, kind, group.at, anew, group.keep
            direct.append((PointsAnew(*given), spots))
            continue
        exposed = np.zeros(group.layout.units.unit_subject.size, dtype=bool)
        if source:
            exposed = group.layout.sources()[source.name].exposure_of >= 0
        units = unit_logs(group.layout, kind, group.at, {}, {})
        logs[spots] = by_subject(group.layout, units, ~exposed)[node, subject]
        if source and exposed.any():
            parts += _parts(group, kind, source, exposed)
    parts.sort(key=lambda part: part[0])
    rows, exposures = (np.array([p[c] for p in parts], dtype=int) for c in range(2))
    tables = [table for _, _, table in parts]
    return Rows(
        size=size,
        logs=logs,
        place=place,
        axis=axis,
        parts=Parts.at_knots(rows, exposures, tables, size) if parts else Parts.none(size),
        direct=Grouped(direct) if direct else None,
    )


def _filled(keep: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """With what lies along an axis between nodes that are kept: other poses may need it."""
    cube = keep.reshape(*sizes, -1)
    for axis in range(len(sizes)):
        before = np.logical_or.accumulate(cube, axis)
        after = np.flip(np.logical_or.accumulate(np.flip(cube, axis), axis), axis)
        cube = before & after
    return cube.reshape(keep.shape)


def _parts(
    group: _Group, kind: int | None, source: Source, exposed: np.ndarray
) -> list[tuple[int, int, np.ndarray]]:
    """Of exposed units: the subject, the exposure, and spline coefficients at nodes kept."""
    assert isinstance(source.knots, Knots)
    layout = group.layout
    units = np.flatnonzero(exposed)
    subject = layout.units.unit_subject[units]
    stack = []
    for values in source.knots.values.T:
        gaps, shared = posed(layout, {source.name: values})
        stack.append(unit_logs(layout, kind, group.at, gaps, shared)[:, units])
    table, coefficients = np.stack(stack), basis(source.knots.size)
    exposure = source.first + layout.sources()[source.name].exposure_of[units]
    return [
        (
            int(group.people[i]),
            int(exposure[position]),
            (coefficients @ table[:, group.keep[:, i], position]).T,
        )
        for position, i in enumerate(subject.tolist())
    ]
