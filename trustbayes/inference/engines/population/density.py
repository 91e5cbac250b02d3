"""A PyMC model's log density as a function of a vector, and values of its variables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.fg import FrozenFunctionGraph
from pytensor.graph.replace import graph_replace, vectorize_graph
from pytensor.graph.traversal import graph_inputs, io_toposort
from scipy.optimize import minimize

from trustbayes.errors import Fault, InputError
from trustbayes.inference.engines.population.interpreted import Program, interpreted
from trustbayes.inference.engines.population.operator import MarginalLogLikelihood
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
_KEPT = 16
_WRITTEN: dict[FrozenFunctionGraph, tuple[Program, ...]] = {}
"""The last densities that were written out, by their graphs."""


class PopulationDensity:
    """Log density of a PyMC model of a population, on the scale on which it is sampled.

    Parameters
    ----------
    model : pymc.Model
        Tabulated likelihoods in it are worked out apart: what is left is the same for all trials.
    """

    def __init__(self, model: pm.Model) -> None:
        self.model = model
        point = model.initial_point()
        self.values = list(model.value_vars)
        starts = [np.asarray(point[v.name], dtype=float) for v in self.values]
        self._shapes = [start.shape for start in starts]
        ends = np.cumsum([start.size for start in starts])
        self._slices = [slice(int(e) - s.size, int(e)) for e, s in zip(ends, starts, strict=True)]
        self.start = np.concatenate([start.reshape(-1) for start in starts])
        value = _fixed(model.logp())
        nodes = [
            node
            for node in io_toposort(self.values, [value])
            if isinstance(node.op, MarginalLogLikelihood)
        ]
        known = [pt.dscalar(f"log_likelihood_{at}") for at in range(len(nodes))]
        totals = [node.outputs[0] for node in nodes]
        value = graph_replace(value, dict(zip(totals, known, strict=True)), strict=False)
        needed = [variable for node in nodes for variable in node.inputs]
        self._likelihoods = [node.op for node in nodes]
        self._ends = np.cumsum([len(node.inputs) for node in nodes]).tolist()
        self._value, self._needed, self._slopes = _programs(self.values, known, value, needed)

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return self.start.size

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Log density and gradient; minus infinity where there is none."""
        values = self.split(point)
        try:
            terms = [op.value_and_slopes(given) for op, given in self._terms(values)]
            value = float(self._value(*values, *[total for total, _ in terms])[0])
            slopes = self._slopes(*values, *[slope for _, each in terms for slope in each])
        except (ArithmeticError, ValueError):  # Python's numbers know no infinity
            return -np.inf, np.zeros(self.size)
        gradient = np.concatenate([np.ravel(s) for s in slopes])
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return -np.inf, np.zeros(self.size)
        return value, gradient

    def value(self, point: np.ndarray) -> float:
        """Log density alone."""
        values = self.split(point)
        try:
            totals = [op.value(*given) for op, given in self._terms(values)]
            value = float(self._value(*values, *totals)[0])
        except (ArithmeticError, ValueError):
            return -np.inf
        return value if np.isfinite(value) else -np.inf

    def _terms(self, values: Sequence[np.ndarray]) -> Iterator[tuple[Any, list[Any]]]:
        """The likelihoods, and what they are given."""
        given = self._needed(*values)
        start = 0
        for likelihood, end in zip(self._likelihoods, self._ends, strict=True):
            yield likelihood, given[start:end]
            start = end

    def split(self, point: np.ndarray) -> list[np.ndarray]:
        """A vector as the values of the variables; leading axes stay."""
        lead = point.shape[:-1]
        return [
            point[..., s].reshape((*lead, *shape))
            for s, shape in zip(self._slices, self._shapes, strict=True)
        ]

    def inputs(self, point: np.ndarray) -> list[Any]:
        """What the likelihoods are given at a point, one after the other."""
        return self._needed(*self.split(point))

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


def _fixed(variable: Any) -> Any:
    """The same with lengths of dimensions and other data as constants."""
    data = [v for v in graph_inputs([variable]) if isinstance(v, SharedVariable)]
    constant: dict[Any, Any] = {v: pt.constant(v.get_value()) for v in data}
    return graph_replace(variable, constant)


def _programs(
    values: Sequence[Any],
    known: Sequence[Any],
    value: Any,
    needed: Sequence[Any],
) -> tuple[Program, ...]:
    """The log density given likelihoods, what these need, and all slopes given theirs.

    The last that were written out serve again where all is the same but for the trials.
    """
    graph = FrozenFunctionGraph.from_io([*values, *known], [value, *needed])
    written = _WRITTEN.pop(graph, None)
    if written is None:
        pulled = [variable.type() for variable in needed]
        moved = [(slope * variable).sum() for slope, variable in zip(pulled, needed, strict=True)]
        slopes: Any = pytensor.grad(sum(moved, value), list(values), disconnected_inputs="ignore")
        functions = [
            ([*values, *known], [value]),
            (values, needed),
            ([*values, *pulled], slopes),
        ]
        written = tuple(interpreted(functions))
    _WRITTEN[graph] = written
    for old in list(_WRITTEN)[:-_KEPT]:
        _WRITTEN.pop(old, None)
    return written


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
