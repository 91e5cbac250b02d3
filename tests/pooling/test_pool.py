"""The whole job: what is done once, what is kept, and what it says of experiments left out."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from priorfit import prior_fit
from synthetic import small_trials

import trustbayes.inference.tasks as manyfits
from trustbayes.errors import InputError
from trustbayes.inference.sampling import Sampling
from trustbayes.inference.tasks import FitTask
from trustbayes.models import TrustEmbedded
from trustbayes.pooling.common_scales import APART, common_scales
from trustbayes.pooling.pool import pool
from trustbayes.pooling.stages import LikelihoodTask, ScoreTask, TransferTask
from trustbayes.pooling.study import Study, StudyExperiment

SAMPLING = Sampling(draws=100, tune=100, chains=2, seed=4, method="nuts")
NAMES = ["level-k", "full-trust"]


@pytest.fixture
def fitted(monkeypatch):
    """Priors in the place of posteriors; what was asked for is counted."""
    asked = {"fits": 0, "scores": 0}

    def fake(model, trials, sampling, *, progress):
        asked["fits"] += 1
        return prior_fit(model, trials, sampling)

    scored = ScoreTask.make

    def counted(self, path, progress):
        asked["scores"] += 1
        return scored(self, path, progress)

    monkeypatch.setattr(manyfits, "fit", fake)
    monkeypatch.setattr(ScoreTask, "make", counted)
    return asked


def study_of(count: int, models=NAMES, **settings) -> Study:
    experiments = [
        StudyExperiment(f"e{i}", small_trials(i, states=3 + i % 2), covariates={"stakes": float(i)})
        for i in range(count)
    ]
    return Study(experiments, models=models, roles=["sender"], **settings)


def one_theory_of(count: int, fits: Path):
    """The quicker of the theories, of experiments that are not left out."""
    study = study_of(count, ["full-trust"])
    return pool(study, sampling=SAMPLING, fits=fits, carry_over=False, progress=False)


def test_a_further_experiment_repeats_none_of_the_others_work(fitted, tmp_path: Path):
    two = one_theory_of(2, tmp_path)
    assert fitted == {"fits": 2, "scores": 2}
    three = one_theory_of(3, tmp_path)
    assert fitted == {"fits": 3, "scores": 3}  # of the third experiment alone
    for key, one in two.scores.items():
        np.testing.assert_array_equal(one.elpd, three.scores[key].elpd)
    again = one_theory_of(3, tmp_path)
    assert fitted == {"fits": 3, "scores": 3}
    assert again.parameters.equals(three.parameters)
    assert again.verdicts["sender"].text == three.verdicts["sender"].text


def test_a_study_says_all_it_holds(fitted, tmp_path: Path):
    study = study_of(3, formulas={"response_precision": "1 + stakes"})
    found = pool(study, sampling=SAMPLING, fits=tmp_path, progress=False)
    assert set(found.transfers) == set(found.fits)
    assert set(found.populations) == {("level-k", "sender"), ("full-trust", "sender")}
    rows = found.parameters
    assert set(rows["of"]) == {
        "pooled mean",
        "new experiment",
        "spread between",
        "effect of stakes",
        *study.names,
    }
    ratio = rows[rows["of"] == "new experiment"]["linked_upper"].to_numpy()
    gain = ratio - rows[rows["of"] == "pooled mean"]["linked_upper"].to_numpy()
    # A new experiment is less certain than the mean of all, but for the error of such a quantile:
    # that of two hundred draws with a standard deviation of up to 1.8 is .27.
    assert (gain > -0.27).all()
    assert gain.mean() > 0.1
    carried = found.carried
    assert np.isfinite(carried[["loso", "loeo"]].to_numpy()).all()
    assert len(carried) == 6
    assert not found.converged
    assert "did not pass the convergence gate" in found.verdicts["sender"].text
    form = found.to_dict()
    assert set(form["roles"]["sender"]) >= {"verdict", "comparison", "leads", "carries_over"}
    assert form["experiments"][0]["people"] == {"sender": 4, "receiver": 4}
    assert len(found.leads("sender")) == 3
    kept = sorted(path.name for path in tmp_path.glob("transfer-*"))
    again = pool(study, sampling=SAMPLING, fits=tmp_path, progress=False)
    assert sorted(path.name for path in tmp_path.glob("transfer-*")) == kept
    assert again.carried.equals(carried)


def test_what_a_worker_writes_is_what_is_made_here(fitted, tmp_path: Path):
    found = one_theory_of(2, tmp_path)
    key = ("e0", "full-trust", "sender")
    fit, trials = found.fits[key], found.study.experiments[0].trials
    task = FitTask(fit.model, trials, SAMPLING)
    scoring = ScoreTask(task, fit, tmp_path, 50)
    function, arguments = scoring.job
    function(*arguments, tmp_path / "scores.json", 1)
    here, there = scoring.make(None, False), scoring.read(tmp_path / "scores.json")
    assert (here.labels, here.draws, here.good_k) == (there.labels, there.draws, there.good_k)
    for name in ("elpd", "lppd", "pareto_k", "error"):
        np.testing.assert_allclose(getattr(there, name), getattr(here, name), rtol=1e-12)
    label = next(iter(found.populations[key[1:]].scales))
    moving = TransferTask(fit.model, trials, {label: np.linspace(0.5, 1.5, 40)}, 40, 1)
    function, arguments = moving.job
    function(*arguments, tmp_path / "transfer.json", 1)
    made = moving.make(None, False)
    read = moving.read(tmp_path / "transfer.json")
    np.testing.assert_allclose(read.elpd, made.elpd, rtol=1e-12)
    assert pickle.loads(pickle.dumps(moving.job))[1][3:] == (40, 1)
    assert read.labels == made.labels == trials.subjects("sender")
    judging = LikelihoodTask(fit.model, trials, {label: np.linspace(0.5, 1.5, 40)})
    function, arguments = judging.job
    function(*arguments, tmp_path / "likelihood.json", 1)
    judged = judging.read(tmp_path / "likelihood.json")
    np.testing.assert_allclose(judged, judging.make(None, False), rtol=1e-12)
    assert judging.key != LikelihoodTask(fit.model, trials, {label: np.ones(40)}).key
    (tmp_path / "transfer.json").write_text("{}")
    with pytest.raises(InputError, match="a prediction from other experiments"):
        moving.read(tmp_path / "transfer.json")


def test_numbers_that_are_not_finite_come_back_as_they_are(fitted, tmp_path: Path):
    found = one_theory_of(1, tmp_path)
    key = ("e0", "full-trust", "sender")
    fit, trials = found.fits[key], found.study.experiments[0].trials
    strange = {
        "elpd": np.array([-np.inf, -1.5, -2.0, np.nan]),
        "lppd": np.array([-np.inf, -1.0, -1.0, -1.0]),
        "pareto_k": np.array([np.inf, 0.1, np.nan, -np.inf]),
        "error": np.array([0.0, np.inf, 1e-300, 0.1]),
    }
    scores = replace(found.scores[key], **strange)
    scoring = ScoreTask(FitTask(fit.model, trials, SAMPLING), fit, None, 50)
    write, arguments = scoring.job
    assert write(scores, tmp_path / "scores.json", 1) is None
    assert len(arguments) == 1
    read = scoring.read(tmp_path / "scores.json")
    for name, values in strange.items():
        np.testing.assert_array_equal(getattr(read, name), values)
    # Neither an infinite k nor one that is not known is a reliable one.
    assert read.unreliable == scores.unreliable == (scores.labels[0], scores.labels[2])


@pytest.mark.parametrize("location", [-1.0, 1.0])
def test_people_are_predicted_where_treatments_lie_very_far_apart(location):
    trials = small_trials(1)
    model = TrustEmbedded("sender")
    scales = [s for s in common_scales(model) if s.parameter == "expected_trust"]
    assert {s.statistic for s in scales} == {"location", APART}
    far = {s.label: np.full(20, np.log(200.0) if s.apart else location) for s in scales}
    moved = TransferTask(model, trials, far, 20, 1).make(None, False)
    assert np.isfinite(moved.elpd).all()
    # Beyond what can be told from a trust of 0 or 1 nothing changes any more.
    farther = {s.label: np.full(20, np.log(400.0) if s.apart else location) for s in scales}
    again = TransferTask(model, trials, farther, 20, 1).make(None, False)
    np.testing.assert_allclose(again.elpd, moved.elpd, rtol=1e-6)


def test_the_spread_of_spreads_is_above_nothing():
    with pytest.raises(InputError, match=r"between: found '0\.0', expected a number above 0"):
        pool(study_of(2), between=0.0)
