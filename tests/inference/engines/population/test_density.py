"""Where a population's density is highest, and what happens if it is so nowhere."""

import pickle
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from priorfit import prior_fit
from synthetic import small_trials

import trustbayes as tb
from trustbayes.errors import Fault, InputError
from trustbayes.inference import fitting
from trustbayes.inference.engines.compiled import Sampled
from trustbayes.inference.engines.population import engine
from trustbayes.inference.engines.population.density import NoHighestPoint, highest_point
from trustbayes.inference.records import fit_key
from trustbayes.inference.tasks import FitTask, run_fits
from trustbayes.numerics.graphs import PLAIN


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


def test_what_is_written_out_once_is_right_of_other_trials_too():
    """The second fit's density takes the first's programs: against PyMC's own evaluation."""
    model = tb.TrustEmbedded("receiver")
    states = [engine.prepare(model, small_trials(seed)) for seed in (1, 2)]
    assert states[0].density._value is states[1].density._value
    for state in states:
        graph, point = state.graph.model, state.mode + 0.1
        values = dict(
            zip([v.name for v in graph.value_vars], state.density.split(point), strict=True)
        )
        expected = graph.compile_logp(mode=PLAIN)(values)
        assert state.density.value(point) == pytest.approx(expected, abs=1e-9)
        slopes = graph.compile_dlogp(mode=PLAIN)(values)
        value, gradient = state.density(point)
        assert value == pytest.approx(expected, abs=1e-9)
        np.testing.assert_allclose(gradient, slopes, atol=1e-8)


def test_a_spread_that_may_go_to_zero_leaves_no_highest_point():
    # Two places with a normal prior of spread exp(s): the density is infinite as s falls.
    def density(point):
        a, b, s = point
        wide = np.exp(-2 * s)
        value = -0.5 * (a**2 + b**2) * wide - s
        return value, np.array([-a * wide, -b * wide, (a**2 + b**2) * wide - 1])

    with pytest.raises(NoHighestPoint) as caught:
        highest_point(density, np.array([0.1, -0.1, 0.0]))
    again = pickle.loads(pickle.dumps(caught.value))  # as it comes from a worker
    assert (type(again), str(again)) == (NoHighestPoint, str(caught.value))


def test_what_has_no_highest_point_is_said_or_goes_to_nuts(monkeypatch, caplog, tmp_path):
    trials, model = small_trials(), tb.LevelK("sender")

    def without(*_):
        raise NoHighestPoint(Fault("population engine", "no mode", 'method="nuts"'))

    monkeypatch.setattr(engine, "highest_point", without)
    for work in (tb.build_population, partial(tb.fit, method="population", progress=False)):
        with pytest.raises(InputError, match=r"population engine: .* expected method"):
            work(model, trials)

    runs, short = [], tb.Sampling(draws=100, chains=2)  # else it were run again, longer

    def sampled(chains):
        runs.append(chains.sampling.method)
        made = prior_fit(model, trials, chains.sampling)
        return chains.information, Sampled(made.posterior, made.sample_stats, {"sample": 1.0})

    monkeypatch.setattr(fitting._Chains, "run", sampled)
    with caplog.at_level("INFO", "trustbayes"):
        [first] = run_fits([FitTask(model, trials, short)], tmp_path, progress=False)
    assert "level-k, sender, by NUTS: population engine: no mode" in caplog.text
    assert first.manifest["why_nuts"] == "population engine: no mode"
    assert first.manifest["key"] == fit_key(model, trials, replace(short, method="nuts"))
    [again] = run_fits([FitTask(model, trials, short)], tmp_path, progress=False)
    assert runs == ["nuts"]  # the second time it is read
    assert again.posterior.equals(first.posterior)


def test_a_density_of_zero_wherever_proposals_look_is_said(monkeypatch):
    def nowhere(density, points):
        return np.full(len(points), -np.inf)

    monkeypatch.setattr(engine, "evaluated", nowhere)
    with pytest.raises(NoHighestPoint, match="found 'a density of zero wherever proposals look'"):
        tb.build_population(tb.LevelK("sender"), small_trials())
