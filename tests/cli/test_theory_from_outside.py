"""A theory of an installed package, on the command line of another process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = "import sys; from trustbayes.cli.main import main; sys.exit(main(sys.argv[1:]))"
MODULE = """
from outside import theory

THEORIES = [theory("adding"), theory("adding-more")]
"""


@pytest.fixture
def trustbayes(tmp_path):
    """Run a command in a process that finds a distribution which declares theories."""
    folder = tmp_path / "packages"
    (folder / "mine-1.0.dist-info").mkdir(parents=True)
    (folder / "mine-1.0.dist-info" / "METADATA").write_text("Name: mine\nVersion: 1.0\n")

    def run(value, *command):
        entry = f"[trustbayes.theories]\nadding = {value}\n"
        (folder / "mine-1.0.dist-info" / "entry_points.txt").write_text(entry)
        (folder / "my_theories.py").write_text(MODULE)
        path = os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "helpers", folder)))
        return subprocess.run(
            [sys.executable, "-c", COMMAND, *command],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path, "COLUMNS": "200"},
        )

    return run


def test_it_is_listed_and_described(trustbayes):
    listed = trustbayes("my_theories:THEORIES", "models", "--role", "receiver")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "adding, receiver, finite game" in listed.stdout
    assert "adding-more, receiver, finite game" in listed.stdout
    assert "level-k, receiver, finite game" in listed.stdout
    described = trustbayes("my_theories:THEORIES", "models", "adding")
    assert (described.returncode, described.stderr) == (0, "")
    assert "Receivers add a constant to every message." in described.stdout


def test_a_broken_one_is_one_message_that_names_the_distribution(trustbayes):
    broken = trustbayes("my_theories:MISSING", "models")
    assert (broken.returncode, broken.stdout) == (2, "")
    assert "Traceback" not in broken.stderr
    assert "distribution mine, entry point adding = my_theories:MISSING" in broken.stderr
    assert "mend mine, or uninstall it" in broken.stderr
