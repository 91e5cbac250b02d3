"""Drawing populations: chains of independent proposals round the mode, or NUTS.

Where the posterior of the population is near a normal, as it is with more than a few subjects,
proposals from a Student's t at the mode need no gradient, and all can be evaluated at once. They
are accepted or refused as Metropolis and Hastings say, so that chains have the posterior whatever
the proposal is, and R-hat and effective sample size say how well. Pareto k of the proposals'
weights decides whether that is enough; else NUTS draws, on coordinates that the mode's curvature
has made alike.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import arviz as az
import numpy as np
import nutpie
import xarray as xr
from arviz_stats.base import array_stats
from threadpoolctl import threadpool_limits

from trustbayes.inference.engines.population.density import PopulationDensity
from trustbayes.inference.sampling import Sampling

__all__ = ["PopulationDraws", "draw_by_nuts", "draw_by_proposals", "draw_population"]

_FREEDOM = 6.0  # of the proposals' Student's t
_PROPOSALS = ((0.5, 1), (0.25, 2), (0.0, 5))
"""For each draw that is kept, where at least so large a share of the tried is effective."""
_WARMING = 50  # proposals before the first draw
_GOOD_K = 0.7  # Vehtari et al. (2024), Journal of Machine Learning Research 25(72)
_LEAST = 450  # effective draws of every coordinate
_WIDER = 1.15  # covariance of proposals that have been mended
_TRIED = 1000  # proposals that say whether others are worth it, and if not mend the proposal
_LOOKS = 4
_ACCEPTED = 0.15  # share of proposals
_START = 0.5  # standard deviations that chains start from the mode
_KEPT = ("diverging", "energy", "n_steps", "step_size", "logp")


@dataclass(frozen=True, eq=False)
class PopulationDraws:
    """Draws of a population on the scale on which it is sampled.

    Parameters
    ----------
    points : array, shape (chains, draws, size)
    sample_stats : xarray.Dataset
        With dimensions chain and draw.
    gradients : int
        How often the gradient was evaluated.
    seconds : float
    pareto_k : float, optional
        Where the draws are a proposal's, of its weights.
    acceptance : float, optional
        The share of proposals that was accepted.
    """

    points: np.ndarray
    sample_stats: xr.Dataset
    gradients: int
    seconds: float
    pareto_k: float | None = None
    acceptance: float | None = None


class _Whitened:
    """A density of z, the point being mode + factor z; counts its calls."""

    def __init__(self, density: PopulationDensity, mode: np.ndarray, factor: np.ndarray) -> None:
        self.density, self.mode, self.factor, self.calls = density, mode, factor, 0

    def __call__(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        self.calls += 1
        value, gradient = self.density(self.mode + self.factor @ z)
        return value, self.factor.T @ gradient


def draw_by_nuts(
    density: PopulationDensity,
    mode: np.ndarray,
    covariance: np.ndarray,
    sampling: Sampling,
    cores: int | None = None,
) -> PopulationDraws:
    """Draw with nutpie's NUTS; nothing is compiled.

    Parameters
    ----------
    density : PopulationDensity
    mode : array, shape (size,)
    covariance : array, shape (size, size)
    sampling : Sampling
    cores : int, optional
        Chains at a time; default: as many as the machine has cores.

    Returns
    -------
    PopulationDraws
    """
    started, size = time.perf_counter(), mode.size
    factor = np.linalg.cholesky(covariance)
    target = _Whitened(density, mode, factor)
    program = nutpie.compiled_pyfunc.from_pyfunc(
        size,
        lambda: target,
        lambda *_: _as_draw,
        [np.dtype("float64")],
        [(size,)],
        ["z"],
        make_initial_point_fn=partial(_start, size),
    )
    given: dict[str, Any] = {"cores": cores} if cores else {}
    with threadpool_limits(limits=1, user_api="blas"):
        tree = nutpie.sample(
            program,
            draws=sampling.draws,
            tune=sampling.tune,
            chains=sampling.chains,
            seed=sampling.seed,
            target_accept=sampling.target_accept,
            save_warmup=False,
            progress_bar=False,
            **given,
        )
    z = tree["posterior"].to_dataset()["z"].to_numpy()
    stats = tree["sample_stats"].to_dataset()
    stats = stats[[name for name in _KEPT if name in stats]]
    stats.attrs = {}
    seconds = time.perf_counter() - started
    return PopulationDraws(mode + z @ factor.T, stats, target.calls, seconds)


def _as_draw(z: np.ndarray) -> dict[str, np.ndarray]:
    return {"z": np.array(z)}


def _start(size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=size) * _START


def draw_population(
    density: PopulationDensity,
    mode: np.ndarray,
    covariance: np.ndarray,
    sampling: Sampling,
    cores: int | None = None,
) -> PopulationDraws:
    """Draw by proposals where they are good enough, else by NUTS.

    Parameters
    ----------
    density, mode, covariance, sampling, cores
        As for `draw_by_nuts`.

    Returns
    -------
    PopulationDraws
    """
    draws = draw_by_proposals(density, mode, covariance, sampling, cores)
    if draws is not None:
        return draws
    return draw_by_nuts(density, mode, covariance, sampling, cores)


def draw_by_proposals(
    density: PopulationDensity,
    mode: np.ndarray,
    covariance: np.ndarray,
    sampling: Sampling,
    cores: int | None = None,
) -> PopulationDraws | None:
    """Draw chains of independent proposals.

    Parameters
    ----------
    density, mode, covariance, sampling, cores
        As for `draw_by_nuts`; the warm-up is fixed.

    Returns
    -------
    PopulationDraws or None
        None if the proposals are not good enough.
    """
    started = time.perf_counter()
    size, workers = mode.size, cores or os.cpu_count() or 1
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:

        def evaluated(flat: np.ndarray) -> np.ndarray:
            parts = np.array_split(flat, workers)
            found = pool.map(lambda part: [density.value(point) for point in part], parts)
            return np.array([value for part in found for value in part])

        for look in range(_LOOKS):
            factor = np.linalg.cholesky(covariance)
            rng = np.random.default_rng([sampling.seed, sampling.chains, look])
            tried, proposal = _proposed(rng, mode, factor, _TRIED)
            values = evaluated(tried) - proposal
            good = _pareto_k(values) < _GOOD_K
            if good and (look or _for_each(values) == 1):  # the mode's own needs no mending
                break
            mode, covariance = _moments(tried, values, covariance)
        else:
            return None
        each = _for_each(values)
        steps = _WARMING + each * sampling.draws
        points, proposal = (
            np.empty((sampling.chains, steps, size)),
            np.empty((sampling.chains, steps)),
        )
        uniform = np.empty((sampling.chains, steps))
        for chain in range(sampling.chains):
            rng = np.random.default_rng([sampling.seed, chain])
            points[chain], proposal[chain] = _proposed(rng, mode, factor, steps)
            uniform[chain] = np.log(rng.random(steps))
        values = evaluated(points.reshape(-1, size))
    logs = values.reshape(proposal.shape)
    weights = logs - proposal
    pareto_k = _pareto_k(weights.reshape(-1))
    chosen, accepted = _chains(weights, uniform)
    if pareto_k > _GOOD_K or accepted < _ACCEPTED:
        return None
    kept = chosen[:, _WARMING + each - 1 :: each]
    drawn = np.take_along_axis(points, kept[..., None], axis=1)
    if min(float(az.ess(drawn[..., axis])) for axis in range(size)) < _LEAST:
        return None
    logp = np.take_along_axis(logs, kept, axis=1)
    dims = ("chain", "draw")
    stats = xr.Dataset(
        {
            "diverging": (dims, np.zeros(kept.shape, dtype=bool)),
            "energy": (dims, -logp),
            "n_steps": (dims, np.full(kept.shape, each)),
            "logp": (dims, logp),
        },
        coords={"chain": np.arange(sampling.chains), "draw": np.arange(sampling.draws)},
    )
    return PopulationDraws(drawn, stats, 0, time.perf_counter() - started, pareto_k, accepted)


def _proposed(
    rng: np.random.Generator, mode: np.ndarray, factor: np.ndarray, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Points from a Student's t, and their log density but for a constant."""
    size = mode.size
    z = rng.normal(size=(number, size))
    z *= np.sqrt(_FREEDOM / rng.chisquare(_FREEDOM, size=(number, 1)))
    logs = -0.5 * (_FREEDOM + size) * np.log1p((z**2).sum(axis=1) / _FREEDOM)
    return mode + z @ factor.T, logs


