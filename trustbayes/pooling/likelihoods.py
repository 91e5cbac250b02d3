"""What an experiment says of its own population, as mixtures of normal densities.

A fit's draws come from likelihood times the prior of one experiment. Divided by that prior they
would be the likelihood; a mixture of normals that is fitted to them on common scales, each of them
divided by one normal form that stands in for the prior, is a likelihood whose product with any
normal population of experiments has a known integral. So the second stage needs no draws of people,
and repeats no fit. Where the likelihood is known at the draws, the mixture is brought nearer to it,
see `trustbayes.pooling.sharpened`.

The form is the one that the prior comes to at the draws: with the normal likelihood that gives
each number's draws their mean and variance under its prior, it makes a normal density of just
these. One with the prior's own mean and variance would not do: priors of spreads are not normal,
and where a fit ends up in a tail of its prior, weights that made good for the difference left the
mixture to a few of the draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from trustbayes.numerics.spacing import spaced
from trustbayes.pooling.common_scales import CommonScale
from trustbayes.pooling.sharpened import Forms, bounded, log_sum, sharpened

__all__ = ["Evidence", "evidence_of", "fitted_mixture"]

_MOST = 2000  # draws that a mixture is fitted to
_COMPONENTS = (1, 2, 3, 4)
_POINTS = 4000  # of grids
_SAMPLES = 10_000  # of a mixture, for the mean of a ratio
_NEWTON = 100
_STEPS = 60  # of expectation and maximisation
_LEAST = 0.02  # of the draws in a component
_GAIN = 0.01  # nats a draw by which a further component must better the half left out
_LEAST_SPREAD = 1e-9
_HEAVIEST = 10.0  # times the median weight of a draw
_SHARED = 0.1  # of each component's covariance is that of all: none shrinks to a point
_KNOWN, _EACH = 8, 50
"""Components of a likelihood that is known at the draws, and draws for each of them at least: they
meet it to .15 nats with a thousand draws, where four do to .2 and a fit to the draws alone to .3 to
.6 (three experiments of eight level-k senders, at populations like pooled ones)."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """The likelihood of one experiment as a sum of exponentials of quadratic forms.

    Its log is that of a sum over components of exp(constant + linear·ψ - ½ ψ·precision·ψ), but for
    one number that is the same for all ψ.

    Parameters
    ----------
    scales : tuple of CommonScale
        What ψ holds.
    constants : array, shape (components,)
    linear : array, shape (components, scales)
    precision : array, shape (components, scales, scales)
        Positive semidefinite: zero in a direction in which the experiment says nothing.
    draws : array, shape (draws, scales)
        Of the fit, on common scales.
    log_prior : array, shape (draws,)
        Log density of the experiment's own prior at the draws.
    """

    scales: tuple[CommonScale, ...]
    constants: np.ndarray
    linear: np.ndarray
    precision: np.ndarray
    draws: np.ndarray
    log_prior: np.ndarray

    def log_likelihood(self, points: np.ndarray) -> np.ndarray:
        """The log likelihood, but for a number, shape (points,)."""
        return log_sum((self.constants, self.linear, self.precision), points)

    def knowing(self, own: np.ndarray, values: np.ndarray) -> Evidence:
        """The same, its likelihood known at some of the fit's own draws.

        Parameters
        ----------
        own : array, shape (points, scales)
        values : array, shape (points,)
            Of the log likelihood, but for a number.

        Returns
        -------
        Evidence
            Of more components.
        """
        mean, spread = _moved(own)
        z = (own - mean) / spread
        even, components = np.full(len(z), 1 / len(z)), max(1, min(_KNOWN, len(z) // _EACH))
        forms = _over_prior(*_mixture(z, even, components), *_of_prior(self.scales, own, 1))
        constants, linear, precision = _moved_forms(forms, mean, spread)
        known = replace(self, constants=constants, linear=linear, precision=precision)
        return known.sharpened(own, values)

    def sharpened(self, points: np.ndarray, values: np.ndarray, least: float = -np.inf) -> Evidence:
        """The same, brought nearer to a likelihood that is known at some points.

        Parameters
        ----------
        points : array, shape (points, scales)
            In no order: every second one is held back.
        values : array, shape (points,)
            Of the log likelihood, but for a number.
        least : float
            The value from which on points count the less, the lower they lie.

        Returns
        -------
        Evidence
        """
        mean, spread = _moved(points)
        forms = sharpened(
            _moved_forms((self.constants, self.linear, self.precision), -mean / spread, 1 / spread),
            (points - mean) / spread,
            values,
            least,
        )
        constants, linear, precision = _moved_forms(forms, mean, spread)
        return replace(self, constants=constants, linear=linear, precision=precision)


def evidence_of(
    scales: Sequence[CommonScale],
    draws: np.ndarray,
    treatments: int = 1,
) -> Evidence:
    """The likelihood that draws from a posterior speak of.

    Parameters
    ----------
    scales : sequence of CommonScale
    draws : array, shape (draws, scales)
        On common scales, from likelihood times prior.
    treatments : int
        Of the experiment: numbers that are means of treatments have narrower priors.

    Returns
    -------
    Evidence

    Examples
    --------
    >>> from trustbayes.models import FullTrust
    >>> from trustbayes.pooling.common_scales import common_scales
    >>> precision = common_scales(FullTrust("sender"))[:1]  # normal with mean 1 and sd 1
    >>> draws = 0.6 + 0.8 * np.random.default_rng(1).normal(size=(4000, 1))
    >>> information = evidence_of(precision, draws).precision[0, 0, 0]
    >>> bool(abs(information - (1 / 0.64 - 1)) < 0.05)
    True
    """
    log_prior = _log_prior(scales, draws, treatments)
    mean, spread = _moved(draws)
    z = (draws - mean) / spread
    slope, curvature = _of_prior(scales, draws, treatments)

    def log_ratio(points: np.ndarray) -> np.ndarray:
        """Of prior to form, the sum over all numbers."""
        form = points @ slope - 0.5 * points**2 @ curvature
        return _log_prior(scales, mean + spread * points, treatments) - form

    log_weight = -log_ratio(z)
    weights = np.minimum(log_weight - np.median(log_weight), np.log(_HEAVIEST))
    weights = np.exp(weights) / np.exp(weights).sum()
    forms = _over_prior(*fitted_mixture(z, weights, log_ratio), slope, curvature)
    constants, linear, precision = _moved_forms(forms, mean, spread)
    return Evidence(tuple(scales), constants, linear, precision, draws, log_prior)


def _log_prior(scales: Sequence[CommonScale], values: np.ndarray, treatments: int) -> np.ndarray:
    """Log density of an experiment's own prior, shape (points,)."""
    parts = [scale.log_prior(values[:, at], treatments) for at, scale in enumerate(scales)]
    return np.asarray(np.sum(parts, axis=0))


