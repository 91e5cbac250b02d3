"""Simulated experiments as tasks: what is played, what travels, what is kept."""

import dataclasses
import functools
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from priorfit import prior_fit

import trustbayes.simulation.experiments as experiments
from trustbayes.errors import InputError
from trustbayes.games import FiniteGame, ForecastGame
from trustbayes.inference.fit import Fit
from trustbayes.inference.gate import Check, Gate, gate_of_population
from trustbayes.inference.sampling import ENGINE, Sampling
from trustbayes.inference.tasks import FitsFailed, run_fits
from trustbayes.models import FullTrust, LevelK, TrustEmbedded
from trustbayes.simulation.enough import usable
from trustbayes.simulation.experiments import Experiment, SimulatedFits

GAME = FiniteGame([1, 2, 3], treatments={"Low": 0.5, "High": 1.0})
SENDERS = Experiment(GAME, FullTrust("sender"), None, subjects=4, rounds=6)
MARKET = ForecastGame()
RECEIVERS = Experiment(MARKET, LevelK("sender", MARKET), LevelK("receiver", MARKET), 5, 8)
PLAIN = (FullTrust("sender"),)
SHORT = Sampling(draws=20, tune=10, chains=2)


def means(played, fits):
    """A reduction."""
    return pd.DataFrame(
        {
            "model": [fit.model.name for fit in fits],
            "mean": [float(fit.posterior["response_precision_mean"].mean()) for fit in fits],
            "trials": len(played.trials.table),
        }
    )


def task(seed=1, models=PLAIN, **changes):
    return SimulatedFits(SENDERS, seed, models, SHORT, means, **changes)


@pytest.fixture
def fitted(monkeypatch):
    """Draws of the prior instead of sampling; remember what was asked for; fail for seed 13."""
    asked = []

    def fake(model, trials, sampling, **options):
        asked.append((model, sampling, options))
        if sampling.seed == 13:
            raise ZeroDivisionError("unlucky")
        return prior_fit(model, trials, sampling, **options)

    monkeypatch.setattr(experiments, "fit", fake)
    return asked


def test_experiments_of_one_design_have_one_pattern():
    for one in (SENDERS, RECEIVERS):
        first, second = (one.play(seed).trials for seed in (1, 2))
        assert first.roles == (one.role,)
        for a, b in zip(first.fold(one.role).pattern, second.fold(one.role).pattern, strict=True):
            np.testing.assert_array_equal(a, b)
        choice = "message" if one.role == "sender" else "action"
        assert (first.table[choice] != second.table[choice]).any()
        pd.testing.assert_frame_equal(first.table, one.play(1).trials.table)


def test_an_experiment_can_have_some_of_the_treatments():
    part = dataclasses.replace(SENDERS, treatments=("High",)).play(3)
    assert part.trials.treatments == ("High",)
    market = dataclasses.replace(RECEIVERS, treatments=("CLUH", "CHUL")).play(3)
    assert set(market.trials.treatments) == {"CLUH", "CHUL"}


@pytest.mark.parametrize("one", [SENDERS, dataclasses.replace(RECEIVERS, treatments=("CLUH",))])
def test_an_experiment_survives_as_json(one):
    again = Experiment.from_dict(json.loads(json.dumps(one.to_dict())))
    assert again.to_dict() == one.to_dict()
    pd.testing.assert_frame_equal(again.play(4).trials.table, one.play(4).trials.table)


def test_models_must_be_of_the_experiment():
    with pytest.raises(InputError, match="role"):
        task(models=(FullTrust("receiver"),))
    with pytest.raises(InputError, match="kind of game"):
        task(models=(FullTrust("sender", MARKET),))


def test_the_key_is_that_of_the_content():
    same = SimulatedFits(
        Experiment.from_dict(SENDERS.to_dict()), 1, (FullTrust("sender"),), SHORT, means
    )
    assert same.key == task().key
    other = dataclasses.replace(SENDERS, rounds=8)
    others = [
        task(2),
        task(strict=True),
        task(models=(LevelK("sender"),)),
        SimulatedFits(other, 1, (FullTrust("sender"),), SHORT, means),
        SimulatedFits(SENDERS, 1, (FullTrust("sender"),), Sampling(draws=21), means),
    ]
    assert len({one.key for one in [task(), *others]}) == 6


@pytest.fixture(params=["here", "threads"])
def run(request):
    """`run_fits` one after the other, and on an executor."""
    if request.param == "here":
        yield functools.partial(run_fits, progress=False)
    else:
        with ThreadPoolExecutor(2) as executor:
            yield functools.partial(run_fits, executor=executor, progress=False)


