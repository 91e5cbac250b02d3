"""How one parameter of subjects is spread in the population."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr

from trustbayes.errors import Fault, InputError
from trustbayes.models.regression import contribution
from trustbayes.models.settings import ModelSettings
from trustbayes.priors.family import Family
from trustbayes.priors.prior import Prior
from trustbayes.theories.spec import Parameter
from trustbayes.trials.units import Units

__all__ = ["Effect", "effect_of"]

_REACH = 40.0  # on the scale of the link; beyond it values are as good as at the ends


@dataclass(frozen=True, eq=False)
class Effect:
    """How one parameter of subjects is spread in the population, for every draw.

    Parameters
    ----------
    parameter : Parameter
    family : Family
    location : array, shape (draws, 1 or subjects, treatments or 1, options or 1)
        On the scale of the link; zero for a distribution without one. It differs between subjects
        by a formula.
    shape : mapping of str to array, shape (draws, 1, 1, 1)
        The other arguments.
    share : array, shape (subjects, treatments or 1)
        Share of each treatment in a subject's trials.
    by_treatment : bool
    basis : array, shape (options or 1, coordinates)
        From coordinates to linked values; not square for values that add up to zero.
    gaps : array, shape (draws, subjects, treatments), optional
        From a subject's linked value at the mean of her treatments to that in each treatment, in
        place of what the locations say.
    """

    parameter: Parameter
    family: Family
    location: np.ndarray
    shape: dict[str, np.ndarray]
    share: np.ndarray
    by_treatment: bool
    basis: np.ndarray
    gaps: np.ndarray | None = None

    @property
    def width(self) -> int:
        """Number of coordinates."""
        return int(self.basis.shape[1])

    def middle(self, rows: slice) -> np.ndarray:
        """Location at the mean of a subject's treatments, (rows, 1, subjects, coordinates)."""
        return (self._mean(rows) @ self.basis)[:, None]

    def _mean(self, rows: slice) -> np.ndarray:
        """Location at the mean of a subject's treatments, (rows, subjects, options or 1)."""
        location = self.location[rows]
        if location.shape[1] == 1:
            return np.einsum("it,stk->sik", self.share, location[:, 0])
        return np.einsum("it,sitk->sik", self.share, location)

    def gap(self, rows: slice) -> np.ndarray:
        """Location less that at the mean of a subject's treatments.

        Shape (rows, subjects, treatments, options or 1).
        """
        if self.gaps is not None:
            return self.gaps[rows][..., None]
        return self.location[rows] - self._mean(rows)[:, :, None]

    def moments(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of the coordinates, to which (rows, 1, subjects, coordinates) fits."""
        shape = {name: values[rows] for name, values in self.shape.items()}
        mean, variance = self.family.moments(self.middle(rows), shape)
        return mean, np.broadcast_to(variance, mean.shape)

    def log_density(self, coordinates: np.ndarray, rows: slice) -> np.ndarray:
        """Log density, shape (rows, nodes, subjects), of (rows or 1, nodes, subjects, width)."""
        shape = {name: values[rows] for name, values in self.shape.items()}
        alike = self.location.shape[1] == 1 and not self.by_treatment
        if self.family.normal and alike and self.width > 1 and len(coordinates) == 1:
            return self._normal_at_common(coordinates[0], rows, shape["sigma"])
        logs = self.family.log_density(coordinates - self.middle(rows), shape)
        return np.asarray(logs.sum(axis=-1))

    def _normal_at_common(
        self, coordinates: np.ndarray, rows: slice, sigma: np.ndarray
    ) -> np.ndarray:
        """Of several normal coordinates at nodes common to all draws, with one mean for everybody.

        The square is multiplied out, so that a draw takes one product of matrices.
        """
        mean, variance = self.location[rows, 0, 0] @ self.basis, sigma[..., 0] ** 2
        cross = (mean @ coordinates.reshape(-1, self.width).T).reshape(-1, *coordinates.shape[:2])
        square = (coordinates**2).sum(axis=-1)
        cross -= 0.5 * (square + (mean**2).sum(axis=-1)[:, None, None])
        cross /= variance
        cross -= 0.5 * self.width * np.log(2 * math.pi * variance)
        return np.asarray(cross)

    def values(self, coordinates: np.ndarray, rows: slice) -> tuple[np.ndarray, tuple[str, ...]]:
        """Natural values of coordinates of shape (rows, nodes, subjects, width), and their dims."""
        linked = coordinates @ self.basis.T if self.parameter.option else coordinates
        dims: tuple[str, ...] = ("subject",)
        if self.by_treatment:
            linked = linked[..., None, :] + self.gap(rows)[:, None]
            dims = ("subject", "treatment")
        if self.parameter.option:
            dims = (*dims, self.parameter.option)
        else:
            linked = linked[..., 0]
        natural = self.family.link.inverse(np.clip(linked, -_REACH, _REACH))
        return natural.reshape(-1, *natural.shape[2:]), dims


def effect_of(
    parameter: Parameter, model: ModelSettings, data: xr.Dataset, share: np.ndarray, units: Units
) -> Effect:
    """Take a parameter's population from draws.

    Parameters
    ----------
    parameter : Parameter
        One that varies by subject.
    model : ModelSettings
    data : xarray.Dataset
        Population variables only, with a leading dimension ``sample``.
    share : array, shape (subjects, treatments)
        Share of each treatment in a subject's trials.
    units : Units

    Returns
    -------
    Effect

    Raises
    ------
    ValueError
        If a new subject's value does not follow from the draws and the prior; an InputError if the
        prior is Python code.
    """
    name, prior = parameter.name, model.priors[parameter.name]
    if name in model.code_priors:
        expected = (
            "a prior of the package, from which a new subject can be drawn alone; compare by new "
            'trials (units="trial"), or hold out later rounds'
        )
        raise InputError(
            Fault(f"prediction of new subjects, prior of {name}", str(prior), expected)
        )
    size, options = data.sizes["sample"], data.sizes.get(str(parameter.option), 1)
    if prior.family.zero_sum and not parameter.option:
        raise ValueError(
            f"prior of {name}: found {prior}, which ties each subject to all others; expected one "
            "that a new subject can come from"
        )
    if parameter.option and parameter.option not in data.dims:
        raise ValueError(f"prior of {name}: found {prior}, expected one with an estimated location")
    formula = model.formulas.get(name)
    by_treatment = "treatment" in model.varies[name] and bool(prior.hierarchical or formula)

    def argument(key: str) -> np.ndarray:
        if f"{name}_{key}" in data:
            return data[f"{name}_{key}"].to_numpy()
        given = prior.arguments[key]
        assert not isinstance(given, Prior)
        return np.broadcast_to(np.asarray(given, dtype=float), (size, *np.shape(given)))

    key = prior.family.location
    location = np.zeros((size, 1, 1, options))
    if key is not None:
        drawn = argument(key)
        over = share.shape[1] if by_treatment and formula is None else 1
        given = drawn.size // (size * over)
        whole = (size, 1, over, options)
        location = np.broadcast_to(drawn.reshape(size, 1, over, given), whole)
        location = prior.family.linked_location(location)
        if formula is not None:
            location = location + contribution(name, formula, data, units)[..., None]
    shape = {k: argument(k).reshape(size, 1, 1, 1) for k in prior.arguments if k != key}
    basis = np.eye(options)
    if prior.family.zero_sum:
        basis = np.linalg.svd(np.eye(options) - 1 / options)[0][:, : options - 1]
    share = share if by_treatment else np.ones((share.shape[0], 1))
    return Effect(parameter, prior.family, location, shape, share, by_treatment, basis)
