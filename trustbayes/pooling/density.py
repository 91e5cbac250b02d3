"""The population of experiments, each experiment's own population integrated out.

With ψ of an experiment normal about μ + Xγ with standard deviations τ, and its likelihood a sum of
normal forms, the integral over ψ is known, and so is ψ given μ, τ and γ: again a mixture of
normals. What is left to sample are μ, log τ and γ alone, a few numbers however many experiments
there are, and without a funnel between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import logsumexp

from trustbayes.pooling.kernels import PooledArrays, log_density
from trustbayes.pooling.likelihoods import Evidence

__all__ = ["Hyperpriors", "PooledDensity"]

_CHUNK = 256  # populations at a time


@dataclass(frozen=True, eq=False)
class Hyperpriors:
    """What is believed of a population of experiments before the data.

    Parameters
    ----------
    means, spreads : array, shape (scales,)
        Of the normal prior of each pooled mean: those of the prior in one experiment.
    between : array, shape (scales,)
        Scales of the half-normal prior of each spread between experiments.
    slope : float
        Standard deviation of the normal prior of each effect of a covariate, which is standardised.
    """

    means: np.ndarray
    spreads: np.ndarray
    between: np.ndarray
    slope: float = 1.0


class PooledDensity:
    """Log density of μ, log τ and γ given all experiments, with its gradient.

    Parameters
    ----------
    labels : sequence of str
        Of the numbers that have a population of experiments, see
        `trustbayes.pooling.common_scales.CommonScale.label`.
    evidence : sequence of Evidence
        Of each experiment; it may lack some of the numbers.
    designs : mapping of str to array, shape (experiments, columns)
        By label, covariates of the experiments that bear on the number.
    priors : Hyperpriors
    """

    def __init__(
        self,
        labels: Sequence[str],
        evidence: Sequence[Evidence],
        designs: Mapping[str, np.ndarray],
        priors: Hyperpriors,
    ) -> None:
        self.labels, self.priors = tuple(labels), priors
        self.designs = dict(designs)
        width, most = len(labels), max((e.constants.size for e in evidence), default=1)
        shape = (len(evidence), most)
        self._constants = np.full(shape, -np.inf)
        self._linear = np.zeros((*shape, width))
        self._precision = np.zeros((*shape, width, width))
        for at, part in enumerate(evidence):
            place = [self.labels.index(scale.label) for scale in part.scales]
            k = part.constants.size
            self._constants[at, :k] = part.constants - logsumexp(part.constants)
            self._linear[at, :k, place] = part.linear.T
            self._precision[np.ix_([at], range(k), place, place)] = part.precision
        self._columns = [(self.labels.index(n), x) for n, x in self.designs.items()]
        columns = [(at, column) for at, x in self._columns for column in x.T]
        self.size = 2 * width + len(columns)
        self.arrays = PooledArrays(
            self._constants,
            self._linear,
            self._precision,
            np.array([at for at, _ in columns], dtype=np.int64),
            np.reshape([column for _, column in columns], (len(columns), len(evidence))),
            priors.means,
            priors.spreads,
            priors.between,
            float(priors.slope),
        )

    def split(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Points, shape (..., size), as means, log spreads and effects by number with any."""
        width = len(self.labels)
        ends = np.cumsum([2 * width, *[x.shape[1] for _, x in self._columns]])
        slopes = [points[..., a:b] for a, b in pairwise(ends)]
        return points[..., :width], points[..., width : 2 * width], slopes

    def locations(self, points: np.ndarray) -> np.ndarray:
        """Where each experiment's numbers are expected, shape (..., experiments, scales)."""
        means, _, slopes = self.split(points)
        count = len(self._constants)
        located = np.repeat(means[..., None, :], count, axis=-2)
        for (at, design), slope in zip(self._columns, slopes, strict=True):
            located[..., at] += slope @ design.T
        return located

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Log density and gradient."""
        slope = np.empty(self.size)
        return float(log_density(point, self.arrays, slope)), slope

    def draw_experiments(self, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Each experiment's numbers given the population of experiments.

        Parameters
        ----------
        points : array, shape (points, size)
        rng : numpy.random.Generator

        Returns
        -------
        array, shape (points, experiments, scales)
        """
        parts = []
        for some in np.array_split(points, max(1, len(points) // _CHUNK)):
            _, log_spread, _ = self.split(some)
            value, mean, inverse = self._conditional(
                self.locations(some), np.exp(-2 * log_spread)[:, None, :]
            )
            gumbel = rng.gumbel(size=value.shape)
            kind = (value + gumbel).argmax(axis=-1)[..., None, None]
            middle = np.take_along_axis(mean, kind, axis=-2)[..., 0, :]
            spread = np.take_along_axis(inverse, kind[..., None], axis=-3)[..., 0, :, :]
            factor = np.linalg.cholesky(spread)
            z = rng.normal(size=middle.shape)
            parts.append(middle + np.einsum("...ij,...j->...i", factor, z))
        return np.concatenate(parts)

    def means_of_experiments(self, points: np.ndarray) -> np.ndarray:
        """Means of each experiment's numbers given the population of experiments.

        Parameters
        ----------
        points : array, shape (points, size)

        Returns
        -------
        array, shape (points, experiments, scales)
        """
        _, log_spread, _ = self.split(points)
        value, mean, _ = self._conditional(
            self.locations(points), np.exp(-2 * log_spread)[:, None, :]
        )
        share = np.exp(value - logsumexp(value, axis=-1, keepdims=True))
        return np.asarray(np.einsum("pek,peki->pei", share, mean))

    def draw_new(self, points: np.ndarray, rng: np.random.Generator, at: int | None) -> np.ndarray:
        """The numbers of a new experiment, shape (points, scales).

        Parameters
        ----------
        points : array, shape (points, size)
        rng : numpy.random.Generator
        at : int, optional
            The experiment whose covariates it has; default: average ones.
        """
        means, log_spread, _ = self.split(points)
        middle = means if at is None else self.locations(points)[:, at]
        return np.asarray(middle + np.exp(log_spread) * rng.normal(size=means.shape))

    def _conditional(
        self, location: np.ndarray, tight: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log weight, mean and covariance of each component of ψ, all leading axes kept.

        Parameters
        ----------
        location : array, shape (..., experiments, scales)
        tight : array, shape (..., scales) or (..., 1, scales)
            Precisions, one over the squares of the spreads.
        """
        tight = np.broadcast_to(tight, location.shape)
        form = self._precision + _diagonal(tight)[..., None, :, :]
        inverse = np.linalg.inv(form)
        right = self._linear + (tight * location)[..., None, :]
        mean = np.einsum("...ij,...j->...i", inverse, right)
        logs = np.log(tight).sum(axis=-1) - (tight * location**2).sum(axis=-1)
        more = np.einsum("...i,...i->...", right, mean) - np.linalg.slogdet(form)[1]
        return self._constants + 0.5 * (logs[..., None] + more), mean, inverse


def _diagonal(values: np.ndarray) -> np.ndarray:
    """Square matrices with these on the diagonal."""
    matrices = np.zeros((*values.shape, values.shape[-1]))
    index = np.arange(values.shape[-1])
    matrices[..., index, index] = values
    return matrices