def test_a_table_is_kept_and_nothing_repeated(fitted, run, tmp_path):
    both = (FullTrust("sender"), LevelK("sender"))
    tasks = [task(seed, both) for seed in (3, 4)]
    found = run(tasks, tmp_path)
    assert [one.seed for one in found] == [3, 4]
    assert all(one.usable and one.attempts == 1 for one in found)
    assert list(found[0].table["model"]) == ["full-trust", "level-k"]
    assert list(found[0].table["trials"]) == [24, 24]
    assert {path.name for path in tmp_path.iterdir()} == {one.file for one in tasks}
    assert all(options["alike"] for *_, options in fitted)
    assert {sampling.seed for _, sampling, _ in fitted} == {3, 4}
    fitted.clear()
    again = run([*tasks, task(5, both)], tmp_path)
    assert [sampling.seed for _, sampling, _ in fitted] == [5, 5]
    for one, other in zip(found, again, strict=False):
        pd.testing.assert_frame_equal(one.table, other.table)


def test_a_file_of_another_content_is_replaced(fitted, run, tmp_path, caplog):
    for text in ("{", json.dumps({"format": 1, "key": "another"})):
        (tmp_path / task().file).write_text(text)
        [found] = run([task()], tmp_path)
        assert found.usable
        assert "could not be read" in caplog.text
        assert task().read(tmp_path / task().file).usable


def test_an_error_is_a_failure_of_its_own(fitted, run, tmp_path):
    with pytest.raises(FitsFailed, match="simulation 13: ZeroDivisionError: unlucky") as caught:
        run([task(1), task(13), task(2)], tmp_path)
    assert [one and one.seed for one in caught.value.fits] == [1, None, 2]


def gate(rhat=1.0, bulk=500.0, divergent=0.0):
    return Gate(
        (
            Check("R-hat", rhat, 1.01, True),
            Check("bulk ESS", bulk, 400.0, False),
            Check("divergences, share", divergent, 0.001, True),
        )
    )


def test_what_is_usable():
    assert usable(gate(1.04, 60, 0.009))
    assert not usable(gate(rhat=1.06))
    assert not usable(gate(bulk=49))
    assert not usable(gate(divergent=0.02))
    assert not usable(gate(rhat=np.nan))


@pytest.mark.parametrize(("pareto_k", "error"), [(0.8, 0.01), (0.3, 0.06)])
def test_what_the_engine_says_of_bias_counts_in_the_loose_gate_too(pareto_k, error):
    """By the checks as the engine's own gate has them, so that their names are the same."""
    rng = np.random.default_rng(1)
    dims = ("chain", "draw")
    posterior = xr.Dataset({"x": (dims, rng.normal(size=(4, 500)))})
    engine = {"pareto_k": 0.3, "integration": {"error": 0.01}}
    assert usable(gate_of_population(posterior, xr.Dataset(), engine))
    engine = {"pareto_k": pareto_k, "integration": {"error": error}}
    assert not usable(gate_of_population(posterior, xr.Dataset(), engine))


def test_simulated_fits_of_an_older_engine_are_made_anew(monkeypatch):
    by_nuts = dataclasses.replace(SHORT, method="nuts")
    before = task().key, dataclasses.replace(task(), sampling=by_nuts).key
    monkeypatch.setattr("trustbayes.simulation.experiments.ENGINE", ENGINE - 1)
    older = task().key, dataclasses.replace(task(), sampling=by_nuts).key
    assert older[0] != before[0]
    assert older[1] == before[1]


def test_a_fit_that_samples_badly_is_sampled_longer_and_then_given_up(fitted, monkeypatch):
    gates = iter([gate(rhat=1.2), gate(rhat=1.1), gate()])
    monkeypatch.setattr(Fit, "gate", property(lambda self: next(gates)))
    found = task(models=(TrustEmbedded("sender"),), seed=2)
    outcome = dataclasses.replace(found, reduction=lambda played, fits: pd.DataFrame()).outcome(
        None
    )
    assert outcome.usable
    assert outcome.attempts == 3
    asked = [(sampling.draws, sampling.target_accept) for _, sampling, _ in fitted]
    assert asked == [(20, Sampling().target_accept), (60, 0.95), (60, 0.95)]
    assert not fitted[1][0].parametrisation
    forms = fitted[2][0].parametrisation
    assert forms == {"lying_aversion": "non-centred", "response_precision": "non-centred"}
    monkeypatch.setattr(Fit, "gate", gate(rhat=1.2))
    outcome = task(seed=2).outcome(None)
    assert not outcome.usable
    assert outcome.table.empty
    assert outcome.reason == "full-trust: R-hat 1.2"
    # What is usable need not pass the gate.
    monkeypatch.setattr(Fit, "gate", gate(bulk=100))
    assert task(seed=2).outcome(None).usable
    assert not task(seed=2, strict=True).outcome(None).usable


def test_a_model_made_by_hand_does_not_travel(fitted):
    spec = FullTrust("sender").spec
    other = dataclasses.replace(spec, answer=lambda game, values, conventions: 0.0)
    with pytest.raises(InputError, match="workers know registered theories only"):
        task(models=(type(FullTrust("sender"))(other),)).check_travel()
    task().check_travel()
