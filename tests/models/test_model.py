"""The models as PyMC models: likelihood, priors, switches and settings."""

import itertools
import json
import math

import numpy as np
import pymc as pm
import pytest
from building import (
    EVERYWHERE,
    assert_all_bears_on_the_likelihood,
    assert_both_forms_agree,
    build,
    natural_names,
    random_point,
    setting_id,
    switch_id,
)
from loops import TRIALS, TRIALS_OF_KIND, frame, log_probability, option_utilities, trial_by_trial
from markets import PYTHON
from pytensor.graph.traversal import ancestors
from scipy import stats

from trustbayes.games import FiniteGame
from trustbayes.models import (
    SPECS,
    Babbling,
    FullTrust,
    Hybrid,
    LevelK,
    Model,
    Parameter,
    TrustEmbedded,
    model,
    model_from_dict,
    model_names,
)
from trustbayes.models.graph import build_units
from trustbayes.models.hierarchy import declare
from trustbayes.models.parametrisation.pilot import pilot
from trustbayes.priors.prior import Prior
from trustbayes.trials.table import trials_from_frame

# The mixture has a file of its own.
FINITE = [spec for spec in SPECS if spec.kind == "finite" and spec.name != "mixture"]
SPEC_IDS = [f"{spec.name} {spec.role}" for spec in FINITE]


SETTINGS = [
    *(Model(spec) for spec in FINITE),
    TrustEmbedded("sender", belief="prior", lapse=True),
    TrustEmbedded("sender", belief="mixture", varies={"expected_trust": ()}),
    TrustEmbedded("sender", expected_action="quantal"),
    TrustEmbedded(
        "sender",
        expected_action="quantal",
        varies={"expected_trust": EVERYWHERE, "response_precision": ("treatment",)},
    ),
    TrustEmbedded("sender", varies={"expected_trust": ("subject",)}),
    TrustEmbedded("sender", varies={"expected_trust": EVERYWHERE, "lying_aversion": EVERYWHERE}),
    TrustEmbedded("receiver", belief="prior", varies={"trust": ("treatment",)}),
    TrustEmbedded("receiver", belief="mixture", lapse=True, varies={"trust": ("subject",)}),
    TrustEmbedded("receiver", priors={"trust": Prior("Beta", alpha=2, beta=3)}),
    LevelK("sender", max_level=2, ties="uniform", lapse=True),
    LevelK("receiver", max_level=4, unsent="tremble", varies={"response_precision": EVERYWHERE}),
    LevelK("receiver", unsent="prior", priors={"level": Prior("Dirichlet", a=[1, 2, 3, 4])}),
    Hybrid("sender", max_level=2, ties="uniform", lapse=True),
    Hybrid("sender", unsent="prior", varies={"lying_aversion": EVERYWHERE}),
    Hybrid("receiver", belief="mixture", unsent="tremble", lapse=True),
    Hybrid("receiver", max_level=1, varies={"trust": ("treatment",)}),
    Babbling("sender", varies={"habit": EVERYWHERE}),
    Babbling("sender", varies={"habit": ()}),
    Babbling("receiver", lapse=True, varies={"lapse": EVERYWHERE, "response_precision": ()}),
    FullTrust("sender", lapse=True, varies={"response_precision": ("treatment",)}),
]


@pytest.mark.parametrize("chosen", SETTINGS, ids=setting_id)
def test_folded_likelihood_equals_the_trials_one_by_one(chosen):
    trials = TRIALS["power"]
    built = build(chosen, trials)
    names = natural_names(chosen)
    dims = {name: built.named_vars_to_dims.get(name, ()) for name in names}
    logs, points = random_point(built, names, draws=3)
    for draw in range(3):
        point = {name: np.asarray(values[draw]) for name, values in points.items()}
        expected = trial_by_trial(chosen, trials, point, dims)
        assert logs[draw] == pytest.approx(expected, rel=1e-9)
    assert np.ptp(logs) > 1e-3  # the draws differ, so the likelihood must


