"""Log likelihoods of points that are worked out anew for every population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trustbayes.inference.engines.population.grids import by_subject, posed, unit_logs
from trustbayes.inference.engines.population.layout import Layout

__all__ = ["Grouped", "PointsAnew"]


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
        gaps, shared = posed(self.layout, {name: exposures[name] for name in self.names})
        logs = unit_logs(self.layout, self.kind, self.at, gaps, shared)
        every = np.ones(logs.shape[1], dtype=bool)
        return by_subject(self.layout, logs, every).T[self.keep.T]

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


class Grouped:
    """Those of several groups of subjects, of the same parameters.

    Parameters
    ----------
    groups : sequence of (PointsAnew, array of int)
        Each with where its nodes stand among all.
    """

    def __init__(self, groups: Sequence[tuple[PointsAnew, np.ndarray]]) -> None:
        self.groups = groups

    def logs(self, exposures: Mapping[str, np.ndarray]) -> np.ndarray:
        """Shape (nodes,)."""
        logs = np.empty(sum(places.size for _, places in self.groups))
        for group, places in self.groups:
            logs[places] = group.logs(exposures)
        return logs

    def pullback(self, weight: np.ndarray) -> Mapping[str, np.ndarray]:
        """Slopes in the exposures last given."""
        total: dict[str, np.ndarray] = {}
        for group, places in self.groups:
            for name, slope in group.pullback(weight[places]).items():
                total[name] = total[name] + slope if name in total else slope
        return total
