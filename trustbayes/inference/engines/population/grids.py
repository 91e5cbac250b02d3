"""Likelihoods in a game of continuous choices, on a grid of every subject's own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from trustbayes.inference.engines.population.layout import EffectLayout, Layout
from trustbayes.inference.engines.population.narrow import node_logs
from trustbayes.inference.engines.population.rule import Neighbourhood
from trustbayes.inference.engines.population.theory import point_logs

__all__ = ["at_nodes", "by_subject", "likelihoods", "most_mass", "posed", "unit_logs"]

_CHUNK = 2**22  # trials times nodes at a time: 32 MiB


def at_nodes(
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


def posed(
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


def unit_logs(
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


def by_subject(layout: Layout, logs: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Sum over some of each subject's units, shape (nodes, subjects)."""
    total = np.zeros((layout.subjects, len(logs)))
    np.add.at(total, layout.units.unit_subject[chosen], logs[:, chosen].T)
    return total.T


def likelihoods(
    layout: Layout,
    kind: int | None,
    at: Mapping[str, np.ndarray],
    poses: list[dict[str, np.ndarray]],
) -> Iterator[np.ndarray]:
    """Log likelihood by pose; shape (nodes, subjects) each."""
    every = np.ones(layout.units.unit_subject.size, dtype=bool)
    for pose in poses:
        gaps, shared = posed(layout, pose)
        yield by_subject(layout, unit_logs(layout, kind, at, gaps, shared), every)


def most_mass(
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
