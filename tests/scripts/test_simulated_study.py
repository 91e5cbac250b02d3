"""The bundled study is what its script makes, and its population of experiments is planted."""

import importlib.util

import numpy as np
import pandas as pd

from trustbayes.trials.datasets import data_folder

FOLDER = data_folder() / "simulated-study"


def script():
    spec = importlib.util.spec_from_file_location("make_study", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_files_are_what_the_script_makes(tmp_path):
    made = script()
    made.make(tmp_path)
    for name in (*made.GAMES, "planted"):
        file = f"{name}.csv"
        assert (tmp_path / file).read_bytes() == (FOLDER / file).read_bytes(), file


def test_what_is_planted_is_what_is_stated():
    made = script()
    planted = pd.read_csv(FOLDER / "planted.csv", index_col="experiment")
    for parameter, (mean, spread) in made.EXPERIMENTS.items():
        z = (planted[parameter] - mean) / spread
        assert np.abs(z).max() < 3
        assert planted[parameter].nunique() == len(made.GAMES)
