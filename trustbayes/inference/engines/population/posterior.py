"""Fit a model's population and give its posterior in the form of every other fit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from trustbayes.games import Game
from trustbayes.inference.engines.population.coinciding import coinciding_types
from trustbayes.inference.engines.population.engine import (
    Integration,
    Prepared,
    measured,
    prepare_units,
    refined,
)
from trustbayes.inference.engines.population.left_out import LeftOut, left_out
from trustbayes.inference.engines.population.people import draw_subjects
from trustbayes.inference.engines.population.sampler import PopulationDraws, draw_population
from trustbayes.inference.sampling import Sampling
from trustbayes.models.model import Model
from trustbayes.trials.units import Units

__all__ = ["PopulationPosterior", "posterior_of", "sample_population"]


@dataclass(frozen=True, eq=False)
class PopulationPosterior:
    """Draws of a population and its subjects.

    Parameters
    ----------
    posterior, sample_stats : xarray.Dataset
        With dimensions chain and draw; natural standardised values under their names, subjects'
        own parameters included.
    log_likelihood : array, shape (draws, subjects)
        Log likelihood of each subject's trials given the population alone, over all chains: what
        leave-one-subject-out rests on.
    kinds : array of int, shape (draws, subjects)
        The type that each subject was drawn to be.
    integration : Integration
    seconds : mapping of str to float
    gradients : int
    pareto_k, acceptance : float or None
        Of the proposals, where the draws are not NUTS's: Pareto k, and the share accepted.
    coinciding : tuple of tuple of str
        Types that make the same choices, see
        `trustbayes.inference.engines.population.coinciding.coinciding_types`.
    left_out : mapping of str to mapping of str to LeftOut
        By unit and label: who was left out by draws of their own.
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    log_likelihood: np.ndarray
    kinds: np.ndarray
    integration: Integration
    seconds: Mapping[str, float]
    gradients: int
    pareto_k: float | None = None
    acceptance: float | None = None
    coinciding: tuple[tuple[str, ...], ...] = ()
    left_out: Mapping[str, Mapping[str, LeftOut]] = field(default_factory=dict)


def sample_population(
    model: Model,
    game: Game,
    units: Units,
    sampling: Sampling | None = None,
    cores: int | None = None,
) -> PopulationPosterior:
    """Fit a model to trials, subjects integrated out and drawn afterwards.

    Parameters
    ----------
    model : Model
    game : Game
    units : Units
        Trials of the model's role.
    sampling : Sampling, optional
    cores : int, optional
        Default: as many as the machine has.

    Returns
    -------
    PopulationPosterior

    Raises
    ------
    InputError
        See `trustbayes.inference.engines.population.engine.build_population`.
    """
    sampling = sampling or Sampling()
    prepared = prepare_units(model, game, units)
    draws = draw_population(prepared.density, prepared.adapted, sampling, cores)
    prepared = measured(prepared, _flat(draws))
    if not prepared.integration.fine:  # the posterior lies elsewhere than the proposals said
        seconds = dict(prepared.seconds)
        prepared = replace(refined(prepared, _flat(draws)), seconds=seconds)
        draws = draw_population(prepared.density, prepared.adapted, sampling, cores)
        prepared = measured(prepared, _flat(draws))
    return posterior_of(prepared, draws, sampling.seed)


def _flat(draws: PopulationDraws) -> np.ndarray:
    return draws.points.reshape(-1, draws.points.shape[-1])


def posterior_of(prepared: Prepared, draws: PopulationDraws, seed: int) -> PopulationPosterior:
    """Name a population's draws, and draw subjects' own parameters."""
    started = time.perf_counter()
    chains, size, width = draws.points.shape
    points = draws.points.reshape(-1, width)
    layout, model = prepared.layout, prepared.graph.model
    variables = [*model.free_RVs, *model.deterministics]
    data = {}
    for variable, values in zip(variables, prepared.density.many(points, variables), strict=True):
        names = model.named_vars_to_dims.get(variable.name)
        dims = names or [f"{variable.name}_dim_{axis}" for axis in range(variable.ndim)]
        shape = (chains, size, *np.shape(values)[1:])
        data[variable.name] = (("chain", "draw", *dims), np.asarray(values).reshape(shape))
    with threadpool_limits(limits=1, user_api="blas"):
        subjects, kinds, by_subject = draw_subjects(prepared, points, seed)
    for effect in layout.effects:
        values = subjects[effect.name]
        second = effect.parameter.option or "treatment"
        dims = ["subject", second][: values.ndim - 1]
        shape = (chains, size, *values.shape[1:])
        data[effect.name] = (("chain", "draw", *dims), values.reshape(shape))
    used = {dim for dims, _ in data.values() for dim in dims}
    known = {n: v for n, v in model.coords.items() if n in used and v is not None}
    coords: dict[str, Any] = {n: list(map(str, v)) for n, v in known.items()}
    coords |= {"chain": np.arange(chains), "draw": np.arange(size)}
    spent = {"sample": draws.seconds, "subjects": time.perf_counter() - started}
    started = time.perf_counter()
    coinciding = coinciding_types(layout) if layout.model.types else ()
    without = left_out(prepared, points, by_subject, seed)
    spent["left out"] = time.perf_counter() - started
    return PopulationPosterior(
        posterior=xr.Dataset(data, coords=coords),
        sample_stats=draws.sample_stats,
        log_likelihood=by_subject,
        kinds=kinds,
        integration=prepared.integration,
        seconds={**prepared.seconds, **spent},
        gradients=draws.gradients,
        pareto_k=draws.pareto_k,
        acceptance=draws.acceptance,
        coinciding=coinciding,
        left_out=without,
    )
