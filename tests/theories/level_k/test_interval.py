"""Level-k play against its definition: replies by search, beliefs by inverting the messages."""

import numpy as np
import pytest
from intervals import SETTINGS, level_action, random_intervals, random_places, replies

from trustbayes.games import IntervalGame
from trustbayes.theories.level_k.interval import actions, messages

DEEPEST = 4


@pytest.mark.parametrize("unsent", ["monotone", "prior"])
def test_actions_are_the_middle_of_those_who_send_in_2000_settings(unsent):
    worst, searched = 0.0, 0
    for rng, terms in random_intervals(1):
        heard = random_places(rng, terms)
        found = actions(heard, DEEPEST, terms, unsent)
        states = np.linspace(terms.lowest, terms.highest, 2001)
        for trial in range(SETTINGS):
            one = terms.at([trial])
            sent = messages(states[:, None], DEEPEST, one)[:, :, 0]
            for level in range(DEEPEST + 1):
                bias = float(terms.bias[trial])
                exact = level_action(float(heard[trial]), level, bias, terms, unsent)
                gap = abs(found[level, trial] - exact) / terms.width
                worst = max(worst, gap)
                # And by search: the middle of the states that send it, if there are any.
                said, end = sent[:, level], terms.highest if bias > 0 else terms.lowest
                within = said.min() <= heard[trial] <= said.max()
                near = (abs(said - heard[trial]) <= 2.6e-4 * terms.width) & (said != end)
                near = said == end if heard[trial] == end and level and bias else near
                if within and near.any():
                    middle = (states[near].min() + states[near].max()) / 2
                    assert abs(found[level, trial] - middle) <= 5.1e-4 * terms.width
                    searched += 1
    assert searched > 5000
    assert worst < 1e-12


def test_messages_are_the_smallest_lies_among_the_best_replies_in_2000_settings():
    checked = 0
    for rng, terms in random_intervals(2):
        state = random_places(rng, terms)
        found = messages(state, DEEPEST, terms)
        grid = np.linspace(terms.lowest, terms.highest, 2001)
        for trial in range(SETTINGS):
            bias = float(terms.bias[trial])
            for level in range(1, DEEPEST + 1):
                if (level - 1) * abs(bias) >= terms.width:
                    continue  # he learns nothing from any message, and all are as good
                acts = replies(grid, level - 1, bias, terms)
                loss = abs(acts - state[trial] - bias)
                as_good = loss <= loss.min() + 1e-9 * terms.width
                lies = np.where(as_good, abs(grid - state[trial]), np.inf)
                best = grid[lies.argmin()]
                end = terms.highest if bias > 0 else terms.lowest
                # The end stands for messages as near to it as can be, too.
                gap = abs(found[level, trial] - best)
                assert gap <= 1.01e-3 * terms.width or abs(best - end) <= 1.01e-3 * terms.width
                checked += 1
    assert checked > 6000


def test_play_of_a_known_game():
    terms = IntervalGame(0, 100, {"Up": 20, "Down": -30}).terms(["Up", "Down"])
    assert messages(np.array([50.0, 50.0]), 3, terms).tolist() == [
        [50, 50],
        [70, 20],
        [90, 0],
        [100, 0],
    ]
    assert actions(np.array([100.0, 0.0]), 3, terms).tolist() == [
        [100, 0],
        [90, 15],
        [80, 30],
        [70, 45],
    ]


def test_who_always_hears_the_end_learns_nothing_from_any_message():
    terms = IntervalGame(0, 100, {"b": 60}).terms(["b"])
    for unsent in ("monotone", "prior"):
        heard = np.linspace(0, 100, 7)[:, None]
        assert (actions(heard, 4, terms, unsent)[:, 2:] == 50).all()


def test_leading_axes_are_kept_and_levels_do_not_depend_on_how_many_are_asked_for():
    terms = IntervalGame(0, 100, {"Up": 20, "Down": -30}).terms(["Up", "Down"])
    seen = np.random.default_rng(4).uniform(0, 100, (2, 5, 2))
    for play in (messages, actions):
        many = play(seen, 5, terms)
        assert many.shape == (2, 5, 6, 2)
        np.testing.assert_array_equal(play(seen, 2, terms), many[:, :, :3])


def test_unknown_conventions_are_refused():
    terms, seen = IntervalGame(0, 100, {"b": 20}).terms(["b"]), np.zeros(1)
    with pytest.raises(ValueError, match="unsent: found 'tremble', expected one of monotone"):
        actions(seen, 1, terms, "tremble")
    for play in (messages, actions):
        with pytest.raises(ValueError, match="max_level: found -1, expected 0 or more"):
            play(seen, -1, terms)
