"""Tables as other programs write them: the same trials, or the one message that each deserves."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trustbayes.errors import InputError
from trustbayes.inference.records import fit_key
from trustbayes.inference.sampling import Sampling
from trustbayes.models import TrustEmbedded
from trustbayes.trials.table import read_trials, trials_from_frame

CASES = Path(__file__).parents[1] / "files" / "cases"
GAME = CASES / "game.toml"


@pytest.fixture(scope="module")
def plain():
    return read_trials(CASES / "plain.csv", GAME)


@pytest.mark.parametrize(
    "name",
    ["cr-only.csv", "semicolon-decimal-comma.csv", "utf16-tab.txt", "trailing-commas.csv"],
)
def test_other_forms_hold_the_same_trials(plain, name):
    trials = read_trials(CASES / name, GAME)
    pd.testing.assert_frame_equal(
        trials.table.reset_index(drop=True), plain.table.reset_index(drop=True)
    )
    assert trials.checksum == plain.checksum
    assert trials.exclusions == plain.exclusions == ()
    if name != "cr-only.csv":
        assert trials.notes


def test_windows_names(plain):
    trials = read_trials(CASES / "cp1252.csv", GAME)
    assert len(trials.subjects("sender")) == 4
    assert trials.subjects("sender")[0].startswith("Jos")
    pd.testing.assert_frame_equal(
        trials.table.drop(columns=["sender"]), plain.table.drop(columns=["sender"])
    )
    assert trials.notes == ("cp1252.csv was read as Windows-1252.",)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unclosed-quote.csv", r"row 10, column comment: found '\"I always lie.*a quote that clos"),
        ("misspelt-column.csv", "row 1, column stat: found 'stat', expected 'state', if it is"),
    ],
)
def test_what_would_lose_trials_is_refused(name, message):
    with pytest.raises(InputError, match=message) as caught:
        read_trials(CASES / name, GAME)
    assert len(caught.value.faults) == 1


def test_an_unclosed_quote_in_the_bundled_trials(tmp_path, data):
    lines = (data / "simulated-finite" / "trials.csv").read_text().splitlines()
    lines = [line + (",note" if i == 0 else ",") for i, line in enumerate(lines)]
    lines[39] += '"I always lie'
    (tmp_path / "trials.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"trials\.csv, row 40, column note"):
        read_trials(tmp_path / "trials.csv", data / "simulated-finite" / "game.toml")


@pytest.mark.parametrize(
    ("column", "other"),
    [
        ("state", "State"), ("message", "mesage"), ("action", "actoin"), ("sender", "senders"),
        ("receiver", "reciever"), ("treatment", "treatement"), ("round", "rounds"),
    ],
)  # fmt: skip
def test_every_column_that_is_nearly_named_is_asked_back(plain, column, other):
    frame = plain.table.drop(columns="bias").rename(columns={column: other})
    with pytest.raises(InputError, match=f"column {other}: found '{other}', expected '{column}'"):
        trials_from_frame(frame, GAME)


def test_a_role_that_is_left_out_is_said(plain):
    frame = plain.table.drop(columns=["bias", "state"]).assign(status="x")
    trials = trials_from_frame(frame, GAME)
    assert trials.roles == ("receiver",)
    assert trials.notes == ("data frame has no trials of senders: there is no column state.",)


def test_missing_ages_of_people_who_are_not_in_the_trials(plain):
    trials = read_trials(CASES / "plain.csv", GAME, CASES / "people.csv")
    assert trials.fold("receiver").people["age"].tolist() == [20, 21, 22, 23]
    assert trials.fold("sender").people["age"].tolist() == [24, 25, 26, 27]
    assert trials.notes == ()


def people(tmp_path, *ages):
    rows = [f"{name},{age}" for name, age in zip(["r1", "r2", "r3", "r4"], ages, strict=True)]
    (tmp_path / "people.csv").write_text("\n".join(["subject,age", *rows]) + "\n")
    return read_trials(CASES / "plain.csv", GAME, tmp_path / "people.csv")


@pytest.mark.parametrize("code", ["NA", "#N/A", "<NA>", "-", "–", "—", "−"])
def test_missing_ages_stay_missing_and_are_refused_by_name_when_needed(tmp_path, code):
    trials = people(tmp_path, 20, 21, code, 23)
    np.testing.assert_array_equal(trials.fold("receiver").people["age"], [20, 21, np.nan, 23])
    assert trials.notes == (
        f"people.csv, column age of receivers: 1 of 4 values missing ({code!r}).",
    )
    fit_key(TrustEmbedded("receiver"), trials, Sampling())
    with pytest.raises(InputError, match="a value for every receiver; missing for r3"):
        fit_key(TrustEmbedded("receiver", formulas={"trust": "1 + age"}), trials, Sampling())


def test_numbers_that_are_none_among_others_are_asked_back(tmp_path):
    with pytest.raises(InputError, match="row 4, column age: found '23,5', expected a number"):
        people(tmp_path, 20, 21, '"23,5"', 23)


def test_identifiers_that_a_program_made_decimals(tmp_path, plain):
    frame = plain.table.drop(columns="bias")
    frame["sender"] = frame["sender"].str.slice(1).astype(int) + 10
    frame["receiver"] = frame["receiver"].str.slice(1)
    frame.to_csv(tmp_path / "trials.csv", index=False)
    whole = read_trials(tmp_path / "trials.csv", GAME, CASES / "people-float-ids.csv")
    assert whole.fold("receiver").people["age"].tolist() == [20, 21, 22, 23]
    frame.assign(sender=frame["sender"].astype(float)).to_csv(tmp_path / "t.csv", index=False)
    assert read_trials(tmp_path / "t.csv", GAME).checksum == whole.checksum


def test_whole_numbers_among_names_are_the_same_as_decimals(tmp_path, plain):
    frame = plain.table.drop(columns="bias")
    frame["receiver"] = frame["receiver"].str.slice(1)
    frame.to_csv(tmp_path / "trials.csv", index=False)
    text = "subject,age\n1.0,20\n2.00,21\n3.0,22\n4,23\ndropout,–\n"
    (tmp_path / "people.csv").write_text(text, encoding="utf-8")
    trials = read_trials(tmp_path / "trials.csv", GAME, tmp_path / "people.csv")
    assert trials.fold("receiver").people["age"].tolist() == [20, 21, 22, 23]


def test_identifiers_that_match_nobody_are_shown_beside_those_of_the_trials(tmp_path):
    with pytest.raises(InputError) as caught:
        read_trials(CASES / "plain.csv", GAME, CASES / "people-float-ids.csv")
    assert "found '1, 2, 3, 4', expected rows" in str(caught.value)
    assert "none for senders s1, s2, s3, s4 or receivers r1, r2, r3, r4" in str(caught.value)


def test_names_that_hold_what_cannot_be_seen_are_refused(plain):
    for name in ("s1\x1b[31m", "s\n1", "s\u202e1"):
        frame = plain.table.drop(columns="bias").replace({"sender": {"s1": name}})
        with pytest.raises(InputError, match="in one line of characters that can be seen"):
            trials_from_frame(frame, GAME)


def test_the_checksum_is_of_what_was_read(plain):
    frame = plain.table.drop(columns="bias")
    assert trials_from_frame(frame, GAME).checksum == plain.checksum
    frame.loc[2, "message"] = 2
    assert trials_from_frame(frame, GAME).checksum != plain.checksum
