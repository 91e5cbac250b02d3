"""Priors as plain values: what a parameter is believed to be before the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trustbayes.errors import suggestion
from trustbayes.numerics.plain import as_plain
from trustbayes.priors.families import FAMILIES
from trustbayes.priors.family import Family
from trustbayes.priors.preliz import form_of, is_elicited

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Prior", "prior_centre", "typical"]


def prior_centre(prior: Prior) -> float:
    """Where the hyperprior of a population's location stands, on the scale of the link."""
    hyper = prior.arguments[str(prior.family.location)]
    if isinstance(hyper, tuple):
        return float(np.mean(prior.family.linked_location(np.array(hyper))))
    return float(prior.family.linked_location(typical(hyper)))


def typical(prior: Prior | float) -> float:
    """A middling value of a prior, its own arguments being at theirs; a number as it is."""
    if not isinstance(prior, Prior):
        return float(prior)
    return prior.family.middling(
        {
            name: typical(value) if isinstance(value, Prior) else value
            for name, value in prior.arguments.items()
        }
    )


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
        ZeroSumNormal(sigma); and for shares Dirichlet(a), TruncatedPoisson(tau), Fixed(shares).
        LogNormal's mu and sigma are on the log scale, LogitNormal's on the logit scale, all
        others on the scale of the values.
    **arguments : float, sequence of float, Prior or PreliZ distribution
        The distribution's arguments, all of them.

    Raises
    ------
    ValueError
        If the distribution or an argument is unknown (with a suggestion), an argument is
        missing, one that must be positive may be otherwise, or fixed shares do not add up to 1.

    Notes
    -----
    Priors of shares: Dirichlet takes one weight for all or a list of them. TruncatedPoisson is
    the distribution of depth in the cognitive hierarchy: level k has a share in proportion to
    τ^k / k!, up to the deepest level considered, and τ is a number or a prior. Fixed shares are
    known, not estimated; some may be zero.

    References
    ----------
    Camerer, Ho and Chong (2004), Quarterly Journal of Economics 119(3), for the Poisson.

    Examples
    --------
    >>> Prior("LogNormal", mu=Prior("Normal", mu=0, sigma=1), sigma=0.5)
    LogNormal(mu=Normal(mu=0, sigma=1), sigma=0.5)
    >>> Prior("TruncatedPoisson", tau=Prior("Gamma", mean=1.5, shape=2))
    TruncatedPoisson(tau=Gamma(mean=1.5, shape=2))
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
        arguments = {
            name: self.from_preliz(value) if is_elicited(value) else value
            for name, value in arguments.items()
        }
        plain = {}
        for name, value in arguments.items():
            if not isinstance(value, Prior) and not _is_finite(value):
                other = "a finite number, a list of such numbers, or a prior"
                expected = _SHARES if name == "shares" else other
                raise ValueError(f"{distribution}: {name}: found {value!r}, expected {expected}")
            plain[name] = tuple(map(float, value)) if np.ndim(value) else as_plain(value)
        for name, value in plain.items():
            fault = _fault(name, value, FAMILIES[distribution].location)
            if fault:
                raise ValueError(f"{distribution}: {name}: found {value}, expected {fault}")
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

    @classmethod
    def from_preliz(cls, elicited: Any) -> Prior:
        """The prior that PreliZ, a package for eliciting priors, has found.

        Models take PreliZ's distributions as they are, too, wherever they take a prior.

        Parameters
        ----------
        elicited : PreliZ distribution
            Beta, Dirichlet, Exponential, Gamma, HalfNormal, LogitNormal, LogNormal, Normal or
            StudentT, with all its parameters known, as after ``preliz.maxent``.

        Returns
        -------
        Prior

        Raises
        ------
        ValueError
            If it is none of these, or its parameters are not known yet.

        Examples
        --------
        >>> import preliz as pz  # doctest: +SKIP
        >>> trust = pz.maxent(pz.Beta(), 0.2, 0.8, 0.9, plot=False)  # doctest: +SKIP
        >>> Prior.from_preliz(trust)  # doctest: +SKIP
        Beta(alpha=3.06, beta=3.06)
        """
        if not is_elicited(elicited):
            raise ValueError(f"elicited prior: found {elicited!r}, expected one of PreliZ's")
        name, arguments = form_of(elicited)
        return cls(name, **arguments)

    def draw(self, size: int, seed: int = 0, shares: int = 4) -> np.ndarray:
        """Draws of single values, each with arguments of its own drawn from their priors.

        Parameters
        ----------
        size : int
        seed : int
        shares : int
            How many shares to draw, where neither the arguments nor anything else says so.

        Returns
        -------
        array, shape (size,), for priors of shares (size, shares)
            On the natural scale. Of a hierarchy these are subjects, each from a population of its
            own. Where a location is given for each treatment, shape (size, treatments).

        Raises
        ------
        ValueError
            If the prior is Python code, which needs a model to be drawn from.

        Examples
        --------
        >>> Prior("Fixed", shares=[0.25, 0.75]).draw(2).tolist()
        [[0.25, 0.75], [0.25, 0.75]]
        """
        return self._drawn(np.random.default_rng(seed), size, shares)

    def plot(
        self, axes: Axes | None = None, *, labels: Sequence[str] | None = None, seed: int = 0
    ) -> Axes:
        """Draw where the values lie before any data.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; default: a new figure.
        labels : sequence of str, optional
            Of the shares, or of the treatments where a location is given for each.
        seed : int
            Of the 200,000 draws whose histogram is shown.

        Returns
        -------
        matplotlib Axes
            The density of a value on the natural scale, the middle 90% shaded; of a hierarchy
            that of a subject's value, what is believed of the population and its spread together.
            Of shares the mean and 90% interval of each.

        Raises
        ------
        ValueError
            If the prior is Python code; `trustbayes.plot_prior_predictive` shows what it means.
            If there are more or fewer labels than shares or treatments.

        Notes
        -----
        Of a parameter that all subjects share a model takes only the location: the spread of a
        hierarchical prior has then no part in it, see `trustbayes.Model.describe`.

        Examples
        --------
        >>> Prior("Beta", alpha=2, beta=2).plot().get_ylabel()
        'density'
        """
        from trustbayes.priors.plot import plot_shares, plot_values

        count = len(labels) if labels is not None else 4
        if self.family.support == "simplex":
            drawn = self.draw(_PLOTTED, seed, self.length or count)
            given = labels or [str(position) for position in range(drawn.shape[1])]
            if len(given) != drawn.shape[1]:
                raise ValueError(f"labels: found {len(given)}, expected {drawn.shape[1]}")
            return plot_shares(drawn, given, str(self), axes)
        drawn = self.draw(_PLOTTED, seed)
        curves = {"": drawn}
        if drawn.ndim > 1:
            given = labels or [f"treatment {number}" for number in range(1, drawn.shape[1] + 1)]
            if len(given) != drawn.shape[1]:
                raise ValueError(f"labels: found {len(given)}, expected {drawn.shape[1]}")
            curves = dict(zip(given, drawn.T, strict=True))
        whose = "value of a subject" if self.hierarchical else "value"
        return plot_values(curves, self.family.support, str(self), whose, axes)

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

    @property
    def length(self) -> int | None:
        """How many shares it is a prior of, where its arguments say so."""
        lengths = [len(v) for v in self.arguments.values() if isinstance(v, tuple)]
        return lengths[0] if lengths and self.family.support == "simplex" else None

    def variable(self, name: str, dims: str | tuple[str, ...] | None = None) -> Any:
        """Add the prior to the PyMC model in context; arguments that are priors come first.

        Priors of shares are added by `shares`.

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
        return self.family.variable(name, self._given(name), dims)

    def shares(self, name: str, size: int) -> Any:
        """Add the shares that it is a prior of to the PyMC model in context.

        Parameters
        ----------
        name : str
            Of the dimension; the variable is ``name_share``, arguments that are priors are called
            ``name_argument``.
        size : int
            Number of shares.

        Returns
        -------
        PyTensor variable, shape (size,)
            Adds up to 1.
        """
        return self.family.shares_variable(name, size, self._given(name))

    def _drawn(self, rng: np.random.Generator, size: int, shares: int) -> np.ndarray:
        given = {
            key: value._drawn(rng, size, shares) if isinstance(value, Prior) else value
            for key, value in self.arguments.items()
        }
        family, location = self.family, str(self.family.location)
        if family.support == "simplex":
            return family.draw_shares(rng, size, self.length or shares, **given)
        if isinstance(given.get(location), tuple):
            columns = [
                family.draw(rng, size, **{**given, location: value}) for value in given[location]
            ]
            return np.stack(columns, axis=-1)
        return family.draw(rng, size, **given)

    def _given(self, name: str) -> dict[str, Any]:
        """The arguments, with those that are priors added to the PyMC model in context."""
        return {
            key: value.variable(f"{name}_{key}") if isinstance(value, Prior) else value
            for key, value in self.arguments.items()
        }


_PLOTTED = 200_000  # draws of a plot


_POSITIVE = {"sigma", "shape", "mean", "lam", "nu", "alpha", "beta", "a", "tau"}


_SHARES = "a list of numbers from 0 that add up to 1"


_ROUNDING = 1e-6  # by which shares may miss 1


def _is_finite(value: Any) -> bool:
    """Whether it is a finite number or a list of them, with at least one."""
    try:
        numbers = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return False
    return numbers.ndim <= 1 and numbers.size > 0 and bool(np.isfinite(numbers).all())


def _fault(name: str, value: Any, location: str | None) -> str:
    """What was expected of an argument instead; empty if nothing is wrong with it."""
    if isinstance(value, Prior) and any(isinstance(v, tuple) for v in value.arguments.values()):
        return "a number or a prior of one: lists stand in the outermost prior"
    if isinstance(value, tuple) and name not in (location, "a", "shares", "tau"):
        return "a number or a prior of one"
    if isinstance(value, Prior) and value.family.support == "simplex":
        return "a number or a prior of one, not of shares"
    if name == "tau" and isinstance(value, tuple):
        return "a positive number or a prior of one"
    if name in _POSITIVE and not _is_positive(value):
        return "a positive value"
    if name == "shares":
        known = isinstance(value, tuple) and min(value, default=-1.0) >= 0
        if not (known and abs(sum(value) - 1) <= _ROUNDING):
            return _SHARES
    return ""


def _is_positive(value: Any) -> bool:
    if isinstance(value, Prior):
        return value.family.support in ("positive", "unit")
    return bool((np.asarray(value, dtype=float) > 0).all())


def _brief(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(f"{v:g}" for v in value) + "]"
    return repr(value) if isinstance(value, Prior) else f"{value:g}"
