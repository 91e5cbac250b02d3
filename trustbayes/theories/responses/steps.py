r"""Log probabilities of steps of normal noise, summed over choices before the noise comes in.

A step of width :math:`\delta` whose middle is z, both in standard deviations, has the probability

.. math:: P = \int_{z - \delta/2}^{z + \delta/2} \varphi(t) \, dt
          = \delta \varphi(z) \, \mathrm{E} \exp(-\delta z U - \delta^2 U^2 / 2),

U being uniform on [-1/2, 1/2]. The logarithm of the mean is a power series in :math:`\delta`, each
term a polynomial in z², so that the sum over choices needs of them no more than the sums of even
powers of their distances from the best ones: a table over many sizes of noise costs hardly more
than for one of them. Where a step is too wide beside the noise for that, the probabilities of
choices are multiplied one by one.

Source: the expansion is that of the cumulants of a uniform variable; its first term is Sheppard's
correction. As specified here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import factorial

import numba
import numpy as np
from numpy.polynomial import Polynomial, polynomial

__all__ = ["POWERS", "SERIES_REACH", "log_steps", "sums_of_exact"]

_ORDER = 12  # the highest power of δ


def _cumulants() -> list[Polynomial]:
    """The terms of the series: polynomials in z, of which those of δ^2, δ^4 ... are not nothing."""
    mean = [Polynomial([1.0])]  # of the exponential, by powers of δ
    for power in range(1, _ORDER + 1):
        moment = 0.0 if power % 2 else 1 / ((power + 1) * 2**power)
        coefficients = np.zeros(power + 1)
        for second in range(power // 2 + 1):
            first = power - 2 * second
            ways = (-1.0) ** first * (-0.5) ** second / (factorial(first) * factorial(second))
            coefficients[first] = ways * moment
        mean.append(Polynomial(coefficients))
    logs = [Polynomial([0.0])]
    for power in range(1, _ORDER + 1):  # from the derivative of the logarithm, times the mean
        rest = (k * logs[k] * mean[power - k] for k in range(1, power))
        logs.append(mean[power] - sum(rest, start=Polynomial([0.0])) / power)
    return logs


_TERMS = np.zeros((_ORDER // 2 + 1, _ORDER // 2 + 1))
for _half, _term in enumerate(_cumulants()[::2]):
    _TERMS[_half, : _half + 1] = _term.coef[: 2 * _half + 1 : 2]
POWERS = len(_TERMS)
"""How many sums of even powers the series asks for, from that of the 0th."""
SERIES_REACH = (1.0, 2.0)
"""Largest width δ, and largest δ|z|, at which the series errs by less than 2e-7."""


def log_steps(powers: Sequence[np.ndarray], sigma: np.ndarray, step: float) -> np.ndarray:
    """Sums of log densities of recorded choices: of the probabilities of their steps, over h.

    Parameters
    ----------
    powers : sequence of POWERS arrays, shape (...)
        The number of choices, and the sums of the 2nd, 4th ... powers of their distances from the
        best ones; without a step the first two are enough.
    sigma : array, shape (...)
        The noise's standard deviation; broadcasts.
    step : float
        h, at least 0.

    Returns
    -------
    array, shape (...)
        Each choice to 2e-7, where widths are within `SERIES_REACH`.

    Examples
    --------
    >>> from scipy.stats import norm
    >>> distance = np.array([3.0])
    >>> powers = [distance ** (2 * k) for k in range(POWERS)]
    >>> exact = np.log(norm.cdf(3.5, scale=4.0) - norm.cdf(2.5, scale=4.0))
    >>> abs(log_steps(powers, np.array(4.0), 1.0) - exact).item() < 1e-8
    True
    """
    square = (step / sigma) ** 2
    factors = [polynomial.polyval(square, column) for column in _TERMS.T]
    factors[0] = factors[0] - np.log(sigma) - 0.5 * np.log(2 * np.pi)
    factors[1] = factors[1] - 0.5
    total = factors[0] * powers[0]
    for half, power in enumerate(powers[1:], start=1):
        total = total + factors[half] / sigma ** (2 * half) * power
    return np.asarray(total)


_FAR = 25.0  # standard deviations: before 37 a probability is too small for a number
_ALL = 8.5  # standard deviations, beyond which less lies than numbers near 1 can tell
_SMALL = 1e-150  # times the smallest probability before _FAR it is a number still
_HALF_LOG = 0.5 * math.log(2 * math.pi)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def sums_of_exact(
    distance: np.ndarray,
    row: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    sigma: np.ndarray,
    step: float,
) -> np.ndarray:
    """As `log_steps`, of any width: choice by choice.

    Parameters
    ----------
    distance : array, shape (rows, choices)
        Of choices from the best ones, at least 0.
    row, first, last : array of int, shape (sums,)
        Each sum is over choices from the first to before the last in a row.
    sigma : array, shape (sums,)
        The noise's standard deviation.
    step : float
        h, above 0.

    Returns
    -------
    array, shape (sums,)

    Examples
    --------
    >>> place = np.zeros(1, dtype=int)
    >>> given = np.array([[0.0]]), place, place, place + 1, np.array([0.01])
    >>> sums_of_exact(*given, 1.0).round(12) + 0.0  # all noise stays within the step
    array([0.])
    """
    sums = np.empty(row.size)
    root = math.sqrt(0.5)
    for i in range(row.size):
        total, product = 0.0, 1.0
        for j in range(first[i], last[i]):
            near = (distance[row[i], j] - step / 2) / sigma[i]
            far = (distance[row[i], j] + step / 2) / sigma[i]
            if near < _FAR:
                chance = 1.0 if near < -_ALL else 0.5 * math.erfc(near * root)
                if far < _ALL or far * far - near * near < _ALL * _ALL:
                    chance -= 0.5 * math.erfc(far * root)
                product *= chance
                if product < _SMALL:
                    total += math.log(product)
                    product = 1.0
            else:
                more = _log_tail(far) - _log_tail(near)
                total += _log_tail(near) + math.log1p(-math.exp(more))
        sums[i] = total + math.log(product) - (last[i] - first[i]) * math.log(step)
    return sums


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _log_tail(z: float) -> float:
    """Log probability of more than a large z: the asymptotic series, beyond `_FAR` to 7e-10."""
    w = 1 / z**2
    return -0.5 * z * z - math.log(z) - _HALF_LOG + math.log1p(-w * (1 - 3 * w * (1 - 5 * w)))
