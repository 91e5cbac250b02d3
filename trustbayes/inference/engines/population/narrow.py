r"""Weights of even nodes in a population, however narrow it is.

Where a population's standard deviation is at least the step h of the nodes, h times its density is
the best of weights: the rule of trapezoids errs by :math:`e^{-2 \pi^2 s^2 / h^2}` for a product of
normal curves of width s. Where the population is narrower, density at nodes says nothing: it grows
without end at a node, and vanishes between two. There a node's weight is the integral of the
population times a triangle that is 1 at the node and 0 at the next ones,

.. math:: w_q = \frac{G(z_q + h) - 2 G(z_q) + G(z_q - h)}{h}, \quad
          G(t) = t \Phi(t / s) + s \phi(t / s),

which is that of a likelihood that is linear between nodes, down to a population without any spread.
Triangles add :math:`h^2 / 6` to the variance; that much is taken from the population's before. It
is taken as normal there, with the family's moments: narrow families nearly are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import ndtr

from trustbayes.priors.family import Family

__all__ = ["node_logs"]

_WIDE, _NARROW = 1.0, 0.7
"""Standard deviations in steps, above which density serves and below which triangles do; between
them one goes over into the other. There both are right to a thousandth for a likelihood that is two
steps wide."""
_ROUND = 0.25
"""Of the variance of a triangle: how smoothly what is taken from a variance stops at zero."""
_FLOOR = 1e-300
_DIFFERENCE = 1e-5  # relative, for slopes of moments
_ROOT = np.sqrt(2 * np.pi)


def node_logs(
    family: Family,
    gap: np.ndarray,
    step: np.ndarray,
    shape: Mapping[str, float],
    slopes: bool = True,
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Log weights of nodes, and their slopes.

    Parameters
    ----------
    family : Family
    gap : array, shape (axes, nodes)
        Nodes less the population's location, on the scale of the link.
    step : array, shape (axes,)
    shape : mapping of str to float
        The family's other arguments.
    slopes : bool
        Whether slopes are needed.

    Returns
    -------
    logs, slope : array, shape (axes, nodes)
        The slope is that in the gap; empty if not needed.
    by_argument : dict of str to array, shape (axes, nodes)

    Examples
    --------
    >>> from trustbayes.priors.families import FAMILIES
    >>> gap = np.array([[-0.75, 0.25, 1.25]])
    >>> logs, _, _ = node_logs(FAMILIES["Normal"], gap, np.ones(1), {"sigma": 0.0001}, False)
    >>> np.exp(logs).round(2)
    array([[0.25, 0.75, 0.  ]])
    """
    middle, variance = family.moments(0.0, shape)
    ratio = np.sqrt(variance) / step
    part = np.clip((ratio - _NARROW) / (_WIDE - _NARROW), 0.0, 1.0)[:, None]
    empty: tuple[np.ndarray, dict[str, np.ndarray]] = (np.zeros((0, 0)), {})
    wide, narrow = (part > 0).any(), (part < 1).any()
    if wide:
        logs = family.log_density(gap, shape) + np.log(step)[:, None]
        slope, by_argument = family.slopes(gap, shape) if slopes else empty
        if not narrow:
            return logs, slope, by_argument
    log_weights, by_middle, by_variance = _triangles(gap - middle, variance, step[:, None])
    if not slopes:
        return (part * logs + (1 - part) * log_weights if wide else log_weights), *empty
    by = {}
    for name, value in shape.items():
        width = _DIFFERENCE * value
        high, low = (family.moments(0.0, {**shape, name: value + s * width}) for s in (1, -1))
        middles, variances = ((b - a) / (2 * width) for a, b in zip(low, high, strict=True))
        by[name] = by_variance * variances - by_middle * middles
        if wide:
            rise = variances / (2 * np.sqrt(variance)) / step / (_WIDE - _NARROW)
            inside = ((part > 0) & (part < 1)) * rise[:, None]
            by[name] = (
                part * by_argument[name] + (1 - part) * by[name] + inside * (logs - log_weights)
            )
    if wide:
        log_weights, by_middle = (
            part * a + (1 - part) * b for a, b in ((logs, log_weights), (slope, by_middle))
        )
    return log_weights, by_middle, by


def _triangles(
    z: np.ndarray, variance: float, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log weights, and their slopes in z and in the variance."""
    unit = step**2 / 6
    half = (variance / unit - 1) / 2
    root = np.sqrt(half**2 + _ROUND**2)
    spread = np.sqrt(unit * (half + root))
    by_spread_of = (1 + half / root) / (4 * spread)  # of the spread in the variance
    # Of an even function, on the side where nothing cancels.
    at = -np.abs(z)
    left, mid, right = at - step, at, at + step
    value: Any = 0.0
    by_z: Any = 0.0
    by_spread: Any = 0.0
    for t, factor in ((left, 1.0), (mid, -2.0), (right, 1.0)):
        below, density = ndtr(t / spread), np.exp(-0.5 * (t / spread) ** 2) / _ROOT
        value += factor * (t * below + spread * density)
        by_z += factor * below
        by_spread += factor * density
    some = value > _FLOOR * step
    value = np.maximum(value, _FLOOR * step)
    by_z = np.where(some, -np.sign(z) * by_z / value, 0.0)
    by_variance = np.where(some, by_spread / value * by_spread_of, 0.0)
    return np.log(value / step), by_z, by_variance
