r"""Laplace's approximation for a population and many subjects, subjects integrated out first.

The joint mode of a hierarchical density says little: it may lie where the spread of the population
is zero and the density is infinite. So the subjects are integrated out at every point of the
population, each by Laplace's method around her own highest point:

.. math:: L(\varphi) = \log p(\varphi, \hat\theta(\varphi))
          - \tfrac12 \sum_i \log\det A_i(\varphi) + \tfrac{nd}{2} \log 2\pi,
          \qquad A_i = -\partial^2 \log p / \partial\theta_i\,\partial\theta_i^\top .

The mode and the curvature of L give the normal density of the population; given the population
each subject is normal around her highest point, which moves with it. What subjects share they share
through the population only, so the second derivatives are one block for each subject and a border:
nothing here is of the size subjects × subjects. Blocks come from differences of gradients, the same
coordinate of all subjects being moved at once.

Sources: Tierney and Kadane (1986), Journal of the American Statistical Association 81(393);
Kristensen, Nielsen, Berg, Skaug and Bell (2016), Journal of Statistical Software 70(5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

__all__ = ["Arrow", "Mode", "NoMode", "find_mode"]

Density = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""From a point, shape (dimension,), to the log density and its gradient."""

_STEP = 0.1
"""Of differences: payoffs have kinks, at which slopes within a small step say nothing of a density
as wide as a subject's, which is of the order of a fifth of a coordinate's unit or more."""
_FAR = 0.3  # of differences of the slope of L, in standard deviations
_NEWTON = 20
_SHORTER = 3
_POLISH = 5
_FLATTEST = 1e-3  # curvature of a subject; less is taken for it
_LONGEST = 2.0  # step of a subject's coordinate
_CLOSE, _OPEN = 1e-5, 0.1  # squared step of a subject, in squared standard deviations
_LEVEL = 0.02  # slope of L that is as good as none, for a move of one standard deviation
_ROUGH = 0.3  # slope that is too much
_CHECKED = 20


class NoMode(ValueError):
    """The density has no mode that can be used; says why."""


@dataclass(frozen=True, eq=False)
class Arrow:
    """Which coordinates belong to the population, and which to each subject.

    Parameters
    ----------
    population : array of int, shape (p,)
    subjects : array of int, shape (subjects, d)
    """

    population: np.ndarray
    subjects: np.ndarray


@dataclass(frozen=True, eq=False)
class Mode:
    """The normal density that stands for a posterior.

    Parameters
    ----------
    arrow : Arrow
    point : array, shape (dimension,)
        Mode of the population, and the subjects' highest points there.
    scale : array, shape (p, p)
        A square root of the covariance of the population.
    moves : array, shape (subjects, d, p)
        By how much a subject's highest point moves with the population.
    own_scale : array, shape (subjects, d, d)
        A square root of each subject's covariance, given the population.
    gap : float
        Standard deviation, over a few draws of the population, of what L differs from the log
        density of the normal, in nats. Zero if L is that of a normal density; above about one the
        normal is not to be relied upon.
    """

    arrow: Arrow
    point: np.ndarray
    scale: np.ndarray
    moves: np.ndarray
    own_scale: np.ndarray
    gap: float

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One draw, shape (dimension,)."""
        found = self.point.copy()
        away = self.scale @ rng.standard_normal(len(self.scale))
        found[self.arrow.population] += away
        own = rng.standard_normal(self.arrow.subjects.shape)
        found[self.arrow.subjects] += self.moves @ away
        found[self.arrow.subjects] += np.einsum("ide,ie->id", self.own_scale, own)
        return found


def find_mode(density: Density, arrow: Arrow, start: np.ndarray, seed: int = 0) -> Mode:
    """Approximate a density of a population and its subjects.

    Parameters
    ----------
    density : callable
        Log density and gradient; twice differentiable.
    arrow : Arrow
    start : array, shape (dimension,)
    seed : int
        Of the draws at which the approximation is checked.

    Returns
    -------
    Mode

    Raises
    ------
    NoMode
        If subjects bear on each other otherwise than through the population, the density has no
        mode, or it is not curved downwards there.

    Examples
    --------
    Three people of a normal population with mean 0 and spread 1, each seen once without error of
    known size 1, and the population's mean given a standard normal prior:

    >>> seen = np.array([1.0, 2.0, 3.0])
    >>> def density(x):
    ...     gap = x[1:] - x[0]
    ...     logs = -0.5 * (x[0] ** 2 + (gap**2).sum() + ((seen - x[1:]) ** 2).sum())
    ...     return logs, np.array([gap.sum() - x[0], *(seen - x[1:] - gap)])
    >>> mode = find_mode(density, Arrow(np.array([0]), np.array([[1], [2], [3]])), np.zeros(4))
    >>> mode.point.round(4), (mode.scale**2).round(4)
    (array([1.2, 1.1, 1.6, 2.1]), array([[0.4]]))
    """
    surface = _Surface(density, arrow, start)
    surface.check(seed)
    at, scale = _polished(surface, *_climbed(surface, start[arrow.population]))
    point, blocks = surface.settle(at)
    _, border = surface.border(point)
    mode = Mode(
        arrow=arrow,
        point=point,
        scale=scale,
        moves=np.linalg.solve(blocks, border),
        own_scale=np.linalg.inv(np.linalg.cholesky(blocks)).swapaxes(-1, -2),
        gap=0.0,
    )
    return _checked(mode, surface, np.random.default_rng(seed))


def _climbed(surface: _Surface, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Near the highest point of L, and a metric there.

    In the metric coordinates are of the order of a standard deviation; it is found anew on the way
    up, and where a search got stuck.
    """
    for steps in (5, 10, 50, 50):
        centre, metric = at, surface.metric(at)

        def loss(
            z: np.ndarray, centre: np.ndarray = centre, metric: np.ndarray = metric
        ) -> tuple[float, np.ndarray]:
            value, slope = surface.slope(centre + metric @ z)
            return -value, -(metric.T @ slope)

        options = {"maxiter": steps, "gtol": _LEVEL}
        found = minimize(loss, np.zeros(len(at)), jac=True, method="BFGS", options=options)
        at = centre + metric @ found.x
        if np.abs(found.jac).max(initial=0) < _LEVEL:
            break
    return at, metric


