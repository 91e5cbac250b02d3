"""Whatever the data hold and whatever fails, a report is whole and honest, or not there."""

import json
import re

import pytest
from pages import Page

from trustbayes.errors import InputError
from trustbayes.games import Market
from trustbayes.report import write as building, write_report
from trustbayes.report.figures import evidence
from trustbayes.report.games.continuous import raw as raw_forecast
from trustbayes.report.games.finite import raw as raw_finite

LABELS = ("<script>alert(1)</script>", "$x$ & \\frac{1}", "very long label" + " again" * 30)
HOSTILE = {
    "finite": dict(zip(LABELS, (0.5, 1.0, 1.5), strict=True)),
    "forecast-sharing": {label: Market(15.0, 25.0) for label in LABELS},
    "interval": dict(zip(LABELS, (0.5, 10.0, -150.0), strict=True)),
}


@pytest.fixture(scope="module", params=list(HOSTILE))
def hostile(request, make_analysis, tmp_path_factory):
    treatments, names = HOSTILE[request.param], ["trust-embedded"]
    analysis = make_analysis(
        kind=request.param, treatments=treatments, subjects=2, rounds=3, names=names
    )
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    return write_report(analysis, path, "<b onclick=x>")


def test_labels_from_the_data_are_escaped(hostile):
    text = hostile.html.read_text("utf-8")
    parsed = Page(text)
    assert not parsed.all("script")
    assert not parsed.all("b")
    assert "&lt;script&gt;" in text
    assert any("<script>alert(1)</script>" in cell for row in parsed.rows for cell in row)


def test_labels_from_the_data_break_no_figure(hostile):
    assert "could not be drawn" not in hostile.html.read_text("utf-8")


def test_one_model_alone_has_no_winner(hostile):
    verdicts = json.loads(hostile.results.read_text("utf-8"))["verdict"]
    assert [one["winner"] for one in verdicts.values()] == [None, None]


@pytest.mark.usefixtures("undrawn")
def test_a_figure_that_fails_shows_as_a_box(analysis, tmp_path, monkeypatch, caplog):
    def broken(*arguments: object) -> str:
        raise RuntimeError("no <ink>")

    monkeypatch.setattr(raw_finite, "heat_maps_says", broken)
    monkeypatch.setattr(raw_forecast, "scatter_says", broken)
    text = write_report(analysis, tmp_path / "report.html").html.read_text("utf-8")
    assert text.count("This figure could not be drawn.") == 2
    assert "RuntimeError: no &lt;ink&gt;" in text
    assert caplog.text.count("RuntimeError: no <ink>") == 2
    assert Page(text).sections[-1] == "9 How it was made"


@pytest.mark.usefixtures("undrawn")
def test_without_convergence_no_winner_is_named(analysis, spoil, tmp_path):
    spoiled = spoil(analysis, ("level-k", "sender"))
    written = write_report(spoiled, tmp_path / "report.html")
    found = json.loads(written.results.read_text("utf-8"))
    assert found["verdict"]["sender"]["winner"] is None
    gate = {(one["model"], one["role"]): one["passed"] for one in found["gate"]}
    assert [key for key, passed in gate.items() if not passed] == [("level-k", "sender")]
    text = written.html.read_text("utf-8")
    assert "No verdict on senders" in text
    assert "FAILED" in text
    senders = text.split('<section id="comparison-sender">')[1]
    senders = senders.split('<section id="comparison-receiver">')[0]
    for claim in ("predicts senders best", "first for senders", "Senders: Trust-embedded has"):
        assert claim not in text
    assert not re.search(r"predicts \d+ of", senders)
    assert 'id="person-by-person-sender"' not in text
    assert 'id="person-by-person-receiver"' in text
    assert evidence.differences_says(spoiled, "sender").startswith("Senders: no ranking")


def test_a_report_that_fails_leaves_no_file(analysis, tmp_path, monkeypatch):
    def broken(*arguments: object) -> None:
        raise RuntimeError("no paper")

    monkeypatch.setattr(building, "sections", broken)
    with pytest.raises(RuntimeError, match="no paper"):
        write_report(analysis, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("undrawn")
def test_a_report_that_cannot_be_written_leaves_the_old_one(analysis, tmp_path, monkeypatch):
    old = tmp_path / "report.html"
    old.write_text("old")
    (tmp_path / "report.json").mkdir()  # in the way of the second file
    with pytest.raises(InputError, match="a file that can be written"):
        write_report(analysis, old)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "report.json"]
