"""The straightforward models that trustbayes is measured against have the same posterior."""

import json
import subprocess
import sys
from pathlib import Path

import arviz as az
import numpy as np
import nutpie
import pytest
import xarray as xr
from naive_pymc import MODELS, level_k_sampled
from pymc.model.transform.conditioning import remove_value_transforms
from rows import rows_of

import trustbayes as tb
from trustbayes.models.parametrisation.pilot import pilot
from trustbayes.numerics.graphs import PLAIN

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
CASES = list(MODELS)
POINTS = 4
SIGMA = {"sender": "lying_aversion_sigma", "receiver": "trust_sigma"}
OWN = {"sender": "lying_aversion", "receiver": "trust"}


@pytest.fixture(scope="module")
def trials():
    """Six pairs of the bundled simulated experiment, and whom they met."""
    data = tb.bundled("simulated-finite")
    whole = tb.read_trials(data.trials, data.game)
    few = [f"s{number:02d}" for number in range(1, 7)]
    return whole.subset(whole.table["sender"].isin(few).to_numpy(), "six senders")


def points(model, seed=0):
    """Random points where the sampler works."""
    rng = np.random.default_rng(seed)
    start = model.initial_point()
    return [
        {name: value + 0.4 * rng.normal(size=value.shape) for name, value in start.items()}
        for _ in range(POINTS)
    ]


def moved(point, trials, name, role):
    """A straightforward model's point in the coordinates of trustbayes, and log |Jacobian|.

    All of these are centred: a subject's value takes the place of its offset.
    """
    own = dict(point)
    own["response_precision_log__"] = (
        own.pop("response_precision_offset_log__") + own["response_precision_mean_log__"]
    )
    if name == "level-k":
        return own, 0.0
    log_sigma = own[f"{SIGMA[role]}_log__"]
    effect = np.exp(log_sigma) * own.pop(f"{OWN[role]}_offset")
    units = trials.fold(role)
    found = pilot(tb.model(name, role, trials.game), units, trials.game)
    if role == "sender":
        power = found.couplings["lying_aversion"]
        centre = own["lying_aversion_mu"] + power * own["response_precision_log__"]
    else:
        centre = found.weights["trust"] @ own["trust_mu"]
    own[f"{OWN[role]}_own"] = centre + effect
    return own, effect.size * float(log_sigma)


@pytest.mark.parametrize(("name", "role"), CASES)
def test_density_is_that_of_trustbayes(trials, name, role):
    model = tb.model(name, role, trials.game, parametrisation=centred(name, role))
    straightforward = MODELS[name, role](rows_of(trials, role))
    ours = model.build(trials).compile_logp(mode=PLAIN)
    theirs = straightforward.compile_logp(mode=PLAIN)
    for point in points(straightforward):
        own, log_jacobian = moved(point, trials, name, role)
        # Sums of some hundred terms: rounding is far below 1e-7.
        assert ours(own) == pytest.approx(theirs(point) - log_jacobian, abs=1e-7)


def centred(name, role):
    """The form that `moved` reckons with."""
    own = {} if name == "level-k" else {OWN[role]: "centred"}
    return {"response_precision": "centred", **own}


def natural(point, transformed, plain):
    """A point on the natural scale, where NumPyro's and PyMC's densities are of the same thing."""
    found = {}
    for variable in plain.value_vars:
        rv = plain.values_to_rvs[variable]
        twin = transformed[rv.name]
        value = transformed.rvs_to_values[twin]
        transform = transformed.rvs_to_transforms[twin]
        given = point[value.name]
        back = transform.backward(given, *twin.owner.inputs).eval() if transform else given
        found[variable.name] = np.asarray(back)
    return found


