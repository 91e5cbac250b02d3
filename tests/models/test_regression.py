"""Models with formulas: the linear predictor by hand, settings, and new subjects by brute force."""

import json
from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from building import made_up_information
from loops import TRIALS as ALL_TRIALS
from markets import PYTHON
from pytensor.graph.traversal import ancestors
from scipy.special import expit, log_softmax, logsumexp
from scipy.stats import norm
from synthetic import synthetic_fit
from traited import planted_trials

from trustbayes.comparison import leave_one_subject_out
from trustbayes.comparison.new_groups import new_groups
from trustbayes.errors import InputError
from trustbayes.inference.first_run import find_type_densities
from trustbayes.inference.fitting import _pattern  # private: no result shows it
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.models import Joint, LevelK, Mixture, TrustEmbedded, model, model_from_dict
from trustbayes.models.draws import Draws, prior_draws, subject_log_likelihood
from trustbayes.models.graph import build_units
from trustbayes.models.parametrisation.pilot import pilot
from trustbayes.models.parametrisation.type_coordinates import can_be_placed
from trustbayes.priors.prior import Prior

TRIALS = planted_trials()
UNITS = TRIALS.fold("receiver")
TRUST = "1 + crt + treatment + (1 | group)"


def standardised(values):
    return (values - values.mean()) / values.std()


def location_by_hand(data, units):
    """Of trust, from raw covariates, shape (draws, subjects, treatments)."""
    crt = standardised(units.people["receiver_crt"].astype(float))
    columns = list(data["trust_term"].to_numpy())
    slope = dict(zip(columns, data["trust_slope"].to_numpy().T, strict=True))
    groups = list(data["group"].to_numpy())
    effect = data["trust_group_effect"].to_numpy()[:, [groups.index(g) for g in units.groups]]
    fixed = data["trust_mu"].to_numpy()[:, None] + slope["crt"][:, None] * crt + effect
    high = slope["treatment[High]"][:, None, None] * np.array([-0.5, 0.5])
    return fixed[:, :, None] + high


@pytest.mark.parametrize("form", ["centred", "non-centred"])
def test_the_linear_predictor_by_hand(form):
    chosen = TrustEmbedded("receiver", formulas={"trust": TRUST}, parametrisation={"trust": form})
    chosen = chosen.fixed_to(UNITS)
    assert chosen.varies["trust"] == ("subject", "treatment")
    information = made_up_information(chosen, UNITS)
    built = build_units(chosen, UNITS, TRIALS.game, information)
    part = "own" if form == "centred" else "offset"
    names = ["trust_mu", "trust_slope", "trust_group_effect", "trust_sigma"]
    variables = [*names, f"trust_{part}", "trust"]
    drawn = pm.draw([built[n] for n in variables], draws=3, random_seed=1, mode=PYTHON)
    found = dict(zip(variables, drawn, strict=True))
    dims = {"trust_mu": (), "trust_slope": ("trust_term",), "trust_group_effect": ("group",)}
    coords = {n: list(built.coords[n]) for n in ("trust_term", "group")}
    data = xr.Dataset({n: (("sample", *d), found[n]) for n, d in dims.items()}, coords=coords)
    location = location_by_hand(data, UNITS)
    if form == "centred":
        base = (information.weights["trust"] * location).sum(axis=2)
        effect = found["trust_own"] - base
    else:
        effect = found["trust_sigma"][:, None] * found["trust_offset"]
    np.testing.assert_allclose(found["trust"], expit(location + effect[:, :, None]), rtol=1e-9)


def test_everything_bears_on_the_likelihood():
    chosen = TrustEmbedded("receiver", formulas={"trust": TRUST, "response_precision": "1 + age"})
    chosen = chosen.fixed_to(UNITS)
    built = build_units(chosen, UNITS, TRIALS.game, made_up_information(chosen, UNITS))
    above = set(ancestors([built["log_likelihood"]]))
    assert [rv.name for rv in built.free_RVs if rv not in above] == []
    expected = {"trust_slope", "trust_group_sigma", "trust_group_offset", "trust_mu", "trust_sigma"}
    assert expected | {"response_precision_slope"} <= {rv.name for rv in built.free_RVs}


