"""Placed parameters: a change of variables for each type, held against the model written out."""

from dataclasses import replace
from itertools import product

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from building import made_up_information, pointwise
from loops import TRIALS, TRIALS_OF_KIND
from markets import PYTHON
from pytensor.graph.traversal import ancestors
from scipy import stats
from scipy.special import expit, logsumexp

from trustbayes.games import FiniteGame
from trustbayes.inference.first_run import find_type_densities
from trustbayes.inference.fitting import _pattern  # private: no result shows the first
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.models import SPECS, Hybrid, LevelK, Mixture, Model, TrustEmbedded
from trustbayes.models.draws import Draws
from trustbayes.models.graph import build_units
from trustbayes.models.parametrisation.pilot import pilot
from trustbayes.models.parametrisation.type_coordinates import Habits, TypeDensities, can_be_placed
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import trials_from_frame

EVERY = [Model(replace(spec, placed=True)) for spec in SPECS if spec.types]
PLACED = [model for model in EVERY if can_be_placed(model)]
OF_EACH = pytest.mark.parametrize(
    "model", PLACED, ids=[f"{m.spec.kind} {m.name} {m.role}" for m in PLACED]
)
INVERSE = {"LogNormal": np.exp, "LogitNormal": expit, "Gamma": np.exp}


def trials_for(model):
    return TRIALS_OF_KIND[model.spec.kind]


def made_up_densities(model, units, seed=3):
    """Of any precision; none at all for what a type ignores, as the trials tell nothing of it."""
    rng = np.random.default_rng(seed)
    own = [
        p for p in model.parameters if p.support != "simplex" and "subject" in model.varies[p.name]
    ]
    names = tuple(p.name for p in own if p.option is None)
    shape = (len(units.subjects), len(model.types), len(names))
    root = rng.normal(size=(*shape, len(names)))
    heeds = [[name not in model.ignored[label] for name in names] for label in model.types]
    root *= np.array(heeds)[..., None]
    habits = {}
    for parameter in own:
        if parameter.option:
            [type_index] = [
                k for k, t in enumerate(model.types) if parameter.name not in model.ignored[t]
            ]
            size = (shape[0], units.counts.shape[-1])
            scale = np.tril(rng.normal(size=(*size, size[1])), -1)
            scale += rng.uniform(0.3, 1, size)[..., None] * np.eye(size[1])
            habits[parameter.name] = Habits(type_index, rng.normal(size=size), scale)
    shift = rng.normal(size=shape) * np.array(heeds)
    return TypeDensities(names, root @ root.swapaxes(-1, -2), shift, habits)


def built_with(model, units, game, densities):
    information = replace(made_up_information(model, units), type_densities=densities)
    return build_units(model, units, game, information), information


def drawn(built, seed=5):
    values = pm.draw(built.free_RVs, random_seed=seed, mode=PYTHON)
    return {rv.name: value for rv, value in zip(built.free_RVs, values, strict=True)}


class WrittenOut:
    """Each subject's parameters and densities under each type, one matrix at a time."""

    def __init__(self, model, units, game, information, point, values):
        densities = information.type_densities
        subjects, types, _ = densities.shift.shape
        z = np.column_stack([point[f"{name}_offset"] for name in densities.names])
        self.joint = np.zeros((subjects, types))
        natural = [{name: [] for name in densities.names} for _ in range(types)]
        for k in range(types):
            for i in range(subjects):
                centre, spread, density = [], [], []
                for name in densities.names:
                    prior = model.priors[name]
                    at = point[f"{name}_{prior.family.location}"]
                    at = np.log(at) if prior.distribution == "Gamma" else at
                    if "treatment" in model.varies[name]:
                        at = information.weights[name][i] @ at
                    centre.append(at)
                    if prior.distribution == "Gamma":
                        shape = point[f"{name}_shape"]
                        density.append(stats.loggamma(shape, loc=at - np.log(shape)).logpdf)
                        # Its moments by their series, to the order that the map takes them.
                        centre[-1] = at - 1 / (2 * shape) - 1 / (12 * shape**2)
                        spread.append(1 / shape + 1 / (2 * shape**2))
                    else:
                        density.append(stats.norm(at, point[f"{name}_sigma"]).logpdf)
                        spread.append(point[f"{name}_sigma"] ** 2)
                precision = densities.precision[i, k] + np.diag(1 / np.array(spread))
                pull = densities.shift[i, k] + np.array(centre) / np.array(spread)
                factor = np.linalg.cholesky(precision)
                far = np.sinh(0.3 * z[i]) / 0.3
                x = np.linalg.solve(precision, pull) + np.linalg.solve(factor.T, far)
                volume = -0.5 * np.linalg.slogdet(precision)[1] + np.log(np.cosh(0.3 * z[i])).sum()
                self.joint[i, k] += volume - stats.norm.logpdf(z[i]).sum()
                self.joint[i, k] += sum(f(v) for f, v in zip(density, x, strict=True))
                for j, name in enumerate(densities.names):
                    prior = model.priors[name]
                    linked = x[j]
                    if "treatment" in model.varies[name]:
                        at = point[f"{name}_{prior.family.location}"]
                        linked = x[j] + at - information.weights[name][i] @ at
                    natural[k][name].append(INVERSE[prior.distribution](linked))
        self.natural = [{n: np.array(v) for n, v in one.items()} for one in natural]
        for name, habits in densities.habits.items():
            prior = model.priors[name].arguments
            law = stats.norm(prior["mu"], prior["sigma"])
            z = point[f"{name}_offset"]
            for one in self.natural:
                one[name] = prior["mu"] + prior["sigma"] * z
            moved = np.einsum("ijk,ik->ij", habits.scale, np.sinh(0.3 * z) / 0.3)
            self.natural[habits.type_index][name] = habits.mean + moved
            size = np.linalg.slogdet(habits.scale)[1] + np.log(np.cosh(0.3 * z)).sum(axis=1)
            density = law.logpdf(habits.mean + moved) - stats.norm.logpdf(z)
            self.joint[:, habits.type_index] += size + density.sum(axis=1)
        share = model.type_shares({name: point[f"{name}_share"] for name in model.shares})
        self.joint += np.log(share)
        shared = {
            p.name: values.get(p.name, point.get(p.name))
            for p in model.parameters
            if p.support != "simplex" and p.name not in densities.placed
        }
        for k, own in enumerate(self.natural):
            arrays = own | shared
            data = {
                name: (("sample", *dims_of(model, name)), np.asarray(array)[None])
                for name, array in arrays.items()
            }
            draws = Draws(model, game, units, xr.Dataset(data))
            [(_, logs)] = draws.cell_logs()
            self.joint[:, k] += draws.by_subject(logs)[0, :, k]


