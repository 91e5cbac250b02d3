"""Trials in their order, and what people were shown."""

import numpy as np
import pandas as pd
import pytest

import trustbayes as tb
from trustbayes.games.feedback import Feedback
from trustbayes.games.layout import Layout
from trustbayes.trials.news import finite_news
from trustbayes.trials.sequences import missing_rounds

ROWS = [
    ("s1", "r1", 3, 2, 3, 2),
    ("s1", "r2", 1, 1, 1, 1),
    ("s2", "r1", 1, 1, 3, 2),
    ("s2", "r2", 3, 3, 3, 3),
    ("s1", "r1", 4, 1, 2, 1),
]
FRAME = pd.DataFrame(ROWS, columns=["sender", "receiver", "round", "state", "message", "action"])


def trials(feedback=None, frame=FRAME):
    game = tb.FiniteGame([1, 2, 3], treatments={"all": 1.0}, feedback=feedback)
    return tb.trials_from_frame(frame.assign(treatment="all"), game)


def test_events_go_by_person_and_round():
    units = trials(Feedback("state")).sequences("receiver")
    assert units.event_subject.tolist() == [0, 0, 0, 1, 1]
    assert units.event_broken.tolist() == [1, 1, 1, 0, 0]  # r1: rounds 1, 3, 4
    assert units.trial_event.tolist() == [1, 3, 0, 4, 2]


def test_partners_are_told_apart():
    units = trials(Feedback("state", partners="fixed")).sequences("receiver")
    first = units.partner_chains
    sizes = np.diff(first.start)
    assert sorted(sizes.tolist()) == [1, 1, 1, 2]  # r1 met s1 twice
    assert np.diff(units.chains.start).tolist() == [3, 2]


def test_partners_may_stand_in_a_column_that_says_more():
    layout = Layout(columns={"treatment": "pair"})
    feedback = Feedback("state", partners="pair")
    game = tb.FiniteGame(
        [1, 2, 3], treatments={"p": 1.0, "q": 1.0}, layout=layout, feedback=feedback
    )
    frame = FRAME.assign(pair=["p", "q", "q", "p", "p"])
    units = tb.trials_from_frame(frame, game).sequences("sender")
    assert units.event_partner.tolist() == [0, 1, 1, 0, 1]  # s1: q, p, p; s2: q, p


def test_units_come_back_from_a_file():
    units = trials(Feedback("state")).sequences("sender")
    again = type(units).from_dataset(units.to_dataset(), "sender")
    for name in units.dims:
        np.testing.assert_array_equal(getattr(again, name), getattr(units, name))


def test_some_subjects_keep_all_that_they_lived_through():
    units = trials(Feedback("state")).sequences("receiver").of_subjects(np.array([1]))
    assert units.event_subject.tolist() == [0, 0]
    assert units.trial_event.tolist() == [0, 1]


def test_missing_rounds_are_named():
    assert missing_rounds(trials().table, "receiver") == {"r1": [2], "r2": [2]}


def test_a_column_says_what_was_shown():
    frame = FRAME.assign(shown=["state", "", "none", "payoff", "state"])
    units = trials(Feedback("none", column="shown"), frame).sequences("sender")
    assert units.event_known.tolist() == [False, True, True, False, True]


def test_other_words_in_it_are_refused():
    frame = FRAME.assign(shown="states")
    with pytest.raises(tb.InputError, match="what was shown: state, payoff, none"):
        trials(Feedback("none", column="shown"), frame)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(tb.InputError, match="'mate', which the game file names in"):
        trials(Feedback("state", partners="mate"))


def test_a_payoff_tells_what_it_tells():
    """Message 3, action 2: states 1 and 3 pay the same, and both may be behind the message."""
    game = tb.FiniteGame([1, 2, 3], treatments={"all": 1.0})
    table = pd.DataFrame(
        {"treatment": "all", "bias": 1.0, "state": [1, 2], "message": 3, "action": 2}
    )
    news = finite_news(game, "receiver", table, np.array(["payoff", "payoff"]))
    assert news.broken.tolist() == [0.5, 1.0]  # state 2 pays most, and is known
    assert news.size.tolist() == [0.5, 0.5]


def test_senders_learn_whether_they_were_followed():
    game = tb.FiniteGame([1, 2, 3], treatments={"all": 1.0})
    table = pd.DataFrame(
        {"treatment": "all", "bias": 1.0, "state": [1, 1], "message": [3, 2], "action": [2, 2]}
    )
    news = finite_news(game, "sender", table, np.array(["state", "state"]))
    assert news.broken.tolist() == [1.0, 0.0]
    assert news.trusting.tolist() == [0.0, 3.0]
    assert news.doubting.tolist() == [1.5, 0.0]
