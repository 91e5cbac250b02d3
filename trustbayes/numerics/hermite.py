r"""Normal variables that are correlated, by Hermite polynomials.

The density of two standard normal variables with correlation ρ is that of independent ones times
(Mehler 1866)

.. math:: c_\rho(x, y) = \sum_{n \ge 0} \rho^n h_n(x)\, h_n(y),

where h are the Hermite polynomials, scaled so that the mean of their squares is one.
"""

from __future__ import annotations

import numpy as np

__all__ = ["copula", "hermite_means"]


def hermite_means(values: np.ndarray, weights: np.ndarray, order: int) -> np.ndarray:
    """Means of scaled Hermite polynomials over weighted points.

    Parameters
    ----------
    values : array, shape (rows or 1, points, columns)
    weights : array, shape (rows, points, columns)
        Add up to one over the points.
    order : int
        Polynomials of degrees below it.

    Returns
    -------
    array, shape (order, rows, columns)

    Examples
    --------
    >>> at, weights = np.polynomial.hermite_e.hermegauss(20)
    >>> weights = weights / weights.sum()
    >>> hermite_means(at[None, :, None], weights[None, :, None], 3)[:, 0, 0].round(9) + 0.0
    array([1., 0., 0.])
    """
    means = np.empty((order, len(weights), weights.shape[2]))
    # Weights are multiplied in first: a polynomial is huge where nothing weighs.
    before, now = np.zeros_like(weights), weights
    for degree in range(order):
        means[degree] = now.sum(axis=1)
        before, now = now, (values * now - np.sqrt(degree) * before) / np.sqrt(degree + 1)
    return means


def copula(x: np.ndarray, y: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """How much more probable a pair is by the correlation than without one: c.

    Parameters
    ----------
    x, y : array
        Standard normal each.
    correlation : array
        Above -1 and below 1; all shapes broadcast.

    Returns
    -------
    array

    Examples
    --------
    >>> float(copula(1.0, 1.0, 0.5).round(4))
    1.6115
    """
    kept = 1 - correlation**2
    square = correlation * (2 * x * y - correlation * (x * x + y * y))
    return np.asarray(np.exp(0.5 * square / kept) / np.sqrt(kept))
