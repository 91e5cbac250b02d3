"""Commands on what models predict; fits are made by hand, and refits by other random draws."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from commands import GAME, files
from synthetic import small_trials, synthetic_fit

from trustbayes.comparison import hold_out, kfold
from trustbayes.comparison.compare import compare
from trustbayes.inference import executors, tasks as manyfits
from trustbayes.inference.fit import Fit, load_fit
from trustbayes.inference.gate import Check, Gate
from trustbayes.inference.sampling import Sampling
from trustbayes.models import model
from trustbayes.trials.table import read_trials


def fake_fit(model, trials, sampling, *, progress, cores=None):
    seed = int(trials.checksum[:8], 16)
    return synthetic_fit(model, trials, seed, sampling.chains, sampling.draws)


@pytest.fixture
def fitted(tmp_path, monkeypatch):
    """Files of fits, their trials, and refits that take no time: options for all of them."""
    table = small_trials(pairs=6).table.rename_axis(None)
    groups = table["sender"].map(lambda name: "AB"[int(name[1:]) % 2])
    table.assign(group=groups).to_csv(tmp_path / "small.csv", index=False)
    (tmp_path / "small.toml").write_text(GAME.replace("High = 1.5", "High = 1.0"))
    trials = read_trials(tmp_path / "small.csv", tmp_path / "small.toml")
    for name in ("level-k", "full-trust"):
        synthetic_fit(model(name, "receiver"), trials, draws=20).save(tmp_path / f"{name}.nc")
    monkeypatch.setattr(manyfits, "fit", fake_fit)
    monkeypatch.setattr(executors, "process_pool", lambda jobs, **_: ThreadPoolExecutor(1))
    return trials


FITTED = ("level-k.nc", "full-trust.nc")
AGAIN = ("--trials", "small.csv", "--game", "small.toml")
PASSED = Gate((Check("R-hat", 1.0, 1.01, True),))


def test_fits_are_compared_by_new_subjects_unless_told_otherwise(run, fitted):
    loaded = [load_fit(path) for path in FITTED]
    for options, unit, words in [
        ((), "subject", "LOSO: all trials of a new subject"),
        (("--unit", "group"), "group", "LOSO: all trials of a new matching group"),
        (("--unit", "trial"), "trial", "WAIC: a new trial of a known subject"),
    ]:
        code, out, _ = run("compare", *FITTED, *options)
        assert code == 3
        assert words in out
        code, out, _ = run("compare", *FITTED, *options, "--json")
        rows = pd.DataFrame(json.loads(out)["comparison"])
        expected = compare(loaded, unit).table
        assert rows.columns.tolist() == expected.columns.tolist()
        assert rows["elpd"].tolist() == pytest.approx(expected["elpd"].tolist())
        assert "kfold" not in json.loads(out)


@pytest.mark.parametrize(("unit", "folds"), [("subject", 3), ("group", 2)])
def test_a_kfold_is_made_from_the_fits_and_their_trials(run, fitted, monkeypatch, unit, folds):
    tokens = ("compare", *FITTED, "--unit", unit, "--kfold", str(folds), *AGAIN, "--jobs", "1")
    loaded = [load_fit(path) for path in FITTED]
    settings = Sampling(draws=20, tune=1, chains=2, seed=1)
    assert loaded[0].sampling == settings
    models = [one.model for one in loaded]
    expected = kfold(models, fitted, unit, folds, settings, seed=1, progress=False)
    code, out, _ = run(*tokens, "--json", "--folder", "kept")
    assert code == 3
    found = json.loads(out)
    assert found["kfold"]["split"].startswith(f"{folds}-fold by {unit}")
    totals = pd.DataFrame(found["kfold"]["totals"]).set_index("model")
    assert totals["elpd"].to_dict() == pytest.approx(expected.totals()["elpd"].to_dict())
    assert len(found["kfold"]["scores"]) == len(expected.table)
    assert len(found["kfold"]["failed"]) == 2 * folds
    assert len(files(Path("kept"))) == 2 * folds
    monkeypatch.setattr(Fit, "gate", PASSED)
    code, out, _ = run(*tokens)
    assert code == 0
    assert f"{folds}-fold by {unit}" in out
    assert "not converged" not in out


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (("--kfold", "2"), "--trials: expected the CSV file of the trials, which a k-fold needs"),
        (("--kfold", "2", "--trials", "small.csv"), "--game: expected their game file"),
        (("--kfold", "2", *AGAIN, "--unit", "trial"), "--unit: found 'trial', expected subject or"),
        (("--kfold", "7", *AGAIN), "folds: found '7', expected a whole number from 2 to 6"),
        (AGAIN, "--trials: found 'small.csv', expected also --kfold, which alone needs it"),
        (("--jobs", "1"), "--jobs: found '1', expected also --kfold"),
        (("--kfold", "2", "--trials", "trials.csv", "--game", "game.toml"),
         "trials.csv, trials: found 'checksum "),
    ],
)  # fmt: skip
def test_a_kfold_needs_the_trials_of_the_fits(run, fitted, tokens, expected):
    code, out, err = run("compare", *FITTED, *tokens)
    assert (code, out) == (2, "")
    assert expected in err


HELD = ("holdout", "small.csv", "--game", "small.toml", "--role", "receiver", "--draws", "20",
        "--chains", "2", "--tune", "1")  # fmt: skip


@pytest.mark.parametrize("how", [{"after_round": 6}, {"treatment": "High"}])
def test_what_was_held_out_is_predicted(run, fitted, monkeypatch, how):
    settings = Sampling(draws=20, tune=1, chains=2)
    models = [model(name, "receiver") for name in ("level-k", "full-trust")]
    expected = hold_out(models, fitted, sampling=settings, progress=False, **how)
    [(option, value)] = how.items()
    tokens = (*HELD, "--models", "level-k,full-trust", f"--{option.replace('_', '-')}", str(value))
    code, out, _ = run(*tokens, "--json")
    assert code == 3
    found = json.loads(out)
    assert found["split"] == expected.split
    assert pd.DataFrame(found["scores"])["elpd"].tolist() == pytest.approx(
        expected.table["elpd"].tolist()
    )
    assert len(found["failed"]) == 2
    code, out, _ = run(*tokens)
    assert code == 3
    assert "not converged: level-k, fold 1" in out
    monkeypatch.setattr(Fit, "gate", PASSED)
    assert run(*tokens)[0] == 0


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (("--models", "level-k"), "hold-out: expected either a round or a treatment"),
        (("--models", "level-k", "--after-round", "99"), "round: found '99', expected a round"),
        (("--models", "level-k", "--treatment", "Hihg"), "'High' (did you mean it?)"),
        (("--models", "levelk", "--after-round", "6"), "'level-k' (did you mean it?)"),
    ],
)
def test_a_hold_out_that_cannot_be_is_refused(run, fitted, tokens, expected):
    code, out, err = run(*HELD, *tokens)
    assert (code, out) == (2, "")
    assert expected in err
