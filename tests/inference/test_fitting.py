"""Sampling, the gate, and fits as files."""

import dataclasses
import functools
import json
from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from loops import TRIALS as TRIALS_OF
from scipy import stats
from synthetic import small_trials, synthetic_fit

from trustbayes.errors import InputError
from trustbayes.games import FiniteGame, ForecastGame, PayoffFunctions
from trustbayes.inference.fit import Fit, load_fit
from trustbayes.inference.fitting import fit
from trustbayes.inference.records import fit_key
from trustbayes.inference.sampling import Sampling
from trustbayes.models import (
    Babbling,
    FullTrust,
    Hybrid,
    LevelK,
    Mixture,
    TrustEmbedded,
    model,
    model_names,
)
from trustbayes.models.draws import cell_log_likelihood
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import simulate
from trustbayes.theories.trust_embedded.forecast import capacity
from trustbayes.trials.forecast import Points
from trustbayes.trials.table import trials_from_frame

TRIALS = small_trials()
POINTS = TRIALS_OF["forecast"]


@pytest.fixture(scope="module")
def sampled() -> Fit:
    """A model with one free number, so that its posterior is known by quadrature."""
    priors = {"response_precision": Prior("Exponential", lam=1.0)}
    model = FullTrust("sender", priors=priors, varies={"response_precision": ()})
    return fit(model, TRIALS, Sampling(method="nuts", draws=2000, chains=2, seed=3), progress=False)


def test_the_posterior_is_that_of_quadrature(sampled):
    game, grid = TRIALS.game, np.linspace(1e-6, 3, 4001)
    logs = -grid
    for row in TRIALS.table.itertuples():
        # Full trust: she wants the action for her message to fit the state.
        utility = game.receiver_table[int(row.state) - 1] / game.scale
        scaled = grid[:, None] * utility
        logs += scaled[:, int(row.message) - 1] - np.log(np.exp(scaled).sum(axis=1))
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    exact = (weight * grid).sum()
    draws = sampled.posterior["response_precision"].to_numpy().ravel()
    # Monte Carlo error: about 1,000 effective draws of 4,000; four standard errors.
    assert draws.mean() == pytest.approx(exact, abs=4 * draws.std() / np.sqrt(1000))
    cdf = np.cumsum(weight)
    for probability in (0.05, 0.5, 0.95):
        quantile = grid[np.searchsorted(cdf, probability)]
        error = np.sqrt(probability * (1 - probability) / 1000)
        assert (draws < quantile).mean() == pytest.approx(probability, abs=4 * error)


@pytest.mark.slow
def test_a_fit_of_forecast_sharing_finds_what_was_planted_as_quadrature_does(tmp_path):
    """Two free numbers: trust and noise that all receivers share."""
    game = ForecastGame(largest_capacity=320.0)
    common = {"trust": (), "response_noise": ()}
    planted = {
        "trust": Prior("LogitNormal", mu=Prior("Normal", mu=0.8, sigma=1e-6), sigma=1.0),
        "response_noise": Prior("LogNormal", mu=Prior("Normal", mu=-2.2, sigma=1e-6), sigma=1.0),
    }
    played = simulate(
        game,
        sender=LevelK("sender", game),
        receiver=TrustEmbedded("receiver", game, priors=planted, varies=common),
        subjects=6,
        rounds=12,
        seed=5,
    )
    trials = trials_from_frame(played.trials, game)
    table = trials.table
    assert 0 < (table["action"] == 320).sum() < len(table) / 3
    chosen = TrustEmbedded("receiver", game, varies=common)
    found = fit(
        chosen,
        trials,
        Sampling(method="nuts", draws=1500, tune=500, chains=2, seed=3),
        progress=False,
    )
    # Both priors are normal on the scale of the link, and so is the grid.
    logits, logs = np.linspace(-1, 3, 201), np.linspace(-2.7, -1.7, 101)
    trust = 1 / (1 + np.exp(-logits))
    best = capacity(table["message"].to_numpy(), trust[:, None], game.terms(table["treatment"]))
    z = (table["action"].to_numpy() - best)[:, None] / (150 * np.exp(logs))[:, None]
    inside = stats.norm.logpdf(z) - np.log(150 * np.exp(logs))[:, None]
    logs_of_trials = np.where(table["action"] == 320, stats.norm.logsf(z), inside)
    weight = logs_of_trials.sum(axis=-1)
    weight += stats.norm.logpdf(logits, 0.0, 1.5)[:, None] + stats.norm.logpdf(logs, -2.0, 1.0)
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    for name, values, mass, truth in (
        ("trust", trust, weight.sum(axis=1), 1 / (1 + np.exp(-0.8))),
        ("response_noise", np.exp(logs), weight.sum(axis=0), np.exp(-2.2)),
    ):
        draws = found.posterior[name].to_numpy().ravel()
        mean = (mass * values).sum()
        spread = np.sqrt((mass * (values - mean) ** 2).sum())
        # About 1,000 effective draws of 3,000; four standard errors of mean and spread.
        assert draws.mean() == pytest.approx(mean, abs=4 * spread / np.sqrt(1000))
        assert draws.std() == pytest.approx(spread, rel=4 / np.sqrt(2 * 1000))
        # The planted value: once in 1,000 seeds farther off.
        assert abs(truth - mean) < 3.3 * spread
    again = load_fit(found.save(tmp_path / "fit.nc"))
    xr.testing.assert_identical(again.posterior, found.posterior)
    assert again.manifest["parametrisation"] == {"trust": "centred", "response_noise": "centred"}
    assert again.manifest["game"]["kind"] == again.manifest["model"]["kind"] == "forecast-sharing"


