"""Leaving subjects out, against posteriors without them that are known exactly."""

import dataclasses

import numpy as np
import pytest
import xarray as xr
from loops import TRIALS
from scipy import stats
from synthetic import small_trials, synthetic_fit

from trustbayes.comparison import leave_one_subject_out, log_score
from trustbayes.errors import InputError
from trustbayes.inference.marginal import fit_likelihood
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.models import Babbling, FullTrust

SPREAD, NOISE, WIDTH = 0.3, 0.4, 0.1  # of habits, of reports around them, of the prior of the mean


def grouped(fit, groups):
    return dataclasses.replace(fit, units=dataclasses.replace(fit.units, groups=groups))


@pytest.fixture(scope="module")
def conjugate():
    """A fit whose posterior is known: habits around a mean that alone is unknown.

    The reports of senders are normal around their habits and none is at an end. A sender's
    reports tell of the mean through their average only, so the mean is normal, too.
    """
    chosen = Babbling("sender", "forecast-sharing", varies={"response_noise": ()})
    fit = synthetic_fit(chosen, TRIALS["forecast"], chains=4, draws=1000)
    units, scale = fit.units, fit.game.scale
    rng = np.random.default_rng(6)
    low, high = fit.game.choice_range("sender")
    habit = SPREAD * rng.normal(size=len(units.subjects))
    reports = habit[units.trial_subject] + NOISE * rng.normal(size=units.n_trials)
    choices = (low + high) / 2 + scale * np.clip(reports, -0.9, 0.9)
    units = dataclasses.replace(units, trial_choice=choices, groups=("a", "b", "a", "b"))
    y = [choices[units.trial_subject == s] / scale for s in range(len(units.subjects))]
    mean, width = posterior(y)
    # Even draws, so that nothing but the smoothing of their tail is left to chance.
    even = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    drawn = mean + width * rng.permutation(even).reshape(4, 1000)
    over = ("chain", "draw")
    data = xr.Dataset(
        {
            "habit_mu": (over, drawn),
            "habit_sigma": (over, np.full((4, 1000), SPREAD)),
            "response_noise": (over, np.full((4, 1000), NOISE)),
        }
    )
    return dataclasses.replace(fit, units=units, posterior=data), y


def posterior(y):
    """Mean and standard deviation of the population's mean given some subjects' reports."""
    precision = [1 / (SPREAD**2 + NOISE**2 / part.size) for part in y]
    total = 1 / WIDTH**2 + sum(precision)
    return sum(p * part.mean() for p, part in zip(precision, y, strict=True)) / total, total**-0.5


def exact(y, left_out, scale):
    """Log density of the reports left out given the others, which are jointly normal."""
    mean, width = posterior([part for s, part in enumerate(y) if s not in left_out])
    parts = [y[s] for s in left_out]
    owner = np.repeat(np.arange(len(parts)), [part.size for part in parts])
    cov = NOISE**2 * np.eye(owner.size) + SPREAD**2 * (owner[:, None] == owner) + width**2
    joint = stats.multivariate_normal(np.full(owner.size, mean), cov)
    return joint.logpdf(np.concatenate(parts)) - owner.size * np.log(scale)


@pytest.mark.parametrize("unit", ["subject", "group"])
def test_scores_are_those_of_the_posterior_without_the_unit(conjugate, unit):
    fit, y = conjugate
    scores = leave_one_subject_out(fit, unit)
    left_out = [[0], [1], [2], [3]] if unit == "subject" else [[0, 2], [1, 3]]
    expected = [exact(y, who, fit.game.scale) for who in left_out]
    np.testing.assert_allclose(scores.elpd, expected, atol=3e-3 if unit == "subject" else 0.02)
    assert (scores.error < 1e-3).all()
    assert scores.unreliable == ()
    assert scores.draws == 4000
    assert scores.labels == (fit.units.subjects if unit == "subject" else ("a", "b"))
    np.testing.assert_allclose(scores.p, scores.lppd - scores.elpd)


