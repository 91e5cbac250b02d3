"""The report on several experiments: the answer first, everything as text, links beside it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pages import Page
from several import made_up_study

from trustbayes.inference.gate import Gate
from trustbayes.pooling.verdicts import pooled_verdict
from trustbayes.report.figures import pooled as figures
from trustbayes.report.page.wording import number, percent
from trustbayes.report.studies import study_report


@pytest.fixture(scope="module")
def found():
    return made_up_study()


def test_the_report_says_everything_and_only_as_text(found, tmp_path):
    links = {"second": "single/two & more.html"}
    written = study_report(found, tmp_path / "study.html", "trustbayes pool s.toml", links)
    text = written.html.read_text("utf-8")
    page = Page(text)
    for part in (
        "The experiments",
        "Over all experiments",
        "What people are like",
        "What carries over",
        "Convergence",
    ):
        assert any(part in heading for heading in page.headings), part
    ids = [attrs["id"] for _, attrs in page.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    regions = [attrs["aria-label"] for _, attrs in page.tags if attrs.get("role") == "region"]
    assert len(regions) == len(set(regions))
    assert "<b>first</b>" not in text
    assert "&lt;b&gt;first" in text
    assert "Somebody &amp; others" in text
    assert '<a href="single/two &amp; more.html">second</a>' in text
    assert "No verdict on receivers" in text
    assert "2 experiments say little about how much experiments differ" in text
    numbers = json.loads(written.results.read_text("utf-8"))
    assert numbers["command"] == "trustbayes pool s.toml"
    assert numbers["experiments"][0]["citation"] == "Somebody & others (2011)"
    assert {"pooled mean", "second"} <= {row["of"] for row in numbers["parameters"]}


def test_pictures_have_what_their_sentences_say(found):
    leads = figures.leads_figure(found)
    labels = [tick.get_text() for tick in leads.axes[0].get_yticklabels()]
    assert labels == ["<b>first</b>", "second", "All together"]
    assert "over 2 experiments" in figures.leads_says(found)
    drawn = figures.parameters_figure(found)
    titles = [axes.get_title() for axes in drawn.axes]
    assert titles[0] == "Trust-embedded, receivers\ntrust α"
    assert "Trust α (Trust-embedded, receivers)" in figures.parameters_says(found)
    assert "Intervals: 90" in figures.parameters_says(found)
    # The forest plot's points are the table's.
    rows = figures.located(found)[0]
    pooled = rows[rows["of"] == "second"].iloc[0]
    held = np.concatenate([np.ravel(line.get_xdata()) for line in drawn.axes[0].lines])
    assert np.isclose(held, pooled["median"]).any()
    assert "worse than by the others" in figures.losses_says(found)
    assert len(figures.losses_figure(found).axes) == 1


def test_the_answer_is_there_when_fits_have_converged(found, tmp_path):
    fits = {key: replace(one) for key, one in found.fits.items()}
    for one in fits.values():
        one.__dict__["gate"] = Gate(())
    scores = found.of_people("receiver")
    verdict = pooled_verdict(scores, "receiver", found.titles)
    left_out = found.of_new_experiments("receiver")
    carried = pooled_verdict(left_out, "receiver", found.titles)
    good = replace(
        found, fits=fits, verdicts={"receiver": verdict}, carries_over={"receiver": carried}
    )
    written = study_report(good, tmp_path / "good.html")
    text = written.html.read_text("utf-8")
    assert verdict.text.split(":")[0] in text
    # The five answers, and their numbers those beside the page.
    answers, numbers = Page(text).answers, json.loads(written.results.read_text("utf-8"))
    of_role = numbers["roles"]["receiver"]
    best, rival = (good.titles[name] for name in (verdict.best, verdict.rival))
    assert best in answers["wins"][0]
    ahead = sum(row["difference"] > 0 for row in of_role["leads"] if row["other"] == verdict.rival)
    assert f"ahead in {ahead} of 2 experiments" in answers["wins"][0]
    counts = [n for n in of_role["predicted_best"].values() if n]
    assert sum(counts) == 8
    for count in counts:
        assert f"({count} of 8)" in answers["people"][0]
    assert f"leads by {verdict.lead / verdict.error:.1f} standard errors" in answers["sure"][0]
    assert f"it is {number(verdict.lead)} nats" in answers["sure"][0]
    trust = next(
        row for row in numbers["parameters"]
        if (row["parameter"], row["of"]) == ("trust", "pooled mean")
    )  # fmt: skip
    assert (
        f"a weight of {percent(trust['median'])} ({percent(trust['lower'])} to"
        in (answers["typical"][0])
    )
    assert "2 experiments say little" in answers["rely"][0]
    gaps = [
        left_out[carried.best][name].sum() - left_out[carried.rival][name].sum()
        for name in found.study.names
    ]
    ahead = sum(gap > 0 for gap in gaps)
    assert f"is ahead in {ahead} of 2 experiments" in answers["carried"][0]
    assert found.titles[carried.rival] in answers["carried"][0]
    assert rival in answers["wins"][0]
    if verdict.winner is None:
        assert "too close" in answers["wins"][0]
        assert "Add experiments, or people to them" in text


def test_without_convergence_the_five_answers_say_what_is_missing(found, tmp_path):
    answers = Page(study_report(found, tmp_path / "no.html").html.read_text("utf-8")).answers
    assert answers["wins"][0].startswith("No verdict on receivers: ")
    assert answers["people"][0].startswith("How many receivers act by which theory cannot be said")
    assert "Nothing is sure before" in answers["sure"][0]
    assert "What a typical receiver does is not said" in answers["typical"][0]
    assert "did not pass the gate" in answers["rely"][0]