@pytest.mark.parametrize(
    ("name", "role", "kind", "parameter"),
    [
        ("trust-embedded", "sender", "finite", "lying_aversion"),
        ("hybrid", "receiver", "finite", "trust"),
        ("trust-embedded", "sender", "forecast", "lying_aversion"),
        ("trust-embedded", "receiver", "forecast", "response_noise"),
        ("mixture", "receiver", "forecast", "trust"),
        ("trust-embedded", "receiver", "interval", "trust"),
        ("mixture", "sender", "interval", "lying_aversion"),
        ("mixture", "sender", "forecast", "theory"),
    ],
)
def test_a_formula_whose_slopes_are_zero_changes_nothing(name, role, kind, parameter):
    """In any kind of game and model: what new subjects do is what the plain model says."""
    plain_trials = ALL_TRIALS["power" if kind == "finite" else kind]
    units = plain_trials.fold(role)
    rng = np.random.default_rng(2)
    units = replace(units, people={"age": rng.uniform(20, 60, len(units.subjects))})
    game = plain_trials.game
    nothing = Prior("Normal", mu=0.0, sigma=1e-12)
    priors = {f"{parameter}_slope": nothing}
    chosen = model(name, role, game, formulas={parameter: "1 + age"}, priors=priors).fixed_to(units)
    plain = model(name, role, game, varies={parameter: ("subject",)})
    information = pilot(chosen, units, game)
    if can_be_placed(chosen):
        information = find_type_densities(chosen, units, game, information)
    built = build_units(chosen, units, game, information)
    above = set(ancestors([built["log_likelihood"]]))
    assert built[f"{parameter}_slope"] in above
    assert np.isfinite(pm.draw(built["log_likelihood"], random_seed=1, mode=PYTHON))
    draws = prior_draws(chosen, game, units, 3, seed=1)
    data = draws.data.drop_dims(f"{parameter}_term")
    expected = new_subject_log_likelihood(Draws(plain, game, units, data))
    found = new_subject_log_likelihood(draws)
    np.testing.assert_allclose(found.log_likelihood, expected.log_likelihood, rtol=1e-6)
    np.testing.assert_allclose(
        subject_log_likelihood(draws),
        subject_log_likelihood(Draws(plain, game, units, data)),
        rtol=1e-6,
    )


def test_shares_of_levels_by_hand():
    units = TRIALS.fold("sender")
    chosen = LevelK("sender", max_level=2, formulas={"level": "1 + crt"})
    draws = prior_draws(chosen, TRIALS.game, units, 3, seed=2)
    crt = standardised(units.people["crt"].astype(float))
    slope = draws.data["level_slope"].to_numpy()[:, :, 0]
    logs = np.log(draws.data["level_share"].to_numpy())[:, None] + np.zeros((3, 12, 3))
    logs[..., 1:] += slope[:, None] * crt[:, None]
    np.testing.assert_allclose(draws.shares, np.exp(log_softmax(logs, axis=-1)), rtol=1e-9)
    # The PyMC model has the same: its potential is the sum over subjects, types summed out.
    chosen = draws.model
    built = build_units(chosen, units, TRIALS.game, made_up_information(chosen, units))
    names = ["level_share", "level_slope", "response_precision", "log_likelihood"]
    values = pm.draw([built[n] for n in names], random_seed=3, mode=PYTHON)
    dims = [("level",), ("level_contrast", "level_term"), ("subject",)]
    data = {n: (("sample", *d), v[None]) for n, d, v in zip(names, dims, values[:-1], strict=False)}
    again = Draws(chosen, TRIALS.game, units, xr.Dataset(data))
    assert subject_log_likelihood(again).sum() == pytest.approx(float(values[-1]), rel=1e-9)


