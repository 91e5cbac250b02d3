"""Comparisons: what they say, and what they refuse."""

import dataclasses
import json

import numpy as np
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes.comparison import leave_one_subject_out
from trustbayes.comparison.compare import CRITERIA, UNITS, compare
from trustbayes.errors import InputError
from trustbayes.models import Babbling, FullTrust, LevelK

TRIALS = small_trials(rounds=20)


def fit_of(made, trials=TRIALS, draws=200):
    """With groups of one subject and of three."""
    fit = synthetic_fit(made("receiver"), trials, draws=draws)
    return dataclasses.replace(
        fit, units=dataclasses.replace(fit.units, groups=("x", "y", "y", "y"))
    )


FITS = [fit_of(made) for made in (LevelK, FullTrust, Babbling)]


@pytest.fixture(scope="module")
def comparison():
    return compare(FITS, ("subject", "group", "trial"))


def test_differences_and_errors_follow_from_the_scores_of_the_units(comparison):
    loso = {unit: {f.model.name: leave_one_subject_out(f, unit) for f in FITS}
            for unit in ("subject", "group")}  # fmt: skip
    for unit, criteria in CRITERIA.items():
        for criterion in criteria:
            rows = comparison.rows(unit, criterion)
            values, p = {}, {}
            for fit in FITS:
                name = fit.model.name
                if criterion == "loso":
                    one = loso[unit][name]
                    values[name], p[name] = one.elpd, (one.lppd - one.elpd).sum()
                    continue
                point = comparison.pointwise[name]
                scores = getattr(point, criterion)
                p[name] = getattr(point, f"p_{criterion}").sum()
                if unit == "subject-sum":
                    scores = np.array([scores[point.subject == s].sum() for s in range(4)])
                values[name] = scores
            best = max(values, key=lambda name: values[name].sum())
            assert rows.index[0] == best
            for column in ("weight", "weight_bma"):
                assert rows[column].sum() == pytest.approx(1, abs=1e-6)
                assert rows[column].between(0, 1).all()
            for name, scores in values.items():
                gap = scores - values[best]
                assert rows.loc[name, "elpd"] == pytest.approx(scores.sum())
                assert rows.loc[name, "p"] == pytest.approx(p[name])
                assert rows.loc[name, "elpd_diff"] == pytest.approx(gap.sum())
                expected = np.sqrt(gap.size * gap.var())
                assert rows.loc[name, "dse"] == pytest.approx(expected, abs=1e-9)
            if criterion != "waic":
                table = comparison.elpd_by_unit(unit)
                assert table.columns.tolist() == rows.index.tolist()
                for name, scores in values.items():
                    np.testing.assert_allclose(table[name], scores)


def test_units_are_those_asked_for_and_the_one_to_judge_by_is_the_newest_people(comparison):
    assert comparison.unit == "subject"
    assert comparison.rows().equals(comparison.rows("subject", "loso"))
    assert set(comparison.table["unit"]) == set(UNITS)
    assert comparison.elpd_by_unit("group").index.tolist() == ["x", "y"]
    assert comparison.elpd_by_unit().index.tolist() == list(TRIALS.subjects("receiver"))
    trials = compare(FITS)
    assert set(trials.table["unit"]) == {"trial", "subject-sum"}
    assert trials.scores == {}
    assert trials.rows().equals(trials.rows("subject-sum", "loo"))
    whole = comparison.table[comparison.table["unit"].isin(["trial", "subject-sum"])]
    assert trials.table.equals(whole.reset_index(drop=True))
    groups = compare(FITS, "group")
    assert (groups.unit, groups.pointwise) == ("group", {})
    assert groups.models == tuple(groups.rows().index)
    with pytest.raises(InputError, match=r"found 'subject', expected a unit of the .*: group"):
        groups.elpd_by_unit("subject")
    for units, message in ((("person",), "found 'person'"), ((), "at least one of: subject")):
        with pytest.raises(InputError, match=message):
            compare(FITS, units)


def test_tables_are_plain_numbers_and_words(comparison):
    rows = json.loads(comparison.table.to_json(orient="records"))
    assert all(value is not None for row in rows for value in row.values())
    assert set(comparison.table["role"]) == {"receiver"}


# What is doubtful


def doubtful(comparison, **changes):
    scores = {
        name: dataclasses.replace(one, **{k: np.array(v) for k, v in changes.items()})
        for name, one in comparison.scores["subject"].items()
    }
    return comparison.with_scores(scores).rows("subject")["warning"]


