"""What the report of a game on an interval says and draws beyond what all reports do."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import pyplot as plt

from trustbayes.games import IntervalGame
from trustbayes.models import SPECS
from trustbayes.report import results
from trustbayes.report.games.continuous import lines, patterns, raw
from trustbayes.report.games.interval import tables
from trustbayes.report.games.registry import kind_of

SLIDER = IntervalGame(0, 100, {"Up": 20.0, "Down": -5.0, "None": 0.0, "Tiny": 1e-4})


@pytest.fixture(scope="module")
def made(make_analysis):
    return make_analysis(kind="interval", names=["trust-embedded"])


def guides(role, treatment):
    """Lines behind choices of one treatment, by theory."""
    specs = [s for s in SPECS if (s.role, s.kind) == (role, "interval") and s.guide]
    seen = np.linspace(0, 100, 601)
    return {spec.name: spec.guide.line(SLIDER, treatment, seen, 17.0) for spec in specs}


def test_guides_are_the_theorys_formulas():
    said = guides("sender", "Up")
    assert (said["full-trust"].choice == said["full-trust"].seen).all()
    assert set(said["babbling"].choice) == {17.0}
    assert said["level-k"].choice == pytest.approx(np.minimum(said["level-k"].seen + 20, 100))
    done = guides("receiver", "Up")
    assert set(done["babbling"].choice) == {50.0}
    first = done["level-k"]
    assert first.choice == pytest.approx(np.maximum(first.seen - 20, 0))
    assert first.last == (100, 90)
    down = guides("receiver", "Down")["level-k"]
    assert down.choice == pytest.approx(np.minimum(down.seen + 5, 100))
    assert down.last == (0, 2.5)


def steps(role, treatment):
    """Heights of the equilibrium in a panel."""
    figure, panel = plt.subplots()
    lines.draw(panel, SLIDER, role, treatment, 50.0)
    drawn = [line for line in panel.lines if line.get_drawstyle() == "steps-post"]
    plt.close(figure)
    return [line.get_ydata().tolist() for line in drawn]


def test_receivers_see_the_steps_of_the_most_informative_equilibrium():
    assert steps("receiver", "Up") == [[5, 55, 55]]
    [heights] = steps("receiver", "Down")
    assert heights == pytest.approx([80 / 3, 70, 280 / 3, 280 / 3])
    for role, treatment in (("sender", "Up"), ("receiver", "None"), ("receiver", "Tiny")):
        assert steps(role, treatment) == []
    labels = [handle.get_label() for handle in lines.handles(SLIDER, "receiver")]
    assert labels.count("most informative equilibrium") == 1
    assert "most informative equilibrium" not in [
        handle.get_label() for handle in lines.handles(SLIDER, "sender")
    ]


def test_figures_say_what_is_in_the_direction_of_the_bias(made):
    analysis = SimpleNamespace(trials=made.trials, ci_prob=0.9)
    table = made.trials.table
    way = np.where(table["treatment"] == "Up", 1, -1)
    share = (way * (table["message"] - table["state"]) > 0)[table["treatment"] == "Down"].mean()
    text = raw.scatter_says(analysis, "sender").replace("\N{NO-BREAK SPACE}", " ")
    assert f"{share:.0%} of trials in Down".replace("%", " %") in text
    assert "at the end of the interval to which it points" in text
    assert "the step over it is the action" in raw.scatter_says(analysis, "receiver")


def test_tables_hold_the_game_and_its_equilibria(made):
    found = results(made)
    design = dict(tables.design_table(found).rows)
    assert design["message and action"] == "0 to 100, in steps of 1"
    assert design["a receiver earns"] == "100 − 0.01 |action − state|^2"
    assert "round numbers" not in design
    found["experiment"]["game"]["round_to"] = 5.0
    assert dict(tables.design_table(found).rows)["round numbers"] == "multiples of 5"
    shown = {row[0]: row[1:3] for row in tables.treatment_table(found).rows}
    assert shown == {"Up": ("20", "2"), "Down": ("-10", "2")}
    facts = kind_of(SLIDER).treatment_facts
    trials = SimpleNamespace(game=SLIDER, conditions=lambda name: {"bias": SLIDER.treatments[name]})
    assert facts(trials, "None")["equilibrium_intervals"] is None
    assert facts(trials, "Down")["equilibrium_intervals"] == 3


def test_decimals_follow_the_interval():
    for width, places in ((1, 3), (10, 2), (100, 1), (5000, 0)):
        assert kind_of(IntervalGame(0, width, {"b": 1})).places == places
    words = patterns.words_of(SLIDER)
    assert (words["sender"].drift, words["receiver"].sign) == ("exaggeration", -1)
