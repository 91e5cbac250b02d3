"""Compiled models: used again, and the same numbers from each."""

import os
import subprocess
import sys

import numpy as np
import nutpie
import pymc as pm
import pytensor.tensor as pt
import pytest
import xarray as xr
from synthetic import small_trials

from trustbayes.games import ForecastGame
from trustbayes.inference.engines import nuts as sampling
from trustbayes.inference.engines.compiled import PROGRAMS
from trustbayes.inference.fitting import fit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import FullTrust, LevelK, TrustEmbedded
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import trials_from_frame

SHORT = Sampling(method="nuts", draws=20, tune=20, chains=2, seed=4)
GAME = ForecastGame()


def small_market(seed, model):
    """A simulated experiment of forecast sharing: four senders, eight rounds."""
    played = simulate(GAME, sender=model, receiver=None, subjects=4, rounds=8, seed=seed)
    return trials_from_frame(played.trials, GAME)


@pytest.fixture
def compiled(monkeypatch):
    """Start with nothing compiled, and count what is."""
    made = []
    compile_it = nutpie.compile_pymc_model

    def counted(model):
        made.append(model)
        return compile_it(model)

    monkeypatch.setattr(nutpie, "compile_pymc_model", counted)
    PROGRAMS.clear()
    return made


def two_hills():
    """A population with a hill at -4, and one at 4 of exp(20) times the mass, and its subjects."""
    with pm.Model(coords={"subject": range(6)}) as model:
        centre = pm.Normal("centre", 0, 3)
        hills = [-0.5 * ((centre - at) / 0.3) ** 2 for at in (-4.0, 4.0)]
        pm.Potential("hills", pt.logaddexp(hills[0] - 20, hills[1]))
        pm.Normal("own", 10 * centre, 1, dims="subject")
    return model


@pytest.mark.slow
def test_chains_that_start_near_the_mass_do_not_settle_elsewhere():
    how = Sampling(method="nuts", draws=50, tune=200, chains=8, seed=1)
    found = {
        near: sampling.sample(
            two_hills(), how, progress=False, near={"centre": np.array(3.5)} if near else None
        ).posterior
        for near in (False, True)
    }
    ends = {near: one["centre"].mean("draw").to_numpy() for near, one in found.items()}
    assert (ends[False] < -3).any()  # else this test shows nothing
    assert (ends[True] > 3.5).all()


def test_subjects_start_where_they_are_likely_and_the_population_where_it_is_told():
    model = two_hills()
    program = nutpie.compile_pymc_model(model)
    start = sampling._starter(model, program, {"centre": np.array(3.5)})
    points = np.array([start(seed) for seed in range(20)])
    assert np.abs(points[:, 0] - 3.5).max() < 0.5
    assert points[:, 0].std() > 0.1  # chains start apart
    np.testing.assert_allclose(points[:, 1:], 10 * points[:, :1] + np.zeros(6), atol=1e-3)
    np.testing.assert_array_equal(start(3), points[3])


@pytest.mark.slow
def test_senders_whose_lying_aversion_follows_a_formula_start_too():
    model = TrustEmbedded("sender", formulas={"lying_aversion": "1 + C(treatment)"})
    found = fit(model, small_trials(seed=1), SHORT, progress=False)
    assert np.isfinite(found.sample_stats["logp"]).all()


@pytest.mark.slow
def test_a_compiled_model_takes_other_trials_of_the_same_pattern(compiled):
    # Weights of treatments are in its graph, but not in that of its likelihood.
    model = TrustEmbedded("receiver", parametrisation={"trust": "non-centred"})
    first, second = small_trials(seed=1), small_trials(seed=2)
    fit(model, first, SHORT, progress=False)
    renamed = second.table.replace({"sender": {"s0": "s00"}, "receiver": {"r0": "r00"}})
    second = type(second)(**{**vars(second), "table": renamed})
    found = fit(model, second, SHORT, progress=False)
    assert len(compiled) == 1
    assert found.posterior["subject"].to_numpy().tolist() == list(found.units.subjects)
    PROGRAMS.clear()
    afresh = fit(model, second, SHORT, progress=False)
    assert len(compiled) == 2
    xr.testing.assert_identical(found.posterior, afresh.posterior)


