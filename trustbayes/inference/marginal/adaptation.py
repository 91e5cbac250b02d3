"""Finding where an integrand over a subject's effects has its mass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trustbayes.inference.marginal.population import Population
from trustbayes.numerics.arrays import log_total
from trustbayes.numerics.quadrature import Rule, cloud, lattice

__all__ = ["adapted", "coordinates", "highest", "tempered"]

_ROUNDS = 6
_NEWTON = 20
_STEP = 1e-3  # of differences, in standard deviations of the population
_FLATTEST = 0.25  # curvature, in units of the population's own
_LEAST = 0.05  # share of the nodes that must bear weight before the moments are believed
_SETTLED = 0.05  # of a standard deviation
_FAR = 5.0  # standard deviations
_MATTERS = 1e-4  # share of the integral


def adapted(
    population: Population, rows: slice, type_index: int | None, active: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the integrand, found anew for every draw and subject.

    From the highest point and the curvature there (Newton's method from the best of some nodes)
    on, nodes are placed by the moments last found. Where few nodes bear weight these are those of
    a power of the integrand, low enough that more do.

    Parameters
    ----------
    population : Population
    rows : slice
        Of the draws.
    type_index : int or None
    active : array of bool, shape (width,)

    Returns
    -------
    mean : array, shape (rows, subjects, active)
    covariance : array, shape (rows, subjects, active, active)
    """
    width = int(active.sum())
    rule = lattice(width, 0.3 if width == 1 else 0.6, 4.5) if width < 3 else cloud(width, 512)
    whole, variance = population.moments(rows)
    spread = np.sqrt(variance[..., active])

    def value(at: np.ndarray) -> np.ndarray:
        logs = population.log_likelihood(at, rows, type_index)
        return logs + population.log_density(at, rows, active)

    def standard(z: np.ndarray) -> np.ndarray:
        at = np.broadcast_to(whole[:, None], (len(z), z.shape[1], *whole.shape[1:])).copy()
        at[..., active] += spread[:, None] * z
        return value(at)

    nodes = np.concatenate([np.zeros((1, width)), rule.nodes[0]])
    start = standard(
        np.broadcast_to(nodes[None, :, None], (len(whole), len(nodes), *spread.shape[1:]))
    )
    top, curvature = highest(standard, nodes[start.argmax(axis=1)])
    mean = whole[..., active] + spread * top
    covariance = np.linalg.inv(curvature) * spread[..., None] * spread[..., None, :]
    for _ in range(_ROUNDS):
        at = coordinates(whole, active, mean, np.linalg.cholesky(covariance), rule)
        logs = value(at) + rule.log_weights[0][:, None]
        weights, power = tempered(logs.swapaxes(0, 1), _LEAST)
        placed = at[..., active]
        before, mean = mean, np.einsum("qns,nqsd->nsd", weights, placed)
        gap = placed - mean[:, None]
        covariance = np.einsum("qns,nqsd,nqse->nsde", weights, gap, gap, optimize=True)
        covariance += 1e-8 * np.eye(width) * variance[..., None, active]
        size = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
        if (power == 1).all() and (np.abs(mean - before) < _SETTLED * size).all():
            break
    scale = np.log(np.diagonal(np.linalg.cholesky(covariance), axis1=-2, axis2=-1)).sum(axis=-1)
    inside = log_total(logs, axis=1) + scale
    broad = start[:, 1:] + rule.log_weights[0][:, None] + np.log(spread).sum(axis=-1)[:, None]
    wide = whole[:, None, :, active] + spread[:, None] * rule.nodes[0][:, None]
    return _with_outliers(mean, covariance, inside, wide, broad)


