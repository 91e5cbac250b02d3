"""Files of studies: what they say, and all that can be wrong with them."""

from pathlib import Path

import pytest
from commands import GAME, TRIALS

from trustbayes.errors import InputError
from trustbayes.pooling.reading import read_study

SECOND = TRIALS.replace("s1,r1,1,Low,1,2,1", "s1,r1,1,Low,1,3,1")
STUDY = """
title = "Two"
roles = ["receiver"]
models = ["trust-embedded", "level-k"]
parameters = ["trust"]

[formulas]
trust = "1 + stakes"

[[experiments]]
name = "first"
trials = "one.csv"
game = "game.toml"
year = 2006
citation = "Somebody (2006)"
covariates = {stakes = 5, place = "lab"}

[[experiments]]
name = "second"
trials = "two.csv"
game = "game.toml"
[experiments.covariates]
stakes = 12.5
place = "field"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"game.toml": GAME, "one.csv": TRIALS, "two.csv": SECOND}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def read(folder: Path, text: str):
    (folder / "study.toml").write_text(text)
    return read_study(folder / "study.toml")


def test_a_file_says_what_a_study_is_told(folder):
    study = read(folder, STUDY)
    assert (study.title, study.roles, study.models) == (
        "Two",
        ("receiver",),
        ("trust-embedded", "level-k"),
    )
    assert study.names == ("first", "second")
    first, second = study.experiments
    assert (first.year, first.citation, second.year, second.citation) == (
        2006,
        "Somebody (2006)",
        None,
        "",
    )
    assert first.covariates == {"stakes": 5.0, "place": "lab"}
    assert study.parameters == ("trust",)
    assert study.formulas["trust"].covariates == ("stakes",)


def test_a_data_set_is_known_by_its_name(folder):
    study = read(folder, '[[experiments]]\nname = "a"\ndataset = "simulated-finite"\n')
    assert study.experiments[0].trials.game.name == "Simulated cheap talk"


def test_every_fault_of_file_and_files_at_once(folder):
    (folder / "two.csv").write_text(SECOND.replace("sender,", "sendr,"))
    wrong = (
        STUDY.replace("title", "titel")
        .replace("year = 2006", 'year = "old"')
        .replace('place = "lab"', "place = [1]")
    )
    wrong += '\n[[experiments]]\nname = "third"\ndataset = "ioanidis-2024"\n'
    wrong += '\n[[experiments]]\nname = "fourth"\ntrials = "one.csv"\n'
    wrong += '\n[[experiments]]\nname = "fifth"\ndataset = "simulated-finite"\ngame = "game.toml"\n'
    with pytest.raises(InputError) as caught:
        read(folder, wrong)
    texts = [str(fault) for fault in caught.value.faults]
    for part in (
        "study.toml, key titel",
        "key experiments[1].year",
        "key experiments[1].covariates.place",
        "two.csv",
        "key experiments[3].dataset",
        "key experiments[4].game",
        "key experiments[5].game",
    ):
        assert sum(part in text for text in texts) >= 1, part


def test_faults_between_experiments_are_said_beside_those_of_the_file(folder):
    wrong = STUDY.replace("two.csv", "one.csv").replace('"second"', '"first"')
    with pytest.raises(InputError) as caught:
        read(folder, wrong.replace("title", "titel"))
    texts = [str(fault) for fault in caught.value.faults]
    assert len(texts) == 3
    assert "a name of its own" in texts[1]
    assert "found 'the data of first'" in texts[2]


def test_warnings_on_trials_are_warnings(folder, caplog):
    one = TRIALS.replace("s2", "s1").replace("s1,r2,1", "s1,r2,3").replace("s1,r1,2", "s1,r1,4")
    (folder / "one.csv").write_text(one)  # a single sender
    with caplog.at_level("WARNING", logger="trustbayes"):
        study = read(folder, STUDY)
    warnings = study.experiments[0].trials.warnings
    assert warnings
    assert [r.getMessage() for r in caplog.records] == [f"one.csv: {s}" for s in warnings]


@pytest.mark.parametrize("text", ["", "experiments = 3\n", "experiments = [1]\n"])
def test_a_study_lists_experiments(folder, text):
    with pytest.raises(InputError, match=r"a table \[\[experiments\]\] for each experiment"):
        read(folder, text)
