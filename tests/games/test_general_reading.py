"""Game files of general finite games: what they mean, and what they refuse."""

import itertools

import numpy as np
import pytest
from fuzzing import GENERAL

from trustbayes.errors import InputError
from trustbayes.games import FiniteGame, read_game

GAME = (
    GENERAL.decode()
    + """[treatments.Same]
direction = "up"
gain = 1
prior = [0.5, 0.25, 0.25]
receiver_prior = "uniform"
"""
)


@pytest.fixture
def write(tmp_path):
    def write_game(text=GAME, **files):
        for name, content in files.items():
            (tmp_path / f"{name}.csv").write_text(content)
        (tmp_path / "game.toml").write_text(text)
        return tmp_path / "game.toml"

    return write_game


def faults(path):
    with pytest.raises(InputError) as caught:
        read_game(path)
    return [str(fault) for fault in caught.value.faults]


def test_formulas_of_message_and_treatments(write):
    game = read_game(write())
    assert game.action_labels == ("accept", "challenge")
    assert (game.labelled, game.tabled, game.storable, game.cheap_talk) == (True, True, True, False)
    assert list(game.treatments) == ["High", "Low", "Same"]
    assert game.in_treatment("High") is game.in_treatment("Same")
    for name, gain in (("High", 1.0), ("Low", -0.5)):
        stage = game.in_treatment(name)
        assert stage.scale == game.scale
        for s, m, a in itertools.product(range(3), range(3), range(2)):
            pay_s = gain * m if a == 0 else -3.0 * (m != s)
            pay_r = 5 if a == 1 and m != s else 2 - gain * m
            assert stage.sender_outcomes(0.0)[s, m, a] == pay_s
            assert stage.receiver_outcomes[s, m, a] == pay_r
    high, low = game.in_treatment("High"), game.in_treatment("Low")
    np.testing.assert_allclose(high.prior, [0.5, 0.25, 0.25])
    np.testing.assert_allclose(high.receiver_prior, 1 / 3)
    np.testing.assert_allclose(low.prior, 1 / 3)
    assert (high.direction_of(0.0), low.direction_of(0.0)) == (1, -1)
    outcomes = [high.receiver_outcomes, low.receiver_outcomes]
    assert game.scale == pytest.approx(np.std(outcomes), rel=1e-12)  # equal terms count once


def test_what_a_general_game_is_can_be_stored(write):
    game = read_game(write())
    again = FiniteGame.from_dict(game.to_dict())
    assert (again.checksum, again.scale) == (game.checksum, game.scale)
    for name in game.treatments:
        for field in ("prior", "receiver_prior"):
            one, other = (getattr(g.in_treatment(name), field) for g in (game, again))
            np.testing.assert_array_equal(one, other)
    other = read_game(write(GAME.replace("gain = -0.5", "gain = -0.25")))
    assert other.checksum != game.checksum


def test_labels_with_numbers_of_their_own(write):
    game = read_game(write(GAME.replace('["accept", "challenge"]', "{challenge = 1, accept = 0}")))
    assert game.action_labels == ("accept", "challenge")
    np.testing.assert_array_equal(game.actions, [0, 1])


FAULTS = {
    ("gain * message if", "gain * mesage if"):
        "key payoffs.sender, character 8: found 'mesage', expected 'message' (did you mean it?)",
    ("action == accept", "action == acept"):
        "key payoffs.sender, character 29: found 'acept', expected 'accept' (did you mean it?)",
    ("2 - gain * message", "2 - bias"):
        "key payoffs.receiver, character 62: found 'bias', expected",
    ("gain = -0.5", ""): "key treatments.Low.gain: expected a number",
    ("gain = -0.5", 'gain = "x"'): "key treatments.Low.gain: found 'x', expected a number",
    ("gain = -0.5", "gain = -0.5\nprio = 3"):
        "key treatments.Low.prio: found 'prio', expected one of bias, prior, receiver_prior,",
    ("{fine = 3}", "{fine = 3, unused = 1}"):
        "key payoffs.constants.unused: found 'unused', expected a name that a formula",
    ('direction = "down"', 'direction = "dwn"'):
        "key treatments.Low.direction: found 'dwn', expected 'down' (did you mean it?)",
    ('receiver_prior = "uniform"', "receiver_prior = [1, 1, 1]"):
        "key treatments.High.receiver_prior: found '[1, 1, 1]', expected \"uniform\" or 3 prob",
    ('["accept", "challenge"]', '["accept", "accept"]'): "key actions: found",
    ('["accept", "challenge"]', "{accept = 0, challenge = 0}"): "key actions: found",
    ('["accept", "challenge"]', '["accept", 2]'): "key actions: found",
    ("2 - gain * message", "1 / state"):
        "key payoffs.receiver: expected a finite payoff everywhere, but at state 0, message 0,",
    ('direction = "down"', 'bias = "x"'): "key treatments.Low.bias: found 'x', expected a bias",
    ("gain * message if", "fine.real if"): "key payoffs.sender, character 1: found 'fine.real'",
}  # fmt: skip


