"""Tails of weights: Pareto's own k is told, whatever its size, and weights alike have none."""

import numpy as np
import pytest

from trustbayes.numerics.pareto import pareto_k, smoothed


@pytest.mark.parametrize("k", [0.1, 0.5, 0.9, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_k_is_that_of_weights_drawn_with_it(k, seed):
    """Weights u^-k have the Pareto tail k; of 20,000 the largest 424 say it to .05 (1 + k) each."""
    logs = k * np.random.default_rng(seed).exponential(size=20_000)
    assert pareto_k(logs) == pytest.approx(k, abs=3 * 0.05 * (1 + k))


@pytest.mark.filterwarnings("error")
def test_a_tail_beyond_all_floats_is_told_without_a_warning():
    rng = np.random.default_rng(0)
    logs = np.stack([400 * rng.exponential(size=2000), np.zeros(2000), rng.normal(size=2000)])
    smooth, tails = smoothed(logs)
    assert smooth.shape == logs.shape
    assert tails[0] > 5
    assert tails[1] == 0
    np.testing.assert_allclose(np.exp(smooth).sum(axis=1), 1, rtol=1e-9)
    assert tails[2] < 0.7


def test_few_weights_have_no_k_and_equal_ones_are_perfect():
    assert pareto_k(np.full(1000, -3.0)) == 0.0
    assert pareto_k(np.append(np.zeros(50), np.full(1000, -np.inf))) == np.inf
