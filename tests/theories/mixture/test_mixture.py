"""The mixture of theories in games in which people send messages, by enumeration of types."""

import functools
import math
from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from building import (
    EVERYWHERE,
    assert_all_bears_on_the_likelihood,
    assert_both_forms_agree,
    build,
    natural_names,
    pointwise,
    random_point,
    setting_id,
)
from loops import (
    NOISES,
    TRIALS,
    TRIALS_OF_KIND,
    best_choice,
    components,
    levels,
    log_mean,
    option_utilities,
    trial_by_trial,
    type_logs,
    type_weights,
)
from markets import PYTHON
from scipy.special import softmax
from synthetic import synthetic_fit

from trustbayes.estimates.subjects import type_estimates
from trustbayes.models import SPECS, Mixture, Model, draws as evaluate, model_from_dict
from trustbayes.models.draws import (
    Draws,
    cell_log_likelihood,
    subject_log_likelihood,
    type_probabilities,
)
from trustbayes.models.replications import replicate
from trustbayes.priors.prior import Prior

MIXTURES = [spec for spec in SPECS if spec.name == "mixture"]
SPEC_IDS = [f"{spec.kind} {spec.role}" for spec in MIXTURES]
OF_EACH = pytest.mark.parametrize("spec", MIXTURES, ids=SPEC_IDS)


def trials_for(chosen):
    return TRIALS_OF_KIND[chosen.spec.kind]


def in_forecast(role, **settings):
    return Mixture(role, "forecast-sharing", **settings)


SETTINGS = [
    *(Model(spec) for spec in MIXTURES),
    Mixture("sender", max_level=2, lapse=True, belief="prior"),
    Mixture("sender", expected_action="quantal", varies={"expected_trust": EVERYWHERE}),
    Mixture("receiver", max_level=1, ties="uniform", varies={"response_precision": ()}),
    Mixture("receiver", belief="mixture", lapse=True, unsent="prior"),
    in_forecast("sender", max_level=2, lying_cost="absolute", noise="student-t"),
    in_forecast("sender", belief="prior", varies={"lying_aversion": EVERYWHERE}),
    in_forecast("receiver", belief="prior", unsent="prior", max_level=5),
    in_forecast("receiver", max_level=0, varies={"response_noise": ("treatment",), "trust": ()}),
]
OF_SETTINGS = pytest.mark.parametrize(
    "chosen", SETTINGS, ids=lambda chosen: f"{chosen.spec.kind} {setting_id(chosen)}"
)


# The likelihood


@OF_SETTINGS
def test_the_likelihood_is_that_of_enumerated_types(chosen):
    trials = trials_for(chosen)
    built = build(chosen, trials)
    names = natural_names(chosen)
    dims = {name: built.named_vars_to_dims.get(name, ()) for name in names}
    logs, points = random_point(built, names, draws=3)
    for draw in range(3):
        point = {name: np.asarray(values[draw]) for name, values in points.items()}
        assert logs[draw] == pytest.approx(trial_by_trial(chosen, trials, point, dims), rel=1e-9)
    assert np.ptp(logs) > 1e-3


@OF_EACH
def test_a_theory_that_all_follow_is_that_theorys_model(spec):
    chosen = Model(spec)
    trials, built = trials_for(chosen), build(chosen, trials_for(chosen))
    drawn = pm.draw(built.free_RVs, random_seed=5, mode=PYTHON)
    free = {rv.name: value for rv, value in zip(built.free_RVs, drawn, strict=True)}
    density = pointwise(built)
    names = [name for name in natural_names(chosen) if name != "theory_share"]
    dims = {name: built.named_vars_to_dims.get(name, ()) for name in names}
    for theory, part in enumerate(components(chosen)):
        _, values = density(free | {"theory_share": np.eye(3)[theory]})
        point = {name: values.get(name, free.get(name)) for name in names}
        expected = trial_by_trial(part, trials, point, dims)
        assert values["log_likelihood"] == pytest.approx(expected, rel=1e-9)
    # And a level that all follow is that level.
    shares = {"theory_share": np.eye(3)[1], "level_share": np.eye(4)[2]}
    _, values = density(free | shares)
    expected = type_logs(chosen, trials, point, dims)[:, 1 + 2].sum()
    assert values["log_likelihood"] == pytest.approx(expected, rel=1e-9)


@OF_EACH
@pytest.mark.parametrize("form", ["centred", "non-centred"])
def test_every_free_parameter_is_an_ancestor_of_the_likelihood(spec, form):
    names = [p.name for p in Model(spec).parameters]
    chosen = Model(spec, parametrisation=dict.fromkeys(names, form))
    assert_all_bears_on_the_likelihood(chosen, trials_for(chosen))