def _for_each(log_weights: np.ndarray) -> int:
    """How many proposals to make for each draw that is kept."""
    weights = np.exp(log_weights - log_weights.max())
    share = weights.sum() ** 2 / (weights**2).sum() / weights.size
    return next(number for least, number in _PROPOSALS if share >= least)


def _moments(
    points: np.ndarray, log_weights: np.ndarray, covariance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance by weights of which none counts for more than a few.

    Where few points bear weight, the covariance is half that found and half the former.
    """
    finite = np.isfinite(log_weights)
    logs = log_weights[finite] - log_weights[finite].max()
    weights = np.exp(logs)
    weights = np.minimum(weights, weights.mean() * np.sqrt(weights.size))  # Ionides (2008)
    weights /= weights.sum()
    mean = weights @ points[finite]
    gap = points[finite] - mean
    found = (gap.T * weights) @ gap
    if 1 / (weights**2).sum() < 20 * mean.size:
        found = 0.5 * (found + covariance)
    return mean, _WIDER * found


def _chains(weights: np.ndarray, uniform: np.ndarray) -> tuple[np.ndarray, float]:
    """Which proposal each chain stands at after each step, and the share that was accepted."""
    chosen, accepted = np.zeros(weights.shape, dtype=int), 0
    for chain in range(len(weights)):
        # A chain starts at the first proposal that is not absurd, and forgets it while it warms.
        at = int(weights[chain, :_WARMING].argsort()[_WARMING // 2])
        for step in range(weights.shape[1]):
            if uniform[chain, step] < weights[chain, step] - weights[chain, at]:
                at, accepted = step, accepted + 1
            chosen[chain, step] = at
    return chosen, accepted / weights.size


def _pareto_k(log_weights: np.ndarray) -> float:
    """Of the largest weights; infinite where too few are finite."""
    finite = log_weights[np.isfinite(log_weights)]
    if finite.size < 100:
        return np.inf
    gap = np.maximum(log_weights, finite.max() - 700) - finite.max()
    return float(array_stats.psislw(-gap)[1])
