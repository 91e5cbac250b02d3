"""The part on people in both roles, from made-up numbers."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from trustbayes.comparison import BothRoles
from trustbayes.report.both_roles import both_results, both_section, both_sentence
from trustbayes.report.figures.both_roles import both_sides

NAMES = ("trust-embedded", "level-k")


def made_up_both(centre, people=5):
    rng = np.random.default_rng(1)
    line = np.linspace(-0.97, 0.97, 98)
    density = np.exp(-0.5 * ((line - centre) / 0.1) ** 2)
    table = pd.DataFrame({"subject": [f"p{i}" for i in range(people)]})
    for name, top in (("sender", 2.0), ("receiver", 0.5)):
        table[name] = rng.uniform(0.2, 0.9, people) * top
        table[f"{name}_lower"], table[f"{name}_upper"] = table[name] * 0.8, table[name] * 1.1
    scores = pd.DataFrame({"subject": table["subject"], "joint": -10.0, "separate": -11.5})
    return BothRoles(
        sender="lying_aversion",
        receiver="trust",
        models=("trust-embedded", "trust-embedded"),
        correlation=line,
        density=density / density.sum(),
        people=table,
        scores=scores.assign(pareto_k=0.1),
        bayes_factor=40.0,
        pareto_k=0.2,
        draws=900.0,
        good_k=0.7,
        ci_prob=0.9,
        pairs=pd.DataFrame({"sender": [0], "receiver": [0], "weight": [1.0]}),
    )


@pytest.fixture(scope="module")
def whole(make_analysis):
    persons = pd.DataFrame(
        [("trust-embedded", -20.0, 2.0, 0.0, 0.0), ("level-k", -25.0, 2.0, -5.0, 1.5)],
        columns=["model", "elpd", "se", "elpd_diff", "dse"],
    )
    return replace(make_analysis(names=NAMES), both=made_up_both(0.5), persons=persons)


@pytest.mark.parametrize(
    ("centre", "says"),
    [
        (0.5, "People of more lying aversion have more trust: correlation 0.50"),
        (-0.5, "People of more lying aversion have less trust: correlation \N{MINUS SIGN}0.50"),
        (0.02, "Whether people of more lying aversion have more or less trust is not settled"),
    ],
)
def test_the_sentence_follows_from_the_correlation(whole, centre, says):
    said = both_sentence(whole, made_up_both(centre))
    assert said.startswith("Do the trustworthy trust? ")
    assert says in said


def test_the_section_holds_its_numbers(whole):
    found = {"both_roles": both_results(whole)}
    json.dumps(found, allow_nan=False)
    section = both_section(whole, whole.both, found, dict(zip(NAMES, NAMES, strict=True)))
    assert "40" in section.texts[1]
    assert "by 7.5 nats" in section.texts[1]
    assert "900 independent draws" in section.texts[0]
    assert [row[0] for row in section.tables[0].rows] == ["trust-embedded", "level-k"]
    assert not section.notes
    doubtful = replace(whole.both, pareto_k=0.9)
    assert (
        "Not to be relied on"
        in both_section(whole, doubtful, found, {n: n for n in NAMES}).notes[0]
    )


def test_the_figure_shows_payoff_units(whole):
    [panel] = both_sides(whole, whole.both).axes
    factor = whole.trials.game.lying_unit
    points = panel.lines[-1] if panel.lines else None
    assert points is not None
    np.testing.assert_allclose(points.get_xdata(), whole.both.people["sender"] * factor)
    np.testing.assert_allclose(points.get_ydata(), whole.both.people["receiver"])
    assert "payoff units" in panel.get_xlabel()