def test_both_forms_give_the_same_density_of_the_same_values():
    assert_both_forms_agree(Mixture("sender"), TRIALS["power"])


# What it declares


@OF_EACH
def test_types_are_labelled_by_theory_and_level(spec):
    chosen = Model(spec, max_level=2)
    thinking = ("level 0", "level 1", "level 2")
    assert chosen.types == ("trust-embedded", *thinking, "babbling")
    assert dict(chosen.shares) == {
        "theory": ("trust-embedded", "level-k", "babbling"),
        "level": ("0", "1", "2"),
    }
    coords = build(chosen, trials_for(chosen)).coords
    assert coords["theory"] == chosen.shares["theory"]
    assert coords["level"] == chosen.shares["level"]


@OF_EACH
def test_shares_of_types_are_those_of_theories_times_levels(spec):
    rng = np.random.default_rng(1)
    theory, level = rng.dirichlet(np.ones(3), size=(2, 5)), rng.dirichlet(np.ones(4), size=(2, 5))
    found = Model(spec).type_shares({"theory": theory, "level": level})
    assert found.shape == (2, 5, 6)
    np.testing.assert_allclose(found[..., 0], theory[..., 0])
    np.testing.assert_allclose(found[..., 1:5], theory[..., 1:2] * level)
    np.testing.assert_allclose(found[..., 5], theory[..., 2])
    np.testing.assert_allclose(found.sum(axis=-1), 1)


@OF_EACH
def test_each_parameter_is_there_once(spec):
    chosen = Model(spec)
    names = [p.name for p in chosen.parameters]
    assert len(names) == len(set(names))
    assert names[-1] == "theory"
    of_parts = {p.name for part in components(chosen) for p in part.parameters}
    assert set(names) == of_parts | {"theory"}
    if spec.role == "sender":  # habits without a population of their own are each sender's
        assert chosen.varies["habit"] == (("subject",) if spec.kind == "finite" else ())


def test_a_mixture_reads_back_from_its_json_form():
    for chosen in SETTINGS:
        again = model_from_dict(chosen.to_dict())
        assert again.spec is chosen.spec
        assert again.to_dict() == chosen.to_dict()


def test_priors_of_both_shares_can_be_set():
    priors = {
        "theory": Prior("Dirichlet", a=[8.0, 1.0, 1.0]),
        "level": Prior("Dirichlet", a=[1.0, 1.0, 1.0, 9.0]),
    }
    built = build(in_forecast("receiver", priors=priors), TRIALS["forecast"])
    shares = [built["theory_share"], built["level_share"]]
    theory, level = pm.draw(shares, draws=2000, random_seed=1, mode=PYTHON)
    # Standard deviations of single shares are below 0.15: four standard errors.
    np.testing.assert_allclose(theory.mean(axis=0), [0.8, 0.1, 0.1], atol=0.015)
    np.testing.assert_allclose(level.mean(axis=0), [1 / 12, 1 / 12, 1 / 12, 0.75], atol=0.015)


# Draws


def fitted(spec):
    """A fit of random numbers in which no type is out of the question."""
    chosen = Model(spec)
    one = synthetic_fit(chosen, trials_for(chosen), chains=1, draws=4)
    milder = {"response_noise": 3.0, "response_precision": 0.3}
    posterior = one.posterior.assign(
        {name: one.posterior[name] * by for name, by in milder.items() if name in one.posterior}
    )
    return replace(one, posterior=posterior)


def points(draws):
    """The point of each draw, and the dims of all names."""
    names = natural_names(draws.model)
    dims = {name: draws.data[name].dims[1:] for name in names}
    for draw in range(draws.size):
        yield {name: draws.data[name].to_numpy()[draw] for name in names}, dims


@functools.cache
def enumerated(spec):
    """A fit, and for each of its draws the shares and the log densities of rows and types."""
    one = fitted(spec)
    weights, logs = [], []
    for point, dims in points(one.draws()):
        weights.append(type_weights(one.model, point))
        logs.append(type_logs(one.model, trials_for(one.model), point, dims))
    return one, np.array(weights), np.array(logs)


def rows_of_subjects(spec):
    trials = trials_for(Model(spec))
    owner = trials.table[spec.role].to_numpy()
    return [np.flatnonzero(owner == subject) for subject in trials.subjects(spec.role)]


@OF_EACH
def test_type_probabilities_are_bayes_rule_over_enumerated_types(spec):
    one, weights, logs = enumerated(spec)
    found = type_probabilities(one.draws())
    assert found.shape == (4, 4, 6)
    for s, mine in enumerate(rows_of_subjects(spec)):
        joint = weights * np.exp(logs[:, mine].sum(axis=1))
        np.testing.assert_allclose(found[:, s], joint / joint.sum(axis=1)[:, None], atol=1e-9)
    assert ((found > 0.01) & (found < 0.99)).any(axis=(0, 1)).all()  # no type is out of the way
    table = type_estimates(one)
    assert table["type"].tolist() == [*one.model.types] * 4
    np.testing.assert_allclose(table["probability"], found.mean(axis=0).ravel())


