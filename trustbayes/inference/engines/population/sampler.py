"""Drawing populations: chains of independent proposals round the mode, or NUTS.

Proposals that are near the posterior of the population need no gradient, and all can be evaluated
at once. They are accepted or refused as Metropolis and Hastings say, so that chains have the
posterior whatever the proposal is, and R-hat and effective sample size say how well. Pareto k of
the proposals' weights decides whether that is enough; if not, proposals are fitted to what was
drawn, and at last NUTS draws, on coordinates that the posterior's covariance has made alike.
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
from threadpoolctl import threadpool_limits

from trustbayes.inference.engines.population.density import PopulationDensity
from trustbayes.inference.engines.population.proposals import Adapted, Proposal
from trustbayes.inference.gate import GOOD_K
from trustbayes.inference.sampling import Sampling
from trustbayes.numerics.pareto import pareto_k

__all__ = [
    "PopulationDraws",
    "draw_by_nuts",
    "draw_by_proposals",
    "draw_population",
    "evaluated",
]

_LEAST_SHARE = 0.08  # of the tried that is effective, below which gradients cost less
_EACH = (1, 2, 3, 5, 8)
"""Proposals for each draw that is kept, one after the other until chains agree; from the second
where less than half of them is effective, from the fourth where less than a quarter is. A chain
that stays where a proposal is rare makes tails rarer than shares say."""
_STARTS = ((0.5, 1), (0.25, 2), (0.0, 5))
_FITTED = 2
"""Times at most that proposals are fitted to their own draws, where the largest weights are too
rare or chains do not agree: most such posteriors have a tail that the few draws before did not
show, and gradients for NUTS cost more than as many proposals."""
_WARMING = 50  # proposals before the first draw: chains of independent ones forget at once
_LEAST = 450  # effective draws of every coordinate: the gate's 400 and some room
_LEAST_OF_DRAWS = 0.11  # where so few are asked for that 450 cannot be: 450 of 4,000
_APART = 3.5
"""R-hat at most is 1 plus that over the effective draws asked for, or 1.008 of 450: chance alone
goes beyond the gate's 1.01 with so few, and shares of types, made of several coordinates, beyond
the largest of these."""
_START = 0.5  # standard deviations that chains of NUTS start from the mode
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
    density: PopulationDensity, adapted: Adapted, sampling: Sampling, cores: int | None = None
) -> PopulationDraws:
    """Draw by proposals where they are good enough, else by NUTS.

    Parameters
    ----------
    density : PopulationDensity
    adapted : Adapted
    sampling : Sampling
    cores : int, optional

    Returns
    -------
    PopulationDraws
    """
    draws = draw_by_proposals(density, adapted, sampling, cores)
    if draws is not None:
        return draws
    middle = adapted.weights @ adapted.points
    return draw_by_nuts(density, middle, adapted.covariance, sampling, cores)


def evaluated(
    density: PopulationDensity, points: np.ndarray, cores: int | None = None
) -> np.ndarray:
    """Log density at many points, shape (points,)."""
    workers = cores or os.cpu_count() or 1
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        parts = np.array_split(points, workers)
        densities = pool.map(lambda part: [density.value(point) for point in part], parts)
        return np.array([value for part in densities for value in part])


def draw_by_proposals(
    density: PopulationDensity, adapted: Adapted, sampling: Sampling, cores: int | None = None
) -> PopulationDraws | None:
    """Draw chains of independent proposals.

    Parameters
    ----------
    density, adapted, sampling, cores
        As for `draw_population`; the warm-up is fixed.

    Returns
    -------
    PopulationDraws or None
        None if the proposals are not good enough.
    """
    if not adapted.good or adapted.share < _LEAST_SHARE:
        return None
    rng = np.random.default_rng([sampling.seed, sampling.chains])
    for _ in range(_FITTED + 1):
        chains = _Proposals(density, adapted.proposal, sampling, cores)
        first = next(number for share, number in _STARTS if adapted.share >= share)
        for each in _EACH[_EACH.index(first) :]:
            draws = chains.draws(each)
            assert draws.pareto_k is not None
            if draws.pareto_k > GOOD_K:
                break
            if _agree(draws.points, sampling):
                return draws
        flat = chains.points.reshape(-1, chains.points.shape[-1])
        adapted = adapted.learning_from(flat, chains.logs.reshape(-1), rng)
    return None


def _agree(points: np.ndarray, sampling: Sampling) -> bool:
    """Whether chains have what the gate asks for, in the worst coordinate."""
    least = min(_LEAST, _LEAST_OF_DRAWS * sampling.draws * sampling.chains)
    if _least_effective(points) < least:
        return False
    return sampling.chains == 1 or float(az.rhat(_named(points))["x"].max()) <= 1 + _APART / least


def _least_effective(points: np.ndarray) -> float:
    """The gate's effective draws, of the bulk and of the tails, of the worst coordinate."""
    return min(float(az.ess(_named(points), method=m)["x"].min()) for m in ("bulk", "tail"))


