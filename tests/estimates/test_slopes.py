"""Slopes and their clustered standard errors against the general formula, and at the edges."""

import numpy as np
import pytest

from trustbayes.estimates.slopes import clustered_slope


def sandwich(seen: np.ndarray, chosen: np.ndarray, cluster: np.ndarray) -> tuple[float, float]:
    """Least squares and the clustered sandwich for any number of regressors, in matrices."""
    design = np.column_stack([np.ones_like(seen), seen])
    bread = np.linalg.inv(design.T @ design)
    found = bread @ design.T @ chosen
    residual = chosen - design @ found
    meat = np.zeros((2, 2))
    for name in np.unique(cluster):
        own = design[cluster == name].T @ residual[cluster == name]
        meat += np.outer(own, own)
    groups, size = np.unique(cluster).size, seen.size
    variance = bread @ meat @ bread * groups / (groups - 1) * (size - 1) / (size - 2)
    return found[1], np.sqrt(variance[1, 1])


@pytest.mark.parametrize("seed", range(5))
def test_slope_and_error_are_those_of_the_matrix_formula(seed):
    rng = np.random.default_rng(seed)
    cluster = rng.integers(6, size=80)
    seen = rng.normal(50, 90, 80)
    chosen = 0.7 * seen + rng.normal(0, 20, 6)[cluster] + rng.normal(0, 10, 80)
    found = clustered_slope(seen, chosen, cluster)
    assert (found.coefficient, found.standard_error) == pytest.approx(
        sandwich(seen, chosen, cluster)
    )
    assert (found.trials, found.clusters) == (80, np.unique(cluster).size)


def test_with_a_cluster_for_each_trial_it_is_the_robust_error():
    rng = np.random.default_rng(1)
    seen, chosen = rng.normal(size=(2, 30))
    away = seen - seen.mean()
    residual = chosen - chosen.mean() - (away @ chosen) / (away @ away) * away
    robust = np.sqrt((away**2 * residual**2).sum() * 30 / 28) / (away @ away)  # HC1
    assert clustered_slope(seen, chosen, np.arange(30)).standard_error == pytest.approx(robust)


def test_repeating_every_trial_of_a_cluster_adds_no_certainty():
    rng = np.random.default_rng(2)
    seen, chosen = rng.normal(size=(2, 40))
    cluster = np.repeat(np.arange(8), 5)
    once = clustered_slope(seen, chosen, cluster)
    many = clustered_slope(*(np.tile(v, 50) for v in (seen, chosen, cluster)))
    assert many.coefficient == pytest.approx(once.coefficient)
    assert many.standard_error == pytest.approx(once.standard_error * np.sqrt(38 / 39), rel=1e-3)


def test_what_cannot_be_told_is_no_number():
    level = clustered_slope(np.ones(4), np.arange(4.0), np.array([0, 0, 1, 1]))
    assert np.isnan([level.coefficient, level.standard_error]).all()
    alone = clustered_slope(np.arange(4.0), np.arange(4.0), np.zeros(4))
    assert alone.coefficient == pytest.approx(1)
    assert np.isnan(alone.standard_error)
