"""From what experiments say to the population that they come from: the second stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from trustbayes.games import Role
from trustbayes.inference.engines.population.density import highest_point
from trustbayes.inference.engines.population.sampler import draw_by_nuts
from trustbayes.inference.fit import Fit
from trustbayes.inference.gate import gate_of
from trustbayes.inference.sampling import Sampling
from trustbayes.models.covariates import Known
from trustbayes.models.formula import Formula
from trustbayes.pooling.common_scales import APART, CommonScale, common_scales
from trustbayes.pooling.coordinates import EvenCoordinates
from trustbayes.pooling.density import Hyperpriors, PooledDensity
from trustbayes.pooling.likelihoods import Evidence, evidence_of
from trustbayes.pooling.population import PooledPopulation

__all__ = ["between_scales", "evidence_from", "pool_evidence", "shared_scales"]


def shared_scales(
    fits: Mapping[str, Fit], parameters: Sequence[str] | None = None
) -> dict[str, CommonScale]:
    """The numbers of a theory that two fits or more have on a common scale; all of a single fit's.

    Parameters
    ----------
    fits : mapping of str to Fit
        By experiment.
    parameters : sequence of str, optional
        Those of these parameters alone.

    Returns
    -------
    dict of str to CommonScale
        By label.
    """
    scales: dict[str, CommonScale] = {}
    count: dict[str, int] = {}
    for fit in fits.values():
        for scale in common_scales(fit.model):
            known = parameters is None or scale.parameter in parameters
            if known and scale.exists(len(fit.units.treatments)):
                scales.setdefault(scale.label, scale)
                count[scale.label] = count.get(scale.label, 0) + 1
    least = min(2, len(fits))
    return {label: scale for label, scale in scales.items() if count[label] >= least}


def evidence_from(fit: Fit, scales: Mapping[str, CommonScale]) -> Evidence | None:
    """What a fit says of the numbers that have a population of experiments; None if of none."""
    treatments = len(fit.units.treatments)
    held = [s for s in common_scales(fit.model) if s.label in scales and s.exists(treatments)]
    if not held:
        return None
    draws = np.column_stack([scale.values(fit.posterior) for scale in held])
    return evidence_of(held, draws, treatments)


def between_scales(spreads: np.ndarray, between: float) -> np.ndarray:
    """Scales of the half-normal priors of spreads between experiments.

    They are as given, on log or logit scales, but of a number whose prior in one experiment is
    narrower than 1 so much less: experiments are not believed to differ by more than that.

    Parameters
    ----------
    spreads : array
        Standard deviations of the priors in one experiment.
    between : float

    Returns
    -------
    array

    Examples
    --------
    >>> between_scales(np.array([1.5, 0.5]), 0.8)
    array([0.8, 0.4])
    """
    return np.asarray(between * np.minimum(1.0, spreads))


def pool_evidence(
    model: str,
    role: Role,
    evidence: Mapping[str, Evidence],
    scales: Mapping[str, CommonScale],
    *,
    formulas: Mapping[str, Formula] | None = None,
    covariates: Mapping[str, Mapping[str, float | str]] | None = None,
    between: float = 1.0,
    sampling: Sampling | None = None,
    cores: int | None = None,
    unseen: Sequence[str] = (),
) -> PooledPopulation:
    r"""Estimate the population that experiments come from.

    .. math:: \psi_e \sim N(\mu + X_e \gamma, \tau), \qquad y_e \sim p(y_e \mid \psi_e)

    Each experiment's likelihood is a sum of normal forms fitted to the draws of its own fit, see
    `trustbayes.pooling.likelihoods`, so that ψ is integrated out exactly; NUTS draws μ, log τ and
    γ. What an experiment's model has besides keeps its own prior.

    Parameters
    ----------
    model : str
    role : "sender" or "receiver"
    evidence : mapping of str to Evidence
        By experiment.
    scales : mapping of str to CommonScale
        The numbers that have a population, by label.
    formulas : mapping of str to Formula, optional
        By parameter, how its location depends on covariates of experiments.
    covariates : mapping of str to mapping of str to float or str, optional
        Of each experiment.
    between : float
        Scale of the half-normal prior of each spread between experiments, see `between_scales`.
    sampling : Sampling, optional
    cores : int, optional
    unseen : sequence of str
        Experiments of which only the covariates are known.

    Returns
    -------
    PooledPopulation

    References
    ----------
    Lunn, Barrett, Sweeting and Thompson (2013), JRSS C 62(4), for fits of single studies as the
    first stage of a fit of all; Gelman (2006), Bayesian Analysis 1(3), for half-normal priors of
    spreads between few groups.
    """
    sampling = sampling or Sampling()
    names = [*evidence, *unseen]
    moments = np.array([scale.moments(1) for scale in scales.values()])
    designs, columns = _designs(scales, formulas or {}, covariates or {}, names)
    nothing = Evidence(
        (), np.zeros(1), np.zeros((1, 0)), np.zeros((1, 0, 0)), np.zeros((0, 0)), np.zeros(0)
    )
    every = [*evidence.values(), *[nothing for _ in unseen]]
    means, spreads = moments.T
    priors = Hyperpriors(means, spreads, between_scales(spreads, between))
    density = PooledDensity(list(scales), every, designs, priors)
    target: Any = EvenCoordinates(density, every)  # has what the engine's own densities have
    mode, covariance = highest_point(target, target.start)
    drawn = draw_by_nuts(target, mode, covariance, sampling, cores)
    drawn_points = target.points(drawn.points)
    chains, size = drawn_points.shape[:2]
    points = drawn_points.reshape(chains * size, -1)
    each = density.draw_experiments(points, np.random.default_rng(sampling.seed))
    pooled, log_spread, slopes = density.split(drawn_points)
    labels = [f"{label}: {column}" for label, held in columns.items() for column in held]
    posterior = xr.Dataset(
        {
            "mean": (("chain", "draw", "number"), pooled),
            "spread": (("chain", "draw", "number"), np.exp(log_spread)),
            "population": (
                ("chain", "draw", "experiment", "number"),
                each.reshape(chains, size, len(names), -1),
            ),
            **(
                {"effect": (("chain", "draw", "column"), np.concatenate(slopes, axis=-1))}
                if labels
                else {}
            ),
        },
        coords={
            "chain": np.arange(chains),
            "draw": np.arange(size),
            "number": list(scales),
            "experiment": names,
            **({"column": labels} if labels else {}),
        },
    )
    return PooledPopulation(
        model=model,
        role=role,
        experiments=tuple(names),
        scales=dict(scales),
        evidence=dict(evidence),
        columns=columns,
        density=density,
        posterior=posterior,
        gate=gate_of(posterior, drawn.sample_stats),
        points=points,
    )


def _designs(
    scales: Mapping[str, CommonScale],
    formulas: Mapping[str, Formula],
    covariates: Mapping[str, Mapping[str, float | str]],
    names: Sequence[str],
) -> tuple[dict[str, np.ndarray], dict[str, tuple[str, ...]]]:
    """By label of a location with a formula: the design, and the names of its columns."""
    designs, columns = {}, {}
    for label, scale in scales.items():
        formula = formulas.get(scale.parameter)
        if formula is None or scale.statistic in ("spread", APART) or not formula.has_slopes:
            continue
        known_of = [
            at for at, name in enumerate(names) if set(formula.covariates) <= set(covariates[name])
        ]
        people = {n: tuple(covariates[names[at]][n] for at in known_of) for n in formula.covariates}
        known = replace(formula, known=Known(people, (), ()))
        designs[label] = np.zeros((len(names), len(known.columns)))  # of others: average ones
        designs[label][known_of] = known.matrix(known.people())
        columns[label] = known.columns
    return designs, columns
