"""Longer chains where they have not quite mixed."""

from dataclasses import replace

import numpy as np
import priorfit
import pytest
import xarray as xr
from synthetic import small_trials

import trustbayes as tb
from trustbayes.inference import fitting
from trustbayes.inference.engines.compiled import Sampled
from trustbayes.inference.gate import BULK, DIVERGENCES, RHAT, Check, Gate, gate_of
from trustbayes.inference.prolonged import longer, mixed
from trustbayes.report.results import _made  # private: what the report says of one fit
from trustbayes.report.tables.making import _engine_rows  # private: as above

SAMPLING = tb.Sampling(draws=1000, tune=500, chains=4)


def gate(*checks):
    return Gate(tuple(Check(name, value, at, name == RHAT) for name, value, at in checks))


def autoregressive(sampling, coefficient, seed=1):
    """Chains whose autocorrelation, and so effective sample size, is known in closed form."""
    rng = np.random.default_rng(seed)
    draws = np.empty((sampling.chains, sampling.draws))
    value = rng.normal(size=sampling.chains)
    for at in range(sampling.draws):
        noise = np.sqrt(1 - coefficient**2) * rng.normal(size=sampling.chains)
        draws[:, at] = value = coefficient * value + noise
    dims = ("chain", "draw")
    energy = rng.normal(size=draws.shape)
    stats = {"diverging": (dims, np.zeros(draws.shape)), "energy": (dims, energy)}
    return Sampled(xr.Dataset({"x": (dims, draws)}), xr.Dataset(stats), {"sample": 1.0}, None)


@pytest.mark.parametrize(
    ("checks", "draws"),
    [
        ([(RHAT, 1.005, 1.01), (BULK, 800, 400)], None),  # passed
        ([(RHAT, 1.012, 1.01), (BULK, 800, 400)], 2000),
        ([(RHAT, 1.005, 1.01), (BULK, 261, 400)], 3000),
        ([(RHAT, 1.012, 1.01), (BULK, 150, 400)], 4000),
        ([(RHAT, 1.3, 1.01), (BULK, 12, 400)], None),  # in different places
        ([(RHAT, np.nan, 1.01)], None),
        ([(RHAT, 1.012, 1.01), ("E-BFMI", 0.2, 0.3)], None),
    ],
)
def test_as_many_draws_as_the_worst_check_asks_for(checks, draws):
    again = longer(SAMPLING, gate(*checks))
    assert (again and again.draws) == draws
    if again:
        assert (again.tune, again.chains, again.seed) == (1000, 4, SAMPLING.seed)
        assert again.target_accept == SAMPLING.target_accept


@pytest.mark.parametrize(
    ("checks", "draws"),
    [
        ([(DIVERGENCES, 0.0085, 0.001)], 1000),  # as many draws
        ([(DIVERGENCES, 0.0085, 0.001), (RHAT, 1.012, 1.01)], 2000),
        ([(DIVERGENCES, 0.0585, 0.001)], None),  # not a matter of steps
        ([(DIVERGENCES, np.nan, 0.001)], None),
    ],
)
def test_where_some_diverge_steps_are_smaller(checks, draws):
    failing = Gate(tuple(Check(name, value, at, at_most=True) for name, value, at in checks))
    again = longer(SAMPLING, failing)
    assert (again and again.draws) == draws
    if again:
        assert (again.tune, again.target_accept) == (1000, 0.95)


def test_a_share_that_was_asked_for_is_not_lowered():
    failing = Gate((Check(DIVERGENCES, 0.01, 0.001, at_most=True),))
    again = longer(replace(SAMPLING, target_accept=0.99), failing)
    assert again.target_accept == 0.99


def test_first_looks_stay_short():
    assert longer(tb.Sampling(draws=400, chains=4), gate((RHAT, 1.012, 1.01))) is None


@pytest.mark.parametrize("seed", range(10))
def test_chains_are_made_as_long_as_they_must_be(seed):
    # Effective draws of 4,000: 4000 * (1 - .85) / (1 + .85) = 324, of 400 that the gate asks for.
    runs = []

    def run(sampling):
        runs.append(sampling.draws)
        return len(runs), autoregressive(sampling, 0.85, seed)

    kept, sampled, record = mixed(run, SAMPLING, "a model")
    assert runs[0] == 1000 < runs[1] <= 5000
    assert kept == 2
    assert gate_of(sampled.posterior, sampled.sample_stats).passed
    assert record["prolonged"]["asked"] == 1000
    assert record["prolonged"]["draws"] == runs[-1] == sampled.posterior.sizes["draw"]
    assert "bulk ESS" in record["prolonged"]["failed"]


def test_chains_that_mix_are_run_once():
    kept, _, record = mixed(lambda how: (how.draws, autoregressive(how, 0.3)), SAMPLING, "a model")
    assert (kept, record) == (1000, {})


def test_a_fit_says_that_it_was_prolonged(monkeypatch, tmp_path, caplog):
    trials, model = small_trials(), tb.LevelK("sender")

    def sampled(chains):
        draws = chains.sampling.draws
        monkeypatch.setattr(priorfit, "DRAWS", draws)
        made = priorfit.prior_fit(model, trials, chains.sampling)
        some = np.repeat(np.arange(draws), 6)[:draws]  # each six times
        posterior = made.posterior.isel(draw=some).assign_coords(draw=np.arange(draws))
        return chains.information, Sampled(posterior, made.sample_stats, {"sample": 1.0}, None)

    monkeypatch.setattr(fitting._Chains, "run", sampled)
    with caplog.at_level("INFO", "trustbayes"):
        fit = tb.fit(model, trials, method="nuts", progress=False)
    record = fit.manifest["prolonged"]
    assert record["asked"] == fit.sampling.draws == 1000
    assert record["draws"] == fit.posterior.sizes["draw"] > 1000
    assert f"level-k, sender, again, {record['draws']} draws a chain" in caplog.text
    read = tb.load_fit(fit.save(tmp_path / "fit.nc"))
    assert read.manifest["prolonged"] == record
    rows = dict(_engine_rows(_made(read)))
    assert rows["sampled again"].startswith(f"{record['draws']:,} draws a chain, as 1,000 had")
