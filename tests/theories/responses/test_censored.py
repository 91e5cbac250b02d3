"""Noise around the best choice: densities, censoring, draws and information."""

import math
from dataclasses import replace
from decimal import Decimal, localcontext

import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
import pytest
from markets import PYTHON, value_and_slope
from scipy import integrate, stats

from trustbayes.games import ForecastGame, Market
from trustbayes.models import Values
from trustbayes.theories.responses.censored import CensoredNoise, censored
from trustbayes.theories.responses.noises import NormalNoise, StudentNoise
from trustbayes.trials.table import trials_from_frame

NOISES = {"normal": (NormalNoise(), stats.norm()), "student-t": (StudentNoise(), stats.t(4))}
EITHER = pytest.mark.parametrize(("noise", "exact"), NOISES.values(), ids=NOISES)
RANGE = np.concatenate([np.linspace(-9, 9, 181), [-0.999999, -1.000001, 1e-9, -1e-9]])


# The standard noise


@EITHER
def test_log_density_is_the_distributions(noise, exact):
    z = np.concatenate([RANGE, [-1e3, 1e6]])
    np.testing.assert_allclose(noise.log_density(z), exact.logpdf(z), rtol=1e-12)


@EITHER
def test_log_cumulative_is_the_distributions(noise, exact):
    # Where almost nothing lies above, the log is that small share, to all its digits.
    above = np.log1p(-exact.sf(np.maximum(RANGE, 0)))
    expected = np.where(RANGE > 0, above, exact.logcdf(RANGE))
    np.testing.assert_allclose(noise.log_cumulative(RANGE), expected, rtol=1e-11)


FAR = (-12.0, -37.0, -38.5, -1e2, -1e4, -1e7)


def normal_tail(z):
    """Log of the density times the asymptotic series of the ratio of tail and density."""
    series, term = 1.0, 1.0
    for n in range(1, 20):
        term *= -(2 * n - 1) / z**2
        series += term
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + math.log(series / -z)


def student_tail(z):
    """Log of P(t(4) < z) = (2 + c) (1 - c)^2 / 4 with c = -z / sqrt(4 + z^2), in 60 digits."""
    with localcontext(prec=60):
        c = -Decimal(z) / (4 + Decimal(z) ** 2).sqrt()
        return float(((2 + c) * (1 - c) ** 2 / 4).ln())


TAILS = {"normal": normal_tail, "student-t": student_tail}


@pytest.mark.parametrize("name", NOISES)
def test_log_cumulative_holds_far_in_the_tails(name):
    noise = NOISES[name][0]
    expected = [TAILS[name](z) for z in FAR]
    np.testing.assert_allclose(noise.log_cumulative(np.array(FAR)), expected, rtol=1e-12)
    symbolic, _ = value_and_slope(noise.log_cumulative, np.array(FAR))
    np.testing.assert_allclose(symbolic, expected, rtol=1e-12)
    # And as much as nothing lies beyond the other end.
    symbolic, slope = value_and_slope(noise.log_cumulative, np.array([1e4, 1e7]))
    np.testing.assert_allclose(symbolic, 0, atol=1e-12)
    np.testing.assert_allclose(slope, 0, atol=1e-12)


@EITHER
@pytest.mark.parametrize("name", ["log_density", "log_cumulative"])
def test_pytensor_gives_the_same_values_as_numpy(noise, exact, name):
    symbolic, _ = value_and_slope(getattr(noise, name), RANGE)
    np.testing.assert_allclose(symbolic, getattr(noise, name)(RANGE), rtol=1e-11)