def two_groups(names):
    """Subjects who alternate between two treatments, and choices of their own."""
    rng = np.random.default_rng(5)
    rows = [
        (name, turn, ("Low", "High")[i % 2], 0.5 + i % 2, *rng.integers(1, 4, 2))
        for i, name in enumerate(names)
        for turn in range(1, 10)
    ]
    columns = ["sender", "round", "treatment", "bias", "state", "message"]
    frame = pd.DataFrame(rows, columns=columns)
    return trials_from_frame(frame, FiniteGame([1, 2, 3]))


def test_experiments_of_one_design_have_one_pattern_whoever_plays_what():
    one, other = two_groups("abcdef").fold("sender"), two_groups("fcabed").fold("sender")
    assert [a.tolist() for a in one.pattern] != [a.tolist() for a in other.pattern]
    for folded in (one, other):
        found = folded.by_design()
        assert sorted(found.subjects) == sorted(folded.subjects)
        for name in folded.subjects:
            of_name = [units.subjects.index(name) for units in (folded, found)]
            for units, position in zip((folded, found), of_name, strict=True):
                assert (units.unit_subject == position).sum() == 1
            counts, moved = (
                units.counts[units.unit_subject == position]
                for units, position in zip((folded, found), of_name, strict=True)
            )
            np.testing.assert_array_equal(moved, counts)
        for units in (folded, found):  # trials keep their order, and belong to whom they did
            who = [units.subjects[i] for i in units.unit_subject[units.trial_unit]]
            assert who == [folded.subjects[i] for i in folded.trial_subject]
    for a, b in zip(one.by_design().pattern, other.by_design().pattern, strict=True):
        np.testing.assert_array_equal(a, b)


def test_draws_of_subjects_stand_in_the_order_of_the_trials():
    trials = two_groups("abcdef")
    means, errors = {}, {}
    for names in ("abcdef", "fcabed"):
        table = trials.table.copy()
        table["sender"] = table["sender"].map(dict(zip("abcdef", names, strict=True)))
        renamed = trials_from_frame(table, trials.game)
        made = fit(
            FullTrust("sender"),
            renamed,
            Sampling(method="nuts", draws=800, chains=2),
            progress=False,
        )
        assert list(made.posterior["subject"].to_numpy()) == sorted(names)
        precision = made.posterior["response_precision"].sel(subject=list(names))
        means[names] = precision.mean(("chain", "draw")).to_numpy()
        errors[names] = az.mcse(precision).to_numpy()
    gap = abs(means["abcdef"] - means["fcabed"])
    # Four standard errors: by chance one of six exceeds them in 1 of 2,600 runs.
    allowed = 4 * np.hypot(errors["abcdef"], errors["fcabed"])
    assert (gap < allowed).all(), (gap, allowed)
    # People differ by enough for a wrong order to show.
    swapped = abs(means["abcdef"] - np.roll(means["fcabed"], 1))
    assert (swapped > allowed).any()


