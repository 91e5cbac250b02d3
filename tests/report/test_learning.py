"""How reports say that trust moves."""

import re

import pandas as pd
import pytest
from priorfit import prior_fit

import trustbayes as tb
from trustbayes.analysis.learning import learning_of
from trustbayes.comparison.compare import compare
from trustbayes.report.first_page import front_page
from trustbayes.report.learning import (
    _check_table,
    _effect_says,
    _since_says,
    learning_results,
    learning_section,
    moves,
)
from trustbayes.report.material import Material
from trustbayes.report.results import results

SURE = {"response_precision": tb.Prior("Gamma", mean=6.0, shape=9.0)}
MOVED = {
    "memory": tb.Prior("LogitNormal", mu=2.0, sigma=0.1),
    "gain_good": tb.Prior("Normal", mu=0.2, sigma=0.05),
    "gain_bad": tb.Prior("Normal", mu=0.6, sigma=0.05),
    "trust": tb.Prior("LogitNormal", mu=0.5, sigma=1.0),
}
GIVEN = {
    ("trust-embedded", "sender"): tb.TrustEmbedded("sender", learning="delta"),
    ("level-k", "sender"): tb.LevelK("sender", learning="depth"),
    ("trust-embedded", "receiver"): tb.TrustEmbedded(
        "receiver", learning="shift", priors={**SURE, **MOVED}
    ),
    ("level-k", "receiver"): tb.LevelK("receiver"),
}


@pytest.fixture(scope="module")
def trials():
    data = tb.bundled("simulated-learning")
    whole = tb.read_trials(data.trials, data.game)
    keep = whole.table["sender"].isin(whole.subjects("sender")[:6]) & (whole.table["round"] < 16)
    return tb.trials_from_frame(whole.table[keep].copy(), whole.game)


@pytest.fixture(scope="module")
def learnt(analyse_made_up, trials):
    """An analysis of made-up numbers, with people who learn in the place of three of the fits."""
    made = analyse_made_up(trials, ("trust-embedded", "level-k"))
    fits = {key: prior_fit(model, trials, tb.Sampling()) for key, model in GIVEN.items()}
    comparisons = {
        role: compare(
            [fit for (_, of), fit in fits.items() if of == role], ("subject", "trial"), 60
        )
        for role in trials.roles
    }
    variants = pd.DataFrame(
        {
            "role": ["receiver", "receiver"],
            "model": "trust-embedded",
            "learning": ["none", "shift"],
            "lead": [0.0, 12.5],
            "lead_error": [0.0, 4.0],
            "used": [False, True],
        }
    )
    learning = learning_of(trials, fits, made.fits, comparisons, variants, 1, 0.9)
    found = {**vars(made), "fits": fits, "comparisons": comparisons, "learning": learning}
    return type(made)(**found)


def test_every_model_is_checked_and_learners_beside_their_static_selves(learnt):
    receivers = learnt.learning["receiver"]
    assert set(receivers.checks) == {"trust-embedded", "level-k"}
    assert set(receivers.static) == set(receivers.after) == {"trust-embedded"}
    assert set(learnt.learning["sender"].static) == {"trust-embedded", "level-k"}
    assert receivers.gain[["learning", "gain", "error"]].to_numpy().tolist() == [
        ["shift", 12.5, 4.0]
    ]


def test_the_section_draws_all_its_pictures(learnt, monkeypatch):
    found = results(learnt)
    passed = ["trust-embedded", "level-k"]  # as if they had passed the gate
    monkeypatch.setattr("trustbayes.report.learning.ranked", lambda *_: passed)
    section = learning_section(Material(learnt, found))
    pictures = [*section.pictures, *(each for part in section.parts for each in part.pictures)]
    assert [each.error for each in pictures if each.error] == []
    names = {each.name for each in pictures}
    assert {"one-lie", "news-receiver", "since-sender", "rounds-receiver"} <= names
    assert not re.search(r"\bnan\b|None", section.words)
    assert "half of that" in section.pictures[0].message
    for part in section.parts:
        assert "nats" in part.texts[0] or "not tried" in part.texts[0]


def test_where_nothing_can_be_compared_models_neither_hit_nor_miss(learnt):
    numbers = learning_results(learnt)["receiver"]
    titles = {name: name for name in ("trust-embedded", "level-k")}
    for check in numbers["checks"]:
        inside = None if check["model"] == "level-k" else False
        for row in (*check["after"], *check["since"]):
            row["inside"] = inside
    said = _effect_says(numbers, "receiver", ["level-k"], titles)
    assert "level-k never replicates what could be held against it" in said
    assert "misses it in" in _effect_says(numbers, "receiver", ["trust-embedded"], titles)
    assert "level-k 0 of 0" in _since_says(numbers, ["level-k"], titles)
    rows = _check_table(numbers, titles, "receiver").rows
    assert {row[0]: row[-1] for row in rows} == {
        "level-k": "–",
        "trust-embedded": "NO",
        "trust-embedded, static": "NO",
    }


def test_the_first_page_says_how_trust_moves_if_learning_is_ahead(learnt, undrawn, monkeypatch):
    found = results(learnt)
    best = {"receiver": ["trust-embedded"], "sender": []}
    monkeypatch.setattr("trustbayes.report.learning.ranked", lambda _, role: best[role])
    said = moves(found, "receiver")
    [fall] = found["learning"]["receiver"]["after"]["trust-embedded"]["fall"]
    assert f"lower by {100 * fall['depth']:.0f} percentage points" in said
    assert "Bad news moves it more than good" in said
    assert "12.5 nats, 3.1 standard errors" in said
    assert moves(found, "sender") == ""
    senders, receivers = front_page(learnt, found).cards
    assert [text for name, _, text in receivers.more if name == "moves"] == [said]
    assert "moves" not in {name for name, *_ in senders.more}
    monkeypatch.setattr("trustbayes.report.learning.ranked", lambda *_: ["level-k"])
    assert moves(found, "receiver") == ""  # who does not learn is ahead


def test_without_feedback_there_is_no_section(analysis):
    assert learning_section(Material(analysis, results(analysis))) is None
