"""The report on several experiments: the answer first, everything as text, links beside it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pages import Page
from priorfit import prior_fit
from synthetic import small_trials

import trustbayes.inference.tasks as manyfits
from trustbayes.inference.gate import Gate
from trustbayes.inference.sampling import Sampling
from trustbayes.pooling.pool import pool
from trustbayes.pooling.study import Study, StudyExperiment
from trustbayes.pooling.verdicts import pooled_verdict
from trustbayes.report.figures import pooled as figures
from trustbayes.report.studies import study_report

SAMPLING = Sampling(draws=100, tune=60, chains=2, seed=4, method="nuts")


@pytest.fixture(scope="module")
def found():
    """Random play and priors in the place of fits, which makes every interval wide."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manyfits, "fit", prior_fit)
        experiments = [
            StudyExperiment("<b>first</b>", small_trials(1), 2011, "Somebody & others (2011)"),
            StudyExperiment("second", small_trials(2), covariates={"stakes": 12.0}),
        ]
        study = Study(experiments, models=["trust-embedded", "full-trust"], roles=["receiver"])
        return pool(study, sampling=SAMPLING, progress=False)


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
    good = replace(found, fits=fits, verdicts={"receiver": verdict})
    page = study_report(good, tmp_path / "good.html").html.read_text("utf-8")
    assert verdict.text.split(":")[0] in page
