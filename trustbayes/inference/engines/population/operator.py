"""The tabulated likelihood as one term of a PyMC model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.marginal import Marginal, PopulationValue

__all__ = ["MarginalLogLikelihood", "apply_to"]


class MarginalLogLikelihood(Op):
    """Log likelihood of all trials given the population, and its slopes in every input.

    The inputs are, by effect, its locations and the other arguments of its family; the logs of the
    types' shares; and what the trials are exposed to. Tables may take each other's place while the
    graph stays.

    Parameters
    ----------
    layout : Layout
    marginal : Marginal, optional
        Default: to be set before it is used.
    """

    def __init__(self, layout: Layout, marginal: Marginal | None = None) -> None:
        self.layout, self.marginal = layout, marginal
        self.sources = tuple(layout.sources())

    def make_node(self, *inputs: Any) -> Apply:
        """One output for the value, and one for each slope."""
        given = [pt.as_tensor(value).astype("float64") for value in inputs]
        return Apply(self, given, [pt.dscalar(), *[variable.type() for variable in given]])

    def perform(self, node: Apply, inputs: Sequence[Any], outputs: Any) -> None:
        """Evaluate."""
        value, slopes = self.value_and_slopes(inputs)
        outputs[0][0] = np.asarray(value)
        for output, slope in zip(outputs[1:], slopes, strict=True):
            output[0] = np.asarray(slope, dtype=float)

    def value_and_slopes(self, inputs: Sequence[Any]) -> tuple[float, list[Any]]:
        """The value, and its slope in every input; minus infinity where no table reaches."""
        assert self.marginal is not None
        population = self.population(inputs)
        value, slopes = self.marginal.value_and_slopes(population)
        return (value if self.marginal.reaches(population) else -np.inf), self.flat(slopes)

    def value(self, *inputs: Any) -> float:
        """The value without its slopes."""
        assert self.marginal is not None
        population = self.population(inputs)
        if not self.marginal.reaches(population):
            return -np.inf
        return float(self.marginal.by_subject(population).sum())

    def pullback(self, inputs: Any, outputs: Any, gradients: Any) -> list[Variable]:
        """By the slopes, which are there already."""
        return [gradients[0] * slope for slope in outputs[1:]]

    def population(self, inputs: Sequence[Any]) -> PopulationValue:
        """The inputs' values as a population."""
        given = iter(inputs)
        location, shape = [], []
        for effect in self.layout.effects:
            location.append(np.asarray(next(given)))
            shape.append({key: float(next(given)) for key in effect.arguments})
        log_shares = np.asarray(next(given))
        exposures = {name: np.asarray(next(given)) for name in self.sources}
        return PopulationValue(tuple(location), tuple(shape), log_shares, exposures)

    def flat(self, population: PopulationValue) -> list[Any]:
        """A population's values in the order of the inputs."""
        values: list[Any] = []
        for effect, location, shape in zip(
            self.layout.effects, population.location, population.shape, strict=True
        ):
            values += [location, *[shape[key] for key in effect.arguments]]
        return [*values, population.log_shares, *[population.exposures[n] for n in self.sources]]


def apply_to(
    operator: MarginalLogLikelihood,
    location: Mapping[str, Any],
    shape: Mapping[str, Mapping[str, Any]],
    log_shares: Any,
    exposures: Mapping[str, Any],
) -> Any:
    """Apply the likelihood to variables of a PyMC model.

    Parameters
    ----------
    operator : MarginalLogLikelihood
    location : mapping of str to PyTensor variable, shape (locations,)
    shape : mapping of str to mapping of str to PyTensor variable or float
    log_shares : PyTensor variable, shape (1 or subjects, types)
    exposures : mapping of str to PyTensor variable, shape (exposures,)

    Returns
    -------
    PyTensor variable, scalar
    """
    inputs: list[Any] = []
    for effect in operator.layout.effects:
        inputs += [location[effect.name], *[shape[effect.name][k] for k in effect.arguments]]
    inputs += [log_shares, *[exposures[name] for name in operator.sources]]
    inputs = [pt.as_tensor(value).astype("float64") for value in inputs]
    made: Any = operator(*inputs)
    return made[0]
