"""The trial table: what is read, what is refused, and how trials fold into cells."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from trustbayes.errors import InputError
from trustbayes.games import FiniteGame, ForecastGame, Layout, PayoffTable, read_game
from trustbayes.trials.table import read_trials, trials_from_frame

HEADER = "sender,receiver,round,treatment,bias,state,message,action"
ROWS = [
    "s1,r1,1,High,1,1,2,1",
    "s2,r2,1,High,1,2,3,2",
    "s1,r2,2,High,1,3,3,2",
    "s2,r1,2,High,1,1,1,1",
    "s10,r10,1,Low,0.5,3,3,3",
    "s10,r10,2,Low,0.5,2,2,2",
]


@pytest.fixture
def game():
    return FiniteGame(states=[1, 2, 3])


@pytest.fixture
def read(tmp_path, game):
    def read_text(rows, header=HEADER, game=game):
        path = tmp_path / "trials.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        return read_trials(path, game)

    return read_text


def changed(row, old, new):
    """ROWS with one row (counted as the file's lines) changed."""
    rows = list(ROWS)
    assert old in rows[row - 2]
    rows[row - 2] = rows[row - 2].replace(old, new)
    return rows


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


# What is refused


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (changed(4, "3,3,2", "9,3,2"),
         "row 4, column state: found '9', expected one of the game's states: 1, 2, 3"),
        (changed(4, "3,3,2", "3,two,2"),
         "row 4, column message: found 'two', expected one of the game's messages: 1, 2, 3"),
        (changed(7, "2,2,2", "2,2,2.5"),
         "row 7, column action: found '2.5', expected one of the game's actions: 1, 2, 3"),
        (changed(3, "2,3,2", "2,,2"),
         "row 3, column message: expected one of the game's messages: 1, 2, 3, "
         "but the cell is empty"),
        (changed(3, "r2,1", "r2,1.5"), "row 3, column round: found '1.5', expected a whole number"),
        (changed(3, "r2,1", "r2,"),
         "row 3, column round: expected a whole number, but the cell is empty"),
        (changed(3, "High,1", "High,big"), "row 3, column bias: found 'big', expected a number"),
        (changed(3, "High,1", "High,inf"), "row 3, column bias: found 'inf', expected a number"),
        (changed(6, "s10", ""),
         "row 6, column sender: expected the name of a sender, in one line of characters that can "
         "be seen, but the cell is empty"),
        (changed(6, "Low", ""),
         "row 6, column treatment: expected the name of a treatment, in one line of characters "
         "that can be seen, but the cell is empty"),
        (changed(4, "s1,r2,2", "s1,r2,1"),
         "row 4, column round: found '1', expected each sender once per round, "
         "but s1 is in row 2 too"),
        (changed(5, "s2,r1,2", "s2,r1,1.0"),
         "row 5, column round: found '1.0', expected each receiver once per round, "
         "but r1 is in row 2 too"),
        (changed(6, "r10", "s1"),
         "row 6, column receiver: found 's1', expected no subject that is a sender "
         "(as in row 2)"),
        (changed(3, "s2,r2,1", "s2,r2"),
         "row 3: expected 8 cells as in the header, but there are 7"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_row_column_value_and_expectation(faults, rows, expected):
    assert f"trials.csv, {expected}" in faults(rows)


def test_all_faults_are_told_at_once_in_the_order_of_the_file(faults):
    rows = [
        "s1,r1,1,High,1,9,2,1",
        "s2,r2,1,High,x,2,3,2",
        "s1,r2,1,High,1,3,3,4,5",
        "s2,s1,2,High,1,1,1,0",
        "s1,r9,1,High,1,1,1,2",
    ]
    found = faults(rows)
    assert [f.removeprefix("trials.csv, row ").split(":")[0] for f in found] == [
        "2, column state",
        "3, column bias",
        "4",
        "5, column action",
        "5, column receiver",
        "6, column round",
    ]


def test_faults_carry_the_files_own_column_names(faults):
    game = FiniteGame(states=[1, 2, 3], layout=Layout(columns={"sender": "S id", "bias": "b"}))
    header = HEADER.replace("sender", "S id").replace("bias", "b")
    found = faults([*ROWS, ",r9,1,High,?,1,1,1"], header, game)
    assert [f.split(":")[0] for f in found] == [
        "trials.csv, row 8, column S id",
        "trials.csv, row 8, column b",
    ]


def test_many_faults_are_cut_in_the_message_but_kept(faults, read):
    rows = [f"s{i},r{i},1,A,1,0,1,1" for i in range(60)]
    with pytest.raises(InputError, match="and 20 more faults") as caught:
        read(rows)
    assert len(caught.value.faults) == 60


def test_missing_columns(faults):
    rows = ["s1,1,1,1", "s2,1,1,1"]
    assert faults(rows, "sender,round,bias,state") == [
        "trials.csv, row 1: expected also the columns message for senders or receiver, message, "
        "action for receivers; there are: sender, round, bias, state"
    ]
    (fault,) = faults(rows, "sender,bias,state,message")
    assert fault.startswith("trials.csv, row 1: expected a column round; there are: sender")
    (fault,) = faults(rows, "sender,round,state,message")
    assert fault.startswith("trials.csv, row 1: expected a column bias, or a game file that gives")


def test_columns_that_the_game_file_names_must_be_there(faults):
    layout = Layout(columns={"sender": "sender_id"}, exclude={"time_out": (1,)})
    rows = [f"{row},0" for row in ROWS]
    header = HEADER.replace("sender", "sender_ids") + ",timeout"
    found = faults(rows, header, FiniteGame(states=[1, 2, 3], layout=layout))
    assert found[0].startswith(
        "trials.csv, row 1: expected a column 'sender_id', which the game file names in [columns] "
        "sender; 'sender_ids' (did you mean it?)"
    )
    assert "names in [exclude]; 'timeout' (did you mean it?)" in found[1]
    assert len(found) == 2


def test_headers_that_repeat_or_lack_a_name(faults):
    (fault,) = faults([f"{row},1" for row in ROWS], HEADER + ",state")
    assert fault == (
        "trials.csv, row 1, column state: found 'state', expected a name that no other column has"
    )
    (fault,) = faults([f"{row},1" for row in ROWS], HEADER + ",")
    assert fault == "trials.csv, row 1: expected a name for column number 9"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "trials.csv: expected a header and rows, but the file is empty"),
        (b"\n \n", "trials.csv: expected a header and rows, but the file is empty"),
        (HEADER.encode() + b"\n", "trials.csv: expected at least one trial, but there are none"),
        (
            b"sender\ns\xc3\xa9\xe9\n",
            "trials.csv, row 2: expected text in UTF-8, but there is the byte e9 among characters "
            "that are in UTF-8",
        ),
        (
            b"PK\x03\x04\xff",
            "trials.csv: expected an Excel workbook that can be read (File is not a zip file)",
        ),
    ],
)
def test_files_that_hold_no_trials(tmp_path, game, content, expected):
    (tmp_path / "trials.csv").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_trials(tmp_path / "trials.csv", game)
    assert str(caught.value) == expected


