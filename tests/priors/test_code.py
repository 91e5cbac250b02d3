"""Priors that are PyMC code: density, faults, files, and what cannot be done with them."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
import xarray as xr
from building import build, pointwise
from loops import trial_by_trial
from scipy import special, stats
from synthetic import small_trials, synthetic_fit

from trustbayes.comparison.compare import compare
from trustbayes.errors import InputError
from trustbayes.estimates.population import population_estimates
from trustbayes.estimates.subjects import subject_estimates
from trustbayes.inference.fit import load_fit
from trustbayes.inference.fitting import fit_key
from trustbayes.inference.sampling import Sampling
from trustbayes.inference.tasks import FitTask, run_fits
from trustbayes.models import Hybrid, Joint, LevelK, TrustEmbedded, model_from_dict
from trustbayes.models.draws import prior_draws
from trustbayes.models.parametrisation.pilot import pilot
from trustbayes.priors.prior import Prior

# PyTensor says so once it multiplies matrices in Python, as the correlations of LKJ need.
pytestmark = pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")

TRIALS = small_trials()
UNITS = TRIALS.fold("sender")
PAIR = ("response_precision", "lying_aversion")
LOCATION = {"response_precision": 1.0, "lying_aversion": -1.0}


def correlated(dims):
    subjects = len(pm.modelcontext(None).coords["subject"])
    sd = pm.HalfNormal.dist(1.0, shape=2)
    chol, _, _ = pm.LKJCholeskyCov("link", n=2, eta=2.0, sd_dist=sd)
    raw = pm.Normal("raw", shape=(2, subjects))
    linked = [chol[0, 0] * raw[0], chol[1, 0] * raw[0] + chol[1, 1] * raw[1]]
    return {name: pt.exp(LOCATION[name] + linked[i]) for i, name in enumerate(dims)}


def spike(dims):
    share = pm.Beta("honest_share", alpha=1, beta=3)
    others = pm.LogNormal.dist(pm.Normal("others_mu", -0.7, 1.0), 0.8)
    honest = pm.LogNormal.dist(np.log(20), 0.1)
    mixture = {"w": pt.stack([share, 1 - share]), "comp_dists": [honest, others]}
    return pm.Mixture("lying_aversion", **mixture, dims=dims)


def other_spike(dims):
    return pm.HalfNormal("lying_aversion", sigma=2.0, dims=dims)


SPIKED = TrustEmbedded("sender", priors={"lying_aversion": spike})
CORRELATED = TrustEmbedded("sender", priors={PAIR: correlated})


def log_likelihood(chosen, point):
    dims = {name: chosen.varies[name] for name in ("response_precision", "lying_aversion")}
    dims["expected_trust"] = ("treatment",)
    return trial_by_trial(chosen, TRIALS, {name: point[name] for name in dims}, dims)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_density_of_a_correlated_pair_is_that_written_by_hand(seed):
    rng = np.random.default_rng(seed)
    sd, r = rng.uniform(0.3, 1.5, 2), rng.uniform(-0.9, 0.9)
    raw, mu = rng.normal(size=(2, 4)), rng.normal(size=2)
    root = np.sqrt(1 - r**2)
    linked = [sd[0] * raw[0], sd[1] * (r * raw[0] + root * raw[1])]
    values = {name: np.exp(LOCATION[name] + linked[i]) for i, name in enumerate(PAIR)}
    # LKJ with η = 2 of one correlation, carried over to the factor (s₁, s₂ r, s₂ √(1 - r²)).
    expected = np.log(1 - r**2) - np.log(2**3 * special.beta(2, 2))
    expected += stats.halfnorm.logpdf(sd).sum() - np.log(sd[1] / root)
    expected += stats.norm.logpdf(raw).sum() + stats.norm.logpdf(mu, 0, 1.5).sum()
    expected += log_likelihood(CORRELATED, values | {"expected_trust": special.expit(mu)})
    point = {"link": np.array([sd[0], sd[1] * r, sd[1] * root]), "raw": raw}
    found, _ = pointwise(build(CORRELATED, TRIALS))(point | {"expected_trust_mu": mu})
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_density_of_a_spike_is_that_written_by_hand(seed):
    rng = np.random.default_rng(seed)
    share, others, mu = rng.uniform(0.1, 0.9), rng.normal(), rng.normal(size=2)
    aversion = np.array([19.0, 21.0, 0.3, 1.2])
    mean, shape, precision = 2.0, 1.5, rng.uniform(0.5, 4, 4)
    built = build(SPIKED, TRIALS)
    density = share * stats.lognorm.pdf(aversion, 0.1, scale=20)
    density += (1 - share) * stats.lognorm.pdf(aversion, 0.8, scale=np.exp(others))
    expected = np.log(density).sum() + stats.beta.logpdf(share, 1, 3)
    expected += stats.norm.logpdf(others, -0.7, 1) + stats.norm.logpdf(mu, 0, 1.5).sum()
    expected += stats.lognorm.logpdf(mean, 1, scale=np.exp(1))
    expected += stats.lognorm.logpdf(shape, 0.5)
    expected += stats.gamma.logpdf(precision, shape, scale=mean / shape).sum()
    values = {"response_precision": precision, "lying_aversion": aversion}
    expected += log_likelihood(SPIKED, values | {"expected_trust": special.expit(mu)})
    point = {
        **values,
        "honest_share": np.array(share),
        "others_mu": np.array(others),
        "expected_trust_mu": mu,
        "response_precision_mean": np.array(mean),
        "response_precision_shape": np.array(shape),
    }
    found, _ = pointwise(built)(point)
    assert found == pytest.approx(expected, rel=1e-9)


def made(function, key="lying_aversion", **settings):
    return TrustEmbedded("sender", priors={key: function}, **settings)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda dims: pm.HalfNormal("b", shape=3), r"shape: found '\(3,\)', expected \(4,\)"),
        (lambda dims: pm.Normal("b", dims=dims), "draws: found '-.*values from 0"),
        (lambda dims: "much", "found 'str', expected a PyTensor variable"),
        (lambda dims: pm.Poisson("b", 1.0, dims=dims), "sum discrete ones out"),
        (lambda dims: pm.Potential("p", pt.ones(4)), "no pm.Potential"),
        (lambda dims: 2 * pm.HalfNormal("lying_aversion", dims=dims), "the variable .* itself"),
    ],
)
def test_what_does_not_fit_is_refused_before_sampling(function, message):
    with pytest.raises(InputError, match=message):
        build(made(function), TRIALS)


def test_a_joint_prior_gives_all_its_parameters():
    with pytest.raises(InputError, match="a dict with the values of response_precision, lying"):
        build(made(lambda dims: pt.ones(4), PAIR), TRIALS)


def test_names_and_kinds_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"lying_aversoin.*'lying_aversion' \(did you mean it"):
        made(correlated, ("response_precision", "lying_aversoin"))
    with pytest.raises(InputError, match="expected a Prior or a function"):
        made(3.0)
    with pytest.raises(InputError, match="found 'two priors'"):
        TrustEmbedded("sender", priors={PAIR: correlated, "lying_aversion": spike})
    with pytest.raises(InputError, match="a function, to serve several parameters"):
        made(Prior("HalfNormal", sigma=1), PAIR)
    with pytest.raises(ValueError, match="expected one whose support is shares"):
        LevelK("sender", priors={"level": spike})
    with pytest.raises(ValueError, match="expected none"):
        made(spike, parametrisation={"lying_aversion": "centred"})
    with pytest.raises(ValueError, match="a prior of the package"):
        Joint(SPIKED, TrustEmbedded("receiver"))
    with pytest.raises(InputError, match="whose source can be found"):
        made(eval("lambda dims: dims"))
    odd = object()
    with pytest.raises(InputError, match="found 'odd, a object, in function"):
        made(lambda dims: odd)


def scaled(scale):
    return lambda dims: pm.HalfNormal("lying_aversion", sigma=scale, dims=dims)


def test_the_key_knows_the_source_and_what_it_uses():
    priors = [spike, other_spike, scaled(1.0), scaled(2.0), scaled(np.ones(4))]
    keys = [fit_key(made(one), TRIALS, Sampling()) for one in priors]
    assert len(set(keys)) == len(keys)
    assert fit_key(made(scaled(2.0)), TRIALS, Sampling()) == keys[3]


def test_the_pilot_and_the_description_do_without_the_prior():
    found = pilot(SPIKED, UNITS, TRIALS.game)
    assert found.weights["lying_aversion"].shape == (4, 2)
    text = str(CORRELATED.describe())
    assert "lying_aversion from correlated(dims) of response_precision and lying_aversion" in text
    assert "pm.LKJCholeskyCov(" in text


def test_draws_from_the_prior_have_what_the_code_makes():
    drawn = prior_draws(CORRELATED, TRIALS.game, UNITS, 6, seed=1)
    assert drawn.data["link_corr"].shape == (6, 2, 2)
    rows = population_estimates(synthetic_fit(CORRELATED, TRIALS), drawn)
    assert set(rows["parameter"]) == {"expected_trust"}


def test_a_file_holds_the_source_as_text_and_asks_for_the_function(tmp_path):
    one = synthetic_fit(CORRELATED, TRIALS)
    again = load_fit(one.save(tmp_path / "fit.nc"))
    assert again.model.to_dict() == one.model.to_dict()
    assert "LKJCholeskyCov" in again.model.code_priors["lying_aversion"].source
    xr.testing.assert_identical(again.posterior, one.posterior)
    assert subject_estimates(again).equals(subject_estimates(one))
    assert compare([again], "trial").table.equals(compare([one], "trial").table)
    with pytest.raises(InputError, match=r"give it as load_fit\(path, priors="):
        prior_draws(again.model, TRIALS.game, UNITS, 2, seed=1)
    whole = load_fit(tmp_path / "fit.nc", priors={PAIR: correlated})
    assert prior_draws(whole.model, TRIALS.game, UNITS, 2, seed=1).size == 2
    with pytest.raises(InputError, match="expected the function that was fitted with"):
        load_fit(tmp_path / "fit.nc", priors={PAIR: lambda dims: correlated(dims)})
    with pytest.raises(InputError, match="one of the fit's that are functions"):
        load_fit(tmp_path / "fit.nc", priors={"expected_trust": spike})


def test_new_subjects_are_not_predicted():
    with pytest.raises(InputError, match="a prior of the package, from which a new subject"):
        compare([synthetic_fit(SPIKED, TRIALS)], "subject")


def test_code_does_not_travel():
    with pytest.raises(InputError, match=r"spike\(dims\), Python code.*no executor"):
        run_fits([FitTask(SPIKED, TRIALS, Sampling())], None, object(), progress=False)


def test_types_that_ignore_the_parameter_are_summed_out():
    chosen = Hybrid("sender", priors={"lying_aversion": spike})
    assert model_from_dict(chosen.to_dict()).code_priors["lying_aversion"].function is None
    assert np.isfinite(pm.draw(build(chosen, TRIALS)["log_likelihood"], mode="FAST_COMPILE"))


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A user's module, imported anew, and a file of priors that reads it."""
    import importlib
    import sys

    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "study_of_tests.py").write_text(
        "import numpy as np\nMU = 0.5\nCONFIG = {'sigma': 1.0}\nTABLE = np.ones(3)\n"
        "class Settings:\n    def __init__(self):\n        self.sigma = 2.0\n"
        "settings = Settings()\n"
        "def deeper():\n    return MU\n"
    )
    (tmp_path / "priors_of_tests.py").write_text(
        "import pymc as pm\nimport study_of_tests as study\nfrom study_of_tests import deeper\n"
        "def by_value(dims):\n    return pm.HalfNormal('x', sigma=study.MU, dims=dims)\n"
        "def by_function(dims):\n    return pm.HalfNormal('x', sigma=study.deeper(), dims=dims)\n"
        "def by_name(dims):\n    return pm.HalfNormal('x', sigma=deeper(), dims=dims)\n"
        "def by_lambda(dims):\n    return (lambda: pm.HalfNormal('x', sigma=study.MU))()\n"
        "def by_object(dims):\n    return pm.HalfNormal('x', sigma=study.settings.sigma)\n"
        "def other(dims):\n    return pm.HalfNormal('x', sigma=study.CONFIG['sigma'])\n"
        "def whole(dims):\n    return pm.HalfNormal('x', sigma=getattr(study, 'MU'))\n"
        "def inside(dims):\n    import study_of_tests\n    return pm.HalfNormal('x')\n"
        "def file(dims):\n    return pm.HalfNormal('x', sigma=float(open('s').read()))\n"
        "def method(dims):\n    return pm.HalfNormal('x', sigma=study.settings.__eq__(1))\n"
    )
    for name in ("study_of_tests", "priors_of_tests"):
        sys.modules.pop(name, None)
    yield importlib.import_module("study_of_tests"), importlib.import_module("priors_of_tests")
    for name in ("study_of_tests", "priors_of_tests"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["by_value", "by_function", "by_name", "by_lambda"])
def test_values_of_other_modules_belong_to_the_key(study, name):
    module, priors = study

    def key():
        return fit_key(made(getattr(priors, name)), TRIALS, Sampling())

    before = key()
    assert key() == before
    module.CONFIG["sigma"] = 9.0
    assert key() == before
    module.MU = 0.25
    assert key() != before


def test_attributes_of_objects_and_dicts_of_other_modules_too(study):
    module, priors = study
    for name, change in (
        ("by_object", lambda: setattr(module.settings, "sigma", 5.0)),
        ("other", lambda: module.CONFIG.update(sigma=5.0)),
    ):
        before = fit_key(made(getattr(priors, name)), TRIALS, Sampling())
        change()
        assert fit_key(made(getattr(priors, name)), TRIALS, Sampling()) != before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("whole", "found 'study, a module as a whole in function whole'"),
        ("inside", "found 'an import of study_of_tests inside in function inside'"),
        ("file", r"found 'open\(\) in function file'"),
        ("method", "study.settings.__eq__"),
    ],
)
def test_what_cannot_be_followed_is_refused(study, name, message):
    with pytest.raises(InputError, match=message):
        made(getattr(study[1], name))
