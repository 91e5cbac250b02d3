"""The main job: which fits it makes, which conventions it uses, what it keeps."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic import small_trials, synthetic_fit

import trustbayes.analysis as analysis
import trustbayes.manyfits as manyfits
from trustbayes.analysis import analyse
from trustbayes.errors import InputError
from trustbayes.models import LevelK, TrustEmbedded
from trustbayes.sampling import Sampling

TRIALS = small_trials(pairs=6, rounds=20)


@pytest.fixture
def fitted(monkeypatch):
    """Replace sampling by random draws, and remember what was asked for."""
    asked = []

    def fake(model, trials, sampling, *, progress):
        asked.append((model, sampling))
        return synthetic_fit(model, trials, chains=sampling.chains, draws=sampling.draws)

    monkeypatch.setattr(manyfits, "fit", fake)
    return asked


def test_each_open_convention_is_tried_once():
    def tried(model, *names):
        return [
            tuple(rival.settle(TRIALS.game)[name] for name in names)
            for rival in analysis._rivals(model, TRIALS)
        ]

    assert tried(LevelK("sender"), "ties", "unsent") == [
        ("uniform", "monotone"),
        ("smallest-lie", "prior"),
    ]
    # A sender who expects the mean action does the same under mixture and truncated beliefs.
    assert tried(TrustEmbedded("sender"), "expected_action", "belief") == [
        ("mean", "prior"),
    ]
    assert tried(TrustEmbedded("receiver"), "belief") == [("prior",), ("mixture",)]


def test_the_whole_job_without_its_sampler(fitted, tmp_path: Path):
    sampling = Sampling(draws=60, tune=10, chains=2, seed=4)
    names = ["level-k", "full-trust"]
    found = analyse(TRIALS, models=names, sampling=sampling, fits=tmp_path, progress=False)
    assert list(found.fits) == [(name, role) for role in TRIALS.roles for name in names]
    # Per role: level-k and two rivals in short fits, and full trust in full. With draws as few
    # as these level-k's full fit is its short one, and the file serves.
    assert len(fitted) == 2 * (3 + 1)
    files = sorted(tmp_path.iterdir())
    again = analyse(TRIALS, models=names, sampling=sampling, fits=tmp_path, progress=False)
    assert len(fitted) == 2 * (3 + 1)
    assert sorted(tmp_path.iterdir()) == files
    pd.testing.assert_frame_equal(found.subjects, again.subjects)
    pd.testing.assert_frame_equal(found.population, again.population)
    for role in TRIALS.roles:
        assert set(found.comparisons[role].rows().index) == set(names)
        assert found.verdicts[role].winner is None  # random draws do not pass the gate
        variants = found.variants[found.variants["role"] == role]
        assert variants["used"].sum() == 1
        assert variants["elpd_diff"].max() == 0
    assert not found.converged
    assert set(found.types["type"]) == {"0", "1", "2", "3"}
    assert found.types.groupby(["role", "subject"])["probability"].sum().round(6).eq(1).all()
    assert set(found.posterior_checks) == set(found.prior_checks) == set(found.fits)


@pytest.mark.parametrize(
    ("lead", "expected"), [(10.0, ["uniform", "smallest-lie"]), (0.1, ["smallest-lie"])]
)
def test_a_rival_convention_is_preferred_only_if_it_is_surely_better(monkeypatch, lead, expected):
    noise = np.random.default_rng(1).normal(size=len(TRIALS.table))

    def scored(fit):
        better = fit.model.conventions["ties"] == "uniform"
        loo = np.full(len(TRIALS.table), -1.0) + better * (lead / noise.size + 0.01 * noise)
        subject = fit.units.unit_subject[fit.units.trial_unit]
        return dataclasses.make_dataclass("Scored", ["loo", "subject"])(loo, subject)

    monkeypatch.setattr(analysis, "pointwise", scored)
    monkeypatch.setattr(
        manyfits, "fit", lambda model, trials, sampling, progress: synthetic_fit(model, trials)
    )
    candidates, rows = analysis._try_conventions(
        LevelK("sender"), TRIALS, Sampling(), folder=None, progress=False
    )
    assert [model.conventions["ties"] for model, _ in candidates] == expected
    for model, row in candidates:
        assert f"ties: {model.conventions['ties']}" in rows.loc[row, "conventions"]
    assert candidates[-1][1] == 0  # the default stands last, in case the rival does not converge


def test_an_unknown_model_is_refused_before_anything_is_fitted(fitted):
    with pytest.raises(InputError, match="one of: trust-embedded"):
        analyse(TRIALS, models=["level-q"])
    assert not fitted
