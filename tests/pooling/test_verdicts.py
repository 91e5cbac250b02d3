"""The verdict over all experiments, its standard errors, and where a lead is another."""

import numpy as np
import pytest

from trustbayes.pooling.verdicts import (
    differences,
    heterogeneity,
    pooled_rules,
    pooled_verdict,
    totals,
)

TITLES = {"a": "Theory A", "b": "Theory B", "c": "Theory C"}


def scores_of(leads, sizes, spread=1.0, seed=1):
    """Two theories whose differences have these means a person in each experiment, exactly."""
    rng = np.random.default_rng(seed)
    first, second = {}, {}
    for number, (lead, size) in enumerate(zip(leads, sizes, strict=True)):
        base, gap = rng.normal(-20, 3, size), rng.normal(size=size)
        gap = lead + spread * (gap - gap.mean()) / gap.std(ddof=1)
        first[f"e{number}"], second[f"e{number}"] = base + gap, base
    return {"a": first, "b": second}


def test_sums_and_both_standard_errors_by_hand():
    sizes, leads = [10, 20, 40], [1.0, 0.5, 2.0]
    table = totals(scores_of(leads, sizes))
    sums = np.array(sizes) * leads
    assert list(table.index) == ["a", "b"]
    assert table.loc["b", "elpd_diff"] == pytest.approx(-sums.sum())
    assert table.loc["b", "se_people"] == pytest.approx(np.sqrt(sum(sizes)))
    deviation = np.sqrt(((sums - sums.mean()) ** 2).sum() / 2)
    assert table.loc["b", "se_experiments"] == pytest.approx(np.sqrt(3) * deviation)
    assert table.loc["a", "people"] == 70


def test_theories_are_ranked_over_what_all_of_them_have():
    scores = scores_of([1.0, 1.0, 1.0], [8, 8, 8])
    scores["c"] = {"e0": scores["a"]["e0"] + 5, "e1": scores["a"]["e1"] + 5}
    table = totals(scores)
    assert list(table.index) == ["c", "a", "b"]
    assert set(table["experiments"]) == {2}
    alone = scores_of([1.0, 1.0], [8, 8])
    alone["c"] = {"e0": alone["a"]["e0"]}
    assert list(totals(alone).index) == ["a", "b"]  # one experiment alone is no study


def test_theories_without_an_experiment_in_common_are_not_ranked():
    scores = {"a": {"e0": np.zeros(3)}, "b": {"e1": np.zeros(4)}}
    assert totals(scores).empty
    judged = pooled_verdict(scores, "sender", TITLES)
    assert judged.winner is None
    assert judged.text.startswith("No theory was fitted to senders of several experiments")


def test_a_single_person_has_no_standard_error_and_that_is_said():
    scores = scores_of([3.0, 3.1, 2.9], [30] * 3)
    assert pooled_verdict(scores, "sender", TITLES).winner == "a"
    for theory, elpd in (("a", -9.0), ("b", -10.0)):
        scores[theory]["Pilot"] = np.array([elpd])
    table = totals(scores)
    assert np.isnan(table.loc["b", "se_people"])  # 0 for one would be taken for certainty
    assert table.loc["b", "elpd_diff"] == pytest.approx(-271.0)
    judged = pooled_verdict(scores, "sender", TITLES)
    assert judged.winner is None
    assert "no standard error by person, as there is one person in Pilot" in judged.text
    assert "nan" not in judged.text
    # How leads differ is asked of those with a standard error.
    gaps = differences(scores, "a", "b")
    whole, rest = heterogeneity(gaps), heterogeneity(gaps[gaps["experiment"] != "Pilot"])
    assert (whole.ahead, rest.ahead) == (4, 3)
    assert (whole.mean, whole.q, whole.spread) == (rest.mean, rest.q, rest.spread)
    alone = {t: {"Pilot": scores[t]["Pilot"]} for t in scores}
    only = pooled_verdict(alone, "sender", TITLES)
    assert only.winner is None
    assert "1.0 nats over 1 person of 1 experiment (no standard error" in only.text


def test_heterogeneity_is_that_of_dersimonian_and_laird():
    # Worked by hand: weights 25, 25 and 25 of means 1, 2 and 3, so Q = 50 and τ² = 48 / 50.
    gaps = differences(scores_of([1.0, 2.0, 3.0], [25, 25, 25]), "a", "b")
    found = heterogeneity(gaps)
    assert found.q == pytest.approx(50.0)
    assert found.spread**2 == pytest.approx(48 / 50)
    assert found.share == pytest.approx(48 / 50)
    assert found.mean == pytest.approx(2.0)
    assert found.error == pytest.approx(np.sqrt((48 / 50 + 1 / 25) / 3))
    assert found.wins == ("e0", "e1", "e2")
    assert found.ahead == 3
    assert found.lower < 0 < found.upper  # with three experiments a new one may go anywhere


def test_a_lead_that_is_the_same_everywhere_names_a_theory():
    found = pooled_verdict(scores_of([1.0, 1.1, 0.9, 1.0, 1.05], [30] * 5), "sender", TITLES)
    assert found.winner == "a"
    assert found.everywhere
    assert "Theory A is ahead in every experiment" in found.text
    assert found.lead == pytest.approx(30 * 5.05)


def test_a_lead_of_one_large_experiment_decides_nothing():
    found = pooled_verdict(scores_of([1.0, -0.6, -0.5, -0.4], [400, 20, 20, 20]), "sender", TITLES)
    assert found.lead / np.sqrt(460) > 2  # by person alone it would
    assert found.winner is None
    assert not found.everywhere
    assert "ahead in 1 of 4 experiments" in found.text
    assert "e1" in found.text
    assert "not distinguishable over all" in found.text


def test_no_verdict_without_convergence_nor_on_one_theory():
    scores = scores_of([1.0, 1.0], [30, 30])
    failed = pooled_verdict(
        scores, "receiver", TITLES, [("e1", "b", "receiver"), ("e0", "c", "receiver")]
    )
    assert failed.winner is None
    assert "Theory B in e1 did not pass" in failed.text
    other = pooled_verdict(
        scores, "receiver", TITLES, [("e1", "b", "sender"), ("e9", "b", "receiver")]
    )
    assert other.winner == "a"  # what is not ranked does not bear on the verdict
    only = pooled_verdict({"a": scores["a"]}, "receiver", TITLES)
    assert only.winner is None
    assert "nothing to rank" in only.text
    assert "cluster" in pooled_rules()


def test_one_experiment_is_judged_by_its_people():
    found = pooled_verdict(scores_of([1.0], [40]), "sender", TITLES)
    assert found.winner == "a"
    assert found.error == pytest.approx(np.sqrt(40))
