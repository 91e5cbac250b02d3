"""The families of distributions of populations: support, link, words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

__all__ = ["FAMILIES", "LINKS", "Family", "Link", "logit_normal_mean"]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(31)


@dataclass(frozen=True)
class Link:
    """How the location of a population enters its subjects' values.

    Parameters
    ----------
    forward, inverse : callable
        From the natural scale to the one on which effects add up, and back; both take NumPy
        arrays.
    symbolic : callable
        The inverse for PyTensor variables.
    location_forward : bool
        Whether the location argument is itself on the natural scale.
    """

    forward: Any
    inverse: Any
    symbolic: Any
    location_forward: bool = False


def _logit(values: np.ndarray) -> np.ndarray:
    return np.log(values) - np.log1p(-values)


def _expit(values: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * values))


def _same(values: Any) -> Any:
    return values


LINKS: dict[str, Link] = {
    "Normal": Link(_same, _same, _same),
    "StudentT": Link(_same, _same, _same),
    "LogNormal": Link(np.log, np.exp, pt.exp),
    "LogitNormal": Link(_logit, _expit, pm.math.sigmoid),
    "Gamma": Link(np.log, np.exp, pt.exp, location_forward=True),
}
"""For every distribution that has a location."""


def logit_normal_mean(location: Any, spread: Any, inverse_logit: Any = _expit) -> Any:
    """Mean of logit-normal populations, by quadrature with 31 nodes.

    Parameters
    ----------
    location, spread : array
        Of the populations, on the logit scale; shapes that broadcast, NumPy or PyTensor.
    inverse_logit : callable
        For such arrays, see `Link`; default: for NumPy.

    Returns
    -------
    array
        Between 0 and 1.

    Examples
    --------
    >>> logit_normal_mean(np.array([0.0, 1.0]), 1.0).round(4)
    array([0.5   , 0.6967])
    """
    location, spread = location + 0 * spread, spread + 0 * location
    values = inverse_logit(location[..., None] + spread[..., None] * _NODES)
    return (values * (_WEIGHTS / _WEIGHTS.sum())).sum(axis=-1)


@dataclass(frozen=True)
class Family:
    """A distribution that a prior may name.

    Parameters
    ----------
    support : {"real", "positive", "unit", "simplex"}
        Where its values lie.
    arguments : tuple of str
        The arguments it needs.
    location : str or None
        The argument that places a population of subjects and may differ by treatment.
    ordered : bool
        Whether it is of shares that come in an order, as levels of thinking do.
    """

    support: str
    arguments: tuple[str, ...]
    location: str | None = None
    ordered: bool = False


FAMILIES: dict[str, Family] = {
    "Normal": Family("real", ("mu", "sigma"), "mu"),
    "StudentT": Family("real", ("nu", "mu", "sigma"), "mu"),
    "LogNormal": Family("positive", ("mu", "sigma"), "mu"),
    "Gamma": Family("positive", ("mean", "shape"), "mean"),
    "HalfNormal": Family("positive", ("sigma",)),
    "Exponential": Family("positive", ("lam",)),
    "LogitNormal": Family("unit", ("mu", "sigma"), "mu"),
    "Beta": Family("unit", ("alpha", "beta")),
    "ZeroSumNormal": Family("real", ("sigma",)),
    "Dirichlet": Family("simplex", ("a",)),
    "TruncatedPoisson": Family("simplex", ("tau",), ordered=True),
    "Fixed": Family("simplex", ("shares",)),
}
"""The distributions that a prior may name."""
