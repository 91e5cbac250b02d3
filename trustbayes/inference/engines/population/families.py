"""Population families on the scale of the link: log density, its slopes, tails and draws.

A subject's value is, on the scale of the link, a location plus her effect; all functions take the
effect ("gap") and the family's other arguments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy.special import (
    betainc,
    betaln,
    digamma,
    erf,
    erfc,
    expit,
    gammainc,
    gammaincc,
    gammaln,
    log_ndtr,
    stdtr,
)

__all__ = ["LINK_FAMILY", "draw", "log_density", "log_tail"]

LINK_FAMILY = {
    "Normal": "Normal",
    "LogNormal": "LogNormal",
    "LogitNormal": "LogitNormal",
    "StudentT": "StudentT",
    "Gamma": "Gamma",
    "ZeroSumNormal": "Normal",
    "HalfNormal": "LogNormal",
    "Exponential": "LogNormal",
    "Beta": "LogitNormal",
}
"""For each family the one of `trustbayes.priors.families.LINKS` whose link it has."""

_NORMAL = ("Normal", "LogNormal", "LogitNormal", "ZeroSumNormal")
_FLOOR = 1e-300
_STEP = 1e-5  # of differences of log tails, relative to the argument


def log_density(
    family: str, gap: np.ndarray, shape: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Log density of effects, and its slopes.

    Parameters
    ----------
    family : str
        See `trustbayes.priors.prior.Prior`.
    gap : array
        Effects on the scale of the link.
    shape : mapping of str to float
        The family's arguments other than the location.

    Returns
    -------
    logs, slope : array, of the shape of the gap
        The slope is that in the gap: less the one in the location.
    slopes : dict of str to array
        By argument.

    Examples
    --------
    >>> logs, slope, slopes = log_density("Normal", np.array([0.0, 1.0]), {"sigma": 1.0})
    >>> logs.round(3), slope
    (array([-0.919, -1.419]), array([-0., -1.]))
    """
    if family in _NORMAL:
        sigma = shape["sigma"]
        z = gap / sigma
        square = z * z
        logs = -0.5 * square - (math.log(sigma) + 0.5 * math.log(2 * math.pi))
        return logs, -z / sigma, {"sigma": (square - 1) / sigma}
    if family == "Gamma":
        k = shape["shape"]
        grown = _exp(gap)
        logs = k * (gap - grown) + (k * math.log(k) - gammaln(k))
        return logs, k * (1 - grown), {"shape": gap - grown + (math.log(k) + 1 - digamma(k))}
    if family == "StudentT":
        nu, sigma = shape["nu"], shape["sigma"]
        square = (gap / sigma) ** 2 / nu
        tail = np.log1p(square)
        constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * math.log(nu * math.pi)
        ratio = (nu + 1) * square / (1 + square)
        by_nu = 0.5 * (digamma((nu + 1) / 2) - digamma(nu / 2) - 1 / nu - tail + ratio / nu)
        return (
            constant - math.log(sigma) - 0.5 * (nu + 1) * tail,
            -(nu + 1) * gap / (nu * sigma**2) / (1 + square),
            {"nu": by_nu, "sigma": (ratio - 1) / sigma},
        )
    if family == "Beta":
        a, b = shape["alpha"], shape["beta"]
        high, low = -np.logaddexp(0, -gap), -np.logaddexp(0, gap)
        both = digamma(a + b)
        return (
            a * high + b * low - betaln(a, b),
            a - (a + b) * expit(gap),
            {"alpha": high - digamma(a) + both, "beta": low - digamma(b) + both},
        )
    if family == "HalfNormal":
        sigma = shape["sigma"]
        square = (_exp(gap) / sigma) ** 2
        logs = gap - 0.5 * square + 0.5 * math.log(2 / math.pi / sigma**2)
        return logs, 1 - square, {"sigma": (square - 1) / sigma}
    if family == "Exponential":
        rate = shape["lam"]
        grown = rate * _exp(gap)
        return gap - grown + math.log(rate), 1 - grown, {"lam": (1 - grown) / rate}
    raise ValueError(f"family: found {family!r}, expected one of {', '.join(LINK_FAMILY)}")


