"""The main job: which fits it makes, which conventions it uses, what it keeps."""

from pathlib import Path

import pandas as pd
import pytest
from synthetic import small_trials, synthetic_fit

import trustbayes.manyfits as manyfits
from trustbayes.analysis import analyse
from trustbayes.errors import InputError
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


def test_an_unknown_model_is_refused_before_anything_is_fitted(fitted):
    with pytest.raises(InputError, match="one of: trust-embedded"):
        analyse(TRIALS, models=["level-q"])
    assert not fitted
