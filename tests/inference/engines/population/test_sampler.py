"""Chains of independent proposals, where the posterior is known."""

import arviz as az
import numpy as np
import pytest

from trustbayes.inference.engines.population.proposals import Adapted, Proposal
from trustbayes.inference.engines.population.sampler import _least_effective, draw_by_proposals
from trustbayes.inference.sampling import Sampling

SAMPLING = Sampling(draws=1000, tune=100, chains=4, seed=3)


class Normal:
    """The log density of independent standard normal numbers."""

    def value(self, point):
        return -0.5 * float(point @ point)


def adapted(mean, spread, share):
    """A proposal whose draws were said to be so good."""
    proposal = Proposal.single(np.full(3, mean), spread**2 * np.eye(3))
    return Adapted(proposal, np.zeros((1, 3)), np.zeros(1), np.ones(1), 0.2, share)


@pytest.mark.parametrize(("mean", "spread", "each"), [(0.0, 1.1, 1), (0.8, 1.1, 2), (0.8, 0.6, 5)])
def test_draws_have_the_effective_sizes_that_the_gate_asks_for(mean, spread, each):
    draws = draw_by_proposals(Normal(), adapted(mean, spread, 0.6), SAMPLING, 1)
    assert set(draws.sample_stats["n_steps"].to_numpy().ravel()) == {each}
    for coordinate in range(3):
        here = draws.points[..., coordinate]
        named = az.convert_to_datatree({"x": here})
        bulk, tail = (float(az.ess(named, method=m)["x"]) for m in ("bulk", "tail"))
        assert min(bulk, tail) > 400  # the gate's
        assert abs(here.mean()) < 5 / np.sqrt(bulk)
        # the share beyond 1.645 standard deviations, which is a tenth
        assert abs((abs(here) > 1.645).mean() - 0.1) < 5 * np.sqrt(0.09 / tail)


@pytest.mark.parametrize("seed", range(10))
def test_chains_agree_as_the_gate_asks_by_any_seed(seed):
    sampling = Sampling(draws=1000, tune=100, chains=4, seed=seed)
    draws = draw_by_proposals(Normal(), adapted(0.8, 0.7, 0.3), sampling, 1)
    named = az.convert_to_datatree({"x": draws.points})
    assert float(az.rhat(named)["x"].max()) < 1.01  # the gate's
    assert _least_effective(draws.points) > 400


def test_proposals_that_are_too_narrow_learn_from_their_own_draws():
    # By a single proposal of .45 standard deviations the largest weights have no mean.
    draws = draw_by_proposals(Normal(), adapted(0.8, 0.45, 0.6), SAMPLING, 1)
    assert draws.pareto_k < 0.7
    assert _least_effective(draws.points) > 400  # the gate's
    for coordinate in range(3):
        here = draws.points[..., coordinate]
        assert abs(here.mean()) < 5 / np.sqrt(400)
        assert abs((abs(here) > 1.645).mean() - 0.1) < 5 * np.sqrt(0.09 / 400)


def test_proposals_that_are_nowhere_near_are_given_up():
    # 30 standard deviations off, each way: no draw shows where the density lies.
    assert draw_by_proposals(Normal(), adapted(30.0, 0.3, 0.6), SAMPLING, 1) is None
