"""Commands that are killed leave nothing half done, and the next run is as if they had not been.

The long form, with reports, pools and calibrations, is benchmarks/kills.py.
"""

from pathlib import Path

import killing
import numpy as np
import pytest

CASES = Path(__file__).parents[1] / "files" / "cases"
FIT = [
    *("holdout", "plain.csv", "--game", "game.toml", "--models", "full-trust,level-k"),
    *("--role", "sender", "--after-round", "3", "--draws", "40", "--tune", "20"),
    *("--chains", "2", "--jobs", "1", "--folder", "fits"),
]


@pytest.mark.slow
def test_fits_that_are_killed_go_on_to_the_same_numbers(tmp_path):
    folders = {name: tmp_path / name for name in ("whole", "killed")}
    for folder in folders.values():
        folder.mkdir()
        for name in ("plain.csv", "game.toml"):
            (folder / name).write_bytes((CASES / name).read_bytes())
    seconds = killing.finished(FIT, folders["whole"])
    expected = killing.outcome(folders["whole"])
    assert len([name for name in expected if name.endswith(".nc")]) == 2
    rng = np.random.default_rng(1)
    for share in rng.uniform(0.3, 1.0, 2):
        killing.killed(FIT, folders["killed"], share * seconds)
        left = killing.outcome(folders["killed"])
        assert left.items() <= expected.items()
    killing.finished(FIT, folders["killed"])
    assert killing.outcome(folders["killed"]) == expected


@pytest.mark.slow
def test_two_runs_at_once_into_one_folder(tmp_path):
    for name in ("plain.csv", "game.toml"):
        (tmp_path / name).write_bytes((CASES / name).read_bytes())
    both = [killing.started(FIT, tmp_path) for _ in range(2)]
    codes = [(process.communicate()[1], process.returncode) for process in both]
    assert [code for _, code in codes] == [3, 3], codes
    assert len(killing.outcome(tmp_path)) == 2
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]
