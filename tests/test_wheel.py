"""The wheel: what it holds, and that it finds its data where no repository is."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = "trustbayes/_data"
ASK = """
import trustbayes as tb
from trustbayes.trials.datasets import BUNDLED, bundled
for name in BUNDLED:
    data = bundled(name)
    print(name, len(tb.read_trials(data.trials, data.game).table), data.parameters.exists())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*command, folder], cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_every_file_of_the_package_and_of_its_data_is_in_the_wheel(wheel):
    files = {
        target / path.relative_to(ROOT / source)
        for source, target in (("trustbayes", wheel / "trustbayes"), ("data", wheel / DATA))
        for path in (ROOT / source).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {path for path in (wheel / "trustbayes").rglob("*") if path.is_file()} == files
    assert {path.suffix for path in files} >= {".py", ".pyi", ".typed", ".j2", ".csv", ".toml"}


def test_the_wheel_reads_its_data_outside_the_repository(wheel, tmp_path):
    answer = subprocess.run(
        [sys.executable, "-P", "-c", ASK],
        env={"PYTHONPATH": str(wheel), "HOME": str(tmp_path)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert set(answer.splitlines()) == {
        "simulated-finite 1920 True",
        "simulated-forecast 2880 True",
        "simulated-learning 1600 True",
        "simulated-recommendation 12000 True",
    }


def test_the_metadata_are_those_of_the_project(wheel):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (info,) = wheel.glob("*.dist-info")
    lines = (info / "METADATA").read_text().splitlines()
    assert f"Version: {project['version']}" in lines
    assert f"Requires-Python: {project['requires-python']}" in lines
    needed = {line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist: ")}
    assert len([line for line in needed if ";" not in line]) == len(project["dependencies"])
    assert (info / "entry_points.txt").read_text().split() == [
        *("[console_scripts]", "trustbayes", "=", "trustbayes.cli.main:main")
    ]
