"""Numbers of populations on common scales, there and back, and their priors."""

import numpy as np
import pytest
from scipy import integrate
from synthetic import small_trials

from trustbayes.models import LevelK, TrustEmbedded
from trustbayes.models.draws import prior_draws
from trustbayes.pooling.common_scales import common_scales, with_values
from trustbayes.priors.prior import Prior

TRIALS = small_trials()
MODELS = [
    TrustEmbedded("sender"),
    TrustEmbedded("receiver"),
    LevelK("sender", priors={"level": Prior("Dirichlet", a=[1.0, 2.0, 3.0, 0.5])}),
]


@pytest.fixture(scope="module", params=MODELS, ids=lambda model: f"{model.name}, {model.role}")
def drawn(request):
    model = request.param
    return model, prior_draws(model, TRIALS.game, model.fold(TRIALS), 4000, 1)


def test_priors_are_those_of_the_model(drawn):
    model, draws = drawn
    treatments = len(draws.units.treatments)
    values = []
    for scale in common_scales(model):
        mean, spread = scale.moments(treatments)
        x = scale.values(draws.data)
        values.append(x)
        assert x.mean() == pytest.approx(mean, abs=4.5 * spread / np.sqrt(x.size))
        assert x.std() == pytest.approx(spread, rel=0.08)
        grid = np.linspace(mean - 14 * spread, mean + 14 * spread, 8001)
        density = np.exp(scale.log_prior(grid, treatments))
        assert integrate.simpson(density, x=grid) == pytest.approx(1.0, abs=1e-4)
        assert integrate.simpson(density * grid, x=grid) == pytest.approx(mean, abs=2e-3)
    apart = np.corrcoef(values)[np.triu_indices(len(values), 1)]
    assert np.abs(apart).max() < 0.07  # independent, so that a joint prior is a product


def test_a_population_can_be_given_other_numbers(drawn):
    model, draws = drawn
    scales = {scale.label: scale for scale in common_scales(model)}
    rng = np.random.default_rng(2)
    wanted = {label: 0.5 * rng.normal(size=4000) for label in scales}
    if any(scale.apart for scale in scales.values()):
        only_means = {label: v for label, v in wanted.items() if not scales[label].apart}
        check_means_alone(draws, scales, only_means, model)
    changed = with_values(draws.data, scales, wanted, model)
    for label, scale in scales.items():
        np.testing.assert_allclose(scale.values(changed), wanted[label], atol=1e-8)
    assert not any("subject" in array.dims for array in changed.data_vars.values())
    if "expected_trust" in changed:
        mu = changed["expected_trust_mu"].to_numpy()
        np.testing.assert_allclose(changed["expected_trust"], 1 / (1 + np.exp(-mu)), atol=1e-12)


def check_means_alone(draws, scales, wanted, model):
    changed = with_values(draws.data, scales, wanted, model)
    for name in changed.data_vars:
        if "treatment" in changed[name].dims and str(name).endswith("_mu"):
            before = draws.data[name].transpose("sample", ...).to_numpy()
            after = changed[name].transpose("sample", ...).to_numpy()
            # What sets treatments apart stays.
            np.testing.assert_allclose(np.diff(after), np.diff(before), atol=1e-12)


def test_shares_are_chances_to_go_beyond():
    model = LevelK("receiver")
    draws = prior_draws(model, TRIALS.game, model.fold(TRIALS), 50, 1)
    shares = draws.data["level_share"].transpose("sample", "level").to_numpy()
    beyond = [s for s in common_scales(model) if s.statistic.startswith("beyond")]
    chance = beyond[1].natural(beyond[1].values(draws.data))
    np.testing.assert_allclose(chance, 1 - shares[:, 1] / shares[:, 1:].sum(axis=1), atol=1e-9)


def test_what_is_given_or_the_games_own_has_no_population():
    fixed = TrustEmbedded("receiver", priors={"trust": Prior("LogitNormal", mu=0.0, sigma=1.0)})
    assert {scale.parameter for scale in common_scales(fixed)} == {"response_precision"}
    poisson = LevelK("sender", priors={"level": Prior("TruncatedPoisson", tau=1.5)})
    assert {scale.parameter for scale in common_scales(poisson)} == {"response_precision"}
