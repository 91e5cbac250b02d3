"""Approximations in place of draws from a posterior: Laplace's, and mean-field ADVI."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pymc as pm
from rich.console import Console

from trustbayes.errors import Fault, InputError
from trustbayes.inference.engines.advi import _GAP, _advi
from trustbayes.inference.engines.compiled import (
    PROGRAMS,
    Density,
    Sampled,
    coordinates,
    drawn,
    exact,
)
from trustbayes.inference.engines.laplace import Arrow, NoMode, find_mode
from trustbayes.inference.gate import Check
from trustbayes.inference.sampling import Sampling

__all__ = ["approximate"]

_WIDEST = 300
"""Population variables of which second derivatives are taken."""


def approximate(
    model: pm.Model, sampling: Sampling, *, progress: bool = True, pattern: str = ""
) -> Sampled:
    r"""Draw from a distribution that is near a PyMC model's posterior.

    - "laplace": normal, in the unconstrained coordinates that NUTS would use, for the population,
      whose subjects are integrated out by Laplace's method, and for each subject given the
      population; see `trustbayes.inference.engines.laplace`. It assumes that each subject's density
      has one mode and is nearly normal around it, and so is the population's, which more subjects
      bring about. Where subjects say little each, or lie at an end (those who never lie, however
      much they could gain), spreads of the population come out too small. Its check is by how much
      the population's log density differs from a normal's, in standard deviation over draws.
    - "advi": normal with all coordinates independent, fitted by PyMC's stochastic gradients
      (Kucukelbir et al. 2017, Journal of Machine Learning Research 18(14)). It neglects how
      subjects and population hang together, so intervals of the population come out much too
      narrow. Its check is whether the bound still rises at the end.

    Parameters
    ----------
    model : pymc.Model
    sampling : Sampling
        With a method other than "nuts". Draws are independent; chains are a shape only, and
        neither warm-up nor target acceptance bears on them.
    progress : bool
        Whether to show progress.
    pattern : str
        See `trustbayes.inference.engines.nuts.sample`.

    Returns
    -------
    Sampled
        Without statistics of the sampler and without points; with the check.

    Raises
    ------
    InputError
        If the model cannot be approximated so; says why.
    """
    with exact():
        if sampling.method == "laplace":
            return _laplace(model, sampling, progress, pattern)
        return _advi(model, sampling, progress)


def _laplace(model: pm.Model, sampling: Sampling, progress: bool, pattern: str) -> Sampled:
    started = time.perf_counter()
    with PROGRAMS.program(model, pattern) as program:
        return _laplace_of(model, program, sampling, progress, started)


def _laplace_of(
    model: pm.Model, program: Any, sampling: Sampling, progress: bool, started: float
) -> Sampled:
    ready = time.perf_counter()
    arrow = _arrow(model)
    if len(arrow.population) > _WIDEST:
        found = f"{len(arrow.population)} variables that are no subject's own"
        expected = f"at most {_WIDEST}: name the dimension subject where variables have it"
        raise InputError(Fault("method laplace", found, expected))

    given = model.initial_point()
    start = np.concatenate([np.ravel(given[value.name]) for value in model.value_vars])

    console = Console(stderr=True, quiet=not progress)
    try:
        with console.status("Laplace: searching the mode"):
            mode = find_mode(Density(program), arrow, start, sampling.seed)
    except NoMode as error:
        expected = "a posterior with one: sample it (method nuts)"
        raise InputError(Fault("method laplace", f"no mode: {error}", expected)) from None
    rng = np.random.default_rng(sampling.seed)
    shape = sampling.chains, sampling.draws
    wanted = {variable.name for variable in model.unobserved_RVs}
    places = {
        name: (place, tuple(map(int, size)))
        for name, place, size in zip(*program.shape_info, strict=True)
        if name in wanted
    }
    arrays = {name: np.empty((*shape, *size)) for name, (_, size) in places.items()}
    for chain, draw in np.ndindex(shape):
        [expanded] = program.expand_func(mode.draw(rng))
        for name, (place, size) in places.items():
            arrays[name][chain, draw] = expanded[place].reshape(size)
    check = Check("distance from a normal density, nats", mode.gap, _GAP, True, "the population")
    seconds = {"compile": ready - started, "approximate": time.perf_counter() - ready}
    return drawn(model, arrays, seconds, check)


def _arrow(model: pm.Model) -> Arrow:
    """Which of the sampler's coordinates belong to subjects, and to whom."""
    population, subjects = [np.empty(0, dtype=int)], []
    count = len(model.coords.get("subject") or ())
    for name, places in coordinates(model).items():
        dims = model.named_vars_to_dims.get(name) or ()
        axis = dims.index("subject") if "subject" in dims else None
        if axis is not None and axis < places.ndim and places.shape[axis] == count:
            subjects.append(np.moveaxis(places, axis, 0).reshape(count, -1))
        else:
            population.append(places.reshape(-1))
    own = np.concatenate(subjects, axis=1) if subjects else np.empty((count, 0), dtype=int)
    return Arrow(np.concatenate(population), own)