def test_shares_within_a_mixture_take_a_formula():
    units = TRIALS.fold("sender")
    chosen = Mixture("sender", formulas={"theory": "1 + crt"}).fixed_to(units)
    draws = prior_draws(chosen, TRIALS.game, units, 2, seed=2)
    assert draws.shares.shape == (2, 12, len(chosen.types))
    np.testing.assert_allclose(draws.shares.sum(axis=-1), 1)
    # Shares within level-k are common to all.
    levels = draws.shares[..., [label.startswith("level") for label in chosen.types]]
    within = levels / levels.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(within, within[:, :1] + 0 * within, rtol=1e-9)
    assert np.ptp(draws.shares[0, :, 0]) > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"formulas": {"turst": "1 + crt"}}, r"'turst': expected 'trust' \(did you mean it"),
        (
            {"formulas": {"trust": "1 + crt"}, "varies": {"trust": ("subject", "treatment")}},
            r"varies of trust: .*expected \('subject',\), as its formula",
        ),
        (
            {"formulas": {"trust": "1 + crt"}, "priors": {"trust": Prior("Beta", alpha=1, beta=1)}},
            "expected a prior of trust with one location",
        ),
        (
            {"formulas": {"trust": "1"}, "priors": {"trust_slope": Prior("Normal", mu=0, sigma=1)}},
            "'trust_slope': expected",
        ),
        (
            {"formulas": {"trust": "1 + crt"},
             "priors": {"trust_slope": Prior("HalfNormal", sigma=1)}},
            "prior of trust_slope: .*numbers that are real",
        ),
        (
            {"formulas": {"trust": "1 + (1|group)"},
             "priors": {"trust_group_sigma": Prior("Normal", mu=0, sigma=1)}},
            "prior of trust_group_sigma: .*numbers that are positive",
        ),
        (
            {"formulas": {"trust": "1 + crt"},
             "priors": {"trust": lambda dims: pm.Beta("trust", 1, 1, dims=dims)}},
            "expected a prior of trust with one location",
        ),
    ],
)  # fmt: skip
def test_settings_that_do_not_suit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TrustEmbedded("receiver", **settings)


def test_what_does_not_vary_by_subject_takes_no_formula():
    with pytest.raises(InputError, match=r"a formula of what varies by subject: .*lying_aversion"):
        TrustEmbedded("sender", formulas={"expected_trust": "1 + crt"})
    with pytest.raises(InputError, match="of one type throughout"):
        LevelK("sender", formulas={"level": "1 + treatment"})
    poisson = Prior("TruncatedPoisson", tau=1.5)
    with pytest.raises(InputError, match="a Dirichlet prior of level, or no formula"):
        LevelK("sender", formulas={"level": "1 + crt"}, priors={"level": poisson})
    with pytest.raises(InputError, match=r"joint model, formula of trust: found '1 [+] crt'"):
        Joint(TrustEmbedded("sender"), TrustEmbedded("receiver", formulas={"trust": "1 + crt"}))


def test_lists_in_priors_of_slopes_hold_one_number_for_each_column():
    slopes = Prior("Normal", mu=[1, 2], sigma=0.5)
    chosen = TrustEmbedded(
        "receiver", formulas={"trust": "1 + crt"}, priors={"trust_slope": slopes}
    )
    with pytest.raises(InputError, match="found '2 numbers', expected one number, or 1: for crt"):
        chosen.fixed_to(UNITS)


def test_a_model_comes_back_from_its_form():
    priors = {"trust_slope": Prior("StudentT", nu=4, mu=0, sigma=0.5)}
    chosen = TrustEmbedded("receiver", formulas={"trust": TRUST}, priors=priors)
    for one in (chosen, chosen.fixed_to(UNITS)):
        again = model_from_dict(json.loads(json.dumps(one.to_dict())))
        assert again.to_dict() == one.to_dict()
    assert "formulas" not in TrustEmbedded("receiver").to_dict()
    assert again.priors["trust_slope"] == priors["trust_slope"]


def test_other_people_share_the_compiled_model():
    chosen = TrustEmbedded("receiver", formulas={"trust": TRUST})
    mirrored = {n: values[::-1] for n, values in UNITS.people.items()}
    patterns = {}
    for name, units in (("ours", UNITS), ("others", replace(UNITS, people=mirrored))):
        one = chosen.fixed_to(units)
        information = made_up_information(one, units)
        patterns[name] = _pattern(one, units, TRIALS.game, information, alike=False)
    assert patterns["ours"] == patterns["others"]


def test_the_description_shows_formula_and_priors():
    text = str(TrustEmbedded("receiver", formulas={"trust": TRUST}).describe())
    assert f"trust_slope ~ Normal(mu=0, sigma=1) of each column of '{TRUST}'" in text
    assert "trust_group_effect ~ Normal(mu=0, sigma=trust_group_sigma)" in text
    assert "location of trust = trust_mu + columns × trust_slope + trust_group_effect" in text
    table = LevelK("sender", formulas={"level": "1 + crt"}).describe().parameters
    [row] = table[table["parameter"] == "level_slope"].to_dict("records")
    assert row["prior"] == "Normal(mu=0, sigma=1)"
    assert row["scale"] == "log odds"


