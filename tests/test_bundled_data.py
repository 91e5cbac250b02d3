"""The bundled experiment is what its maker and its data card say."""

import subprocess
import sys

import pandas as pd

from trustbayes.datasets import bundled
from trustbayes.trials import read_trials


def test_its_maker_reproduces_the_files_byte_for_byte(data, tmp_path):
    maker = data / "simulated-finite" / "make.py"
    subprocess.run([sys.executable, maker, tmp_path], check=True)
    for name in ("trials.csv", "parameters.csv"):
        assert (tmp_path / name).read_bytes() == (maker.parent / name).read_bytes()


def test_it_is_what_the_data_card_says():
    dataset = bundled()
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