@pytest.mark.parametrize("spec", FINITE, ids=SPEC_IDS)
def test_folded_likelihood_equals_the_trials_one_by_one_in_a_table_game(spec):
    chosen, trials = Model(spec), TRIALS["table"]
    built = build(chosen, trials)
    names = natural_names(chosen)
    logs, point = random_point(built, names, seed=3)
    dims = {name: built.named_vars_to_dims.get(name, ()) for name in names}
    assert logs == pytest.approx(trial_by_trial(chosen, trials, point, dims), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["trust-embedded", "level-k"])
def test_the_back_end_that_samples_gives_the_same_likelihood(name):
    # In the default mode, numba compiles for half a minute.
    chosen = model(name, "receiver")
    built = chosen.build(TRIALS["power"])
    names = natural_names(chosen)
    variables = [built["log_likelihood"], *(built[n] for n in names)]
    logs, *values = pm.draw(variables, random_seed=2)
    point = dict(zip(names, values, strict=True))
    dims = {n: built.named_vars_to_dims.get(n, ()) for n in names}
    expected = trial_by_trial(chosen, TRIALS["power"], point, dims)
    assert logs == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("role", ["sender", "receiver"])
@pytest.mark.parametrize("lapse", [False, True])
def test_summed_out_levels_equal_enumeration_of_all_assignments(role, lapse):
    game = FiniteGame([1, 2, 3])
    treatments = {"low": (1.0,), "high": (2.0,)}
    listed = frame([1, 2, 3], [1, 2, 3], [1, 2, 3], 4, 3, 2, treatments)
    trials = trials_from_frame(listed, game)
    subjects = trials.subjects(role)
    assert len(subjects) == 3
    chosen = LevelK(role, max_level=2, lapse=lapse)
    built = chosen.build(trials)
    names = natural_names(chosen)
    logs, point = random_point(built, names, seed=1)
    seen, option = ("state", "message") if role == "sender" else ("message", "action")
    total = 0.0
    for assignment in itertools.product(range(3), repeat=3):
        probability = 1.0
        for level in assignment:
            probability *= point["level_share"][level]
        for row in trials.table.to_dict("records"):
            who = subjects.index(row[role])
            utilities = option_utilities(
                chosen, game, row["bias"], int(row[seen]) - 1, {}, assignment[who]
            )
            precision = point["response_precision"][who]
            share = point["lapse"][who] if lapse else None
            picked = int(row[option]) - 1
            probability *= math.exp(log_probability(utilities, picked, precision, share))
        total += probability
    assert math.exp(logs) == pytest.approx(total, rel=1e-10)


# Graphs: nothing that is estimated may stand apart from the data


def switched():
    """Every spec under every switch of what varies and of the form."""
    for spec in FINITE:
        flags = [{}]
        if any(c.name == "lapse" for c in spec.conventions):
            flags.append({"lapse": True})
        if any(c.name == "expected_action" for c in spec.conventions):
            flags.append({"expected_action": "quantal"})
        for flag in flags:
            for parameter in Model(spec, **flag).parameters:
                if parameter.support == "simplex":
                    continue
                for over in ((), ("subject",), ("treatment",), EVERYWHERE):
                    yield spec, flag, {parameter.name: over}


@pytest.mark.parametrize(("spec", "flag", "varies"), list(switched()), ids=switch_id)
@pytest.mark.parametrize("form", ["centred", "non-centred"])
def test_every_free_parameter_is_an_ancestor_of_the_likelihood(spec, flag, varies, form):
    names = [p.name for p in Model(spec, **flag).parameters]
    chosen = Model(spec, varies=varies, parametrisation=dict.fromkeys(names, form), **flag)
    assert_all_bears_on_the_likelihood(chosen, TRIALS["power"])


# Centred and non-centred forms


FORMS = [
    *(Model(spec) for spec in FINITE),
    TrustEmbedded("sender", lapse=True, varies={"lying_aversion": EVERYWHERE}),
    TrustEmbedded("sender", varies={"expected_trust": EVERYWHERE}),
    TrustEmbedded("sender", varies={"response_precision": EVERYWHERE}),
    TrustEmbedded("receiver", varies={"response_precision": EVERYWHERE, "trust": ("subject",)}),
    Babbling("sender", varies={"habit": EVERYWHERE}),
]


