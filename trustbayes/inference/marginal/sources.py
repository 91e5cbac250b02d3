"""What a draw brings into the likelihood of a subject besides her own effects."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trustbayes.inference.marginal.population import Population
from trustbayes.priors.links import LINK_OF_SUPPORT

__all__ = ["Interpolant", "Source", "sources_of"]

_KNOTS = 12


@dataclass(frozen=True)
class Source:
    """A number for each draw and treatment that bears on the likelihood of given effects.

    Parameters
    ----------
    name : str
        Of the parameter.
    support : str
    shared : bool
        Whether it is a parameter that all subjects share; else the gap between a treatment and
        the mean of a subject's treatments.
    simple : bool
        Whether it is one number a treatment, so that it can be interpolated in.
    separable : bool
        Whether trials of a treatment depend on that number of their treatment alone: not where
        people carry over what they learn.
    """

    name: str
    support: str
    shared: bool
    simple: bool
    separable: bool = True

    def exposures(self, population: Population) -> np.ndarray:
        """The numbers on the scale of the link, shape (draws, subjects or 1, treatments)."""
        if not self.shared:
            [effect] = [e for e in population.effects if e.parameter.name == self.name]
            return effect.gap(slice(0, population.size))[..., 0]
        array = population.data[self.name].to_numpy()
        array = array.reshape(population.size, 1, -1)
        treatments = len(population.units.treatments)
        linked = LINK_OF_SUPPORT[self.support].forward(array)
        return np.broadcast_to(linked, (population.size, 1, treatments))

    def posed(self, reference: Population, exposures: np.ndarray) -> Population:
        """The reference population with these exposures, as many draws as they have."""
        posed = reference.of_draws(np.zeros(len(exposures), dtype=int))
        if not self.shared:
            shape = (len(exposures), len(reference.units.subjects), exposures.shape[-1])
            gaps = np.broadcast_to(exposures, shape)
            effects = tuple(
                replace(effect, gaps=gaps) if effect.parameter.name == self.name else effect
                for effect in posed.effects
            )
            return replace(posed, effects=effects)
        dims = posed.data[self.name].dims
        natural = LINK_OF_SUPPORT[self.support].inverse(exposures[:, 0])
        natural = natural if len(dims) > 1 else natural[:, 0]
        return replace(posed, data=posed.data.assign({self.name: (dims, natural)}))


def sources_of(population: Population) -> tuple[Source, ...]:
    """Everything that could differ between draws."""
    sources = []
    of_subjects = {effect.parameter.name: effect for effect in population.effects}
    for parameter in population.model.parameters:
        effect = of_subjects.get(parameter.name)
        if parameter.support == "simplex" or (effect is not None and not effect.by_treatment):
            continue
        shared, simple = effect is None, parameter.option is None
        separable = not population.model.learns
        sources.append(Source(parameter.name, parameter.support, shared, simple, separable))
    return tuple(sources)


class Interpolant:
    """Log likelihood at nodes common to all draws, interpolated in what differs between draws.

    The trials of each treatment depend on the draw through one number. In it their log likelihood
    is interpolated by a polynomial at Chebyshev points between the draws' extremes (Berrut and
    Trefethen 2004, SIAM Review 46(3)).

    Parameters
    ----------
    population, reference : Population
    source : Source
    coordinates : array, shape (1, nodes, subjects, width)
    type_index : int or None
        The subjects' type.
    """

    def __init__(
        self,
        population: Population,
        reference: Population,
        source: Source,
        coordinates: np.ndarray,
        type_index: int | None,
    ) -> None:
        exposures = source.exposures(population)
        low, high = exposures.min(axis=0), exposures.max(axis=0)
        line = 0.5 - 0.5 * np.cos(np.pi * np.arange(_KNOTS) / (_KNOTS - 1))
        knots = low + (high - low) * line[:, None, None]
        posed = source.posed(reference, knots)
        at = np.broadcast_to(coordinates, (_KNOTS, *coordinates.shape[1:]))
        units = population.units
        self._shape = coordinates.shape[1:3]
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        sign = (-1.0) ** np.arange(_KNOTS)
        sign[[0, -1]] *= 0.5
        for treatment in np.unique(units.unit_treatment):
            keep = np.unique(units.unit_subject[units.unit_treatment == treatment])
            part = posed.of_subjects(keep, int(treatment))
            logs = part.log_likelihood(at[:, :, keep], slice(0, _KNOTS), type_index)
            span = np.maximum(high - low, 1e-12)[..., treatment]
            place = (exposures[..., treatment] - low[..., treatment]) / span
            gap = place[..., None] - line
            near = np.abs(gap) < 1e-12
            weights = sign / np.where(near, 1.0, gap)
            exact = near.any(axis=-1, keepdims=True)
            weights = np.where(exact, near, weights)
            weights /= weights.sum(axis=-1, keepdims=True)
            weights = weights if weights.shape[1] == 1 else weights[:, keep]
            self._parts.append((keep, logs.transpose(2, 0, 1).copy(), weights))

    def __call__(self, rows: slice) -> np.ndarray:
        """Shape (rows, nodes, subjects)."""
        nodes, subjects = self._shape
        total = np.zeros((subjects, rows.stop - rows.start, nodes))
        for keep, logs, weights in self._parts:
            total[keep] += weights[rows].swapaxes(0, 1) @ logs
        return total.transpose(1, 2, 0)
