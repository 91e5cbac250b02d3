"""The test of uniformity: its level, its power, and ArviZ's band."""

import numpy as np
from arviz_stats.ecdf_utils import ecdf_pit
from scipy.stats import binom

from trustbayes.simulation.uniformity import band, uniformity_p_values


def test_p_values_of_uniform_numbers_are_uniform_and_those_of_others_small():
    rng = np.random.default_rng(3)
    found = uniformity_p_values(rng.random((2000, 60)))
    for level in (0.01, 0.05, 0.2, 0.5):
        low, high = binom.ppf([0.0005, 0.9995], 2000, level)
        assert low <= (found <= level).sum() <= high
    shifted, narrow = rng.beta(1, 1.6, (200, 100)), rng.beta(1.7, 1.7, (200, 100))
    assert (uniformity_p_values(shifted) < 0.05).mean() > 0.8
    assert (uniformity_p_values(narrow) < 0.05).mean() > 0.5


def test_the_band_is_that_of_arviz():
    # Its own simulations are others, so that counts may differ by one.
    rng = np.random.default_rng(1)
    points, _, lower, upper = ecdf_pit(rng.random(100), 0.95, 5000)
    found = band(100, 0.95)
    np.testing.assert_allclose(found.points, points)
    assert np.abs(found.lower - lower).max() < 0.011
    assert np.abs(found.upper - upper).max() < 0.011
    assert (found.lower == lower).mean() > 0.7


def test_the_band_and_the_test_agree():
    rng = np.random.default_rng(5)
    values = rng.beta(1, 1.25, (400, 50))
    found, edge = uniformity_p_values(values), band(50, 0.95)
    ecdf = np.array([np.searchsorted(np.sort(row), edge.points, "right") / 50 for row in values])
    # The ends are 0 and 1 by construction.
    inside = ((ecdf >= edge.lower - 1e-9) & (ecdf <= edge.upper + 1e-9))[:, 1:-1].all(axis=1)
    assert 40 < inside.sum() < 360
    near = np.abs(found - 0.05) < 0.01  # a discrete statistic: equal at the edge
    np.testing.assert_array_equal(inside[~near], (found > 0.05)[~near])
