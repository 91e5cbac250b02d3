"""The tabulated likelihood against brute-force quadrature, and its gradient."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.special import logsumexp

import trustbayes as tb
from trustbayes.games.payoffs import PowerLoss
from trustbayes.inference.engines.population.density import PopulationDensity
from trustbayes.inference.engines.population.engine import (
    Prepared,
    neighbourhood,
    prepare_units,
)
from trustbayes.inference.engines.population.finite_tables import finite_tables
from trustbayes.inference.engines.population.graph import graph_of
from trustbayes.inference.engines.population.layout import layout_of
from trustbayes.inference.engines.population.marginal import Marginal
from trustbayes.inference.engines.population.point_tables import point_tables
from trustbayes.inference.engines.population.rule import Rule
from trustbayes.inference.gate import INTEGRATION_ERROR
from trustbayes.inference.marginal.population import Population
from trustbayes.models.draws import Draws
from trustbayes.trials.finite import Cells

SUBJECTS = 3
SMOOTH = {"response_precision_mean": 0.2, "response_precision_shape": 1.2}
RANGES = {"positive": (-13.0, 6.0), "unit": (-14.0, 14.0), "real": (-8.0, 8.0)}


def prepared_at(model, game, units, step, seed=3):
    """The engine's state near a point of the prior, with tables of a step."""
    model = model.fixed_to(units)
    layout = layout_of(model, game, model.with_named_covariates(units))
    graph = graph_of(layout)
    density = PopulationDensity(graph.model)
    point = density.start + 0.3 * np.random.default_rng(seed).normal(size=density.size)
    # Where nobody is very precise, likelihoods are smooth, and brute force need not be so fine.
    for value, place in zip(SMOOTH.values(), places(density, SMOOTH), strict=True):
        point[place] = value
    tabulate = finite_tables if isinstance(units, Cells) else point_tables
    rule = Rule((step,) * len(layout.effects), knots=0.2, cut=26.0)
    state = Prepared(layout, graph, density, tabulate, rule, None, point, None, None, {})
    near = neighbourhood(state, point + 0.1 * np.random.default_rng(1).normal(size=(9, point.size)))
    graph.operator.marginal = Marginal(layout, tabulate(layout, rule, near))
    return state, point


def places(density, names):
    """Coordinates of some variables, empty for those that the model has not."""
    free = [variable.name for variable in density.model.free_RVs]
    return [density._slices[free.index(n)] if n in free else slice(0, 0) for n in names]


def brute_force(state, point, spans, number):
    """Log marginal likelihood of each subject, by a fine grid over everything."""
    layout = state.layout
    model, game, units = layout.model, layout.game, layout.units
    variables = [*state.graph.model.free_RVs, *state.graph.model.deterministics]
    values = state.density.many(point[None], variables)
    data = {}
    for variable, value in zip(variables, values, strict=True):
        names = state.graph.model.named_vars_to_dims.get(variable.name)
        dims = names or [f"{variable.name}_{axis}" for axis in range(variable.ndim)]
        data[variable.name] = (("sample", *dims), np.asarray(value))
    coords = {n: list(v) for n, v in state.graph.model.coords.items()}
    data = xr.Dataset(data)
    data = data.assign_coords({n: v for n, v in coords.items() if n in data.dims})
    population = Population.of(model, game, units, data)
    draws = Draws(model, game, units, data)
    one = slice(0, 1)
    joint = []
    for kind in layout.kinds:
        active = np.zeros(population.width, dtype=bool)
        for e in layout.active(kind):
            active[population.places()[e]] = True
        width = int(active.sum())
        lines, logs = [], 0.0
        for place in np.flatnonzero(active):
            low, high = spans[place]
            line = np.linspace(low, high, number[width])
            lines.append(line)
            logs += np.log(line[1] - line[0])
        mesh = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, width)
        at = np.zeros((1, len(mesh), layout.subjects, population.width))
        at[0, :, :, active] = mesh.T[:, :, None]
        total = population.log_likelihood(at, one, kind)[0]
        total = total + population.log_density(at, one, active)[0]
        joint.append(logsumexp(total, axis=0) + logs)
    if len(layout.kinds) == 1 and layout.kinds[0] is None:
        return joint[0]
    shares = draws.log_shares[0]
    return logsumexp(np.stack(joint, axis=-1) + shares, axis=-1)


def check_gradient(state, point):
    value, gradient = state.density(point)
    assert np.isfinite(value)
    for axis in range(point.size):
        step = np.zeros(point.size)
        step[axis] = 1e-4
        slope = (state.density(point + step)[0] - state.density(point - step)[0]) / 2e-4
        assert gradient[axis] == pytest.approx(slope, rel=2e-5, abs=2e-4)


@pytest.fixture(scope="module")
def finite():
    data = tb.bundled("simulated-finite")
    return tb.read_trials(data.trials, tb.read_game(data.game))


@pytest.fixture(scope="module")
def forecast():
    data = tb.bundled("simulated-forecast")
    return tb.read_trials(data.trials, tb.read_game(data.game))