def with_data(values):
    """A normal mean whose observations are data, and start where these are."""
    with pm.Model() as model:
        data = pm.Data("data", np.asarray(values, dtype=float))
        centre = pm.Normal("centre", data.mean(), 1, initval="prior")
        pm.Normal("seen", centre, 1, observed=data)
    return model


def test_a_program_takes_the_data_of_another_model_and_leaves_its_own_as_they_are(compiled):
    first, second = with_data([1.0, 2.0]), with_data([100.0, 200.0])
    with PROGRAMS.program(first, "pattern") as program:
        own = program.initial_point_func(1)
    with PROGRAMS.program(second, "pattern") as program:
        other = program.initial_point_func(1)
        assert first["data"].get_value().tolist() == [100.0, 200.0]
    assert len(compiled) == 1
    np.testing.assert_allclose(other - own, 150 - 1.5)
    assert first["data"].get_value().tolist() == [1.0, 2.0]
    with pytest.raises(RuntimeError), PROGRAMS.program(second, "pattern"):
        raise RuntimeError
    assert first["data"].get_value().tolist() == [1.0, 2.0]
    assert second["data"].get_value().tolist() == [100.0, 200.0]


@pytest.mark.slow
def test_trials_that_are_points_share_a_compiled_model_if_they_are_alike(compiled):
    chosen = LevelK("sender", GAME, parametrisation={"response_noise": "centred"})
    first, second = (small_market(seed, chosen) for seed in (1, 2))
    ends = [int((t.table["message"] == 150).sum()) for t in (first, second)]
    assert ends[0] != ends[1]  # as many choices at the ends of the range would hide a fault
    fit(chosen, first, SHORT, progress=False, alike=True)
    shared = fit(chosen, second, SHORT, progress=False, alike=True)
    assert len(compiled) == 1
    own = fit(chosen, second, SHORT, progress=False)
    assert len(compiled) == 2
    # The same density, so the same path.
    xr.testing.assert_allclose(shared.posterior, own.posterior, rtol=1e-4)


@pytest.mark.slow
def test_trials_of_another_pattern_are_compiled_anew(compiled):
    trials = small_trials()
    half = trials.subset((trials.table["round"] <= 6).to_numpy(), "the first rounds")
    fewer = half.subset((half.table["treatment"] == half.treatments[0]).to_numpy(), "one treatment")
    model = FullTrust("sender", parametrisation={"response_precision": "centred"})
    for some in (trials, fewer, half):  # the last has the pattern of the first
        fit(model, some, SHORT, progress=False)
    assert len(compiled) == 2


_SCRIPT = """
import hashlib
from synthetic import small_trials
from trustbayes.inference.fitting import fit
from trustbayes.models import FullTrust
from trustbayes.inference.sampling import Sampling
how = Sampling(method="nuts", draws=40, tune=60, chains=2, seed=4)
made = fit(FullTrust("sender"), small_trials(), how, progress=False)
print(hashlib.sha256(made.posterior["response_precision"].to_numpy().tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_the_first_fit_on_a_machine_has_the_numbers_of_later_ones(tmp_path):
    # The first compiles; the second finds what the first has compiled.
    flags = ",".join([os.environ.get("PYTENSOR_FLAGS", ""), f"base_compiledir={tmp_path}"])
    path = os.pathsep.join(["tests/helpers", os.environ.get("PYTHONPATH", "")])
    found = [
        subprocess.run(
            [sys.executable, "-c", _SCRIPT],
            env=os.environ | {"PYTENSOR_FLAGS": flags.strip(","), "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert found[0] == found[1]
    assert len(found[0].strip()) == 64
