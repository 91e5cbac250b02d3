"""Trials of a forecast-sharing game: what is read, what is refused, and the points they become."""

import numpy as np
import pandas as pd
import pytest

from trustbayes.games import ForecastGame, Layout, Market, read_game
from trustbayes.trials.forecast import Points
from trustbayes.trials.table import read_trials, trials_from_frame

HEADER = "sender,receiver,round,treatment,state,message,action"
ROWS = [
    "s2,r1,1,CLUH,-150,-20.5,230",
    "s1,r2,1,CHUL,10,150,0",
    "s2,r2,2,CHUL,60,90,260.25",
    "s10,r1,2,CLUH,1e1,20,275",
    "s1,r1,3,CHUL,0,0,700",
]


@pytest.fixture
def read(tmp_path):
    def read_text(rows=ROWS, header=HEADER, game=None):
        path = tmp_path / "trials.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        return read_trials(path, ForecastGame() if game is None else game)

    return read_text


def changed(row, old, new):
    """ROWS with one row (counted as the file's lines) changed."""
    rows = list(ROWS)
    assert old in rows[row - 2]
    rows[row - 2] = rows[row - 2].replace(old, new)
    return rows


def without(*names):
    """HEADER and ROWS without some columns."""
    frame = pd.DataFrame([row.split(",") for row in ROWS], columns=HEADER.split(","))
    return trials_text(frame.drop(columns=list(names)))


def trials_text(frame):
    header, *rows = frame.to_csv(index=False).splitlines()
    return rows, header


# What is read


def test_values_are_taken_as_they_are(read):
    table = read().table
    assert list(table.columns) == HEADER.split(",")
    assert list(table["state"]) == [-150, 10, 60, 10, 0]
    assert list(table["message"]) == [-20.5, 150, 90, 20, 0]
    assert list(table["action"]) == [230, 0, 260.25, 275, 700]
    for name in ("state", "message", "action"):
        assert table[name].dtype == float


def test_treatments_are_ordered_as_in_the_game(read):
    assert read().treatments == ("CLUH", "CHUL")
    markets = {"CHUL": Market(60, 25), "unused": Market(1, 1), "CLUH": Market(15, 75)}
    trials = read(game=ForecastGame(treatments=markets))
    assert trials.treatments == ("CHUL", "CLUH")
    assert trials.conditions("CLUH") == {"capacity_cost": 15, "uncertainty": 75}


def test_a_column_called_bias_is_just_another(read):
    rows = [f"{row},{'low' if i else 'high'}" for i, row in enumerate(ROWS)]
    table = read(rows, HEADER + ",bias").table
    assert list(table["bias"]) == ["high", "low", "low", "low", "low"]


def test_what_is_a_rounding_error_beyond_a_limit_is_at_the_limit(read):
    rows = changed(2, "-150,", f"{-400.3 + 250.29999999999998:.17g},")
    rows = [row.replace(",0,0,700", ",150.0000000001,149.9999999999,-1e-12") for row in rows]
    table = read(rows).table
    assert table["state"].iloc[0] == -150
    assert table["state"].iloc[4] == table["message"].iloc[4] == 150
    assert table["action"].iloc[4] == 0
    assert read(changed(6, "0,0,700", "149.9999,0,700")).table["state"].iloc[4] == 149.9999


def test_the_only_treatment_of_a_game_need_not_be_named(read):
    game = ForecastGame(treatments={"CHUH": Market(60, 75)})
    rows, header = without("treatment")
    trials = read(rows, header, game)
    assert trials.treatments == ("CHUH",)
    assert set(trials.table["treatment"]) == {"CHUH"}
    assert set(trials.fold("sender").unit_treatment) == {0}


def test_the_games_file_may_rename_and_exclude(read):
    layout = Layout(columns={"state": "xi", "action": "K"}, exclude={"practice": (1,)})
    header = HEADER.replace("state", "xi").replace("action", "K") + ",practice"
    rows = [*(f"{row},0" for row in ROWS), "s1,r1,9,none,999,x,,1"]
    trials = read(rows, header, ForecastGame(layout=layout))
    assert list(trials.table["action"]) == [230, 0, 260.25, 275, 700]
    assert [rule.rows for rule in trials.exclusions] == [1]


def test_a_game_file_is_read_for_the_trials(read, data):
    game = data / "games" / "ozc-2011.toml"
    assert read(game=game).game.checksum == read(game=read_game(game)).game.checksum