def test_warnings_are_in_words(comparison):
    size = "only 4 subjects: standard errors are rough (Sivula et al. 2025)"
    small = "less than 4 nats behind, which is little whatever the standard error"
    fine = {"pareto_k": [0.1] * 4, "error": [0.01] * 4}
    names = comparison.rows("subject").index
    said = doubtful(comparison, **fine)
    assert said.iloc[0] == size
    for name in names[1:]:
        behind = -comparison.rows("subject").loc[name, "elpd_diff"]
        assert (small in said[name]) == (behind < 4)
    said = doubtful(comparison, **fine | {"pareto_k": [0.1, 0.9, np.inf, 0.2]})
    good = comparison.scores["subject"]["level-k"].good_k
    assert said.str.startswith(f"2 of 4 subjects have Pareto k above {good:.2f}; only 4").all()
    said = doubtful(comparison, **fine | {"error": [0.5, 0.25, 0.25, 0.0]})
    assert said.str.startswith("errors of integration add up to 1.0 nats at most; only 4").all()
    assert "only 2 groups" in comparison.rows("group")["warning"].iloc[0]
    assert "only 80 trials" in comparison.rows("trial")["warning"].iloc[0]


def test_exact_refits_take_the_place_of_estimates_in_the_table(comparison):
    before = comparison.scores["subject"]
    first = before["level-k"].labels[0]
    mended = {n: one.with_refits({first: -1.0}) for n, one in before.items() if n == "level-k"}
    after = comparison.with_scores({**before, **mended})
    sums = {name: one.elpd.sum() for name, one in before.items()}
    sums["level-k"] += -1.0 - before["level-k"].elpd[0]
    assert after.rows("subject")["elpd"].to_dict() == pytest.approx(sums)
    assert after.scores["subject"]["level-k"].refitted == (first,)
    for unit in ("group", "trial", "subject-sum"):
        assert after.rows(unit).equals(comparison.rows(unit))
    assert len(after.table) == len(comparison.table)


# What does not compare


def test_fits_of_other_trials_roles_or_games_are_refused_with_what_differs():
    other_data = synthetic_fit(Babbling("receiver"), small_trials(seed=2, rounds=20))
    other_role = synthetic_fit(Babbling("sender"), TRIALS)
    other_game = synthetic_fit(Babbling("receiver"), small_trials(states=4))
    for fit, reason in [
        (other_data, "fit of babbling to small, trials: found 'checksum .*level-k, fitted to "),
        (other_role, "role: found 'sender', expected that of level-k, .*: receiver"),
        (other_game, "game: found 'checksum "),
    ]:  # fmt: skip
        with pytest.raises(InputError, match=reason):
            compare([FITS[0], fit])
    with pytest.raises(InputError, match="every model once"):
        compare([FITS[0], FITS[0]])
    with pytest.raises(InputError, match="at least one fit"):
        compare([])


def test_fits_with_other_exclusions_are_refused_with_both():
    manifest = dict(FITS[1].manifest)
    manifest["data"] = {**manifest["data"], "exclusions": [["round", 20, 4]]}
    excluded = dataclasses.replace(FITS[1], manifest=manifest)
    with pytest.raises(InputError) as caught:
        compare([FITS[0], excluded])
    assert str(caught.value) == (
        "fit of full-trust to small, exclusions: found '4 rows with round = 20', "
        "expected that of level-k, fitted to small: nothing"
    )


def test_scores_of_other_models_trials_or_units_are_refused(comparison):
    scores = comparison.scores["subject"]
    other = leave_one_subject_out(synthetic_fit(LevelK("receiver"), small_trials(seed=2)))
    group = comparison.scores["group"]["level-k"]
    few = dataclasses.replace(scores["level-k"], labels=("r0",))
    for changed, reason in [
        ({**scores, "level-k": other}, "scores of level-k, trials: found 'checksum "),
        ({**scores, "level-k": group}, "unit: found 'all trials of a new"),
        ({**scores, "babbling": few}, "scores of babbling, subjects: found '1 subjects'"),
        ({"level-k": scores["level-k"]}, "scores, models: found 'level-k', expected those of"),
        ({}, "scores, models"),
    ]:
        with pytest.raises(InputError, match=reason):
            comparison.with_scores(changed)


def test_fits_that_were_not_compared_are_refused(comparison):
    comparison.check(FITS)
    with pytest.raises(InputError, match="fits, models: found 'level-k', expected those of the"):
        comparison.check(FITS[:1])
    others = [fit_of(made, small_trials(seed=2, rounds=20), 20) for made in (LevelK, FullTrust)]
    with pytest.raises(InputError, match="fits, trials: found 'checksum"):
        comparison.check(others)