@EITHER
def test_gradients_are_those_of_the_distribution(noise, exact):
    z = np.concatenate([RANGE, FAR])
    _, slope = value_and_slope(noise.log_density, z)
    student = isinstance(noise, StudentNoise)
    np.testing.assert_allclose(slope, -5 * z / (4 + z**2) if student else -z, rtol=1e-11)
    # d log F = f / F; far down it is |z| for the normal and 4 / |z| for Student's t.
    _, slope = value_and_slope(noise.log_cumulative, z)
    expected = np.exp(exact.logpdf(z) - exact.logcdf(z))
    near = z > -30
    np.testing.assert_allclose(slope[near], expected[near], rtol=1e-9)
    limit = 4 / abs(z[~near]) if student else abs(z[~near])
    np.testing.assert_allclose(slope[~near], limit, rtol=0.01)
    assert np.isfinite(slope).all()


@EITHER
def test_draws_are_those_of_the_distribution(noise, exact):
    found = noise.draw((40, 50), np.random.default_rng(3))
    assert found.shape == (40, 50)
    # Once in a thousand seeds; the seed is fixed. Normal draws against t(4) give 1e-4.
    assert stats.kstest(found.ravel(), exact.cdf).pvalue > 0.001
    other = stats.t(4) if isinstance(noise, NormalNoise) else stats.norm()
    assert stats.kstest(found.ravel(), other.cdf).pvalue < 0.001


# Censored choices: three subjects, two treatments, choices inside and at both ends

GAME = ForecastGame(
    forecast_range=80,
    largest_capacity=300,
    treatments={"B": Market(20, 30), "A": Market(50, 10)},
)
DRAWS, TYPES = 5, 3


def table():
    rng = np.random.default_rng(4)
    rows = []
    for number, (subject, treatment) in enumerate(
        [("s1", "A"), ("s2", "B"), ("s1", "B"), ("s3", "A")] * 6
    ):
        rows.append(
            (subject, f"r{number % 3}", number, treatment, *rng.uniform(-80, 80, 2).round())
        )
    frame = pd.DataFrame(
        rows, columns=["sender", "receiver", "round", "treatment", "state", "message"]
    )
    frame["action"] = rng.uniform(0, 300, len(frame)).round()
    # In an order of their own, so that choices at the ends stand among those inside.
    frame.loc[[0, 7, 8, 20], ["message", "action"]] = [80, 300]
    frame.loc[[1, 9, 13], ["message", "action"]] = [-80, 0]
    return frame


TRIALS = trials_from_frame(table(), GAME)


def setting(role, typed, draws=DRAWS, seed=6):
    """Units, answer, values, and the answer and the noise of each draw, trial and type."""
    units, rng = TRIALS.fold(role), np.random.default_rng(seed)
    lead = () if draws is None else (draws,)
    low, high = (-90, 90) if role == "sender" else (-20, 330)
    answer = rng.uniform(low, high, (*lead, *((TYPES,) if typed else ()), units.n_trials))
    noise = rng.uniform(0.05, 0.6, (*lead, len(units.subjects), len(units.treatments)))
    values = Values({"response_noise": noise}, {"response_noise": ("subject", "treatment")}, units)
    return units, answer, values


def response(role, name):
    return censored(role)(GAME, {"noise": name})


def density_of_row(row, role, name, best, sigma):
    """Log density of one row of the table: mass at the ends, density between them."""
    exact = NOISES[name][1]
    choice = row["message"] if role == "sender" else row["action"]
    low, high = (-80, 80) if role == "sender" else (0, 300)
    if choice == high:
        return exact.logsf((high - best) / sigma)
    if choice == low:
        return exact.logcdf((low - best) / sigma)
    return exact.logpdf((choice - best) / sigma) - math.log(sigma)


def row_by_row(role, name, answer, noise):
    """Log densities of shape (trials,) or (trials, types), for one draw."""
    units = TRIALS.fold(role)
    found = []
    for i, row in enumerate(TRIALS.table.to_dict("records")):
        who = units.subjects.index(row[role])
        sigma = 80 * noise[who, units.treatments.index(row["treatment"])]
        best = answer[..., i]
        if best.ndim:
            found.append([density_of_row(row, role, name, b, sigma) for b in best])
        else:
            found.append(density_of_row(row, role, name, best, sigma))
    return np.array(found)


