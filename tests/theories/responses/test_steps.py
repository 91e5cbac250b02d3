"""Recorded steps of normal noise: the series, sums over units on a grid of noise, information."""

import numpy as np
import pandas as pd
import pytest
from interval_rows import log_near
from scipy import stats

from trustbayes.games import IntervalGame
from trustbayes.models import Values
from trustbayes.theories.responses.censored import CensoredNoise
from trustbayes.theories.responses.noises import NormalNoise
from trustbayes.theories.responses.steps import POWERS, SERIES_REACH, log_steps, sums_of_exact
from trustbayes.trials.table import trials_from_frame

GAUSS, WEIGHTS = np.polynomial.legendre.leggauss(40)


def log_of_step(z, width):
    """Log of the mean density over a step, by Gauss and Legendre, the density at z taken out."""
    inside = z[..., None] + width[..., None] * GAUSS / 2
    ratio = np.exp(0.5 * (z[..., None] ** 2 - inside**2))
    return stats.norm.logpdf(z) + np.log(ratio @ WEIGHTS / 2)


def test_the_series_is_the_log_of_the_integral_within_its_reach():
    rng, (width, reach) = np.random.default_rng(0), SERIES_REACH
    widths = np.append(rng.uniform(0, width, 4000), np.full(50, width))
    z = np.append(rng.uniform(-1, 1, 4000), np.linspace(-1, 1, 50)) * reach / widths
    powers = [z ** (2 * k) for k in range(POWERS)]  # the noise's standard deviation is 1
    logs = np.array(
        [
            log_steps([p[i : i + 1] for p in powers], np.ones(1), w)[0]
            for i, w in enumerate(widths.tolist())
        ]
    )
    np.testing.assert_allclose(logs, log_of_step(z, widths), atol=2e-7, rtol=0)
    # Without its terms it would be the density, which is off by a million times that.
    assert np.abs(stats.norm.logpdf(z) - logs).max() > 0.1


def test_without_a_step_it_is_the_density():
    distance = np.array([0.3, -2.0, 5.0])
    powers = [np.array((distance ** (2 * k)).sum()) for k in range(POWERS)]
    expected = stats.norm.logpdf(distance, scale=1.7).sum()
    assert log_steps(powers, np.array(1.7), 0.0) == pytest.approx(expected, rel=1e-12)


def test_exact_sums_are_those_of_probabilities_one_by_one():
    # From far within a step to far beyond it; products are less than any number.
    rng, step = np.random.default_rng(1), 2.0
    distance = np.sort(rng.gamma(0.5, 12.0, size=(7, 60)))
    row, first = rng.integers(7, size=300), rng.integers(30, size=300)
    last = first + rng.integers(1, 31, size=300)
    sigma = np.exp(rng.uniform(np.log(step / 8), np.log(2 * step), size=300))
    expected = [
        (log_near(stats.norm, distance[r, a:b] / s, step / 2 / s) - np.log(step)).sum()
        for r, a, b, s in zip(row, first, last, sigma, strict=True)
    ]
    sums = sums_of_exact(distance, row, first, last, sigma, step)
    np.testing.assert_allclose(sums, expected, rtol=1e-9, atol=1e-8)
    assert sums.min() < np.log(np.finfo(float).tiny)
    assert np.abs(sums).min() < 100


def test_what_is_certain_costs_no_probability():
    place = np.zeros(1, dtype=int)
    sums = sums_of_exact(np.zeros((1, 9)), place, place, place + 9, np.array([0.01]), 2.0)
    assert sums == pytest.approx(-9 * np.log(2.0), rel=1e-15)


# Sums over units


GAME = IntervalGame(0, 100, {"A": 5, "B": 20}, step=2)
GRID = {"response_noise": ("subject",)}


def units_of(choices):
    frame = pd.DataFrame({"message": choices})
    frame["sender"] = [f"s{number % 3}" for number in range(len(frame))]
    frame["receiver"], frame["round"] = (
        [f"r{number % 2}" for number in range(len(frame))],
        np.arange(len(frame)),
    )
    frame["treatment"] = np.where(np.arange(len(frame)) % 2, "A", "B")
    frame["state"] = frame["action"] = 50.0
    return trials_from_frame(frame, GAME).fold("sender")