def _named(points: np.ndarray) -> xr.Dataset:
    return xr.Dataset({"x": (("chain", "draw", "coordinate"), points)})


class _Proposals:
    """Chains of independent proposals, and as many more as are asked for.

    Attributes
    ----------
    points : array, shape (chains, steps, size)
    logs : array, shape (chains, steps)
        Log density of the proposals.
    """

    def __init__(
        self,
        density: PopulationDensity,
        proposal: Proposal,
        sampling: Sampling,
        cores: int | None,
    ) -> None:
        self.density, self.proposal = density, proposal
        self.sampling, self.cores = sampling, cores
        self.seconds, number = 0.0, sampling.chains
        self.rngs = [np.random.default_rng([sampling.seed, chain]) for chain in range(number)]
        self.points = np.zeros((number, 0, proposal.means.shape[1]))
        self.logs, self.weights, self.uniform = (np.zeros((number, 0)) for _ in range(3))

    def _extended(self, steps: int) -> None:
        """Propose until there are so many for each chain."""
        more = steps - self.logs.shape[1]
        points = np.array([self.proposal.draw(rng, more) for rng in self.rngs])
        uniform = np.log([rng.random(more) for rng in self.rngs])
        flat = points.reshape(-1, points.shape[-1])
        logs = evaluated(self.density, flat, self.cores).reshape(-1, more)
        weights = logs - self.proposal.log_density(flat).reshape(-1, more)
        self.points = np.concatenate([self.points, points], axis=1)
        self.logs = np.concatenate([self.logs, logs], axis=1)
        self.weights = np.concatenate([self.weights, weights], axis=1)
        self.uniform = np.concatenate([self.uniform, uniform], axis=1)

    def draws(self, each: int) -> PopulationDraws:
        """Chains of so many proposals for each draw."""
        started = time.perf_counter()
        self._extended(_WARMING + each * self.sampling.draws)
        k = pareto_k(self.weights.reshape(-1))
        chosen, accepted = _chains(self.weights, self.uniform)
        kept = chosen[:, _WARMING + each - 1 :: each]
        drawn = np.take_along_axis(self.points, kept[..., None], axis=1)
        logp = np.take_along_axis(self.logs, kept, axis=1)
        dims = ("chain", "draw")
        stats = xr.Dataset(
            {
                "diverging": (dims, np.zeros(kept.shape, dtype=bool)),
                "energy": (dims, -logp),
                "n_steps": (dims, np.full(kept.shape, each)),
                "logp": (dims, logp),
            },
            coords={name: np.arange(size) for name, size in zip(dims, kept.shape, strict=True)},
        )
        self.seconds += time.perf_counter() - started
        return PopulationDraws(drawn, stats, 0, self.seconds, k, accepted)


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
