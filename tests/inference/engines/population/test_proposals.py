"""What few weighted points say of a posterior."""

import numpy as np
import pytest

from trustbayes.inference.engines.population.proposals import Adapted, Proposal


@pytest.mark.parametrize("alone", [1, 2])
def test_a_covariance_can_be_factored_where_few_points_have_all_the_weight(alone):
    shape = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.1], [0.0, 0.1, 0.5]])
    points = np.random.default_rng(1).normal(size=(500, 3))
    weights = np.zeros(500)
    weights[:alone] = 1 / alone
    proposal = Proposal.single(np.zeros(3), shape)
    found = Adapted(proposal, points, np.zeros(500), weights, np.inf, 0.0).covariance
    assert np.linalg.eigvalsh(found).min() >= 0.49 * np.linalg.eigvalsh(shape).min()
    np.linalg.cholesky(found)


def test_many_points_say_the_covariance_alone():
    points = np.random.default_rng(1).normal(size=(500, 3))
    proposal = Proposal.single(np.zeros(3), 100 * np.eye(3))
    even = Adapted(proposal, points, np.zeros(500), np.full(500, 1 / 500), 0.1, 1.0)
    np.testing.assert_allclose(even.covariance, np.cov(points.T, bias=True))
