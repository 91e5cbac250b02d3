"""Approximations in place of NUTS: near it, labelled, and never the ground of a verdict."""

import numpy as np
import pytest

import trustbayes as tb
from trustbayes.errors import InputError
from trustbayes.inference.fitting import fit_key
from trustbayes.inference.tasks import FitTask

LAPLACE = tb.Sampling(draws=500, method="laplace", seed=4)


@pytest.fixture(scope="module")
def trials():
    data = tb.bundled("simulated-finite")
    return tb.read_trials(data.trials, data.game)


@pytest.fixture(scope="module")
def model():
    return tb.TrustEmbedded("receiver")


@pytest.fixture(scope="module")
def near(model, trials):
    return tb.fit(model, trials, LAPLACE, progress=False)


def moments(fit):
    stacked = fit.posterior.stack(sample=("chain", "draw"))
    return stacked.mean("sample"), stacked.std("sample")


@pytest.mark.slow
def test_laplace_is_near_nuts(near, model, trials):
    exact = tb.fit(model, trials, tb.Sampling(draws=500, seed=1), progress=False)
    (mean, spread), (middle, width) = moments(near), moments(exact)
    assert set(near.posterior) == set(exact.posterior)
    assert dict(near.posterior.sizes) == dict(exact.posterior.sizes)
    for name in near.posterior:
        gap = np.abs((mean[name] - middle[name]) / width[name])
        ratio = spread[name] / width[name]
        # 40 rounds and 32 people: their skewed densities differ from normal ones by up to some
        # half of a standard deviation, populations by a quarter. A population that was not
        # integrated over its subjects' spread would be off by whole standard deviations.
        assert float(gap.max()) < (0.75 if "subject" in gap.dims else 0.4), name
        assert 0.7 < float(ratio.mean()) < 1.3, name


def test_an_approximation_says_so_and_is_a_file(near, model, trials, tmp_path):
    assert near.manifest["sampler"]["name"] == "Laplace's approximation"
    assert near.posterior.sizes["chain"] == 4
    assert near.posterior.sizes["draw"] == 500
    again = tb.load_fit(near.save(tmp_path / "near.nc"))
    assert again.sampling == LAPLACE
    for fit in (near, again):
        assert not fit.gate.failed
        assert not fit.gate.passed
        assert fit.gate.why == ("an approximation: Laplace's approximation",)
    assert near.manifest["key"] == fit_key(model, trials, LAPLACE)
    assert near.manifest["key"] != fit_key(model, trials, tb.Sampling(draws=500, seed=4))


def test_the_same_seed_gives_the_same_draws(near, model, trials):
    by_name = tb.fit(
        model, trials, tb.Sampling(draws=500, seed=4), progress=False, method="laplace"
    )
    assert by_name.posterior.equals(near.posterior)


def test_no_verdict_rests_on_it(near, trials):
    other = tb.fit(tb.Babbling("receiver"), trials, LAPLACE, progress=False)
    found = tb.verdict(tb.compare([near, other]), [near, other])
    assert found.winner is None
    assert "No verdict on receivers: approximations were compared" in found.text


def test_advi_is_near_in_the_middle_and_too_narrow(near, model, trials):
    found = tb.fit(model, trials, tb.Sampling(draws=250, method="advi", seed=2), progress=False)
    (mean, spread), (middle, width) = moments(found), moments(near)
    assert not found.gate.failed
    for name in ("trust_mu", "response_precision_mean", "trust_sigma"):
        assert float(np.abs((mean[name] - middle[name]) / width[name]).max()) < 0.6
    # With all coordinates independent, the population's location does not know that its subjects
    # move with it: its spread is about what it would be with all subjects known.
    assert float((spread["trust_mu"] / width["trust_mu"]).max()) < 0.6


@pytest.mark.parametrize("method", ["laplace", "advi"])
@pytest.mark.parametrize("kind", [tb.Mixture, tb.Hybrid])
def test_combinations_are_refused_before_any_work(kind, method, trials):
    sampling = tb.Sampling(method=method)
    model = kind("sender", trials.game)
    with pytest.raises(InputError, match=r"method: found '.*', expected nuts"):
        tb.fit(model, trials, sampling)
    with pytest.raises(InputError, match="expected nuts"):
        FitTask(model, trials, sampling)


def test_joint_fits_and_unknown_methods_are_refused(trials):
    joint = tb.Joint(tb.TrustEmbedded("sender"), tb.TrustEmbedded("receiver"))
    with pytest.raises(InputError, match="joint fit, method"):
        tb.fit_joint(joint, trials, LAPLACE)
    with pytest.raises(InputError, match="expected 'laplace'"):
        tb.Sampling(method="laplase")
