"""Stand-in densities: all but the parameters that a type ignores is as without them."""

from dataclasses import replace

import numpy as np
import pytest
from building import densities, made_up_information
from loops import TRIALS
from scipy import stats
from scipy.special import logit, logsumexp, softmax
from synthetic import synthetic_fit

from trustbayes.games import ForecastGame
from trustbayes.inference.first_run import likely_chains, refined
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.models import Hybrid, Mixture, TrustEmbedded
from trustbayes.models.draws import cell_log_likelihood, subject_log_likelihood, type_probabilities
from trustbayes.models.graph import build_units
from trustbayes.models.parametrisation.pilot import pilot
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import trials_from_frame

IGNORED = {"sender": "lying_aversion", "receiver": "trust"}
CASES = [
    (make, role, kind)
    for make, kind in ((Mixture, "power"), (Mixture, "forecast"), (Hybrid, "forecast"))
    for role in IGNORED
]
OF_EACH = pytest.mark.parametrize(
    ("make", "role", "kind"), CASES, ids=[f"{m.__name__} {r} {k}" for m, r, k in CASES]
)


def of_kind(make, role, kind, **settings):
    return make(role, "finite" if kind == "power" else "forecast-sharing", **settings)


def one_subject(kind, role):
    """The trials of the subject who has most of them."""
    table = TRIALS[kind].table
    return trials_from_frame(table[table[role] == table[role].mode()[0]], TRIALS[kind].game)


@OF_EACH
def test_integrated_over_what_is_ignored_the_density_is_the_same(make, role, kind):
    name, trials = IGNORED[role], one_subject(kind, role)
    # A value for each treatment would make the same check with more to write.
    model = of_kind(make, role, kind, varies={name: ("subject",)})
    units = trials.fold(role)
    plain = made_up_information(model, units)
    stand_in = (np.array([0.4]), np.array([0.6]))
    totals = []
    for information in (plain, replace(plain, stand_ins={name: stand_in})):
        built = build_units(model, units, trials.game, information)
        rng = np.random.default_rng(3)
        point = {}
        for variable in built.free_RVs:
            shape = tuple(variable.shape.eval())
            point[variable.name] = rng.uniform(0.4, 0.9, size=shape)
            if variable.name.startswith("habit"):
                point[variable.name] = np.zeros(shape)  # they add up to zero
            if variable.name.endswith("_share"):
                point[variable.name] = rng.dirichlet(np.ones(shape[0]))
        logs = densities(built, point, f"{name}_own", np.linspace(-9, 9, 721)[:, None])
        totals.append(logsumexp(logs))
        assert np.ptp(logs) > 5  # what is integrated over matters
    # Sums over so fine a grid of smooth densities are their integrals.
    assert totals[1] == pytest.approx(totals[0], abs=1e-6)


@OF_EACH
def test_types_given_draws_weigh_what_stands_in(make, role, kind):
    name, trials = IGNORED[role], TRIALS[kind]
    model = of_kind(make, role, kind)
    fit = synthetic_fit(model, trials, draws=5)
    rng = np.random.default_rng(1)
    subjects = len(fit.units.subjects)
    extra = rng.normal(size=(2, 5, subjects))
    data = fit.posterior.assign({f"{name}_unused": (("chain", "draw", "subject"), extra)})
    draws, without = replace(fit, posterior=data).draws(), fit.draws()
    for rows, logs in without.cell_logs():
        joint = without.log_shares[rows] + without.by_subject(logs)
        for position, label in enumerate(model.types):
            ignores = label == "0" if make is Hybrid else label != "trust-embedded"
            joint[..., position] += ignores * extra.reshape(-1, subjects)[rows]
        found = type_probabilities(draws)[rows]
        np.testing.assert_allclose(found, softmax(joint, axis=-1), rtol=1e-9, atol=1e-300)
        np.testing.assert_allclose(subject_log_likelihood(draws)[rows], logsumexp(joint, axis=-1))
        subject = fit.units.cell_subject
        left = joint[:, subject] - logs
        expected = logsumexp(joint[:, subject], axis=-1) - logsumexp(left, axis=-1)
        np.testing.assert_allclose(cell_log_likelihood(draws)[rows], expected, rtol=1e-9)


def test_a_stand_in_is_near_what_the_trials_say():
    game = ForecastGame()
    planted = {
        "trust": Prior("LogitNormal", mu=[0.5] * 4, sigma=1.0),
        "response_noise": Prior("LogNormal", mu=-3.0, sigma=0.1),
    }
    played = simulate(
        game,
        sender=Mixture("sender", game),
        receiver=TrustEmbedded("receiver", game, priors=planted),
        subjects=12,
        rounds=80,
        seed=2,
    )
    units = trials_from_frame(played.trials, game).fold("receiver")
    model = Mixture("receiver", game, parametrisation={"trust": "centred"})  # not placed
    middle, spread = pilot(model, units, game).stand_ins["trust"]
    told = played.parameters.query("role == 'receiver' and parameter == 'trust'")
    own = logit(told.groupby("subject")["value"].mean().loc[list(units.subjects)].to_numpy())
    # Trust is planted alike in all treatments. Its location, which the pilot finds for all, is in
    # the middle of each stand-in; 20 trials in each treatment say the rest.
    assert np.all(spread < 0.5)
    gaps = middle - own
    assert stats.pearsonr(middle, own).statistic > 0.98
    assert np.abs(gaps - gaps.mean()).max() < 0.6


