"""Power-scaling: log densities of priors by hand, and a conjugate case whose answer is known."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pymc as pm
import pytest
from scipy import special, stats
from synthetic import small_trials, synthetic_fit

from trustbayes.estimates.prior_sensitivity import prior_log_densities, prior_sensitivity
from trustbayes.models import LevelK, TrustEmbedded
from trustbayes.priors.prior import Prior

TRIALS = small_trials()
ROUND = 1e-5  # whole numbers as arguments of priors make PyTensor work in single precision


def honest(dims):
    share = pm.Beta("honest_share", alpha=1, beta=3)
    pm.Normal("raw", shape=4)
    return pm.HalfNormal("lying_aversion", sigma=1 + share, dims=dims)


def with_locations(fit, **added):
    """Add population variables, as sampling would have."""
    sizes = (fit.posterior.sizes["chain"], fit.posterior.sizes["draw"])
    dims = {1: ("chain", "draw"), 2: ("chain", "draw", "treatment")}
    found = {
        name: (dims[values.ndim], values.reshape(*sizes, *values.shape[1:]))
        for name, values in added.items()
    }
    return replace(fit, posterior=fit.posterior.assign(found))


def test_each_parameter_has_the_log_density_of_its_hyperpriors():
    rng = np.random.default_rng(3)
    fit = synthetic_fit(TrustEmbedded("sender"), TRIALS, draws=10)
    mu = rng.normal(size=(20, 2))
    fit = with_locations(fit, expected_trust_mu=mu)
    found, data = prior_log_densities(fit), fit.draws().data
    expected = {
        "expected_trust": stats.norm.logpdf(mu, 0, 1.5).sum(axis=1),
        "response_precision": stats.lognorm.logpdf(data["response_precision_mean"], 1, 0, np.e)
        + stats.lognorm.logpdf(data["response_precision_shape"], 0.5),
        "lying_aversion": stats.norm.logpdf(data["lying_aversion_mu"], *normal("lying_aversion"))
        + stats.halfnorm.logpdf(data["lying_aversion_sigma"], 0, half("lying_aversion")),
    }
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=ROUND)


def normal(name):
    return TrustEmbedded("sender").priors[name].arguments["mu"].arguments.values()


def half(name):
    return TrustEmbedded("sender").priors[name].arguments["sigma"].arguments["sigma"]


def test_shares_and_variables_of_code_count_to_their_parameters():
    weights = [1.0, 2.0, 3.0, 4.0]  # as many as there are subjects, and yet of the population
    chosen = LevelK("sender", priors={"level": Prior("Dirichlet", a=weights)})
    fit = synthetic_fit(chosen, TRIALS, draws=5)
    shares = fit.draws().data["level_share"].to_numpy()
    expected = [stats.dirichlet.logpdf(one / one.sum(), weights) for one in shares]
    np.testing.assert_allclose(prior_log_densities(fit)["level"], expected, rtol=ROUND)
    coded = TrustEmbedded("sender", priors={"lying_aversion": honest})
    share = np.random.default_rng(1).uniform(0.1, 0.9, 10)
    fit = with_locations(synthetic_fit(coded, TRIALS, draws=5), honest_share=share)
    found = prior_log_densities(fit)["lying_aversion"]
    np.testing.assert_allclose(found, stats.beta.logpdf(share, 1, 3), rtol=ROUND)


CHAINS, DRAWS = 4, 2000


def gradient(at_power, values):
    """The distance's change per doubling, by quadrature between the extremes of the values."""
    x = np.linspace(values.min(), values.max(), 200_001)
    step = x[1] - x[0]

    def distance(first, second):
        middle = (first + second) / 2
        parts = [
            special.xlogy(one, one / middle).sum() / np.log(2) + (two - one).sum() / np.log(4)
            for one, two in ((first, second), (second, first))
        ]
        return np.sqrt(max(sum(parts) * step, 0) / ((first + second).sum() * step))

    slopes = []
    for alpha in (0.99, 1.01):
        both = [at_power(power, x) for power in (1.0, alpha)]
        far = max(distance(*both), distance(*(1 - one for one in both)))
        slopes.append(far / abs(np.log2(alpha)))
    return np.mean(slopes)


@pytest.mark.parametrize(
    ("centre", "error", "diagnosis"),
    [
        (0.0, 0.2, ""),
        (0.0, 6.0, "prior outweighs data"),
        (6.0, 1.5, "prior and data pull apart"),
    ],
)
def test_sensitivities_are_those_of_the_conjugate_posterior(monkeypatch, centre, error, diagnosis):
    fit = synthetic_fit(TrustEmbedded("sender"), TRIALS, chains=CHAINS, draws=DRAWS)

    def posterior(prior=1.0, data=1.0):
        precision = prior / 1.5**2 + data / error**2
        return data * centre / error**2 / precision, precision**-0.5

    mean, sd = posterior()
    mu = np.random.default_rng(4).normal(mean, sd, (CHAINS * DRAWS, 2))
    fit = with_locations(fit, expected_trust_mu=mu, expected_trust=special.expit(mu))

    def new_subjects(fit, draws):
        return SimpleNamespace(log_likelihood=stats.norm.logpdf(mu, centre, error))

    module = sys.modules[prior_sensitivity.__module__]  # the room hands on a function of its name
    monkeypatch.setattr(module, "new_subjects", new_subjects)
    rows = prior_sensitivity(fit, draws=CHAINS * DRAWS)
    rows = rows[rows["parameter"] == "expected_trust"]
    assert rows["treatment"].tolist() == ["Low", "High"]
    assert not diagnosis or set(rows["strongest"]) == {"expected_trust"}
    assert set(rows["diagnosis"]) == {diagnosis}
    for values, (_, row) in zip(special.expit(mu).T, rows.iterrows(), strict=True):
        for component in ("prior", "likelihood"):
            key = {"prior": "prior", "likelihood": "data"}[component]

            def at_power(alpha, x, key=key):
                return stats.norm.cdf(special.logit(x), *posterior(**{key: alpha}))

            # The distance goes by weights that other variables' densities shake, by 1/√8000 each.
            expected = gradient(at_power, values)
            assert row[component] == pytest.approx(expected, rel=0.12, abs=0.006)
