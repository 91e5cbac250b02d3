"""The trial table: what is read, what is refused, and how trials fold into cells."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from plain_table import HEADER, ROWS, changed

from trustbayes.errors import InputError
from trustbayes.games import FiniteGame, ForecastGame, Layout, read_game
from trustbayes.trials.table import read_trials, trials_from_frame

# What is read


def test_standard_columns_have_their_types_and_the_order_of_the_file(read):
    trials = read(ROWS)
    table = trials.table
    assert trials.roles == ("sender", "receiver")
    assert list(table.index) == [2, 3, 4, 5, 6, 7]
    assert list(table["sender"]) == ["s1", "s2", "s1", "s2", "s10", "s10"]
    assert list(table["round"]) == [1, 1, 2, 2, 1, 2]
    assert table["round"].dtype == int
    for name in ("bias", "state", "message", "action"):
        assert table[name].dtype == float
    assert list(table["message"]) == [2, 3, 3, 1, 3, 2]
    assert trials.source == "trials.csv"
    assert trials.warnings == ()
    assert trials.notes == ()
    assert trials.exclusions == ()


def test_orders_are_those_a_reader_expects(read):
    trials = read(ROWS)
    assert trials.subjects("sender") == ("s1", "s2", "s10")
    assert trials.subjects("receiver") == ("r1", "r2", "r10")
    assert trials.treatments == ("Low", "High")


def test_subjects_that_are_numbers_sort_as_numbers(read):
    rows = [row.replace("s", "").replace("r", "-") for row in ROWS]
    assert read(rows).subjects("sender") == ("1", "2", "10")
    assert read(rows).subjects("receiver") == ("-10", "-2", "-1")


def test_blank_lines_and_blanks_and_a_byte_order_mark_do_no_harm(tmp_path, game):
    text = "\ufeff" + HEADER + "\n\n" + "\n".join(ROWS).replace(",", " , ") + "\n,,,,,,,\n"
    (tmp_path / "trials.csv").write_text(text.replace(",,,,,,,\n", "\n"))
    trials = read_trials(tmp_path / "trials.csv", game)
    assert list(trials.table.index) == [3, 4, 5, 6, 7, 8]
    assert trials.subjects("sender") == ("s1", "s2", "s10")


def test_other_columns_are_kept_as_numbers_where_they_are(read):
    rows = [f"{row},{i},{'x' if i == 2 else i}" for i, row in enumerate(ROWS)]
    table = read(rows, HEADER + ",age,code").table
    assert list(table["age"]) == [0, 1, 2, 3, 4, 5]
    assert list(table["code"]) == ["0", "1", "x", "3", "4", "5"]


def test_a_mapped_name_leaves_the_files_column_of_that_name_beside_it(read):
    layout = Layout(columns={"treatment": "cell", "bias": "treatment"})
    header = HEADER.replace("treatment,bias", "cell,treatment") + ",bias"
    rows = [f"{row},Large" for row in ROWS]
    trials = read(rows, header, FiniteGame(states=[1, 2, 3], layout=layout))
    assert list(trials.table["bias"]) == [1, 1, 1, 1, 0.5, 0.5]
    assert set(trials.table["bias (file)"]) == {"Large"}
    assert trials.treatments == ("Low", "High")


def test_one_column_may_be_both_treatment_and_bias(read):
    header = HEADER.replace("treatment,", "other,")
    layout = Layout(columns={"treatment": "bias", "bias": "bias"})
    trials = read(ROWS, header, FiniteGame(states=[1, 2, 3], layout=layout))
    assert trials.treatments == ("0.5", "1")
    assert list(trials.fold("sender").biases) == [0.5, 1]


def test_without_a_treatment_there_is_one(read):
    rows = [row.replace("High,", "").replace("Low,", "") for row in ROWS]
    trials = read(rows, HEADER.replace("treatment,", ""))
    assert trials.treatments == ("all",)
    assert list(trials.fold("receiver").biases) == [0.5, 1]


def test_a_missing_bias_is_that_of_the_treatment(read):
    frame = pd.DataFrame([row.split(",") for row in ROWS], columns=HEADER.split(","))
    listed = FiniteGame(states=[1, 2, 3], treatments={"High": 1, "Low": [0.5], "Other": [1, 2]})
    trials = trials_from_frame(frame.drop(columns="bias"), listed)
    assert list(trials.table["bias"]) == [1, 1, 1, 1, 0.5, 0.5]


def test_values_within_the_tolerance_become_the_games_values():
    game = FiniteGame(states=[0.1, 0.3], treatments={"A": 0.2})
    rows = [("s1", 1, "A", 0.1 + 1e-12, 0.3), ("s2", 1, "A", 0.30000000000000004, 0.1)]
    frame = pd.DataFrame(rows, columns=["sender", "round", "treatment", "state", "message"])
    table = trials_from_frame(frame.assign(bias=0.1 + 0.1 + 1e-13), game).table
    assert set(table["state"]) == {0.1, 0.3}
    assert set(table["bias"]) == {0.2}


def test_a_negative_bias_and_more_messages_than_states():
    game = FiniteGame(states=[1, 2], messages=[0.5, 1, 1.5, 2], actions=[-1, 0, 1, 2, 3])
    rows = [("s1", "r1", 1, -1.5, 2, 0.5, -1), ("s2", "r2", 1, -1.5, 1, 1.5, 3)]
    frame = pd.DataFrame(rows, columns=HEADER.replace("treatment,", "").split(","))
    trials = trials_from_frame(frame, game)
    sender, receiver = trials.fold("sender"), trials.fold("receiver")
    assert sender.counts.shape == (2, 2, 4)
    assert receiver.counts.shape == (2, 4, 5)
    assert list(sender.biases) == [-1.5]
    assert sender.counts[0, 1, 0] == 1
    assert receiver.counts[1, 2, 4] == 1


def test_treatments_go_by_bias_below_zero_too(game):
    frame = pd.DataFrame([row.split(",") for row in ROWS], columns=HEADER.split(","))
    frame["bias"] = frame["treatment"].map({"High": -2.0, "Low": -0.5})
    assert trials_from_frame(frame, game).treatments == ("High", "Low")


@pytest.mark.parametrize(
    ("role", "columns"),
    [
        ("sender", ["sender", "round", "bias", "state", "message"]),
        ("sender", ["sender", "receiver", "round", "bias", "state", "message"]),
        ("receiver", ["receiver", "round", "bias", "message", "action"]),
    ],
)
def test_a_file_may_hold_one_role(game, role, columns):
    frame = pd.DataFrame([row.split(",") for row in ROWS], columns=HEADER.split(","))
    trials = trials_from_frame(frame[columns], game)
    assert trials.roles == (role,)
    assert trials.fold(role).n_trials == 6
    other = {"sender": "receiver", "receiver": "sender"}[role]
    for method in (trials.fold, trials.subjects):
        with pytest.raises(ValueError, match=f"holds no trials of the {other}"):
            method(other)


def test_a_frame_reads_as_the_file_it_would_be(tmp_path, game):
    frame = pd.DataFrame([row.split(",") for row in ROWS], columns=HEADER.split(","))
    frame = frame.astype({"state": float, "bias": float, "round": int})
    frame.to_csv(tmp_path / "trials.csv", index=False)
    from_file = read_trials(tmp_path / "trials.csv", game)
    from_frame = trials_from_frame(frame.set_index("sender").reset_index(), game)
    pd.testing.assert_frame_equal(from_file.table, from_frame.table)
    assert from_file.checksum == from_frame.checksum
    assert from_frame.source == "data frame"


def test_excluded_rows_are_counted_once_each_and_need_not_be_valid(read):
    layout = Layout(exclude={"timeout": (1, "late"), "part": (0,)})
    game = FiniteGame(states=[1, 2, 3], layout=layout)
    rows = [
        *(f"{row},0,1" for row in ROWS),
        "s1,r1,3,High,1,1,0,9,1.0,0",
        "s1,r1,3,High,1,x,,9,late,1",
        "s1,r1,3,High,1,x,,9,0,00",
        "s1,r1,3,High,1,x,,9,1,1",
    ]
    trials = read(rows, HEADER + ",timeout,part", game)
    assert len(trials.table) == 6
    found = [(e.column, e.value, e.rows) for e in trials.exclusions]
    assert found == [("timeout", 1, 2), ("timeout", "late", 1), ("part", 0, 1)]


def test_a_rule_that_matches_nothing_is_reported_too(read):
    game = FiniteGame(states=[1, 2, 3], layout=Layout(exclude={"action": (0,)}))
    (exclusion,) = read(ROWS, game=game).exclusions
    assert exclusion.rows == 0


def test_one_trial_per_subject_is_fine_and_said(read):
    trials = read(["s1,r1,1,A,1,1,1,1", "s2,r2,1,A,1,2,2,2"])
    assert len(trials.warnings) == 2
    assert trials.warnings[0].startswith("Every sender has exactly one trial: estimates for")
    assert list(trials.fold("sender").trials_per_subject) == [1, 1]


def test_one_subject_in_one_role_only_is_said(read):
    trials = read([row.replace("r2", "r1").replace("s1,r1,1", "s1,r1,5") for row in ROWS[:3]])
    assert any(w.startswith("There is only one receiver") for w in trials.warnings)


def test_without_groups_there_are_none(read):
    assert read(ROWS).fold("sender").groups is None


def test_the_real_experiment(shared, data):
    path = shared / "data" / "ioannidis-2024" / "pairs.csv"
    trials = read_trials(path, read_game(data / "games" / "ioannidis-2024.toml"))
    raw = pd.read_csv(path).query("timeout == 0")
    assert [(e.column, e.value, e.rows) for e in trials.exclusions] == [("timeout", 1, 9)]
    assert len(trials.table) == 7671
    assert trials.treatments == ("Low", "Medium", "Large")
    assert trials.warnings == ()
    assert trials.table.groupby("treatment").size()[list(trials.treatments)].tolist() == [
        2560,
        2554,
        2557,
    ]
    exaggeration = (trials.table["message"] - trials.table["state"]).groupby(
        trials.table["treatment"]
    )
    np.testing.assert_allclose(
        exaggeration.mean()[list(trials.treatments)], [-0.002, 0.561, 0.892], atol=5e-4
    )
    for role, key in (("sender", ["b", "state"]), ("receiver", ["b", "message"])):
        cells = trials.fold(role)
        assert cells.counts.shape == (256, 5, 5)
        situations = raw.groupby([f"{role}_id", *key]).ngroups
        assert (cells.counts.sum(-1) > 0).sum() == situations
        assert situations == {"sender": 1240, "receiver": 1190}[role]
        assert cells.counts.sum() == cells.n_trials == 7671
        assert len(cells.subjects) == 128
        assert len(set(cells.groups)) == 32


def test_one_game_file_serves_files_of_one_role_too():
    layout = Layout(columns={"sender": "who", "receiver": "whom", "action": "act"})
    game = FiniteGame([1, 2], treatments={"all": 1.0}, layout=layout)
    both = pd.DataFrame(
        [(s, r, n, 1, 2, 1) for n, (s, r) in enumerate([("a", "x"), ("b", "y")], 1)],
        columns=["who", "whom", "round", "state", "message", "act"],
    )
    assert trials_from_frame(both, game).roles == ("sender", "receiver")
    senders = trials_from_frame(both.drop(columns=["whom", "act"]), game)
    assert senders.roles == ("sender",)
    receivers = trials_from_frame(both.drop(columns=["who", "state"]), game)
    assert receivers.roles == ("receiver",)
    # One of a role's two columns says that the other was meant to be there.
    with pytest.raises(InputError, match="'whom', which the game file names"):
        trials_from_frame(both.drop(columns="whom"), game)


# Parts of an experiment


def test_a_subset_keeps_rows_and_knows_the_treatments_of_the_whole(read):
    trials = read(ROWS)
    keep = (trials.table["treatment"] == "High").to_numpy()
    high = trials.subset(keep, "treatment High")
    pd.testing.assert_frame_equal(high.table, trials.table.iloc[:4])
    assert high.treatments == trials.treatments == ("Low", "High")
    assert high.subjects("sender") == ("s1", "s2")
    assert high.source == "trials.csv (treatment High)"
    assert high.game is trials.game
    cells = high.fold("sender")
    assert cells.treatments == ("Low", "High")
    assert set(cells.unit_treatment) == {1}
    assert list(cells.biases) == [1]
    assert cells.counts.sum() == 4
    # A part of a part is still of the whole.
    one = high.subset((high.table["sender"] == "s2").to_numpy(), "subject s2")
    assert one.treatments == trials.treatments
    assert list(one.table.index) == [3, 5]
    assert one.source == "trials.csv (treatment High) (subject s2)"


def test_a_subset_of_points_has_the_games_order_of_treatments():
    game = ForecastGame()
    rows = [("s1", 1, "CHUL", 0, 5), ("s1", 2, "CLUH", 1, 8), ("s2", 1, "CHUL", 2, 9)]
    frame = pd.DataFrame(rows, columns=["sender", "round", "treatment", "state", "message"])
    trials = trials_from_frame(frame, game)
    part = trials.subset(np.array([True, False, True]), "CHUL")
    assert part.treatments == ("CLUH", "CHUL")
    assert part.fold("sender").unit_treatment.tolist() == [1, 1]


def test_checksums_tell_subsets_apart(read):
    trials = read(ROWS)
    masks = [np.arange(6) < 4, np.arange(6) >= 4, np.arange(6) < 3]
    found = [trials.subset(mask, "part").checksum for mask in masks]
    other = read(changed(2, "2,1", "3,1")).subset(masks[0], "part").checksum
    assert len({trials.checksum, other, *found}) == 5
    assert trials.subset(masks[0], "under another name").checksum == found[0]
    lines = hashlib.sha256(f"{trials.checksum} 2 3 4 5".encode()).hexdigest()
    assert found[0] == lines


def test_what_a_reader_should_know_is_said_of_the_subset(read):
    trials = read(ROWS)
    assert trials.warnings == ()
    [sentence, *_] = trials.subset(np.arange(6) < 2, "round 1").warnings
    assert "exactly one trial" in sentence


def test_a_subset_without_trials_or_of_another_shape_is_refused(read):
    trials = read(ROWS)
    with pytest.raises(InputError, match=r"trials.csv \(none\): expected at least one trial"):
        trials.subset(np.zeros(6, dtype=bool), "none")
    with pytest.raises(ValueError, match=r"bool of shape \(5,\), expected booleans of shape \(6,"):
        trials.subset(np.ones(5, dtype=bool), "part")
    with pytest.raises(ValueError, match="found int64"):
        trials.subset(np.ones(6, dtype=int), "part")


def test_actions_may_be_labels_in_files():
    game = FiniteGame([1, 2], actions=[0, 1], action_labels=["accept", "challenge"], direction="up")
    rows = [("r1", 1, 1, "accept"), ("r1", 2, 2, "1"), ("r2", 1, 2, "challenge")]
    frame = pd.DataFrame(rows, columns=["receiver", "round", "message", "action"])
    trials = trials_from_frame(frame, game)
    assert trials.table["action"].tolist() == [0, 1, 1]
    assert trials.table["bias"].tolist() == [0, 0, 0]  # the direction says what senders want
    with pytest.raises(
        InputError, match=r"expected one of the game's actions: accept \(0\), chall"
    ):
        trials_from_frame(frame.replace("accept", "refuse"), game)
