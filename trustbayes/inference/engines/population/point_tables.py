"""Tables of a game of continuous choices: every subject has a grid of her own.

A hundred trials say so exactly what a subject's noise is that a grid common to all would need
thousands of nodes. So each subject's grid covers the box in which her likelihood, times the
population, is not negligible; the box is found by halving in on it from the widest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from trustbayes.inference.engines.population.axes import Axes
from trustbayes.inference.engines.population.layout import EffectLayout, Layout
from trustbayes.inference.engines.population.narrow import node_logs
from trustbayes.inference.engines.population.rule import Neighbourhood, Rule
from trustbayes.inference.engines.population.sources import default_range, knots_of, sources_of
from trustbayes.inference.engines.population.splines import Knots, basis
from trustbayes.inference.engines.population.tables import Parts, Rows, Source, Tables, joined
from trustbayes.inference.engines.population.theory import point_logs
from trustbayes.numerics.spacing import spaced

__all__ = ["point_tables"]

_RANGE = {"positive": (-10.0, 6.0), "unit": (-10.0, 10.0), "real": (-8.0, 8.0)}
"""Of boxes, on the scale of the link: at the end of it a noise is that of one part in 20,000 of a
range or of 400 ranges, and a trust is 0 or 1 to one part in 20,000."""
_ROUNDS = 12
"""Of closing in on a box: the narrowest side, of the noise of a hundred trials (.07 of its log), is
a twentieth of the widest."""
_FIRST_NODES, _NODES = {1: 61, 2: 31, 3: 15}, {1: 41, 2: 15, 3: 11}
"""Nodes along each side, by how many there are: those of the whole range are to see sharp tops."""
_SHRUNK = 0.85  # of the box's volume: less is worth another round
_ACROSS = 5.0
"""Nodes across a box, times the rule's step: for a step of .25 they are .57 standard deviations
apart where the box cuts a normal likelihood at e^-16, and the rule of trapezoids errs by e^-60."""
_FINEST = 16  # parts at most that a step is cut in because a box holds many populations
_MIDDLE = 4.0  # nats, between whose ends a normal likelihood is ten steps of .57 wide
_HALF = 0.5  # of the steps across a box
_NARROW = 4  # parts of a step of .57 standard deviations of a likelihood: lines miss it by .3 %
_POSED = 60_000  # trials at most, over poses, by which there are more than three of them
_POSES = 12
_PILOT_CUT = 25.0  # as that of `selection`; boxes are wider than what is kept in them
_CHUNK = 2**22  # trials times nodes at a time: 32 MiB


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
    active = layout.active(kind)
    subjects, width = layout.subjects, len(active)
    poses = _poses(layout, names, near)
    low, high, parts = _boxes(layout, kind, near, active, poses, rule)
    step = (high - low) / parts / (_ACROSS / _steps(rule, active))
    parts *= _narrow_parts(layout, near, active, step)
    cells = np.array(
        [
            np.round(_ACROSS / rule.steps[e]) * rule.parts(e, subjects) * parts[:, c]
            for c, e in enumerate(active)
        ],
        dtype=int,
    ).reshape(-1, subjects)
    sizes = [int(numbers.max()) + 1 for numbers in cells]
    step = (high - low) / cells.T
    ends = np.array([_RANGE[layout.effects[e].parameter.support] for e in active]).reshape(-1, 2)
    origin = low + rule.shift * step
    axis = {}
    for c, e in enumerate(active):
        axis[e] = sum(a.origin.size for a in axes[e]) + np.arange(subjects)
        axes[e].append(
            Axes(
                origin=origin[:, c],
                step=step[:, c],
                size=sizes[c],
                location_of=layout.effects[e].location_of,
                open_low=low[:, c] <= ends[c, 0],
                open_high=high[:, c] >= ends[c, 1],
                last=cells[c],
            )
        )
    lattice = np.indices(sizes).reshape(width, -1) if width else np.zeros((0, 1), int)
    at = _at(layout, active, origin, step, sizes)
    exposed = np.zeros(layout.units.unit_subject.size, dtype=bool)
    if source is not None:
        exposed = layout.sources()[source.name].exposure_of >= 0
    anew = bool(names) and source is None
    cut = rule.cut if near else _PILOT_CUT
    mass = _most_mass(layout, near, active, at)
    keep = np.zeros((lattice.shape[1], subjects), dtype=bool)
    for logs in _likelihoods(layout, kind, at, poses):
        keep |= logs + mass >= (logs + mass).max(axis=0) - cut
    keep = _filled(keep, sizes)
    if anew:
        keep[:] = True
        plain = np.zeros(keep.shape)
    else:
        units = _unit_logs(layout, kind, at, {}, {})
        plain = _by_subject(layout, units, ~exposed)
    keep &= (lattice[:, :, None] <= cells[:, None]).all(axis=0)
    subject, node = np.nonzero(keep.T)
    parts = Parts.none(keep.sum(axis=0))
    if source is not None and exposed.any():
        parts = _parts(layout, kind, at, source, exposed, keep)
    return Rows(
        size=keep.sum(axis=0),
        logs=plain[node, subject],
        place={e: lattice[c][node] for c, e in enumerate(active)},
        axis=axis,
        parts=parts,
        direct=PointsAnew(layout, kind, at, names, keep) if anew else None,
    )


def _filled(keep: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """With what lies along an axis between nodes that are kept: other poses may need it."""
    cube = keep.reshape(*sizes, -1)
    for axis in range(len(sizes)):
        before = np.logical_or.accumulate(cube, axis)
        after = np.flip(np.logical_or.accumulate(np.flip(cube, axis), axis), axis)
        cube = before & after
    return cube.reshape(keep.shape)


def _steps(rule: Rule, active: tuple[int, ...]) -> np.ndarray:
    return np.array([rule.steps[e] for e in active])


def _narrow_parts(
    layout: Layout, near: Neighbourhood | None, active: tuple[int, ...], step: np.ndarray
) -> np.ndarray:
    """In how many parts steps are cut, shape (subjects, effects), where populations are narrower.

    Their weights are those of a likelihood that is linear between nodes, see
    `trustbayes.inference.engines.population.narrow`.
    """
    parts = np.ones(step.shape, dtype=int)
    for c, e in enumerate(active if near else ()):
        assert near is not None
        family = layout.effects[e].family
        least = min(family.moments(0.0, population.shape[e])[1] for population in near.populations)
        parts[np.sqrt(least) < step[:, c], c] = _NARROW
    return parts


def _at(
    layout: Layout,
    active: tuple[int, ...],
    origin: np.ndarray,
    step: np.ndarray,
    sizes: Sequence[int],
) -> dict[str, np.ndarray]:
    """Every subject's grid by its axes, each effect's along a dimension of its own."""
    at = {}
    for c, e in enumerate(active):
        number = np.arange(sizes[c]).reshape([-1 if c == d else 1 for d in range(len(active))])
        at[layout.effects[e].name] = origin[:, c] + step[:, c] * number[..., None]
    return at


def _poses(
    layout: Layout, names: tuple[str, ...], near: Neighbourhood | None
) -> list[dict[str, np.ndarray]]:
    """Exposures at which it is asked where a likelihood has its mass."""
    if not names:
        return [{}]
    ranges = {name: default_range(layout, name) for name in names}
    if near:
        middle = {n: (near.low[n] + near.high[n]) / 2 for n in names}
        reach = {n: (near.high[n] - near.low[n]) / 4 for n in names}
        posed = [{n: middle[n] + sign * reach[n] for n in names} for sign in (0, -1, 1)]
        # Narrow likelihoods move with what all share: no node between two of them is to be lacking.
        more = min(_POSES, _POSED // max(1, layout.units.n_trials)) - len(posed)
        some = spaced(len(near.populations), max(0, more))
        posed += [near.populations[place].exposures for place in some]
        return [{n: np.clip(pose[n], *ranges[n]) for n in names} for pose in posed]
    return [
        {n: (low + high) / 2 + part * (high - low) / 2 for n, (low, high) in ranges.items()}
        for part in (0.0, -0.35, 0.35)
    ]


def _boxes(
    layout: Layout,
    kind: int | None,
    near: Neighbourhood | None,
    active: tuple[int, ...],
    poses: list[dict[str, np.ndarray]],
    rule: Rule,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The box in which each subject's likelihood times population is not negligible.

    Returns
    -------
    low, high : array, shape (subjects, active effects)
    parts : array of int, shape (subjects, active effects)
        How many times as long a side of the box is as it would be for a normal likelihood that
        is as wide, about its top, as in the narrowest pose; at most `_FINEST`.
    """
    width, subjects = len(active), layout.subjects
    ends = np.array([_RANGE[layout.effects[e].parameter.support] for e in active])
    low = np.tile(ends.reshape(width, 2)[:, 0], (subjects, 1))
    high = np.tile(ends.reshape(width, 2)[:, 1], (subjects, 1))
    parts = np.ones((subjects, width), dtype=int)
    if not width:
        return low, high, parts
    cut = rule.cut if near else _PILOT_CUT
    for number in range(_ROUNDS):
        size = (_FIRST_NODES if number < 2 else _NODES).get(width, 7)
        lattice = np.indices([size] * width).reshape(width, -1)
        step = (high - low) / (size - 1)
        at = _at(layout, active, low, step, [size] * width)
        mass = _most_mass(layout, near, active, at)
        first, last = np.full((2, subjects, width), size)
        last, narrowest = last - size - 1, last + 0
        for logs in _likelihoods(layout, kind, at, poses):
            most, top = logs + _between(logs, size, width) + mass, (logs + mass).max(axis=0)
            lower, upper = _ends(most >= top - cut, lattice)
            first, last = np.minimum(first, lower), np.maximum(last, upper)
            lower, upper = _ends(most >= top - _MIDDLE, lattice)
            narrowest = np.minimum(narrowest, upper - lower + 1)
        first, last = np.maximum(first - 1, 0), np.minimum(last + 1, size - 1)
        parts = np.clip(np.round(_HALF * (last - first) / narrowest), 1, _FINEST).astype(int)
        before = np.prod(high - low, axis=1)
        low, high = low + first * step, low + last * step
        if number > 1 and (np.prod(high - low, axis=1) > _SHRUNK * before).all():
            break
    return low, high, parts


