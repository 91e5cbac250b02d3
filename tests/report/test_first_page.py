"""The first page of reports on every kind of data, and the headings after it."""

import re
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from advice import advised
from pages import Page

from trustbayes.comparison import verdict
from trustbayes.games import read_game
from trustbayes.inference.gate import INTEGRATION, INTEGRATION_ERROR, Check, Gate
from trustbayes.report import results, write_report
from trustbayes.report.answer import answer, group_shares, in_short
from trustbayes.report.figures import first
from trustbayes.report.first_page import replications
from trustbayes.report.games.registry import kind_of
from trustbayes.report.page import picture
from trustbayes.report.page.style import Encoded, style
from trustbayes.report.page.wording import percent
from trustbayes.trials.datasets import bundled

FIVE = ("people", "wins", "sure", "typical", "rely")
"""By how much in people, who wins, how sure, what a typical person does, can I rely on it."""


KINDS = (
    "both", "no verdict", "senders", "receivers", "no treatments", "hostile labels", "one", "types",
    "forecasts", "recommendations", "approximations", "rough scores",
)  # fmt: skip


NAMES, SMALL = ["trust-embedded", "level-k"], {"subjects": 2, "rounds": 3}


def inexact(whole, key):
    """The same, but the integration over people of one fit misses."""
    one = replace(whole.fits[key])
    one.__dict__["gate"] = Gate((Check(INTEGRATION, 0.12, INTEGRATION_ERROR, True),))
    fits = whole.fits | {key: one}
    of_role = [fit for (_, role), fit in fits.items() if role == key[1]]
    made = verdict(whole.comparisons[key[1]], of_role)
    return replace(whole, fits=fits, verdicts=whole.verdicts | {key[1]: made})


def rough(whole):
    """The same, but importance sampling says little of the first sender, and of nobody else."""
    comparisons = {}
    for role, held in whole.comparisons.items():
        scores = dict(held.scores["subject"])
        for name, one in scores.items():
            first = (np.arange(one.elpd.size) == 0) & (role == "sender")
            scores[name] = replace(one, pareto_k=np.where(first, 2.0, 0.1))
        comparisons[role] = replace(held, scores=dict(held.scores) | {"subject": scores})
    return replace(whole, comparisons=comparisons)


@pytest.fixture(scope="module")
def plain(make_analysis):
    return make_analysis(names=NAMES, **SMALL)


@pytest.fixture(scope="module", params=KINDS)
def page(request, plain, make_analysis, analyse_made_up, spoil, tmp_path_factory):
    """The report of every kind of data, its figures not drawn."""
    kind, whole = request.param, plain
    treatments = {"hostile labels": {"<b onclick=x>$": 0.5}, "no treatments": {"all": 0.5}}.get(
        kind
    )
    if kind == "recommendations":
        with np.errstate(over="ignore", invalid="ignore"):  # made-up draws: weights beyond bounds
            whole = analyse_made_up(advised(people=3, rounds=6), ["trust-embedded", "average"])
    elif kind == "forecasts":
        whole = make_analysis(kind="forecast-sharing", names=NAMES, **SMALL)
    elif kind == "one":
        whole = make_analysis(names=NAMES[:1], **SMALL)
    elif kind == "types":
        whole = make_analysis(names=[*NAMES, "mixture", "babbling"], **SMALL)
    elif treatments:
        whole = make_analysis(names=NAMES, treatments=treatments, **SMALL)
    elif kind in ("senders", "receivers"):
        whole = analyse_made_up(plain.trials.of_role(kind.removesuffix("s")), NAMES)
    elif kind == "no verdict":
        whole = spoil(whole, ("level-k", "sender"))
    elif kind == "approximations":
        whole = inexact(whole, ("level-k", "sender"))
    elif kind == "rough scores":
        whole = rough(whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picture, "encode", lambda draw: Encoded("data:,", 1, 1))
        path = tmp_path_factory.mktemp("kinds") / "report.html"
        text = write_report(whole, path).html.read_text("utf-8")
    return kind, whole, Page(text)


def test_five_answers_stand_on_the_first_page_of_every_kind_of_data(page):
    _, whole, parsed = page
    roles = list(whole.comparisons)
    for name in FIVE:
        answers = parsed.answers[name]
        assert len(answers) == (1 if name == "rely" else len(roles))
        assert all(len(text.split()) > 5 for text in answers)
        assert not any("nan" in text.split() or "{" in text for text in answers)