@pytest.mark.parametrize("chosen", FORMS, ids=setting_id)
def test_both_forms_give_the_same_density_of_the_same_values(chosen):
    assert_both_forms_agree(chosen, TRIALS["power"])


ABOUT_TWO = Prior("Gamma", mean=2, shape=9)  # well above 0, where draws of a gamma underflow


@pytest.mark.parametrize("varies", [("subject",), EVERYWHERE], ids="+".join)
@pytest.mark.parametrize("form", ["centred", "non-centred"])
@pytest.mark.parametrize(
    "prior",
    [
        Prior("Normal", mu=Prior("Normal", mu=1, sigma=2), sigma=Prior("HalfNormal", sigma=1)),
        Prior("StudentT", nu=5, mu=Prior("Normal", mu=1, sigma=2), sigma=0.7),
        Prior("LogNormal", mu=Prior("Normal", mu=-0.7, sigma=1), sigma=Prior("Exponential", lam=2)),
        Prior("LogitNormal", mu=Prior("Normal", mu=0.5, sigma=1.5), sigma=0.8),
        Prior(
            "Gamma", mean=Prior("LogNormal", mu=1, sigma=1), shape=Prior("Gamma", mean=2, shape=9)
        ),
    ],
    ids=lambda prior: prior.distribution,
)
def test_natural_values_are_distributed_as_the_prior_says(prior, form, varies):
    draws, rng = 1500, np.random.default_rng(2)
    weights = np.array([[0.2, 0.8], [1.0, 0.0], [0.5, 0.5]])
    parameter = Parameter("x", "x", "", "", prior.family.support, varies, prior)
    with pm.Model(coords={"subject": range(3), "treatment": range(2)}):
        shift = 0.3 if form == "centred" else 0.0
        value, dims = declare(
            parameter, prior, varies, centred=form == "centred", weights=weights, shift=shift
        )
    assert dims == varies
    found = pm.draw(value, draws=draws, random_seed=4, mode=PYTHON)
    if varies == ("subject",):
        found = found[:, :, None]
    expected = simulate(prior, found.shape, rng)
    forward = prior.family.link.forward
    found, expected = forward(found), forward(expected)
    statistics = {
        "value": lambda x: x[:, 1, -1],
        "between subjects": lambda x: x[:, 0, 0] - x[:, 2, 0],
        "mean of subjects": lambda x: x.mean(axis=(1, 2)),
    }
    if len(varies) == 2:
        statistics["between treatments"] = lambda x: x[:, 2, 1] - x[:, 2, 0]
    for name, statistic in statistics.items():
        # Two samples of 1,500: a p-value below 1e-3 would come by chance once in a thousand
        # seeds; the seeds are fixed, and a wrong spread or a doubled location gives 1e-10.
        test = stats.ks_2samp(statistic(found), statistic(expected))
        assert test.pvalue > 1e-3, name


def simulate(prior, shape, rng):
    """Values of subjects in treatments from a hierarchy, written out in NumPy."""
    draws, subjects, treatments = shape

    def number(argument, size):
        value = prior.arguments[argument]
        if not isinstance(value, Prior):
            return np.full(size, value, dtype=float)
        given = value.arguments
        if value.distribution == "Normal":
            return rng.normal(given["mu"], given["sigma"], size)
        if value.distribution == "LogNormal":
            return np.exp(rng.normal(given["mu"], given["sigma"], size))
        if value.distribution == "Gamma":
            return rng.gamma(given["shape"], given["mean"] / given["shape"], size)
        if value.distribution == "HalfNormal":
            return abs(rng.normal(0, given["sigma"], size))
        assert value.distribution == "Exponential"
        return rng.exponential(1 / given["lam"], size)

    location = number("mean" if prior.distribution == "Gamma" else "mu", (draws, 1, treatments))
    if prior.distribution == "Gamma":
        k = number("shape", (draws, 1, 1))
        return location * rng.gamma(np.broadcast_to(k, (draws, subjects, 1))) / k
    sigma = number("sigma", (draws, 1, 1))
    if prior.distribution == "StudentT":
        effect = rng.standard_t(prior.arguments["nu"], (draws, subjects, 1))
    else:
        effect = rng.normal(size=(draws, subjects, 1))
    linked = location + sigma * effect
    if prior.distribution == "LogNormal":
        return np.exp(linked)
    return 1 / (1 + np.exp(-linked)) if prior.distribution == "LogitNormal" else linked


