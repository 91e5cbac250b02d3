r"""Mixtures of normal forms, brought nearer to a likelihood that is known at draws.

A mixture that is fitted to draws has the error of the draws: with a thousand of them, .3 to .6 nats
for level-k senders of small experiments. Where the likelihood of the draws is known, there is no
need of it. With :math:`q_k` a quadratic function of the numbers,

.. math:: \log \sum_k e^{q_k(z)}

is fitted to the known values by least squares, by Gauss-Newton steps from the mixture that there
is. A likelihood that is one normal form is met exactly, by few draws.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

__all__ = ["FARTHEST", "Forms", "bounded", "log_sum", "sharpened"]

_STEPS = 40
_DAMPING = 1e-4
"""Of the mean square of a column, at first: it grows where a step does not help."""
_STIFF = 1e4  # damping at which the search ends
_ENOUGH = 1e-3  # relative, of the error, that is not worth a further step
_LEAST_INFORMATION = 1e-6  # in units of the draws' spread
_FADING = 0.5
"""Power of the likelihood, below the least that counts whole, by which points count."""
FARTHEST = 10.0
"""Standard deviations of the draws, beyond which no component's likelihood goes on rising: a slope
that is but chance, where an experiment says nothing, would else lead out of all bounds."""

Forms = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Constants, shape (components,), linear parts, (components, scales), and precisions, (components,
scales, scales), of quadratic functions c + az - z'Pz / 2."""


@threadpool_limits.wrap(limits=1, user_api="blas")  # small products: threads would wait
def sharpened(
    forms: Forms, points: np.ndarray, values: np.ndarray, least: float = -np.inf
) -> Forms:
    """Bring a mixture of normal forms nearer to known values.

    Every second point is held back: steps that better the others alone are not made.

    Parameters
    ----------
    forms : Forms
        To begin with.
    points : array, shape (points, scales)
        Standardised.
    values : array, shape (points,)
        Of the log likelihood, but for a number.
    least : float
        The value from which on points count the less, the lower they lie by what is known and by
        the forms.

    Returns
    -------
    Forms

    Examples
    --------
    >>> points = np.random.default_rng(1).normal(size=(200, 1))
    >>> start = np.zeros(1), np.zeros((1, 1)), np.full((1, 1, 1), 0.5)
    >>> _, linear, precision = sharpened(start, points, 3 * points[:, 0] - points[:, 0] ** 2)
    >>> linear.round(4), precision.round(4)
    (array([[3.]]), array([[[2.]]]))
    """
    data = [(points[at::2], values[at::2], least) for at in (0, 1)]
    best, error = forms, [_error(forms, *part) for part in data]
    damping = _DAMPING
    for _ in range(_STEPS):
        tried = _stepped(best, *data[0], damping)
        new = [_error(tried, *part) for part in data]
        if not all(a < b for a, b in zip(new, error, strict=True)):
            damping *= 10
            if damping > _STIFF:
                break
            continue
        gain = error[1] - new[1]
        best, error, damping = tried, new, damping / 10
        if gain < _ENOUGH * error[1]:
            break
    return best


def log_sum(forms: Forms, points: np.ndarray) -> np.ndarray:
    """Log of the sum of the exponentials of quadratic functions, shape (points,)."""
    return np.asarray(logsumexp(_values(forms, points), axis=1))


def bounded(precision: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """A precision with which a quadratic function goes on rising to `FARTHEST` at most.

    Parameters
    ----------
    precision : array, shape (scales, scales)
        Symmetric.
    slope : array, shape (scales,)
        Of the function where draws are.

    Returns
    -------
    array, shape (scales, scales)
        Positive definite.
    """
    size, direction = np.linalg.eigh(precision)
    rise = np.abs(slope @ direction)
    size = np.maximum(size, np.maximum(_LEAST_INFORMATION, rise / FARTHEST))
    return np.asarray((direction * size) @ direction.T)


def _values(forms: Forms, points: np.ndarray) -> np.ndarray:
    """Of each component, shape (points, components)."""
    constants, linear, precision = forms
    square = np.einsum("nd,kde,ne->nk", points, precision, points)
    return np.asarray(constants + points @ linear.T - 0.5 * square)


def _missed(total: np.ndarray, values: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """What forms miss but for a number, and how much points count, shape (points,) each.

    A point does not count where its value is low and forms say so: where they say otherwise, draws
    would go there.
    """
    weights = np.exp(_FADING * np.minimum(0.0, values - least))
    gap = values - total
    gap = gap - weights @ gap / weights.sum()
    higher = np.maximum(values, values - gap)
    return gap, np.exp(_FADING * np.minimum(0.0, higher - least))


def _error(forms: Forms, points: np.ndarray, values: np.ndarray, least: float) -> float:
    """Root of the mean square of what is missed, in nats."""
    gap, weights = _missed(log_sum(forms, points), values, least)
    return float(np.sqrt(weights @ gap**2 / len(points)))


def _stepped(
    forms: Forms, points: np.ndarray, values: np.ndarray, least: float, damping: float
) -> Forms:
    """A step of Gauss and Newton, held back where columns tell nothing."""
    each = _values(forms, points)
    total = logsumexp(each, axis=1)
    share = np.exp(each - total[:, None])
    upper = np.triu_indices(points.shape[1])
    double = np.where(upper[0] == upper[1], 1.0, 2.0)
    squares = -0.5 * points[:, upper[0]] * points[:, upper[1]] * double
    features = np.column_stack([np.ones(len(points)), points, squares])
    columns = (share[:, :, None] * features[:, None, :]).reshape(len(points), -1)
    # The mean is free: a likelihood is known but for a factor.
    missed, weights = _missed(total, values, least)
    weights = weights / weights.sum()
    columns = columns - weights @ columns
    missed = missed - weights @ missed
    square = (columns.T * weights) @ columns
    square[np.diag_indices_from(square)] += damping * (np.diag(square) + 1e-6)
    step = np.linalg.solve(square, columns.T @ (weights * missed))
    step = step.reshape(share.shape[1], features.shape[1])
    constants, linear, precision = forms
    width = points.shape[1]
    more = np.zeros_like(precision)
    more[:, upper[0], upper[1]] = step[:, 1 + width :]
    more[:, upper[1], upper[0]] = step[:, 1 + width :]
    linear = linear + step[:, 1 : 1 + width]
    kept = [bounded(form, slope) for form, slope in zip(precision + more, linear, strict=True)]
    return constants + step[:, 0], linear, np.array(kept)
