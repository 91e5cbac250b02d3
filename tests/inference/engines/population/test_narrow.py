"""Populations that are narrower than the step between nodes."""

import numpy as np
import pytest
from scipy.stats import gamma, norm
from synthetic import small_trials

import trustbayes as tb
from trustbayes.inference.engines.population.engine import prepare
from trustbayes.inference.engines.population.narrow import node_logs
from trustbayes.priors.families import FAMILIES

STEP, WIDTH = 0.25, 0.5  # of nodes, and of a normal likelihood
NODES = np.arange(-8, 8, STEP)


def integral(name, shape, location, seen):
    """Log integral of a normal likelihood over a population, by nodes."""
    gap, step = (NODES - location)[None], np.array([STEP])
    logs, _, _ = node_logs(FAMILIES[name], gap, step, shape, slopes=False)
    return np.log(np.exp(norm.logpdf(seen, NODES, WIDTH) + logs[0]).sum())


@pytest.mark.parametrize("sigma", [1e-6, 0.01, 0.05, 0.1, 0.17, 0.2, 0.24, 0.3, 1.0])
def test_a_normal_population_of_any_width_is_integrated(sigma):
    # A likelihood that is linear between nodes errs by STEP**2 / 8 / WIDTH**2 = 0.03 at its peak.
    for location in np.linspace(0, STEP, 7):
        for seen in (-0.6, -0.2, 0.0, 0.4):
            exact = norm.logpdf(seen, location, np.hypot(WIDTH, sigma))
            allowed = 0.04 if sigma < 0.1 * np.sqrt(3) else 1e-3
            assert integral("Normal", {"sigma": sigma}, location, seen) == pytest.approx(
                exact, abs=allowed
            )


@pytest.mark.parametrize("k", [10.0, 20.0, 28.0, 60.0, 1e4])
def test_a_gamma_population_is_integrated(k):  # with the same error
    quantiles = np.log(gamma.ppf((np.arange(20_000) + 0.5) / 20_000, k) / k)
    exact = np.log(norm.pdf(0.3, 0.1 + quantiles, WIDTH).mean())
    assert integral("Gamma", {"shape": k}, 0.1, 0.3) == pytest.approx(exact, abs=0.04)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Normal", {"sigma": 0.05}),
        ("Normal", {"sigma": 0.21}),
        ("Gamma", {"shape": 24.0}),
        ("Gamma", {"shape": 400.0}),
        ("StudentT", {"nu": 4.0, "sigma": 0.1}),
    ],
)
def test_slopes_are_differences(name, shape):
    gap, step = (NODES - 0.07)[None], np.array([STEP])

    def logs(gap, shape):
        return node_logs(FAMILIES[name], gap, step, shape, slopes=False)[0]

    found, slope, by_argument = node_logs(FAMILIES[name], gap, step, shape)
    some = found > -200  # below, weights are as good as zero and their slopes are
    expected = (logs(gap + 1e-6, shape) - logs(gap - 1e-6, shape)) / 2e-6
    np.testing.assert_allclose(slope[some], expected[some], rtol=1e-5, atol=1e-4)
    for key, value in shape.items():
        high, low = (logs(gap, {**shape, key: value * (1 + s * 1e-6)}) for s in (1, -1))
        expected = (high - low) / (2e-6 * value)
        np.testing.assert_allclose(by_argument[key][some], expected[some], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", ["babbling", "full-trust"])
def test_a_game_of_four_people_has_a_highest_point(name):
    prepared = prepare(tb.model(name, "sender"), small_trials())
    assert prepared.integration.fine
    spreads = [
        value for population in prepared.near.populations for value in population.shape[0].values()
    ]
    assert min(spreads) > 1e-3  # not that of a single node
