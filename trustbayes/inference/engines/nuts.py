"""Draws from a PyMC model's posterior, by nutpie's NUTS."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import nutpie
import pymc as pm
from rich.console import Console
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from trustbayes.inference.engines.compiled import (
    PROGRAMS,
    Density,
    Sampled,
    coordinates,
    exact,
    plain,
)
from trustbayes.inference.progress import Watch
from trustbayes.inference.sampling import Sampling

__all__ = ["Adaptation", "sample"]

Adaptation = Literal["diag", "draw_diag", "low_rank"]

_OFF = 0.5
"""How far a chain may start from where chains had best start."""

_CLIMB = 50
"""Steps by which the subjects of a chain climb before it starts."""


def sample(
    model: pm.Model,
    sampling: Sampling,
    *,
    progress: bool = True,
    cores: int | None = None,
    pattern: str = "",
    adaptation: Adaptation = "diag",
    starts: np.ndarray | None = None,
    near: Mapping[str, np.ndarray] | None = None,
    points: bool = False,
) -> Sampled:
    """Draw from a PyMC model's posterior with nutpie's NUTS.

    Parameters
    ----------
    model : pymc.Model
    sampling : Sampling
    progress : bool
        Whether to show a progress bar.
    cores : int, optional
        Chains at a time; default: as many as the machine has cores.
    pattern : str
        The same for models that differ only in their data variables and in the labels of their
        coordinates: compiled once, they are sampled many times. Default: not to be reused.
    adaptation : {"diag", "draw_diag", "low_rank"}
        To what the sampler adapts: scales of parameters, by draws and gradients; scales by draws
        alone, for many coordinates that are alike already and a few others that depend on each
        other; or correlations between parameters too, which takes fewer steps, but each
        adaptation costs as much as thousands of cheap gradients.
    starts : array, shape (n, dimension), optional
        Points of another run of the same model, of which each chain starts from one.
    near : mapping of str to array, optional
        Where chains had best start, by name of a variable of the population, on the scale on
        which it is sampled: each chain starts a little off, and its subjects where they are likely
        then. A chain that starts with the data against it may settle far from all others, where a
        region of little probability holds it. Default: chains start anywhere.
    points : bool
        Whether to give the draws as another run can start from them.

    Returns
    -------
    Sampled
    """
    started = time.perf_counter()
    # Chains run side by side: a product's own threads would only wait for each other.
    with (
        exact(),
        threadpool_limits(limits=1, user_api="blas"),
        PROGRAMS.program(model, pattern) as program,
    ):
        if starts is not None:
            program = replace(program, initial_point_func=partial(_one_of, starts))
        elif near:
            program = replace(program, initial_point_func=_starter(model, program, near))
        ready = time.perf_counter()
        steps = sampling.chains * (sampling.tune + sampling.draws)
        notebook = progress and Console().is_jupyter  # where the sampler has a display of its own
        watch = Watch(steps, sampling.tune, progress and not notebook)
        running = nutpie.sample(
            program,
            draws=sampling.draws,
            tune=sampling.tune,
            chains=sampling.chains,
            cores=min(sampling.chains, cores or os.cpu_count() or 1),
            seed=sampling.seed,
            target_accept=sampling.target_accept,
            adaptation=adaptation,
            save_warmup=False,
            store_unconstrained=points,
            progress_bar=notebook,
            progress_callback=watch.notice,
            blocking=False,
        )
        tree = watch.wait(running, program.n_dim)
    seconds = {"compile": ready - started, "sample": time.perf_counter() - ready}
    stats = tree["sample_stats"].to_dataset()
    kept = ["diverging", "energy", "n_steps", "step_size", "logp"]
    posterior = tree["posterior"].to_dataset()
    labels = {name: list(values) for name, values in model.coords.items() if name in posterior.dims}
    return Sampled(
        posterior=plain(posterior.assign_coords(labels)),
        sample_stats=plain(stats[[name for name in kept if name in stats]]),
        seconds=seconds,
        points=stats["unconstrained_draw"].to_numpy() if points else None,
    )


def _one_of(points: np.ndarray, seed: Any) -> np.ndarray:
    """The one that a chain's seed falls upon."""
    return np.asarray(points[np.random.default_rng(seed).integers(len(points))])


def _starter(
    model: pm.Model,
    program: nutpie.compile_pymc.CompiledPyMCModel,
    near: Mapping[str, np.ndarray],
) -> Callable[[Any], np.ndarray]:
    """From a chain's seed to where it starts: see `sample`.

    Subjects climb (L-BFGS) while the population stays where it is: where its spreads are zero,
    and all subjects alike, the density of a hierarchy is infinite.
    """
    places, population = coordinates(model), np.ones(program.n_dim, dtype=bool)
    for name, place in places.items():
        population[place] = "subject" not in (model.named_vars_to_dims.get(name) or ())
    density = Density(program)

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = density(point)
        return -value, -np.where(population, 0.0, gradient)

    def start(seed: Any) -> np.ndarray:
        point = np.array(program.initial_point_func(seed))
        rng = np.random.default_rng(seed)
        for name in sorted(near.keys() & places.keys()):
            at = places[name].reshape(-1)  # by a formula, one for all treatments
            middle = near[name] if np.size(near[name]) == at.size else np.mean(near[name])
            point[at] = middle + rng.uniform(-_OFF, _OFF, at.size)
        options = {"maxiter": _CLIMB}
        optimum = minimize(loss, point, jac=True, method="L-BFGS-B", options=options)
        return optimum.x if np.isfinite(optimum.x).all() else point

    return start
