"""Trials of recommendations: what is allowed, what is filled in, what is refused."""

import numpy as np
import pandas as pd
import pytest
from advice import LINE, advised

from trustbayes.errors import InputError
from trustbayes.games import Adviser, RecommendationGame
from trustbayes.report.games.recommendation import patterns
from trustbayes.trials.recommendation import Recommendations
from trustbayes.trials.table import trials_from_frame

TWO = RecommendationGame(lowest=0, highest=100, unit=10, step=1, advisers=2)


def frame(**columns):
    rows = {
        "receiver": ["a", "b", "a", "b"],
        "round": [1, 1, 2, 2],
        "estimate": [20, 30, 40, 50],
        "message": [30, 30, 80, 20],
        "action": [20, 30, 90, 10],
    }
    return pd.DataFrame(rows | columns)


def test_without_treatment_the_adviser_is_it():
    trials = trials_from_frame(frame(adviser=["bot", "ann", "ann", "bot"]), LINE)
    assert trials.treatments == ("ann", "bot")
    assert trials_from_frame(frame(), LINE).treatments == ("all",)


def test_an_adviser_that_the_game_does_not_know_is_refused():
    game = RecommendationGame(unit=1, treatments={"bot": Adviser(1.0), "ann": Adviser(2.0)})
    with pytest.raises(InputError, match="row 4, column adviser: found 'eve'"):
        trials_from_frame(frame(adviser=["bot", "ann", "eve", "bot"]), game)
    with pytest.raises(InputError, match="a column treatment, since the game has several"):
        trials_from_frame(frame(), game)


@pytest.mark.parametrize(
    ("column", "cells", "message"),
    [
        ("estimate", ["", 30, 40, 50], "without an estimate nothing tells"),
        ("estimate", [20, 30, 40, "x"], "row 5, column estimate: found 'x'"),
        ("message", [30, "", 80, 20], "row 3, column message"),
        ("action", [20, 30, 101, 10], "a decision: a number from 0 up to 100"),
        ("outcome", [1, "?", "", 2], "nothing where it is not known"),
        ("estimate_width", [1, 0, 2, 3], "a width: a number above 0"),
    ],
)
def test_cells_that_cannot_be_are_named(column, cells, message):
    with pytest.raises(InputError, match=message):
        trials_from_frame(frame(**{column: cells}), LINE)


def test_all_advisers_of_the_game_must_be_there_and_no_more():
    with pytest.raises(InputError, match="the columns message_2: 2 advisers at once"):
        trials_from_frame(frame(), TWO)
    with pytest.raises(InputError, match="advisers = 2 in the game file"):
        trials_from_frame(frame(message_2=[1, 2, 3, 4]), LINE)


def test_columns_that_are_standard_are_no_covariates():
    trials = trials_from_frame(frame(outcome=[25, "", 60, 30], age=[20, 30, 20, 30]), LINE)
    units = trials.fold("receiver")
    assert isinstance(units, Recommendations)
    assert list(units.people) == ["age"]
    assert units.varying == ()
    np.testing.assert_array_equal(units.trial_outcome, [25, np.nan, 60, 30])


def test_units_read_back_and_parted_are_the_same():
    units = advised(31, game=TWO).fold("receiver")
    again = Recommendations.from_dataset(units.to_dataset(), "receiver")
    for name in units.dims:
        np.testing.assert_array_equal(getattr(again, name), getattr(units, name))
    part = units.of_subjects(np.array([1, 3]))
    keep = np.isin(units.trial_subject, [1, 3])
    np.testing.assert_array_equal(part.trial_messages, units.trial_messages[keep])


def test_weights_of_advice_by_hand():
    # kept; too near to tell; beyond; away from the advice by a third of the distance.
    trials = trials_from_frame(frame(action=[20, 30, 90, 60]), LINE)
    table = patterns.points(trials)
    np.testing.assert_allclose(table["weight"], [0, np.nan, 1.25, -1 / 3])
    assert table["class"].tolist() == [1, -1, 6, 0]
    row = patterns.weights(trials).iloc[0]
    assert (row["trials"], row["too_near"]) == (3, 1)
    assert row["slope"] == pytest.approx((40 * 50 + -30 * 10) / (100 + 1600 + 900))


def test_what_following_would_have_earned_by_hand():
    trials = trials_from_frame(frame(outcome=[30, 30, "", 35]), LINE)
    row = patterns.outcomes(trials).iloc[0]
    assert row["trials"] == 3
    assert row["own"] == pytest.approx((10 + 0 + 15) / 3)
    assert row["followed"] == pytest.approx((0 + 0 + 15) / 3)
    assert row["decided"] == pytest.approx((10 + 0 + 25) / 3)
    best = (10 * 10 + -30 * -15) / (100 + 900)
    assert row["best_weight"] == pytest.approx(best)


def test_advice_that_never_differs_tells_nothing():
    trials = trials_from_frame(frame(message=[20, 30, 40, 50]), LINE)
    row = patterns.weights(trials).iloc[0]
    assert (row["trials"], row["too_near"]) == (0, 4)
    assert np.isnan(row["slope"])
    assert patterns.keepers(trials).empty
    assert patterns.outcomes(trials).empty
