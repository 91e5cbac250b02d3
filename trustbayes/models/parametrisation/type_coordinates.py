r"""Subjects' parameters in models with types, placed where each type has them.

What the trials say about a subject's parameters depends on her type: a truthful sender is
precise at level 0, or averse to lying at level 1. Summed over types, the posterior of the
parameters then has a mode for each, and a sampler does not cross from one to another. So it is
given coordinates z in which all types look alike. For every type k, a map of its own makes
parameters of the coordinates,

.. math:: x_k = m_k(\varphi) + L_k(\varphi)\,z ,

where m and :math:`L L^\top` are mean and covariance of a normal population times a normal
density, the "site", that stands for the trials; φ are the parameters of the population. With the
density :math:`\sum_k w_k\, p(y \mid k, x_k)\, p(x_k \mid \varphi)\, |L_k|` of z the posterior
is the one of the model, whatever the sites are: for each type it is a change of variables. Near
the site z is about standard normal under every type and for every population, so neither types nor
parametrisations (centred, non-centred) are in the sampler's way.

Habits, of which only people who babble have need, have coordinates of their own: a fixed map makes
habits of them for that type, and for all others they are the prior's.

Each draw has one type, drawn given z and φ; the parameters kept are those of that type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from trustbayes.models.hierarchy import spread_of
from trustbayes.models.settings import ModelSettings
from trustbayes.numerics.graphs import data
from trustbayes.theories.spec import Parameter

__all__ = ["Habits", "TypeCoordinates", "TypeDensities", "add_type_coordinates", "can_be_placed"]

_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)
_STRETCH = 0.3


@dataclass(frozen=True, eq=False)
class Habits:
    """What the trials say about values by option that one type alone has need of.

    Parameters
    ----------
    type_index : int
        Position of the type.
    mean : array, shape (subjects, options)
    scale : array, shape (subjects, options, options)
        Lower triangular: the covariance is this times its transpose.
    """

    type_index: int
    mean: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True, eq=False)
class TypeDensities:
    """What each subject's trials say about her parameters under each type: a normal density.

    Parameters
    ----------
    names : tuple of str
        The parameters that are placed; their coordinates are on the scale of the link, at the mean
        of the subject's treatments by weight.
    precision : array, shape (subjects, types, parameters, parameters)
        Positive semidefinite; zero where the trials say nothing.
    shift : array, shape (subjects, types, parameters)
        Precision times mean.
    habits : mapping of str to Habits
        The placed parameters that have a value for each option.
    """

    names: tuple[str, ...]
    precision: np.ndarray
    shift: np.ndarray
    habits: Mapping[str, Habits] = field(default_factory=dict)

    @property
    def placed(self) -> tuple[str, ...]:
        """All parameters that are."""
        return (*self.names, *self.habits)


def can_be_placed(model: ModelSettings) -> bool:
    """Whether the model asks for it, and all that is the subjects' own has a fitting population.

    That is one that is normal or log-gamma on the scale of the link; of habits a normal one
    without parameters of its own. No form may be asked for.
    """
    of_subjects = [
        p for p in model.parameters if p.support != "simplex" and "subject" in model.varies[p.name]
    ]
    return (
        model.spec.placed
        and bool(model.types)
        and any(p.option is None for p in of_subjects)
        and not model.parametrisation
        and not model.code_priors
        and all(_fits(model, p) for p in of_subjects)
    )


def _fits(model: ModelSettings, parameter: Parameter) -> bool:
    prior = model.priors[parameter.name]
    if parameter.option:
        heeding = [label for label in model.types if parameter.name not in model.ignored[label]]
        plain = prior.family.normal and not prior.family.zero_sum and not prior.hierarchical
        return plain and len(heeding) == 1
    return prior.hierarchical and prior.family.has_symbolic_density


@dataclass(frozen=True, eq=False)
class TypeCoordinates:
    """Subjects' parameters under each type.

    Parameters
    ----------
    values : sequence of mapping of str to PyTensor variable
        For each type the natural values by name, of shape (subjects,) or (subjects, treatments).
    dims : mapping of str to tuple of str
    log_density : PyTensor variable, shape (subjects, types)
        Of the parameters in the population, times the volume of the map, less what the PyMC model
        has of the coordinates already.
    """

    values: Sequence[Mapping[str, Any]]
    dims: Mapping[str, tuple[str, ...]]
    log_density: Any

    def pick(self, joint: Any, prefix: str) -> None:
        """Add the parameters of one type of each subject, drawn by its probability.

        Parameters
        ----------
        joint : PyTensor variable, shape (subjects, types)
            Log of share, likelihood and density of each type.
        prefix : str
        """
        chance = pt.special.softmax(joint, axis=1)
        aim = pm.Uniform(f"{prefix}type_aim", dims=f"{prefix}subject")
        type_index = (aim[:, None] > pt.cumsum(chance, axis=1)[:, :-1]).sum(axis=1)
        subject = pt.arange(type_index.shape[0])
        for name, dims in self.dims.items():
            every = pt.stack([values[name] for values in self.values])
            over = tuple(dim if dim == "treatment" else f"{prefix}{dim}" for dim in dims)
            pm.Deterministic(f"{prefix}{name}", every[type_index, subject], dims=over)


def add_type_coordinates(
    model: ModelSettings,
    densities: TypeDensities,
    weights: Mapping[str, np.ndarray],
    contributions: Mapping[str, Any],
    prefix: str = "",
) -> TypeCoordinates:
    """Add populations and coordinates of the subjects' parameters to the PyMC model in context.

    Parameters
    ----------
    model : ModelSettings
    densities : TypeDensities
    weights : mapping of str to array, shape (subjects, treatments)
        See `trustbayes.models.parametrisation.information.Information`.
    contributions : mapping of str to PyTensor variable or None
        By formulas, see `trustbayes.models.hierarchy.spread_of`.
    prefix : str
        Of the names of all variables and, but for the treatments, dimensions.

    Returns
    -------
    TypeCoordinates
    """
    names, width = densities.names, len(densities.names)
    spreads = [
        spread_of(
            name,
            model.priors[name],
            model.varies[name],
            weights[name],
            prefix=prefix,
            contribution=contributions[name],
        )
        for name in names
    ]
    z = [pm.Normal(f"{prefix}{n}_offset", dims=f"{prefix}subject")[:, None] for n in names]
    known = data(f"{prefix}site_precision", densities.precision)
    shift = data(f"{prefix}site_shift", densities.shift)
    precision = [[known[..., i, j] for j in range(i + 1)] for i in range(width)]
    pull = [shift[..., i] for i in range(width)]
    for i, spread in enumerate(spreads):
        mean, variance = spread.family.symbolic_moments(_column(spread.base), spread.shape)
        precision[i][i] = precision[i][i] + 1 / variance
        pull[i] = pull[i] + mean / variance
    x, log_density = _mapped(precision, pull, [pt.sinh(_STRETCH * each) / _STRETCH for each in z])
    for i, spread in enumerate(spreads):
        density = spread.family.log_density(x[i] - _column(spread.base), spread.shape)
        log_density = log_density + density + pt.log(pt.cosh(_STRETCH * z[i]))
        log_density = log_density + 0.5 * z[i] ** 2 + _HALF_LOG_2_PI
    values: list[dict[str, Any]] = [
        {n: s.natural(each[:, k]) for n, s, each in zip(names, spreads, x, strict=True)}
        for k in range(densities.shift.shape[1])
    ]
    dims: dict[str, tuple[str, ...]] = {
        n: tuple(d for d in ("subject", "treatment") if d in model.varies[n]) for n in names
    }
    for parameter in model.parameters:
        if parameter.name in densities.habits:
            habits = densities.habits[parameter.name]
            dims[parameter.name] = ("subject", str(parameter.option))
            ignored_and_heeded, density = _habits(model, parameter, habits, prefix)
            log_density = log_density + density
            for type_index, of_type in enumerate(values):
                heeds = type_index == habits.type_index
                of_type[parameter.name] = ignored_and_heeded[int(heeds)]
    return TypeCoordinates(values, dims, log_density)


def _habits(
    model: ModelSettings, parameter: Parameter, habits: Habits, prefix: str
) -> tuple[tuple[Any, Any], Any]:
    """Values of the types that ignore them and of the one that does not, and log density.

    The latter as in `TypeCoordinates`. The map is fixed, as the prior is.
    """
    name, given = f"{prefix}{parameter.name}", model.priors[parameter.name].arguments
    mu, sigma = (np.asarray(given[key], dtype=float) for key in ("mu", "sigma"))
    z = pm.Normal(f"{name}_offset", dims=(f"{prefix}subject", f"{prefix}{parameter.option}"))
    scale = data(f"{name}_site_scale", habits.scale)
    far = pt.sinh(_STRETCH * z) / _STRETCH
    x = data(f"{name}_site_mean", habits.mean) + (scale * far[:, None, :]).sum(axis=-1)
    # Volume of the map and density of the habits, less the coordinates' own.
    volume = pt.log(pt.cosh(_STRETCH * z)) + pt.log(pt.diagonal(scale, axis1=1, axis2=2))
    density = volume - 0.5 * ((x - mu) / sigma) ** 2 - np.log(sigma) + 0.5 * z**2
    concerned = np.arange(len(model.types)) == habits.type_index
    return (mu + sigma * z, x), density.sum(axis=1)[:, None] * concerned


def _column(base: Any) -> Any:
    return base[:, None] if base.ndim else base


def _mapped(
    precision: Sequence[Sequence[Any]], pull: Sequence[Any], z: Sequence[Any]
) -> tuple[list[Any], Any]:
    """Standard normal coordinates as those of a normal density, and the log volume of the map.

    Parameters
    ----------
    precision : lower triangle, by rows
    pull : sequence
        Precision times mean.
    z : sequence

    Returns
    -------
    x : list
    log_volume
    """
    width = len(z)
    low: list[list[Any]] = []  # Cholesky factor R of the precision
    solved: list[Any] = []  # R y = pull
    for i in range(width):
        row: list[Any] = []
        for j in range(i + 1):
            rest = precision[i][j] - sum(row[m] * low[j][m] for m in range(j)) if i > j else None
            row.append(
                rest / low[j][j]
                if i > j
                else pt.sqrt(precision[i][i] - sum(each**2 for each in row))
            )
        low.append(row)
        solved.append((pull[i] - sum(row[m] * solved[m] for m in range(i))) / row[i])
    x: list[Any] = [None] * width
    for i in reversed(range(width)):  # R' x = y + z
        above = sum(low[m][i] * x[m] for m in range(i + 1, width))
        x[i] = (solved[i] + z[i] - above) / low[i][i]
    return x, -sum(pt.log(low[i][i]) for i in range(width))
