"""Games on an interval: files read strictly, defaults, and what is recorded."""

from pathlib import Path

import numpy as np
import pytest

from trustbayes.errors import InputError
from trustbayes.games import Feedback, IntervalGame, PowerLoss, game_from_dict, read_game

EXAMPLE = Path(__file__).parents[2] / "data" / "games" / "interval.toml"


def read(tmp_path, text):
    path = tmp_path / "game.toml"
    path.write_text(f'kind = "interval"\n{text}')
    return read_game(path)


def test_the_explained_example_is_read():
    game = read_game(EXAMPLE)
    assert isinstance(game, IntervalGame)
    assert (game.lowest, game.highest, game.step, game.round_to) == (0, 100, 1, 5)
    assert game.treatments == {"Small": 5, "Medium": 20, "Large": 40}
    assert game.payoffs == PowerLoss(100, 0.01, 2)
    assert game.feedback == Feedback("state")
    assert game_from_dict(game.to_dict()).checksum == game.checksum


def test_the_smallest_file_is_the_quadratic_game(tmp_path):
    game = read(tmp_path, "lowest = -1\nhighest = 3\n[treatments]\nb = -0.5\n")
    assert game.payoffs == PowerLoss(100, 100 / 16, 2)
    assert game.payoffs.receiver(-1.0, 3.0) == 0
    assert (game.step, game.coarse_step) == pytest.approx((4e-4, 4e-4))
    assert game.round_to is None
    assert game.name == "game"
    assert (game.scale, game.lying_unit) == pytest.approx((2.0, 2 * 100 / 16))
    assert game.directions(["b"]).tolist() == [-1]


def test_every_fault_is_named_at_once(tmp_path):
    text = (
        'lowest = 5\nhighest = 3\nstep = 0\nround_to = "five"\nstates = 3\n'
        '[payoffs]\nfamily = "table"\n'
        "scale = -1\nexponent = 0.5\nconstant = true\nexponnent = 2\n"
        '[treatments]\nsmall = "x"\nlarge = [1, 2]\n[columns]\nbias = "b"\n'
        '[feedback]\nshown = "payoff"\n'
    )
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    places = sorted(fault.place.split("key ")[1] for fault in caught.value.faults)
    assert places == [
        "columns.bias",
        "feedback.shown",
        "highest",
        "payoffs.constant",
        "payoffs.exponent",
        "payoffs.exponnent",
        "payoffs.family",
        "payoffs.scale",
        "round_to",
        "states",
        "step",
        "treatments.large",
        "treatments.small",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("highest = 1\n[treatments]\nb = 1\n", "key lowest: expected a number"),
        ("lowest = 0\nhighest = 1\n", r"key treatments: expected a table \[treatments\]"),
        ("lowest = 0\nhighest = 1\n[treatments]\n", "key treatments: expected at least one"),
        (
            "lowest = 0\nhighest = 10\nstep = 3\n[treatments]\nb = 1\n",
            "key step: found '3', expected a step of which a whole number makes the interval, 10",
        ),
        (
            "lowest = 0\nhighest = 10\nstep = 20\n[treatments]\nb = 1\n",
            "key step: found '20', expected a step of which",
        ),
    ],
)
def test_a_wrong_value_is_named(tmp_path, text, expected):
    with pytest.raises(InputError, match=expected) as caught:
        read(tmp_path, text)
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize(
    ("low", "high", "step", "round_to", "expected"),
    [
        (0, 100, 1, 0, "a number above 0"),
        (0, 100, 1, -5, "a number above 0"),
        (0, 100, 1, 2.5, "a whole number of steps of 1, at least two"),
        (0, 100, 5, 5, "a whole number of steps of 5, at least two"),
        (0, 100, 1, 7, "a number of which lowest, 0, and highest, 100, are whole multiples"),
        # Multiples are counted from zero, not from the lowest.
        (2, 12, 0.5, 5, "a number of which lowest, 2, and highest, 12, are whole multiples"),
        (0, 10, 1, 20, "a number of which lowest, 0, and highest, 10, are whole multiples"),
    ],
)
def test_a_wrong_round_number_is_refused_in_files_and_in_python(
    tmp_path, low, high, step, round_to, expected
):
    numbers = f"lowest = {low}\nhighest = {high}\nstep = {step}\nround_to = {round_to}\n"
    with pytest.raises(InputError) as caught:
        read(tmp_path, f"{numbers}[treatments]\nb = 1\n")
    said = f"round_to: found '{round_to}', expected {expected}"
    assert str(caught.value) == f"game.toml, key {said}"
    with pytest.raises(ValueError, match="round_to") as refused:
        IntervalGame(low, high, {"b": 1}, step=step, round_to=round_to)
    assert str(refused.value) == said


def test_round_numbers_of_any_step_are_read():
    for low, high, step, round_to in (
        (-0.3, 0.9, 0.1, 0.3),
        (-50, 50, None, 10),
        (0, 1, 0.05, 0.1),
    ):
        game = IntervalGame(low, high, {"b": 1}, step=step, round_to=round_to)
        assert game.round_to == round_to


def test_senseless_numbers_are_refused_in_python_too():
    with pytest.raises(ValueError, match=r"highest: found '3'.*treatments\.b: found 'inf'"):
        IntervalGame(3, 3, {"b": np.inf})
    with pytest.raises(ValueError, match="fine: found '-1'"):
        IntervalGame(0, 3, {"b": 1}, fine=-1)
    with pytest.raises(ValueError, match="payoff says how far action and state are apart"):
        IntervalGame(0, 3, {"b": 1}, feedback=Feedback("payoff"))


def test_answers_are_recorded_in_steps_from_the_lowest():
    game = IntervalGame(0.5, 10.5, {"b": 1}, step=0.25)
    given = np.array([-1.0, 0.5, 0.7, 3.3, 10.4, 11.0])
    expected = [0.5, 0.5, 0.75, 3.25, 10.5, 10.5]
    assert game.recorded(given, 0.5, 10.5).tolist() == expected


def test_only_what_bears_on_behaviour_is_in_the_checksum():
    game = IntervalGame(0, 1, {"b": 0.1}, name="a")
    assert game.checksum == IntervalGame(0, 1, {"b": 0.1}, name="b").checksum
    assert "round_to" not in game.to_dict()  # checksums of games without one are those of before
    for other in (
        IntervalGame(0, 1, {"b": 0.2}),
        IntervalGame(0, 1, {"b": 0.1}, PowerLoss(100, 100, 1.5)),
        IntervalGame(0, 1, {"b": 0.1}, step=0.1),
        IntervalGame(0, 1, {"b": 0.1}, fine=1.0),
        IntervalGame(0, 1, {"b": 0.1}, round_to=0.1),
    ):
        assert other.checksum != game.checksum
        assert game_from_dict(other.to_dict()).checksum == other.checksum