def test_a_fit_survives_its_file(sampled, tmp_path):
    path = sampled.save(tmp_path / "folder" / "fit.nc")
    again = load_fit(path)
    xr.testing.assert_identical(again.posterior, sampled.posterior)
    assert again.manifest == sampled.manifest
    assert again.model.to_dict() == sampled.model.to_dict()
    assert again.game.checksum == sampled.game.checksum
    for field in dataclasses.fields(again.units):
        mine, theirs = getattr(again.units, field.name), getattr(sampled.units, field.name)
        assert np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs
    assert list(path.parent.iterdir()) == [path]
    manifest = json.loads(json.dumps(sampled.manifest, allow_nan=False))
    assert manifest["sampler"]["seed"] == 3
    assert {"pymc", "nutpie", "numpy", "python", "trustbayes"} <= set(manifest["versions"])


@pytest.mark.parametrize("made", [TrustEmbedded, LevelK, Babbling])
@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_every_model_survives_its_file(made, role, tmp_path):
    one = synthetic_fit(made(role), TRIALS)
    again = load_fit(one.save(tmp_path / "fit.nc"))
    xr.testing.assert_identical(again.posterior, one.posterior)
    assert again.model.types == one.model.types


@pytest.mark.parametrize("role", ["sender", "receiver"])
@pytest.mark.parametrize("name", model_names("forecast-sharing"))
def test_a_fit_of_forecast_sharing_survives_its_file(name, role, tmp_path):
    chosen = model(name, role, POINTS.game, noise="student-t")
    one = synthetic_fit(chosen, POINTS)
    again = load_fit(one.save(tmp_path / "fit.nc"))
    xr.testing.assert_identical(again.posterior, one.posterior)
    assert again.model.spec is chosen.spec
    assert again.model.to_dict() == chosen.to_dict()
    assert isinstance(again.game, ForecastGame)
    assert again.game.checksum == POINTS.game.checksum
    assert again.manifest == json.loads(json.dumps(one.manifest, allow_nan=False))
    assert isinstance(again.units, Points)
    for field in dataclasses.fields(again.units):
        mine, theirs = getattr(again.units, field.name), getattr(one.units, field.name)
        if isinstance(mine, np.ndarray):
            assert mine.dtype == theirs.dtype
            np.testing.assert_array_equal(mine, theirs)
        else:
            assert mine == theirs
    # So the same likelihood comes out.
    logs = cell_log_likelihood(again.draws())
    np.testing.assert_array_equal(logs, cell_log_likelihood(one.draws()))
    with pytest.raises(InputError, match="another game"):
        load_fit(tmp_path / "fit.nc", ForecastGame())


def test_groups_and_a_capacity_without_limit_survive_a_file(tmp_path):
    game = ForecastGame()
    frame = POINTS.table.drop(columns="treatment").assign(treatment="CLUL", group="g1")
    frame.loc[frame["sender"] == "s1", "group"] = "g2"
    frame["receiver"] = frame["sender"].str.replace("s", "r")
    trials = trials_from_frame(frame, game)
    one = synthetic_fit(FullTrust("receiver", game), trials)
    again = load_fit(one.save(tmp_path / "fit.nc"))
    assert again.units.groups == one.units.groups == ("g1", "g2", "g1", "g1")
    assert again.game.largest_capacity == np.inf
    assert again.game.checksum == game.checksum


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    one = synthetic_fit(FullTrust("sender"), TRIALS)
    old = one.save(tmp_path / "fit.nc").read_bytes()

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(InputError, match="No space left"):
        one.save(tmp_path / "fit.nc")
    assert [p.name for p in tmp_path.iterdir()] == ["fit.nc"]
    assert (tmp_path / "fit.nc").read_bytes() == old


