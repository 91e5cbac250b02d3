"""The families of distributions, each said once: what a prior may name, and what is known of it.

Of a population of subjects a family knows its link, and on the scale of the link its moments and
its log density; of any prior its draws in NumPy, its variable in PyMC, and its words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.special import betaln, digamma, expit, gammaln, polygamma, softmax

from trustbayes.priors.links import IDENTITY, LOG, LOGIT, Link

__all__ = ["FAMILIES", "Family"]

_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)

Shape = Mapping[str, Any]
"""The arguments of a population other than its location: numbers, arrays or PyTensor variables."""


@dataclass(frozen=True)
class Family:
    """A distribution that a prior may name.

    Parameters
    ----------
    name : str
    support : {"real", "positive", "unit", "simplex"}
        Where its values lie.
    arguments : tuple of str
        The arguments it needs.
    location : str or None
        The argument that places a population of subjects and may differ by treatment.
    link : Link
        The scale on which a population's effects add up.
    natural_location : bool
        Whether the location is given on the natural scale, not on that of the link.
    normal : bool
        Whether values are normal on the scale of the link.
    zero_sum : bool
        Whether values are tied to add up to zero, so that none can be drawn alone.
    ordered : bool
        Whether it is of shares that come in an order, as levels of thinking do.
    estimated : bool
        False of shares that are known, or that follow from the arguments.
    effect_name : str
        The family of subjects' effects about the location.
    """

    name: str
    support: str
    arguments: tuple[str, ...]
    location: str | None = None
    link: Link = IDENTITY
    natural_location: bool = False
    normal: bool = False
    zero_sum: bool = False
    ordered: bool = False
    estimated: bool = True
    effect_name: str = "Normal"

    # Words

    @property
    def scale(self) -> str:
        """Words for the scale on which location and spread stand.

        Examples
        --------
        >>> FAMILIES["LogNormal"].scale, FAMILIES["Gamma"].scale
        ('link (log)', 'natural')
        """
        located = self.location is not None and not self.natural_location
        return self.link.scale if located else "natural"

    @property
    def inverse_name(self) -> str:
        """What is done to a location to have a value; empty if nothing is."""
        return "" if self.natural_location else self.link.inverse_name

    @property
    def no_effect(self) -> str:
        """Location of effects: they multiply a natural location, and add to another."""
        return "1" if self.natural_location else "0"

    # Numbers

    @property
    def has_symbolic_density(self) -> bool:
        """Whether `log_density` and `symbolic_moments` take PyTensor variables."""
        return self.normal

    def middling(self, arguments: Mapping[str, Any]) -> float:
        """A middling value, given numbers for the arguments."""
        location = arguments[str(self.location)]
        return float(location if self.natural_location else self.link.inverse(location))

    def linked_location(self, location: Any) -> Any:
        """A location on the scale of the link, NumPy or PyTensor."""
        return _functions(location).log(location) if self.natural_location else location

    def natural_location_of(self, linked: Any) -> Any:
        """The location argument, from a location on the scale of the link, in NumPy."""
        return self.link.inverse(linked) if self.natural_location else linked

    def moments(self, location: Any, shape: Shape) -> tuple[Any, Any]:
        """Mean and variance on the scale of the link, in NumPy; the location stands there, too."""
        return location, shape["sigma"] ** 2

    def symbolic_moments(self, location: Any, shape: Shape) -> tuple[Any, Any]:
        """As `moments` in PyTensor, or nearly so where that is far quicker."""
        return self.moments(location, shape)

    def log_density(self, gap: Any, shape: Shape) -> Any:
        """Log density on the scale of the link, NumPy or PyTensor.

        Parameters
        ----------
        gap : array
            Values on the scale of the link, less their location there.
        shape : mapping of str to array
        """
        sigma = shape["sigma"]
        return -0.5 * (gap / sigma) ** 2 - _functions(gap).log(sigma) - _HALF_LOG_2_PI

    def draw(self, rng: np.random.Generator, size: int, **arguments: Any) -> np.ndarray:
        """Draws of shape (size,), the arguments being numbers or arrays of that shape."""
        raise NotImplementedError

    def draw_shares(
        self, rng: np.random.Generator, size: int, count: int, **arguments: Any
    ) -> np.ndarray:
        """Draws of all shares, shape (size, count)."""
        raise NotImplementedError

    # PyMC variables

    def variable(self, name: str, arguments: Mapping[str, Any], dims: Any = None) -> Any:
        """Add values to the PyMC model in context."""
        import pymc as pm

        return getattr(pm, self.name)(name, **arguments, dims=dims)

    def centred_values(self, name: str, location: Any, shape: Shape, dims: Any) -> Any:
        """Add subjects' natural values, where these are what the sampler can work with.

        None where it works with values on the scale of the link, see `effect`.
        """
        return None

    def effect(
        self, name: str, location: Any, shape: Shape, shift: Any, centred: bool, dims: Any
    ) -> Any:
        """Add subjects' effects on the scale of the link to the PyMC model in context.

        Parameters
        ----------
        name : str
            Of the parameter.
        location : PyTensor variable
            On the scale of the link.
        shape : mapping of str to PyTensor variable or float
        shift : PyTensor variable or float
            Moves what the sampler works with in the centred form, not the prior.
        centred : bool
            Whether the sampler works with the values ``name_own``, else ``name_offset``.
        dims : tuple of str
        """
        import pymc as pm

        if centred:
            values = pm.Normal(f"{name}_own", mu=location + shift, sigma=shape["sigma"], dims=dims)
            return values - shift - location
        return shape["sigma"] * pm.Normal(f"{name}_offset", dims=dims)

    def shares_variable(self, name: str, size: int, arguments: Mapping[str, Any]) -> Any:
        """Add shares, shape (size,), to the PyMC model in context; ``name`` is the dimension's."""
        raise NotImplementedError


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
        of, k = _functions(gap), shape["shape"]
        return k * (gap - of.exp(gap)) + k * of.log(k) - of.gammaln(k)

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
        square = (_bounded_exp(gap) / sigma) ** 2
        return gap - 0.5 * square + 0.5 * np.log(2 / math.pi / sigma**2)

    def draw(self, rng: np.random.Generator, size: int, **arguments: Any) -> np.ndarray:
        return np.abs(rng.normal(0, arguments["sigma"], size))


class _Exponential(Family):
    def middling(self, arguments: Mapping[str, Any]) -> float:
        return float(np.log(2) / arguments["lam"])

    def moments(self, location: Any, shape: Shape) -> tuple[Any, Any]:
        mean = digamma(1.0) - np.log(shape["lam"])
        return location + mean, np.full_like(mean, math.pi**2 / 6)

    def log_density(self, gap: Any, shape: Shape) -> Any:
        return gap - shape["lam"] * _bounded_exp(gap) + np.log(shape["lam"])

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


def _bounded_exp(values: np.ndarray) -> np.ndarray:
    """Exp, or a number as good as infinite whose square is none."""
    return np.exp(np.minimum(values, 300.0))


_NUMPY = SimpleNamespace(exp=_bounded_exp, log=np.log, gammaln=gammaln)


def _functions(values: Any) -> Any:
    """What works out such values, PyTensor's functions if they are symbolic, else NumPy's."""
    return _NUMPY if isinstance(values, np.ndarray | np.generic | float | int) else _symbolic()


@cache
def _symbolic() -> Any:
    import pytensor.tensor as pt

    return pt


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
