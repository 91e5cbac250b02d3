"""One measurement of the benchmark of speed, in a process of its own.

    python benchmarks/measure.py TASK.json RESULT.json

The task names a function of this module under "what" and gives its arguments; what it returns is
written with the process's peak of memory.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import nutpie
import pymc as pm
import xarray as xr
from rows import rows_of

import trustbayes as tb
from trustbayes.files import write_whole
from trustbayes.inference.engines.compiled import Density, exact
from trustbayes.models.graph import build_units
from trustbayes.models.parametrisation.pilot import pilot

SEED = 20110601
POPULATION = {
    "trust-embedded": {
        "sender": ("lying_aversion_mu", "lying_aversion_sigma", "lying_aversion", "expected_trust"),
        "receiver": ("trust_mu", "trust_sigma", "trust"),
    },
    "level-k": {"sender": ("level_share",), "receiver": ("level_share",)},
}
PRECISION = ("response_precision_mean", "response_precision_shape", "response_precision")
BATCHES, EVALUATIONS = 31, 50


def main() -> None:
    task = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    xr.DataArray([0.0])  # with the first one, xarray imports all kinds of array that it may hold
    measured = globals()[task.pop("what")](**task)
    # Linux counts in KiB, macOS in bytes; of worker processes the largest.
    unit = 1 if sys.platform == "darwin" else 1024
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, _CHILDREN)]
    measured["memory"] = unit * max(peaks)
    write_whole({Path(sys.argv[2]): json.dumps(measured)})


_CHILDREN = resource.RUSAGE_CHILDREN


def sampled(
    engine: str,
    name: str,
    role: str,
    trials: str,
    game: str,
    draws: int,
    tune: int,
    chains: int,
    again: int,
) -> dict[str, Any]:
    """Fit one model once; ``again`` is the number of the run, each of which has its own seed.

    Returns
    -------
    dict
        Seconds of compilation (all but sampling) and sampling, gradients, the smallest bulk and
        tail ESS and the largest R-hat over population and subject parameters.
    """
    how = {"draws": draws, "tune": tune, "chains": chains, "seed": SEED + again}
    return _sampled(engine, tb.read_trials(trials, game), name, role, how)[0]


def _sampled(
    engine: str, data: tb.Trials, name: str, role: str, how: Mapping[str, int]
) -> tuple[dict[str, Any], xr.Dataset]:
    """As `sampled`, and the draws."""
    started = time.perf_counter()
    posterior, gradients, seconds = _ENGINES[engine](data, name, role, how)
    whole = time.perf_counter() - started
    kept = posterior[[*PRECISION, *POPULATION[name][role]]]
    timing = {"compile": whole - seconds, "sample": seconds, "gradients": gradients}
    return {**timing, **smallest(kept)}, kept


def smallest(posterior: xr.Dataset) -> dict[str, float]:
    """The worst ESS and R-hat of all variables."""
    parts = {
        "bulk": az.ess(posterior, method="bulk"),
        "tail": az.ess(posterior, method="tail"),
        "rhat": az.rhat(posterior),
    }
    # A chain that stands still has no ESS: that counts as none, not as unknown.
    least = {
        what: min(float(v.fillna(0.0).min()) for v in parts[what].data_vars.values())
        for what in ("bulk", "tail")
    }
    return {**least, "rhat": max(float(v.max()) for v in parts["rhat"].data_vars.values())}


Run = tuple[xr.Dataset, float | None, float]
"""Posterior, number of gradients, seconds of sampling."""


def _trustbayes(data: tb.Trials, name: str, role: Any, how: Mapping[str, int]) -> Run:
    trees, original = [], nutpie.sample

    def sample(*given: Any, **settings: Any) -> Any:  # with the warm-up's steps
        running = original(*given, **{**settings, "save_warmup": True})
        wait = running.wait

        def waited() -> Any:
            trees.append(wait())
            return trees[-1]

        running.wait = waited
        return running

    nutpie.sample = sample
    try:
        model = tb.model(name, role, data.game)
        fit = tb.fit(model, data, tb.Sampling(**how, method="nuts"), progress=False)
    finally:
        nutpie.sample = original
    return fit.posterior, sum(map(_steps, trees)), fit.manifest["seconds"]["sample"]


def _nutpie(data: tb.Trials, name: str, role: Any, how: Mapping[str, int]) -> Run:
    from naive_pymc import MODELS

    compiled = nutpie.compile_pymc_model(MODELS[name, role](rows_of(data, role)))
    started = time.perf_counter()
    cores = how["chains"]
    tree = nutpie.sample(compiled, progress_bar=False, cores=cores, **how)
    seconds = time.perf_counter() - started
    return tree["posterior"].to_dataset(), _steps(tree), seconds


def _pymc(data: tb.Trials, name: str, role: Any, how: Mapping[str, int]) -> Run:
    from naive_pymc import MODELS

    return _pymc_sampled(MODELS[name, role](rows_of(data, role)), how)


def _discrete(data: tb.Trials, name: str, role: Any, how: Mapping[str, int]) -> Run:
    from naive_pymc import level_k_sampled

    return _pymc_sampled(level_k_sampled(rows_of(data, role)), how)


def _pymc_sampled(model: pm.Model, how: Mapping[str, int]) -> Run:
    settings = {name: value for name, value in how.items() if name != "seed"}
    with model:
        tree = pm.sample(
            **settings,
            cores=how["chains"],
            random_seed=how["seed"],
            nuts_sampler="pymc",
            progressbar=False,
            discard_tuned_samples=False,
            compute_convergence_checks=False,
            quiet=True,
        )
    return (
        tree["posterior"].to_dataset(),
        _steps(tree),
        float(tree["posterior"].attrs["sampling_time"]),
    )


def _numpyro(data: tb.Trials, name: str, role: Any, how: Mapping[str, int]) -> Run:
    import numpyro

    numpyro.set_host_device_count(how["chains"])
    import jax
    from naive_numpyro import MODELS
    from numpyro.infer import MCMC, NUTS

    sampler = MCMC(
        NUTS(MODELS[name, role]),
        num_warmup=how["tune"],
        num_samples=how["draws"],
        num_chains=how["chains"],
        progress_bar=False,
    )
    rows, key, fields = rows_of(data, role), jax.random.PRNGKey(how["seed"]), ("num_steps",)
    # NumPyro compiles within its runs: JAX says how long it traced, lowered and compiled.
    compiled: list[float] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, duration, **_: compiled.append(duration * ("/compile/" in event))
    )
    begun = time.perf_counter()
    sampler.warmup(key, rows, extra_fields=fields, collect_warmup=True)
    steps = int(np.sum(sampler.get_extra_fields()["num_steps"]))
    sampler.run(sampler.post_warmup_state.rng_key, rows, extra_fields=fields)
    draws = {n: np.asarray(v) for n, v in sampler.get_samples(group_by_chain=True).items()}
    seconds = time.perf_counter() - begun - sum(compiled)
    steps += int(np.sum(sampler.get_extra_fields()["num_steps"]))
    variables = {
        n: (("chain", "draw", *(f"{n}_{axis}" for axis in range(v.ndim - 2))), v)
        for n, v in draws.items()
    }
    return xr.Dataset(variables), steps, seconds


_ENGINES: dict[str, Callable[..., Run]] = {
    "trustbayes": _trustbayes,
    "nutpie": _nutpie,
    "pymc": _pymc,
    "discrete": _discrete,
    "numpyro": _numpyro,
}


def _steps(tree: Any) -> int:
    """Gradients of a run with its warm-up."""
    stats = [tree[part] for part in ("sample_stats", "warmup_sample_stats") if part in tree]
    return sum(int(s["n_steps" if "n_steps" in s else "tree_size"].sum()) for s in stats)


def limited(name: str, role: Any, trials: str, game: str) -> dict[str, Any]:
    """Time one gradient of trustbayes and of the hand-written kernel, in turns.

    Returns
    -------
    dict
        Median seconds of each, and the median of their ratio over batches.
    """
    from limit_kernel import limit

    data = tb.read_trials(trials, game)
    model, units = tb.model(name, role, data.game), data.fold(role).by_design()
    information = pilot(model, units, data.game)
    ours, start = compiled(build_units(model, units, data.game, information))
    kernel = limit(name, units, data.game, information)
    rng = np.random.default_rng(SEED)
    point = start + 0.1 * rng.normal(size=start.size)
    space = np.zeros(point.size)
    pairs = []
    for _ in range(BATCHES):
        pairs.append((timed(lambda: ours(point)), timed(lambda: kernel(point, space))))
    seconds = np.array(pairs)[1:]  # the first compiles
    return {
        "trustbayes": float(np.median(seconds[:, 0])),
        "kernel": float(np.median(seconds[:, 1])),
        "ratio": float(np.median(seconds[:, 0] / seconds[:, 1])),
    }


def timed(call: Callable[[], Any], times: int = EVALUATIONS) -> float:
    """Seconds of one call, from several."""
    begun = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - begun) / times


def compiled(model: pm.Model) -> tuple[Density, np.ndarray]:
    """A model's density as trustbayes has nutpie compile it, and where a chain may start."""
    with exact():
        program = nutpie.compile_pymc_model(model)
    return Density(program), np.asarray(program.initial_point_func(SEED))


