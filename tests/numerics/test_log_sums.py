"""Sums of log-sum-exp and their slopes: against SciPy's, in every backend."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy.special import logsumexp

from trustbayes.numerics.log_sums import log_sums

RNG = np.random.default_rng(20251126)
NUMBERS = np.array([-4.5, -1.25, -0.3, 0.0])
MET = np.array([[1.0, 0.0, 2.0, 1.0], [0.0, 3.0, 0.0, 1.0], [0.0, 0.0, 0.0, 4.0]])
MODES = ("NUMBA", "FAST_COMPILE")


def case(parts):
    return RNG.integers(0, 5, (2, 3, parts)).astype(float), RNG.exponential(5, parts)


def by_scipy(had, precision):
    logs = logsumexp(NUMBERS * precision[:, None, None], b=MET, axis=-1)
    return np.einsum("klp,pl->kp", had, logs)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("parts", [1, 127, 128, 300])
def test_sums_of_any_number_of_subjects(mode, parts):
    had, precision = case(parts)
    λ = pt.vector("λ")
    found = pytensor.function([λ], log_sums(NUMBERS, MET, had, λ), mode=mode)(precision)
    np.testing.assert_allclose(found, by_scipy(had, precision), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_slopes_and_curvatures(mode):
    had, precision = case(130)
    λ = pt.vector("λ")
    weights = np.array([[0.3], [1.7]])  # of kinds, which a model adds up unevenly
    value = (weights * log_sums(NUMBERS, MET, had, λ)).sum()
    slope = pt.grad(value, λ)
    curvature = pt.grad(slope.sum(), λ)
    found = pytensor.function([λ], [slope, curvature], mode=mode)(precision)

    def summed(step):
        return (weights * by_scipy(had, precision + step)).sum(axis=0)

    h = 1e-4  # errors of h² and of rounding over h (h²): 1e-8 and less
    np.testing.assert_allclose(found[0], (summed(h) - summed(-h)) / (2 * h), atol=1e-6)
    second = (summed(h) - 2 * summed(0) + summed(-h)) / h**2
    np.testing.assert_allclose(found[1], second, atol=1e-4)


def test_no_choice_matters_without_precision_and_only_the_best_with_much():
    had = np.ones((1, 3, 2))
    found = log_sums(NUMBERS, MET, had, pt.constant([0.0, 1e9])).eval()
    np.testing.assert_allclose(found, [[np.log([4, 4, 4]).sum(), np.log([1, 1, 4]).sum()]])
