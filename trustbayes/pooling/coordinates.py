"""Coordinates of a population of experiments on which NUTS moves with ease.

What is known of a pooled mean depends on the spread between experiments: with few experiments that
are each exact, the mean is as narrow as the spread is small, a funnel. The mean's distance from
where the experiments would put it given the spread, in units of what that leaves open, has no such
shape. And a spread of which little is known falls off like its normal prior above and, on its log,
exponentially below: on the inverse of log(1 + exp u) it does neither too fast for equal steps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trustbayes.pooling.density import PooledDensity
from trustbayes.pooling.kernels import even_density, even_point
from trustbayes.pooling.likelihoods import Evidence

__all__ = ["EvenCoordinates"]

_LEAST = -15.0  # of u: a spread of e to the -15 of its prior's scale
_LARGEST = 1e6  # spreads, in units of that scale: their squares are numbers


class EvenCoordinates:
    r"""Log density of z, u and γ, with its gradient; μ and τ are made of z and u.

    .. math::

        \tau = b \log(1 + e^u), \qquad \mu = \hat\mu(\tau) + s(\tau) z, \qquad
        \frac{1}{s^2} = \frac{1}{p^2} + \sum_e w_e, \qquad
        \hat\mu = s^2 \Bigl(\frac{m}{p^2} + \sum_e w_e \bar\psi_e\Bigr), \qquad
        w_e = \frac{1}{v_e + \tau^2}

    for each number by itself: b is the scale of its spread's prior, m and p are the mean and the
    standard deviation of its mean's; an experiment's draws have the mean :math:`\bar\psi_e` and the
    variance :math:`v_e`. That is only about what the data say of μ; the density is exact all the
    same.

    Parameters
    ----------
    density : PooledDensity
        Of μ, log τ and γ.
    evidence : sequence of Evidence
        That the density is made of.
    """

    def __init__(self, density: PooledDensity, evidence: Sequence[Evidence]) -> None:
        self.density, self._width = density, len(density.labels)
        variance = np.full((len(evidence), self._width), np.inf)
        middle = np.zeros(variance.shape)
        for at, part in enumerate(evidence):
            if not part.scales:  # of an experiment that nothing is known of
                continue
            place = [density.labels.index(scale.label) for scale in part.scales]
            variance[at, place] = part.draws.var(axis=0)
            middle[at, place] = part.draws.mean(axis=0)
        self._given = variance, middle, density.arrays
        self.start = np.zeros(density.size)

    def points(self, coordinates: np.ndarray) -> np.ndarray:
        """μ, log τ and γ from z, u and γ, both of shape (..., size)."""
        flat = coordinates.reshape(-1, coordinates.shape[-1])
        points = [even_point(each, *self._given) for each in flat]
        return np.reshape(points, coordinates.shape)

    def __call__(self, coordinates: np.ndarray) -> tuple[float, np.ndarray]:
        """Log density and gradient."""
        width = self._width
        u = coordinates[width : 2 * width]
        if u.min(initial=0.0) < _LEAST or u.max(initial=0.0) > _LARGEST:
            return -np.inf, np.zeros(coordinates.size)
        slope = np.empty(coordinates.size)
        value = even_density(coordinates, *self._given, slope)
        return float(value), slope
