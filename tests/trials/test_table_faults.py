"""What a table of trials is refused for, and in which words."""

import numpy as np
import pandas as pd
import pytest
from plain_table import HEADER, ROWS, changed

from trustbayes.errors import InputError
from trustbayes.games import FiniteGame, Layout, PayoffTable
from trustbayes.trials.table import read_trials, trials_from_frame


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
