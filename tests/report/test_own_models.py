"""Reports of models of a user's own: replaced priors, priors that are code, conventions."""

import json

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes.analysis.analyse import analyse
from trustbayes.comparison import hold_out, kfold
from trustbayes.errors import InputError
from trustbayes.inference import tasks as manyfits
from trustbayes.inference.sampling import Sampling
from trustbayes.models import LevelK, TrustEmbedded
from trustbayes.priors.prior import Prior
from trustbayes.report import write_report

TRIALS = small_trials(pairs=5, rounds=12)
SHORT = Sampling(draws=40, tune=40, chains=2, seed=4)
TIGHT = Prior("LogitNormal", mu=Prior("Normal", mu=0.25, sigma=0.5), sigma=0.75)


def some_honest(dims):
    """A spike <of honest people>."""
    share = pm.Beta("honest_share", alpha=1, beta=3)
    others = pm.LogNormal.dist(pm.Normal("others_mu", -0.7, 1.0), 0.8)
    honest = pm.LogNormal.dist(np.log(20), 0.1)
    mixture = {"w": pt.stack([share, 1 - share]), "comp_dists": [honest, others]}
    return pm.Mixture("lying_aversion", **mixture, dims=dims)


SPIKED = TrustEmbedded("sender", priors={"lying_aversion": some_honest})
OWN = [SPIKED, TrustEmbedded("receiver", priors={"trust": TIGHT}, belief="prior"), "full-trust"]


@pytest.fixture
def asked(monkeypatch):
    """Replace sampling by random draws, and remember what was asked for."""
    models = []

    def fake(model, trials, sampling, *, progress):
        models.append(model)
        return synthetic_fit(model, trials, chains=sampling.chains, draws=sampling.draws)

    monkeypatch.setattr(manyfits, "fit", fake)
    return models


def test_models_of_a_users_own_are_judged_and_reported(asked, tmp_path):
    analysis = analyse(TRIALS, models=OWN, sampling=SHORT, fits=tmp_path / "fits", progress=False)
    assert list(analysis.fits) == [
        (name, role) for role in TRIALS.roles for name in ("trust-embedded", "full-trust")
    ]
    own = analysis.fits["trust-embedded", "receiver"]
    assert own.model.priors["trust"] == TIGHT
    units = {role: one.unit for role, one in analysis.comparisons.items()}
    assert units == {"sender": "subject-sum", "receiver": "subject"}
    assert set(analysis.people) == {"receiver"}
    written = write_report(analysis, tmp_path / "report.html")
    text = written.html.read_text("utf-8")
    assert "could not be drawn" not in text
    assert "LogitNormal(mu=Normal(mu=0.25, sigma=0.5), sigma=0.75)" in text
    assert "belief: prior" in text
    assert "New senders cannot be predicted by every model here" in text
    assert "New receivers cannot" not in text
    assert "A spike &lt;of honest people&gt;." in text
    assert "new people or new trials of known people" in text
    [made] = [
        one for one in json.loads(written.results.read_text())["how"]["models"] if one["code"]
    ]
    assert "pm.Beta(&#34;honest_share&#34;" in text
    assert 'pm.Beta("honest_share"' in made["code"][0]


def test_a_cognitive_hierarchy_is_reported(asked, tmp_path):
    poisson = Prior("TruncatedPoisson", tau=Prior("Gamma", mean=1.5, shape=2))
    own = [LevelK(role, priors={"level": poisson}) for role in TRIALS.roles]
    analysis = analyse(TRIALS, models=[*own, "full-trust"], sampling=SHORT, progress=False)
    written = write_report(analysis, tmp_path / "report.html")
    text = written.html.read_text("utf-8")
    assert "could not be drawn" not in text
    assert "TruncatedPoisson(tau=Gamma(mean=1.5, shape=2))" in text
    tau = analysis.population.query("parameter == 'level' and statistic == 'Poisson mean'")
    drawn = analysis.fits["level-k", "sender"].posterior["level_tau"]
    at = tau.set_index("role").loc["sender", "mean"]
    assert at == pytest.approx(float(drawn.mean()))


def test_names_stand_for_both_roles_and_models_for_their_own(asked):
    mine = LevelK("receiver", max_level=2)
    found = analyse(TRIALS, models=["full-trust", mine], sampling=SHORT, progress=False)
    keys = [("full-trust", "sender"), ("full-trust", "receiver"), ("level-k", "receiver")]
    assert sorted(found.fits) == sorted(keys)
    assert found.fits["level-k", "receiver"].model.types == ("0", "1", "2")
    only = analyse(TRIALS, models=[mine], sampling=SHORT, progress=False)
    assert set(only.verdicts) == {"receiver"}


def test_a_convention_that_was_chosen_is_not_tried_otherwise(asked):
    chosen = LevelK("receiver", unsent="prior")
    analyse(TRIALS, models=[chosen], sampling=SHORT, progress=False)
    tried = {(one.conventions["ties"], one.conventions["unsent"]) for one in asked}
    assert tried == {("smallest-lie", "prior"), ("uniform", "prior")}


def test_a_verdict_by_trial_says_why(asked, monkeypatch):
    monkeypatch.setattr("trustbayes.inference.gate.Gate.passed", True)
    found = analyse(TRIALS, models=[SPIKED, "full-trust"], sampling=SHORT, progress=False)
    text = found.verdicts["sender"].text
    assert "new trial of a known subject" in text
    assert "New senders were not predicted: no new person can be drawn" in text
    assert "lying aversion in Trust-embedded (some_honest(dims), Python code)" in text
    alone = found.verdicts["receiver"].text
    assert alone == "Only Full trust was fitted to receivers."


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (["level-k", LevelK("receiver")], "found 'level-k, receiver', expected every theory once"),
        ([LevelK("sender", "forecast-sharing")], "kind of game"),
        (["level-k", "level-j"], "found 'level-j', expected one of"),
    ],
)
def test_models_that_do_not_go_together_are_refused(models, message):
    with pytest.raises(InputError, match=message):
        analyse(TRIALS, models=models, progress=False)


def test_new_people_are_refused_before_anything_is_fitted(asked):
    for ask in (
        lambda: analyse(TRIALS, models=[SPIKED], kfold=2, progress=False),
        lambda: kfold([SPIKED], TRIALS, folds=2, seed=1, progress=False),
    ):
        with pytest.raises(InputError, match=r"some_honest\(dims\).*can be drawn alone"):
            ask()
    assert not asked
    held = hold_out([SPIKED], TRIALS, after_round=6, sampling=SHORT, progress=False)
    assert held.table["known"].all()
