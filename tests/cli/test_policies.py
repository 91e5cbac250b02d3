"""The command on policies; fits are made by hand."""

import json
from pathlib import Path

import pandas as pd
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes import Policy, counterfactual, load_fit, model

GOOD = """
[policies."a fine"]
audit = {probability = 0.5, fine = 20}
[policies.guarantee]
shift = {trust = 0.5}
cost = 0.5
"""
BAD = """
[policies.x]
treatments = ["Hi"]
shift = {trusst = 1}
[policies.y]
game = {scale = -1}
"""


@pytest.fixture
def fitted(tmp_path):
    trials = small_trials()
    for role in ("sender", "receiver"):
        fit = synthetic_fit(model("trust-embedded", role), trials, draws=10)
        fit.save(tmp_path / f"{role}.nc")
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "bad.toml").write_text(BAD)


FITS = ("policy", "sender.nc", "receiver.nc", "--seed", "3")


def test_results_are_those_of_the_package_and_stand_in_three_files(run, fitted):
    code, out, _ = run(*FITS, "--policies", "good.toml", "--out", "p.html", "--json")
    assert code == 3  # random numbers do not converge
    told = json.loads(out)
    fits = load_fit("sender.nc"), load_fit("receiver.nc")
    guarantee = Policy("guarantee", shift={"trust": 0.5}, cost=0.5)
    expected = counterfactual(*fits, [guarantee], seed=3).costs
    [row] = [r for r in told["costs"] if (r["policy"], r["treatment"]) == ("guarantee", "all")]
    assert row["break_even"] == pytest.approx(expected["break_even"].iloc[-1])
    assert set(told["effects"][0]) == set(pd.read_csv(told["effects_csv"]))
    assert Path(told["report"]).exists()
    assert json.loads(Path(told["results"]).read_text("utf-8"))["seed"] == 3


def test_people_read_sentences(run, fitted):
    code, out, _ = run(*FITS, "--policies", "good.toml", "--expectations", "respond")
    assert code == 3
    assert "A fine: the two together would" in out
    assert "Held under every policy" in out
    assert "break_even" in out


def test_all_faults_come_at_once(run, fitted):
    code, out, err = run(*FITS, "--policies", "bad.toml")
    assert code == 2
    assert out == ""
    lines = err.strip().splitlines()
    assert len(lines) == 3
    assert "policy x, treatments: found 'Hi', expected 'High'" in lines[0]
    assert "policy x, shift: found 'trusst', expected 'trust'" in lines[1]
    assert "policy y, game: found 'scale = -1'" in lines[2]


@pytest.mark.parametrize("option", ["--seed", "--draws", "--rounds"])
def test_numbers_that_are_not_whole_are_refused(run, fitted, option):
    code, out, err = run("policy", "sender.nc", "receiver.nc", "--policies", "good.toml",
                         option, "2.5")  # fmt: skip
    assert (code, out) == (2, "")
    assert f"{option}: found '2.5', expected a whole number" in err


def test_the_check_needs_both_files(run, fitted):
    code, _, err = run(*FITS, "--policies", "good.toml", "--trials", "t.csv")
    assert code == 2
    assert "--game: expected a file that goes with t.csv" in err


def test_names_that_a_spreadsheet_would_run_are_refused_before_the_work(run, fitted, tmp_path):
    (tmp_path / "formula.toml").write_text('[policies."=1+1"]\nshift = {trust = 1}\n')
    code, _, err = run(*FITS, "--policies", "formula.toml", "--out", "p.html")
    assert code == 2
    assert "a label that does not begin as a formula does" in err
    assert not (tmp_path / "p.html").exists()