def log_tail(
    family: str, gap: np.ndarray, shape: Mapping[str, float], upper: bool
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Log probability of effects below, or above, some value, and its slopes.

    Parameters
    ----------
    family, gap, shape
        As for `log_density`.
    upper : bool
        Whether of the effects above.

    Returns
    -------
    logs, slope : array, of the shape of the gap
    slopes : dict of str to array
        By argument; from differences.

    Examples
    --------
    >>> log_tail("Gamma", np.array([-50.0]), {"shape": 0.1}, upper=False)[0].round(3)
    array([-5.18])
    """
    logs = np.log(np.maximum(_tail(family, gap, shape, upper), _FLOOR))
    if family in _NORMAL:
        logs = log_ndtr((-gap if upper else gap) / shape["sigma"])
    density = log_density(family, gap, shape)[0]
    some = logs > math.log(_FLOOR) + 1
    slope = np.where(some, np.exp(np.minimum(density - logs, 300.0)), 0.0) * (-1 if upper else 1)
    slopes = {}
    for name, value in shape.items():
        step = _STEP * value
        if family in _NORMAL:
            slopes[name] = -slope * gap / value
            continue
        high, low = (
            _tail(family, gap, {**shape, name: value + sign * step}, upper) for sign in (1, -1)
        )
        slopes[name] = np.where(some, (high - low) / (2 * step) / np.exp(logs), 0.0)
    return logs, slope, slopes


def draw(
    family: str, shape: Mapping[str, np.ndarray], size: tuple[int, ...], rng: np.random.Generator
) -> np.ndarray:
    """Draw effects on the scale of the link.

    Parameters
    ----------
    family : str
    shape : mapping of str to array
        Arguments, which broadcast to the size.
    size : tuple of int
    rng : numpy.random.Generator

    Returns
    -------
    array
    """
    if family in _NORMAL:
        return np.asarray(shape["sigma"] * rng.normal(size=size))
    if family == "StudentT":
        return np.asarray(shape["sigma"] * rng.standard_t(shape["nu"], size=size))
    if family == "Gamma":
        return _log_gamma(shape["shape"], size, rng) - np.log(shape["shape"])
    if family == "Beta":
        high, low = (_log_gamma(shape[name], size, rng) for name in ("alpha", "beta"))
        return high - low
    if family == "HalfNormal":
        return np.log(shape["sigma"] * np.abs(rng.normal(size=size)))
    return np.log(rng.exponential(size=size) / shape["lam"])


def _log_gamma(shape: np.ndarray, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Logs of gamma draws: those of small shape are too near zero to be drawn as they are."""
    uniform = 1 - rng.random(size)
    return np.asarray(np.log(rng.gamma(np.asarray(shape) + 1, size=size)) + np.log(uniform) / shape)


def _tail(family: str, gap: np.ndarray, shape: Mapping[str, float], upper: bool) -> np.ndarray:
    """Probability of effects below, or above."""
    if family in _NORMAL:
        return np.exp(log_ndtr((-gap if upper else gap) / shape["sigma"]))
    if family == "Gamma":
        k = shape["shape"]
        return np.asarray((gammaincc if upper else gammainc)(k, k * _exp(gap)))
    if family == "StudentT":
        return np.asarray(stdtr(shape["nu"], (-gap if upper else gap) / shape["sigma"]))
    if family == "Beta":
        a, b = shape["alpha"], shape["beta"]
        return np.asarray(betainc(b, a, expit(-gap)) if upper else betainc(a, b, expit(gap)))
    if family == "HalfNormal":
        scaled = _exp(gap) / shape["sigma"] / math.sqrt(2)
        return np.asarray((erfc if upper else erf)(scaled))
    grown = shape["lam"] * _exp(gap)
    return np.exp(-grown) if upper else -np.expm1(-grown)


def _exp(values: np.ndarray) -> np.ndarray:
    """Exp, or a number as good as infinite whose square is none."""
    return np.exp(np.minimum(values, 300.0))
