"""Interpolation by splines of degree five on even knots, as weights of six coefficients."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.interpolate import BSpline, make_interp_spline

from trustbayes.inference.engines.population.kernels import TAPS

__all__ = ["Knots", "Shifts", "basis"]

_DEGREE = TAPS - 1
_INSIDE = 24  # knots of a spline whose middle knows nothing of its ends


@cache
def _basis(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For knots 0, 1, ..., size - 1: coefficients of unit vectors, first taps, polynomials.

    The polynomials, shape (cells, taps, powers), give the taps' weights between two knots.
    """
    line = np.arange(size, dtype=float)
    spline = make_interp_spline(line, np.eye(size), k=_DEGREE)
    first = np.clip(np.searchsorted(spline.t, line[:-1] + 0.5) - 1 - _DEGREE, 0, size - TAPS)
    within = np.linspace(0, 1, TAPS)
    powers = np.linalg.inv(np.vander(within, TAPS, increasing=True))
    polynomials = np.empty((size - 1, TAPS, TAPS))
    for cell in range(size - 1):
        at = np.clip(line[cell] + within, 0, size - 1)
        rows = BSpline.design_matrix(at, spline.t, _DEGREE).toarray()
        # At a knot of the spline the row belongs to the next cell's taps, unless it is the last.
        values = rows[:, first[cell] : first[cell] + TAPS]
        polynomials[cell] = (powers @ values).T
    return spline.c, first, polynomials


def _weights(polynomials: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the taps, and their slopes, at a part u of the way between two knots."""
    powers = u[:, None] ** np.arange(TAPS)
    drops = np.zeros_like(powers)
    drops[:, 1:] = np.arange(1, TAPS) * powers[:, :-1]
    return (polynomials @ powers[:, :, None])[..., 0], (polynomials @ drops[:, :, None])[..., 0]


class Knots:
    """Even knots of some exposures, each with an origin of its own.

    Parameters
    ----------
    origin : array, shape (exposures,)
        The first knots.
    step : float
    size : int
        Number of knots, at least 6.
    """

    def __init__(self, origin: np.ndarray, step: float, size: int) -> None:
        self.origin, self.step, self.size = np.asarray(origin, dtype=float), step, size

    @property
    def exposures(self) -> int:
        """Their number."""
        return self.origin.size

    @property
    def values(self) -> np.ndarray:
        """All knots, shape (exposures, size)."""
        return self.origin[:, None] + self.step * np.arange(self.size)

    def taps(self, exposure: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What to read for each exposure; beyond the knots as at the last of them.

        Returns
        -------
        first : array of int, shape (exposures,)
            The first coefficient.
        weights, slopes : array, shape (exposures, 6)
        """
        _, first, polynomials = _basis(self.size)
        place = (exposure - self.origin) / self.step
        inside = np.clip(place, 0.0, self.size - 1.0)
        cell = np.minimum(inside.astype(int), self.size - 2)
        weights, slopes = _weights(polynomials[cell], inside - cell)
        return first[cell], weights, slopes * ((place == inside) / self.step)[:, None]

    def outside(self, exposure: np.ndarray) -> np.ndarray:
        """Whether exposures, shape (..., exposures), lie beyond the knots."""
        last = self.origin + self.step * (self.size - 1)
        return (exposure < self.origin) | (exposure > last)


class Shifts:
    """Gaps by which nodes on an even grid are read away from where they stand.

    Parameters
    ----------
    low, high : array, shape (exposures,)
        The range of each gap.
    step : float
        Of the grid.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray, step: float) -> None:
        self.low, self.high, self.step = low, high, step

    @property
    def exposures(self) -> int:
        """Their number."""
        return self.low.size

    @property
    def first(self) -> np.ndarray:
        """The coefficient furthest down that is read, counted from a node; shape (exposures,)."""
        return np.floor(self.low / self.step).astype(int) - _DEGREE // 2

    @property
    def last(self) -> np.ndarray:
        """The same furthest up."""
        return np.floor(self.high / self.step).astype(int) - _DEGREE // 2 + _DEGREE

    def taps(self, exposure: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As `Knots.taps`; the first coefficient is counted from a node."""
        inside = np.clip(exposure, self.low, self.high)
        place = inside / self.step
        cell = np.floor(place)
        polynomial = _basis(_INSIDE)[2][_INSIDE // 2]
        weights, slopes = _weights(polynomial[None], place - cell)
        slopes = slopes * ((exposure == inside) / self.step)[:, None]
        return cell.astype(int) - _DEGREE // 2, weights, slopes

    def outside(self, exposure: np.ndarray) -> np.ndarray:
        """Whether exposures, shape (..., exposures), lie beyond the tables."""
        return (exposure < self.low) | (exposure > self.high)


def basis(size: int) -> np.ndarray:
    """The matrix that makes spline coefficients of values at even knots, shape (size, size)."""
    return _basis(size)[0]
