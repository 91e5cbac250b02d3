"""Tables of a finite game: choice probabilities at common nodes once, people by their counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from scipy.sparse import csr_array

from trustbayes.inference.engines.population.axes import Axes
from trustbayes.inference.engines.population.direct import ChoicesAnew, DirectCounts
from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.rule import Neighbourhood, Rule, envelope
from trustbayes.inference.engines.population.sharpened_habits import habit_of, sharpened_logs
from trustbayes.inference.engines.population.sources import default_range, knots_of, sources_of
from trustbayes.inference.engines.population.splines import basis
from trustbayes.inference.engines.population.tables import Parts, Rows, Source, Tables, joined
from trustbayes.inference.engines.population.theory import choice_logs

__all__ = ["finite_tables"]

_RANGE = {"positive": (-16.0, 9.0), "unit": (-10.0, 10.0), "real": (-12.0, 12.0)}
"""Of axes, on the scale of the link: beyond it choices are as at its ends."""
_CHUNK = 2**21  # numbers of the largest array of some subjects at all nodes
_PILOT_CUT = 25.0
_STRIDES = (1, 2, 4)
_RIVALS = 6.0  # nats by which types may rise against each other round the centre
_EDGE = 1e-7


def finite_tables(
    layout: Layout, rule: Rule, near: Neighbourhood | None = None, dtype: Any = float
) -> Tables:
    """Tabulate the likelihoods of a finite game's trials.

    Parameters
    ----------
    layout : Layout
    rule : Rule
    near : Neighbourhood, optional
        Nodes are kept that matter for these populations; default: for any.
    dtype : dtype
        Of the tables.

    Returns
    -------
    Tables
    """
    axes = tuple(_axes(layout, e, rule) for e in range(len(layout.effects)))
    sources: list[Source] = []
    used: dict[str, Source] = {}
    rows = []
    relevant = {kind: sources_of(layout, kind) for kind in layout.kinds}
    for name in dict.fromkeys(n for names in relevant.values() for n in _splined(layout, names)):
        knots = knots_of(layout, name, rule, near)
        first = sum(s.knots.origin.size for s in sources)
        used[name] = Source(name, knots, first)
        sources.append(used[name])
    best = np.full(layout.subjects, -np.inf)  # of the types so far, as each is done
    for kind in layout.kinds:
        names = relevant[kind]
        splined = _splined(layout, names)
        source = used[splined[0]] if splined else None
        anew = names if names and not splined else ()
        rows.append(_rows(layout, kind, axes, near, rule, source, anew, best))
    return joined(rows, axes, sources, dtype)


def _splined(layout: Layout, names: tuple[str, ...]) -> tuple[str, ...]:
    """The one source that can be interpolated in, if it is the only one."""
    simple = len(names) == 1 and getattr(layout.sources()[names[0]], "simple", True)
    return names if simple else ()


def _axes(layout: Layout, effect: int, rule: Rule) -> Axes:
    one = layout.effects[effect]
    if one.parameter.option:  # integrated otherwise
        none = np.zeros(1)
        return Axes(none, none + 1, 1, np.zeros(1, int), none > 0, none > 0, np.ones(1, int))
    low, high = _RANGE[one.parameter.support]
    size = _STRIDES[-1] * int(np.ceil((high - low) / rule.step / _STRIDES[-1])) + 1
    if one.by_subject:
        count = layout.subjects
    else:
        count = len(layout.units.treatments) if one.by_treatment else 1
    wide = len(_STRIDES) * count
    full = np.ones(wide, dtype=bool)
    location = one.location_of if one.by_subject else np.arange(count)
    return Axes(
        origin=np.full(wide, low + rule.shift * rule.step),
        step=np.full(wide, rule.step),
        size=size,
        location_of=np.repeat(location, len(_STRIDES)),
        open_low=full,
        open_high=full,
        stride=np.tile(_STRIDES, count),
    )


@dataclass(frozen=True, eq=False)
class _Counts:
    """Trials of subjects as sparse counts of cells (condition, seen, chosen)."""

    fixed: csr_array
    unit: np.ndarray  # with an exposure
    exposure: np.ndarray
    counts: csr_array  # of these units


def _counts(layout: Layout, exposure_of: np.ndarray) -> _Counts:
    units = layout.cells
    cells = units.counts.shape[1] * units.counts.shape[2]
    conditions = len(units.condition_treatment)
    unit, seen, option = units.observed
    column = units.unit_condition[unit] * cells + seen * units.counts.shape[2] + option
    number = units.counts[units.observed].astype(float)
    plain = exposure_of[unit] < 0
    shape = (layout.subjects, conditions * cells)
    fixed = csr_array((number[plain], (units.unit_subject[unit[plain]], column[plain])), shape)
    exposed = np.flatnonzero(exposure_of >= 0)
    row = np.searchsorted(exposed, unit[~plain])
    counts = csr_array((number[~plain], (row, column[~plain])), (exposed.size, shape[1]))
    return _Counts(fixed, exposed, exposure_of[exposed], counts)


def _rows(
    layout: Layout,
    kind: int | None,
    axes: tuple[Axes, ...],
    near: Neighbourhood | None,
    rule: Rule,
    source: Source | None,
    anew: tuple[str, ...],
    best: np.ndarray,
) -> Rows:
    active, habit = layout.active(kind), habit_of(layout)
    habitual = habit is not None and habit in active
    active = tuple(e for e in active if e != habit)
    sizes = [axes[e].size for e in active]
    lattice = np.indices(sizes).reshape(len(active), -1) if active else np.zeros((0, 1), int)
    linked = {layout.effects[e].name: axes[e].nodes[0][lattice[c]] for c, e in enumerate(active)}
    units = layout.cells
    every = np.arange(len(units.condition_treatment))
    axis = {e: _axis_of(layout, e) for e in active}
    if anew:
        return _rows_anew(layout, kind, lattice, linked, axis, anew)
    exposure_of = np.full(units.unit_subject.size, -1)
    if source is not None:
        exposure_of = layout.sources()[source.name].exposure_of
    counts = _counts(layout, exposure_of)
    if habit is not None and habitual:
        known = sharpened_logs(layout, habit, linked["response_precision"])
    else:
        plain = choice_logs(layout, kind, linked, every, {}, {})
        plain = np.ascontiguousarray(plain.reshape(lattice.shape[1], -1).T)
    middle = _at_centre(layout, kind, linked, source, near, counts)
    kept, logs, size, stride = [], [], [], []
    step = max(1, _CHUNK // max(1, lattice.shape[1]))
    ranges = {e: envelope(layout, e, axes[e], near) for e in active} if near else {}
    for first in range(0, layout.subjects, step):
        part = slice(first, min(first + step, layout.subjects))
        dense = known[part] if habitual else counts.fixed[part] @ plain
        whole = dense if middle is None else dense + middle(part)
        highest, limit = whole, whole.max(axis=1) - _PILOT_CUT
        if near:
            centre = whole.copy()
            highest = whole.copy()
            for c, e in enumerate(active):
                mine = axis[e][part]
                centre += ranges[e][0][mine][:, lattice[c]]
                highest += ranges[e][1][mine][:, lattice[c]]
            limit = centre.max(axis=1) - rule.cut
        keep = highest >= limit[:, None]
        strides = np.ones((len(dense), len(active)), dtype=int)
        if near:
            edges = [_edges(ranges[e][0], axis[e][part]) for e in active]
            strides = _strides(
                centre.reshape(-1, *sizes), keep.reshape(-1, *sizes), edges, rule.agree
            )
            for c in range(len(active)):
                keep &= lattice[c] % strides[:, c : c + 1] == 0
            keep &= _rivals(highest, keep, best[part] - rule.cut - _RIVALS)
            share = 0.0 if kind is None else _least_share(layout, near, kind)[part]
            best[part] = np.maximum(best[part], centre.max(axis=1) + share)
        subject, node = np.nonzero(keep)
        kept.append(node)
        logs.append(dense[subject, node] + np.log(strides).sum(axis=1)[subject])
        size.append(np.bincount(subject, minlength=len(dense)))
        stride.append(strides)
    nodes, number, apart = np.concatenate(kept), np.concatenate(size), np.concatenate(stride)
    parts = Parts(np.zeros(0, int), np.zeros(0, int), ())
    if source is not None and counts.unit.size:
        parts = _parts(layout, kind, linked, source, counts, nodes, number)
    return Rows(
        size=number,
        logs=np.concatenate(logs),
        place={e: lattice[c][nodes] for c, e in enumerate(active)},
        axis={e: axis[e] + np.log2(apart[:, c]).astype(int) for c, e in enumerate(active)},
        stride={e: apart[:, c] for c, e in enumerate(active)},
        parts=parts,
    )


def _rivals(highest: np.ndarray, keep: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Nodes that may matter beside what other types say of the subject; at least one each."""
    among = np.where(keep, highest, -np.inf)
    return np.asarray(among >= np.minimum(limit, among.max(axis=1))[:, None])