def test_only_what_some_type_ignores_has_a_stand_in():
    trials = TRIALS["power"]
    for role, name in IGNORED.items():
        units = trials.fold(role)
        habits = {"habit"} if role == "sender" else set()
        not_placed = Mixture(role, parametrisation={name: "centred"})
        assert set(pilot(not_placed, units, trials.game).stand_ins) == {name} | habits
        assert not pilot(Mixture(role), units, trials.game).stand_ins
        assert not pilot(TrustEmbedded(role), units, trials.game).stand_ins
        beta = {
            name: Prior(
                "Exponential" if role == "sender" else "Beta",
                **({"lam": 1.0} if role == "sender" else {"alpha": 1.0, "beta": 1.0}),
            )
        }
        own = Mixture(role, priors=beta, varies={name: ("subject",)})
        assert set(pilot(own, units, trials.game).stand_ins) == habits


@OF_EACH
def test_draws_refine_stand_ins_where_a_subject_may_have_the_parameter(make, role, kind):
    name, trials = IGNORED[role], TRIALS[kind]
    model = of_kind(make, role, kind)
    fit = synthetic_fit(model, trials, draws=100)
    subjects = len(fit.units.subjects)
    before = replace(
        made_up_information(model, fit.units),
        stand_ins={name: (np.full(subjects, 9.0), np.full(subjects, 7.0))},
    )
    draws = fit.draws()
    middle, spread = refined(before, draws).stand_ins[name]
    chances = type_probabilities(draws)
    heeds = [name not in model.ignored[label] for label in model.types]
    known = []
    for i in range(subjects):
        weight = chances[:, i, heeds].sum(axis=-1)
        linked = (np.log if role == "sender" else logit)(draws.data[name].to_numpy()[:, i])
        if linked.ndim > 1:
            linked = linked @ before.weights[name][i]
        if weight.sum() ** 2 / (weight**2).sum() < 30:
            assert (middle[i], spread[i]) == (9.0, 7.0)
            continue
        known.append(i)
        mean = np.average(linked, weights=weight)
        assert middle[i] == pytest.approx(mean)
        within = np.average((linked - mean) ** 2, weights=weight)
        assert 1 <= spread[i] / np.sqrt(within) < 1.5
    assert known  # some subjects have it, else the test says nothing


def test_chains_in_a_mode_of_little_mass_are_told_apart():
    # Three chains where half of the receivers trust, one where none does.
    trials, model = TRIALS["power"], Mixture("receiver")
    fit = synthetic_fit(model, trials, chains=4, draws=6)
    share = fit.posterior["theory_share"].copy()
    precision = fit.posterior["response_precision_mean"].copy()
    share[:] = [0.4, 0.4, 0.2]
    precision[:3], precision[3] = 0.2, 40.0  # random play is far from sharp
    data = fit.posterior.assign(theory_share=share, response_precision_mean=precision)
    draws = replace(fit, posterior=data).draws()
    found = likely_chains(draws, 4)
    exact = new_subject_log_likelihood(draws).log_likelihood.sum(axis=1).reshape(4, 6).mean(axis=1)
    assert exact[:3].min() - exact[3] > 10
    assert not found[3]
    np.testing.assert_array_equal(found[:3], exact[:3] >= exact.max() - 5)


def test_habits_stand_ins_are_of_all_options_and_the_density_stays():
    # Two options less than all are enough to integrate by brute force over what she ignores.
    trials = one_subject("power", "sender")
    model = Mixture("sender")
    units = trials.fold("sender")
    plain = made_up_information(model, units)
    options = trials.game.messages.size
    rng = np.random.default_rng(6)
    stand_in = rng.normal(size=(1, options)), rng.uniform(0.4, 0.9, size=(1, options))
    totals = []
    draws = rng.normal(scale=3.0, size=(20000, options))
    proposal = stats.norm(scale=3.0).logpdf(draws).sum(axis=1)
    for information in (plain, replace(plain, stand_ins={"habit": stand_in})):
        built = build_units(model, units, trials.game, information)
        point = {}
        fixed = np.random.default_rng(3)
        for variable in built.free_RVs:
            shape = tuple(variable.shape.eval())
            point[variable.name] = fixed.uniform(0.4, 0.9, size=shape)
            if variable.name.endswith("_share"):
                point[variable.name] = fixed.dirichlet(np.ones(shape[0]))
        totals.append(densities(built, point, "habit", draws[:, None]) - proposal)
    found = [logsumexp(logs) - np.log(len(logs)) for logs in totals]
    errors = [np.std(np.exp(v - v.max())) / np.mean(np.exp(v - v.max())) for v in totals]
    spread = np.hypot(*errors) / np.sqrt(len(draws))
    assert spread < 0.1
    assert found[1] == pytest.approx(found[0], abs=4 * spread)