@pytest.mark.parametrize(("old", "new"), FAULTS)
def test_a_wrong_value_of_a_general_game_is_named(write, old, new):
    assert GAME.count(old) >= 1
    found = faults(write(GAME.replace(old, new, 1)))
    expected = f"game.toml, {FAULTS[old, new]}"
    assert any(fault.startswith(expected) for fault in found), found


TABLES = """
kind = "finite"
states = [1, 2]
actions = {no = 0, yes = 1}
direction = "up"
[payoffs]
family = "table"
sender = "sender.csv"
receiver = "receiver.csv"
[treatments]
A = 0
B = {prior = [0.25, 0.75]}
"""


def rows(names, axes, payoff):
    lines = [",".join([*names, "payoff"])]
    for cells in itertools.product(*(axes[name] for name in names)):
        lines.append(",".join(map(str, [*cells, payoff(**dict(zip(names, cells, strict=True)))])))
    return "\n".join(lines) + "\n"


AXES = {"state": (1, 2), "message": (1, 2), "action": ("no", "yes"), "treatment": ("A", "B")}


def test_tables_may_have_any_columns(write):
    def pay_s(message, treatment):
        return message * (10 if treatment == "A" else -1)

    def pay_r(state, message, action):
        return 100 * state + 10 * message + (action == "yes")

    game = read_game(
        write(
            TABLES,
            sender=rows(("message", "treatment"), AXES, pay_s),
            receiver=rows(("state", "message", "action"), AXES, pay_r),
        )
    )
    for name in ("A", "B"):
        stage = game.in_treatment(name)
        for s, m, a in itertools.product((1, 2), (1, 2), (0, 1)):
            assert stage.sender_outcomes(0.0)[s - 1, m - 1, a] == pay_s(m, name)
            assert stage.receiver_outcomes[s - 1, m - 1, a] == 100 * s + 10 * m + a
    np.testing.assert_allclose(game.in_treatment("B").prior, [0.25, 0.75])
    assert FiniteGame.from_dict(game.to_dict()).checksum == game.checksum


def test_an_idle_column_of_messages_is_cheap_talk(write):
    game = read_game(
        write(
            TABLES,
            sender=rows(("message", "action"), AXES, lambda message, action: int(action == "yes")),
            receiver=rows(("state", "action"), AXES, lambda state, action: state * len(action)),
        )
    )
    assert game.cheap_talk
    assert game.receiver_table.tolist() == [[2, 3], [4, 6]]


def test_faults_of_tables_with_messages_and_treatments(write):
    sender = "message,treatment,payoff\n1,A,1\n1,A,2\n2,A,1\n1,C,1\n"
    receiver = "state,action,payoff\n1,no,1\n1,maybe,2\n2,no,0\n2,yes,0\n"
    assert faults(write(TABLES, sender=sender, receiver=receiver)) == [
        "sender.csv, row 5, column treatment: found 'C', expected one of the game's treatments: "
        "A, B",
        "sender.csv, row 3: found 'treatment A, message 1 again', expected every message once",
        "sender.csv: expected rows for treatment B",
        "receiver.csv, row 3, column action: found 'maybe', expected one of the game's actions",
        "receiver.csv: expected a row for state, action 1, 1",
    ]