@OF_EACH
def test_densities_given_the_other_trials_are_those_of_enumerated_types(spec):
    one, weights, logs = enumerated(spec)
    found = cell_log_likelihood(one.draws())[:, one.units.trial_cell]
    whole = subject_log_likelihood(one.draws())
    for s, mine in enumerate(rows_of_subjects(spec)):
        for draw, share in enumerate(weights):
            with_all = log_mean(share, logs[draw, mine].sum(axis=0))
            assert whole[draw, s] == pytest.approx(with_all, rel=1e-9)
            for row in mine:
                others = logs[draw, mine[mine != row]].sum(axis=0)
                expected = with_all - log_mean(share, others)
                assert found[draw, row] == pytest.approx(expected, rel=1e-8, abs=1e-8)


@OF_EACH
def test_draws_give_together_what_each_gives_alone(spec, monkeypatch):
    draws = fitted(spec).draws()
    kinds = (subject_log_likelihood, cell_log_likelihood, type_probabilities)
    together = [of(draws) for of in kinds]
    for draw in range(draws.size):
        single = Draws(draws.model, draws.game, draws.units, draws.data.isel(sample=[draw]))
        for of, every in zip(kinds, together, strict=True):
            np.testing.assert_allclose(of(single)[0], every[draw], rtol=1e-12, atol=1e-12)
    # And in slices of three draws.
    size = draws.model.response(draws.game).width(draws.units) * 6 * 8
    monkeypatch.setattr(evaluate, "_BUDGET", 3 * size)
    assert len(list(draws.answers())) == 2
    for of, every in zip(kinds, together, strict=True):
        np.testing.assert_allclose(of(draws), every, rtol=1e-12, atol=1e-12)


@OF_EACH
@pytest.mark.parametrize("theory", range(3))
def test_draws_of_a_share_of_one_are_those_of_the_theory(spec, theory):
    """A share that is zero is the corner of the prior, and no error."""
    one = fitted(spec)
    part = components(one.model)[theory]
    draws = one.draws()
    shares = np.tile(np.eye(3)[theory], (draws.size, 1))
    corner = draws.data.assign(theory_share=(("sample", "theory"), shares))
    found = subject_log_likelihood(Draws(one.model, one.game, one.units, corner))
    alone = subject_log_likelihood(Draws(part, one.game, one.units, corner))
    np.testing.assert_allclose(found, alone, rtol=1e-9)
    chances = type_probabilities(Draws(one.model, one.game, one.units, corner))
    own = [label in (part.name, *(f"level {k}" for k in levels(part))) for label in one.model.types]
    np.testing.assert_allclose(chances[..., own].sum(axis=-1), 1)


# Replications


COPIES = 4000


def repeated(one):
    """One draw of a fit, many times over."""
    first = one.draws().data.isel(sample=np.zeros(COPIES, dtype=int))
    return Draws(one.model, one.game, one.units, first)


def mean_choice(part, game, row, values, level):
    """Expected choice in forecast sharing, censored at the ends; the integral of 1 - F."""
    best = best_choice(part, game, row["treatment"], *values, level)
    sigma = values[1]["response_noise"] * game.forecast_range
    low, high = game.choice_range(part.role)
    places = np.linspace(low, high, 2001)
    above = NOISES[part.conventions["noise"]].sf((places - best) / sigma)
    return low + np.trapezoid(above, places)


@pytest.mark.parametrize("given_trials", [False, True], ids=["prior", "posterior"])
@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_replicated_points_have_the_mixtures_means(role, given_trials):
    one = fitted(in_forecast(role).spec)
    many, trials = repeated(one), trials_for(one.model)
    copies = replicate(many, np.random.default_rng(5), given_trials)
    assert copies.shape == (COPIES, one.units.n_trials)
    point, dims = next(points(many))
    chances = type_probabilities(many)[0]
    if not given_trials:
        chances = np.tile(type_weights(one.model, point), (len(chances), 1))
    subjects, seen = one.units.subjects, {"sender": "state", "receiver": "message"}[role]
    for trial, row in enumerate(trials.table.to_dict("records")):
        who = subjects.index(row[role])
        where = {"subject": who, "treatment": one.units.treatments.index(row["treatment"])}
        values = {n: point[n][tuple(where[d] for d in dims[n] if d in where)] for n in point}
        means = [
            mean_choice(part, one.game, row, (row[seen], values), level)
            for part in components(one.model)
            for level in levels(part)
        ]
        # 40 and more means: five standard errors hold all of them but once in 40,000 seeds.
        error = copies[:, trial].std() / math.sqrt(COPIES)
        assert copies[:, trial].mean() == pytest.approx(chances[who] @ means, abs=5 * error)