def _polished(
    surface: _Surface, at: np.ndarray, metric: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where the slope of L is zero, and a square root of the covariance there.

    By Newton's method on the slope alone, of which differences of L are no exact primitive. Kinks
    of payoffs leave it a little rough: the smallest slope found is taken.
    """
    least = np.inf
    for _ in range(_POLISH):
        moves = _FAR * metric.T
        columns = [(surface.slope(at - m)[1] - surface.slope(at + m)[1]) / 2 for m in moves]
        curvature = metric.T @ np.array(columns).T / _FAR
        size, direction = np.linalg.eigh((curvature + curvature.T) / 2)
        if not size.min(initial=1) > 0:
            raise NoMode("it is not curved downwards at the highest point that was found")
        scale = metric @ (direction / np.sqrt(size))
        slope = scale.T @ surface.slope(at)[1]
        steepest = float(np.abs(slope).max(initial=0))
        if steepest < least:
            least, best = steepest, (at, scale)
        if least < _LEVEL:
            break
        at, metric = at + scale @ slope, scale
    if not least < _ROUGH:
        raise NoMode(f"the search for the highest point ended on a slope of {least:.2g}")
    return best


def _checked(mode: Mode, surface: _Surface, rng: np.random.Generator) -> Mode:
    """With the gap between L and the normal."""
    at, gaps = mode.point[mode.arrow.population], []
    for z in rng.standard_normal((_CHECKED, len(at))):
        try:
            gaps.append(surface.value(at + mode.scale @ z) + 0.5 * (z**2).sum())
        except NoMode:
            gaps.append(-np.inf)
    with np.errstate(invalid="ignore"):
        gap = float(np.std(gaps))
    return Mode(
        mode.arrow,
        mode.point,
        mode.scale,
        mode.moves,
        mode.own_scale,
        gap if gap == gap else np.inf,
    )


class _Surface:
    """L and its derivatives; remembers where the subjects were last highest."""

    def __init__(self, density: Density, arrow: Arrow, start: np.ndarray) -> None:
        self.density, self.arrow = density, arrow
        self.point = np.array(start, dtype=float)
        self.moves = np.zeros((*arrow.subjects.shape, len(arrow.population)))

    def gradient(self, point: np.ndarray) -> np.ndarray:
        return np.asarray(self.density(point)[1])

    def blocks(self, point: np.ndarray) -> np.ndarray:
        """Minus the second derivatives within each subject, shape (subjects, d, d)."""
        own = self.arrow.subjects
        found = np.empty((*own.shape, own.shape[1]))
        for place in range(own.shape[1]):
            move = np.zeros_like(point)
            move[own[:, place]] = _STEP
            change = self.gradient(point - move) - self.gradient(point + move)
            found[:, :, place] = change[own] / (2 * _STEP)
        return (found + found.swapaxes(-1, -2)) / 2

    def border(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Second derivatives within the population (p, p), and across (subjects, d, p)."""
        width = len(self.arrow.population)
        inside, across = np.empty((width, width)), np.empty((*self.arrow.subjects.shape, width))
        for place, position in enumerate(self.arrow.population):
            move = np.zeros_like(point)
            move[position] = _STEP
            change = (self.gradient(point + move) - self.gradient(point - move)) / (2 * _STEP)
            inside[:, place] = change[self.arrow.population]
            across[:, :, place] = change[self.arrow.subjects]
        return (inside + inside.T) / 2, across

    def check(self, seed: int) -> None:
        """Refuse subjects that bear on each other: half of them moved, others must feel nothing."""
        own, rng = self.arrow.subjects, np.random.default_rng(seed)
        moved = rng.random(len(own)) < 0.5
        move = np.zeros_like(self.point)
        move[own[moved]] = _STEP
        before, after = self.gradient(self.point), self.gradient(self.point + move)
        felt = np.abs(after - before)[own[~moved]]
        if felt.max(initial=0) > 1e-9 * np.abs(before).max():
            raise NoMode("subjects bear on each other otherwise than through the population")

    def settle(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All coordinates where the subjects are highest, and their blocks there.

        By Newton's method for every subject at once. A step that passes the highest point, so that
        the slope along it has turned round, is shortened for that subject.
        """
        point, own = self.point.copy(), self.arrow.subjects
        away = at - point[self.arrow.population]
        point[self.arrow.population] = at
        if np.abs(away).max(initial=0) < 1:
            point[own] += self.moves @ away
        for _ in range(_NEWTON):
            slope = self.gradient(point)[own]
            if not np.isfinite(slope).all():
                raise NoMode("its slope is no number")
            blocks = self.blocks(point)
            size, direction = np.linalg.eigh(blocks)
            size = np.maximum(np.abs(size), _FLATTEST)
            along = np.einsum("ide,id->ie", direction, slope) / size
            step = np.einsum("ide,ie->id", direction, along)
            step *= np.minimum(1, _LONGEST / np.maximum(np.abs(step).max(axis=1), 1e-300))[:, None]
            left = (size * along**2).sum(axis=1).max(initial=0)
            if left < _CLOSE:
                break
            before = (slope * step).sum(axis=1)
            for _ in range(_SHORTER):
                tried = point.copy()
                tried[own] += step
                after = (self.gradient(tried)[own] * step).sum(axis=1)
                passed = ~(after > -0.5 * before)
                if not passed.any():
                    break
                shorter = np.clip(before / np.maximum(before - after, 1e-300), 0.1, 0.7)
                shorter = np.where(np.isfinite(after), shorter, 0.1)
                step[passed] *= shorter[passed, None]
                before[passed] *= shorter[passed]
            point[own] += step
        if left > _OPEN:
            raise NoMode("some subject has no highest point")
        if size.min(initial=1) <= _FLATTEST or np.linalg.eigvalsh(blocks).min(initial=1) <= 0:
            raise NoMode("it is flat at some subject's highest point")
        self.point = point
        return point, blocks

    def value(self, at: np.ndarray) -> float:
        """L, up to a constant."""
        point, blocks = self.settle(at)
        return float(self.density(point)[0] - 0.5 * _log_determinant(blocks))

    def slope(self, at: np.ndarray) -> tuple[float, np.ndarray]:
        """L, up to a constant, and its gradient.

        The first term is stationary in the subjects; the log determinants are followed along the
        way that the subjects' highest points move.
        """
        try:
            point, blocks = self.settle(at)
        except NoMode:
            return -np.inf, np.zeros_like(at)
        value, gradient = self.density(point)
        _, border = self.border(point)
        self.moves = np.linalg.solve(blocks, border)
        found = np.array(gradient[self.arrow.population])
        for place, position in enumerate(self.arrow.population):
            move = np.zeros_like(point)
            move[position] = _STEP
            move[self.arrow.subjects] = _STEP * self.moves[:, :, place]
            up, down = (_log_determinant(self.blocks(point + way * move)) for way in (1, -1))
            found[place] -= (up - down) / (4 * _STEP)
        return value - 0.5 * _log_determinant(blocks), found

    def metric(self, at: np.ndarray) -> np.ndarray:
        """Columns to move along, each of the order of a standard deviation of the population."""
        point, blocks = self.settle(at)
        inside, border = self.border(point)
        bent = -inside - np.einsum("idp,idq->pq", border, np.linalg.solve(blocks, border))
        size, direction = np.linalg.eigh(bent)
        return np.asarray(direction / np.sqrt(np.maximum(np.abs(size), 1.0)))


def _log_determinant(blocks: np.ndarray) -> float:
    return float(np.linalg.slogdet(blocks)[1].sum())