def _with_outliers(
    mean: np.ndarray,
    covariance: np.ndarray,
    inside: np.ndarray,
    nodes: np.ndarray,
    logs: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Moments widened by what nodes all over the population find far away from them.

    Parameters
    ----------
    mean, covariance : array, shape (rows, subjects, width) and (rows, subjects, width, width)
    inside : array, shape (rows, subjects)
        Log of the integral found with these moments.
    nodes, logs : array, shape (rows, nodes, subjects, width) and (rows, nodes, subjects)
        Nodes of a broad rule and the logs of their terms.
    """
    gap = nodes - mean[:, None]
    distance = np.einsum("nqsd,nsde,nqse->nqs", gap, np.linalg.inv(covariance), gap, optimize=True)
    far = np.exp(np.clip(logs - inside[:, None], -700, 20)) * (distance > _FAR**2)
    whole = 1 + far.sum(axis=1)
    shift = np.einsum("nqs,nqsd->nsd", far, gap, optimize=True) / whole[..., None]
    outer = np.einsum("nqs,nqsd,nqse->nsde", far, gap, gap, optimize=True)
    widened = (covariance + outer) / whole[..., None, None]
    widened -= shift[..., None] * shift[..., None, :]
    matters = whole > 1 + _MATTERS
    return (
        np.where(matters[..., None], mean + shift, mean),
        np.where(matters[..., None, None], widened, covariance),
    )


def highest(
    value: Callable[[np.ndarray], np.ndarray], start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Maximise many functions at once by Newton's method with differences.

    Parameters
    ----------
    value : callable
        From points of shape (rows, n, subjects, width) to values of shape (rows, n, subjects).
    start : array, shape (rows, subjects, width)

    Returns
    -------
    top : array, shape (rows, subjects, width)
    curvature : array, shape (rows, subjects, width, width)
        Minus the second derivatives there, made positive definite.
    """
    width = start.shape[-1]
    unit = _STEP * np.eye(width)
    pairs = [(i, j) for i in range(width) for j in range(i)]
    moves = np.concatenate(
        [np.zeros((1, width)), unit, -unit, *[(unit[i] + unit[j])[None] for i, j in pairs]]
    )
    steps = np.array([1.0, 0.5, 0.2, 0.05, 0.01])
    top, curvature = start, np.broadcast_to(np.eye(width), (*start.shape, width))
    for _ in range(_NEWTON):
        table = np.moveaxis(value(top[:, None] + moves[:, None]), 1, -1)
        value_at_top, up, down = table[..., 0], table[..., 1 : width + 1], table[..., width + 1 :]
        down, mixed = down[..., :width], down[..., width:]
        slope = (up - down) / (2 * _STEP)
        second = np.zeros((*start.shape, width))
        for i in range(width):
            second[..., i, i] = (up[..., i] + down[..., i] - 2 * value_at_top) / _STEP**2
        for place, (i, j) in enumerate(pairs):
            both = mixed[..., place] - up[..., i] - up[..., j] + value_at_top
            second[..., i, j] = second[..., j, i] = both / _STEP**2
        size, direction = np.linalg.eigh(-np.nan_to_num(second))
        size = np.maximum(np.abs(size), _FLATTEST)
        curvature = (direction * size[..., None, :]) @ direction.swapaxes(-1, -2)
        step = np.linalg.solve(curvature, np.nan_to_num(slope)[..., None])[..., 0]
        step *= np.minimum(1, 2 / np.maximum(np.abs(step).max(axis=-1, keepdims=True), 1e-300))
        tried = value(top[:, None] + steps[:, None, None] * step[:, None])
        best = tried.argmax(axis=1)
        better = np.take_along_axis(tried, best[:, None], axis=1)[:, 0] > value_at_top
        moved = np.where(better, steps[best], 0.0)[..., None] * step
        top = top + moved
        if np.abs(moved).max() < 0.01:
            break
    return top, curvature


def coordinates(
    whole: np.ndarray,
    active: np.ndarray,
    mean: np.ndarray,
    scale: np.ndarray,
    rule: Rule,
    first: int = 0,
) -> np.ndarray:
    """Nodes of a rule placed by means and scales, shape (rows, nodes, subjects, width).

    Parameters
    ----------
    whole : array, shape (rows, subjects, width)
        Values of the coordinates that are not active.
    active : array of bool, shape (width,)
    mean, scale : array, shape (rows, subjects, active) and (rows, subjects, active, active)
    rule : Rule
    first : int
        Position of the first row among all draws, which take the rule's sets in turn.
    """
    rows, subjects, _ = whole.shape
    sets, size, _ = rule.nodes.shape
    at = np.broadcast_to(whole[:, None], (rows, size, *whole.shape[1:])).copy()
    if active.any():
        nodes = rule.nodes[(first + np.arange(rows)) % sets]
        placed = nodes @ scale.swapaxes(-1, -2).transpose(0, 2, 1, 3).reshape(
            rows, scale.shape[-1], -1
        )
        at[..., active] = placed.reshape(rows, size, subjects, -1) + mean[:, None]
    return at


def tempered(logs: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Normalised weights of nodes, and the highest power up to 1 at which enough bear weight.

    Parameters
    ----------
    logs : array, shape (nodes, ...)
    least : float
        Share of the nodes that the effective number must reach.

    Returns
    -------
    weights : array, shape (nodes, ...)
    power : array, shape (...)
    """
    logs = np.maximum(logs - logs.max(axis=0), -1e300)

    def weigh(power: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        weights = np.exp(power * logs)
        weights /= weights.sum(axis=0)
        return weights, 1 / (weights**2).sum(axis=0) >= least * len(logs)

    low, high = np.zeros(logs.shape[1:]), np.ones(logs.shape[1:])
    weights, enough = weigh(high)
    power = np.where(enough, 1.0, 0.0)
    if not enough.all():
        for _ in range(40):
            middle = np.where(enough, 1.0, (low + high) / 2)
            _, good = weigh(middle)
            low, high = np.where(good, middle, low), np.where(good, high, middle)
        power = np.where(enough, 1.0, low)
        weights, _ = weigh(power)
    return weights, power
