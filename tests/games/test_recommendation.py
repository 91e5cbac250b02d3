"""Game files of recommendations: all faults at once, and what is read is what is meant."""

from pathlib import Path

import pytest

from trustbayes.errors import InputError
from trustbayes.games import RecommendationGame, game_from_dict, read_game

EXAMPLE = Path(__file__).parents[2] / "data" / "games" / "esm-advice.toml"


def read(tmp_path, text):
    path = tmp_path / "game.toml"
    path.write_text(f'kind = "recommendation"\n{text}')
    return read_game(path)


def test_the_explained_example_is_read():
    game = read_game(EXAMPLE)
    assert isinstance(game, RecommendationGame)
    assert (game.lowest, game.highest, game.step, game.unit) == (1891, 2010, 1, 15)
    assert game.layout.joined == {"advisor, feedback": ("advisor", "feedback")}
    assert game_from_dict(game.to_dict()).checksum == game.checksum


def test_every_fault_is_named_at_once(tmp_path):
    text = (
        'lowest = 5\nhighest = 3\nstep = 0\nadvisers = 2.5\nunits = 3\nunit = "x"\n'
        "[treatments]\nbot = {adviser_error = -1}\nann = {error = 2}\n"
        '[columns]\nstate = "s"\n[rows]\nper = "player"\n'
    )
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    places = {fault.place.split("key ")[1] for fault in caught.value.faults}
    assert places >= {
        "highest",
        "step",
        "advisers",
        "units",
        "unit",
        "treatments.bot.adviser_error",
        "treatments.ann.adviser_error",
        "treatments.ann.error",
        "columns.state",
        "rows",
    }


def test_a_line_without_ends_needs_a_unit(tmp_path):
    with pytest.raises(InputError, match="key unit: expected a number above 0"):
        read(tmp_path, "lowest = 0\n")
    assert read(tmp_path, "lowest = 0\nunit = 20\n").step == pytest.approx(0.2)


def test_defaults_follow_from_the_ends(tmp_path):
    game = read(tmp_path, "lowest = 0\nhighest = 80\n")
    numbers = (game.unit, game.step, game.typical_outcome, game.outcome_spread, game.estimate_error)
    assert numbers == (20, 0.2, 40, 20, 20)


def test_senseless_numbers_are_refused_in_python_too():
    with pytest.raises(ValueError, match="highest"):
        RecommendationGame(lowest=3, highest=3, unit=1)