FINITE = [
    (tb.LevelK, "sender", {}),
    (tb.LevelK, "receiver", {"ties": "uniform"}),
    (tb.FullTrust, "sender", {}),
    (tb.Babbling, "receiver", {}),
    (tb.TrustEmbedded, "sender", {}),
    (tb.TrustEmbedded, "sender", {"expected_action": "quantal"}),
    (tb.TrustEmbedded, "receiver", {}),
    (tb.TrustEmbedded, "receiver", {"belief": "mixture", "varies": {"trust": ("subject",)}}),
    (tb.TrustEmbedded, "receiver", {"formulas": {"trust": "1 + treatment"}}),
    (tb.TrustEmbedded, "sender", {"varies": {"lying_aversion": ("subject", "treatment")}}),
    (tb.Hybrid, "sender", {}),
    (tb.Hybrid, "receiver", {}),
    (tb.Mixture, "receiver", {}),
]


@pytest.mark.parametrize(("theory", "role", "settings"), FINITE)
def test_finite_marginals_equal_brute_force(finite, theory, role, settings):
    units = finite.fold(role).of_subjects(np.arange(SUBJECTS))
    model = theory(role, **settings)
    # Under losses to the power of 1.4 likelihoods have kinks in trust, which no even grid likes.
    game = tb.FiniteGame(finite.game.states, payoffs=PowerLoss(exponent=2.0))
    state, point = prepared_at(model, game, units, 0.125)
    spans = [RANGES[e.parameter.support] for e in state.layout.effects]
    expected = brute_force(state, point, spans, {1: 2001, 2: 241})
    found = state.marginal.by_subject(state.population(point))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    check_gradient(state, point)


@pytest.mark.slow
def test_all_over_the_posterior_the_marginal_of_a_mixture_is_that_of_brute_force(finite):
    """What differs by more than this from draw to draw bends the posterior; the gate allows .05."""
    units = finite.fold("receiver").of_subjects(np.arange(5))
    game = tb.FiniteGame(finite.game.states, payoffs=PowerLoss(exponent=2.0))
    state = prepare_units(tb.Mixture("receiver"), game, units)
    found, expected = [], []
    for point in state.adapted.resampled(8, np.random.default_rng(4)):
        spans = [RANGES[e.parameter.support] for e in state.layout.effects]
        expected.append(brute_force(state, point, spans, {1: 2001, 2: 181}).sum())
        found.append(state.marginal.by_subject(state.population(point)).sum())
    assert np.std(np.subtract(found, expected)) < INTEGRATION_ERROR


FORECAST = [
    (tb.LevelK, "sender", {}),
    (tb.LevelK, "receiver", {}),
    (tb.FullTrust, "sender", {}),
    (tb.Babbling, "sender", {}),
    (tb.TrustEmbedded, "sender", {}),
    (tb.TrustEmbedded, "receiver", {"noise": "student-t"}),
    (tb.Hybrid, "receiver", {}),
    (tb.Mixture, "sender", {}),
    (tb.Mixture, "receiver", {}),
]


@pytest.mark.parametrize(("theory", "role", "settings"), FORECAST)
def test_forecast_marginals_equal_brute_force(forecast, theory, role, settings):
    units = forecast.fold(role).of_subjects(np.arange(1))
    model = theory(role, game=forecast.game, **settings)
    state, point = prepared_at(model, forecast.game, units, 0.0625)
    axes = state.marginal.tables.axes
    spans = [(a.nodes.min() - a.step.max(), a.nodes.max() + a.step.max()) for a in axes]
    expected = brute_force(state, point, spans, {1: 1001, 2: 301})
    found = state.marginal.by_subject(state.population(point))
    # What senders report has kinks in the trust that they expect, which splines round off.
    rough = role == "sender" and theory in (tb.TrustEmbedded, tb.Mixture)
    np.testing.assert_allclose(found, expected, atol=1e-3 if rough else 1e-5)
    check_gradient(state, point)


CLOSER = [(tb.Babbling, "sender"), (tb.TrustEmbedded, "receiver"), (tb.TrustEmbedded, "sender")]


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize(("theory", "role"), CLOSER)
def test_a_person_with_a_closer_grid_is_integrated_as_if_all_had_it(forecast, theory, role, anew):
    units = forecast.fold(role).of_subjects(np.arange(SUBJECTS))
    state, point = prepared_at(theory(role, game=forecast.game), forecast.game, units, 0.25)
    layout, population = state.layout, state.population(point)
    near = neighbourhood(state, point + np.zeros((3, 1)))
    every = Rule((0.25,) * len(layout.effects), knots=0.2, anew=anew)
    closer, some = every, every
    for effect in range(len(layout.effects)):
        closer = closer.halved(effect)
        some = some.halved(effect, np.array([False, True, False]))
    tables = {rule: Marginal(layout, point_tables(layout, rule, near)) for rule in (every, closer)}
    mixed = Marginal(layout, point_tables(layout, some, near))
    expected = [m.by_subject(population) for m in tables.values()]
    expected = np.where([False, True, False], expected[1], expected[0])
    np.testing.assert_allclose(mixed.by_subject(population), expected, rtol=1e-12)
    assert tables[every].nodes < mixed.nodes < tables[closer].nodes
