"""The likelihood of all trials given the population alone, its slopes, and subjects' parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trustbayes.inference.engines.population.axes import Densities
from trustbayes.inference.engines.population.kernels import add_to_densities, log_marginals
from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.tables import Source, Tables

__all__ = ["Marginal", "PopulationValue", "Terms"]

_FLOOR = -1e4  # of logs of shares
_NO_CEILING = 1e300  # densities have none; choices have a probability of at most one


@dataclass(frozen=True, eq=False)
class PopulationValue:
    """One population, as the tables need it.

    Parameters
    ----------
    location : tuple of array, shape (locations,)
        By effect, on the scale of the link.
    shape : tuple of mapping of str to float
        By effect, the family's other arguments.
    log_shares : array, shape (1 or subjects, types)
    exposures : mapping of str to array, shape (exposures,)
        On the scale of the link, by parameter.
    """

    location: tuple[np.ndarray, ...]
    shape: tuple[Mapping[str, float], ...]
    log_shares: np.ndarray
    exposures: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Terms:
    """What is worked out on the way to the likelihood.

    Parameters
    ----------
    by_subject : array, shape (subjects,)
        Log marginal likelihood of each subject's trials.
    by_type : array, shape (subjects, types)
        Probability of each type given the population and the subject's trials.
    chance : array, shape (nodes,)
        Probability of each node within its row.
    densities : tuple of Densities
    part_slope : array, shape (parts,)
    """

    by_subject: np.ndarray
    by_type: np.ndarray
    chance: np.ndarray
    densities: tuple[Densities, ...]
    part_slope: np.ndarray


class Marginal:
    """Log likelihood of trials given the population, subjects' parameters integrated out.

    Parameters
    ----------
    layout : Layout
    tables : Tables
    """

    def __init__(self, layout: Layout, tables: Tables) -> None:
        self.layout, self.tables = layout, tables

    @property
    def nodes(self) -> float:
        """Mean number of nodes of a subject and type."""
        return self.tables.nodes_per_row

    @property
    def sources(self) -> tuple[Source, ...]:
        """What exposes trials to numbers between knots."""
        return self.tables.sources

    @property
    def megabytes(self) -> float:
        """Of the tables."""
        return self.tables.bytes / 2**20

    def terms(
        self, population: PopulationValue, slopes: bool = True, exposed: bool = False
    ) -> Terms:
        """Subjects' log marginal likelihoods and what led to them.

        Parameters
        ----------
        population : PopulationValue
        slopes, exposed : bool
            Whether slopes of the densities are needed, and those in exposures.

        Returns
        -------
        Terms
        """
        tables = self.tables
        rows = len(tables.start) - 1
        densities = tuple(
            axes.densities(effect.family, location, shape, slopes)
            for axes, effect, location, shape in zip(
                tables.axes, self.layout.effects, population.location, population.shape, strict=True
            )
        )
        flat = [d.logs.reshape(-1) for d in densities]
        density = np.concatenate(flat) if flat else np.zeros(1)
        first, weights, drops = self._taps(population)
        logs = tables.logs
        if tables.direct:
            logs = logs.copy()
            for nodes, direct in tables.direct:
                logs[nodes] += direct.logs(population.exposures)
        marginal = np.empty(rows)
        chance = np.empty(tables.logs.size)
        part_slope = np.empty(tables.part_exposure.size if exposed else 0)
        log_marginals(
            tables.start,
            logs,
            tables.place,
            density,
            tables.offset,
            tables.spot,
            tables.part_start,
            tables.part_exposure,
            tables.part_base,
            tables.table,
            first,
            weights,
            drops,
            _NO_CEILING if self.layout.units.continuous else 0.0,
            0,
            rows,
            marginal,
            chance,
            part_slope,
        )
        joint = marginal.reshape(tables.types, tables.subjects).T
        joint = joint + np.maximum(self._of_members(population.log_shares), _FLOOR)
        top = joint.max(axis=1, keepdims=True)
        by_type = np.exp(joint - top)
        total = by_type.sum(axis=1, keepdims=True)
        by_subject = (np.log(total) + top)[:, 0]
        return Terms(by_subject, by_type / total, chance, densities, part_slope)

    def reaches(self, population: PopulationValue) -> bool:
        """Whether the tables reach a population's exposures; else they know nothing of it."""
        return not any(s.knots.outside(population.exposures[s.name]).any() for s in self.sources)

    def by_subject(self, population: PopulationValue) -> np.ndarray:
        """Log marginal likelihood of each subject's trials, shape (subjects,)."""
        return self.terms(population, slopes=False).by_subject

    def value_and_slopes(self, population: PopulationValue) -> tuple[float, PopulationValue]:
        """Log likelihood of all trials and its slopes, in the form of a population.

        Parameters
        ----------
        population : PopulationValue

        Returns
        -------
        value : float
        slopes : PopulationValue
        """
        tables, terms = self.tables, self.terms(population, exposed=True)
        share = np.ascontiguousarray(terms.by_type.T).reshape(-1)
        begins = tables.axis_start
        weight = np.zeros(max(1, int(begins[-1])))
        add_to_densities(
            tables.start,
            tables.place,
            tables.offset,
            terms.chance,
            share,
            0,
            share.size,
            weight,
        )
        location, shape = [], []
        for e, (density, values) in enumerate(
            zip(terms.densities, population.location, strict=True)
        ):
            part = weight[begins[e] : begins[e + 1]].reshape(density.logs.shape)
            by_location, by_argument = density.pullback(part, values.size)
            location.append(by_location)
            shape.append(by_argument)
        exposures = {name: np.zeros_like(v) for name, v in population.exposures.items()}
        if tables.part_exposure.size:
            rows = np.repeat(np.arange(share.size), np.diff(tables.part_start))
            total = sum(s.knots.exposures for s in tables.sources)
            by_exposure = np.bincount(
                tables.part_exposure, weights=share[rows] * terms.part_slope, minlength=total
            )
            for source in tables.sources:
                size = source.knots.exposures
                exposures[source.name] += by_exposure[source.first : source.first + size]
        for nodes, direct in tables.direct:
            begin, end = np.searchsorted(tables.start, [nodes.start, nodes.stop])
            rows = np.repeat(share[begin:end], np.diff(tables.start[begin : end + 1]))
            for name, slope in direct.pullback(rows * terms.chance[nodes]).items():
                exposures[name] += slope
        by_share = np.zeros(population.log_shares.shape)
        if len(by_share) == 1:
            by_share[0] = terms.by_type.sum(axis=0)
        else:
            by_share[self.layout.members] = terms.by_type
        slopes = PopulationValue(tuple(location), tuple(shape), by_share, exposures)
        return float(terms.by_subject.sum()), slopes

    def _of_members(self, log_shares: np.ndarray) -> np.ndarray:
        return log_shares if len(log_shares) == 1 else log_shares[self.layout.members]

    def _taps(self, population: PopulationValue) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        parts = [s.knots.taps(population.exposures[s.name]) for s in self.tables.sources]
        if not parts:
            return np.zeros(1, dtype=np.int64), np.zeros((1, 6)), np.zeros((1, 6))
        first, weights, slopes = (np.concatenate(p) for p in zip(*parts, strict=True))
        return first.astype(np.int64), weights, slopes
