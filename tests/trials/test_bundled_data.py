"""The bundled experiments are what their makers and their data cards say."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from trustbayes.trials.datasets import BUNDLED, bundled, published
from trustbayes.trials.table import read_trials


@pytest.mark.parametrize("name", list(BUNDLED))
def test_its_maker_reproduces_the_files_byte_for_byte(name, data, tmp_path):
    maker = data / name / "make.py"
    subprocess.run([sys.executable, maker, tmp_path], check=True)
    for file in ("trials.csv", "parameters.csv"):
        assert (tmp_path / file).read_bytes() == (maker.parent / file).read_bytes()


def test_the_finite_one_is_what_the_data_card_says():
    dataset = bundled("simulated-finite")
    trials = read_trials(dataset.trials, dataset.game)
    assert len(trials.table) == 1920
    assert trials.treatments == ("Low", "Medium", "High")
    assert not trials.warnings
    parameters = pd.read_csv(dataset.parameters, keep_default_na=False)
    for role, names in {
        "sender": {"response_precision", "lying_aversion", "expected_trust"},
        "receiver": {"response_precision", "trust"},
    }.items():
        of_role = parameters[parameters["role"] == role]
        assert set(of_role["subject"]) - {""} == set(trials.subjects(role))
        assert set(of_role["parameter"]) == names
    card = (dataset.trials.parent / "README.md").read_text(encoding="utf-8")
    assert "simulated" in card
    shared = parameters[parameters["parameter"] == "expected_trust"].set_index("treatment")
    for treatment, value in shared["value"].items():
        assert f"{treatment} {value:.3f}" in card


def test_the_one_of_forecast_sharing_is_what_the_data_card_says():
    dataset = bundled("simulated-forecast")
    trials = read_trials(dataset.trials, dataset.game)
    assert len(trials.table) == 2880
    assert trials.treatments == ("CLUL", "CLUH", "CHUL", "CHUH")
    assert not trials.warnings
    pairs = trials.table.groupby("treatment")[["sender", "receiver"]].nunique()
    assert (pairs == 12).all(axis=None)
    assert (trials.table.groupby("sender")["round"].nunique() == 60).all()
    parameters = pd.read_csv(dataset.parameters, keep_default_na=False)
    types = parameters[parameters["parameter"].str.startswith("type[")]
    for role in ("sender", "receiver"):
        assert list(types[types["role"] == role]["subject"]) == list(trials.subjects(role))
        # Six and four in ten, within two standard errors of a share of 48.
        trusting = types[types["role"] == role]["parameter"] == "type[trust-embedded]"
        assert abs(trusting.mean() - 0.6) < 2 * np.sqrt(0.24 / 48)
    assert not types["parameter"].str.contains("babbling").any()
    card = (dataset.trials.parent / "README.md").read_text(encoding="utf-8")
    assert "simulated" in card
    shared = parameters[parameters["parameter"] == "expected_trust"].set_index("treatment")
    for treatment, value in shared["value"].items():
        assert f"{treatment} {value:.3f}" in card


def test_its_slopes_in_chuh_are_within_two_standard_errors_of_the_published_ones():
    dataset = bundled("simulated-forecast")
    table = read_trials(dataset.trials, dataset.game).table
    here = table[table["treatment"] == "CHUH"]
    first = published()[published()["study"] == "original"].set_index("regression")
    card = (dataset.trials.parent / "README.md").read_text(encoding="utf-8")
    for regression, seen, chosen in (
        ("report on forecast", "state", "message"),
        ("capacity on report", "message", "action"),
    ):
        slope = np.polyfit(here[seen], here[chosen], 1)[0]
        assert f"{slope:.3f}" in card
        known = first.loc[regression]
        assert abs(slope - known["coefficient"]) < 2 * known["standard_error"]


def test_the_one_of_learning_is_what_the_data_card_says():
    dataset = bundled("simulated-learning")
    trials = read_trials(dataset.trials, dataset.game)
    assert len(trials.table) == 1600
    assert len(trials.table[["sender", "receiver"]].drop_duplicates()) == 40
    assert not trials.warnings
    parameters = pd.read_csv(dataset.parameters, keep_default_na=False)
    card = (dataset.trials.parent / "README.md").read_text(encoding="utf-8")
    shared = {"memory": "0.881", "gain_good": "0.2", "gain_bad": "0.6"}
    for role, names in {
        "sender": {**shared, "expected_trust": "0.622"},
        "receiver": shared,
    }.items():
        common = parameters[(parameters["role"] == role) & (parameters["subject"] == "")]
        assert set(common["parameter"]) == set(names)
        for name, value in zip(common["parameter"], common["value"], strict=True):
            assert f"{value:.3g}" == names[name]
            assert re.search(rf"the same for all.*\| {re.escape(names[name])}\b", card)


def test_the_one_of_recommendations_is_what_the_data_card_says():
    dataset = bundled("simulated-recommendation")
    trials = read_trials(dataset.trials, dataset.game)
    assert len(trials.table) == 12_000
    assert trials.treatments == ("accurate", "misled", "mended")
    assert not trials.warnings
    assert trials.table.groupby("treatment", sort=False)["round"].nunique().tolist() == [14, 13, 13]
    parameters = pd.read_csv(dataset.parameters, keep_default_na=False)
    shared = parameters[parameters["subject"] == ""].set_index("parameter")["value"]
    card = (dataset.trials.parent / "README.md").read_text(encoding="utf-8")
    assert f"| {shared['following']:.3f} |" in card
    assert f"| {shared['response_noise']:.3f} of the unit" in card
    # Advice misses by 8 or 30; with 3,900 weeks and more the error of a deviation is 1.2 % at most.
    misses = (trials.table["message"] - trials.table["outcome"]).groupby(trials.table["treatment"])
    for name, spread in {"accurate": 8, "misled": 30, "mended": 8}.items():
        assert abs(misses.std()[name] / spread - 1) < 0.05
    # How often estimates are kept: the planted mean, within four standard errors.
    kept = trials.table["action"] == trials.table["estimate"]
    planted = parameters[parameters["parameter"] == "keeping"]["value"].mean()
    assert 0 < kept.mean() - planted < 0.08  # some also fall on it by noise, or advice equals it