def test_the_first_page_says_what_the_results_say(page):
    _, whole, parsed = page
    found = results(whole)
    for place, role in enumerate(whole.comparisons):
        said = answer(found, role)
        assert parsed.answers["people"][place] == said.people
        assert parsed.answers["wins"][place] == said.wins
        for group in group_shares(found, role):
            exact = f"{group.count} of {group.total}" if group.total else percent(group.share)
            assert group.total == 1 or exact in said.people
        for title, held, size in replications(found, role)[:1]:
            assert f"{title} reproduces {held} of {size} pattern" in parsed.answers["rely"][0]


def test_what_is_missing_is_said_where_nothing_is_named(page):
    kind, whole, parsed = page
    named = [one.winner for one in whole.verdicts.values()]
    notes = [attrs for tag, attrs in parsed.tags if attrs.get("class") == "note"]
    assert len(notes) >= sum(winner is None for winner in named)
    if kind == "approximations":
        for name in ("wins", "rely"):
            assert "was not computed exactly enough" in parsed.answers[name][0]
        assert "integration error, sd 0.1200" in parsed.answers["sure"][0]
    if kind == "rough scores":
        assert "How well 1 person is predicted is unreliable." in parsed.answers["rely"][0]
    if kind == "no verdict":
        assert "did not converge" in parsed.answers["wins"][0]
        assert "did not converge" in parsed.answers["rely"][0]


def test_headings_and_first_sentences_carry_the_argument(page):
    _, whole, parsed = page
    said = " ".join(parsed.headings)
    assert "converge" in said
    assert "reproduces" in said or not any(fit.gate.passed for fit in whole.fits.values())
    for place, role in enumerate(whole.comparisons):
        found = answer(results(whole), role)
        for text in (found.people, found.wins):
            assert text.removesuffix(".") in said
        assert in_short(found.typical) in said
        assert not re.search(r"\(\S+ to \S+\)", in_short(found.typical))
        assert parsed.answers["wins"][place] == found.wins


def test_the_first_page_stands_in_a_notebook(plain, undrawn):
    shown = plain._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    inside = Page(shown).all("iframe")[0]["srcdoc"]
    assert set(FIVE) <= set(Page(str(inside)).answers)
    assert not Page(str(inside)).sections
    other = replace(plain, ci_prob=0.8)
    assert "80" in str(Page(other._repr_html_()).all("iframe")[0]["srcdoc"])


def test_the_question_is_that_of_the_kind_of_game():
    talk, advice = (
        kind_of(read_game(bundled(name).game)).questions
        for name in ("simulated-finite", "simulated-recommendation")
    )
    assert "think a few steps ahead" in talk["receiver",]
    assert list(advice) == [("receiver",)]
    assert "steps ahead" not in advice["receiver",]


def test_headings_of_the_sections_are_sentences_with_the_results_numbers(page):
    kind, whole, parsed = page
    said = " ".join(parsed.headings)
    if kind == "both":
        found = results(whole)
        for role in whole.comparisons:
            word = {"sender": "exaggeration", "receiver": "discount"}[role]
            assert f"he mean {word} of {role}s goes from " in said
        shift = whole.trials.table.eval("message - action").groupby(whole.trials.table["treatment"])
        for value in shift.mean():  # a discount is what an action lacks, above 0 if it is lower
            assert re.search(rf"discount of receivers goes from .*{value:.2f} in", said)
        assert found["variants"]
        parts = " ".join(parsed.parts)
        known = whole.recovery[whole.recovery["identified"].astype(bool)]
        held = f"hold {int(known['covered'].sum())} of {len(known)} planted values"
        assert f"90\N{NO-BREAK SPACE}% intervals {held}" in parts
        assert "No theory predicts clearly better by other conventions than its defaults" in parts


@pytest.mark.parametrize("treatments", [1, 4, 12, 30])
def test_letters_of_trust_by_treatment_neither_shrink_nor_overlap(treatments):
    """Pages show pictures at one height: a tall one has small letters."""
    columns = [f"{of}{end}" for of in ("expected", "given") for end in ("", "_lower", "_upper")]
    numbers = dict.fromkeys(columns, np.full(treatments, 0.5))
    gap = pd.DataFrame({"treatment": [f"treatment {i}" for i in range(treatments)], **numbers})
    with style():
        figure = first.trust(SimpleNamespace(gap=gap))
        figure.draw_without_rendering()
        boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    if treatments <= 12:
        assert figure.get_figheight() <= first.WIDTH
    assert len(boxes) == treatments
    for above, below in pairwise(boxes):
        assert below.y1 < above.y0
