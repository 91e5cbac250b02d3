"""Where a population's density is highest, and what happens if it is so nowhere."""

import numpy as np
import pytest

import trustbayes as tb
from trustbayes.errors import InputError
from trustbayes.inference import fitting
from trustbayes.inference.engines.population.density import NoHighestPoint, highest_point


def test_the_mode_of_a_normal_density_and_its_covariance():
    covariance = np.array([[2.0, 0.6], [0.6, 0.5]])
    mean = np.array([1.0, -3.0])
    precision = np.linalg.inv(covariance)

    def density(point):
        gap = point - mean
        return -0.5 * gap @ precision @ gap, -precision @ gap

    mode, found = highest_point(density, np.zeros(2))
    np.testing.assert_allclose(mode, mean, atol=1e-4)
    np.testing.assert_allclose(found, covariance, rtol=1e-4)


def test_a_spread_that_may_go_to_zero_leaves_no_highest_point():
    # Two places with a normal prior of spread exp(s): the density is infinite as s falls.
    def density(point):
        a, b, s = point
        wide = np.exp(-2 * s)
        value = -0.5 * (a**2 + b**2) * wide - s
        return value, np.array([-a * wide, -b * wide, (a**2 + b**2) * wide - 1])

    with pytest.raises(NoHighestPoint):
        highest_point(density, np.array([0.1, -0.1, 0.0]))


class Reached(Exception):
    """NUTS would sample now."""


def test_what_has_no_highest_point_is_said_or_goes_to_nuts(monkeypatch, caplog):
    data = tb.bundled("simulated-finite")
    trials = tb.read_trials(data.trials, data.game)

    def without(*_):
        raise NoHighestPoint

    monkeypatch.setattr(fitting, "sample_population", without)
    model = tb.LevelK("sender")
    with pytest.raises(InputError, match="'nuts' or 'auto' for level-k, sender: the population's"):
        tb.fit(model, trials, method="population", progress=False)

    def sampled(_):
        raise Reached

    monkeypatch.setattr(fitting._Chains, "run", sampled)
    with caplog.at_level("INFO", "trustbayes"), pytest.raises(Reached):
        tb.fit(model, trials, progress=False)
    assert "level-k, sender, by NUTS: the population's density grows" in caplog.text