def dims_of(model, name):
    [option] = [p.option for p in model.parameters if p.name == name]
    over = [d for d in ("subject", "treatment") if d in model.varies[name]]
    return (*over, option) if option else tuple(over)


@OF_EACH
def test_the_density_is_that_of_the_parameters_times_the_volume_of_the_map(model):
    trials = trials_for(model)
    units = trials.fold(model.role)
    densities = made_up_densities(model, units)
    built, information = built_with(model, units, trials.game, densities)
    density = pointwise(built)
    for seed in range(3):
        point = drawn(built, seed)
        _, values = density(point)
        out = WrittenOut(model, units, trials.game, information, point, values)
        expected = logsumexp(out.joint, axis=1).sum()
        assert values["log_likelihood"] == pytest.approx(expected, rel=1e-9)


@OF_EACH
def test_the_parameters_kept_are_those_of_a_type_drawn_by_its_probability(model):
    trials = trials_for(model)
    units = trials.fold(model.role)
    built, information = built_with(model, units, trials.game, made_up_densities(model, units))
    density = pointwise(built)
    point = drawn(built)
    out = WrittenOut(model, units, trials.game, information, point, density(point)[1])
    reached = np.exp(out.joint - logsumexp(out.joint, axis=1, keepdims=True)).cumsum(axis=1)
    met = set()
    for aim in np.linspace(0.005, 0.995, 12):
        _, values = density(point | {"type_aim": np.full(len(reached), aim)})
        for i, edges in enumerate(reached):
            type_index = min(int((edges < aim).sum()), len(edges) - 1)
            met.add(type_index)
            for name, every in out.natural[type_index].items():
                np.testing.assert_allclose(values[name][i], every[i], rtol=1e-9)
    assert len(met) > 1


@OF_EACH
def test_only_the_coordinates_and_the_pick_of_a_type_take_the_place_of_parameters(model):
    trials = trials_for(model)
    units = trials.fold(model.role)
    plain = build_units(model, units, trials.game, made_up_information(model, units))
    densities = made_up_densities(model, units)
    built, _ = built_with(model, units, trials.game, densities)
    own = {
        rv.name for rv in plain.free_RVs if "subject" in plain.named_vars_to_dims.get(rv.name, ())
    }
    population = {rv.name for rv in plain.free_RVs} - own
    coordinates = {f"{name}_offset" for name in densities.placed}
    assert {rv.name for rv in built.free_RVs} == population | coordinates | {"type_aim"}
    for name in densities.placed:
        assert built.named_vars_to_dims[name] == dims_of(model, name)
    above = set(ancestors([built["log_likelihood"]]))
    assert {rv.name for rv in built.free_RVs if rv not in above} == {"type_aim"}


def test_what_can_be_placed():
    assert PLACED == EVERY
    for role, kind in product(("sender", "receiver"), ("finite", "forecast-sharing")):
        assert can_be_placed(Hybrid(role, kind))
        assert can_be_placed(Mixture(role, kind))
    spread = {"habit": Prior("Normal", mu=Prior("ZeroSumNormal", sigma=1.0), sigma=1.0)}
    beta = {"trust": Prior("Beta", alpha=2, beta=3)}
    for other in (
        LevelK("sender"),
        TrustEmbedded("sender"),
        Mixture("sender", priors=spread),
        Hybrid("receiver", parametrisation={"trust": "centred"}),
        Hybrid("receiver", priors=beta, varies={"trust": ("subject",)}),
        Hybrid("receiver", varies={"trust": ("treatment",), "response_precision": ()}),
    ):
        assert not can_be_placed(other)