@pytest.mark.parametrize("given_trials", [False, True], ids=["prior", "posterior"])
@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_replicated_counts_have_the_mixtures_means(role, given_trials):
    one = fitted(Mixture(role).spec)
    many, cells = repeated(one), one.units
    copies = replicate(many, np.random.default_rng(5), given_trials)
    point, dims = next(points(many))
    chances = type_probabilities(many)[0]
    if not given_trials:
        chances = np.tile(type_weights(one.model, point), (len(chances), 1))
    asked = 0
    for unit, position in np.argwhere(cells.counts.sum(axis=-1) > 0):
        who, treatment = cells.unit_subject[unit], cells.unit_treatment[unit]
        where = {"subject": who, "treatment": treatment}
        values = {n: point[n][tuple(where[d] for d in dims[n] if d in where)] for n in point}
        of_types = []
        for part in components(one.model):
            habits = part.name == "babbling" and role == "sender"
            precision = 1.0 if habits else values["response_precision"]
            bias = float(cells.biases[cells.unit_bias[unit]])
            for level in levels(part):
                utilities = option_utilities(part, one.game, bias, position, values, level)
                of_types.append(softmax(precision * np.array(utilities)))
        trials = cells.counts[unit, position].sum()
        expected = trials * (chances[who] @ of_types)
        found = copies[:, unit, position]
        assert (found.sum(axis=-1) == trials).all()
        # About 150 means; five standard errors hold all of them but once in 10,000 seeds.
        error = found.std(axis=0) / math.sqrt(COPIES)
        assert (abs(found.mean(axis=0) - expected) <= 5 * error + 1e-9).all()
        asked += 1
    assert asked > 20


@OF_EACH
def test_a_replicated_subject_is_of_one_type_in_all_trials(spec):
    """With hardly any noise, all of a subject's choices are those of a single type."""
    one = fitted(spec)
    many = repeated(one)
    shares = {"theory_share": [0.3, 0.5, 0.2], "level_share": [0.4, 0.3, 0.2, 0.1]}
    planted = {name: (many.data[name].dims, [v] * COPIES) for name, v in shares.items()}
    share = np.array(type_weights(one.model, shares))
    sharply = {"response_noise": 1e-9, "response_precision": 1e9}
    planted |= {n: xr.full_like(many.data[n], v) for n, v in sharply.items() if n in many.data}
    sharp = Draws(one.model, one.game, one.units, many.data.assign(planted))
    copies = replicate(sharp, np.random.default_rng(2), given_trials=False)
    _, answer, values = next(sharp.answers())
    if spec.kind != "finite":
        best = np.clip(answer[0], *one.game.choice_range(spec.role))
        near = one.game.coarse_step or 1e-5  # eight times what is left of noise
        fits = abs(copies[:, None] - best) < near  # copies, types, trials
        alike = abs(best[:, None] - best) < near  # chance that one type looks like another
        owner = one.units.trial_subject
    else:
        chances = np.exp(one.model.response(one.game).logs(answer, values, typed=True)[0])
        chances = np.moveaxis(chances, 1, 0)  # types, units, seen, options
        possible = chances > 1e-12
        fits = ((copies[:, None] == 0) | possible).all(axis=(-1, -2))
        trials = one.units.counts.sum(axis=-1)
        alike = ((chances[:, None] * possible).sum(axis=-1) ** trials).prod(axis=-1)
        owner = one.units.unit_subject
    for subject in range(len(one.units.subjects)):
        found = fits[..., owner == subject].all(axis=-1).mean(axis=0)
        expected = share @ alike[..., owner == subject].prod(axis=-1)
        # 24 shares of each mixture: four and a half standard errors.
        error = np.sqrt(expected * (1 - expected).clip(0) / COPIES)
        assert (abs(found - expected) < 4.5 * error + 1e-9).all()
    # Levels are not all alike, so that this tells something.
    assert (alike.prod(axis=-1).round(6) < 1).sum() >= 20


@pytest.mark.parametrize("spec", [s for s in SPECS if s.types], ids=lambda s: f"{s.name} {s.role}")
def test_the_answer_of_a_type_is_taken_from_that_of_all(spec):
    model = Model(spec)
    draws = synthetic_fit(model, trials_for(model), draws=4).draws()
    axis = model.response(draws.game).type_axis
    for _, answer, values in draws.answers():
        for kind in range(len(model.types)):
            alone = model.answer_of_type(draws.game, values, kind)
            every = np.take(answer, kind, axis=axis)
            np.testing.assert_allclose(np.broadcast_to(alone, every.shape), every, rtol=1e-12)