def test_files_that_cannot_be_read(tmp_path, game):
    with pytest.raises(InputError, match="but there is no such file"):
        read_trials(tmp_path / "trials.csv", game)
    with pytest.raises(InputError, match="that can be read"):
        read_trials(tmp_path, game)


def test_everything_excluded(faults):
    game = FiniteGame(states=[1, 2, 3], layout=Layout(exclude={"action": (1, 2, 3)}))
    (fault,) = faults(ROWS, game=game)
    assert fault == "trials.csv: expected at least one trial, but all are excluded"


def test_one_subject(faults):
    assert faults(["s1,r1,1,A,1,1,1,1", "s1,r1,2,A,1,1,1,1"]) == [
        "trials.csv, column sender: found 's1', expected at least two senders",
        "trials.csv, column receiver: found 'r1', expected at least two receivers",
    ]


def test_treatments_and_biases_that_the_game_does_not_list(faults):
    game = FiniteGame(states=[1, 2, 3], treatments={"High": [1, 2], "Lo": 0.5})
    found = faults(changed(4, "High,1", "High,0.5"), game=game)
    assert found == [
        "trials.csv, row 4, column bias: found '0.5', expected a bias of treatment High: 1, 2",
        "trials.csv, row 6, column treatment: found 'Low', expected one of the game's "
        "treatments: High, Lo",
        "trials.csv, row 7, column treatment: found 'Low', expected one of the game's "
        "treatments: High, Lo",
    ]


def test_a_missing_bias_that_the_game_leaves_open(faults):
    header = HEADER.replace("bias,", "")
    rows = [row.replace("High,1,", "High,").replace("Low,0.5,", "Low,") for row in ROWS]
    game = FiniteGame(states=[1, 2, 3], treatments={"High": [1, 2], "Low": 0.5})
    (fault,) = faults(rows, header, game)
    assert fault == (
        "trials.csv, row 1: expected a column bias, or a game file that gives one bias to "
        "treatment High in [treatments]"
    )


def test_a_bias_without_a_payoff_table(faults):
    square = np.subtract.outer([1.0, 2, 3], [1.0, 2, 3]) ** 2
    payoffs = PayoffTable((1.0, 2.0, 3.0), (1.0, 2.0, 3.0), {1.0: square}, square)
    found = faults(ROWS, game=FiniteGame(states=[1, 2, 3], payoffs=payoffs))
    assert found == [
        f"trials.csv, row {row}, column bias: found '0.5', expected a bias with a table of "
        "sender payoffs: 1"
        for row in (6, 7)
    ]


def test_a_subject_in_two_groups(faults):
    rows = [f"{row},{'g2' if row.startswith('s1,r2') else 'g1'}" for row in ROWS]
    assert faults(rows, HEADER + ",group") == [
        "trials.csv, row 4, column group: found 'g2', expected g1, where sender s1 was before",
        "trials.csv, row 4, column group: found 'g2', expected g1, where receiver r2 was before",
    ]


def test_a_fault_of_a_frame_counts_rows_as_lines(game):
    frame = pd.DataFrame([row.split(",") for row in ROWS], columns=HEADER.split(","))
    frame.loc[1, "state"] = None
    with pytest.raises(InputError, match=r"^data frame, row 3, column state: expected .* empty$"):
        trials_from_frame(frame, game)


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
    with pytest.raises(InputError, match="'refuse', expected one of the game's actions: accept, c"):
        trials_from_frame(frame.replace("accept", "refuse"), game)