def test_what_is_placed_has_no_form_and_is_compiled_once_for_all():
    trials = TRIALS["forecast"]
    model, units = Mixture("sender", "forecast-sharing"), trials.fold("sender")
    found = find_type_densities(model, units, trials.game, pilot(model, units, trials.game))
    assert set(found.type_densities.placed) == {"response_noise", "lying_aversion"}
    other = {"centred": "non-centred", "non-centred": "centred"}

    def pattern(*names):
        form = {n: other[f] if n in names else f for n, f in found.form.items()}
        return _pattern(model, units, trials.game, replace(found, form=form), alike=True)

    assert pattern("response_noise") == pattern("lying_aversion") == pattern()
    assert pattern("expected_trust") != pattern()


def test_densities_are_what_trials_say():
    """With the population they were found at they give mean and spread of the posterior."""
    trials = trials_from_frame(
        simulate(
            FiniteGame([1, 2, 3, 4, 5], treatments={"a": 1.0}),
            sender=Hybrid("sender"),
            receiver=None,
            subjects=4,
            rounds=80,
            seed=3,
        ).trials,
        FiniteGame([1, 2, 3, 4, 5], treatments={"a": 1.0}),
    )
    model, units = Hybrid("sender"), trials.fold("sender")
    information = find_type_densities(model, units, trials.game, pilot(model, units, trials.game))
    densities = information.type_densities
    location = [information.locations[name] for name in densities.names]
    # Spreads at which the pilot's densities are found: 1 for both.
    grid = np.linspace(-5, 5, 161)
    effect = np.stack(np.meshgrid(grid, grid, indexing="ij")).reshape(2, -1)
    natural = np.exp(effect + np.array(location)[:, None])
    data = {
        name: (("sample", "subject"), np.repeat(values[:, None], 4, axis=1))
        for name, values in zip(densities.names, natural, strict=True)
    }
    [*parts] = Draws(model, trials.game, units, xr.Dataset(data)).cell_logs()
    draws = Draws(model, trials.game, units, xr.Dataset(data))
    logs = np.concatenate([draws.by_subject(part) for _, part in parts])
    prior = stats.loggamma(1.0).logpdf(effect[0]) + stats.norm.logpdf(effect[1])
    variance = np.array([1 + 0.5, 1.0])
    mean = np.array([-0.5 - 1 / 12, 0.0])
    for k in range(1, 4):
        for i in range(4):
            weight = np.exp(logs[:, i, k] + prior - (logs[:, i, k] + prior).max())
            weight /= weight.sum()
            middle = effect @ weight
            spread = np.sqrt((effect**2) @ weight - middle**2)
            precision = densities.precision[i, k] + np.diag(1 / variance)
            found = (
                np.linalg.solve(precision, densities.shift[i, k] + (mean + location) / variance)
                - location
            )
            size = np.sqrt(np.diag(np.linalg.inv(precision)))
            assert (abs(found - middle) < 0.5 * spread).all()
            assert ((size > 0.6 * spread) & (size < 1.6 * spread)).all()


@pytest.mark.parametrize(("role", "seed"), [("sender", 0), ("receiver", 1)])
def test_integrated_over_the_coordinates_the_likelihood_is_that_of_a_new_subject(role, seed):
    table = TRIALS["power"].table
    one = table[table[role] == table[role].mode()[0]]
    trials = trials_from_frame(one, TRIALS["power"].game)
    model, units = Hybrid(role), trials.fold(role)
    information = find_type_densities(model, units, trials.game, pilot(model, units, trials.game))
    built = build_units(model, units, trials.game, information)
    density, point = pointwise(built), drawn(built, seed)
    places = np.arange(-6, 6.1, 0.5)
    names = information.type_densities.names
    logs = []
    for a in places:
        for b in places:
            at = {f"{names[0]}_offset": np.array([a]), f"{names[1]}_offset": np.array([b])}
            _, values = density(point | at)
            logs.append(values["log_likelihood"] + stats.norm.logpdf([a, b]).sum())
    over = {"level_share": ("level",), "trust_mu": ("treatment",)}
    population = {
        name: (("sample", *over.get(name, ())), np.asarray(value)[None])
        for name, value in point.items()
        if not name.endswith(("_offset", "_aim"))
    }
    data = xr.Dataset(population, coords={"treatment": list(units.treatments)})
    new = new_subject_log_likelihood(Draws(model, trials.game, units, data))
    assert new.error.max() < 0.03
    found = logsumexp(logs) + 2 * np.log(0.5)
    assert found == pytest.approx(new.log_likelihood[0, 0], abs=0.03)
