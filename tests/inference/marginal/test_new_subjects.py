"""Subjects new to the population, against brute force: the mean over very many sampled subjects."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from loops import TRIALS, TRIALS_OF_KIND
from scipy import stats
from scipy.special import expit
from scipy.stats import qmc

from trustbayes.games import FiniteGame
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.inference.marginal.population import Population
from trustbayes.models import SPECS, Babbling, FullTrust, LevelK, Mixture, Model, TrustEmbedded
from trustbayes.models.draws import Draws, prior_draws, subject_log_likelihood
from trustbayes.priors.prior import Prior
from trustbayes.trials.table import trials_from_frame

INVERSE = {"LogNormal": np.exp, "LogitNormal": expit, "Gamma": np.exp}


def trials_for(chosen):
    return TRIALS_OF_KIND[chosen.spec.kind]


def drawn(chosen, size=3, seed=4, trials=None):
    """Draws from the prior, whose populations are as far apart as can be."""
    trials = trials or trials_for(chosen)
    draws = prior_draws(chosen, trials.game, trials.fold(chosen.role), size, seed)
    if chosen.spec.kind == "finite":
        return draws
    # Play at random is likely under large noise only: sampling finds nobody else.
    mu = np.linspace(-0.7, -0.3, size)
    data = draws.data.assign({"response_noise_mu": ("sample", mu)})
    if "subject" not in chosen.varies["response_noise"]:
        data = data.assign(response_noise=("sample", np.exp(mu)))
    return dataclasses.replace(draws, data=data)


def quantile(prior, arguments, uniform):
    """A distribution's quantiles, those of a hierarchy as effects around a location of zero."""
    match prior.distribution:
        case "Gamma":
            k = arguments["shape"]
            return stats.gamma.ppf(uniform, k, scale=1 / k)
        case "Beta":
            return stats.beta.ppf(uniform, arguments["alpha"], arguments["beta"])
        case "HalfNormal":
            return stats.halfnorm.ppf(uniform, scale=arguments["sigma"])
        case "Exponential":
            return stats.expon.ppf(uniform, scale=1 / arguments["lam"])
        case "StudentT":
            return arguments["sigma"] * stats.t.ppf(uniform, arguments["nu"])
        case _:
            return arguments["sigma"] * stats.norm.ppf(uniform)


def sampled_values(chosen, data, row, parameter, uniform):
    """Natural values of sampled subjects: shape (samples, [treatment], [option]), and dims."""
    name, prior = parameter.name, chosen.priors[parameter.name]
    arguments = {
        key: data[f"{name}_{key}"].to_numpy()[row] if f"{name}_{key}" in data else value
        for key, value in prior.arguments.items()
    }
    own = quantile(prior, arguments, uniform)
    if prior.family.location is None:
        return own[:, 0], ()
    location = np.asarray(arguments[prior.family.location], dtype=float)
    inverse = INVERSE.get(prior.distribution, np.asarray)
    if prior.distribution == "Gamma":
        own, location = np.log(own), np.log(location)
    option = (parameter.option,) if parameter.option else ()
    if prior.hierarchical and "treatment" in chosen.varies[name]:
        assert not option
        return inverse(location + own), ("treatment",)
    values = inverse(location + own)
    return (values, option) if option else (values[:, 0], ())


