"""Laplace's approximation where the answer is known: normal populations, and quadrature."""

import numpy as np
import pytest
from scipy.special import expit, logsumexp

from trustbayes.inference.engines.laplace import Arrow, NoMode, find_mode

SEEN = np.random.default_rng(3).normal(1.0, 1.5, size=40)
OWN = Arrow(np.array([0]), np.arange(1, 41)[:, None])


def conjugate(point):
    """Mean ~ N(0, 2²), subjects ~ N(mean, 1.2²), each seen once with error N(0, 0.7²)."""
    mean, own = point[0], point[1:]
    logs = -0.5 * ((mean / 2) ** 2 + (((own - mean) / 1.2) ** 2 + ((SEEN - own) / 0.7) ** 2).sum())
    pull = (own - mean) / 1.2**2
    return logs, np.array([pull.sum() - mean / 4, *((SEEN - own) / 0.49 - pull)])


def test_normal_populations_are_found_exactly():
    mode = find_mode(conjugate, OWN, np.zeros(41))
    # The posterior of everything is normal: its precision, written out, and its mean.
    precision = np.diag([1 / 4 + 40 / 1.44, *np.full(40, 1 / 1.44 + 1 / 0.49)])
    precision[0, 1:] = precision[1:, 0] = -1 / 1.44
    covariance = np.linalg.inv(precision)
    mean = covariance @ np.array([0.0, *(SEEN / 0.49)])
    # Search and differences of a quadratic end within the tolerance of the slope, 0.02 SD.
    assert np.abs(mode.point - mean).max() < 0.03 * np.sqrt(covariance[0, 0])
    assert mode.scale @ mode.scale.T == pytest.approx(covariance[:1, :1], rel=1e-5)
    rng = np.random.default_rng(1)
    draws = np.array([mode.draw(rng) for _ in range(20_000)])
    sizes = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    # Correlations of 20,000 draws have a standard error of at most 0.007; the largest of 840.
    assert np.abs((np.cov(draws.T) - covariance) / sizes).max() < 0.035
    assert mode.gap < 0.01  # the differences of L, whose curvature they give


def test_spread_of_a_population_is_not_drawn_to_zero():
    """The joint density is infinite where the spread is zero; binomial answers, with quadrature."""
    rng = np.random.default_rng(5)
    people, rounds = 200, 20
    hits = rng.binomial(rounds, expit(rng.normal(0.4, 0.8, people)))

    def density(point):
        mean, log_spread, own = point[0], point[1], point[2:]
        away = (own - mean) * np.exp(-log_spread)
        chance = expit(own)
        logs = (hits * own - rounds * np.logaddexp(0, own) - 0.5 * away**2 - log_spread).sum()
        logs += log_spread - 0.5 * np.exp(2 * log_spread) - 0.5 * mean**2
        pull = away * np.exp(-log_spread)
        of_spread = (away**2 - 1).sum() + 1 - np.exp(2 * log_spread)
        return logs, np.array([pull.sum() - mean, of_spread, *(hits - rounds * chance - pull)])

    arrow = Arrow(np.array([0, 1]), np.arange(2, people + 2)[:, None])
    start = np.zeros(people + 2)
    mode = find_mode(density, arrow, start)

    means, spreads = np.linspace(-0.1, 0.9, 61), np.linspace(-0.8, 0.3, 61)
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    own = means[:, None, None] + np.exp(spreads)[:, None] * nodes
    logs = np.log(weights / weights.sum())
    table = np.zeros((61, 61))
    for hit, count in zip(*np.unique(hits, return_counts=True), strict=True):
        table += count * logsumexp(hit * own - rounds * np.logaddexp(0, own) + logs, axis=-1)
    table += spreads - 0.5 * np.exp(2 * spreads) - 0.5 * means[:, None] ** 2
    chance = np.exp(table - table.max())
    chance /= chance.sum()
    for place, (grid, axis) in enumerate(((means, 1), (spreads, 0))):
        marginal = chance.sum(axis=axis)
        middle = grid @ marginal
        spread = np.sqrt((grid - middle) ** 2 @ marginal)
        # Both errors of the method: the subjects' densities are not quite normal, nor is L; with
        # 20 binary answers each, a fifth of a standard deviation.
        assert abs(mode.point[place] - middle) < 0.2 * spread
        assert np.linalg.norm(mode.scale[place]) == pytest.approx(spread, rel=0.1)


def test_what_has_no_mode_is_refused():
    def coupled(point):
        logs, slope = conjugate(point)
        total = point[1:].sum()
        return logs - total**2, slope - np.array([0.0, *np.full(40, 2 * total)])

    with pytest.raises(NoMode, match="bear on each other"):
        find_mode(coupled, OWN, np.zeros(41))

    def upwards(point):
        return 0.5 * (point**2).sum(), point

    with pytest.raises(NoMode):
        find_mode(upwards, OWN, np.full(41, 0.1))