def _ends(keep: np.ndarray, lattice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last place along each axis, (subjects, axes); every subject has some."""
    far = lattice.max() + 1
    first = [np.where(keep, numbers[:, None], far).min(axis=0) for numbers in lattice]
    last = [np.where(keep, numbers[:, None], -1).max(axis=0) for numbers in lattice]
    return np.array(first).T, np.array(last).T


def _between(logs: np.ndarray, size: int, width: int) -> np.ndarray:
    """How much higher than at a node a likelihood is between it and the next ones, as `logs`.

    By the parabola through a node and its neighbours on each axis, where its top lies among them: a
    sharp likelihood falls between nodes, and those of a blunt one are higher.
    """
    cube = logs.reshape(*(size,) * width, -1)
    total = np.zeros_like(cube)
    for axis in range(width):
        below, at, above = (
            np.take(cube, range(first, first + size - 2), axis) for first in range(3)
        )
        slope, bend = (above - below) / 2, np.maximum(2 * at - above - below, 1e-9)
        rise = np.where(np.abs(slope) <= bend, slope**2 / (2 * bend), 0.0)
        total += np.pad(rise, [(1, 1) if axis == other else (0, 0) for other in range(width + 1)])
    return total.reshape(logs.shape)


def _most_mass(
    layout: Layout,
    near: Neighbourhood | None,
    active: tuple[int, ...],
    at: Mapping[str, np.ndarray],
) -> Any:
    """Log of the most that a population puts at a node, shape (nodes, subjects).

    Mass counts, not density: that of a narrow population is beyond all others'.
    """
    mass: Any = 0.0
    for e in active if near else ():
        assert near is not None
        effect, nodes = layout.effects[e], at[layout.effects[e].name]
        axes = nodes.reshape(-1, layout.subjects).T
        step, most = axes[:, 1] - axes[:, 0], np.array(-np.inf)
        for population in near.populations:
            gap = axes - population.location[e][effect.location_of][:, None]
            logs, _, _ = node_logs(effect.family, gap, step, population.shape[e], slopes=False)
            most = np.maximum(most, logs)
        mass = mass + most.T.reshape(nodes.shape)
    return np.reshape(mass, (-1, layout.subjects)) if np.ndim(mass) else mass


def _likelihoods(
    layout: Layout,
    kind: int | None,
    at: Mapping[str, np.ndarray],
    poses: list[dict[str, np.ndarray]],
) -> Iterator[np.ndarray]:
    """Log likelihood by pose; shape (nodes, subjects) each."""
    every = np.ones(layout.units.unit_subject.size, dtype=bool)
    for pose in poses:
        gaps, shared = _posed(layout, pose)
        yield _by_subject(layout, _unit_logs(layout, kind, at, gaps, shared), every)


def _posed(
    layout: Layout, pose: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Exposures as gaps by subject and treatment, and as what all share."""
    gaps, shared = {}, {}
    units = layout.units
    for name, values in pose.items():
        source = layout.sources()[name]
        if isinstance(source, EffectLayout):
            away = source.exposure_of >= 0
            matrix = np.zeros((layout.subjects, len(units.treatments)))
            place = units.unit_subject[away], units.unit_treatment[away]
            matrix[place] = values[source.exposure_of[away]]
            gaps[name] = matrix
        else:
            shared[name] = values
    return gaps, shared


def _unit_logs(
    layout: Layout,
    kind: int | None,
    at: Mapping[str, np.ndarray],
    gaps: Mapping[str, np.ndarray],
    shared: Mapping[str, np.ndarray],
) -> np.ndarray:
    """As `trustbayes...theory.point_logs` in bounded memory, shape (nodes, units)."""
    lead = np.broadcast_shapes(*[values.shape[:-1] for values in at.values()]) or (1,)
    step = max(1, _CHUNK // max(1, layout.units.n_trials * math.prod(lead[1:])))
    parts = []
    for first in range(0, lead[0], step):
        some = {n: v[first : first + step] if len(v) > 1 else v for n, v in at.items()}
        logs = point_logs(layout, kind, some, gaps, shared)
        parts.append(logs.reshape(-1, logs.shape[-1]))
    return np.concatenate(parts)


def _by_subject(layout: Layout, logs: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Sum over some of each subject's units, shape (nodes, subjects)."""
    total = np.zeros((layout.subjects, len(logs)))
    np.add.at(total, layout.units.unit_subject[chosen], logs[:, chosen].T)
    return total.T


def _parts(
    layout: Layout,
    kind: int | None,
    at: Mapping[str, np.ndarray],
    source: Source,
    exposed: np.ndarray,
    keep: np.ndarray,
) -> Parts:
    """Spline coefficients of exposed trials at the nodes that are kept."""
    assert isinstance(source.knots, Knots)
    units = np.flatnonzero(exposed)
    subject = layout.units.unit_subject[units]
    stack = []
    for values in source.knots.values.T:
        gaps, shared = _posed(layout, {source.name: values})
        stack.append(_unit_logs(layout, kind, at, gaps, shared)[:, units])
    table, coefficients = np.stack(stack), basis(source.knots.size)
    tables = [
        (coefficients @ table[:, keep[:, i], position]).T
        for position, i in enumerate(subject.tolist())
    ]
    exposure = layout.sources()[source.name].exposure_of[units]
    return Parts.at_knots(subject, source.first + exposure, tables, keep.sum(axis=0))


class PointsAnew:
    """Log likelihoods at all nodes, worked out anew for every population.

    Parameters
    ----------
    layout : Layout
    kind : int or None
    at : mapping of str to array, of shapes that broadcast to (..., nodes, subjects)
    names : tuple of str
        The parameters that bring exposures.
    keep : array of bool, shape (nodes, subjects)
        Of which nodes.
    """

    _step = 1e-5

    def __init__(
        self,
        layout: Layout,
        kind: int | None,
        at: Mapping[str, np.ndarray],
        names: tuple[str, ...],
        keep: np.ndarray,
    ) -> None:
        self.layout, self.kind, self.at, self.names = layout, kind, at, names
        self.keep = keep
        self.last: Mapping[str, np.ndarray] = {}

    def logs(self, exposures: Mapping[str, np.ndarray]) -> np.ndarray:
        """Those of one subject follow each other, shape (nodes that are kept,)."""
        self.last = exposures
        gaps, shared = _posed(self.layout, {name: exposures[name] for name in self.names})
        logs = _unit_logs(self.layout, self.kind, self.at, gaps, shared)
        every = np.ones(logs.shape[1], dtype=bool)
        return _by_subject(self.layout, logs, every).T[self.keep.T]

    def pullback(self, weight: np.ndarray) -> Mapping[str, np.ndarray]:
        """Slopes in the exposures last given."""
        given, slopes = self.last, {}
        for name in self.names:
            slope = np.zeros(given[name].size)
            for e in range(slope.size):
                moved = [given[name].copy(), given[name].copy()]
                moved[0][e] += self._step
                moved[1][e] -= self._step
                high, low = (self.logs({**given, name: m}) for m in moved)
                slope[e] = (high - low) @ weight / (2 * self._step)
            slopes[name] = slope
        self.last = given
        return slopes
