"""Designs: counts of verdicts by hand, Wilson's interval, and what is simulated."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from synthetic import synthetic_fit

import trustbayes.simulation.experiments as experiments
from trustbayes.comparison import verdict
from trustbayes.comparison.compare import compare
from trustbayes.errors import InputError
from trustbayes.games import FiniteGame
from trustbayes.inference.fit import Fit
from trustbayes.inference.gate import Gate
from trustbayes.inference.sampling import Sampling
from trustbayes.models import Babbling, FullTrust
from trustbayes.simulation.experiments import Experiment
from trustbayes.simulation.power import Power, design, verdict_of, wilson

GAME = FiniteGame([1, 2, 3], treatments={"Low": 0.5, "High": 1.0})


def test_wilsons_interval_is_scipys():
    for right, size in ((0, 5), (3, 10), (19, 20), (40, 40)):
        known = binomtest(right, size).proportion_ci(0.95, method="wilson")
        assert wilson(right, size) == pytest.approx((known.low, known.high), abs=1e-12)


def test_right_and_wrong_verdicts_are_counted():
    cell = {"role": "sender", "treatments": "all", "subjects": 20, "rounds": 10}
    rows = [
        {**cell, "truth": "a", "winner": winner, "reason": reason}
        for winner, reason in (("a", ""), ("a", ""), ("b", ""), ("", ""), ("", "R-hat"))
    ]
    rows += [{**cell, "truth": "b", "winner": "b", "reason": ""}]
    power = Power(GAME, ("a", "b"), Sampling(), pd.DataFrame(rows), (), {})
    table = power.table.set_index("truth")
    assert list(table.index) == ["a", "b", "all"]
    counts = table[["experiments", "right", "wrong", "unsampled"]].to_numpy().tolist()
    assert counts == [[5, 2, 1, 1], [1, 1, 0, 0], [6, 3, 1, 1]]
    assert table.loc["all", "power"] == 0.5
    assert table.loc["all", "lower"] == wilson(3, 6)[0]


@pytest.fixture
def fitted(monkeypatch):
    """Random draws instead of sampling, past the gate."""
    made = []

    def fake(model, trials, sampling, **options):
        made.append((model.name, model.role, len(trials.subjects(model.role)), trials.treatments))
        return synthetic_fit(model, trials, sampling.seed)

    monkeypatch.setattr(experiments, "fit", fake)
    monkeypatch.setattr(Fit, "gate", Gate(()))
    return made


def test_the_verdict_kept_is_that_of_the_comparison(fitted):
    played = Experiment(GAME, FullTrust("sender"), None, 5, 6).play(1)
    fits = [synthetic_fit(m, played.trials, 3) for m in (FullTrust("sender"), Babbling("sender"))]
    table = verdict_of(played, fits)
    comparison = compare(fits, "subject")
    rows = comparison.rows()
    assert list(table["model"]) == list(rows.index)
    assert set(table["winner"]) == {verdict(comparison, fits).winner or ""}
    second = table.set_index("model").loc[rows.index[1]]
    assert second[f"lead_{rows.index[0]}"] == pytest.approx(rows["elpd_diff"].iloc[1])
    assert second[f"error_{rows.index[0]}"] == pytest.approx(rows["dse"].iloc[1])


def test_every_size_theory_and_treatment_is_simulated(fitted):
    found = design(
        GAME,
        ["full-trust", "babbling"],
        subjects=[3, 4],
        rounds=[4],
        roles=["sender"],
        each_treatment=True,
        experiments=1,
        progress=False,
    )
    table = found.experiments
    assert len(table) == 2 * 2 * 3  # sizes, truths, all treatments and each
    assert set(table["treatments"]) == {"all", "Low", "High"}
    assert len(fitted) == 2 * len(table)
    assert {(one[2], len(one[3])) for one in fitted} == {(3, 1), (3, 2), (4, 1), (4, 2)}
    assert np.isfinite(table["lead"]).all()
    behind = table["best"] != table["truth"]
    assert ((table["lead"] < 0) == behind).all()
    assert not found.failures


def test_theories_must_be_several_and_known():
    for names in (["level-k"], ["level-k", "level-k"]):
        with pytest.raises(InputError, match="two or more, each once"):
            design(GAME, names, subjects=[4], rounds=[4])
    with pytest.raises((InputError, ValueError), match="level-k"):
        design(GAME, ["level-q", "babbling"], subjects=[4], rounds=[4])
