"""Where subjects' likelihoods have their mass, and how close nodes are to lie there.

A likelihood moves with what all share, and its top may fall between the nodes at which it is asked
for. A box holds it in all populations that tables serve; what is narrow in one of them has the
steps of the whole box cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustbayes.inference.engines.population.grids import at_nodes, likelihoods, most_mass
from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.rule import Neighbourhood, Rule
from trustbayes.inference.engines.population.sources import default_range
from trustbayes.numerics.spacing import spaced

__all__ = ["Boxes", "between", "boxes_of", "cut_of"]

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
_NARROW = 2  # parts of a step of .57 standard deviations of a likelihood: lines miss it by 1 %
_FEW = 20_000  # trials, of which so many nodes take no time
_POSED = 60_000  # trials at most, over poses, by which there are more than three of them
_POSES = 12
_PILOT_CUT = 25.0  # as that of `selection`; boxes are wider than what is kept in them


@dataclass(frozen=True, eq=False)
class Boxes:
    """Every subject's box.

    Parameters
    ----------
    low, high : array, shape (subjects, active effects)
        On the scale of the link.
    cells : array of int, shape (active effects, subjects)
        Steps from one side to the other.
    open_low, open_high : array of bool, shape (subjects, active effects)
        Whether a side is the end of what is looked at: the likelihood stays there what it is.
    poses : list of dict of str to array
        Exposures at which it was asked where a likelihood has its mass.
    """

    low: np.ndarray
    high: np.ndarray
    cells: np.ndarray
    open_low: np.ndarray
    open_high: np.ndarray
    poses: list[dict[str, np.ndarray]]


def boxes_of(
    layout: Layout,
    kind: int | None,
    rule: Rule,
    near: Neighbourhood | None,
    names: tuple[str, ...],
) -> Boxes:
    """Find the boxes of one type.

    Parameters
    ----------
    layout : Layout
    kind : int or None
    rule : Rule
    near : Neighbourhood or None
    names : tuple of str
        The parameters that bring exposures.

    Returns
    -------
    Boxes
    """
    active = layout.active(kind)
    poses = _poses(layout, names, near)
    low, high, parts = _boxes(layout, kind, near, active, poses, rule)
    across = _ACROSS / np.array([rule.steps[e] for e in active])
    if near is None:
        parts[:] = 1  # a pilot is coarse
    elif layout.units.n_trials <= _FEW:
        parts *= _narrow_parts(layout, near, active, (high - low) / parts / across)
    halved = np.array([rule.parts(e, layout.subjects) for e in active]).reshape(len(active), -1)
    cells = np.round(across)[:, None] * halved * parts.T
    ends = np.array([_RANGE[layout.effects[e].parameter.support] for e in active]).reshape(-1, 2)
    return Boxes(
        low=low,
        high=high,
        cells=cells.astype(int).reshape(len(active), layout.subjects),
        open_low=low <= ends[:, 0],
        open_high=high >= ends[:, 1],
        poses=poses,
    )


def cut_of(rule: Rule, near: Neighbourhood | None) -> float:
    """How many nats below the highest node others are dropped."""
    return rule.cut if near else _PILOT_CUT


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
    cut = cut_of(rule, near)
    few = layout.units.n_trials <= _FEW
    for number in range(_ROUNDS):
        size = (_FIRST_NODES if number < 2 and few else _NODES).get(width, 7)
        lattice = np.indices([size] * width).reshape(width, -1)
        step = (high - low) / (size - 1)
        at = at_nodes(layout, active, low, step, [size] * width)
        mass = most_mass(layout, near, active, at)
        first, narrowest = np.full((2, subjects, width), size)
        last = np.full((subjects, width), -1)
        for logs in likelihoods(layout, kind, at, poses):
            most, top = logs + between(logs, size, width) + mass, (logs + mass).max(axis=0)
            lower, upper = _ends(most >= top - cut, lattice)
            first, last = np.minimum(first, lower), np.maximum(last, upper)
            lower, upper = _ends(most >= top - _MIDDLE, lattice)
            narrowest = np.minimum(narrowest, upper - lower + 1)
        first, last = np.maximum(first - 1, 0), np.minimum(last + 1, size - 1)
        parts = np.clip(_HALF * (last - first) / narrowest, 1, _FINEST).astype(int)
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


def between(logs: np.ndarray, size: int, width: int) -> np.ndarray:
    """How much higher than at a node a likelihood is between it and the next ones, as `logs`.

    By the parabola through a node and its neighbours on each axis, where its top lies among them: a
    sharp likelihood falls between nodes, and those of a blunt one are higher.

    Parameters
    ----------
    logs : array, shape (nodes, subjects)
        Nodes of a square or cube, the last axis running fastest.
    size, width : int
        Nodes along each axis, and how many axes there are.

    Returns
    -------
    array, shape (nodes, subjects)
        At least 0; 0 at nodes that have a neighbour on one side only.
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


def _narrow_parts(
    layout: Layout, near: Neighbourhood, active: tuple[int, ...], step: np.ndarray
) -> np.ndarray:
    """In how many parts steps are cut, shape (subjects, effects), where populations are narrower.

    Their weights are those of a likelihood that is linear between nodes, see
    `trustbayes.inference.engines.population.narrow`.
    """
    parts = np.ones(step.shape, dtype=int)
    for c, e in enumerate(active):
        family = layout.effects[e].family
        least = min(family.moments(0.0, population.shape[e])[1] for population in near.populations)
        parts[np.sqrt(least) < step[:, c], c] = _NARROW
    return parts