def _of_prior(
    scales: Sequence[CommonScale], draws: np.ndarray, treatments: int
) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and curvatures of the normal form that stands in for the prior."""
    each = [_normal_form(scale, draws[:, at], treatments) for at, scale in enumerate(scales)]
    slope, curvature = np.array(each).T
    return slope, curvature


def _moved(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation by which draws are standardised."""
    return draws.mean(axis=0), np.maximum(draws.std(axis=0), _LEAST_SPREAD)


def _moved_forms(forms: Forms, mean: np.ndarray, spread: np.ndarray) -> Forms:
    """Functions of z as functions of mean + spread z."""
    constants, linear, precision = forms
    shift = mean / spread
    constants = constants - linear @ shift - 0.5 * (precision @ shift) @ shift
    linear = (linear + precision @ shift) / spread
    return constants, linear, precision / np.outer(spread, spread)


def _over_prior(
    logs: np.ndarray,
    means: np.ndarray,
    covariances: np.ndarray,
    slope: np.ndarray,
    curvature: np.ndarray,
) -> Forms:
    """A mixture of normals over the normal form that stands in for the prior."""
    constants, linear, precision = [], [], []
    for log, middle, covariance in zip(logs, means, covariances, strict=True):
        # Over and above the prior, and not rising to where draws tell nothing of it.
        over = np.linalg.inv(covariance) - np.diag(curvature)
        more = bounded(over, curvature * middle - slope)
        whole = more + np.diag(curvature)
        inner = whole @ middle
        constants.append(log + 0.5 * (np.linalg.slogdet(whole)[1] - middle @ inner))
        linear.append(inner - slope)
        precision.append(more)
    return np.array(constants), np.array(linear), np.array(precision)


def _normal_form(scale: CommonScale, draws: np.ndarray, treatments: int) -> tuple[float, float]:
    """Slope a and curvature c of az - ½cz², to which a prior comes at draws with z standardised.

    The prior times exp(bz - ½dz²) has the draws' mean and variance for one b and d, by Newton's
    method, and so has the normal form with a = -b and c = 1 - d.
    """
    mean, spread = draws.mean(), max(float(draws.std()), _LEAST_SPREAD)
    middle, width = scale.moments(treatments)
    grids = [
        at + size * np.linspace(-12.0, 12.0, _POINTS)
        for at, size in ((mean, spread), (middle, width))
    ]
    x = np.union1d(*grids)
    z = (x - mean) / spread
    log_prior = scale.log_prior(x, treatments) + np.log(np.gradient(z))
    log_prior = np.maximum(log_prior, -1e9)
    powers, wanted = np.stack([z, -0.5 * z**2], axis=1), np.array([0.0, -0.5])

    def value(tilt: np.ndarray) -> float:
        return float(logsumexp(log_prior + powers @ tilt) - tilt @ wanted)

    tilt = np.array([0.0, 1.0])
    for _ in range(_NEWTON):
        logs = log_prior + powers @ tilt
        weight = np.exp(logs - logsumexp(logs))
        gap = weight @ powers - wanted
        if np.abs(gap).max() < 1e-8:
            break
        centred = powers - weight @ powers
        step = np.linalg.solve((centred.T * weight) @ centred + 1e-12 * np.eye(2), gap)
        share, before = 1.0, value(tilt)
        while share > 1e-6 and value(tilt - share * step) > before - 1e-4 * share * (gap @ step):
            share /= 2
        tilt = tilt - share * step
    return -float(tilt[0]), 1 - float(tilt[1])


