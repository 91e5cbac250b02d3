"""From a prior to values: the subject-level hierarchy, written once for all models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from trustbayes.numerics.graphs import data
from trustbayes.priors.family import Family
from trustbayes.priors.prior import Prior
from trustbayes.theories.spec import Parameter

__all__ = ["Spread", "declare", "spread_of"]


@dataclass(frozen=True, eq=False)
class Spread:
    """How a parameter of subjects is spread in the population of a PyMC model.

    Parameters
    ----------
    family : Family
    location : PyTensor variable, shape () or (treatments,), each followed by options
        On the scale of the link; by a formula (subjects,) or (subjects, treatments).
    base : PyTensor variable, shape () or (subjects,), each followed by options
        Location at the mean of a subject's treatments, weighted by how much each says about her.
    shape : mapping of str to PyTensor variable or float
        The other arguments.
    """

    family: Family
    location: Any
    base: Any
    shape: dict[str, Any]

    def natural(self, linked: Any) -> Any:
        """Values of the subjects from those on the scale of the link at their base."""
        effect = linked - self.base
        if self.base is not self.location:  # treatments differ
            effect = effect[:, None]
        return self.family.link.symbolic(self.location + effect)


def spread_of(
    name: str,
    prior: Prior,
    varies: tuple[str, ...],
    weights: np.ndarray,
    *,
    prefix: str = "",
    extra: tuple[str, ...] = (),
    contribution: Any = None,
) -> Spread:
    """Add the population of a hierarchical prior to the PyMC model in context.

    Parameters
    ----------
    name : str
        Of the parameter.
    prior : Prior
    varies : tuple of "subject" and "treatment"
    weights : array, shape (subjects, treatments)
        Rows add up to one.
    prefix : str
    extra : tuple of str
        Dimension of the options, if there are any.
    contribution : PyTensor variable, shape (subjects,) or (subjects, treatments), optional
        What a formula adds to a location that is then common to all treatments.

    Returns
    -------
    Spread
    """
    location_name = str(prior.family.location)
    location = prior.arguments[location_name]
    by_treatment = "treatment" in varies
    over = (*(("treatment",) if by_treatment and contribution is None else ()), *extra)
    if isinstance(location, Prior):
        location = location.variable(f"{prefix}{name}_{location_name}", over or None)
    else:
        location = pt.as_tensor(np.asarray(location, dtype=float))
    if "subject" not in varies:
        return Spread(prior.family, location, location, {})
    shape = {
        key: value.variable(f"{prefix}{name}_{key}") if isinstance(value, Prior) else value
        for key, value in prior.arguments.items()
        if key != location_name
    }
    location = prior.family.linked_location(location)
    location = location if contribution is None else location + contribution
    base = location
    if by_treatment:
        # A sum of products compiles in a fraction of the time that a dot product does.
        shape_of = (*weights.shape, *(1,) * len(extra))
        base = (data(f"{prefix}{name}_weights", weights.reshape(shape_of)) * location).sum(axis=1)
    return Spread(prior.family, location, base, shape)


def declare(
    parameter: Parameter,
    prior: Prior,
    varies: tuple[str, ...],
    *,
    centred: bool,
    weights: np.ndarray,
    shift: Any = 0.0,
    prefix: str = "",
    stand_in: tuple[np.ndarray, np.ndarray] | None = None,
    contribution: Any = None,
) -> tuple[Any, tuple[str, ...]]:
    """Add a parameter to the PyMC model in context.

    A subject's value is, on the scale of the link, its treatment's location plus the subject's
    own effect. In the centred form the sampler works with the subject's value at the mean of its
    treatments, weighted by how much each says about it, in the non-centred form with the
    effect in units of the population's spread. Both give the same posterior.

    Parameters
    ----------
    parameter : Parameter
    prior : Prior
    varies : tuple of "subject" and "treatment"
    centred : bool
    weights : array, shape (subjects, treatments)
        Rows add up to one.
    shift : PyTensor variable, shape (subjects,), or 0
        Moves what the sampler works with, not the prior: see `ModelSpec.coupling`.
    prefix : str
        Of the names of all variables and, but for the treatments, dimensions.
    stand_in : pair of arrays, shape (subjects,) and the options if there are any, optional
        See `trustbayes.models.parametrisation.information.Information`. For a parameter whose
        subjects are normal on the link scale, adds the variable ``name_unused``: log density of
        each subject's value by the stand-in less that by the population.
    contribution : PyTensor variable, optional
        By a formula, see `spread_of`.

    Returns
    -------
    values : PyTensor variable
        On the natural scale.
    dims : tuple of str
        Without the prefix.
    """
    option = (parameter.option,) if parameter.option else ()
    dims = tuple(over for over in ("subject", "treatment") if over in varies) + option
    if not prior.hierarchical and contribution is None and "subject" in varies:
        dims = ("subject", *option)
    values = _declare(
        parameter, prior, varies, centred, weights, shift, prefix, stand_in, contribution
    )
    return values, dims


def _declare(
    parameter: Parameter,
    prior: Prior,
    varies: tuple[str, ...],
    centred: bool,
    weights: np.ndarray,
    shift: Any,
    prefix: str,
    stand_in: tuple[np.ndarray, np.ndarray] | None,
    contribution: Any,
) -> Any:
    """The values that `declare` gives."""
    name, family = f"{prefix}{parameter.name}", prior.family
    subject = f"{prefix}subject"
    extra = (f"{prefix}{parameter.option}",) if parameter.option else ()
    treatment = ("treatment",) if "treatment" in varies else ()
    if not prior.hierarchical and contribution is None:
        dims = (subject,) if "subject" in varies else treatment
        value = prior.variable(name, (*dims, *extra) or None)
        if stand_in is not None:
            mean, sigma = (prior.arguments[key] for key in ("mu", "sigma"))
            _stand_in(name, subject, value, stand_in, mean, sigma)
        return value
    spread = spread_of(
        parameter.name,
        prior,
        varies,
        weights,
        prefix=prefix,
        extra=extra,
        contribution=contribution,
    )
    base, shape = spread.base, spread.shape
    if "subject" not in varies:
        value = base if family.natural_location else family.link.symbolic(base)
        return pm.Deterministic(name, value, dims=(*treatment, *extra) or None)
    if centred and not treatment:
        value = family.centred_values(name, base, shape, (subject, *extra))
        if value is not None:
            return value
    effect = family.effect(name, base, shape, shift, centred, (subject, *extra))
    if stand_in is not None:
        _stand_in(name, subject, base + effect, stand_in, base, shape["sigma"])
    return pm.Deterministic(name, spread.natural(base + effect), dims=(subject, *treatment, *extra))


def _stand_in(
    name: str,
    subject: str,
    value: Any,
    stand_in: tuple[np.ndarray, np.ndarray],
    mean: Any,
    sigma: Any,
) -> None:
    """Add the stand-in's log density less that of the population, which is normal."""
    given = data(f"{name}_stand_in", np.stack(stand_in))
    less = _log_normal_density(value - given[0], given[1])
    less = less - _log_normal_density(value - mean, sigma)
    pm.Deterministic(f"{name}_unused", less.sum(axis=1) if less.ndim > 1 else less, dims=subject)


def _log_normal_density(gap: Any, spread: Any) -> Any:
    """Up to a constant."""
    return -0.5 * (gap / spread) ** 2 - pt.log(spread)