# What is refused


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (changed(2, "-150", "-150.01"), "row 2, column state: found '-150.01', expected a "
         "forecast: a number from -150 to 150"),
        (changed(3, ",10,", ",260,"), "row 3, column state: found '260', expected a forecast"),
        (changed(3, "150", "150.5"), "row 3, column message: found '150.5', expected a report: a "
         "number from -150 to 150"),
        (changed(4, "90", "high"), "row 4, column message: found 'high', expected a report"),
        (changed(4, "90", ""), "row 4, column message: expected a report: a number from -150 to "
         "150, but the cell is empty"),
        (changed(4, "60,", "nan,"), "row 4, column state: found 'nan', expected a forecast"),
        (changed(2, "230", "-1"), "row 2, column action: found '-1', expected a capacity: a "
         "number of at least 0"),
        (changed(2, "230", "inf"), "row 2, column action: found 'inf', expected a capacity"),
        (changed(2, "230", "200 units"), "row 2, column action: found '200 units', expected a cap"),
        (changed(3, "CHUL", "CHUM"), "row 3, column treatment: found 'CHUM', expected one of the "
         "game's treatments: CLUL, CLUH, CHUL, CHUH"),
        (changed(3, "CHUL", ""), "row 3, column treatment: expected one of the game's treatments: "
         "CLUL, CLUH, CHUL, CHUH, but the cell is empty"),
        (changed(4, "s2,r2,2", "s2,r2,1"), "row 4, column round: found '1', expected each sender"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_row_column_value_and_expectation(faults, rows, expected):
    assert any(fault.startswith(f"trials.csv, {expected}") for fault in faults(rows))


def test_all_faults_are_told_at_once_in_the_order_of_the_file(faults):
    rows = changed(2, "-150,-20.5,230", "-151,x,-5")
    rows[2] = rows[2].replace("CHUL", "Other")
    assert [fault.split(":")[0].removeprefix("trials.csv, ") for fault in faults(rows)] == [
        "row 2, column state",
        "row 2, column message",
        "row 2, column action",
        "row 4, column treatment",
    ]


def test_a_capacity_above_the_largest(faults):
    (fault,) = faults(game=ForecastGame(largest_capacity=600))
    assert fault == (
        "trials.csv, row 6, column action: found '700', expected a capacity: a number from 0 to 600"
    )


def test_a_treatment_must_be_named_where_the_game_has_several(faults):
    rows, header = without("treatment")
    assert faults(rows, header) == [
        "trials.csv, row 1: expected a column treatment, since the game has several: CLUL, CLUH, "
        "CHUL, CHUH"
    ]


# Points


@pytest.mark.parametrize(
    ("role", "seen", "choice"),
    [("sender", "state", "message"), ("receiver", "message", "action")],
)
def test_points_are_the_trials_in_their_order(read, role, seen, choice):
    trials = read()
    points = trials.fold(role)
    assert isinstance(points, Points)
    np.testing.assert_array_equal(points.trial_seen, trials.table[seen])
    np.testing.assert_array_equal(points.trial_choice, trials.table[choice])
    unit = points.trial_unit
    subjects = np.array(points.subjects)[points.unit_subject[unit]]
    treatments = np.array(points.treatments)[points.unit_treatment[unit]]
    assert list(subjects) == list(trials.table[role])
    assert list(treatments) == list(trials.table["treatment"])
    assert points.n_trials == 5
    assert points.groups is None


def test_units_are_sorted_by_subject_then_treatment(read):
    points = read().fold("sender")
    assert points.subjects == ("s1", "s2", "s10")
    assert points.treatments == ("CLUH", "CHUL")
    units = np.column_stack([points.unit_subject, points.unit_treatment])
    assert units.tolist() == [[0, 1], [1, 0], [1, 1], [2, 0]]
    assert points.trials_per_unit.tolist() == [2, 1, 1, 1]
    assert points.trials_per_subject.tolist() == [2, 2, 1]


def test_groups_go_with_the_subjects(read):
    rows = [f"{row},{'B' if row.startswith('s2') else 'A'}" for row in ROWS]
    rows = [row.replace("r2", "r3") if row.startswith("s1,r2") else row for row in rows]
    rows = [row.replace("r1", "r4") if row.startswith("s2") else row for row in rows]
    trials = read(rows, HEADER + ",group")
    assert trials.fold("sender").groups == ("A", "B", "A")
    assert trials.fold("receiver").groups == ("A", "B", "A", "B")


@pytest.mark.parametrize(
    ("role", "names"), [("sender", ["receiver", "action"]), ("receiver", ["sender", "state"])]
)
def test_a_file_may_hold_one_role(read, role, names):
    trials = read(*without(*names))
    assert trials.roles == (role,)
    assert trials.fold(role).n_trials == 5


def test_a_frame_keeps_its_numbers_to_the_last_digit():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "sender": np.repeat(["s1", "s2"], 50),
            "round": np.tile(np.arange(50), 2),
            "treatment": "CLUL",
            "state": rng.uniform(-150, 150, 100),
            "message": rng.uniform(-150, 150, 100),
        }
    )
    points = trials_from_frame(frame, ForecastGame()).fold("sender")
    np.testing.assert_array_equal(points.trial_seen, frame["state"])
    np.testing.assert_array_equal(points.trial_choice, frame["message"])
