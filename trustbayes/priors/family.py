"""What a family of distributions is: all that is known of one that a prior may name.

Of a population of subjects a family knows its link, and on the scale of the link its moments and
its log density, slopes, tails and draws; of any prior its draws in NumPy, its variable in PyMC,
and its words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.special import gammaln, log_ndtr

from trustbayes.priors.links import IDENTITY, Link

__all__ = ["Family", "Shape", "Size", "bounded_exp", "functions_for"]

_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)
_FLOOR = 1e-300
_STEP = 1e-5  # of differences of tails, relative to the argument

Shape = Mapping[str, Any]
"""The arguments of a population other than its location: numbers, arrays or PyTensor variables."""
Size = int | tuple[int, ...]


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
        >>> from trustbayes.priors.families import FAMILIES
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
        return functions_for(location).log(location) if self.natural_location else location

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
        return -0.5 * (gap / sigma) ** 2 - functions_for(gap).log(sigma) - _HALF_LOG_2_PI

    def slopes(self, gap: np.ndarray, shape: Shape) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Slopes of `log_density` in the gap, and by argument, in NumPy.

        Returns
        -------
        slope : array, of the shape of the gap
            That in the location is its negative.
        slopes : dict of str to array
            By argument.

        Examples
        --------
        >>> from trustbayes.priors.families import FAMILIES
        >>> FAMILIES["Normal"].slopes(np.array([1.0, 2.0]), {"sigma": 1.0})
        (array([-1., -2.]), {'sigma': array([0., 3.])})
        """
        z = gap / shape["sigma"]
        return -z / shape["sigma"], {"sigma": (z * z - 1) / shape["sigma"]}

    def tail(self, gap: np.ndarray, shape: Shape, upper: bool) -> np.ndarray:
        """Probability of values below some gap, or above it, in NumPy."""
        return np.exp(log_ndtr((-gap if upper else gap) / shape["sigma"]))

    def log_tail(self, gap: np.ndarray, shape: Shape, upper: bool) -> np.ndarray:
        """Logarithm of `tail`.

        Examples
        --------
        >>> from trustbayes.priors.families import FAMILIES
        >>> FAMILIES["Gamma"].log_tail(np.array([-50.0]), {"shape": 0.1}, upper=False).round(3)
        array([-5.18])
        """
        if self.normal:
            return np.asarray(log_ndtr((-gap if upper else gap) / shape["sigma"]))
        return np.log(np.maximum(self.tail(gap, shape, upper), _FLOOR))

    def tail_slopes(
        self, gap: np.ndarray, shape: Shape, upper: bool
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Slopes of `log_tail` in the gap, and by argument (by differences), as `slopes`."""
        logs = self.log_tail(gap, shape, upper)
        some = logs > math.log(_FLOOR) + 1
        ratio = np.exp(np.minimum(self.log_density(gap, shape) - logs, 300.0))
        slope = np.where(some, ratio, 0.0) * (-1 if upper else 1)
        if self.normal:
            return slope, {"sigma": -slope * gap / shape["sigma"]}
        slopes = {}
        for name, value in shape.items():
            step = _STEP * value
            high, low = (
                self.tail(gap, {**shape, name: value + sign * step}, upper) for sign in (1, -1)
            )
            slopes[name] = np.where(some, (high - low) / (2 * step) / np.exp(logs), 0.0)
        return slope, slopes

    def draw_gaps(self, rng: np.random.Generator, size: Size, shape: Shape) -> np.ndarray:
        """Draws on the scale of the link, less the location; arguments broadcast to the size."""
        return np.asarray(shape["sigma"] * rng.normal(size=size))

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


def bounded_exp(values: np.ndarray) -> np.ndarray:
    """Exp, or a number as good as infinite whose square is none."""
    return np.exp(np.minimum(values, 300.0))


_NUMPY = SimpleNamespace(exp=bounded_exp, log=np.log, gammaln=gammaln)


def functions_for(values: Any) -> Any:
    """What works out such values, PyTensor's functions if they are symbolic, else NumPy's."""
    return _NUMPY if isinstance(values, np.ndarray | np.generic | float | int) else _symbolic()


@cache
def _symbolic() -> Any:
    import pytensor.tensor as pt

    return pt