# Settings


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda: model("levelk", "sender"), ["'levelk'", "'level-k' (did you mean it?)"]),
        (lambda: model("level-k", "referee"), ["'referee'", "sender or receiver"]),
        (lambda: TrustEmbedded("sender", believe="prior"), ["'believe'", "'belief' (did you"]),
        (lambda: TrustEmbedded("sender", belief="truncate"), ["'truncate'", "truncated, prior"]),
        (lambda: LevelK("sender", max_level=-1), ["max_level", "-1", "a whole number from 0"]),
        (lambda: LevelK("sender", max_level=1.5), ["1.5", "a whole number from 0"]),
        (lambda: LevelK("sender", max_level=True), ["True", "a whole number from 0"]),
        (lambda: LevelK("sender", max_level=None), ["None", "a whole number from 0"]),
        (lambda: LevelK("sender", ties=None), ["None", "smallest-lie, uniform"]),
        (
            lambda: TrustEmbedded("receiver", priors={"trsut": Prior("Beta", alpha=1, beta=1)}),
            ["'trsut'", "'trust' (did you mean it?)"],
        ),
        (
            lambda: TrustEmbedded("receiver", varies={"precision": ("subject",)}),
            ["'precision'", "known are: response_precision, trust"],
        ),
        (
            lambda: TrustEmbedded("receiver", varies={"lapse": ("subject",)}),
            ["'lapse'", "known are"],  # there is no lapse without the convention
        ),
        (
            lambda: TrustEmbedded("receiver", varies={"trust": ("subjects",)}),
            ["varies of trust", "'subjects'", "'subject' and 'treatment'"],
        ),
        (
            lambda: LevelK("sender", varies={"level": ("subject", "treatment")}),
            ["varies of level", "treatment"],
        ),
        (
            lambda: TrustEmbedded("receiver", parametrisation={"trst": "centred"}),
            ["'trst'", "'trust' (did you mean it?)"],
        ),
        (
            lambda: TrustEmbedded("receiver", parametrisation={"trust": "centered"}),
            ["parametrisation of trust", "'centered'", "'centred'"],
        ),
    ],
)  # fmt: skip
def test_unknown_settings_are_refused_with_what_was_expected(make, parts):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        make()
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("role", "name", "prior"),
    [
        ("receiver", "trust", Prior("Normal", mu=0, sigma=1)),
        ("receiver", "trust", Prior("HalfNormal", sigma=1)),
        ("receiver", "response_precision", Prior("Beta", alpha=1, beta=1)),
        ("sender", "lying_aversion", Prior("Normal", mu=0, sigma=1)),
        ("sender", "expected_trust", Prior("Dirichlet", a=[1, 1])),
    ],
)
def test_a_prior_of_the_wrong_support_is_refused(role, name, prior):
    with pytest.raises(ValueError, match=f"prior of {name}: found {prior.distribution}, expected"):
        TrustEmbedded(role, priors={name: prior})


def test_every_default_prior_fits_its_parameter():
    for spec in SPECS:
        assert spec.parameters, spec.name
        Model(spec, priors={p.name: p.prior for p in Model(spec).parameters})
    kinds = ("finite", "forecast-sharing", "interval")
    for kind in kinds:
        every = ("trust-embedded", "level-k", "hybrid", "mixture", "babbling", "full-trust")
        assert model_names(kind) == every
    of_both = 2 * sum(len(model_names(kind)) for kind in kinds)
    assert len(SPECS) == of_both + len(model_names("recommendation"))


