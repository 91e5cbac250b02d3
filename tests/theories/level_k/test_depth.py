"""Priors of the depth of thinking: the cognitive hierarchy, and shares that are given."""

import json
from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from building import build, natural_names, random_point
from loops import TRIALS, trial_by_trial, type_logs
from markets import PYTHON
from scipy import stats
from scipy.special import logsumexp
from synthetic import small_trials, synthetic_fit

from trustbayes.comparison import leave_one_subject_out
from trustbayes.estimates.population import population_estimates
from trustbayes.inference.fit import load_fit
from trustbayes.inference.fitting import fit
from trustbayes.inference.gate import gate_of
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.inference.sampling import Sampling
from trustbayes.models import Hybrid, LevelK, Mixture, model_from_dict
from trustbayes.models.draws import Draws, prior_draws, type_probabilities
from trustbayes.models.graph import add_to
from trustbayes.models.replications import replicate
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import simulate

POISSON = Prior("TruncatedPoisson", tau=Prior("Gamma", mean=1.5, shape=2.0))
FIXED = Prior("Fixed", shares=[0.0, 0.5, 0.3, 0.2])
IN_FORECAST = "forecast-sharing"


def trials_for(chosen):
    return TRIALS["power" if chosen.spec.kind == "finite" else "forecast"]


def drawn(chosen, trials, size=6):
    return prior_draws(chosen, trials.game, trials.fold(chosen.role), size, seed=4)


def truncated(tau, size):
    shares = stats.poisson.pmf(np.arange(size), np.asarray(tau)[..., None])
    return shares / shares.sum(axis=-1, keepdims=True)


def setting_id(chosen):
    prior = chosen.priors["level"].distribution
    return f"{chosen.name} {chosen.role} {chosen.spec.kind} {prior}"


SETTINGS = [
    make(role, game, priors={"level": prior})
    for prior in (POISSON, FIXED, Prior("Dirichlet", a=[1, 5, 3, 1]))
    for make, role, game in (
        (LevelK, "sender", "finite"),
        (LevelK, "receiver", IN_FORECAST),
        (Mixture, "receiver", "finite"),
        (Hybrid, "sender", IN_FORECAST),
    )
]
OF_SETTINGS = pytest.mark.parametrize("chosen", SETTINGS, ids=setting_id)


# The shares


@pytest.mark.parametrize("levels", [1, 2, 4, 9])
@pytest.mark.parametrize("tau", [1e-9, 0.4, 1.5, 40.0])
def test_shares_of_a_given_poisson_are_those_of_scipy(tau, levels):
    with pm.Model(coords={"level": range(levels)}) as built:
        Prior("TruncatedPoisson", tau=tau).shares("level", levels)
    assert built.free_RVs == []
    expected = truncated(tau, levels)
    np.testing.assert_allclose(built["level_share"].eval(), expected, rtol=1e-10, atol=0)


def test_shares_follow_the_poisson_mean_that_is_drawn():
    chosen = LevelK("sender", max_level=5, priors={"level": POISSON})
    data = drawn(chosen, TRIALS["power"], 400).data
    tau = data["level_tau"].to_numpy()
    np.testing.assert_allclose(data["level_share"], truncated(tau, 6), rtol=1e-10)
    # A right distribution fails at 1e-3 once in a thousand seeds, and the seed is fixed.
    assert stats.kstest(tau, stats.gamma(2.0, scale=0.75).cdf).pvalue > 1e-3


def test_the_weight_of_a_dirichlet_may_have_a_prior():
    chosen = LevelK("sender", priors={"level": Prior("Dirichlet", a=Prior("HalfNormal", sigma=1))})
    built = build(chosen, TRIALS["power"])
    assert {"level_a", "level_share"} <= {rv.name for rv in built.free_RVs}


def test_names_take_the_prefix_of_a_role():
    chosen, trials = LevelK("sender", priors={"level": POISSON}), TRIALS["power"]
    with pm.Model() as built:
        add_to(chosen, trials.fold("sender"), trials.game, prefix="sender_")
    assert "sender_level_tau" in {rv.name for rv in built.free_RVs}
    assert built.named_vars_to_dims["sender_level_share"] == ("sender_level",)


# The likelihood


