"""Files of people: joined to the trials, every fault named."""

import numpy as np
import pytest

from trustbayes.errors import InputError
from trustbayes.games import FiniteGame
from trustbayes.inference.records import fit_key
from trustbayes.inference.sampling import Sampling
from trustbayes.models import TrustEmbedded
from trustbayes.trials.table import read_trials

GAME = FiniteGame([1, 2, 3], treatments={"Low": 0.5, "High": 1.5})
TRIALS = """sender,receiver,round,treatment,state,message,action
s1,r1,1,Low,1,2,1
s2,r2,1,Low,2,2,2
s1,r2,2,High,3,3,2
s2,r1,2,High,1,3,3
"""
PEOPLE = """subject,crt,country
r2,1,NL
s1,0,DE
s2,3,DE
absent,2,NL
r1,2,
"""


@pytest.fixture
def read(tmp_path):
    def read(people=None, trials=TRIALS):
        (tmp_path / "trials.csv").write_text(trials)
        if people is None:
            return read_trials(tmp_path / "trials.csv", GAME)
        (tmp_path / "people.csv").write_text(people)
        return read_trials(tmp_path / "trials.csv", GAME, people=tmp_path / "people.csv")

    return read


def test_covariates_become_columns_of_each_role(read):
    trials = read(PEOPLE)
    assert trials.table["receiver_crt"].tolist() == [2, 1, 1, 2]
    assert trials.table["sender_crt"].tolist() == [0, 3, 0, 3]
    receivers = trials.fold("receiver").people
    np.testing.assert_array_equal(receivers["crt"], [2, 1])
    assert receivers["country"].tolist() == ["", "NL"]
    np.testing.assert_array_equal(trials.fold("sender").people["crt"], [0, 3])


def test_fits_are_told_apart_by_the_people_that_their_formulas_name(read):
    def key(people, **settings):
        return fit_key(TrustEmbedded("receiver", **settings), read(people), Sampling())

    plain, crt = {}, {"formulas": {"trust": "1 + crt"}}
    other = PEOPLE.replace("r1,2", "r1,0")
    assert key(PEOPLE, **plain) == key(other, **plain) == key(None, **plain)
    assert len({key(PEOPLE, **plain), key(PEOPLE, **crt), key(other, **crt)}) == 3
    assert key(PEOPLE, **crt) == key(PEOPLE.replace("s1,0", "s1,2"), **crt)


def test_a_role_may_have_no_rows_and_roles_may_be_named(read):
    trials = read("subject,role,crt\nr1,receiver,2\nr2,receiver,0\ns9,sender,1\n")
    assert "receiver_crt" in trials.table
    assert "sender_crt" not in trials.table


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ("name,crt\nr1,2\n", "row 1: expected the column subject and covariates"),
        ("subject\nr1\n", "row 1: expected the column subject and covariates"),
        (PEOPLE + "r1,1,NL\n", "row 7, column subject: found 'r1', expected every subject once"),
        ("subject,crt\nr1,2\n", "people.csv: expected a row for every receiver; none for r2$"),
        (
            "subject,crt\nr1,2\nR2,2\ns1,0\ns2,0\n",
            "expected a row for every receiver; none for r2, but for R2, not in the trials$",
        ),
        (
            "subject,crt\nx,2\n",
            "column subject: found 'x', expected rows for the subjects of the trials, but has none "
            "for senders s1, s2 or receivers r1, r2",
        ),
        ("subject,role,crt\nr1,reciever,2\n", "column role: found 'reciever', expected sender or"),
        ("subject,crt\nr1,2,3\n", "row 2: expected 2 cells"),
    ],
)
def test_faults(read, people, message):
    with pytest.raises(InputError, match=message):
        read(people)


def test_a_covariate_that_the_trials_have_is_refused(read):
    trials = "\n".join(
        line + ("," + ("receiver_crt" if number == 0 else "1"))
        for number, line in enumerate(TRIALS.splitlines())
    )
    with pytest.raises(InputError, match="found 'receiver_crt', expected covariates that the"):
        read(PEOPLE, trials)


def test_a_missing_file_is_one_message(tmp_path):
    (tmp_path / "trials.csv").write_text(TRIALS)
    with pytest.raises(InputError, match="a file of people, but there is no such file"):
        read_trials(tmp_path / "trials.csv", GAME, people=tmp_path / "none.csv")
