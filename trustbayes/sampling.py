"""How to draw from a posterior, drawing with nutpie, and the gate that its draws must pass."""

from __future__ import annotations

import ctypes
import os
import platform
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import Any, Literal

import arviz as az
import numpy as np
import nutpie
import pymc as pm
import pytensor
import xarray as xr
from rich.console import Console
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.progress import Watch
from trustbayes.vectorised import vectorised

__all__ = [
    "METHODS",
    "Adaptation",
    "Check",
    "Density",
    "Gate",
    "Method",
    "Sampled",
    "Sampling",
    "compiled",
    "coordinates",
    "exact",
    "gate_of",
    "plain",
    "sample",
    "versions",
]

Method = Literal["nuts", "laplace", "advi"]

METHODS: dict[Method, str] = {
    "nuts": "nutpie NUTS",
    "laplace": "Laplace's approximation",
    "advi": "mean-field ADVI (PyMC)",
}
"""How a posterior can be drawn from, and what that is called."""


@dataclass(frozen=True)
class Sampling:
    """How to sample.

    Parameters
    ----------
    draws, tune, chains : int
        Kept draws and warm-up steps of each chain, and the number of chains.
    seed : int
    target_accept : float
        Between 0 and 1; higher means smaller steps and fewer divergences.
    method : {"nuts", "laplace", "advi"}
        The sampler, or an approximation, to which warm-up and target acceptance do not apply: see
        `trustbayes.approximation.approximate`. No verdict rests on an approximation.
    """

    draws: int = 1000
    tune: int = 500
    chains: int = 4
    seed: int = 20110601
    target_accept: float = 0.9
    method: Method = "nuts"

    def __post_init__(self) -> None:
        for name, least in (("draws", 4), ("tune", 1), ("chains", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                expected = f"a whole number from {least}"
                raise InputError(Fault(f"sampling, {name}", str(value), expected))
        if not 0 < self.target_accept < 1:
            expected = "a number between 0 and 1"
            raise InputError(Fault("sampling, target_accept", str(self.target_accept), expected))
        if self.method not in METHODS:
            expected = suggestion(str(self.method), list(METHODS))
            raise InputError(Fault("sampling, method", str(self.method), expected))

    @property
    def approximates(self) -> bool:
        """Whether the draws are not from the posterior, but from something near it."""
        return self.method != "nuts"


@dataclass(frozen=True)
class Check:
    """One condition of the gate.

    Parameters
    ----------
    name : str
    value : float
        The worst over all population and subject parameters.
    threshold : float
    at_most : bool
        Whether the value must not exceed the threshold, or not fall below it.
    worst : str
        Where the worst value stands.
    """

    name: str
    value: float
    threshold: float
    at_most: bool
    worst: str = ""

    @property
    def passed(self) -> bool:
        """Whether the condition holds; a value that is not a number fails."""
        if not np.isfinite(self.value):
            return False
        return self.value <= self.threshold if self.at_most else self.value >= self.threshold


@dataclass(frozen=True)
class Gate:
    """Whether a fit's draws can be trusted: without it, no verdict.

    Parameters
    ----------
    checks : tuple of Check
    approximation : str
        What the draws are in place of draws from the posterior; empty if they are that. The checks
        are then those that it has, and it passes no gate, whatever they say.
    """

    checks: tuple[Check, ...]
    approximation: str = ""

    @property
    def passed(self) -> bool:
        """Whether every check passed, and the draws are from the posterior."""
        return not self.approximation and all(check.passed for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def why(self) -> tuple[str, ...]:
        """Why it is not passed, in a few words each."""
        first = (f"an approximation: {self.approximation}",) if self.approximation else ()
        return (*first, *(check.name for check in self.failed))


@dataclass(frozen=True, eq=False)
class Sampled:
    """Draws of a PyMC model.

    Parameters
    ----------
    posterior, sample_stats : xarray.Dataset
        With dimensions chain and draw.
    seconds : mapping of str to float
        Spent on ``compile`` and ``sample``.
    points : array, shape (chains, draws, dimension), or None
        The draws as the sampler sees them, if they were asked for: what another run can start
        from.
    check : Check, optional
        What there is to say of an approximation.
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    seconds: Mapping[str, float]
    points: np.ndarray | None = None
    check: Check | None = None


Adaptation = Literal["diag", "draw_diag", "low_rank"]

_OFF = 0.5
"""How far from where chains had best start each of them may, and"""
_CLIMB = 50
"""the steps by which its subjects then climb."""
_KEPT = 8
_COMPILED = threading.local()
"""Models that this thread compiled last, by what they have in common with others."""


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
    with exact(), threadpool_limits(limits=1, user_api="blas"):
        program = compiled(model, pattern)
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
            progress_callback=watch.told,
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


def exact() -> AbstractContextManager[Any]:
    """Compile without fast mathematics.

    Its last digits differ between a model that was compiled and one that was read from cache.
    """
    stack = ExitStack()
    stack.enter_context(pytensor.config.change_flags(numba__fastmath=False))
    stack.enter_context(vectorised())
    return stack


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
    for name, own in places.items():
        population[own] = "subject" not in (model.named_vars_to_dims.get(name) or ())
    density = Density(program)

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = density(point)
        return -value, -np.where(population, 0.0, gradient)

    def start(seed: Any) -> np.ndarray:
        point = np.array(program.initial_point_func(seed))
        rng = np.random.default_rng(seed)
        for name in sorted(near.keys() & places.keys()):
            own = places[name].reshape(-1)  # by a formula, one for all treatments
            middle = near[name] if np.size(near[name]) == own.size else np.mean(near[name])
            point[own] = middle + rng.uniform(-_OFF, _OFF, own.size)
        options = {"maxiter": _CLIMB}
        found = minimize(loss, point, jac=True, method="L-BFGS-B", options=options)
        return found.x if np.isfinite(found.x).all() else point

    return start


class Density:
    """A compiled model's log density and gradient, as the sampler calls them.

    Parameters
    ----------
    program : nutpie.compile_pymc.CompiledPyMCModel
    """

    def __init__(self, program: nutpie.compile_pymc.CompiledPyMCModel) -> None:
        self._program = program  # holds the memory that is pointed to
        kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)
        self._function = kind(program.compiled_logp_func.address)

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Both at a point; minus infinity where there is no density or no slope."""
        point = np.ascontiguousarray(point, dtype=float)
        value, gradient = np.full(1, -np.inf), np.zeros(point.size)
        arrays = (point, gradient, value, self._program.user_data)
        failed = self._function(point.size, *(array.ctypes.data for array in arrays))
        return -np.inf if failed else float(value[0]), gradient


def coordinates(model: pm.Model) -> dict[str, np.ndarray]:
    """Where each free variable of a PyMC model stands among the sampler's coordinates.

    Parameters
    ----------
    model : pymc.Model

    Returns
    -------
    dict of str to array of int
        By name of the variable, in the shape of what is sampled.
    """
    point, found, begin = model.initial_point(), {}, 0
    for value in model.value_vars:
        shape = np.shape(point[value.name])
        size = int(np.prod(shape, dtype=int))
        found[str(model.values_to_rvs[value].name)] = begin + np.arange(size).reshape(shape)
        begin += size
    return found


def compiled(model: pm.Model, pattern: str) -> nutpie.compile_pymc.CompiledPyMCModel:
    """Compile a model, or put its data into one of the same pattern; see `sample`."""
    if not pattern:
        return nutpie.compile_pymc_model(model)
    kept: OrderedDict[str, Any] = _COMPILED.__dict__.setdefault("kept", OrderedDict())
    if pattern not in kept:
        kept[pattern] = model, nutpie.compile_pymc_model(model)
        if len(kept) > _KEPT:
            kept.popitem(last=False)
    kept.move_to_end(pattern)
    first, program = kept[pattern]
    values = {variable.name: variable.get_value() for variable in model.data_vars}
    for variable in first.data_vars:  # chains start where these say
        variable.set_value(values[variable.name])
    needed = {variable.name for variable in program.shared_var_keys}
    return program.with_data(**{name: values[name] for name in needed})


def gate_of(posterior: xr.Dataset, sample_stats: xr.Dataset) -> Gate:
    """The convergence gate over all population and subject parameters.

    R-hat (rank-normalised, Vehtari et al. 2021) at most 1.01, bulk and tail effective sample size
    at least 400, E-BFMI at least 0.3, divergences at most 0.1 % of the draws.

    Parameters
    ----------
    posterior, sample_stats : xarray.Dataset
        With dimensions chain and draw; the latter with ``diverging`` and ``energy``.

    Returns
    -------
    Gate
    """
    # Densities are no parameters, and neither is what is given instead of estimated.
    others = [
        name
        for name, draws in posterior.data_vars.items()
        if str(name).endswith("_unused") or bool((draws == draws[0, 0]).all())
    ]
    posterior = posterior.drop_vars(others)
    rhat = az.rhat(posterior)
    bulk, tail = az.ess(posterior, method="bulk"), az.ess(posterior, method="tail")
    divergent = float(sample_stats["diverging"].mean())
    energy = sample_stats["energy"].to_numpy()
    bfmi = (np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1)
    return Gate(
        (
            Check("R-hat", *_worst(rhat, highest=True, at=1.01)),
            Check("bulk ESS", *_worst(bulk, highest=False, at=400.0)),
            Check("tail ESS", *_worst(tail, highest=False, at=400.0)),
            Check("E-BFMI", float(bfmi.min()), 0.3, False, f"chain {int(bfmi.argmin())}"),
            Check("divergences, share", divergent, 0.001, True),
        )
    )


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    packages = ("trustbayes", "pymc", "pytensor", "nutpie", "numba", "arviz", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def _worst(data: xr.Dataset, *, highest: bool, at: float) -> tuple[float, float, bool, str]:
    """The worst value over all variables, the threshold, its direction, and where it stands."""
    worst, place = (-np.inf if highest else np.inf), ""
    for name, array in data.data_vars.items():
        values = array.to_numpy()
        if np.isnan(values).all():
            continue  # a variable that does not vary
        index = int(np.nanargmax(values) if highest else np.nanargmin(values))
        value = float(values.reshape(-1)[index])
        if (value > worst) if highest else (value < worst):
            where = np.unravel_index(index, values.shape)
            labels = [str(array[d].to_numpy()[i]) for d, i in zip(array.dims, where, strict=True)]
            worst, place = value, f"{name}[{', '.join(labels)}]" if labels else str(name)
    return worst, at, highest, place


def plain(data: xr.Dataset) -> xr.Dataset:
    """Text coordinates as plain strings, nothing in the attributes."""
    data = data.copy()
    data.attrs = {}
    for name in data.coords:
        if data[name].dtype.kind not in "iuf":
            data[name] = data[name].astype(str)
    return data