def fitted_mixture(
    points: np.ndarray,
    weights: np.ndarray,
    log_ratio: Callable[[np.ndarray], np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A mixture of normals that, times a ratio, predicts points, of as many components as help.

    Every second point is left out and predicted, and a further component must better that. Weights
    that make good for the ratio cannot where there are no points, as in a tail in which the ratio
    falls to nothing; one normal fitted without them is tried first, and has its moments right.

    Parameters
    ----------
    points : array, shape (points, size)
    weights : array, shape (points,)
        They add up to one.
    log_ratio : callable
        From points to the log of what the points' density is over the mixture's, shape (points,),
        but for a number.

    Returns
    -------
    logs : array, shape (components,)
        Of the components' weights.
    means : array, shape (components, size)
    covariances : array, shape (components, size, size)
    """
    keep = spaced(len(points), _MOST)
    points, weights = points[keep], weights[keep] / weights[keep].sum()
    even = np.full(len(points), 1 / len(points))
    learnt, left = slice(0, None, 2), slice(1, None, 2)
    fixed = log_ratio(points[left]).mean()
    normals = np.random.default_rng(1).normal(size=(_SAMPLES, points.shape[1]))
    best, score = (even, 1), -np.inf
    for weighing, components in ((even, 1), *((weights, count) for count in _COMPONENTS)):
        part = weighing[learnt] / weighing[learnt].sum()
        tried = _mixture(points[learnt], part, components)
        predicted = float(logsumexp(_logs(points[left], *tried), axis=0).mean() + fixed)
        predicted -= _log_mean(log_ratio, normals, *tried)
        if predicted > score + _GAIN:
            best, score = (weighing, components), predicted
    return _mixture(points, *best)


def _log_mean(
    log_ratio: Callable[[np.ndarray], np.ndarray],
    normals: np.ndarray,
    logs: np.ndarray,
    means: np.ndarray,
    covariances: np.ndarray,
) -> float:
    """Log of the ratio's mean under a mixture, from standard normal points."""
    parts = [
        log + logsumexp(log_ratio(mean + normals @ np.linalg.cholesky(covariance).T))
        for log, mean, covariance in zip(logs, means, covariances, strict=True)
    ]
    return float(logsumexp(parts) - np.log(len(normals)))


def _mixture(
    points: np.ndarray, weights: np.ndarray, components: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By expectation and maximisation, from slices along the widest direction."""
    whole_mean, whole = _moments(points, weights)
    whole += 1e-9 * np.eye(len(whole))
    if components == 1:
        return np.zeros(1), whole_mean[None], whole[None]
    widest = np.linalg.eigh(whole)[1][:, -1]
    order = np.argsort(points @ widest, kind="stable")
    slice_of = np.empty(len(points), dtype=int)
    slice_of[order] = np.minimum(np.cumsum(weights[order]) * components, components - 1e-9)
    chance = np.eye(components)[:, slice_of]
    for _ in range(_STEPS):
        parts = [_moments(points, c * weights) for c in chance]
        totals = np.maximum(chance @ weights, _LEAST)
        logs = np.log(totals / totals.sum())
        means = np.array([mean for mean, _ in parts])
        covariances = np.array(
            [(1 - _SHARED) * covariance + _SHARED * whole for _, covariance in parts]
        )
        joint = _logs(points, logs, means, covariances)
        chance = np.exp(joint - logsumexp(joint, axis=0))
    return logs, means, covariances


def _moments(points: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    share = weights / max(float(weights.sum()), 1e-300)
    mean = share @ points
    gap = points - mean
    return mean, (gap.T * share) @ gap


def _logs(
    points: np.ndarray, logs: np.ndarray, means: np.ndarray, covariances: np.ndarray
) -> np.ndarray:
    """Log weight and density of each component, shape (components, points)."""
    joint = []
    for log, mean, covariance in zip(logs, means, covariances, strict=True):
        factor = np.linalg.cholesky(covariance)
        z = np.linalg.solve(factor, (points - mean).T)
        size = np.log(np.diag(factor)).sum() + 0.5 * len(mean) * np.log(2 * np.pi)
        joint.append(log - 0.5 * (z**2).sum(axis=0) - size)
    return np.array(joint)
