"""The command on several experiments."""

import json

import pytest
from commands import GAME, TRIALS
from priorfit import prior_fit

import trustbayes.inference.tasks as manyfits
from trustbayes.cli import pooled
from trustbayes.cli.main import main

STUDY = """
title = "Two <b>pilots</b>"
models = ["full-trust", "babbling"]
roles = ["receiver"]
[[experiments]]
name = "first"
trials = "one.csv"
game = "game.toml"
[[experiments]]
name = "second & last"
trials = "two.csv"
game = "game.toml"
"""
SMALL = ("--draws", "40", "--tune", "40", "--chains", "2")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    second = TRIALS.replace("s1,r1,1,Low,1,2,1", "s1,r1,1,Low,1,3,1")
    for name, text in {
        "game.toml": GAME,
        "one.csv": TRIALS,
        "two.csv": second,
        "study.toml": STUDY,
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def fitted(monkeypatch):
    """Priors in the place of posteriors, made in this process."""
    from contextlib import nullcontext

    def fake(model, trials, sampling, *, progress):
        return prior_fit(model, trials, sampling)

    monkeypatch.setattr(manyfits, "fit", fake)
    monkeypatch.setattr(pooled, "workers", lambda *_, **__: nullcontext(None))


def test_a_study_is_pooled_and_written(folder, fitted, capsys):
    code = main(["pool", "study.toml", "--out", "study.html", "--fits", "fits", "--json", *SMALL])
    printed = json.loads(capsys.readouterr().out)
    assert code == 3  # draws from the prior do not pass the gate
    assert printed["converged"] is False
    assert "receiver" in printed["verdict"]
    page = (folder / "study.html").read_text("utf-8")
    assert "<b>pilots</b>" not in page
    assert "second &amp; last" in page
    numbers = json.loads((folder / "study.json").read_text("utf-8"))
    assert [one["name"] for one in numbers["experiments"]] == ["first", "second & last"]
    assert numbers["command"].startswith("trustbayes pool study.toml")
    assert (folder / "study.parameters.csv").read_text("utf-8").startswith("model,role,parameter")
    assert any((folder / "fits").glob("scores-*.json"))
    assert any((folder / "fits").glob("transfer-*.json"))


def test_what_is_wrong_is_said_before_any_fit(folder, capsys):
    (folder / "study.toml").write_text(STUDY.replace("two.csv", "one.csv"))
    assert main(["pool", "study.toml", "--out", "study.html"]) == 2
    said = capsys.readouterr().err
    assert "experiment second & last: found 'the data of first'" in said
    assert not (folder / "study.html").exists()
    assert main(["pool", "nothing.toml"]) == 2


def test_the_table_of_parameters_can_be_written_before_any_fit(folder, capsys):
    (folder / "study.parameters.csv").mkdir()
    assert main(["pool", "study.toml", "--out", "study.html"]) == 2
    said = capsys.readouterr().err
    assert "--out, parameters" in said
    assert "it is a folder" in said


def test_reports_on_experiments_repeat_no_fit(folder, monkeypatch):
    from contextlib import nullcontext

    asked = []

    def fake(model, trials, sampling, *, progress):
        asked.append(manyfits.FitTask(model, trials, sampling).key)
        return prior_fit(model, trials, sampling)

    monkeypatch.setattr(manyfits, "fit", fake)
    monkeypatch.setattr(pooled, "workers", lambda *_, **__: nullcontext(None))
    given = ["pool", "study.toml", "--out", "study.html", "--no-carry-over", "--quiet"]
    assert main([*given, "--reports", "single", *SMALL]) == 3
    assert (folder / "single" / "experiment-2.html").exists()
    assert len(asked) >= 4  # two theories of two experiments, and what reports try besides
    assert len(asked) == len(set(asked))


def test_bundled_studies_can_be_read():
    from trustbayes.pooling.reading import read_study
    from trustbayes.trials.datasets import bundled_study

    study = read_study(bundled_study())
    assert len(study.experiments) == 5
    assert {one.game.kind for one in study.experiments} == {
        "finite",
        "forecast-sharing",
        "recommendation",
    }
    assert {"trust", "expected_trust", "lying_aversion"} <= set(study.parameters)