@OF_SETTINGS
def test_the_likelihood_is_that_of_the_trials_one_by_one(chosen):
    trials = trials_for(chosen)
    built = build(chosen, trials)
    names = natural_names(chosen)
    dims = {name: built.named_vars_to_dims.get(name, ()) for name in names}
    logs, points = random_point(built, names, draws=3)
    for draw in range(3):
        point = {name: np.asarray(values[draw]) for name, values in points.items()}
        assert logs[draw] == pytest.approx(trial_by_trial(chosen, trials, point, dims), rel=1e-9)


def test_given_shares_leave_nothing_of_levels_to_sample():
    trials = TRIALS["power"]
    chosen = LevelK("sender", priors={"level": FIXED})
    built = build(chosen, trials)
    assert not [rv.name for rv in built.free_RVs if "level" in rv.name]
    # The gradient is finite, though the share of level 0 has no logarithm.
    people = len(trials.subjects("sender"))
    at = {v.name: np.zeros(people if v.ndim else ()) for v in built.value_vars}
    slope = built.compile_dlogp(mode=PYTHON)(at)
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() > 0
    chances = type_probabilities(drawn(chosen, trials))
    assert (chances[..., 0] == 0).all()
    np.testing.assert_allclose(chances.sum(axis=-1), 1)


@pytest.mark.parametrize("prior", [POISSON, FIXED], ids=lambda prior: prior.distribution)
def test_new_subjects_are_predicted_as_with_the_same_shares_from_a_dirichlet(prior):
    trials = TRIALS["power"]
    draws = drawn(LevelK("receiver", priors={"level": prior}), trials)
    plain = Draws(LevelK("receiver"), draws.game, draws.units, draws.data)
    found, expected = new_subject_log_likelihood(draws), new_subject_log_likelihood(plain)
    np.testing.assert_array_equal(found.log_likelihood, expected.log_likelihood)
    # Levels that nobody is of do not bear on it.
    if prior is FIXED:
        shares = draws.data["level_share"].to_numpy() @ np.eye(4)[:, [1, 0, 2, 3]]
        moved = draws.data.assign(level_share=(("sample", "level"), shares))
        other = new_subject_log_likelihood(replace(draws, data=moved))
        assert np.abs(other.log_likelihood - found.log_likelihood).max() > 1e-3


# Around the model


@OF_SETTINGS
def test_models_read_back_and_replicate(chosen):
    again = model_from_dict(json.loads(json.dumps(chosen.to_dict())))
    assert again.priors == chosen.priors
    draws = drawn(again, trials_for(chosen), 4)
    assert len(replicate(draws, np.random.default_rng(1), given_trials=False)) == 4


def test_simulated_people_are_of_the_levels_that_are_given():
    game = TRIALS["forecast"].game
    chosen = {
        role: LevelK(role, game, priors={"level": Prior("Fixed", shares=shares)})
        for role, shares in (("sender", [0, 0, 1, 0]), ("receiver", [0, 0.5, 0, 0.5]))
    }
    played = simulate(game, **chosen, subjects=12, rounds=3, seed=2).parameters
    levels = played[played["parameter"] == "level"].groupby("role")["value"].agg(set)
    assert levels["sender"] == {2.0}
    assert levels["receiver"] == {1.0, 3.0}
    shares = played[played["parameter"].str.startswith("level_share[")]
    np.testing.assert_array_equal(shares.loc[shares["role"] == "sender", "value"], [0, 0, 1, 0])


def test_estimates_name_the_poisson_mean_and_given_shares():
    trials = small_trials()
    for prior, statistics in ((POISSON, ["share"] * 4 + ["Poisson mean"]), (FIXED, ["share"] * 4)):
        chosen = LevelK("sender", priors={"level": prior})
        before = drawn(chosen, trials, 100)
        data = {
            str(name): (("chain", "draw", *values.dims[1:]), values.to_numpy()[None])
            for name, values in before.data.items()
        }
        made = synthetic_fit(chosen, trials)
        made = replace(made, posterior=xr.Dataset(data, coords=before.data.coords))
        found = population_estimates(made, before)
        found = found[found["parameter"] == "level"]
        assert found["statistic"].tolist() == statistics
        np.testing.assert_array_equal(found["mean"], found["prior_mean"])
        if prior is FIXED:
            np.testing.assert_allclose(found["mean"], [0, 0.5, 0.3, 0.2])
            np.testing.assert_array_equal(found["lower"], found["upper"])
        else:
            assert found["mean"].iloc[-1] == pytest.approx(float(before.data["level_tau"].mean()))


