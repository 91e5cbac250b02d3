"""The models of forecast sharing as PyMC models: likelihood, graph, forms and settings."""

import json

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
from loops import TRIALS, trial_by_trial

from trustbayes.errors import InputError
from trustbayes.games import FiniteGame, ForecastGame
from trustbayes.inference.fitting import fit
from trustbayes.models import (
    SPECS,
    Babbling,
    FullTrust,
    Hybrid,
    LevelK,
    Mixture,
    Model,
    TrustEmbedded,
    model,
    model_from_dict,
    model_names,
)
from trustbayes.priors.prior import Prior

KIND = "forecast-sharing"
# The mixture has a file of its own.
FORECAST = [spec for spec in SPECS if spec.kind == KIND and spec.name != "mixture"]


def of_game(made, role, **settings):
    return made(role, KIND, **settings)


SETTINGS = [
    *(Model(spec) for spec in FORECAST),
    of_game(TrustEmbedded, "sender", belief="prior", noise="student-t"),
    of_game(TrustEmbedded, "sender", lying_cost="absolute", noise="student-t"),
    of_game(TrustEmbedded, "sender", lying_cost="absolute", indifference="jump"),
    of_game(
        TrustEmbedded,
        "sender",
        belief="prior",
        lying_cost="absolute",
        varies={"expected_trust": ("subject",)},
    ),
    of_game(
        TrustEmbedded,
        "sender",
        varies={"expected_trust": EVERYWHERE, "lying_aversion": EVERYWHERE, "response_noise": ()},
    ),
    of_game(TrustEmbedded, "receiver", belief="prior", varies={"trust": ("subject",)}),
    of_game(TrustEmbedded, "receiver", noise="student-t", varies={"trust": ("treatment",)}),
    of_game(TrustEmbedded, "receiver", priors={"trust": Prior("Beta", alpha=2, beta=3)}),
    of_game(LevelK, "sender", max_level=2, noise="student-t"),
    of_game(LevelK, "receiver", max_level=5, unsent="prior"),
    of_game(LevelK, "receiver", max_level=5, varies={"response_noise": EVERYWHERE}),
    of_game(LevelK, "receiver", max_level=0, priors={"level": Prior("Dirichlet", a=[2.0])}),
    of_game(Hybrid, "sender", max_level=2, noise="student-t"),
    of_game(Hybrid, "sender", max_level=5, varies={"lying_aversion": EVERYWHERE}),
    of_game(Hybrid, "receiver", max_level=2, unsent="prior", varies={"trust": ()}),
    of_game(Babbling, "sender", noise="student-t", varies={"habit": EVERYWHERE}),
    of_game(Babbling, "sender", varies={"habit": (), "response_noise": ("treatment",)}),
    of_game(FullTrust, "receiver", noise="student-t", varies={"response_noise": ()}),
]


@pytest.mark.parametrize("chosen", SETTINGS, ids=setting_id)
def test_the_likelihood_equals_the_trials_one_by_one(chosen):
    trials = TRIALS["forecast"]
    built = build(chosen, trials)
    names = natural_names(chosen)
    dims = {name: built.named_vars_to_dims.get(name, ()) for name in names}
    logs, points = random_point(built, names, draws=3)
    for draw in range(3):
        point = {name: np.asarray(values[draw]) for name, values in points.items()}
        assert logs[draw] == pytest.approx(trial_by_trial(chosen, trials, point, dims), rel=1e-9)
    assert np.ptp(logs) > 1e-3  # the draws differ, so the likelihood must


def test_the_trials_are_at_both_ends_and_between():
    game, table = TRIALS["forecast"].game, TRIALS["forecast"].table
    for role, column in (("sender", "message"), ("receiver", "action")):
        low, high = game.choice_range(role)
        assert {low, high} <= set(table[column])
        assert table[column].between(low, high, inclusive="neither").sum() > 20


@pytest.mark.slow
@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_the_back_end_that_samples_gives_the_same_likelihood(role):
    # In the default mode, numba compiles for a while.
    chosen, trials = of_game(TrustEmbedded, role), TRIALS["forecast"]
    built = build(chosen, trials)
    names = natural_names(chosen)
    dims = {name: built.named_vars_to_dims.get(name, ()) for name in names}
    logs, *values = pm.draw(
        [built["log_likelihood"], *(built[name] for name in names)], random_seed=2
    )
    point = dict(zip(names, values, strict=True))
    assert logs == pytest.approx(trial_by_trial(chosen, trials, point, dims), rel=1e-9)


# Graphs: nothing that is estimated may stand apart from the data


def switched():
    """Every spec under every switch of what varies."""
    for spec in FORECAST:
        for parameter in Model(spec).parameters:
            if parameter.support != "simplex":
                for over in ((), ("subject",), ("treatment",), EVERYWHERE):
                    yield spec, {parameter.name: over}


