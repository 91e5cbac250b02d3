"""Where a new subject's integrals have their mass, for every draw of the population."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trustbayes.inference.marginal.adaptation import adapted
from trustbayes.inference.marginal.population import Population
from trustbayes.inference.marginal.sources import Source, sources_of
from trustbayes.numerics.quadrature import Rule, cloud, lattice, point
from trustbayes.numerics.spacing import spaced

__all__ = ["Site", "rules", "site"]

_PROBES = 4


@dataclass(frozen=True, eq=False)
class Site:
    """What the trials of each subject say about her effects, as a normal density.

    Multiplied with a normal for the population of any draw it tells where the integrand has its
    mass (the "sites" of expectation propagation). It only places nodes: the integrals are those
    of the exact densities.

    Parameters
    ----------
    type_index : int or None
        Position of the type; None for a model without types.
    active : array of bool, shape (width,)
        Coordinates that bear on the likelihood; the others integrate to one.
    sources : tuple of Source
        What else of a draw bears on the likelihood.
    precision : array, shape (subjects, active, active)
    shift : array, shape (subjects, active)
        Precision times mean.
    stretch : array, shape (subjects, active, active)
        Applied to the scale, where the trials make it wider than the population's.
    """

    type_index: int | None
    active: np.ndarray
    sources: tuple[Source, ...]
    precision: np.ndarray
    shift: np.ndarray
    stretch: np.ndarray

    @property
    def width(self) -> int:
        """Number of active coordinates."""
        return int(self.active.sum())

    def of_subjects(self, keep: np.ndarray) -> Site:
        """For some of the subjects, given by their positions."""
        parts = (self.precision[keep], self.shift[keep], self.stretch[keep])
        return Site(self.type_index, self.active, self.sources, *parts)

    def moments(self, population: Population, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of the integrand, near enough to place nodes.

        Returns
        -------
        mean : array, shape (rows, subjects, active)
        covariance : array, shape (rows, subjects, active, active)
        """
        mean, variance = (part[..., self.active] for part in population.moments(rows))
        inner = self.precision + np.eye(self.width) / variance[..., None, :]
        covariance = np.linalg.inv(inner)
        centre = (covariance @ (self.shift + mean / variance)[..., None])[..., 0]
        return centre, self.stretch @ covariance @ self.stretch.swapaxes(-1, -2)


def site(population: Population, reference: Population, type_index: int | None) -> Site:
    """Find the site of each subject under one type at a reference population.

    Parameters
    ----------
    population, reference : Population
        All draws, and one population in their midst.
    type_index : int or None

    Returns
    -------
    Site
    """
    active, sources = _probe(population, reference, type_index)
    subjects, width = len(population.units.subjects), int(active.sum())
    if not width:
        none = np.zeros((subjects, 0, 0))
        return Site(type_index, active, sources, none, np.zeros((subjects, 0)), none)
    single = slice(0, 1)
    prior, variance = (part[0][:, active] for part in reference.moments(single))
    mean, covariance = (part[0] for part in adapted(reference, single, type_index, active))
    spread = np.sqrt(variance)
    scaled = np.linalg.inv(covariance) * spread[:, :, None] * spread[:, None, :]
    size, direction = np.linalg.eigh(scaled - np.eye(width))
    kept = (direction * np.maximum(size, 0)[:, None, :]) @ direction.swapaxes(-1, -2)
    precision = kept / spread[:, :, None] / spread[:, None, :]
    total = precision + np.eye(width) / variance[:, None, :]
    shift = (total @ mean[..., None])[..., 0] - prior / variance
    narrow = np.linalg.cholesky(np.linalg.inv(total))
    stretch = np.linalg.cholesky(covariance) @ np.linalg.inv(narrow)
    return Site(type_index, active, sources, precision, shift, stretch)


def _probe(
    population: Population, reference: Population, type_index: int | None
) -> tuple[np.ndarray, tuple[Source, ...]]:
    """Which coordinates bear on the likelihood, and what else of a draw does."""
    single = slice(0, 1)
    active = np.zeros(population.width, dtype=bool)
    rng = np.random.default_rng(0)
    if population.width:
        mean, variance = reference.moments(single)
        noise = rng.normal(size=(1, _PROBES, *mean.shape[1:]))
        at = mean[:, None] + 0.7 * np.sqrt(variance)[:, None] * noise
    else:
        at = np.zeros((1, 1, len(population.units.subjects), 0))
    base = reference.log_likelihood(at, single, type_index)
    slack = 1e-9 * (1 + np.abs(base))
    for place in population.places():
        moved = at.copy()
        moved[..., place] += np.sqrt(variance)[:, None, :, place] * rng.normal(
            size=moved[..., place].shape
        )
        gap = np.abs(reference.log_likelihood(moved, single, type_index) - base)
        active[place] = (gap > slack).any()
    rows = spaced(population.size, _PROBES)
    sources = []
    for source in sources_of(population):
        if source.simple:
            posed = source.posed(reference, source.exposures(population.of_draws(rows)))
        else:
            values = population.data[source.name].to_numpy()[rows]
            posed = reference.of_draws(np.zeros(rows.size, dtype=int))
            dims = posed.data[source.name].dims
            posed = replace(posed, data=posed.data.assign({source.name: (dims, values)}))
        spread = np.broadcast_to(at, (rows.size, *at.shape[1:]))
        gap = np.abs(posed.log_likelihood(spread, slice(0, rows.size), type_index) - base)
        if (gap > slack).any():
            sources.append(source)
    return active, tuple(sources)


def rules(site: Site) -> tuple[tuple[Rule, bool], ...]:
    """Rules to try in turn, each with whether its nodes are common to all draws."""
    width, sources = site.width, site.sources
    few = len(sources) < 2 and all(s.simple and s.separable for s in sources)
    if width == 0:
        return ((point(), not site.sources),)
    if width == 1:
        common = [lattice(1, 0.2, 5.0), lattice(1, 0.1, 6.0)]
        by_draw = [lattice(1, 0.8, 4.4), lattice(1, 0.4, 4.8), lattice(1, 0.15, 5.4)]
    elif width == 2:
        common = [lattice(2, 0.45, 4.8), lattice(2, 0.3, 5.6), lattice(2, 0.2, 6.4)]
        by_draw = [lattice(2, 0.7, 4.6), lattice(2, 0.45, 5.0), lattice(2, 0.25, 5.6)]
    else:
        common, by_draw = [cloud(width, 1024)], [cloud(width, 128), cloud(width, 1024)]
    if few:
        return (*((rule, True) for rule in common), (by_draw[-1], False))
    return tuple((rule, False) for rule in by_draw)
