"""Posteriors by the population engine: names, seeds, subjects, refusals, coinciding types."""

from __future__ import annotations

import arviz as az
import numpy as np
import pymc as pm
import pytest
from scipy.special import log_softmax, logsumexp

import trustbayes as tb
from trustbayes.errors import InputError
from trustbayes.inference.engines.population.coinciding import coinciding_types
from trustbayes.inference.engines.population.density import PopulationDensity
from trustbayes.inference.engines.population.engine import build_population, prepare_units
from trustbayes.inference.engines.population.layout import layout_of
from trustbayes.inference.engines.population.people import draw_subjects
from trustbayes.inference.engines.population.posterior import sample_population
from trustbayes.inference.engines.population.sampler import draw_by_nuts
from trustbayes.inference.engines.population.scores import by_group, subject_log_likelihood
from trustbayes.inference.gate import INTEGRATION_ERROR
from trustbayes.inference.sampling import Sampling

SHORT = Sampling(draws=100, tune=100, chains=2, seed=7)


@pytest.fixture(scope="module")
def trials():
    data = tb.bundled("simulated-finite")
    return tb.read_trials(data.trials, tb.read_game(data.game))


def test_names_and_dims_are_those_of_every_fit(trials):
    units = trials.fold("receiver")
    found = sample_population(tb.TrustEmbedded("receiver"), trials.game, units, SHORT)
    dims = {name: array.dims[2:] for name, array in found.posterior.data_vars.items()}
    assert dims == {
        "response_precision_mean": (),
        "response_precision_shape": (),
        "trust_mu": ("treatment",),
        "trust_sigma": (),
        "response_precision": ("subject",),
        "trust": ("subject", "treatment"),
    }
    assert found.posterior["subject"].to_numpy().tolist() == list(units.subjects)
    assert {"diverging", "energy", "logp"} <= set(found.sample_stats.data_vars)
    assert found.integration.error < INTEGRATION_ERROR
    assert found.log_likelihood.shape == (200, len(units.subjects))


def test_same_seed_gives_the_same_draws_bit_for_bit(trials):
    units = trials.fold("sender").of_subjects(np.arange(6))
    first, second = (
        sample_population(tb.LevelK("sender"), trials.game, units, SHORT) for _ in range(2)
    )
    assert first.posterior.equals(second.posterior)


def test_nuts_gives_the_same_draws_for_a_seed(trials):
    units = trials.fold("sender").of_subjects(np.arange(6))
    state = prepare_units(tb.LevelK("sender"), trials.game, units)
    short = Sampling(draws=20, tune=50, chains=2, seed=3)
    first, second = (
        draw_by_nuts(state.density, state.mode, state.adapted.covariance, short) for _ in range(2)
    )
    assert np.array_equal(first.points, second.points)


def test_subjects_draws_have_the_moments_of_the_conditional_posterior(trials):
    units = trials.fold("sender").of_subjects(np.arange(3))
    state = prepare_units(tb.FullTrust("sender"), trials.game, units)
    points = np.tile(state.mode, (4000, 1))
    values, _, _ = draw_subjects(state, points, seed=1)
    drawn = np.log(values["response_precision"])
    population = state.population(state.mode)
    tables = state.marginal.tables
    terms = state.marginal.terms(population)
    for subject in range(3):
        nodes = slice(tables.start[subject], tables.start[subject + 1])
        at = tables.axes[0].nodes[0][tables.place[0, nodes]]
        mean = terms.chance[nodes] @ at
        spread = np.sqrt(terms.chance[nodes] @ (at - mean) ** 2)
        assert drawn[:, subject].mean() == pytest.approx(mean, abs=4 * spread / 60)
        assert drawn[:, subject].std() == pytest.approx(spread, rel=0.06)


def test_habits_equal_simulation(trials):
    units = trials.fold("sender").of_subjects(np.arange(3))
    state = prepare_units(tb.Babbling("sender"), trials.game, units)
    population = state.population(state.mode)
    rng = np.random.default_rng(1)
    middle, spread = population.location[0], population.shape[0]["sigma"]
    habits = middle + spread * rng.normal(size=(200_000, middle.size))
    logs = log_softmax(habits, axis=1) @ state.marginal.counts.T
    expected = logsumexp(logs, axis=0) - np.log(len(habits))
    np.testing.assert_allclose(state.marginal.by_subject(population), expected, atol=0.02)
    point = state.mode + 0.1
    gradient = state.density(point)[1]
    for axis in range(point.size):
        step = np.zeros(point.size)
        step[axis] = 1e-5
        slope = (state.density(point + step)[0] - state.density(point - step)[0]) / 2e-5
        assert gradient[axis] == pytest.approx(slope, rel=1e-5, abs=1e-4)


def test_a_prior_that_is_code_is_refused_with_the_engine_to_use(trials):
    model = tb.FullTrust(
        "sender",
        priors={"response_precision": lambda dims: pm.Gamma("own", 1, 1, dims=dims)},
    )
    with pytest.raises(InputError, match=r'Python code.*method="nuts"'):
        build_population(model, trials)


def test_terms_of_ones_own_may_be_added(trials):
    built = build_population(tb.LevelK("sender"), trials)
    before = PopulationDensity(built)
    with built:
        pm.Potential("more", -built["response_precision_mean"])
    after = PopulationDensity(built)
    mean = np.exp(before.start[0])
    assert before(before.start)[0] - after(after.start)[0] == pytest.approx(mean)


def test_formulas_differ_between_subjects(trials):
    units = trials.fold("receiver").of_subjects(np.arange(5))
    model = tb.TrustEmbedded("receiver", formulas={"trust": "1 + treatment"})
    found = sample_population(model, trials.game, units, SHORT)
    assert "trust_slope" in found.posterior
    assert found.posterior["trust"].dims == ("chain", "draw", "subject", "treatment")


def test_scores_are_those_of_the_draws(trials):
    units = trials.fold("sender").of_subjects(np.arange(4))
    state = prepare_units(tb.LevelK("sender"), trials.game, units)
    logs = subject_log_likelihood(state, state.mode + np.zeros((3, 1)))
    assert logs.shape == (3, 4)
    assert by_group(logs, ("a", "a", "b", "b"))["a"] == pytest.approx(logs[:, :2].sum(axis=1))


def test_types_of_the_bundled_game_are_told_apart(trials):
    layout = layout_of(tb.LevelK("receiver"), trials.game, trials.fold("receiver"))
    assert coinciding_types(layout) == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("theory", "role"), [(tb.LevelK, "sender"), (tb.TrustEmbedded, "receiver")]
)
def test_means_are_those_of_a_run_over_all_subjects(trials, theory, role):
    model = theory(role)
    ours = sample_population(model, trials.game, trials.fold(role), Sampling(seed=1)).posterior
    long = Sampling(method="nuts", draws=1500, tune=1000, seed=2)
    theirs = tb.fit(model, trials, long, progress=False).posterior
    gaps = []
    for name in ours.data_vars:
        pair = ours[name], theirs[name]
        error = np.sqrt(sum(np.square(az.mcse(array).to_numpy()) for array in pair))
        gap = pair[0].mean(("chain", "draw")) - pair[1].mean(("chain", "draw"))
        moves = error > 0  # what is certain has no error
        gaps.append(np.ravel((gap.to_numpy() / np.where(moves, error, 1))[moves]))
    # Some hundred dependent statistics, standard normal if the posteriors are the same.
    found = np.concatenate(gaps)
    assert np.abs(found).max() < 4.5
    assert np.sqrt((found**2).mean()) < 1.6