CASES = pytest.mark.parametrize(
    ("role", "name", "typed"),
    [
        (role, name, typed)
        for role in ("sender", "receiver")
        for name in NOISES
        for typed in (False, True)
    ],
)


@CASES
def test_cell_logs_equal_the_trials_one_by_one(role, name, typed):
    units, answer, values = setting(role, typed)
    found = response(role, name).cell_logs(units, answer, values, typed)
    assert found.shape == (DRAWS, units.n_trials, *((TYPES,) if typed else ()))
    for draw in range(DRAWS):
        expected = row_by_row(role, name, answer[draw], values.arrays["response_noise"][draw])
        np.testing.assert_allclose(found[draw], expected, rtol=1e-9)


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_logs_of_units_are_sums_over_their_trials_on_a_grid_of_answers_and_noise(role, name):
    units, answer, values = setting(role, typed=False)
    grid = Values({"response_noise": values.arrays["response_noise"][:, None]}, values.dims, units)
    logs = response(role, name).unit_logs(units, answer[None, :2], grid)
    assert logs.shape == (DRAWS, 2, units.unit_subject.size)
    for i in range(DRAWS):
        for j in range(2):
            by_row = row_by_row(role, name, answer[j], values.arrays["response_noise"][i])
            expected = [by_row[units.trial_unit == u].sum() for u in range(logs.shape[-1])]
            np.testing.assert_allclose(logs[i, j], expected, rtol=1e-9)


@CASES
def test_parts_of_the_likelihood_are_those_of_the_subjects(role, name, typed):
    units, answer, values = setting(role, typed)
    logs, subject = response(role, name).log_likelihood(units, answer, values, typed)
    assert logs.shape == (DRAWS, subject.size, *((TYPES,) if typed else ()))
    for draw in range(DRAWS):
        rows = row_by_row(role, name, answer[draw], values.arrays["response_noise"][draw])
        for who, label in enumerate(units.subjects):
            mine = (TRIALS.table[role] == label).to_numpy()
            expected = rows[mine].sum(axis=0)
            np.testing.assert_allclose(logs[draw, subject == who].sum(axis=0), expected, rtol=1e-9)


@CASES
def test_pytensor_likelihood_is_that_of_numpy(role, name, typed):
    units, answer, values = setting(role, typed, draws=None)
    expected, subject = response(role, name).log_likelihood(units, answer, values, typed)
    dims = dict(values.dims)
    best = pt.tensor("best", shape=answer.shape)
    noise = pt.tensor("noise", shape=values.arrays["response_noise"].shape)
    symbolic = Values({"response_noise": noise}, dims, units)
    logs, same = response(role, name).log_likelihood(units, best, symbolic, typed)
    np.testing.assert_array_equal(same, subject)
    found = pytensor.function([best, noise], logs, mode=PYTHON)(
        answer, values.arrays["response_noise"]
    )
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("typed", [False, True])
def test_an_answer_without_draws_goes_with_draws_of_the_noise(typed):
    # As of models whose best choice depends on nothing that is estimated.
    units, answer, values = setting("receiver", typed)
    rule = response("receiver", "normal")
    one = rule.cell_logs(units, answer[0], values, typed)
    every = rule.cell_logs(units, np.broadcast_to(answer[0], answer.shape), values, typed)
    np.testing.assert_array_equal(one, every)


def all_choosing(choice):
    """The senders' trials, had they all made the same report."""
    units = TRIALS.fold("sender")
    return replace(units, trial_choice=np.full(units.n_trials, float(choice)))


