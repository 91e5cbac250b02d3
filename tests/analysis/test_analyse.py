"""The main job: which fits it makes, which conventions it uses, what it keeps."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic import small_trials, synthetic_fit

import trustbayes.inference.tasks as manyfits
from trustbayes.analysis.analyse import analyse
from trustbayes.comparison import leave_one_subject_out
from trustbayes.errors import InputError
from trustbayes.inference.sampling import Sampling
from trustbayes.trials.table import trials_from_frame

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


@pytest.fixture
def no_population(monkeypatch):
    """Made-up fits have the locations of all habits, priors only the free ones."""
    for name in ("population_estimates", "prior_sensitivity"):
        monkeypatch.setattr(f"trustbayes.analysis.analyse.{name}", lambda *_: pd.DataFrame())


def test_the_whole_job_without_its_sampler(fitted, tmp_path: Path):
    sampling = Sampling(draws=60, tune=10, chains=2, seed=4)
    names = ["level-k", "full-trust"]
    found = analyse(TRIALS, models=names, sampling=sampling, fits=tmp_path, progress=False)
    assert list(found.fits) == [(name, role) for role in TRIALS.roles for name in names]
    # Per role: level-k, short fits of its two rivals, and full trust. With draws as few as these
    # a rival that is preferred has its full fit already.
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


@pytest.mark.usefixtures("fitted", "no_population")
def test_theories_are_compared_by_new_people():
    sampling = Sampling(draws=520, tune=10, chains=2, seed=4)
    names = ["full-trust", "babbling", "mixture"]
    found = analyse(TRIALS, models=names, sampling=sampling, progress=False)
    for role in TRIALS.roles:
        comparison = found.comparisons[role]
        assert comparison.unit == "subject"
        assert set(comparison.table["unit"]) == {"subject", "trial", "subject-sum"}
        scores = {}
        for name in names:
            one = leave_one_subject_out(found.fits[name, role], draws=1000)
            assert one.draws == 1000
            scores[name] = one.elpd
            assert comparison.rows().loc[name, "elpd"] == pytest.approx(one.elpd.sum())
        # The mixture contains the others: person by person these are set against each other.
        best, second = sorted(names[:2], key=lambda name: -scores[name].sum())
        people = found.people[role].set_index("subject").loc[list(TRIALS.subjects(role))]
        np.testing.assert_allclose(people["difference"], scores[best] - scores[second])
        ahead = scores[best] > scores[second]
        assert people["favourite"].tolist() == np.where(ahead, best, second).tolist()
        counted = found.shares[role].set_index("model")["subjects"]
        clear = ~people["corner"].to_numpy()
        assert counted.to_dict() == {
            best: (ahead & clear).sum(),
            second: (~ahead & clear).sum(),
            "corner": (~clear).sum(),
        }
    assert found.kfolds == {}


@pytest.mark.usefixtures("fitted")
def test_matching_groups_are_a_unit_where_there_are_two():
    sampling = Sampling(draws=30, tune=10, chains=2, seed=4)
    for groups, units in ((3, {"subject", "group"}), (1, {"subject"})):
        group = TRIALS.table["sender"].str[1:].astype(int) % groups
        trials = trials_from_frame(TRIALS.table.assign(group=group.map("g{}".format)), TRIALS.game)
        found = analyse(trials, models=["full-trust"], sampling=sampling, progress=False)
        for role in trials.roles:
            assert set(found.comparisons[role].scores) == units
            assert found.comparisons[role].unit == "subject"
        assert found.people == found.shares == {}  # one model has no rival


@pytest.mark.usefixtures("no_population")
def test_a_kfold_is_made_on_request_and_bears_on_the_verdict(fitted, tmp_path, monkeypatch):
    said = []

    def verdict(comparison, fits, kfold=None):
        said.append((comparison.role, kfold))

    monkeypatch.setattr("trustbayes.analysis.analyse.verdict", verdict)
    sampling = Sampling(draws=30, tune=10, chains=2, seed=4)
    names = ["full-trust", "babbling"]
    found = analyse(TRIALS, models=names, sampling=sampling, kfold=3, fits=tmp_path, progress=False)
    assert said == [(role, found.kfolds[role]) for role in TRIALS.roles]
    assert len(fitted) == 2 * 2 * (1 + 3)
    assert len(list(tmp_path.iterdir())) == len(fitted)
    for role, held in found.kfolds.items():
        assert held.split.startswith("3-fold by subject")
        assert set(held.table["model"]) == set(names)
        assert set(held.table["unit"]) == set(TRIALS.subjects(role))
        assert {one.seed for _, one in fitted} == {4}
    assert not found.converged


@pytest.mark.parametrize("kfold", [1, 7])
def test_folds_that_cannot_be_dealt_are_refused_before_anything_is_fitted(fitted, kfold):
    with pytest.raises(InputError, match=f"folds: found '{kfold}', expected .* from 2 to 6"):
        analyse(TRIALS, models=["full-trust"], kfold=kfold)
    assert not fitted


def test_an_unknown_model_is_refused_before_anything_is_fitted(fitted):
    with pytest.raises(InputError, match="one of: trust-embedded"):
        analyse(TRIALS, models=["level-q"])
    assert not fitted