@pytest.mark.parametrize("spread", [0.05, 1.0, 6.0])
def test_on_a_grid_of_noise_sums_over_units_are_those_of_the_choices_one_by_one(spread):
    """Of people who are a fortieth of a step exact, and of such as are three steps off."""
    rng = np.random.default_rng(7)
    best = rng.uniform(10, 90, 60)
    choices = GAME.recorded(best + spread * rng.normal(size=60), 0, 100)
    units = units_of(choices)
    rule = CensoredNoise(NormalNoise(), 0.0, 100.0, 50.0, GAME.step)
    # Along the axes: noise, what moves the best choices, subjects or trials.
    sigma = np.geomspace(0.2, 1.8 * spread + 3.0, 15)[:, None, None]
    values = Values({"response_noise": sigma * np.ones(3) / 50}, GRID, units)
    answer = best + np.linspace(-1, 1, 4)[:, None] * spread
    logs = rule.unit_logs(units, answer, values)
    assert logs.shape == (15, 4, units.unit_subject.size)
    size = np.hypot(sigma, GAME.step / 8)
    z = (choices - answer) / size
    upper, lower = (stats.norm.logcdf(sign * GAME.step / 2 / size - abs(z)) for sign in (1, -1))
    each = upper + np.log1p(-np.exp(lower - upper)) - np.log(GAME.step)
    expected = np.stack(
        [each[..., units.trial_unit == u].sum(axis=-1) for u in range(logs.shape[-1])], axis=-1
    )
    each_has = np.bincount(units.trial_subject)[units.unit_subject]
    far = (expected < -45 * each_has) & (logs < -45 * each_has)  # where a bound is enough
    assert far.mean() < 0.5
    np.testing.assert_allclose(logs[~far], expected[~far], rtol=1e-9, atol=2e-7 * each_has.max())


def test_what_is_out_of_all_reach_has_a_bound_that_no_likelihood_exceeds():
    choices = np.array([40.0, 60.0, 50.0, 20.0, 30.0, 44.0])
    units = units_of(choices)
    rule = CensoredNoise(NormalNoise(), 0.0, 100.0, 50.0, GAME.step)
    sigma = np.geomspace(1e-3, 0.5, 9)
    values = Values({"response_noise": sigma[:, None] * np.ones(3) / 50}, GRID, units)
    logs = rule.unit_logs(units, choices + 11.0, values)
    # Ten units beyond the half step, in each of a unit's choices.
    bound = -0.5 * (10 / np.hypot(sigma, GAME.step / 8)) ** 2 - np.log(GAME.step)
    assert (logs <= bound[:, None] * np.bincount(units.trial_unit) + 1e-9).all()
    assert np.isfinite(logs).all()


def test_information_is_that_of_rounded_choices():
    """By all steps' probabilities and their slopes; Sheppard's correction is good to 1 %."""
    units = units_of(np.full(3, 50.0))
    rule = CensoredNoise(NormalNoise(), -1e4, 1e4, 50.0, GAME.step)
    for sigma in (2.0, 4.0, 9.0):
        values = Values({"response_noise": np.array(sigma / 50)}, {"response_noise": ()}, units)
        answer, step = np.full(3, 50.3), 1e-4
        up, down = (answer + step, values), (answer - step, values)
        information = rule.information(units, up, down, step, typed=False)
        sigma = np.hypot(sigma, GAME.step / 8)
        edges = (np.arange(-150, 151) * 2.0 + 1.0 - 0.3) / sigma
        chance, slope = np.diff(stats.norm.cdf(edges)), -np.diff(stats.norm.pdf(edges)) / sigma
        some = chance > 1e-12
        expected = 3 * (slope[some] ** 2 / chance[some]).sum()
        assert information.sum() == pytest.approx(expected, rel=0.01)
        assert information.sum() < 0.999 * 3 / sigma**2  # that of choices which are not rounded
