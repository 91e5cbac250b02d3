"""The report in a real browser: no console error, no request beyond its own file."""

import pytest

from trustbayes.report import write_report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def opened(of_site):
    return of_site("browser", needs_browser=True).opened


def test_a_page_that_asks_and_complains_is_caught(opened, tmp_path):
    path = tmp_path / "bad.html"
    path.write_text(
        '<!DOCTYPE html><img src="http://nowhere.invalid/x.png">'
        "<script>console.error('complaint')</script>"
    )
    _, console, asked = opened(path)
    assert len(console) == 1
    assert "complaint" in console[0]
    assert set(asked) == {"http://nowhere.invalid/x.png"}


def test_the_report_asks_for_nothing_and_does_not_complain(opened, make_analysis, tmp_path):
    made = make_analysis(names=["trust-embedded", "level-k"])
    path = write_report(made, tmp_path / "report.html").html
    document, console, asked = opened(path)
    assert "How it was made" in document
    assert console == []
    assert asked == []