def brute_force(draws, row, samples=2**14, seed=3):
    """Log of the mean likelihood over sampled subjects, and its standard error."""
    chosen, data = draws.model, draws.data
    own = [
        p
        for p in chosen.parameters
        if p.support != "simplex" and "subject" in chosen.varies[p.name]
    ]
    sizes = [data.sizes[p.option] if p.option else 1 for p in own]
    parts = []
    for repeat in range(8):
        if sum(sizes):
            uniform = qmc.Sobol(sum(sizes), rng=np.random.default_rng([seed, repeat]))
            uniform = np.clip(uniform.random(samples // 8), 1e-12, 1 - 1e-12)
        else:
            uniform = np.zeros((samples // 8, 0))
        found = {}
        pieces = np.split(uniform, np.cumsum(sizes)[:-1], axis=1) if own else []
        for parameter, part in zip(own, pieces, strict=True):
            values, over = sampled_values(chosen, data, row, parameter, part)
            shape = (len(values), len(draws.units.subjects), *values.shape[1:])
            spread = np.broadcast_to(values[:, None], shape)
            found[parameter.name] = (("sample", "subject", *over), spread)
        for name, array in data.data_vars.items():
            if "subject" not in array.dims and name not in found:
                spread = np.broadcast_to(array.to_numpy()[row], (len(uniform), *array.shape[1:]))
                found[name] = (array.dims, spread)
        sampled = Draws(chosen, draws.game, draws.units, xr.Dataset(found))
        parts.append(subject_log_likelihood(sampled))
    logs = np.array(parts)
    top = logs.max(axis=(0, 1))
    means = np.exp(logs - top).mean(axis=1)
    mean = means.mean(axis=0)
    return np.log(mean) + top, means.std(axis=0, ddof=1) / np.sqrt(8) / mean


def assert_right(draws, rows=None, **how):
    """Within the error stated and that of brute force."""
    new = new_subject_log_likelihood(draws)
    assert np.isfinite(new.log_likelihood).all()
    for row in range(draws.size) if rows is None else rows:
        expected, error = brute_force(draws, row, **how)
        gap = np.abs(new.log_likelihood[row] - expected)
        sure = error < 0.2  # elsewhere brute force says too little
        assert sure.any()
        assert (gap <= 4 * error + 8 * new.error[row] + 1e-3)[sure].all()
    return new


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.kind} {s.name} {s.role}")
def test_every_model_agrees_with_brute_force(spec):
    samples = 2**12
    new = assert_right(drawn(Model(spec)), rows=[0, 2], samples=samples)
    assert new.error.mean() < 0.05


ONE_SUBJECT = ("subject",)
OTHER_PRIORS = {
    "beta": TrustEmbedded("receiver", priors={"trust": Prior("Beta", alpha=2, beta=0.8)}),
    "beta with a hyperprior": TrustEmbedded(
        "receiver",
        priors={"trust": Prior("Beta", alpha=Prior("Exponential", lam=0.5), beta=1.5)},
    ),
    "half-normal": FullTrust(
        "sender", priors={"response_precision": Prior("HalfNormal", sigma=3.0)}
    ),
    "exponential": LevelK("receiver", priors={"response_precision": Prior("Exponential", lam=0.3)}),
    "numbers only": TrustEmbedded(
        "sender",
        priors={
            "lying_aversion": Prior("LogNormal", mu=-0.5, sigma=0.8),
            "response_precision": Prior("Gamma", mean=3.0, shape=0.5),
        },
    ),
    "student-t": Babbling(
        "sender",
        "forecast-sharing",
        priors={
            "habit": Prior("StudentT", nu=4, mu=Prior("Normal", mu=0, sigma=0.3), sigma=0.3),
        },
    ),
    "gamma with a location for each treatment": TrustEmbedded(
        "receiver", varies={"response_precision": ("subject", "treatment")}
    ),
    "trust the same in all treatments": TrustEmbedded("receiver", varies={"trust": ONE_SUBJECT}),
    "trust of the treatment": TrustEmbedded("receiver", varies={"trust": ("treatment",)}),
    "nothing of the subject": TrustEmbedded(
        "receiver", varies={"trust": (), "response_precision": ()}
    ),
    "expected trust of each sender": TrustEmbedded(
        "sender", varies={"expected_trust": ("subject", "treatment")}
    ),
    "lapse": LevelK("sender", lapse=True, max_level=1),
    "three parameters": TrustEmbedded("receiver", lapse=True),
    "habits of each sender in a mixture": Mixture(
        "sender", "forecast-sharing", varies={"habit": ONE_SUBJECT}
    ),
    "no noise of her own": Babbling("sender", "forecast-sharing", varies={"response_noise": ()}),
    "absolute lying costs": TrustEmbedded(
        "sender", "forecast-sharing", lying_cost="absolute", indifference="jump"
    ),
}


@pytest.mark.parametrize("name", OTHER_PRIORS)
def test_other_priors_and_other_subject_parameters(name):
    assert_right(drawn(OTHER_PRIORS[name]), rows=[1], samples=2**12)


def skewed_trials():
    """Senders who always tell the truth, always lie to the top, or play at random."""
    rng = np.random.default_rng(2)
    rows = []
    for subject, play in enumerate(["truth", "top", "random"]):
        for number in range(60):
            state = int(rng.integers(1, 6))
            message = {"truth": state, "top": 5, "random": int(rng.integers(1, 6))}[play]
            treatment = ("Low", "High")[number % 2]
            rows.append((f"s{subject}", f"r{subject}", number, treatment, state, message, message))
    columns = ["sender", "receiver", "round", "treatment", "state", "message", "action"]
    game = FiniteGame([1, 2, 3, 4, 5], treatments={"Low": 0.5, "High": 2.0})
    return trials_from_frame(pd.DataFrame(rows, columns=columns), game, "skewed")


@pytest.mark.parametrize("made", [TrustEmbedded, LevelK, FullTrust])
@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_subjects_at_the_corners(made, role):
    trials = skewed_trials()
    # A seed whose populations are wide enough for brute force to meet such subjects.
    new = assert_right(drawn(made(role), trials=trials, seed=5), samples=2**14)
    assert new.error.max() < 0.2


def test_draws_of_subjects_are_not_used_and_subjects_may_be_others():
    chosen = TrustEmbedded("sender")
    draws = drawn(chosen)
    new = new_subject_log_likelihood(draws)
    own = [n for n, array in draws.data.data_vars.items() if "subject" in array.dims]
    bare = dataclasses.replace(draws, data=draws.data.drop_vars([*own, "subject"]))
    same = new_subject_log_likelihood(bare)
    np.testing.assert_array_equal(same.log_likelihood, new.log_likelihood)
    table = TRIALS["power"].table
    for name in draws.units.subjects[:2]:
        part = trials_from_frame(table[table["sender"] == name], draws.game, "one")
        one = Draws(chosen, draws.game, part.fold("sender"), draws.data)
        alone = new_subject_log_likelihood(one)
        at = draws.units.subjects.index(name)
        gap = np.abs(alone.log_likelihood[:, 0] - new.log_likelihood[:, at])
        assert (gap <= 3 * (alone.error[:, 0] + new.error[:, at]) + 1e-6).all()


def test_a_treatment_that_the_draws_do_not_know_is_refused():
    draws = drawn(TrustEmbedded("receiver"))
    units = dataclasses.replace(draws.units, treatments=("none", "other", "down"))
    with pytest.raises(ValueError, match="other"):
        new_subject_log_likelihood(dataclasses.replace(draws, units=units))


def test_a_prior_that_ties_subjects_together_has_no_new_ones():
    chosen = Babbling(
        "sender", "forecast-sharing", priors={"habit": Prior("ZeroSumNormal", sigma=1.0)}
    )
    draws = dataclasses.replace(drawn(Babbling("sender", "forecast-sharing")), model=chosen)
    with pytest.raises(ValueError, match="ties each subject"):
        new_subject_log_likelihood(draws)


def test_a_normal_hierarchy_is_integrated_in_closed_form():
    # Reports scatter with a known noise around habits: y is jointly normal given a draw.
    chosen = Babbling(
        "sender",
        "forecast-sharing",
        varies={"response_noise": ()},
    )
    draws = drawn(chosen, size=6)
    units, game = draws.units, draws.game
    low, high = game.choice_range("sender")
    inside = (low + high) / 2 + 0.1 * (units.trial_choice - (low + high) / 2)
    units = dataclasses.replace(units, trial_choice=inside)  # none at an end, none censored
    new = new_subject_log_likelihood(dataclasses.replace(draws, units=units))
    data = draws.data
    for row in range(6):
        mean, spread, noise = (
            float(data[n][row]) * game.scale for n in ("habit_mu", "habit_sigma", "response_noise")
        )
        for subject in range(len(units.subjects)):
            y = inside[units.trial_subject == subject]
            cov = spread**2 + noise**2 * np.eye(y.size)
            expected = stats.multivariate_normal(np.full(y.size, mean), cov).logpdf(y)
            assert new.log_likelihood[row, subject] == pytest.approx(expected, abs=1e-3)


def test_density_of_habits_at_common_nodes_is_normal():
    draws = drawn(Babbling("sender"), size=5)
    population = Population.of(draws.model, draws.game, draws.units, draws.data)
    [effect] = population.effects
    nodes = np.random.default_rng(5).normal(size=(1, 7, len(draws.units.subjects), effect.width))
    found = effect.log_density(nodes, slice(1, 4))
    mean, sigma = (draws.data[f"habit_{key}"].to_numpy()[1:4] for key in ("mu", "sigma"))
    one_by_one = stats.norm.logpdf(nodes, mean[:, None, None], sigma[:, None, None, None])
    np.testing.assert_allclose(found, one_by_one.sum(axis=-1), rtol=1e-11)


def test_habits_that_add_up_to_zero_are_those_of_free_ones_less_their_mean():
    """A softmax takes no notice of what is common to all options."""
    trials, new = TRIALS["power"], []
    for family, location in (("ZeroSumNormal", {}), ("Normal", {"mu": 0})):
        habit = Prior(family, sigma=1.3, **location)
        chosen = Babbling("sender", priors={"habit": habit})
        draws = prior_draws(chosen, trials.game, trials.fold("sender"), 2, 1)
        new.append(new_subject_log_likelihood(draws))
    gap = np.abs(new[0].log_likelihood - new[1].log_likelihood)
    assert (gap <= 4 * (new[0].error + new[1].error) + 1e-3).all()