def test_what_is_given_does_not_bear_on_the_gate():
    # R-hat of a number that never varies is 0 / 0, which would be a warning, hence an error here.
    made = synthetic_fit(LevelK("sender"), small_trials(), draws=100)
    shares = np.broadcast_to([0.0, 0.5, 0.3, 0.2], made.posterior["level_share"].shape)
    given = made.posterior.assign(level_share=(("chain", "draw", "level"), shares))
    without = made.posterior.drop_vars("level_share")
    assert gate_of(given, made.sample_stats) == gate_of(without, made.sample_stats)


# Faults


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: LevelK("sender", priors={"level": Prior("Dirichlet", a=[1, 2])}),
            r"prior of level: found 2 numbers in Dirichlet\(a=\[1, 2\]\), expected 4 "
            r"\(max_level \+ 1, one for each level: 0, 1, 2, 3\)",
        ),
        (
            lambda: LevelK("receiver", IN_FORECAST, max_level=5, priors={"level": FIXED}),
            r"prior of level: found 4 numbers in Fixed\(.*\), expected 6 \(max_level \+ 1",
        ),
        (
            lambda: Mixture("sender", priors={"theory": Prior("Dirichlet", a=[1, 2])}),
            "expected 3 .one for each: trust-embedded, level-k, babbling",
        ),
        (
            lambda: Mixture("sender", priors={"theory": POISSON}),
            "prior of theory: found TruncatedPoisson, expected one whose support is shares in no "
            "order: Dirichlet, Fixed",
        ),
        (
            lambda: LevelK("sender", priors={"level": Prior("Beta", alpha=1, beta=1)}),
            "prior of level: found Beta, expected .* shares: Dirichlet, TruncatedPoisson, Fixed",
        ),
        (
            lambda: LevelK("sender", priors={"response_precision": FIXED}),
            "prior of response_precision: found Fixed, expected one whose support is positive",
        ),
    ],
)
def test_priors_that_do_not_fit_the_levels_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# From trials to estimates


@pytest.mark.slow
def test_the_cognitive_hierarchy_is_fitted_as_quadrature_says(tmp_path):
    """Two free numbers: the Poisson mean, and a precision that all receivers share."""
    trials = TRIALS["power"]
    priors = {
        "level": Prior("TruncatedPoisson", tau=Prior("LogNormal", mu=0.4, sigma=0.7)),
        "response_precision": Prior("LogNormal", mu=Prior("Normal", mu=0, sigma=1), sigma=1.0),
    }
    chosen = LevelK("receiver", priors=priors, varies={"response_precision": ()})
    made = fit(chosen, trials, Sampling(draws=400, tune=300, chains=2, seed=3), progress=False)
    taus, precisions = np.exp(np.linspace(-3, 3.5, 131)), np.exp(np.linspace(-4, 2, 61))
    owner = np.array([trials.subjects("receiver").index(who) for who in trials.table["receiver"]])
    by_subject = np.zeros((precisions.size, owner.max() + 1, 4))
    for at, precision in enumerate(precisions):
        point = {"response_precision": np.array(precision)}
        logs = type_logs(chosen, trials, point, {"response_precision": ()})
        np.add.at(by_subject[at], owner, logs)
    shares = np.log(truncated(taus, 4))[:, None, None]
    logs = logsumexp(shares + by_subject, axis=-1).sum(axis=-1)  # (taus, precisions)
    logs += stats.norm.logpdf(np.log(taus), 0.4, 0.7)[:, None]
    logs += stats.norm.logpdf(np.log(precisions))
    mass = np.exp(logs - logsumexp(logs)).sum(axis=1)
    mean = mass @ np.log(taus)
    spread = np.sqrt(mass @ (np.log(taus) - mean) ** 2)
    draws = np.log(made.posterior["level_tau"].to_numpy())
    # About 300 effective draws of 800; four standard errors.
    assert draws.mean() == pytest.approx(mean, abs=4 * spread / np.sqrt(300))
    assert draws.std() == pytest.approx(spread, rel=4 / np.sqrt(2 * 300))
    made.save(tmp_path / "fit.nc")
    again = load_fit(tmp_path / "fit.nc")
    assert again.model.priors == chosen.priors
    scores = leave_one_subject_out(again, draws=50)
    assert scores.draws == 50
    assert np.isfinite(scores.elpd).all()
    table = population_estimates(again, drawn(chosen, trials, 50))
    assert "Poisson mean" in set(table["statistic"])
