"""The trust gap, from draws whose values are known."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit
from synthetic import small_trials, synthetic_fit

from trustbayes.errors import InputError
from trustbayes.estimates.trust_gap import trust_gap
from trustbayes.inference.fit import Fit
from trustbayes.models import LevelK, TrustEmbedded
from trustbayes.priors.prior import Prior

TRIALS = small_trials()


def both(**receiver) -> tuple[Fit, Fit]:
    return (
        synthetic_fit(TrustEmbedded("sender"), TRIALS, seed=1),
        synthetic_fit(TrustEmbedded("receiver", **receiver), TRIALS, seed=2),
    )


def test_the_table_is_what_the_draws_say():
    sender, receiver = both()
    table = trust_gap(sender, receiver, ci_prob=0.8)
    location = receiver.posterior["trust_mu"].to_numpy().reshape(-1, 2)
    spread = receiver.posterior["trust_sigma"].to_numpy().ravel()
    quantiles = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    for at, row in enumerate(table.itertuples()):
        expected = sender.posterior["expected_trust"].to_numpy().reshape(-1, 2)[:, at]
        given = expit(location[:, at, None] + spread[:, None] * quantiles).mean(axis=1)
        assert row.treatment == TRIALS.treatments[at]
        assert row.expected == pytest.approx(expected.mean())
        assert row.given == pytest.approx(given.mean(), abs=1e-4)
        assert row.gap == pytest.approx((expected - given).mean(), abs=1e-4)
        bounds = np.quantile(expected - given, [0.1, 0.9])
        assert (row.gap_lower, row.gap_upper) == pytest.approx(tuple(bounds), abs=1e-4)
        assert row.more == pytest.approx((expected > given).mean(), abs=0.011)


@pytest.mark.parametrize("over", [(), ("treatment",)])
def test_trust_that_all_receivers_share_is_taken_as_it_is(over):
    sender, receiver = both(varies={"trust": over})
    values = receiver.posterior["trust"].mean(("chain", "draw")).to_numpy()
    given = trust_gap(sender, receiver)["given"].to_numpy()
    np.testing.assert_allclose(given, np.broadcast_to(values, 2))


def test_without_a_population_it_is_the_mean_over_receivers():
    beta = {"trust": Prior("Beta", alpha=2.0, beta=2.0)}
    sender, receiver = both(priors=beta, varies={"trust": ("subject",)})
    mean = float(receiver.posterior["trust"].mean())
    np.testing.assert_allclose(trust_gap(sender, receiver)["given"], mean)


def test_models_without_trust_are_refused():
    sender, receiver = both()
    with pytest.raises(InputError, match=r"sender: found 'level-k'.*expected trust"):
        trust_gap(synthetic_fit(LevelK("sender"), TRIALS), receiver)
    with pytest.raises(InputError, match=r"receiver: found 'level-k'.*with trust"):
        trust_gap(sender, synthetic_fit(LevelK("receiver"), TRIALS))
