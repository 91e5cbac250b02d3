"""Priors as plain values: what a parameter is believed to be before the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm

from trustbayes.errors import suggestion

__all__ = ["FAMILIES", "Family", "Prior"]


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
    """

    support: str
    arguments: tuple[str, ...]
    location: str | None = None


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
}
"""The distributions that a prior may name."""


@dataclass(frozen=True, init=False)
class Prior:
    """A distribution by name, with numbers or further priors as its arguments.

    A subject-level prior whose location is itself a prior is a hierarchy: the subjects share a
    population that is estimated. With numbers only, the subjects are independent. A location
    given as a list holds one number for each treatment.

    Parameters
    ----------
    distribution : str
        One of: Normal(mu, sigma), StudentT(nu, mu, sigma), LogNormal(mu, sigma), Gamma(mean,
        shape), HalfNormal(sigma), Exponential(lam), LogitNormal(mu, sigma), Beta(alpha, beta),
        Dirichlet(a), ZeroSumNormal(sigma). LogNormal's mu and sigma are on the log scale,
        LogitNormal's on the logit scale, all others on the scale of the values.
    **arguments : float, sequence of float or Prior
        The distribution's arguments, all of them.

    Raises
    ------
    ValueError
        If the distribution or an argument is unknown (with a suggestion), an argument is
        missing, or one that must be positive may be otherwise.

    Examples
    --------
    >>> Prior("LogNormal", mu=Prior("Normal", mu=0, sigma=1), sigma=0.5)
    LogNormal(mu=Normal(mu=0, sigma=1), sigma=0.5)
    """

    distribution: str
    arguments: Mapping[str, Any]

    def __init__(self, distribution: str, **arguments: Any) -> None:
        if distribution not in FAMILIES:
            expected = suggestion(distribution, list(FAMILIES))
            raise ValueError(f"prior: found {distribution!r}, expected {expected}")
        needed = FAMILIES[distribution].arguments
        for name in arguments:
            if name not in needed:
                raise ValueError(
                    f"{distribution}: found argument {name!r}, expected {suggestion(name, needed)}"
                )
        missing = [name for name in needed if name not in arguments]
        if missing:
            raise ValueError(f"{distribution}: argument {', '.join(missing)} is missing")
        plain = {
            name: tuple(map(float, value)) if np.ndim(value) else value
            for name, value in arguments.items()
        }
        for name, value in plain.items():
            if name in _POSITIVE and not _is_positive(value):
                raise ValueError(
                    f"{distribution}: {name}: found {value}, expected a positive value"
                )
        object.__setattr__(self, "distribution", distribution)
        object.__setattr__(self, "arguments", plain)

    @property
    def family(self) -> Family:
        """What the package knows of the distribution."""
        return FAMILIES[self.distribution]

    @property
    def hierarchical(self) -> bool:
        """Whether subjects share a location that is estimated, or given for each treatment."""
        location = self.family.location
        return location is not None and isinstance(self.arguments[location], Prior | tuple)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe form that `from_dict` reads back."""
        return {
            "distribution": self.distribution,
            **{
                name: value.to_dict() if isinstance(value, Prior) else value
                for name, value in self.arguments.items()
            },
        }

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> Prior:
        """Read back what `to_dict` wrote.

        Examples
        --------
        >>> prior = Prior("Beta", alpha=2, beta=2)
        >>> Prior.from_dict(prior.to_dict()) == prior
        True
        """
        arguments = {
            name: cls.from_dict(value) if isinstance(value, Mapping) else value
            for name, value in form.items()
            if name != "distribution"
        }
        return cls(form["distribution"], **arguments)

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={_brief(value)}" for name, value in self.arguments.items())
        return f"{self.distribution}({inner})"

    def variable(self, name: str, dims: str | tuple[str, ...] | None = None) -> Any:
        """Add the prior to the PyMC model in context; arguments that are priors come first.

        Parameters
        ----------
        name : str
            Name of the variable; its arguments are called ``name_argument``.
        dims : str or tuple of str, optional

        Returns
        -------
        PyTensor variable
            On the natural scale.
        """
        given = {
            key: value.variable(f"{name}_{key}") if isinstance(value, Prior) else value
            for key, value in self.arguments.items()
        }
        if self.distribution == "Gamma":
            given = {"alpha": given["shape"], "beta": given["shape"] / given["mean"]}
        return getattr(pm, self.distribution)(name, **given, dims=dims)


_POSITIVE = {"sigma", "shape", "mean", "lam", "nu", "alpha", "beta", "a"}


def _is_positive(value: Any) -> bool:
    if isinstance(value, Prior):
        return value.family.support in ("positive", "unit")
    return bool((np.asarray(value, dtype=float) > 0).all())


def _brief(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(f"{v:g}" for v in value) + "]"
    return repr(value) if isinstance(value, Prior) else f"{value:g}"
