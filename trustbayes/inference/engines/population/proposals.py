"""Proposals that learn where a posterior lies: mixtures of Student's t, by rounds of weighting.

The first is a single t at the mode. What its draws weigh says where the posterior is; another
proposal is put there, and all draws so far are weighed against the mixture of all proposals that
made them (Cornuet et al. 2012, Scandinavian Journal of Statistics 39(4)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from trustbayes.inference.gate import GOOD_K
from trustbayes.numerics.pareto import pareto_k

__all__ = ["Adapted", "Proposal", "adapted", "effective"]

_FREEDOM = 6.0
"""Of Student's t: its tails fall as slowly as those of a posterior at the end of a range, and a
normal posterior in ten dimensions still makes half of its draws effective."""
_ROUNDS = (500, 1000, 1000, 1500, 1500, 1500)  # draws
_SINGLE = 2
"""Rounds whose proposal is one t; then there are some 1,500 weighted points, of which each of
the components has hundreds."""
_COMPONENTS = 4
_STEPS = 8  # of expectation and maximisation, which near the end change less than the next round
_WIDER = 1.15  # covariance of a t that has been fitted: too wide costs little, too narrow much
_SHARED = 0.15  # of each component's covariance is that of all, so that none collapses
_BETTER_K = 0.5
"""Pareto k below which weights have a variance (Vehtari et al. 2024): no more rounds are needed, if
so large a share of the draws is effective that a chain of proposals moves at every second step:"""
_ENOUGH = 0.45
_GROWTH = 1.1  # of that share by one more round: a proposal that gains less will gain little


@dataclass(frozen=True, eq=False)
class Proposal:
    """A mixture of Student's t.

    Parameters
    ----------
    means : array, shape (components, size)
    factors : array, shape (components, size, size)
        Triangular: of the scale matrices.
    logs : array, shape (components,)
        Of the components' weights.
    """

    means: np.ndarray
    factors: np.ndarray
    logs: np.ndarray

    @classmethod
    def single(cls, mean: np.ndarray, covariance: np.ndarray) -> Proposal:
        """Of one t."""
        return cls(mean[None], np.linalg.cholesky(covariance)[None], np.zeros(1))

    @classmethod
    def fitted_to(
        cls, points: np.ndarray, log_weights: np.ndarray, rng: np.random.Generator
    ) -> Proposal:
        """Of weighted points, shapes (n, size) and (n,), the largest weights being cut off."""
        weights = np.exp(log_weights - log_weights.max())
        covariance = np.cov(points.T).reshape(points.shape[1], -1)
        return _fitted(points, _truncated(weights), covariance, _COMPONENTS, rng)

    def mixed_with(self, other: Proposal) -> Proposal:
        """Half this, half another one; the last factor is this one's."""
        half = np.log(0.5)
        return Proposal(
            np.concatenate([other.means, self.means]),
            np.concatenate([other.factors, self.factors]),
            np.concatenate([half + other.logs, half + self.logs]),
        )

    def draw(self, rng: np.random.Generator, number: int) -> np.ndarray:
        """Draw points, shape (number, size)."""
        size = self.means.shape[1]
        component = rng.choice(self.logs.size, size=number, p=np.exp(self.logs))
        z = rng.normal(size=(number, size))
        z *= np.sqrt(_FREEDOM / rng.chisquare(_FREEDOM, size=(number, 1)))
        return self.means[component] + np.einsum("nij,nj->ni", self.factors[component], z)

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Log density but for a constant, shape (points,)."""
        size, parts = self.means.shape[1], []
        for mean, factor, log in zip(self.means, self.factors, self.logs, strict=True):
            z = np.linalg.solve(factor, (points - mean).T)
            kernel = -0.5 * (_FREEDOM + size) * np.log1p((z**2).sum(axis=0) / _FREEDOM)
            parts.append(log + kernel - np.log(np.diag(factor)).sum())
        return np.asarray(logsumexp(parts, axis=0))


@dataclass(frozen=True, eq=False)
class Adapted:
    """A proposal, and what was learnt of the posterior on the way.

    Parameters
    ----------
    proposal : Proposal
    points : array, shape (draws, size)
        Of all rounds.
    values : array, shape (draws,)
        Their log density.
    weights : array, shape (draws,)
        Of the points; they add up to one.
    pareto_k : float
        Of the weights in the last round.
    share : float
        Of the last round's draws that is effective.
    """

    proposal: Proposal
    points: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    pareto_k: float
    share: float

    @property
    def good(self) -> bool:
        """Whether the weights can be relied on."""
        return self.pareto_k < GOOD_K

    def resampled(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """Draws from the posterior, as far as it is known; shape (number, size)."""
        return self.points[rng.choice(len(self.points), size=number, p=self.weights)]

    @property
    def likely(self) -> np.ndarray:
        """Points so high that all but a ten thousandth of a normal posterior were higher."""
        half = 0.5 * self.points.shape[1]
        return self.points[self.values > self.values.max() - half - 4 * np.sqrt(half) - 3]

    def learning_from(
        self, points: np.ndarray, values: np.ndarray, rng: np.random.Generator
    ) -> Adapted:
        """With a proposal that is fitted to draws of this one, which showed where it falls short.

        Parameters
        ----------
        points : array, shape (draws, size)
        values : array, shape (draws,)
            Their log density.
        rng : numpy.random.Generator

        Returns
        -------
        Adapted
            Its Pareto k and share are still those of the draws.
        """
        logs = values - self.proposal.log_density(points)
        weights = np.exp(logs - logs.max())
        weights /= weights.sum()
        proposal = _fitted(points, _truncated(weights), self.covariance, _COMPONENTS, rng)
        k, share = pareto_k(logs), effective(logs)
        return Adapted(proposal, points, values, weights, k, share)

    @property
    def covariance(self) -> np.ndarray:
        """Of the posterior, as far as it is known; where few points say it, of the proposal, too.

        Of one or two points that have nearly all the weight there is no covariance at all.
        """
        mean, whole = _moments(self.points, self.weights)
        if _too_few(self.weights, mean.size):
            return 0.5 * (whole + self.proposal.factors[-1] @ self.proposal.factors[-1].T)
        return whole


def adapted(
    evaluate: Callable[[np.ndarray], np.ndarray], start: Proposal, rng: np.random.Generator
) -> Adapted:
    """Find a proposal that is near a posterior.

    Parameters
    ----------
    evaluate : callable
        From points, shape (n, size), to log densities, shape (n,).
    start : Proposal
        The first.
    rng : numpy.random.Generator

    Returns
    -------
    Adapted
        The first that is good enough, else the best.
    """
    proposal, covariance = start, start.factors[-1] @ start.factors[-1].T
    proposals: list[Proposal] = []
    points = np.zeros((0, start.means.shape[1]))
    values = np.zeros(0)
    best: Adapted | None = None
    for number, size in enumerate(_ROUNDS):
        proposals.append(proposal)
        drawn = proposal.draw(rng, size)
        log_densities = evaluate(drawn)
        points, values = np.concatenate([points, drawn]), np.concatenate([values, log_densities])
        met = np.log(np.array(_ROUNDS[: number + 1]) / sum(_ROUNDS[: number + 1]))
        logs_of = [p.log_density(points) + m for p, m in zip(proposals, met, strict=True)]
        mixed = logsumexp(logs_of, axis=0)
        logs = values - mixed
        weights = np.exp(logs - logs.max())
        last = log_densities - proposal.log_density(drawn)
        k, share = pareto_k(last), effective(last)
        state = Adapted(proposal, points, values, weights / weights.sum(), k, share)
        if k < _BETTER_K and share >= _ENOUGH:
            return state
        if best is not None and number > _SINGLE and best.good and share < _GROWTH * best.share:
            break
        if best is None or (state.good, share) > (best.good, best.share):
            best = state
        weights = _truncated(weights)
        components = 1 if number < _SINGLE else _COMPONENTS
        proposal = _fitted(points, weights, covariance, components, rng)
    assert best is not None
    return Adapted(best.proposal, points, values, state.weights, best.pareto_k, best.share)


def effective(log_weights: np.ndarray) -> float:
    """The share of draws that is effective, of such log weights."""
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / (weights**2).sum() / weights.size)


def _truncated(weights: np.ndarray) -> np.ndarray:
    """Weights that add up to one, none so large that it bears more than chance gave it.

    Ionides (2008), Journal of Computational and Graphical Statistics 17(2).
    """
    weights = np.minimum(weights, weights.mean() * np.sqrt(weights.size))
    return np.asarray(weights / weights.sum())


def _too_few(weights: np.ndarray, size: int) -> bool:
    """Whether weighted points are too few to say a covariance of so many numbers."""
    return bool(1 / (weights**2).sum() < 20 * size)


def _moments(points: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = weights @ points
    gap = points - mean
    return mean, (gap.T * weights) @ gap


def _fitted(
    points: np.ndarray,
    weights: np.ndarray,
    covariance: np.ndarray,
    components: int,
    rng: np.random.Generator,
) -> Proposal:
    """A mixture that has the weighted points' moments, piece by piece."""
    some = weights > weights.max() * 1e-6
    points, weights = points[some], weights[some] / weights[some].sum()
    mean, whole = _moments(points, weights)
    if _too_few(weights, mean.size):
        whole, components = 0.5 * (whole + covariance), 1
    whole += 1e-9 * np.diag(np.diag(covariance))
    if components == 1:
        return Proposal.single(mean, _WIDER * whole)
    means = points[rng.choice(len(points), size=components, p=weights)]
    shapes = np.repeat(0.5 * whole[None], components, axis=0)
    logs = np.full(components, -np.log(components))
    for _ in range(_STEPS):
        parts = []
        for middle, shape, log in zip(means, shapes, logs, strict=True):
            factor = np.linalg.cholesky(shape)
            z = np.linalg.solve(factor, (points - middle).T)
            parts.append(log - 0.5 * (z**2).sum(axis=0) - np.log(np.diag(factor)).sum())
        chance = np.exp(np.array(parts) - logsumexp(parts, axis=0)) * weights
        total = chance.sum(axis=1)
        logs = np.log(np.maximum(total, 1e-3))
        logs -= logsumexp(logs)
        for c in range(components):
            if total[c] > 1e-3:
                means[c], shapes[c] = _moments(points, chance[c] / total[c])
            shapes[c] = (1 - _SHARED) * shapes[c] + _SHARED * whole
    factors = [np.linalg.cholesky(_WIDER * shape) for shape in [*shapes, whole]]
    means = np.concatenate([means, mean[None]])
    logs = np.append(np.log(0.9) + logs, np.log(0.1))
    return Proposal(means, np.array(factors), logs)
