"""The model scripts: the package's own defaults in plain sight, and they run."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from trustbayes.models import model
from trustbayes.trials.datasets import bundled

FOLDER = Path(__file__).resolve().parents[2] / "models"
SCRIPTS = ("trust_embedded", "level_k", "hybrid", "benchmarks", "forecast_sharing", "regression")


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_spells_out_every_default_prior(script):
    models = load(script).MODELS
    assert {one.role for one in models} == {"sender", "receiver"}
    source = (FOLDER / f"{script}.py").read_text(encoding="utf-8")
    for one in models:
        formulas = {name: formula.text for name, formula in one.formulas.items()}
        default = model(one.name, one.role, one.spec.kind, formulas=formulas)
        assert one.priors == default.priors
        assert one.varies == default.varies
        for name, value in one.conventions.items():
            assert value == default.conventions[name] or default.conventions[name] is None
        for name in one.priors:
            assert f'"{name}"' in source


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "columns"),
    [
        ("trust_embedded", ["sender", "state", "message"]),
        ("level_k", []),  # the bundled trials of both roles
        ("benchmarks", ["receiver", "message", "action"]),
    ],
)
def test_a_script_runs(script, columns, tmp_path):
    command = [sys.executable, FOLDER / f"{script}.py", "--draws", "10", "--tune", "10"]
    if columns:
        table = pd.read_csv(bundled("simulated-finite").trials)[["round", "treatment", *columns]]
        table.to_csv(tmp_path / "trials.csv", index=False)
        command += ["trials.csv", "--game", bundled("simulated-finite").game]
    found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    fitted = [one for one in load(script).MODELS if not columns or one.role in columns]
    assert found.stdout.count("R-hat") == len(fitted) >= 1
    for one in fitted:
        assert f"{one.spec.title}, {one.role}s" in found.stdout
    assert "prior_mean" in found.stdout
    assert {path.name for path in tmp_path.iterdir()} <= {"trials.csv"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_reports_bad_input(script, tmp_path):
    found = subprocess.run(
        [sys.executable, FOLDER / f"{script}.py", "no.csv"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert found.returncode == 2
    missing = "no.csv: expected a file of trials, but there is no such file"
    assert missing in found.stderr or "the game file of no.csv" in found.stderr
    assert "Traceback" not in found.stderr
