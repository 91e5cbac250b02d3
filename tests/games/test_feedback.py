"""The table [feedback] of a game file, read strictly."""

import pytest

import trustbayes as tb
from trustbayes.games import game_from_dict
from trustbayes.games.feedback import Feedback

GAME = """
kind = "finite"
states = [1, 2, 3]
[payoffs]
family = "power-loss"
constant = 110
scale = 20
exponent = 1.4
[treatments]
Low = 0.5
High = 1.5
"""


def read(tmp_path, feedback, game=GAME):
    path = tmp_path / "game.toml"
    path.write_text(game + feedback, encoding="utf-8")
    return tb.read_game(path)


def test_what_is_shown_may_differ_by_treatment(tmp_path):
    text = '[feedback]\nshown = {Low = "state", High = "none"}\npartners = "fixed"\n'
    feedback = read(tmp_path, text).feedback
    assert [feedback.in_treatment(name) for name in ("Low", "High")] == ["state", "none"]
    assert feedback.partners == "fixed"


def test_a_game_without_the_table_has_none(tmp_path):
    assert read(tmp_path, "").feedback is None


def test_feedback_is_part_of_the_game(tmp_path):
    game = read(tmp_path, '[feedback]\nshown = "payoff"\n')
    assert game.checksum != read(tmp_path, "").checksum
    assert game_from_dict(game.to_dict()).feedback == game.feedback


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ('shown = "stat"', ["feedback.shown: stat"]),
        ('shown = {Lo = "state"}', ["feedback.shown.Lo", "also Low, High"]),
        ('shown = "state"\ncolumn = "x"\nwho = 1', ["feedback.shown", "feedback.who"]),
        ('partners = "fixed"', ["feedback.shown"]),
        ('shown = "state"\npartners = 3', ["feedback.partners: 3"]),
    ],
)
def test_every_fault_is_named(tmp_path, text, faults):
    with pytest.raises(tb.InputError) as error:
        read(tmp_path, f"[feedback]\n{text}\n")
    message = str(error.value)
    for fault in faults:
        assert fault.split(":")[0] in message
        assert fault.split(": ")[-1] in message


def test_payoffs_say_nothing_certain_of_forecasts(tmp_path):
    with pytest.raises(tb.InputError, match="hides the forecast"):
        read(tmp_path, '[feedback]\nshown = "payoff"\n', 'kind = "forecast-sharing"\n')
    with pytest.raises(ValueError, match="hides the forecast"):
        tb.ForecastGame(feedback=Feedback("none", {"CHUH": "payoff"}))


@pytest.mark.parametrize("given", [("stat",), ("state", {"Low": "action"})])
def test_other_words_are_refused_in_code_too(given):
    with pytest.raises(ValueError, match=r"feedback, shown: found '(stat|action)'"):
        Feedback(*given)
