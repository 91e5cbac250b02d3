"""A PyMC model's log density as a function of a vector, and values of its variables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor
from pytensor.graph.replace import vectorize_graph
from scipy.optimize import minimize

from trustbayes.errors import Fault, InputError
from trustbayes.inference.engines.population.interpreted import interpreted
from trustbayes.numerics.graphs import PLAIN

__all__ = ["NoHighestPoint", "PopulationDensity", "curvature", "highest_point"]

_STEP = 1e-4
"""Of differences of the gradient, on a scale where posteriors are of width one: about the fourth
root of the precision of numbers, where rounding and curvature err alike."""
_NEWTON = 12  # steps at most, after L-BFGS has come near
_FLAT = 3.0
"""Standard deviation of a proposal where the density is flat or curves upwards: that of trust all
over its range, on the scale of the logit, is 1.8 (a logistic distribution)."""
_GAIN = 1e-8  # in log density, of a step that is not worth making
_STRIDE = 3.0  # standard deviations that a step of Newton's goes at most
_FARTHEST = -math.log(np.finfo(float).eps)
"""On the scale of links: beyond it, what a link gives cannot be told from its end (a trust of one),
and no more can a spread on the scale of the link from none."""


class PopulationDensity:
    """Log density of a PyMC model of a population, on the scale on which it is sampled.

    Parameters
    ----------
    model : pymc.Model
    inputs : sequence of PyTensor variable
        Of its likelihood, to be evaluated at points.
    """

    def __init__(self, model: pm.Model, inputs: Sequence[Any]) -> None:
        self.model = model
        point = model.initial_point()
        self.values = list(model.value_vars)
        starts = [np.asarray(point[v.name], dtype=float) for v in self.values]
        self._shapes = [start.shape for start in starts]
        ends = np.cumsum([start.size for start in starts])
        self._slices = [slice(int(e) - s.size, int(e)) for e, s in zip(ends, starts, strict=True)]
        self.start = np.concatenate([start.reshape(-1) for start in starts])
        value: Any = model.logp()
        slopes: Any = pytensor.grad(value, self.values)
        given = model.replace_rvs_by_values(list(inputs))
        groups = [[value, *slopes], [value], given]
        self._program, self._value, self._inputs = interpreted(self.values, groups)

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return self.start.size

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Log density and gradient; minus infinity where there is none."""
        try:
            value, *slopes = self._program(*self.split(point))
        except (ArithmeticError, ValueError):  # Python's numbers know no infinity
            return -np.inf, np.zeros(self.size)
        gradient = np.concatenate([np.ravel(s) for s in slopes])
        value = float(value)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return -np.inf, np.zeros(self.size)
        return value, gradient

    def value(self, point: np.ndarray) -> float:
        """Log density alone."""
        try:
            value = float(self._value(*self.split(point))[0])
        except (ArithmeticError, ValueError):
            return -np.inf
        return value if np.isfinite(value) else -np.inf

    def split(self, point: np.ndarray) -> list[np.ndarray]:
        """A vector as the values of the variables; leading axes stay."""
        lead = point.shape[:-1]
        return [
            point[..., s].reshape((*lead, *shape))
            for s, shape in zip(self._slices, self._shapes, strict=True)
        ]

    def inputs(self, point: np.ndarray) -> list[Any]:
        """Values of the likelihood's inputs."""
        return self._inputs(*self.split(point))

    def many(self, points: np.ndarray, variables: Sequence[Any]) -> list[np.ndarray]:
        """Values of variables of the model at many points at once.

        Parameters
        ----------
        points : array, shape (n, size)
        variables : sequence of PyTensor variable

        Returns
        -------
        list of array, shape (n, ...)
        """
        if not variables:
            return []
        batch = [v.type.clone(shape=(None, *v.type.shape))() for v in self.values]
        outputs = self.model.replace_rvs_by_values(list(variables))
        wide = vectorize_graph(outputs, dict(zip(self.values, batch, strict=True)))
        function = pytensor.function(batch, wide, mode=PLAIN, on_unused_input="ignore")
        evaluated = function(*self.split(points))
        size = len(points)
        return [
            np.broadcast_to(values, (size, *np.shape(values)[-v.ndim or len(np.shape(values)) :]))
            if np.ndim(values) == v.ndim
            else np.asarray(values)
            for values, v in zip(evaluated, variables, strict=True)
        ]


class NoHighestPoint(InputError):
    """A density that grows without end, such as where a spread goes to zero."""


def highest_point(density: Any, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mode, and the inverse of minus the second derivatives there, made positive definite.

    Parameters
    ----------
    density : callable
        From a point to log density and gradient.
    start : array, shape (size,)

    Returns
    -------
    mode : array, shape (size,)
    covariance : array, shape (size, size)

    Raises
    ------
    NoHighestPoint
        If the search leaves all values that a link could tell from its ends.
    """

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = density(point)
        return (-value, -gradient) if np.isfinite(value) else (1e10, np.zeros(point.size))

    point = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 400}).x
    value, gradient = density(point)
    for _ in range(_NEWTON):
        covariance = curvature(density, point)
        step = covariance @ gradient
        gain = float(gradient @ step)
        if gain < _GAIN:
            break
        step *= min(1.0, _STRIDE / np.sqrt(gain))
        for part in (1.0, 0.3, 0.1):
            tried, slope = density(point + part * step)
            if tried >= value:
                point, value, gradient = point + part * step, tried, slope
                break
        else:
            break
    if np.abs(point).max() > _FARTHEST:
        what = "a density that grows without end, such as where a spread goes to zero"
        expected = 'priors that keep spreads away from zero, or method="nuts"'
        raise NoHighestPoint(Fault("population engine", what, expected))
    return point, covariance


def curvature(density: Any, point: np.ndarray) -> np.ndarray:
    """Inverse of minus the matrix of second derivatives, by differences of the gradient.

    Directions in which the density is flat or curves upwards get a standard deviation that is wide.
    """
    rows = []
    for unit in np.eye(point.size):
        high, low = density(point + _STEP * unit)[1], density(point - _STEP * unit)[1]
        rows.append((low - high) / (2 * _STEP))
    information = np.array(rows)
    size, direction = np.linalg.eigh((information + information.T) / 2)
    size = np.maximum(size, _FLAT**-2)
    return np.asarray((direction / size) @ direction.T)
