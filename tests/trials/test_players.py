"""Files with a row per player: the same trials, or one message with every fault."""

import time
from pathlib import Path

import pandas as pd
import pytest

from trustbayes.errors import InputError
from trustbayes.games import read_game
from trustbayes.trials.table import read_trials, trials_from_frame

CASES = Path(__file__).parents[1] / "files" / "cases"
GAME = CASES / "game.toml"
BY = ["round", "sender"]


def game(tmp_path, rows, name="own.toml"):
    path = tmp_path / name
    path.write_text(GAME.read_text() + rows)
    return read_game(path)


@pytest.fixture(scope="module")
def plain():
    return read_trials(CASES / "plain.csv", GAME).table.sort_values(BY).reset_index(drop=True)


@pytest.mark.parametrize(
    ("name", "layout", "rule"),
    [
        ("one-row-per-player.csv", "player.toml", ("session.is_demo", 1, 2)),
        ("otree-wide.csv", "wide.toml", ("participant._is_bot", 1, 6)),
    ],
)
def test_rows_of_players_hold_the_same_trials(plain, name, layout, rule):
    trials = read_trials(CASES / name, CASES / layout)
    table = trials.table.sort_values(BY).reset_index(drop=True)
    pd.testing.assert_frame_equal(table[list(plain)], plain)
    assert [(e.column, e.value, e.rows) for e in trials.exclusions] == [rule]
    assert trials.notes[-1] == f"{name} has one row per player: 48 rows are 24 interactions."
    assert read_game(CASES / layout).layout.to_list()[2]["per"] == "player"


def per_player(plain):
    """The plain table with two rows for each interaction, by pandas alone."""
    rows = []
    for number, row in enumerate(plain.drop(columns="bias").to_dict("records")):
        pair = {key: row[key] for key in ("round", "treatment", "message")} | {"pair": number}
        rows.append({**pair, "who": row["sender"], "state": row["state"], "action": ""})
        rows.append({**pair, "who": row["receiver"], "state": "", "action": row["action"]})
    return pd.DataFrame(rows)


ROWS = '[rows]\nper = "player"\nperson = "who"\npair = "pair"\n'


def test_roles_by_the_side_that_is_filled(plain, tmp_path):
    trials = trials_from_frame(per_player(plain), game(tmp_path, ROWS))
    pd.testing.assert_frame_equal(trials.table.reset_index(drop=True)[list(plain)], plain)


def test_a_column_that_differs_in_a_pair_is_asked_back(plain, tmp_path):
    frame = per_player(plain)
    frame.loc[1, "message"] = 3
    with pytest.raises(InputError, match=r"row 2, column message: found '1.0', expected the same"):
        trials_from_frame(frame, game(tmp_path, ROWS))
    taken = game(tmp_path, ROWS + 'take = {message = "sender"}\n')
    table = trials_from_frame(frame, taken).table
    assert table["message"].tolist() == plain["message"].tolist()


def test_rows_without_their_mate(plain, tmp_path):
    frame = per_player(plain).drop(index=[0])
    with pytest.raises(InputError, match="0 of senders and 1 of receivers"):
        trials_from_frame(frame, game(tmp_path, ROWS))
    fewer = trials_from_frame(frame, game(tmp_path, ROWS + 'unpaired = "leave out"\n'))
    assert len(fewer.table) == len(plain) - 1
    assert [e.rows for e in fewer.exclusions] == [1]
    kept = trials_from_frame(frame, game(tmp_path, ROWS + 'unpaired = "keep"\n'))
    assert kept.fold("sender").n_trials == len(plain) - 1
    assert kept.fold("receiver").n_trials == len(plain)


def test_one_person_in_both_roles_against_a_computer(tmp_path):
    rows = [
        (who, number, "sender" if (i + number) % 2 else "receiver", 1, 2, 2, 20 + i)
        for i, who in enumerate(("p1", "p2"))
        for number in range(1, 5)
    ]
    names = ["who", "round", "part", "state", "message", "action", "age"]
    frame = pd.DataFrame(rows, columns=names).assign(treatment="Low")
    layout = '[rows]\nper = "player"\nperson = "who"\nrole = "part"\n'
    trials = trials_from_frame(frame, game(tmp_path, layout))
    assert trials.roles == ("sender", "receiver")
    for role in trials.roles:
        assert trials.subjects(role) == ("p1", "p2")
        assert trials.fold(role).n_trials == 4
        assert trials.fold(role).people["age"].tolist() == [20, 21]


def test_faults_stand_where_the_file_has_them(tmp_path):
    text = (CASES / "otree-wide.csv").read_text().splitlines()
    header, row = text[0].split(","), text[5].split(",")
    row[header.index("talk.3.player.state")] = "9"
    row[header.index("talk.5.group.message")] = "7"
    text[5] = ",".join(row)
    path = tmp_path / "wide.csv"
    path.write_text("\n".join(text))
    with pytest.raises(InputError) as caught:
        read_trials(path, CASES / "wide.toml")
    message = str(caught.value)
    assert "wide.csv, row 6, column talk.3.player.state: found '9'" in message
    assert "row 6, column talk.5.group.message: found '7', expected the same" in message
    assert "row 6, column talk.5.group.message: found '7', expected one of" in message


