"""Even grids of one effect of subjects, and how the population's density stands on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trustbayes.inference.engines.population.narrow import node_logs
from trustbayes.priors.family import Family

__all__ = ["Axes", "Densities"]


@dataclass(frozen=True, eq=False)
class Densities:
    """Log masses of an axis' nodes and their slopes.

    Parameters
    ----------
    logs, slope : array, shape (axes, nodes)
        The slope is that in the location.
    slopes : dict of str to array, shape (axes, nodes)
        By argument of the family.
    location_of : array of int, shape (axes,)
    """

    logs: np.ndarray
    slope: np.ndarray
    slopes: dict[str, np.ndarray]
    location_of: np.ndarray

    def pullback(self, weight: np.ndarray, locations: int) -> tuple[np.ndarray, dict[str, float]]:
        """From what each log mass weighs in a sum to the sum's slopes.

        Parameters
        ----------
        weight : array, shape (axes, nodes)
        locations : int

        Returns
        -------
        by_location : array, shape (locations,)
        by_argument : dict of str to float
        """
        by_axis = (weight * self.slope).sum(axis=1)
        by_location = np.bincount(self.location_of, weights=by_axis, minlength=locations)
        return by_location, {key: float((weight * s).sum()) for key, s in self.slopes.items()}


@dataclass(frozen=True, eq=False)
class Axes:
    """Even grids on the scale of the link; grids that are alike are one.

    Parameters
    ----------
    origin, step : array, shape (axes,)
    size : int
        Number of nodes of the longest.
    location_of : array of int, shape (axes,)
        Which of the population's locations belongs to it.
    open_low, open_high : array of bool, shape (axes,)
        Whether the likelihood stays what it is beyond the last node, which then stands for the
        whole rest of the population.
    last : array of int, shape (axes,)
        Position of the last node; those beyond are not used.
    """

    origin: np.ndarray
    step: np.ndarray
    size: int
    location_of: np.ndarray
    open_low: np.ndarray
    open_high: np.ndarray
    last: np.ndarray

    @property
    def nodes(self) -> np.ndarray:
        """Shape (axes, nodes)."""
        return self.origin[:, None] + self.step[:, None] * np.arange(self.size)

    def densities(
        self,
        family: Family,
        location: np.ndarray,
        shape: Mapping[str, float],
        slopes: bool = True,
    ) -> Densities:
        """Log masses of the nodes in a population.

        Parameters
        ----------
        family : Family
        location : array, shape (locations,)
        shape : mapping of str to float
        slopes : bool
            Whether theirs are needed, too.
        """
        gap = self.nodes - location[self.location_of][:, None]
        logs, slope, by_argument = node_logs(family, gap, self.step, shape, slopes)
        first = np.zeros_like(self.last)
        for ends, is_open, upper in (
            (first, self.open_low, False),
            (self.last, self.open_high, True),
        ):
            rows = np.flatnonzero(is_open)
            if not rows.size:
                continue
            position = ends[rows]
            half = (0.5 if upper else -0.5) * self.step[rows]
            edge = gap[rows, position] + half
            tail = family.log_tail(edge, shape, upper)
            node = logs[rows, position]
            total = np.logaddexp(node, tail)
            logs[rows, position] = total
            if slopes:
                share, rest = np.exp(node - total), np.exp(tail - total)
                by_gap, tails = family.tail_slopes(edge, shape, upper)
                slope[rows, position] = share * slope[rows, position] + rest * by_gap
                for key, values in by_argument.items():
                    values[rows, position] = share * values[rows, position] + rest * tails[key]
        return Densities(logs, -slope, by_argument, self.location_of)
