"""The report on policies, its figures, and the section of an analysis."""

import json
from dataclasses import replace

import pytest
from matplotlib.figure import Figure
from pages import Page
from synthetic import small_trials, synthetic_fit

from trustbayes import Audit, Policy, Strength, counterfactual, model, trials_from_frame
from trustbayes.games import Feedback, FiniteGame
from trustbayes.report import write_report
from trustbayes.report.figures import policies as figures
from trustbayes.report.studies import study_report
from trustbayes.simulation.policies import unseen

TRIALS = small_trials()
POLICIES = [
    Policy("<b>a fine</b>", audit=Audit(0.5, 20.0), cost=1.0,
           frontier=Strength("audit.fine", 0.0, 50.0, 0.1)),
    Policy("a guarantee", shift={"trust": 1.0}, cost=0.5),
]  # fmt: skip


@pytest.fixture
def found(monkeypatch):
    """With the check, on random numbers in the place of fits."""

    def made(tasks, folder, executor, progress):
        for at, task in enumerate(tasks):
            yield at, synthetic_fit(task.model, task.trials, at, 1, 10)

    monkeypatch.setattr(unseen, "iter_fits", made)
    fits = [
        synthetic_fit(model("trust-embedded", role), TRIALS, draws=10)
        for role in ("sender", "receiver")
    ]
    return counterfactual(*fits, POLICIES, seed=1, check=TRIALS)


def test_the_report_says_everything_and_only_as_text(found, tmp_path):
    written = study_report(found, tmp_path / "policy.html", "trustbayes policy ...")
    text = written.html.read_text("utf-8")
    page = Page(text)
    assert any("What would build trust? " in heading for heading in page.headings)
    assert "<b>a fine</b>" not in text
    assert "&lt;b&gt;a fine" in text
    for sentence in found.held:
        assert sentence[:40] in text
    names = {row[0] for row in page.rows if row}
    assert {"<b>a fine</b>", "a guarantee", "as it is", "sender", "receiver"} <= names
    images = page.all("img")
    assert len(images) == 3  # effects, frontier, check: none failed to be drawn
    numbers = json.loads(written.results.read_text("utf-8"))
    assert len(numbers["effects"]) == len(found.effects)
    assert numbers["command"] == "trustbayes policy ..."


def test_without_the_check_the_report_says_that_there_was_none(tmp_path):
    fits = [
        synthetic_fit(model("level-k", role), TRIALS, draws=4) for role in ("sender", "receiver")
    ]
    told = counterfactual(*fits, [Policy("less conflict", game={"bias": 0.1})], seed=1)
    text = study_report(told, tmp_path / "policy.html").html.read_text("utf-8")
    assert "No treatment was left out" in text


def test_the_report_of_an_analysis_has_the_section_when_policies_are_given(
    found, make_analysis, undrawn, tmp_path
):
    without = make_analysis()
    for analysis, count in ((without, 0), (replace(without, policies=found), 1)):
        written = write_report(analysis, tmp_path / f"{count}.html")
        text = written.html.read_text("utf-8")
        assert text.count("What would build trust? ") == count
        told = json.loads(written.results.read_text("utf-8"))["policies"]
        assert (told is not None) == bool(count)
    assert len(told["costs"]) == len(found.costs)


def test_figures_say_what_they_show(found):
    assert isinstance(figures.effects_figure(found), Figure)
    costs = found.costs[found.costs["treatment"] == "all"].set_index("policy")
    best = costs["break_even"].idxmax()
    gains = costs["lower"] > 0
    words = figures.effects_says(found)
    assert ("most by " in words) == bool(gains.any())
    if gains.any():
        assert f"most by {best}" in words
    [one] = found.frontiers
    said = figures.frontier_says(one, 0.9)
    assert "audit.fine = " in said
    assert ("an end of the range" in said) == (one.best in (0.0, 50.0))
    panels = figures.unseen_figure(found.unseen).axes
    assert [panel.get_title() for panel in panels] == [
        "trust-embedded, senders",
        "trust-embedded, receivers",
    ]


def test_most_is_said_only_of_a_policy_that_gains_for_sure(found):
    effects = found.effects.copy()
    both = (effects["outcome"] == "payoff") & (effects["party"] == "both")
    columns = ["difference_lower", "difference", "difference_upper"]
    for policy, numbers in zip(POLICIES, ((-5.0, 9.0, 20.0), (1.0, 2.0, 3.0)), strict=True):
        effects.loc[both & (effects["policy"] == policy.name), columns] = numbers
    words = figures.effects_says(replace(found, effects=effects))
    assert "gain by a guarantee, most by a guarantee (2.00)" in words


def test_paths_are_drawn_where_people_learn(tmp_path):
    game = FiniteGame([1, 2, 3], treatments={"Low": 0.5, "High": 1.0}, feedback=Feedback("state"))
    trials = trials_from_frame(TRIALS.table, game)
    fits = [
        synthetic_fit(model("trust-embedded", role, game, learning="shift"), trials, draws=4)
        for role in ("sender", "receiver")
    ]
    blind = Policy("blind", feedback="none")
    told = counterfactual(*fits, [blind], seed=1, rounds=3)
    assert len(figures.paths_figure(told, "trust", "receiver").axes) == 2
    said = figures.paths_says(told, "trust", "receiver")
    rows = told.effects[(told.effects["outcome"] == "trust") & (told.effects["policy"] == "blind")]
    first = rows.loc[rows["round"] == 1, "mean"].mean()
    assert f"blind from {first:.3f}" in said
    text = study_report(told, tmp_path / "p.html").html.read_text("utf-8")
    assert "Round by round" in text
    assert "could not be drawn" not in text
