"""The families of distributions that a prior may name, each said once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

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
    polygamma,
    softmax,
    stdtr,
)

from trustbayes.priors.family import Family, Shape, Size, bounded_exp, functions_for
from trustbayes.priors.links import LOG, LOGIT

__all__ = ["FAMILIES"]


class _Normal(Family):
    def draw(self, rng: np.random.Generator, size: int, **arguments: Any) -> np.ndarray:
        return rng.normal(arguments["mu"], arguments["sigma"], size)


class _LogNormal(Family):
    def draw(self, rng: np.random.Generator, size: int, **arguments: Any) -> np.ndarray:
        return rng.lognormal(arguments["mu"], arguments["sigma"], size)


class _LogitNormal(Family):
    def draw(self, rng: np.random.Generator, size: int, **arguments: Any) -> np.ndarray:
        return np.asarray(expit(rng.normal(arguments["mu"], arguments["sigma"], size)))


class _ZeroSumNormal(Family):
    def middling(self, arguments: Mapping[str, Any]) -> float:
        return 0.0

    def draw(self, rng: np.random.Generator, size: int, **arguments: Any) -> np.ndarray:
        """One effect of very many: then the sum binds it no more."""
        return rng.normal(0, arguments["sigma"], size)


class _StudentT(Family):
    def moments(self, location: Any, shape: Shape) -> tuple[Any, Any]:
        nu = np.maximum(shape["nu"], 2.5)  # below, a broad value stands for none
        return location, shape["sigma"] ** 2 * nu / (nu - 2)

    def log_density(self, gap: Any, shape: Shape) -> Any:
        nu, sigma = shape["nu"], shape["sigma"]
        constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * math.pi)
        tail = np.log1p((gap / sigma) ** 2 / nu)
        return constant - np.log(sigma) - 0.5 * (nu + 1) * tail

    def slopes(self, gap: np.ndarray, shape: Shape) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        nu, sigma = shape["nu"], shape["sigma"]
        square = (gap / sigma) ** 2 / nu
        ratio = (nu + 1) * square / (1 + square)
        constant = digamma((nu + 1) / 2) - digamma(nu / 2) - 1 / nu
        by_nu = 0.5 * (constant - np.log1p(square) + ratio / nu)
        slope = -(nu + 1) * gap / (nu * sigma**2) / (1 + square)
        return slope, {"nu": by_nu, "sigma": (ratio - 1) / sigma}

    def tail(self, gap: np.ndarray, shape: Shape, upper: bool) -> np.ndarray:
        return np.asarray(stdtr(shape["nu"], (-gap if upper else gap) / shape["sigma"]))

    def draw_gaps(self, rng: np.random.Generator, size: Size, shape: Shape) -> np.ndarray:
        return np.asarray(shape["sigma"] * rng.standard_t(shape["nu"], size=size))

    def draw(self, rng: np.random.Generator, size: int, **arguments: Any) -> np.ndarray:
        mu, sigma = arguments["mu"], arguments["sigma"]
        return np.asarray(mu + sigma * rng.standard_t(arguments["nu"], size))

    def effect(
        self, name: str, location: Any, shape: Shape, shift: Any, centred: bool, dims: Any
    ) -> Any:
        import pymc as pm

        return pm.StudentT(f"{name}_own", mu=location, dims=dims, **shape) - location


class _Gamma(Family):
    """Its logarithm is that of the mean plus an effect; see also `log_density`."""

    @property
    def has_symbolic_density(self) -> bool:
        return True

    def moments(self, location: Any, shape: Shape) -> tuple[Any, Any]:
        k = shape["shape"]
        return location + (digamma(k) - np.log(k)), polygamma(1, k)

    def symbolic_moments(self, location: Any, shape: Shape) -> tuple[Any, Any]:
        k = shape["shape"]  # digamma and trigamma by their series
        return location - 1 / (2 * k) - 1 / (12 * k**2), 1 / k + 1 / (2 * k**2)

    def log_density(self, gap: Any, shape: Shape) -> Any:
        of, k = functions_for(gap), shape["shape"]
        return k * (gap - of.exp(gap)) + k * of.log(k) - of.gammaln(k)

    def slopes(self, gap: np.ndarray, shape: Shape) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        k, grown = shape["shape"], bounded_exp(gap)
        return k * (1 - grown), {"shape": gap - grown + (np.log(k) + 1 - digamma(k))}

    def tail(self, gap: np.ndarray, shape: Shape, upper: bool) -> np.ndarray:
        k = shape["shape"]
        return np.asarray((gammaincc if upper else gammainc)(k, k * bounded_exp(gap)))

    def draw_gaps(self, rng: np.random.Generator, size: Size, shape: Shape) -> np.ndarray:
        return _log_gamma(rng, size, shape["shape"]) - np.log(shape["shape"])

    def draw(self, rng: np.random.Generator, size: int, **arguments: Any) -> np.ndarray:
        shape = arguments["shape"]
        return rng.gamma(shape, arguments["mean"] / shape, size)

    def variable(self, name: str, arguments: Mapping[str, Any], dims: Any = None) -> Any:
        import pymc as pm

        k = arguments["shape"]
        return pm.Gamma(name, alpha=k, beta=k / arguments["mean"], dims=dims)

    def centred_values(self, name: str, location: Any, shape: Shape, dims: Any) -> Any:
        import pymc as pm
        import pytensor.tensor as pt

        k = shape["shape"]
        return pm.Gamma(name, alpha=k, beta=k * pt.exp(-location), dims=dims)

    def effect(
        self, name: str, location: Any, shape: Shape, shift: Any, centred: bool, dims: Any
    ) -> Any:
        import pymc as pm
        import pytensor.tensor as pt

        if centred:
            return pt.log(self.centred_values(f"{name}_own", location, shape, dims)) - location
        k = shape["shape"]
        return pt.log(pm.Gamma(f"{name}_offset", alpha=k, beta=k, dims=dims))


class _HalfNormal(Family):
    def middling(self, arguments: Mapping[str, Any]) -> float:
        return float(0.67 * arguments["sigma"])

    def moments(self, location: Any, shape: Shape) -> tuple[Any, Any]:
        mean = np.log(shape["sigma"]) + 0.5 * (digamma(0.5) + math.log(2))
        return location + mean, np.full_like(mean, math.pi**2 / 8)

    def log_density(self, gap: Any, shape: Shape) -> Any:
        sigma = shape["sigma"]
        square = (bounded_exp(gap) / sigma) ** 2
        return gap - 0.5 * square + 0.5 * np.log(2 / math.pi / sigma**2)

    def slopes(self, gap: np.ndarray, shape: Shape) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        square = (bounded_exp(gap) / shape["sigma"]) ** 2
        return 1 - square, {"sigma": (square - 1) / shape["sigma"]}

    def tail(self, gap: np.ndarray, shape: Shape, upper: bool) -> np.ndarray:
        scaled = bounded_exp(gap) / shape["sigma"] / math.sqrt(2)
        return np.asarray((erfc if upper else erf)(scaled))

    def draw_gaps(self, rng: np.random.Generator, size: Size, shape: Shape) -> np.ndarray:
        return np.asarray(np.log(shape["sigma"] * np.abs(rng.normal(size=size))))

    def draw(self, rng: np.random.Generator, size: int, **arguments: Any) -> np.ndarray:
        return np.abs(rng.normal(0, arguments["sigma"], size))


class _Exponential(Family):
    def middling(self, arguments: Mapping[str, Any]) -> float:
        return float(np.log(2) / arguments["lam"])

    def moments(self, location: Any, shape: Shape) -> tuple[Any, Any]:
        mean = digamma(1.0) - np.log(shape["lam"])
        return location + mean, np.full_like(mean, math.pi**2 / 6)

    def log_density(self, gap: Any, shape: Shape) -> Any:
        return gap - shape["lam"] * bounded_exp(gap) + np.log(shape["lam"])

    def slopes(self, gap: np.ndarray, shape: Shape) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        grown = shape["lam"] * bounded_exp(gap)
        return 1 - grown, {"lam": (1 - grown) / shape["lam"]}

    def tail(self, gap: np.ndarray, shape: Shape, upper: bool) -> np.ndarray:
        grown = shape["lam"] * bounded_exp(gap)
        return np.asarray(np.exp(-grown) if upper else -np.expm1(-grown))

    def draw_gaps(self, rng: np.random.Generator, size: Size, shape: Shape) -> np.ndarray:
        return np.asarray(np.log(rng.exponential(size=size) / shape["lam"]))

    def draw(self, rng: np.random.Generator, size: int, **arguments: Any) -> np.ndarray:
        return rng.exponential(1 / arguments["lam"], size)


class _Beta(Family):
    def middling(self, arguments: Mapping[str, Any]) -> float:
        return float(arguments["alpha"] / (arguments["alpha"] + arguments["beta"]))

    def moments(self, location: Any, shape: Shape) -> tuple[Any, Any]:
        a, b = shape["alpha"], shape["beta"]
        return location + (digamma(a) - digamma(b)), polygamma(1, a) + polygamma(1, b)

    def log_density(self, gap: Any, shape: Shape) -> Any:
        a, b = shape["alpha"], shape["beta"]
        return a * gap - (a + b) * np.logaddexp(0, gap) - betaln(a, b)

    def slopes(self, gap: np.ndarray, shape: Shape) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        a, b = shape["alpha"], shape["beta"]
        high, low = -np.logaddexp(0, -gap), -np.logaddexp(0, gap)
        both = digamma(a + b)
        by_argument = {"alpha": high - digamma(a) + both, "beta": low - digamma(b) + both}
        return a - (a + b) * expit(gap), by_argument

    def tail(self, gap: np.ndarray, shape: Shape, upper: bool) -> np.ndarray:
        a, b = shape["alpha"], shape["beta"]
        return np.asarray(betainc(b, a, expit(-gap)) if upper else betainc(a, b, expit(gap)))

    def draw_gaps(self, rng: np.random.Generator, size: Size, shape: Shape) -> np.ndarray:
        high, low = (_log_gamma(rng, size, shape[name]) for name in ("alpha", "beta"))
        return high - low

    def draw(self, rng: np.random.Generator, size: int, **arguments: Any) -> np.ndarray:
        return rng.beta(arguments["alpha"], arguments["beta"], size)


class _Dirichlet(Family):
    def draw_shares(
        self, rng: np.random.Generator, size: int, count: int, **arguments: Any
    ) -> np.ndarray:
        return rng.dirichlet(arguments["a"] * np.ones(count), size)

    def shares_variable(self, name: str, size: int, arguments: Mapping[str, Any]) -> Any:
        import pymc as pm

        return pm.Dirichlet(f"{name}_share", a=arguments["a"] * np.ones(size), dims=name)


class _TruncatedPoisson(Family):
    def draw_shares(
        self, rng: np.random.Generator, size: int, count: int, **arguments: Any
    ) -> np.ndarray:
        level = np.arange(count)
        logs = level * np.log(np.broadcast_to(arguments["tau"], (size,)))[:, None]
        return np.asarray(softmax(logs - gammaln(level + 1.0), axis=1))

    def shares_variable(self, name: str, size: int, arguments: Mapping[str, Any]) -> Any:
        import pymc as pm
        import pytensor.tensor as pt

        level = np.arange(size)
        tau = pt.as_tensor(arguments["tau"], dtype="float64")
        shares = pt.special.softmax(level * pt.log(tau) - gammaln(level + 1.0))
        return pm.Deterministic(f"{name}_share", shares, dims=name)


class _Fixed(Family):
    def draw_shares(
        self, rng: np.random.Generator, size: int, count: int, **arguments: Any
    ) -> np.ndarray:
        shares = arguments["shares"]
        return np.tile(np.asarray(shares) / sum(shares), (size, 1))

    def shares_variable(self, name: str, size: int, arguments: Mapping[str, Any]) -> Any:
        import pymc as pm
        import pytensor.tensor as pt

        shares = pt.as_tensor(np.array(arguments["shares"]) / sum(arguments["shares"]))
        return pm.Deterministic(f"{name}_share", shares, dims=name)


def _log_gamma(rng: np.random.Generator, size: Size, shape: Any) -> np.ndarray:
    """Logs of gamma draws: those of small shape are too near zero to be drawn as they are."""
    uniform = 1 - rng.random(size)
    return np.asarray(np.log(rng.gamma(np.asarray(shape) + 1, size=size)) + np.log(uniform) / shape)


_MU_SIGMA = ("mu", "sigma")
FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        _Normal("Normal", "real", _MU_SIGMA, "mu", normal=True),
        _StudentT("StudentT", "real", ("nu", *_MU_SIGMA), "mu", effect_name="StudentT"),
        _LogNormal("LogNormal", "positive", _MU_SIGMA, "mu", LOG, normal=True),
        _Gamma(
            "Gamma", "positive", ("mean", "shape"), "mean", LOG,
            natural_location=True, effect_name="Gamma",
        ),
        _HalfNormal("HalfNormal", "positive", ("sigma",), link=LOG),
        _Exponential("Exponential", "positive", ("lam",), link=LOG),
        _LogitNormal("LogitNormal", "unit", _MU_SIGMA, "mu", LOGIT, normal=True),
        _Beta("Beta", "unit", ("alpha", "beta"), link=LOGIT),
        _ZeroSumNormal("ZeroSumNormal", "real", ("sigma",), normal=True, zero_sum=True),
        _Dirichlet("Dirichlet", "simplex", ("a",)),
        _TruncatedPoisson("TruncatedPoisson", "simplex", ("tau",), ordered=True, estimated=False),
        _Fixed("Fixed", "simplex", ("shares",), estimated=False),
    )
}  # fmt: skip
"""The distributions that a prior may name."""