@pytest.mark.parametrize(("spec", "varies"), list(switched()), ids=switch_id)
@pytest.mark.parametrize("form", ["centred", "non-centred"])
def test_every_free_parameter_is_an_ancestor_of_the_likelihood(spec, varies, form):
    names = [p.name for p in Model(spec).parameters]
    chosen = Model(spec, varies=varies, parametrisation=dict.fromkeys(names, form))
    assert_all_bears_on_the_likelihood(chosen, TRIALS["forecast"])


FORMS = [  # between them all parameters and what they vary over
    of_game(TrustEmbedded, "sender"),
    of_game(Hybrid, "receiver"),
    of_game(LevelK, "sender", varies={"response_noise": EVERYWHERE}),
    of_game(Babbling, "sender", varies={"habit": EVERYWHERE}),
]


@pytest.mark.parametrize("chosen", FORMS, ids=setting_id)
def test_both_forms_give_the_same_density_of_the_same_values(chosen):
    assert_both_forms_agree(chosen, TRIALS["forecast"])


def test_coordinates_name_subjects_treatments_and_levels():
    coords = build(of_game(Hybrid, "receiver", max_level=1), TRIALS["forecast"]).coords
    assert coords["subject"] == ("r0", "r1", "r2", "r3")
    assert coords["treatment"] == ("none", "both", "down")  # as in the game
    assert coords["level"] == ("0", "1")


# Settings


def test_a_model_reads_back_from_its_json_form():
    for chosen in SETTINGS + FORMS:
        again = model_from_dict(json.loads(json.dumps(chosen.to_dict())))
        for attribute in ("spec", "priors", "varies", "parametrisation", "conventions"):
            assert getattr(again, attribute) == getattr(chosen, attribute), attribute
        assert again.to_dict() == chosen.to_dict()
        assert again.to_dict()["kind"] == KIND


@pytest.mark.parametrize("role", ["sender", "receiver"])
@pytest.mark.parametrize("name", model_names(KIND))
def test_a_game_and_its_kind_name_the_same_model(name, role):
    game = ForecastGame(forecast_range=10)
    assert model(name, role, game).spec is model(name, role, KIND).spec
    assert model(name, role, game).spec.kind == KIND
    finite = FiniteGame([1, 2])
    assert model(name, role, finite).spec is model(name, role).spec
    assert model(name, role, finite).spec is not model(name, role, game).spec


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (
            lambda: LevelK("sender", "forecast"),
            ["game", "'forecast'", "'forecast-sharing' (did you mean it?)"],
        ),
        (lambda: of_game(LevelK, "sender", ties="uniform"), ["'ties'", "max_level, news, noise"]),
        (lambda: of_game(LevelK, "sender", lapse=True), ["'lapse'", "max_level, news, noise"]),
        (lambda: of_game(LevelK, "sender", unsent="prior"), ["'unsent'", "max_level, news, noise"]),
        (lambda: of_game(LevelK, "receiver", unsent="tremble"), ["'tremble'", "monotone, prior"]),
        (lambda: of_game(TrustEmbedded, "receiver", belief="mixture"), ["truncated, prior"]),
        (lambda: of_game(TrustEmbedded, "sender", lying_cost="cubic"), ["quadratic, absolute"]),
        (lambda: of_game(TrustEmbedded, "receiver", indifference="jump"), ["'indifference'"]),
        (lambda: of_game(FullTrust, "sender", noise="student"), ["'student'", "normal, student-t"]),
        (
            lambda: of_game(Babbling, "sender", varies={"respons_noise": ()}),
            ["'respons_noise'", "'response_noise' (did you mean it?)"],
        ),
        (
            lambda: of_game(
                Hybrid, "receiver", priors={"trust": Prior("Normal", mu=0, sigma=1)}
            ),
            ["prior of trust: found Normal", "unit"],
        ),
    ],
)  # fmt: skip
def test_unknown_settings_are_refused_with_what_was_expected(make, parts):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        make()
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("role", ["sender", "receiver"])
@pytest.mark.parametrize("made", [TrustEmbedded, LevelK, Hybrid, Mixture, Babbling, FullTrust])
@pytest.mark.parametrize(("kind", "name"), [("finite", "forecast"), (KIND, "power")])
def test_trials_of_the_other_kind_of_game_are_refused(made, role, kind, name):
    chosen, trials = made(role, kind), TRIALS[name]
    for use in (chosen.build, lambda trials: fit(chosen, trials, progress=False)):
        with pytest.raises(InputError) as caught:
            use(trials)
        assert str(caught.value) == (
            f"model {chosen.name}, kind of game: found {kind!r}, expected {trials.game.kind}, as "
            "the trials are: name the game when choosing the model"
        )


def test_unfit_priors_of_shares_are_refused():
    with pytest.raises(ValueError, match="prior of level: found Beta"):
        of_game(LevelK, "sender", priors={"level": Prior("Beta", alpha=1, beta=1)})
