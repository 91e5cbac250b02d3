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


def test_a_column_that_is_nearly_named_is_asked_for(tmp_path):
    seen = inspect_table(CASES / "misspelt-column.csv")
    assert {c.name: c.candidate for c in seen.columns}["stat"] == ("state",)
    assert "state = \"stat\"  # ? nearly 'state'\n" in seen.draft
    (tmp_path / "game.toml").write_text(seen.draft)
    trials = read_trials(CASES / "misspelt-column.csv", read_game(tmp_path / "game.toml"))
    plain = read_trials(CASES / "plain.csv", CASES / "game.toml").table
    assert trials.table["state"].tolist() == plain["state"].tolist()
    assert trials.roles == ("sender", "receiver")


def test_people_against_a_computer_in_treatments_of_two_columns(tmp_path):
    rows = [
        (who, t, ("sender", "receiver")[t % 2], colour, rate, t % 5, (t * who) % 5, t % 2, t % 3)
        for who, colour, rate in [(1, "red", 0.2), (2, "blue", 0.2), (3, "red", 0.8)]
        for t in range(1, 21)
    ]
    names = ["person", "trial", "role", "colour", "rate", "drawn", "reported", "challenge", "x"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "t.csv", index=False)
    draft = inspect_table(tmp_path / "t.csv").draft
    assert "# actions = [0, 1]  # ? no others stand in the table\n" in draft
    assert '# treatment = ["colour", "rate"]  # ? each the same in all rows of a person\n' in draft
    (tmp_path / "game.toml").write_text(draft)
    trials = read_trials(tmp_path / "t.csv", read_game(tmp_path / "game.toml"))
    assert tuple(trials.treatments) == ("all",)
    assert [trials.fold(role).n_trials for role in trials.roles] == [30, 30]


def test_actions_that_are_no_states_stand_in_the_draft(tmp_path):
    frame = pd.DataFrame({"receiver": ["r1", "r2", "r3"], "sender": ["s1", "s2", "s3"]})
    frame = frame.assign(round=1, state=[1, 2, 3], message=[1, 2, 3], action=[0.5, 1, 2.5])
    frame.to_csv(tmp_path / "t.csv", index=False)
    draft = inspect_table(tmp_path / "t.csv").draft
    assert "\nactions = [0.5, 1, 2.5]  # ? those that there are\n" in draft
    assert "messages = [1" not in draft
    (tmp_path / "game.toml").write_text(draft)
    assert len(read_trials(tmp_path / "t.csv", read_game(tmp_path / "game.toml")).table) == 3