def test_a_group_is_the_sum_of_its_members_given_a_draw(conjugate):
    fit, _ = conjugate
    logs = new_subject_log_likelihood(fit.draws()).log_likelihood
    pairs = np.stack([logs[:, 0] + logs[:, 2], logs[:, 1] + logs[:, 3]], axis=1)
    scores = leave_one_subject_out(fit, "group")
    np.testing.assert_allclose(scores.lppd, np.log(np.exp(pairs).mean(axis=0)))


def test_fewer_draws_are_evenly_spaced_in_each_chain_and_say_the_same(conjugate):
    fit, y = conjugate
    few = leave_one_subject_out(fit, draws=1000)
    by_hand = [round(i * 999 / 249) for i in range(250)]
    apart = dataclasses.replace(fit, posterior=fit.posterior.isel(draw=by_hand))
    whole = leave_one_subject_out(apart)
    assert few.draws == whole.draws == 1000
    for name in ("elpd", "lppd", "pareto_k", "error"):
        np.testing.assert_array_equal(getattr(few, name), getattr(whole, name))
    # The draws are independent: four standard errors of the mean of a thousand weights.
    logs = new_subject_log_likelihood(fit.draws()).log_likelihood
    weights = np.exp(logs.min(axis=0) - logs)
    error = weights.std(axis=0) / weights.mean(axis=0) / 1000**0.5
    assert error.max() < 0.02
    gap = few.elpd - [exact(y, [s], fit.game.scale) for s in range(4)]
    assert (np.abs(gap) < 4 * error).all()
    assert leave_one_subject_out(fit, draws=9999).draws == 4000
    with pytest.raises(ValueError, match="found -1, expected a whole number from 0"):
        leave_one_subject_out(fit, draws=-1)


def test_the_integrals_are_worked_out_once_for_each_fit_and_number_of_draws(monkeypatch):
    asked = []

    def counted(draws):
        asked.append(draws.size)
        return new_subject_log_likelihood(draws)

    monkeypatch.setattr(fit_likelihood, "new_subject_log_likelihood", counted)
    first, second = (synthetic_fit(FullTrust("sender"), small_trials(), seed=s) for s in (1, 2))
    first = grouped(first, ("a", "a", "b", "b"))
    one = leave_one_subject_out(first)
    leave_one_subject_out(first, "group")
    again = leave_one_subject_out(first)
    assert asked == [100]
    np.testing.assert_array_equal(one.elpd, again.elpd)
    leave_one_subject_out(first, draws=50)
    leave_one_subject_out(first, "group", draws=50)
    assert asked == [100, 50]
    other = leave_one_subject_out(second)
    assert asked == [100, 50, 100]
    assert (other.elpd != one.elpd).all()


def test_refits_take_the_place_of_estimates(conjugate):
    scores = leave_one_subject_out(conjugate[0])
    first, second = scores.labels[:2]
    doubtful = dataclasses.replace(scores, pareto_k=np.array([0.9, 0.2, np.inf, 0.1]))
    assert doubtful.unreliable == (first, scores.labels[2])
    mended = doubtful.with_refits({first: -7.5}).with_refits({second: -8.5})
    assert mended.refitted == (first, second)
    assert mended.elpd[:2].tolist() == [-7.5, -8.5]
    np.testing.assert_array_equal(mended.elpd[2:], scores.elpd[2:])
    assert mended.unreliable == (scores.labels[2],)
    assert doubtful.refitted == ()
    with pytest.raises(ValueError, match="nobody"):
        scores.with_refits({"nobody": 0.0})
    with pytest.raises(ValueError, match="nan"):
        scores.with_refits({first: np.nan})


def test_unknown_units_and_missing_groups_are_refused():
    fit = synthetic_fit(FullTrust("sender"), small_trials(), draws=20)
    with pytest.raises(ValueError, match="subject or group"):
        leave_one_subject_out(fit, "trial")
    with pytest.raises(InputError, match="matching groups"):
        leave_one_subject_out(grouped(fit, None), "group")


def test_the_log_score_is_the_log_of_the_mean_density():
    density = np.array([[0.2, 1e-3], [0.6, 3e-3], [0.1, 8e-3]])
    logs = np.log(density) - 5000
    np.testing.assert_allclose(log_score(logs), np.log(density.mean(axis=0)) - 5000)
    assert log_score(np.full((3, 1), -np.inf)).tolist() == [-np.inf]