@pytest.mark.parametrize("end", [-80, 80, 0])
def test_choices_that_are_all_alike_are_no_special_case(end):
    _, answer, values = setting("sender", typed=False)
    rule = response("sender", "normal")
    found = rule.cell_logs(all_choosing(end), answer, values, typed=False)
    sigma = 80 * values.of_trials("response_noise")
    exact = {
        -80: stats.norm.logcdf((-80 - answer) / sigma),
        80: stats.norm.logsf((80 - answer) / sigma),
        0: stats.norm.logpdf(answer / sigma) - np.log(sigma),
    }[end]
    np.testing.assert_allclose(found, exact, rtol=1e-9)


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("best", [-80.0, 30.0, 95.0])
def test_mass_at_the_ends_and_density_between_add_up_to_one(name, best):
    units, rule = all_choosing(0), response("sender", name)
    values = Values({"response_noise": np.array(0.4)}, {"response_noise": ()}, units)

    def density(choice):
        answer = np.full(units.n_trials, best)
        return math.exp(rule.cell_logs(all_choosing(choice), answer, values, typed=False)[0])

    # Gauss-Legendre in four pieces: the noise is as wide as a fifth of the range.
    nodes, weights = np.polynomial.legendre.leggauss(12)
    inside = sum(
        20 * w * density(middle + 20 * x)
        for middle in (-60, -20, 20, 60)
        for x, w in zip(nodes, weights, strict=True)
    )
    assert density(-80) + inside + density(80) == pytest.approx(1, abs=1e-9)


# Draws


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_drawn_choices_have_the_densitys_probabilities(role, name):
    units, answer, values = setting(role, typed=False, draws=1)
    copies, noise = 4000, values.arrays["response_noise"]
    many = Values({"response_noise": np.repeat(noise, copies, axis=0)}, values.dims, units)
    rule, rng = response(role, name), np.random.default_rng(9)
    found = rule.draw(units, np.repeat(answer, copies, axis=0), many, None, rng)
    low, high = (-80.0, 80.0) if role == "sender" else (0.0, 300.0)
    assert found.shape == (copies, units.n_trials)
    assert found.min() == low
    assert found.max() == high
    sigma, exact = 80 * values.of_trials("response_noise")[0], NOISES[name][1]
    # Shares at and below five places, among them the ends; 120 shares of each role and noise:
    # four and a half standard errors hold all of them in 999 of 1,000 seeds.
    for place in (low, low + 40, (low + high) / 2, high - 25, np.nextafter(high, low)):
        chance = exact.cdf((place - answer[0]) / sigma)
        error = np.sqrt(chance * (1 - chance) / copies)
        share = (found <= place).mean(axis=0)
        assert (abs(share - chance) <= 4.5 * error + 1e-9).all()


def test_a_drawn_choice_is_that_of_the_subjects_type():
    units, answer, values = setting("sender", typed=True)
    answer = np.clip(answer, -79, 79)
    sharp = Values({"response_noise": np.full((DRAWS, 3, 2), 1e-9)}, values.dims, units)
    kinds = np.random.default_rng(1).integers(TYPES, size=(DRAWS, len(units.subjects)))
    rng = np.random.default_rng(2)
    found = response("sender", "normal").draw(units, answer, sharp, kinds, rng)
    for draw in range(DRAWS):
        for trial in range(units.n_trials):
            kind = kinds[draw, units.trial_subject[trial]]
            assert found[draw, trial] == pytest.approx(answer[draw, kind, trial], abs=1e-5)
    # Also if the best choices are the same in every draw.
    rng = np.random.default_rng(2)
    alike = response("sender", "normal").draw(units, answer[0], sharp, kinds, rng)
    own = np.take_along_axis(answer[0], kinds[:, units.trial_subject], axis=0)
    np.testing.assert_allclose(alike, own, atol=1e-5)


# Information


