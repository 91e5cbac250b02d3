"""The form of a page: one message a section, the rest folded, terms explained where they appear."""

import re

from pages import Page

from trustbayes.report.page.front import Card, Caution, Front
from trustbayes.report.page.glossary import TERMS, first_uses
from trustbayes.report.page.page import page_of
from trustbayes.report.page.section import Section
from trustbayes.report.page.table import table

FRONT = Front(
    "Why?",
    [Card("Senders", [("people", "All lie.")], [("sure", "How sure", "By 9 nats.")], "Ask again.")],
    [],
    [Caution("The sample", "two people.", "data", False)],
)
DATA = Section(
    "data",
    "The data",
    "They are few",
    texts=["First.", "Second, of R-hat."],
    items=["a point"],
    notes=["a warning"],
    tables=[table("A table.", "what|n", [("x", "1")])],
    code=["copy me"],
    parts=[Section("part", "A part", texts=["Only this."])],
)


def folded(page: str) -> str:
    """All that is in folds."""
    return " ".join(re.findall(r"<details>.*?</details>", page, flags=re.S))


def test_a_section_has_its_message_open_and_the_rest_folded():
    page = page_of("Title", "from x.csv", FRONT, [DATA])
    inside, parsed = folded(page), Page(page)
    assert parsed.sections == ["2 The data"]
    assert "They are few" in parsed.headings
    for text in ("First.", "a point", "a warning", "Only this."):
        assert text in page
        assert text not in inside
    for text in ("Second, of R-hat.", "A table.", "copy me"):
        assert text in inside
    assert "1 table, 1 copyable text and notes" in inside
    # The contents and the section; a part with nothing to fold has no fold.
    assert page.count("<details>") == 2


def test_one_link_and_printing_open_all_folds_without_a_script():
    page = page_of("Title", "", FRONT, [DATA])
    assert 'href="#everything"' in page
    assert '<body id="everything">' in page
    assert "body:target details::details-content" in page
    assert "details::details-content" in page.split("@media print")[1]
    assert "<script" not in page


def test_a_first_page_alone_has_no_contents():
    page = page_of("Title", "", FRONT, [])
    assert "<nav" not in page
    assert Page(page).answers["people"] == ["All lie."]


def test_the_summary_is_the_answer_and_what_to_do():
    assert FRONT.summary == "Senders: All lie. Ask again."


def test_a_term_is_explained_once_where_it_first_appears():
    page = page_of("Title", "", FRONT, [DATA])
    front, rest = page.split('<section id="data">')
    assert front.count("<dfn>nats</dfn>") == 1
    assert "<dfn>nats</dfn>" not in rest
    assert "<dfn>R-hat</dfn>" not in front
    assert rest.count("<dfn>R-hat</dfn>") == 1


def test_every_term_is_found_in_its_own_name():
    plain = {"converge": "converged", "lying aversion β": "lying aversion", "elpd": "elpd"}
    for term, (looks, meaning) in TERMS.items():
        examples = {"interval": "intervals", "trust factor α": "trust factor"}
        text = examples.get(term, plain.get(term, term))
        assert re.search(looks, text), term
        assert meaning.endswith(".")
    assert first_uses([("a", ""), ("b", "a nat")])["b"][0][0] == "nats"