def test_numpyro_has_the_same_density(trials, tmp_path):
    asked, expected = [], []
    for name, role in CASES:
        model = MODELS[name, role](rows_of(trials, role))
        plain = remove_value_transforms(model)
        density = plain.compile_logp(mode=PLAIN)
        for point in points(model, seed=1)[:2]:
            values = natural(point, model, plain)
            expected.append(float(density(values)))
            asked.append([name, role, {key: value.tolist() for key, value in values.items()}])
    data = tb.bundled("simulated-finite")
    trials.table.to_csv(tmp_path / "trials.csv", index=False)
    (tmp_path / "points.json").write_text(json.dumps(asked), "utf-8")
    # JAX runs threads: in this process it would warn wherever another test forks.
    ran = subprocess.run(
        [sys.executable, "-c", NUMPYRO, str(tmp_path), str(data.game)],
        capture_output=True, text=True, check=False, cwd=BENCHMARKS,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    np.testing.assert_allclose(json.loads(ran.stdout), expected, rtol=0, atol=1e-7)


NUMPYRO = """
import json, sys
from pathlib import Path
from naive_numpyro import MODELS
from numpyro.infer.util import log_density
import numpy as np
import trustbayes as tb
from trustbayes.models.parametrisation.pilot import pilot
from rows import rows_of
folder = Path(sys.argv[1])
trials = tb.read_trials(folder / "trials.csv", sys.argv[2])
print(json.dumps([
    float(log_density(MODELS[name, role], (rows_of(trials, role),), {},
                      {key: np.asarray(value) for key, value in point.items()})[0])
    for name, role, point in json.loads((folder / "points.json").read_text())
]))
"""


def test_sampled_levels_sum_to_the_summed(trials):
    """Over all levels of one subject, the density with levels is that without."""
    one = trials.subset((trials.table["sender"] == "s03").to_numpy(), "one sender")
    rows = rows_of(one, "sender")
    summed = MODELS["level-k", "sender"](rows)
    levels = level_k_sampled(rows)
    of_all, of_one = summed.compile_logp(mode=PLAIN), levels.compile_logp(mode=PLAIN)
    for point in points(summed):
        logs = [of_one({**point, "subject_level": np.array([level])}) for level in range(4)]
        assert np.logaddexp.reduce(logs) == pytest.approx(of_all(point), abs=1e-7)


@pytest.mark.slow
def test_fits_agree_within_monte_carlo_error(trials):
    name, role = "trust-embedded", "receiver"
    compiled = nutpie.compile_pymc_model(MODELS[name, role](rows_of(trials, role)))
    settings = {"draws": 1000, "tune": 500, "chains": 2, "target_accept": 0.9}
    tree = nutpie.sample(compiled, seed=1, progress_bar=False, **settings)
    theirs = tree["posterior"].to_dataset()
    how = tb.Sampling(**settings, method="nuts")
    fit = tb.fit(tb.model(name, role, trials.game), trials, how, progress=False)
    gaps = []
    for key in ("response_precision_shape", "trust_mu", "trust_sigma", "trust"):
        ours, others = fit.posterior[key], theirs[key]
        gaps.append(gap(ours, others))
        for quantile in (0.1, 0.5, 0.9):
            cut = others.quantile(quantile, dim=("chain", "draw")).to_numpy()
            gaps.append(gap((ours < cut) * 1.0, (others < cut) * 1.0))
    found = np.concatenate(gaps)
    # Some hundred dependent statistics, standard normal if the posteriors are the same.
    assert np.abs(found).max() < 4.5
    assert np.sqrt((found**2).mean()) < 1.6


def gap(ours, theirs):
    """Difference of means in standard errors, by entry."""
    means, variances = [], []
    for draws in (ours, theirs):
        values = draws.to_numpy().reshape(*draws.shape[:2], -1)
        data = xr.Dataset({"x": (("chain", "draw", "entry"), values)})
        size = az.ess(data, method="mean")["x"].to_numpy()
        means.append(values.mean(axis=(0, 1)))
        variances.append(values.var(axis=(0, 1)) / size)
    return (means[0] - means[1]) / np.sqrt(variances[0] + variances[1])
