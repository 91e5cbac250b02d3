"""The verdict's rules, and a k-fold that must agree."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes.comparison import (
    Basis,
    Comparison,
    HeldOut,
    SubjectScores,
    agreement,
    verdict,
    verdict_rules,
)
from trustbayes.comparison.compare import UNITS, compare
from trustbayes.errors import InputError
from trustbayes.inference.gate import Check, Gate
from trustbayes.models import FullTrust, LevelK

TRIALS = small_trials(pairs=6)
BASIS = Basis.of_trials(TRIALS, "receiver")
LABELS = TRIALS.subjects("receiver")
PASSED, FAILED = (Gate((Check("R-hat", value, 1.01, True),)) for value in (1.0, 2.0))


def gated(fit, passed=True):
    """The fit with a gate that says so."""
    made = dataclasses.replace(fit)
    made.__dict__["gate"] = PASSED if passed else FAILED
    return made


FITS = [gated(synthetic_fit(made("receiver"), TRIALS, draws=20)) for made in (LevelK, FullTrust)]
BY_TRIAL = compare(FITS)


def comparing(gap, unit="subject", labels=LABELS):
    """A comparison in which level-k leads full trust by so much for each subject or group."""
    gap = np.asarray(gap, float)
    scores = {
        name: SubjectScores(
            basis=BASIS,
            unit=unit,
            labels=tuple(labels),
            elpd=-20 + part,
            lppd=-19 + part,
            pareto_k=np.zeros(gap.size),
            good_k=0.7,
            error=np.zeros(gap.size),
            draws=40,
        )
        for name, part in (("level-k", gap), ("full-trust", 0 * gap))
    }
    return Comparison(BASIS, BY_TRIAL.table, BY_TRIAL.pointwise, {}).with_scores(scores)


def gap_of(lead, error):
    """Differences of six subjects with this sum and standard error of the sum."""
    shape = np.array([1.0, -1, 1, -1, 1, -1])
    return lead / 6 + shape * error / np.sqrt(6)


def kfold_of(gap, unit="subject", labels=LABELS, gates=(PASSED, PASSED), **changes):
    rows = [
        (name, 1, label, False, 12, -20 + part, 0.01, 0.1, True)
        for name, sign in (("level-k", 1), ("full-trust", 0))
        for label, part in zip(labels, sign * np.asarray(gap), strict=True)
    ]
    columns = ["model", "fold", "unit", "known", "trials", "elpd", "error", "pareto_k", "reliable"]
    split = f"8-fold by {unit}: new {unit}s, predicted from all others"
    keys = [("level-k", 1), ("full-trust", 1)]
    made = HeldOut(
        BASIS, split, unit, pd.DataFrame(rows, columns=columns), dict(zip(keys, gates, strict=True))
    )
    return dataclasses.replace(made, **changes)


# The rules


@pytest.mark.parametrize(
    ("lead", "error", "passed", "named"),
    [
        (30.0, 10.0, True, True),
        (19.0, 10.0, True, False),  # less than two standard errors
        (3.0, 0.5, True, False),  # small whatever its standard error
        (30.0, 10.0, False, False),  # a model did not converge
    ],
)
@pytest.mark.parametrize("unit", ["subject", "group", "subject-sum"])
def test_a_model_is_named_only_by_the_rules(unit, lead, error, passed, named):
    if unit == "subject-sum":
        table = BY_TRIAL.table.copy()
        here = (table["unit"] == unit) & (table["criterion"] == "loo")
        table.loc[table.index[here][1], ["elpd_diff", "dse"]] = [-lead, error]
        found = dataclasses.replace(BY_TRIAL, table=table)
    else:
        found = comparing(gap_of(lead, error), unit)
    best = found.rows().index[0]
    said = verdict(found, [gated(FITS[0], passed), FITS[1]])
    assert (said.role, said.winner) == ("receiver", best if named else None)
    if not passed:
        assert said.text == "No verdict on receivers: Level-k did not pass the convergence gate."
        return
    assert f"Predicted: {UNITS[unit]}; no k-fold was made." in said.text
    assert f"{lead:.1f} nats of expected log predictive density (standard err" in said.text
    assert ("predicts receivers best" in said.text) == named
    assert ("are not distinguishable" in said.text) == (not named)
    assert ("of the same design would be needed" in said.text) == (not named)


@pytest.mark.parametrize(
    ("gap", "gates", "named", "words"),
    [
        (gap_of(12, 4), (PASSED, PASSED), True, "8-fold by subject agrees, by 12.0 nats (standard "
         "error 4.0)"),
        (gap_of(0.1, 9), (PASSED, PASSED), True, "agrees, by 0.1 nats"),  # the sign is enough
        (gap_of(-3, 4), (PASSED, PASSED), False, "disagrees, with Full trust ahead by 3.0 nats"),
        (gap_of(12, 4), (PASSED, FAILED), False, "8-fold by subject decides nothing, for not all"),
    ],
)  # fmt: skip
def test_a_kfold_must_agree(gap, gates, named, words):
    said = verdict(comparing(gap_of(30, 10)), FITS, kfold_of(gap, gates=gates))
    assert (said.winner == "level-k") == named
    assert words in said.text
    # No number of subjects makes up for a k-fold that says otherwise.
    assert "would be needed" not in said.text


def more_by_counting(lead, error, size=6):
    """Add people of the same kind, one after the other, until the thresholds are met."""
    each, spread = lead / size, error / np.sqrt(size)
    number = size
    while number * each < 2 * np.sqrt(number) * spread - 1e-9 or number * each < 4 - 1e-9:
        number += 1
    return number - size


@pytest.mark.parametrize(("lead", "error"), [(19, 10), (3, 0.5), (3.99, 1), (9, 12), (1.3, 0.1)])
@pytest.mark.parametrize("unit", ["subject", "group"])
def test_how_many_more_people_would_be_needed(lead, error, unit):
    text = verdict(comparing(gap_of(lead, error), unit), FITS).text
    [number] = map(int, re.findall(r"about (\d+) more", text))
    assert number == more_by_counting(lead, error)
    who = "matching groups" if unit == "group" else "subjects"
    assert f"{number} more {who if number > 1 else who[:-1]} of the same" in text


def test_no_number_is_given_beyond_ten_times_as_many():
    for gap in (gap_of(1, 10), np.zeros(6)):
        text = verdict(comparing(gap), FITS).text
        assert "more than ten times as many subjects would be needed" in text


def test_one_model_has_no_rival():
    alone = compare(FITS[:1], "subject")
    assert verdict(alone, FITS[:1]).text == "Only Level-k was fitted to receivers."
    with pytest.raises(InputError, match="at least two models"):
        agreement(alone, kfold_of(gap_of(1, 1)))


def test_the_rules_are_in_words():
    text = verdict_rules()
    for words in ("passed the convergence gate", "2 standard errors and 4 nats", "k-fold"):
        assert words in text


# Agreement


def test_agreement_is_the_lead_by_the_kfold():
    gap = np.array([3.0, -1, 2, 0.5, 4, -2])
    found = agreement(comparing(gap_of(30, 10)), kfold_of(gap))
    assert (found.best, found.second, found.name) == ("level-k", "full-trust", "8-fold by subject")
    assert found.lead == pytest.approx(6.5)
    assert found.error == pytest.approx(np.sqrt(6 * np.var(gap)))
    assert found.agrees
    assert found.failed == ()
    assert not agreement(comparing(gap_of(-30, 10)), kfold_of(gap)).agrees


def test_a_kfold_of_something_else_is_refused_with_what_differs():
    found, gap = comparing(gap_of(30, 10)), gap_of(12, 4)
    whole = kfold_of(gap)
    rest = whole.table[whole.table["unit"] != LABELS[0]]
    excluding = dataclasses.replace(BASIS, exclusions=(("round", "2", 7),))
    for other, reason in [
        (kfold_of(gap, "group"), "k-fold, unit: found 'all trials of a new matching group', "
         "expected that of the comparison: all trials of a new subject"),
        (kfold_of(gap, basis=dataclasses.replace(BASIS, checksum="0")),
         "k-fold, trials: found 'checksum 0', expected that of the comparison: checksum "),
        (kfold_of(gap, basis=dataclasses.replace(BASIS, role="sender")),
         "k-fold, role: found 'sender', expected that of the comparison: receiver"),
        (kfold_of(gap, basis=excluding), "k-fold, exclusions: found '7 rows with round = 2'"),
        (kfold_of(gap, table=whole.table.assign(known=True)), "k-fold, unit: found '8-fold"),
        (kfold_of(gap, table=rest), "k-fold, subjects: found '5', expected all 6"),
        (kfold_of(gap, table=whole.table.replace("full-trust", "babbling")),
         "k-fold, models: found 'level-k, babbling', expected also full-trust"),
    ]:  # fmt: skip
        with pytest.raises(InputError, match=reason):
            agreement(found, other)
        with pytest.raises(InputError, match=reason):
            verdict(found, FITS, other)


def test_trials_of_known_subjects_do_not_go_with_a_kfold_of_new_ones():
    reason = "unit: found 'all trials of a new subject', expected .*: a new trial of a known"
    with pytest.raises(InputError, match=reason):
        verdict(BY_TRIAL, FITS, kfold_of(gap_of(12, 4)))


def test_fits_that_were_not_compared_have_no_verdict():
    with pytest.raises(InputError, match="fits, models"):
        verdict(BY_TRIAL, FITS[:1])
