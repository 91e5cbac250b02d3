"""Trials of a game on an interval: what is read, what is refused, and what they tell."""

import numpy as np
import pandas as pd
import pytest

from trustbayes.errors import InputError
from trustbayes.games import Feedback, IntervalGame
from trustbayes.trials.forecast import Points
from trustbayes.trials.news import point_news
from trustbayes.trials.table import read_trials, trials_from_frame

GAME = IntervalGame(0, 100, {"Small": 5.0, "Down": -20.0}, step=1, feedback=Feedback("state"))
COLUMNS = ["sender", "receiver", "round", "treatment", "state", "message", "action"]
ROWS = [
    ("s1", "r1", 1, "Small", 40, 50, 45),
    ("s2", "r2", 1, "Small", 90, 100, 97),
    ("s1", "r2", 2, "Down", 40, 30, 35),
    ("s2", "r1", 2, "Down", 10, 20, 100),
]


def frame(**changed):
    table = pd.DataFrame(ROWS, columns=COLUMNS)
    for name, values in changed.items():
        table[name] = values
    return table


def test_trials_become_points_in_the_order_of_the_games_treatments():
    trials = trials_from_frame(frame(), GAME)
    assert trials.treatments == ("Small", "Down")
    assert trials.conditions("Down") == {"bias": -20.0}
    points = trials.fold("receiver")
    assert isinstance(points, Points)
    assert points.trial_seen.tolist() == [50, 100, 30, 20]
    assert points.trial_choice.tolist() == [45, 97, 35, 100]


def test_numbers_off_the_interval_are_refused_in_its_words(tmp_path):
    path = tmp_path / "trials.csv"
    frame(state=[40, 101, 40, 10], action=[45, 97, -1, 100]).to_csv(path, index=False)
    with pytest.raises(InputError) as caught:
        read_trials(path, GAME)
    text = str(caught.value)
    assert "column state: found '101', expected a state: a number from 0 to 100" in text
    assert "column action: found '-1', expected an action: a number from 0 to 100" in text


def test_a_game_of_several_treatments_needs_their_names():
    with pytest.raises(InputError, match="a column treatment, since the game has several"):
        trials_from_frame(frame().drop(columns="treatment"), GAME)


def test_news_heeds_the_direction_of_the_bias():
    table, shown = frame(), np.full(4, "state")
    news = point_news(GAME, "receiver", table, shown)
    assert news.broken.tolist() == [1, 1, 1, 1]
    assert news.size.tolist() == pytest.approx([0.1, 0.1, 0.1, 0.1])
    # An exaggerating sender sends any message in her direction alike: up to 100, or down to 0.
    assert news.doubting.tolist() == pytest.approx([100 / 60, 100 / 10, 100 / 40, 0])
    followed = point_news(GAME, "sender", table, shown)
    assert followed.size.tolist() == pytest.approx([0.05, 0.03, 0.05, 0.8])