def grown(
    name: str, role: Any, trials: str, game: str, draws: int, tune: int, chains: int
) -> dict[str, Any]:
    """Time one gradient on trials of some size, and a fit; with the population's moments."""
    data = tb.read_trials(trials, game)
    model, units = tb.model(name, role, data.game), data.fold(role).by_design()
    seconds = _gradient_seconds(build_units(model, units, data.game))
    del units  # the fit makes its own
    how = {"draws": draws, "tune": tune, "chains": chains, "seed": SEED}
    fit, kept = _sampled("trustbayes", data, name, role, how)
    return {**fit, "gradient": seconds, "population": moments(kept)}


def summed_out(name: str, role: Any, trials: str, game: str) -> dict[str, Any]:
    """Time the population engine; with the population's moments."""
    data, how = tb.read_trials(trials, game), tb.Sampling(method="population", seed=SEED)
    fit = tb.fit(tb.model(name, role, data.game), data, how, progress=False)
    return {
        "compile": 0.0,
        "sample": sum(fit.manifest["seconds"].values()),
        "population": moments(fit.posterior[[*PRECISION, *POPULATION[name][role]]]),
    }


def moments(posterior: xr.Dataset) -> dict[str, list[list[float]]]:
    """Means and standard deviations of what is not a subject's own, by name."""
    by_name = {}
    for name, draws in posterior.data_vars.items():
        if "subject" in draws.dims:
            continue
        values = draws.to_numpy().reshape(draws.sizes["chain"] * draws.sizes["draw"], -1)
        by_name[str(name)] = [values.mean(axis=0).tolist(), values.std(axis=0).tolist()]
    return by_name


def _gradient_seconds(model: pm.Model) -> float:
    gradient, start = compiled(model)
    once = timed(lambda: gradient(start), 3)
    times = max(3, min(EVALUATIONS, int(0.2 / once)))
    return float(np.median([timed(lambda: gradient(start), times) for _ in range(9)]))


def simulated(game: str, name: str, subjects: int, rounds: int, out: str) -> dict[str, Any]:
    """Write the trials of a simulated experiment: both roles play by one theory."""
    read = tb.read_game(game)
    played = tb.simulate(
        read,
        sender=tb.model(name, "sender", read),
        receiver=tb.model(name, "receiver", read),
        subjects=subjects,
        rounds=rounds,
        seed=SEED,
    )
    write_whole({Path(out): played.trials.to_csv(index=False)})
    return {}


if __name__ == "__main__":
    main()
