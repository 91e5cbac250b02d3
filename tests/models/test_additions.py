"""Down to PyMC and back: what a user adds is sampled, named and kept, or refused."""

import numpy as np
import pymc as pm
import pytest
from synthetic import small_trials

from trustbayes.comparison.compare import compare
from trustbayes.errors import InputError
from trustbayes.inference.fit import load_fit
from trustbayes.inference.fitting import fit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import FullTrust, Hybrid, Mixture
from trustbayes.models.additions import added

TRIALS = small_trials(pairs=3, rounds=6)
MODEL = FullTrust("receiver")
SHORT = Sampling(draws=400, tune=200, chains=2, seed=2)


@pytest.mark.slow
def test_additions_are_sampled_named_and_kept(tmp_path):
    with MODEL.build(TRIALS) as built:
        precision = built["response_precision"]
        pm.Deterministic("twice", 2 * precision, dims="subject")
        bound = pm.Normal("other", 1.0, 0.1)
        pm.Normal("measured", bound, 0.1, observed=1.2)
        pm.Potential("nudge", pm.logp(pm.Normal.dist(5.0, 0.01), precision[0]))
    found = fit(MODEL, TRIALS, SHORT, built=built, progress=False)
    again = load_fit(found.save(tmp_path / "fit.nc"))
    assert again.added == {
        "free": ["other"],
        "deterministic": ["twice"],
        "potential": ["nudge"],
        "observed": ["measured"],
    }
    assert "key" not in again.manifest
    data = again.posterior
    np.testing.assert_allclose(data["twice"], 2 * data["response_precision"], rtol=1e-12)
    # Normal(1, 0.1) and a measurement of 1.2 with the same error: Normal(1.1, 0.071); 800 draws.
    assert float(data["other"].mean()) == pytest.approx(1.1, abs=0.015)
    assert float(data["other"].std()) == pytest.approx(0.1 / np.sqrt(2), rel=0.2)
    # The likelihood of six trials says little against a potential as narrow.
    assert float(data["response_precision"][..., 0].mean()) == pytest.approx(5, abs=0.02)
    assert len(compare([again], "trial").table)
    with pytest.raises(InputError, match="found 'other, nudge, measured'"):
        compare([again], "subject")


def test_deterministics_alone_do_not_alter_the_fit():
    with MODEL.build(TRIALS) as built:
        pm.Deterministic("twice", 2 * built["response_precision"])
    names = added(built, MODEL, TRIALS)
    assert names == {"free": [], "deterministic": ["twice"], "potential": [], "observed": []}


def plain():
    with pm.Model() as model:
        pm.Normal("x")
    return model


def discrete():
    with MODEL.build(TRIALS) as built:
        pm.Poisson("count", 2.0)
    return built


def replaced():
    built = MODEL.build(TRIALS)
    return pm.do(built, {"response_precision_shape": 1.0})


def emptied():
    built = MODEL.build(TRIALS)
    built.potentials.clear()
    del built.named_vars["log_likelihood"]
    return built


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (plain, r"expected the model that model.build\(trials\) made"),
        (replaced, r"expected the model that model.build\(trials\) made"),
        (emptied, "found 'no or another log_likelihood'"),
        (discrete, "found 'count', expected continuous"),
        (lambda: FullTrust("receiver", lapse=True).build(TRIALS), "one built by another model"),
        (lambda: MODEL.build(small_trials(2)), "one built from other trials"),
    ],
)
def test_what_does_not_belong_to_the_model_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        fit(MODEL, TRIALS, SHORT, built=make())


@pytest.mark.parametrize("model", [Mixture("sender"), Hybrid("sender")], ids=["mixture", "hybrid"])
def test_combinations_of_theories_are_refused(model):
    with pytest.raises(InputError, match="sampled in two runs, each with its graph"):
        fit(model, TRIALS, SHORT, built=model.build(TRIALS))