def _least_share(layout: Layout, near: Neighbourhood, kind: int) -> np.ndarray:
    """Log of a type's share where it is lowest, shape (subjects,)."""
    lowest = np.min([p.log_shares[:, kind] for p in (near.centre, *near.around)], axis=0)
    every = np.zeros(layout.subjects)
    return every + (lowest if lowest.size == 1 else lowest[layout.members])


def _edges(logs: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """How much less the first and the last entry count, by stride, shape (subjects, strides, 2)."""
    ends = logs[axis[:, None] + np.arange(len(_STRIDES))][..., [0, -1]]
    return np.exp(ends - ends[:, :1])


def _strides(
    logs: np.ndarray, keep: np.ndarray, edges: list[np.ndarray], agree: float
) -> np.ndarray:
    """How many entries of each axis a subject's nodes may lie apart.

    A stride is taken where sums over every second (fourth) node, on either half, agree: in the
    sum and in its mean along the axis. Where the first or last entry bears weight, which stands for
    a whole tail, only those nodes can be kept that include them.

    Parameters
    ----------
    logs : array, shape (subjects, *axes)
        Log terms of the sums.
    keep : array of bool, of the same shape
    edges : list of array, shape (subjects, strides, 2)
        From `_edges`, by axis.
    agree : float

    Returns
    -------
    array of int, shape (subjects, axes)
    """
    subjects, width = len(logs), logs.ndim - 1
    flat = logs.reshape(subjects, -1)
    weights = np.exp(flat - flat.max(axis=1, keepdims=True)).reshape(logs.shape)
    weights = np.where(keep, weights, 0.0)
    found = np.ones((subjects, width), dtype=int)
    for c in range(width):
        others = tuple(a for a in range(1, width + 1) if a != c + 1)
        line = weights.sum(axis=others)
        line /= line.sum(axis=1, keepdims=True)
        place = np.arange(line.shape[1])
        mean = line @ place
        spread = np.sqrt(np.maximum(line @ place**2 - mean**2, 1e-12))
        inner = (line[:, 0] < _EDGE) & (line[:, -1] < _EDGE)
        free = np.ones(subjects, dtype=bool)
        for level, stride in enumerate(_STRIDES[1:], 1):
            for first in range(stride):
                part = line[:, first::stride] * stride
                if first == 0:
                    part[:, 0] *= edges[c][:, level, 0]
                    part[:, -1] *= edges[c][:, level, 1]
                total = part.sum(axis=1)
                moved = np.abs(part @ place[first::stride] - mean) / spread
                agreed = (np.abs(total - 1) < agree) & (moved < agree)
                free &= agreed if first == 0 else agreed | ~inner
            found[free, c] = stride
    return found


def _rows_anew(
    layout: Layout,
    kind: int | None,
    lattice: np.ndarray,
    linked: dict[str, np.ndarray],
    axis: dict[int, np.ndarray],
    names: tuple[str, ...],
) -> Rows:
    """Rows whose likelihood is worked out for every population, at all nodes."""
    size, subjects = lattice.shape[1], layout.subjects
    direct = DirectCounts(ChoicesAnew(layout, kind, linked, names), layout)
    nodes = np.tile(np.arange(size), subjects)
    return Rows(
        size=np.full(subjects, size),
        logs=np.zeros(subjects * size),
        place={e: lattice[c][nodes] for c, e in enumerate(axis)},
        axis=axis,
        stride={e: np.ones(layout.subjects, dtype=int) for e in axis},
        parts=Parts(np.zeros(0, int), np.zeros(0, int), ()),
        direct=direct,
    )


def _axis_of(layout: Layout, effect: int) -> np.ndarray:
    one = layout.effects[effect]
    place = np.arange(layout.subjects) if one.by_subject else one.location_of
    return len(_STRIDES) * place


def _posed(layout: Layout, source: Source, exposure: int, value: float) -> tuple[Any, Any, Any]:
    """Conditions of an exposure, and its value as gaps or as what all share."""
    brings, units = layout.sources()[source.name], layout.cells
    mine = units.unit_condition[brings.exposure_of == exposure]
    conditions = np.unique(mine)
    if hasattr(brings, "gap_to"):
        return conditions, {source.name: np.full(conditions.size, value)}, {}
    return conditions, {}, {source.name: np.full(brings.exposures, value)}


def _logs_of_exposure(
    layout: Layout,
    kind: int | None,
    linked: dict[str, np.ndarray],
    source: Source,
    exposure: int,
    value: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Columns of cells, and log choice probabilities, shape (cells, nodes)."""
    units = layout.cells
    conditions, gaps, shared = _posed(layout, source, exposure, value)
    logs = choice_logs(layout, kind, linked, conditions, gaps, shared)
    cells = units.counts.shape[1] * units.counts.shape[2]
    columns = (conditions[:, None] * cells + np.arange(cells)).reshape(-1)
    return columns, logs.reshape(len(logs), -1).T


def _at_centre(
    layout: Layout,
    kind: int | None,
    linked: dict[str, np.ndarray],
    source: Source | None,
    near: Neighbourhood | None,
    counts: _Counts,
) -> Any:
    """Log likelihood of exposed trials at the centre's exposures, by chunk of subjects.

    Without a neighbourhood at exposures that mean nothing in particular; None without any.
    """
    if source is None or not counts.unit.size:
        return None
    low, _ = default_range(layout, source.name)
    centre = near.centre.exposures[source.name] if near else np.full(len(low), 0.0)
    owner = layout.units.unit_subject[counts.unit]
    tables = {
        e: _logs_of_exposure(layout, kind, linked, source, e, float(centre[e]))
        for e in np.unique(counts.exposure).tolist()
    }

    def middle(part: slice) -> np.ndarray:
        size = next(iter(tables.values()))[1].shape[1]
        total = np.zeros((part.stop - part.start, size))
        for e, (columns, logs) in tables.items():
            rows = np.flatnonzero(
                (counts.exposure == e) & (owner >= part.start) & (owner < part.stop)
            )
            # A subject may have several units of one exposure: those of several biases.
            np.add.at(total, owner[rows] - part.start, counts.counts[rows][:, columns] @ logs)
        return total

    return middle


def _parts(
    layout: Layout,
    kind: int | None,
    linked: dict[str, np.ndarray],
    source: Source,
    counts: _Counts,
    nodes: np.ndarray,
    number: np.ndarray,
) -> Parts:
    """Spline coefficients of exposed trials at the nodes that are kept."""
    start = np.concatenate([[0], np.cumsum(number)])
    owner = layout.units.unit_subject[counts.unit]
    order = np.lexsort((counts.exposure, owner))
    tables: list[Any] = [None] * counts.unit.size
    coefficients = basis(source.knots.size)
    for e in np.unique(counts.exposure).tolist():
        mine = np.flatnonzero(counts.exposure == e)
        inside = np.zeros(len(next(iter(linked.values()), np.zeros(1))), dtype=bool)
        for i in owner[mine]:
            inside[nodes[start[i] : start[i + 1]]] = True
        some = {name: values[inside] for name, values in linked.items()}
        place = (np.cumsum(inside) - 1)[nodes]
        sizes = number[owner[mine]]
        begin = np.concatenate([[0], np.cumsum(sizes)])
        gathered = np.zeros((source.knots.size, begin[-1]))
        sparse: Any = None
        for k, value in enumerate(source.knots.values[e]):
            columns, logs = _logs_of_exposure(layout, kind, some, source, e, float(value))
            if sparse is None:
                sparse = csr_array(counts.counts[mine][:, columns])
            # Nodes follow each other, so that what is read of a cell lies close together.
            _gather(
                sparse.indptr.astype(np.int64),
                sparse.indices.astype(np.int64),
                sparse.data,
                np.ascontiguousarray(logs),
                place,
                start[owner[mine]],
                begin,
                gathered[k],
            )
        gathered = coefficients @ gathered
        for row, unit in enumerate(mine.tolist()):
            tables[unit] = gathered[:, begin[row] : begin[row + 1]]
    return Parts(
        row=owner[order],
        exposure=source.first + counts.exposure[order],
        tables=[tables[position] for position in order],
    )


@njit(cache=True, nogil=True)
def _gather(
    rows: np.ndarray,
    cells: np.ndarray,
    counts: np.ndarray,
    logs: np.ndarray,
    place: np.ndarray,
    first: np.ndarray,
    begin: np.ndarray,
    values: np.ndarray,
) -> None:
    """Add up counts times logs, shape (cells, nodes), at the nodes of every unit."""
    for u in range(first.size):
        for j in range(rows[u], rows[u + 1]):
            for q in range(begin[u], begin[u + 1]):
                values[q] += counts[j] * logs[cells[j], place[first[u] + q - begin[u]]]