def test_interactions_are_recognised_by_their_standard_names(plain):
    trials = trials_from_frame(plain.drop(columns="bias"), read_game(CASES / "player.toml"))
    assert len(trials.table) == len(plain)
    assert "one row per interaction" in trials.notes[0]


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        ('[rows]\nper = "players"\npare = 1\n', ["'player' (did you", "'pair' (did you"]),
        ('[rows]\nper = "player"\n', ["key rows.person: expected a text"]),
        ('[rows]\nper = "interaction"\npair = "x"\n', ['only per, or per = "player"']),
        (
            '[rows]\nper = "player"\nperson = "who"\nunpaired = "drop"\nsender = 1\n'
            'take = {stat = "sender"}\n',
            ["found 'drop'", "also role", "also pair", "'state' (did you"],
        ),
        (ROWS + '[columns]\nsender = "x"\n', ["[rows] person names the column of both"]),
    ],
)
def test_a_broken_game_file_is_one_message(tmp_path, rows, faults):
    with pytest.raises(InputError) as caught:
        game(tmp_path, rows)
    for fault in faults:
        assert fault in str(caught.value)


def test_columns_that_are_not_there_are_all_named(plain, tmp_path):
    layout = ROWS.replace('"pair"\n', '["pairr", "roud"]\n') + 'role = "part"\n'
    with pytest.raises(InputError) as caught:
        trials_from_frame(per_player(plain), game(tmp_path, layout + "[exclude]\nlate = 1\n"))
    assert len(caught.value.faults) == 4
    assert "a column 'late', which the game file names in [exclude]" in str(caught.value)


def test_conditions_are_counted_and_said(plain, tmp_path):
    frame = plain.drop(columns="bias").assign(time=5.0, check=1)
    frame.loc[[0, 1], "time"] = [1, 99]
    frame.loc[frame["sender"] == "s1", "check"] = [0, 0, 1, 1, 1, 1]
    frame.loc[frame.index[frame["sender"] == "s2"][0], "check"] = 0
    rules = (
        "[exclude]\ntime = [{below = 2}, {above = 60}]\nround = {below = 2}\n"
        'check = {value = 0, share_above = 0.25, of = "sender"}\n'
    )
    trials = trials_from_frame(frame, game(tmp_path, rules))
    found = [(e.column, e.value, e.rows, e.people) for e in trials.exclusions]
    assert found[:3] == [
        ("time", "below 2", 1, None), ("time", "above 60", 1, None), ("round", "below 2", 2, None),
    ]  # fmt: skip
    assert found[3][2:] == (5, 1)
    assert "s1" not in trials.subjects("sender")
    assert len(trials.table) == len(plain) - sum(rule[2] for rule in found)


def test_broken_conditions(plain, tmp_path):
    with pytest.raises(InputError) as caught:
        game(tmp_path, "[exclude]\na = {}\nb = {value = 1, share_above = 0.5}\nc = {below = 'x'}\n")
    assert len(caught.value.faults) == 3
    frame = plain.drop(columns="bias").assign(time="slow")
    with pytest.raises(InputError, match="row 2, column time: found 'slow', expected a number"):
        trials_from_frame(frame, game(tmp_path, "[exclude]\ntime = {below = 2}\n"))


def test_a_condition_on_a_column_of_a_role_that_is_left_out(plain, tmp_path):
    frame = plain.drop(columns=["bias", "receiver", "action"])
    rule = "[exclude]\nreceiver_timeout = 1\n"
    trials = trials_from_frame(frame, game(tmp_path, rule))
    assert any("[exclude] receiver_timeout is passed over" in note for note in trials.notes)
    with pytest.raises(InputError, match="a column 'receiver_timeout'"):
        trials_from_frame(plain.drop(columns="bias"), game(tmp_path, rule))


def test_a_treatment_of_two_columns(plain, tmp_path):
    frame = plain.drop(columns="bias").assign(rate=0.5)
    frame.loc[frame["round"] > 4, "rate"] = 0.8
    path = tmp_path / "own.toml"
    text = GAME.read_text().replace("Low =", '"Low, 0.5" =').replace("High =", '"High, 0.5" =')
    text += '"High, 0.8" = 1.5\n[columns]\ntreatment = ["treatment", "rate"]\n'
    path.write_text(text)
    trials = trials_from_frame(frame, read_game(path))
    assert set(trials.treatments) == {"Low, 0.5", "High, 0.5", "High, 0.8"}
    assert trials.table["rate"].tolist() == frame["rate"].tolist()
    path.write_text(text.replace('"rate"]', "1]"))
    with pytest.raises(InputError, match=r"key columns.treatment: .* or a list of them"):
        read_game(path)
    path.write_text(text.replace('"rate"]', '"ratee"]'))
    with pytest.raises(InputError, match="a column 'treatment, ratee'"):
        trials_from_frame(frame, read_game(path))


def test_a_wrong_code_in_the_game_file_is_said_as_soon_as_one_wrong_cell(tmp_path):
    """It is a fault of every other row: what is done for each must not grow with their number."""
    rows = [(f"p{i % 200}", i // 200, "AB"[i % 2], i % 3, i % 3, 7) for i in range(20_000)]
    names = ["who", "round", "part", "state", "message", "action"]
    layout = '[rows]\nper = "player"\nperson = "who"\nrole = "part"\nsender = "A"\nreceiver = "B"\n'
    frame = pd.DataFrame(rows, columns=names).assign(
        treatment="Low", state=lambda f: f["state"] + 1
    )
    frame["message"] += 1
    started = time.process_time()
    with pytest.raises(InputError, match="found '7', expected one of the game's actions") as caught:
        trials_from_frame(frame, game(tmp_path, layout))
    assert len(caught.value.faults) == 20_000
    assert time.process_time() - started < 30  # some 2; with a look at all rows for each, 200
