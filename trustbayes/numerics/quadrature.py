"""Rules for integrals over a subject's effects: where to evaluate, and with what weight."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import gammaln, ndtri
from scipy.stats import chi2, qmc

__all__ = ["Rule", "cloud", "lattice", "point"]

_STRETCH = 0.4
_FREEDOM = 8.0
_SETS = 32
_GROUPS = 8
_INFLATION = 1.15


@dataclass(frozen=True, eq=False)
class Rule:
    r"""Nodes and weights: :math:`\int f(t)\,dt \approx \sum_q \exp(w_q) f(t_q)`.

    Each group of nodes is a coarser rule of its own; the whole rule is the mean of the groups, and
    how far they lie apart measures the error.

    Parameters
    ----------
    nodes : array, shape (sets, nodes, width)
        Several sets for rules that are random: draws take them in turn.
    log_weights : array, shape (sets, nodes)
    groups : array, shape (groups, nodes), of bool
        Every node is in one group.
    edge : array, shape (nodes,), of bool
        The outermost nodes: what lies there bounds what lies beyond.
    """

    nodes: np.ndarray
    log_weights: np.ndarray
    groups: np.ndarray
    edge: np.ndarray


def point() -> Rule:
    """The rule for no dimension: there is nothing to integrate."""
    return Rule(np.zeros((1, 1, 0)), np.zeros((1, 1)), np.ones((1, 1), bool), np.zeros(1, bool))


@cache
def lattice(width: int, step: float, radius: float) -> Rule:
    """A trapezoidal rule within a ball, whose arms reach further out than they are dense.

    The nodes are sinh(0.4 t) / 0.4 of an even lattice t, so that nodes are a step apart in the
    middle and tails far heavier than a normal's are still covered. For smooth functions that
    vanish at both ends the error falls faster than any power of the step (Trefethen and Weideman
    2014, SIAM Review 56(3)). Every second node in each dimension forms a group, two to the power of
    the width in all, so that structure too narrow in any one dimension sets the groups apart.

    Parameters
    ----------
    width : int
        Number of dimensions, from 1.
    step, radius : float

    Returns
    -------
    Rule
    """
    most = int(radius / step)
    line = np.arange(-most, most + 1)
    whole = np.stack(np.meshgrid(*[line] * width, indexing="ij"), axis=-1).reshape(-1, width)
    length = step * np.sqrt((whole**2).sum(axis=1))
    whole, length = whole[length <= radius], length[length <= radius]
    coset = (whole % 2) @ 2 ** np.arange(width)
    groups = coset == np.arange(2**width)[:, None]
    nodes = np.sinh(_STRETCH * step * whole) / _STRETCH
    logs = np.log(np.cosh(_STRETCH * step * whole)).sum(axis=1) + width * math.log(step)
    return Rule(nodes[None], logs[None], groups, length > radius - 1)


@cache
def cloud(width: int, size: int) -> Rule:
    """Importance sampling from a multivariate Student's t at randomised Sobol points.

    Eight groups, each with scrambling of its own (Owen 1997, Annals of Statistics 25(4)); their
    spread is the standard error.

    Parameters
    ----------
    width : int
        Number of dimensions.
    size : int
        Number of nodes: eight times a power of two.

    Returns
    -------
    Rule
    """
    rng = np.random.default_rng([width, size])
    uniform = np.concatenate(
        [qmc.Sobol(width + 1, rng=rng).random(size // _GROUPS) for _ in range(_SETS * _GROUPS)]
    ).reshape(_SETS, size, width + 1)
    uniform = np.clip(uniform, 1e-12, 1 - 1e-12)
    spread = np.sqrt(_FREEDOM / chi2.ppf(uniform[..., :1], _FREEDOM))
    nodes = ndtri(uniform[..., 1:]) * spread
    logs = (
        gammaln((_FREEDOM + width) / 2)
        - gammaln(_FREEDOM / 2)
        - 0.5 * width * math.log(_FREEDOM * math.pi)
        - 0.5 * (_FREEDOM + width) * np.log1p((nodes**2).sum(axis=-1) / _FREEDOM)
        - width * math.log(_INFLATION)
    )
    groups = np.repeat(np.eye(_GROUPS, dtype=bool), size // _GROUPS, axis=1)
    return Rule(_INFLATION * nodes, -logs - math.log(size), groups, np.zeros(size, bool))
