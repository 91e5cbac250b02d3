"""Actions that are labels: shares by message in place of heat maps and discounts."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from trustbayes.games import FiniteGame, FiniteTerms
from trustbayes.report.games.finite import raw, tables
from trustbayes.report.games.patterns import mean_shifts
from trustbayes.report.games.registry import kind_of
from trustbayes.report.page.style import style
from trustbayes.trials.table import trials_from_frame

ACTIONS = {"A": ("accept", "challenge", "accept", "accept"), "B": ("challenge",) * 4}


@pytest.fixture
def analysis():
    game = FiniteGame(
        [1, 2], actions=[0, 1], action_labels=["accept", "challenge"],
        terms={"A": FiniteTerms(direction="up"), "B": FiniteTerms(prior=[0.25, 0.75])},
    )  # fmt: skip
    rows = [
        (f"r{i % 2}", 4 * (name == "B") + i, name, 1 + i // 2, action)
        for name, actions in ACTIONS.items()
        for i, action in enumerate(actions)
    ]
    frame = pd.DataFrame(rows, columns=["receiver", "round", "treatment", "message", "action"])
    return SimpleNamespace(trials=trials_from_frame(frame, game))


def test_shares_of_labels_are_drawn_and_said(analysis):
    with style():
        figure = raw.share_lines(analysis, "receiver")
    first, second = figure.axes[:2]
    np.testing.assert_allclose(first.lines[0].get_xydata(), [[1, 0.5], [2, 0]])
    np.testing.assert_allclose(second.lines[0].get_xydata(), [[1, 1], [2, 1]])
    assert [text.get_text() for text in figure.legends[0].texts] == ["challenge"]
    says = raw.share_lines_says(analysis, "receiver").replace("\xa0", " ")
    assert "A: challenge in 25 % of trials (50 % after message 1, 0 % after 2)" in says


def test_mean_shifts_of_labels_are_shares(analysis):
    kind = kind_of(analysis.trials.game)
    assert kind.words["receiver"].shift == "share of the action challenge"
    assert kind.words["receiver"].unit == "share of trials"
    table = mean_shifts(analysis.trials, kind, "receiver", 0.9)
    assert table["mean"].tolist() == [0.25, 1.0]


def test_treatments_say_what_sets_them_apart(analysis):
    kind = kind_of(analysis.trials.game)
    facts = kind.treatment_facts(analysis.trials, "A")
    assert (facts["messages_that_pay"], facts["mean_state"]) == (["higher"], 1.5)
    facts = kind.treatment_facts(analysis.trials, "B")
    assert (facts["messages_that_pay"], facts["mean_state"]) == (["none"], 1.75)


def test_treatments_show_the_constants_that_differ_and_no_bias_that_there_is_not():
    facts = {"biases": [0.0], "messages_that_pay": ["higher"], "mean_state": 2.0, "trials": 10}
    terms = {
        name: {"prior": [1.0], "payoffs": {"family": "formula", "constants": {"k": k, "top": 9}}}
        for name, k in (("red, 0.2", 1), ("blue, 0.2", 0))
    }
    formula = {"family": "formula", "sender": "-5 if\nmessage else k", "constants": {"top": 9}}
    game = {"prior": [1.0], "payoffs": formula, "terms": terms, "states": [1], "messages": [1]}
    experiment = {
        "name": "a game", "game": game | {"actions": [0, 1]}, "subjects": {"sender": 2},
        "groups": None, "trials": 20,
        "treatments": [{"treatment": name, "senders": 2} | facts for name in terms],
    }  # fmt: skip
    shown = tables.treatment_table({"experiment": experiment})
    assert shown.header[:3] == ("treatment", "k", "messages that pay")
    assert [row[:2] for row in shown.rows] == [("red, 0.2", "1"), ("blue, 0.2", "0")]
    biased = [one | {"biases": [1.0]} for one in experiment["treatments"]]
    shown = tables.treatment_table({"experiment": experiment | {"treatments": biased}})
    assert shown.header[:3] == ("treatment", "bias", "k")
    design = dict(tables.design_table({"experiment": experiment}).rows)
    assert design["payoffs"] == "family formula; sender -5 if message else k"
