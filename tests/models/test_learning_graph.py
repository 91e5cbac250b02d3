"""The PyMC model of people who learn: its likelihood is that of its draws."""

import numpy as np
import pytest
import xarray as xr

import trustbayes as tb
from trustbayes.models.draws import Draws, subject_log_likelihood
from trustbayes.models.graph import build_units
from trustbayes.models.parametrisation.information import Information
from trustbayes.numerics.graphs import PLAIN
from trustbayes.simulation.experiments import Experiment

FINITE = tb.FiniteGame([1, 2, 3], treatments={"a": 1.0}, feedback=tb.Feedback("state"))
FORECAST = tb.ForecastGame(
    treatments={"a": tb.Market(15.0, 25.0)}, feedback=tb.Feedback("state", partners="fixed")
)
INTERVAL = tb.IntervalGame(0, 100, {"a": 20.0}, feedback=tb.Feedback("state"))
SETTINGS = [
    (tb.TrustEmbedded, "receiver", "shift"),
    (tb.TrustEmbedded, "sender", "delta"),
    (tb.LevelK, "receiver", "depth"),
    (tb.LevelK, "sender", "depth"),
]


def experiment(game, theory, role, learning):
    model = theory(role, game.kind, learning=learning)
    other = tb.TrustEmbedded("sender" if role == "receiver" else "receiver", game.kind)
    both = (model, other) if role == "sender" else (other, model)
    return model, Experiment(game, *both, subjects=3, rounds=5, studied=role).play(seed=2).trials


@pytest.mark.parametrize("game", [FINITE, FORECAST, INTERVAL], ids=lambda game: game.kind)
@pytest.mark.parametrize(("theory", "role", "learning"), SETTINGS)
def test_the_likelihood_is_that_of_the_draws(game, theory, role, learning):
    """Of trials that are constants of the graph, and of trials that are its data."""
    model, trials = experiment(game, theory, role, learning)
    units = model.fold(trials)
    information = Information.without_pilot(model, units)
    found = []
    for replaceable in (False, True):
        built = build_units(model, units, game, information, replaceable)
        point = built.initial_point(random_seed=3)
        [potential] = built.potentials
        variables = [*built.free_RVs, *built.deterministics]
        graph = built.replace_rvs_by_values([potential, *variables])
        compiled = built.compile_fn(graph, point_fn=True, mode=PLAIN, on_unused_input="ignore")
        logs, *values = compiled(point)
        data = {
            v.name: (("sample", *(built.named_vars_to_dims.get(v.name) or ())), value[None])
            for v, value in zip(variables, values, strict=True)
        }
        found.append(float(logs))
    coords = {name: list(labels) for name, labels in built.coords.items() if labels is not None}
    draws = Draws(model, game, units, xr.Dataset(data, coords=coords))
    want = subject_log_likelihood(draws).sum()
    np.testing.assert_allclose(found, want, rtol=1e-10, atol=1e-8)