@pytest.mark.parametrize(
    "prior",
    [
        Prior("HalfNormal", sigma=Prior("HalfNormal", sigma=2)),
        Prior("Exponential", lam=Prior("LogNormal", mu=0, sigma=1)),
        Prior("Gamma", mean=3, shape=Prior("LogNormal", mu=0, sigma=1)),
        Prior("LogNormal", mu=Prior("Normal", mu=Prior("Normal", mu=0, sigma=1), sigma=1), sigma=1),
    ],
    ids=repr,
)
def test_any_prior_may_have_priors_as_arguments(prior):
    built = FullTrust("sender", priors={"response_precision": prior}).build(TRIALS["power"])
    above = set(ancestors([built["log_likelihood"]]))
    assert len(built.free_RVs) > 1
    assert all(rv in above for rv in built.free_RVs)


def test_a_model_reads_back_from_its_json_form():
    for chosen in SETTINGS + FORMS:
        form = json.loads(json.dumps(chosen.to_dict()))
        again = model_from_dict(form)
        for attribute in ("spec", "priors", "varies", "parametrisation", "conventions"):
            assert getattr(again, attribute) == getattr(chosen, attribute), attribute
        assert again.to_dict() == chosen.to_dict()


def test_a_role_without_trials_is_refused():
    listed = frame([1, 2, 3], [1, 2, 3], [1, 2, 3]).drop(columns=["receiver", "action"])
    trials = trials_from_frame(listed, FiniteGame([1, 2, 3]))
    with pytest.raises(ValueError, match="no trials of the receiver"):
        LevelK("receiver").build(trials)


def test_coordinates_name_subjects_treatments_levels_and_messages():
    trials = TRIALS["power"]
    coords = LevelK("sender").build(trials).coords
    assert coords["subject"] == ("s0", "s1", "s2", "s3")
    assert coords["treatment"] == ("down", "none", "both")  # by mean bias
    assert coords["level"] == ("0", "1", "2", "3")
    assert Babbling("sender").build(trials).coords["message"] == ("1", "2.5", "4", "6")


@pytest.mark.parametrize("spec", SPECS, ids=lambda one: f"{one.name} {one.role} {one.kind}")
def test_a_model_whose_trials_can_be_replaced_has_the_same_density(spec):
    trials = TRIALS_OF_KIND[spec.kind]
    chosen, units = Model(spec), trials.fold(spec.role)
    known = pilot(chosen, units, trials.game)
    fixed, open_ = (
        build_units(chosen, units, trials.game, known, replaceable=one) for one in (False, True)
    )
    point = fixed.initial_point()
    found = [one.compile_logp(mode="FAST_COMPILE")(point) for one in (fixed, open_)]
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_names_of_version_0_1_say_what_they_are_called_now():
    chosen, game = TrustEmbedded("sender"), TRIALS["power"].game
    with pytest.warns(FutureWarning, match=r"Model\.but is now Model\.replace"):
        other = chosen.but(belief="prior")
    assert type(other) is type(chosen)
    assert other.to_dict() == chosen.replace(belief="prior").to_dict()
    with pytest.warns(FutureWarning, match=r"Model\.settle is now Model\.resolve_conventions"):
        assert chosen.settle(game) == chosen.resolve_conventions(game)
    with pytest.warns(FutureWarning, match=r"Model\.coded is now Model\.code_priors"):
        assert chosen.coded == {}
    assert not hasattr(chosen, "priors_of")


def test_what_a_changed_convention_does_without_is_not_kept():
    base = model("trust-embedded", "sender", priors={"lying_aversion": Prior("LogNormal", mu=0,
                                                                             sigma=1)})  # fmt: skip
    lump = base.replace(lying_cost="lump-sum")
    assert "lying_aversion" not in lump.priors
    assert [p.name for p in lump.parameters] == [
        "response_precision", "lump_sum_aversion", "expected_trust",
    ]  # fmt: skip
    both = base.replace(lying_cost="both")
    assert both.priors["lying_aversion"] == base.priors["lying_aversion"]
    with pytest.raises(ValueError, match="lying_aversion"):
        base.replace(
            lying_cost="lump-sum", priors={"lying_aversion": base.priors["lying_aversion"]}
        )
