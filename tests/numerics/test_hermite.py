"""Scaled Hermite polynomials and the correlation of two normal variables."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from trustbayes.numerics.hermite import copula, hermite_means


def test_the_means_are_those_of_numpys_polynomials():
    rng = np.random.default_rng(1)
    values, weights = rng.normal(size=(2, 30, 3)), rng.uniform(size=(2, 30, 3))
    weights /= weights.sum(axis=1, keepdims=True)
    found = hermite_means(values, weights, 12)
    for degree in range(12):
        polynomial = np.polynomial.hermite_e.HermiteE.basis(degree)(values)
        expected = (weights * polynomial).sum(axis=1) / math.sqrt(math.factorial(degree))
        np.testing.assert_allclose(found[degree], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("correlation", [-0.9, -0.3, 0.0, 0.6])
def test_the_copula_is_the_ratio_of_the_joint_density_to_the_independent_one(correlation):
    points = np.random.default_rng(2).normal(size=(20, 2))
    joint = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).pdf(points)
    expected = joint / norm.pdf(points).prod(axis=1)
    found = copula(points[:, 0], points[:, 1], np.array(correlation))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("correlation", [-0.8, 0.5, 0.9])
def test_the_series_is_the_mean_of_the_copula(correlation):
    """Two distributions of weights that are as narrow as those of people with many trials."""
    line = np.linspace(-4, 4, 81)
    weights = [norm.pdf(line, *where) for where in ((0.7, 0.4), (-0.5, 0.5))]
    weights = [one / one.sum() for one in weights]
    means = [hermite_means(line[None, :, None], w[None, :, None], 64)[:, 0, 0] for w in weights]
    series = (correlation ** np.arange(64) * means[0] * means[1]).sum()
    pairs = copula(line[:, None], line, np.array(correlation))
    np.testing.assert_allclose(series, weights[0] @ pairs @ weights[1], rtol=2e-4)
