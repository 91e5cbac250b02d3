"""Comparisons: what they say, and what they refuse."""

import dataclasses

import numpy as np
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes.comparison import Verdict, compare, verdict
from trustbayes.errors import InputError
from trustbayes.models import Babbling, FullTrust, LevelK
from trustbayes.sampling import Check, Gate

TRIALS = small_trials(rounds=20)
FITS = [
    synthetic_fit(made("receiver"), TRIALS, draws=200) for made in (LevelK, FullTrust, Babbling)
]


@pytest.fixture(scope="module")
def comparison():
    return compare(FITS)


def test_differences_and_errors_follow_from_the_pointwise_scores(comparison):
    for unit in ("trial", "subject-sum"):
        for criterion in ("loo", "waic"):
            rows = comparison.rows(unit, criterion)
            values = {}
            for name, point in comparison.pointwise.items():
                scores = getattr(point, criterion)
                if unit == "subject-sum":
                    scores = np.array([scores[point.subject == s].sum() for s in range(4)])
                values[name] = scores
            best = max(values, key=lambda name: values[name].sum())
            assert rows.index[0] == best
            assert rows["weight"].sum() == pytest.approx(1, abs=1e-6)
            for name, scores in values.items():
                gap = scores - values[best]
                assert rows.loc[name, "elpd"] == pytest.approx(scores.sum())
                assert rows.loc[name, "elpd_diff"] == pytest.approx(gap.sum())
                expected = np.sqrt(gap.size * gap.var())
                assert rows.loc[name, "dse"] == pytest.approx(expected, abs=1e-9)


def test_fits_of_other_trials_roles_or_games_are_refused_with_the_reason():
    other_data = synthetic_fit(Babbling("receiver"), small_trials(seed=2, rounds=20))
    other_role = synthetic_fit(Babbling("sender"), TRIALS)
    other_game = synthetic_fit(Babbling("receiver"), small_trials(states=4))
    for fit, reason in [(other_data, "trials"), (other_role, "role"), (other_game, "game")]:
        with pytest.raises(InputError, match=reason):
            compare([FITS[0], fit])
    with pytest.raises(InputError, match="every model once"):
        compare([FITS[0], FITS[0]])


def gated(fit, passed):
    """The fit with a gate that says so."""
    made = dataclasses.replace(fit)
    made.__dict__["gate"] = Gate((Check("R-hat", 1.0 if passed else 2.0, 1.01, True),))
    return made


def with_lead(comparison, lead, error):
    table = comparison.table.copy()
    here = (table["unit"] == "subject-sum") & (table["criterion"] == "loo")
    second = table.index[here][1]
    table.loc[second, ["elpd_diff", "dse"]] = [-lead, error]
    return dataclasses.replace(comparison, table=table)


@pytest.mark.parametrize(
    ("lead", "error", "passed", "named"),
    [
        (30.0, 10.0, True, True),
        (19.0, 10.0, True, False),  # less than two standard errors
        (3.0, 0.5, True, False),  # small whatever its standard error
        (30.0, 10.0, False, False),  # a model did not converge
    ],
)
def test_a_model_is_named_only_by_the_rules(comparison, lead, error, passed, named):
    fits = [gated(FITS[0], passed), *(gated(fit, True) for fit in FITS[1:])]
    said: Verdict = verdict(with_lead(comparison, lead, error), fits)
    assert (said.winner is not None) == named
    if named:
        assert said.winner == comparison.rows().index[0]
    if not passed:
        assert "did not pass" in said.text
