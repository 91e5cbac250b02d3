"""Looking at a table without a game: what is said, and a draft that can be read."""

import json
from pathlib import Path

import pandas as pd
import pytest

from trustbayes.cli.main import main
from trustbayes.games import read_game
from trustbayes.trials.datasets import bundled
from trustbayes.trials.inspect import inspect_table
from trustbayes.trials.table import read_trials

CASES = Path(__file__).parents[1] / "files" / "cases"


@pytest.mark.parametrize(
    ("name", "per", "rows"),
    [("plain.csv", "interaction", 24), ("one-row-per-player.csv", "player", 50),
     ("otree-wide.csv", "player", 54)],
)  # fmt: skip
def test_the_draft_reads_the_table(tmp_path, name, per, rows):
    seen = inspect_table(CASES / name)
    assert (seen.per, seen.rows) == (per, rows)
    draft = seen.draft
    if name == "one-row-per-player.csv":
        draft = draft.replace('# "session.is_demo"', '"session.is_demo"')
        assert draft != seen.draft
    (tmp_path / "game.toml").write_text(draft)
    trials = read_trials(CASES / name, read_game(tmp_path / "game.toml"))
    assert len(trials.table) == 24
    assert trials.roles == ("sender", "receiver")


def test_constants_order_and_repeated_rows(tmp_path):
    frame = pd.DataFrame({"who": ["a", "b", "a"], "round": [1, 2, 1], "x": 7})
    frame = pd.concat([frame, frame.iloc[[1]]])
    frame.to_csv(tmp_path / "t.csv", index=False)
    seen = inspect_table(tmp_path / "t.csv")
    assert seen.constants == ("x",)
    assert seen.duplicated == (4, 5)
    assert seen.sorted_by == ()


def test_labels_are_text_in_the_draft(tmp_path):
    bad = 'a"\\] x = 1'
    frame = pd.DataFrame({"sender": ["s1", "s2"], "treatment": [bad, "Low"], "round": 1})
    frame.to_csv(tmp_path / "t.csv", index=False)
    seen = inspect_table(tmp_path / "t.csv")
    (tmp_path / "game.toml").write_text(seen.draft)
    assert set(read_game(tmp_path / "game.toml").treatments) == {bad, "Low"}


def test_a_game_file_is_not_overwritten_without_being_told(tmp_path, capsys):
    out = tmp_path / "game.toml"
    assert main(["inspect", str(CASES / "plain.csv"), "--out", str(out)]) == 0
    out.write_text("mine")
    assert main(["inspect", str(CASES / "plain.csv"), "--out", str(out)]) == 2
    assert out.read_text() == "mine"
    assert "expected a file that is not there, or --overwrite" in capsys.readouterr().err
    assert main(["inspect", str(CASES / "plain.csv"), "--out", str(out), "--overwrite"]) == 0
    assert out.read_text().startswith("# Draft")
    capsys.readouterr()
    assert main(["inspect", str(CASES / "plain.csv"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["per"] == "interaction"


def test_the_draft_has_the_biases_of_the_table(tmp_path):
    data = bundled("simulated-finite")
    seen = inspect_table(data.trials)
    assert "[treatments]  # from the table: the bias of the sender in each\n" in seen.draft
    (tmp_path / "game.toml").write_text(seen.draft)
    game = read_game(tmp_path / "game.toml")
    assert dict(game.treatments) == dict(read_game(data.game).treatments)
    assert len(read_trials(data.trials, game).table) == 1920


@pytest.mark.parametrize("biases", [["1", "2", "3"], ["1", "", "2"]])
def test_a_bias_that_is_no_single_number_is_asked_for(tmp_path, biases):
    frame = pd.DataFrame({"sender": "s", "treatment": ["Low", "Low", "High"], "bias": biases})
    frame.to_csv(tmp_path / "t.csv", index=False)
    draft = inspect_table(tmp_path / "t.csv").draft
    assert '[treatments]  # ? the bias of the sender in each\n"High" = 1\n"Low" = 1\n' in draft
