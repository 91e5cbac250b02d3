"""The report on recommendations: its own question, sources and patterns, every figure drawn."""

import numpy as np
import pytest
from advice import advised
from pages import Page

from trustbayes.report import write_report
from trustbayes.report.games.recommendation import patterns

NAMES = ["trust-embedded", "average"]


@pytest.fixture(scope="module")
def trials():
    return advised(people=4, rounds=10)


@pytest.fixture(scope="module")
def written(trials, analyse_made_up, tmp_path_factory):
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # made-up draws: importance ratios beyond all bounds
        analysis = analyse_made_up(trials, NAMES)
    return write_report(analysis, tmp_path_factory.mktemp("report") / "report.html")


def test_everything_is_drawn_and_asks_the_question_of_recommendations(written):
    text = written.html.read_text("utf-8")
    assert "could not be drawn" not in text
    assert "How do people take recommendations" in text
    assert "think a few steps ahead" not in text
    assert "Egocentric" in text or "egocentric" in text  # Yaniv and Kleinberger (2000)
    assert len(Page(text).sections) > 5


def test_observed_weights_are_those_of_a_loop_over_the_trials(trials):
    table = trials.table
    for row in patterns.weights(trials).to_dict("records"):
        kept = followed = tell = 0
        squares = products = 0.0
        for _, trial in table[table["treatment"] == row["treatment"]].iterrows():
            gap, moved = trial["message"] - trial["estimate"], trial["action"] - trial["estimate"]
            if abs(gap) < 2:
                continue
            tell += 1
            kept += abs(moved) <= 0.5
            followed += abs(trial["action"] - trial["message"]) <= 0.5
            squares, products = squares + gap**2, products + gap * moved
        assert row["trials"] == tell
        assert row["slope"] == pytest.approx(products / squares)
        assert (row["kept"], row["followed"]) == pytest.approx((kept / tell, followed / tell))


def test_people_who_keep_are_counted_each_by_their_own_trials(trials):
    rows = patterns.keepers(trials).set_index("subject")
    points = patterns.points(trials)
    for person in rows.index:
        mine = points[(points["subject"] == person) & (points["class"] >= 0)]
        assert rows.loc[person, "trials"] == len(mine)
        assert rows.loc[person, "kept"] == np.mean(np.abs(mine["decision"] - mine["estimate"]) < 1)
