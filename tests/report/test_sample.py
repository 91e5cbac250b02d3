"""The sample report is of the bundled data, and says what today's code makes of its numbers.

`make sample` makes both of its files anew.
"""

import json
from pathlib import Path

import pytest
from pages import Page

from trustbayes.report.answer import answer, in_short
from trustbayes.report.first_page import replications
from trustbayes.report.page.wording import interval, number
from trustbayes.trials.datasets import bundled
from trustbayes.trials.table import read_trials

REPORTS = Path(__file__).resolve().parents[2] / "reports"
NUMBERS = REPORTS / "sample.json"


@pytest.fixture(scope="module")
def found():
    return json.loads(NUMBERS.read_text("utf-8"))


@pytest.fixture(scope="module")
def page():
    return Page((REPORTS / "sample.html").read_text("utf-8"))


def test_the_sample_is_of_the_bundled_data(found):
    data = bundled("simulated-finite")
    assert found["how"]["data_checksum"] == read_trials(data.trials, data.game).checksum


def test_the_first_page_of_the_sample_is_what_today_is_made_of_its_numbers(found, page):
    for place, role in enumerate(found["verdict"]):
        said = answer(found, role)
        assert page.answers["people"][place] == said.people
        assert page.answers["wins"][place] == said.wins
        assert page.answers["sure"][place].endswith(said.sure)
        assert page.answers["typical"][place].endswith(said.typical)


def test_the_headings_of_the_sample_are_what_today_is_made_of_its_numbers(found, page):
    headings = " ".join(page.headings)
    for role in found["verdict"]:
        said = answer(found, role)
        for text in (said.people, said.wins, in_short(said.typical)):
            assert text.removesuffix(".") in headings
        title, held, size = replications(found, role)[0]
        assert f"{title} reproduces {held} of {size} patterns of {role}s" in headings


def test_the_tables_of_the_sample_hold_its_numbers(found, page):
    rows = [tuple(row) for row in page.rows]
    for row in found["population"]:
        shown = (number(row["mean"]), interval(*row["interval"]))
        assert any(one[4:6] == shown for one in rows)
    for row in found["comparison"]:
        assert any(number(row["elpd"]) in one and number(row["se"]) in one for one in rows)
