"""Draws from priors in NumPy, without a PyMC model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.special import expit, gammaln, softmax

__all__ = ["SHARES", "VALUES"]

Draw = Callable[..., np.ndarray]

VALUES: Mapping[str, Draw] = {
    "Normal": lambda rng, size, mu, sigma: rng.normal(mu, sigma, size),
    "StudentT": lambda rng, size, nu, mu, sigma: mu + sigma * rng.standard_t(nu, size),
    "LogNormal": lambda rng, size, mu, sigma: rng.lognormal(mu, sigma, size),
    "Gamma": lambda rng, size, mean, shape: rng.gamma(shape, mean / shape, size),
    "HalfNormal": lambda rng, size, sigma: np.abs(rng.normal(0, sigma, size)),
    "Exponential": lambda rng, size, lam: rng.exponential(1 / lam, size),
    "LogitNormal": lambda rng, size, mu, sigma: expit(rng.normal(mu, sigma, size)),
    "Beta": lambda rng, size, alpha, beta: rng.beta(alpha, beta, size),
    "ZeroSumNormal": lambda rng, size, sigma: rng.normal(0, sigma, size),
}
"""By distribution, draws of shape (size,) from its arguments, numbers or arrays of that shape.

Of ZeroSumNormal one effect of very many: then the sum binds it no more.
"""


def _poisson(rng: np.random.Generator, size: int, count: int, tau: Any) -> np.ndarray:
    level = np.arange(count)
    logs = level * np.log(np.broadcast_to(tau, (size,)))[:, None] - gammaln(level + 1.0)
    return np.asarray(softmax(logs, axis=1))


def _fixed(rng: np.random.Generator, size: int, count: int, shares: Any) -> np.ndarray:
    return np.tile(np.asarray(shares) / sum(shares), (size, 1))


def _dirichlet(rng: np.random.Generator, size: int, count: int, a: Any) -> np.ndarray:
    return rng.dirichlet(a * np.ones(count), size)


SHARES: Mapping[str, Draw] = {
    "Dirichlet": _dirichlet,
    "TruncatedPoisson": _poisson,
    "Fixed": _fixed,
}
"""By distribution, draws of all shares, of shape (size, count)."""