@EITHER
def test_information_is_the_expected_squared_score(noise, exact):
    """Where nothing is censored: of the place and of the log of the noise's size."""
    density = exact.pdf
    shape = [-np.inf, np.inf]
    student = isinstance(noise, StudentNoise)

    def slope(z):  # of the log density
        return -5 * z / (4 + z**2) if student else -z

    place = integrate.quad(lambda z: density(z) * slope(z) ** 2, *shape)[0]
    size = integrate.quad(lambda z: density(z) * (1 + z * slope(z)) ** 2, *shape)[0]
    assert noise.location_information == pytest.approx(place, rel=1e-9)
    assert noise.scale_information == pytest.approx(size, rel=1e-9)


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("typed", [False, True])
def test_information_of_the_units_is_that_of_their_trials(name, typed):
    """A parameter that moves the best choice of each trial, and the noise of each subject."""
    units, answer, values = setting("receiver", typed, draws=None)
    rng = np.random.default_rng(3)
    lift, stretch = rng.normal(size=answer.shape), rng.normal(size=(3, 2))
    step, noise, exact = 1e-4, values.arrays["response_noise"], NOISES[name][1]

    def at(t):
        moved = Values({"response_noise": noise * np.exp(stretch * t)}, values.dims, units)
        return answer + 7 * lift * t, moved

    # A range so wide that nothing is censored.
    rule = CensoredNoise(NOISES[name][0], -1e9, 1e9, GAME.scale)
    found = rule.information(units, at(step), at(-step), step, typed)
    assert found.shape == units.unit_subject.shape
    expected = np.zeros(found.shape)
    for trial, unit in enumerate(units.trial_unit):
        where = (units.unit_subject[unit], units.unit_treatment[unit])
        sigma = 80 * noise[where]
        for one in np.atleast_1d(lift[..., trial]):

            def squared_score(z, one=one, where=where, sigma=sigma):
                """At the choice best + sigma z: the slope of the log density in t."""

                def log_density(t):
                    wide = sigma * np.exp(stretch[where] * t)
                    return exact.logpdf((sigma * z - 7 * one * t) / wide) - np.log(wide)

                return exact.pdf(z) * ((log_density(1e-4) - log_density(-1e-4)) / 2e-4) ** 2

            z = np.sinh(np.linspace(-9, 9, 801))  # out to 4,000: enough for t(4)
            share = TYPES if typed else 1
            expected[unit] += integrate.trapezoid(squared_score(z), z) / share
    # The noise's size is taken a step above, which the tolerance leaves room for.
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@EITHER
def test_divergence_is_the_expected_log_likelihood_ratio(noise, exact):
    """Of choices around one best choice, had they been around another nearby."""
    units, answer, values = setting("receiver", typed=False, draws=2)
    rule = CensoredNoise(noise, 0.0, 300.0, GAME.scale)
    answer = np.clip(answer, 0, 300)
    sigma = 80 * values.of_trials("response_noise")
    other = np.clip(
        answer + 0.05 * sigma * np.random.default_rng(3).normal(size=answer.shape), 0, 300
    )
    found = rule.divergence(units, answer, other, values)
    z = np.sinh(np.linspace(-9, 9, 4001))[:, None, None]
    ratio = exact.logpdf(z) - exact.logpdf(z + (answer - other) / sigma)
    of_trials = integrate.trapezoid(exact.pdf(z) * ratio, z, axis=0)
    for unit in range(units.unit_subject.size):
        expected = of_trials[:, units.trial_unit == unit].sum(axis=-1)
        np.testing.assert_allclose(found[:, unit], expected, rtol=0.01)
    # A best choice beyond the range is as good as its end.
    beyond = rule.divergence(units, answer, np.full(answer.shape, 1e4), values)
    at_end = rule.divergence(units, answer, np.full(answer.shape, 300.0), values)
    np.testing.assert_array_equal(beyond, at_end)


def test_the_picked_answer_is_that_of_the_subjects_type():
    units, answer, _ = setting("sender", typed=True)
    kinds = np.random.default_rng(1).integers(TYPES, size=(DRAWS, len(units.subjects)))
    found = response("sender", "normal").pick(units, answer, kinds)
    assert found.shape == (DRAWS, units.n_trials)
    for draw in range(DRAWS):
        for trial, who in enumerate(units.trial_subject):
            assert found[draw, trial] == answer[draw, kinds[draw, who], trial]
