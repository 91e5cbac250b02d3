"""One experiment in a study: the answer of its own fit, for trust-embedded senders."""

import numpy as np
import pytest

from trustbayes.games import FiniteGame
from trustbayes.inference.fitting import fit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import TrustEmbedded
from trustbayes.pooling.second_stage import evidence_from, pool_evidence, shared_scales
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import trials_from_frame

pytestmark = pytest.mark.slow

# One experiment leaves the mean and the spread of a population of them to each other.
POOLING = Sampling(draws=1000, tune=500, seed=3, target_accept=0.99)


@pytest.fixture(scope="module")
def alone():
    """Trust-embedded senders, and the numbers of their population that can be pooled."""
    game = FiniteGame([1, 2, 3, 4], treatments={"Only": 1.0})
    people = TrustEmbedded(
        "sender",
        priors={
            "response_precision": Prior("Gamma", mean=5.0, shape=3.0),
            "lying_aversion": Prior("LogNormal", mu=-1.0, sigma=0.7),
            "expected_trust": Prior("LogitNormal", mu=0.5, sigma=0.5),
        },
    )
    played = simulate(game, sender=people, receiver=None, subjects=40, rounds=40, seed=11)
    sampling = Sampling(draws=500, tune=400, seed=2)
    trials = trials_from_frame(played.trials, game)
    fitted = fit(TrustEmbedded("sender"), trials, sampling, progress=False)
    scales = shared_scales({"only": fitted})
    return scales, evidence_from(fitted, scales)


def pooled(alone, between):
    """By how many deviations pooling moves each number, and how much wider it makes it."""
    scales, evidence = alone
    found = pool_evidence(
        "trust-embedded",
        "sender",
        {"only": evidence},
        scales,
        between=between,
        sampling=POOLING,
    )
    assert found.gate.passed
    draws = found.posterior["population"].to_numpy().reshape(-1, len(scales))
    own = evidence.draws
    gap = (draws.mean(axis=0) - own.mean(axis=0)) / own.std(axis=0)
    return gap, draws.std(axis=0) / own.std(axis=0)


def test_without_a_spread_between_experiments_it_is_the_single_fit(alone):
    gap, ratio = pooled(alone, 0.01)
    # The pooled mean has the prior that a single experiment has, but for its form where that is
    # not normal. Draws of both stages have Monte Carlo errors of some .03.
    assert len(gap) == 5
    np.testing.assert_allclose(gap, 0.0, atol=0.2)
    np.testing.assert_allclose(ratio, 1.0, atol=0.12)


def test_with_a_wide_spread_what_the_data_bound_is_the_single_fits(alone):
    scales, evidence = alone
    gap, ratio = pooled(alone, 10.0)
    priors = np.array([scale.moments(1)[1] for scale in scales.values()])
    bound = evidence.draws.std(axis=0) < 0.25 * priors
    assert bound.sum() >= 3
    # A prior at least four times as wide as the posterior moves it by a sixteenth of the distance
    # between their means, three posterior deviations at most here.
    np.testing.assert_allclose(gap[bound], 0.0, atol=0.25)
    np.testing.assert_allclose(ratio[bound], 1.0, atol=0.15)