def alone(formula=TRUST):
    """A model in which trust is all that a subject has of her own."""
    return TrustEmbedded(
        "receiver", formulas={"trust": formula}, varies={"response_precision": ()}
    ).fixed_to(UNITS)


EFFECTS = np.linspace(-8, 8, 801)  # standard deviations: the trapezoidal rule is exact to 1e-9


def integrated(chosen, data, location, units):
    """Log likelihood of each subject, shape (draws, subjects), her effect summed over a grid."""
    sigma = data["trust_sigma"].to_numpy()
    found = []
    for row in range(data.sizes["sample"]):
        effect = sigma[row] * EFFECTS[:, None, None]
        precision = np.full(EFFECTS.size, data["response_precision"].to_numpy()[row])
        values = {
            "trust": (("sample", "subject", "treatment"), expit(location[row] + effect)),
            "response_precision": (("sample",), precision),
        }
        logs = subject_log_likelihood(Draws(chosen, TRIALS.game, units, xr.Dataset(values)))
        weight = norm.logpdf(EFFECTS)[:, None] + np.log(EFFECTS[1] - EFFECTS[0])
        found.append(logsumexp(logs + weight, axis=0))
    return np.array(found)


def test_new_subjects_have_their_covariates():
    fit = synthetic_fit(alone(), TRIALS, chains=1, draws=4)
    draws = fit.draws()
    location = location_by_hand(draws.data, UNITS)
    expected = integrated(fit.model, draws.data, location, UNITS)
    found = new_subject_log_likelihood(draws)
    # As elsewhere: the error stated is an estimate, right to a small factor.
    assert (np.abs(found.log_likelihood - expected) <= 8 * found.error + 1e-3).all()
    assert found.error.max() < 0.1


def test_new_subjects_of_level_k_have_their_own_shares():
    units = TRIALS.fold("sender")
    varies = {"response_precision": ()}
    chosen = LevelK("sender", max_level=2, formulas={"level": "1 + crt"}, varies=varies)
    draws = prior_draws(chosen, TRIALS.game, units, 3, seed=2)
    # Nothing is left to integrate: the likelihood with the types summed out.
    expected = subject_log_likelihood(draws)
    found = new_subject_log_likelihood(draws)
    np.testing.assert_allclose(found.log_likelihood, expected, rtol=1e-9)


def test_a_group_left_out_has_its_effect_integrated_out():
    fit = synthetic_fit(alone(), TRIALS, chains=1, draws=40)
    draws = fit.draws()
    members = np.array(
        [[g == label for g in UNITS.groups] for label in dict.fromkeys(UNITS.groups)]
    )
    logs, _ = new_groups(fit)
    first = draws.data.isel(sample=slice(0, 3))
    effects = np.linspace(-6, 6, 41)
    parts = []
    for effect in effects:
        spread = first["trust_group_sigma"].to_numpy()[:, None] * effect
        changed = first["trust_group_effect"].copy(data=spread + np.zeros((3, 4)))
        location = location_by_hand(first.assign(trust_group_effect=changed), UNITS)
        by_subject = integrated(fit.model, first, location, UNITS)
        parts.append(np.stack([by_subject[:, m].sum(axis=1) for m in members], axis=1))
    weight = norm.logpdf(effects) + np.log(effects[1] - effects[0])
    expected = logsumexp(np.array(parts) + weight[:, None, None], axis=0)
    np.testing.assert_allclose(logs[:3], expected, atol=0.02)
    assert leave_one_subject_out(fit, "group").labels == ("g0", "g1", "g2", "g3")


def test_groups_in_two_formulas_cannot_be_left_out():
    formulas = {"trust": "1 + (1 | group)", "response_precision": "1 + (1 | group)"}
    fit = synthetic_fit(TrustEmbedded("receiver", formulas=formulas), TRIALS)
    with pytest.raises(InputError, match="found 'trust, response_precision', expected one formula"):
        leave_one_subject_out(fit, "group")