def test_what_is_no_fit_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is none"):
        load_fit(tmp_path / "none.nc")
    (tmp_path / "text.nc").write_text("not a fit")
    with pytest.raises(InputError, match="a fit written by trustbayes"):
        load_fit(tmp_path / "text.nc")
    xr.Dataset({"a": 1}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(InputError, match="a fit written by trustbayes"):
        load_fit(tmp_path / "other.nc")


def test_a_game_of_functions_must_be_given_again(tmp_path):
    game = FiniteGame(
        [1, 2, 3],
        payoffs=PayoffFunctions(lambda s, a, b: -abs(s + b - a), lambda s, a: -abs(s - a)),
        treatments={"Low": 0.5, "High": 1.0},
    )
    trials = dataclasses.replace(TRIALS, game=game)
    path = synthetic_fit(LevelK("sender"), trials).save(tmp_path / "fit.nc")
    with pytest.raises(InputError, match="the game as an argument"):
        load_fit(path)
    assert load_fit(path, game).game is game
    with pytest.raises(InputError, match="another game"):
        load_fit(path, TRIALS.game)


def rows(gate):
    return {check.name: check for check in gate.checks}


def test_independent_draws_pass_the_gate_and_broken_ones_fail_by_name():
    good = synthetic_fit(FullTrust("receiver"), TRIALS, chains=4, draws=1000)
    assert good.gate.passed
    assert rows(good.gate)["R-hat"].value < 1.01
    stuck = good.posterior.copy(deep=True)
    stuck["response_precision"][0, :, 2] += 10  # one chain, one subject elsewhere
    bad = dataclasses.replace(good, posterior=stuck)
    assert next(check.name for check in bad.gate.failed) == "R-hat"
    assert rows(bad.gate)["R-hat"].worst == "response_precision[r2]"
    few = synthetic_fit(FullTrust("receiver"), TRIALS, chains=4, draws=60)
    assert {"bulk ESS", "tail ESS"} <= {check.name for check in few.gate.failed}
    sample_stats = good.sample_stats.copy(deep=True)
    sample_stats["diverging"][0, :5] = True  # 5 of 4,000
    divergent = dataclasses.replace(good, sample_stats=sample_stats)
    assert [check.name for check in divergent.gate.failed] == ["divergences, share"]
    walk = stats.norm.ppf(np.linspace(0.01, 0.99, 1000))  # energy that creeps
    sample_stats = good.sample_stats.assign(energy=(("chain", "draw"), np.tile(walk, (4, 1))))
    creeping = dataclasses.replace(good, sample_stats=sample_stats)
    assert [check.name for check in creeping.gate.failed] == ["E-BFMI"]


def test_the_key_tells_inputs_apart():
    sampling = Sampling(method="nuts")
    keys = {
        fit_key(LevelK("sender"), TRIALS, sampling),
        fit_key(LevelK("sender", ties="uniform"), TRIALS, sampling),
        fit_key(LevelK("receiver"), TRIALS, sampling),
        fit_key(LevelK("sender"), small_trials(seed=2), sampling),
        fit_key(LevelK("sender"), TRIALS, Sampling(method="nuts", seed=1)),
        fit_key(LevelK("sender", priors={"level": Prior("Dirichlet", a=2.0)}), TRIALS, sampling),
    }
    assert len(keys) == 6
    assert fit_key(LevelK("sender"), TRIALS, sampling) in keys


def test_the_key_tells_games_apart_and_models_of_each_kind():
    sampling, game = Sampling(method="nuts"), POINTS.game
    limited = trials_from_frame(POINTS.table, ForecastGame.from_dict(game.to_dict() | LIMIT))
    made = functools.partial(TrustEmbedded, "receiver", game)
    keys = {
        fit_key(made(), POINTS, sampling),
        fit_key(made(noise="student-t"), POINTS, sampling),
        fit_key(made(belief="prior"), POINTS, sampling),
        fit_key(made(varies={"trust": ("subject",)}), POINTS, sampling),
        fit_key(made(parametrisation={"trust": "centred"}), POINTS, sampling),
        fit_key(Hybrid("receiver", game), POINTS, sampling),
        fit_key(Mixture("receiver", game), POINTS, sampling),
        fit_key(made(), limited, sampling),
        fit_key(FullTrust("receiver", game), POINTS, sampling),
        fit_key(FullTrust("receiver"), POINTS, sampling),
    }
    assert len(keys) == 10
    assert fit_key(TrustEmbedded("receiver", "forecast-sharing"), POINTS, sampling) in keys


LIMIT = {"largest_capacity": 261.0}


@pytest.mark.parametrize(
    "setting", [{"draws": 0}, {"chains": 0}, {"seed": -1}, {"target_accept": 1.0}, {"tune": 1.5}]
)
def test_senseless_sampling_is_refused(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        Sampling(**setting)


def test_a_role_without_trials_is_refused():
    frame = TRIALS.table.drop(columns=["receiver", "action", "bias"])
    one_role = trials_from_frame(frame, TRIALS.game)
    with pytest.raises(InputError, match="trials of the receiver"):
        fit(LevelK("receiver"), one_role)
