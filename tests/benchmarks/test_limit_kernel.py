"""The kernels by hand, against which gradients are timed, are the models of trustbayes."""

import numpy as np
import pytest
from limit_kernel import limit

import trustbayes as tb
from trustbayes.models.graph import build_units
from trustbayes.models.parametrisation.pilot import pilot
from trustbayes.numerics.graphs import PLAIN


@pytest.mark.slow  # numba compiles
@pytest.mark.parametrize("role", ["sender", "receiver"])
@pytest.mark.parametrize("name", ["trust-embedded", "level-k"])
def test_density_and_gradient_are_those_of_trustbayes(name, role):
    data = tb.bundled("simulated-finite")
    trials = tb.read_trials(data.trials, data.game)
    units = trials.fold(role).by_design()
    model = tb.model(name, role, trials.game)
    information = pilot(model, units, trials.game)
    assert set(information.form.values()) == {"centred"}
    built = build_units(model, units, trials.game, information)
    density, slope = built.compile_logp(mode=PLAIN), built.compile_dlogp(mode=PLAIN)
    kernel = limit(name, units, trials.game, information)
    rng = np.random.default_rng(7)
    start, gaps = built.initial_point(), []
    for _ in range(4):
        point = {key: value + 0.5 * rng.normal(size=value.shape) for key, value in start.items()}
        flat = np.concatenate([np.ravel(point[v.name]) for v in built.value_vars])
        gradient = np.full(flat.size, np.nan)
        gaps.append(kernel(flat, gradient) - float(density(point)))
        np.testing.assert_allclose(gradient, slope(point), rtol=1e-8, atol=1e-8)
    # PyMC's constants are rounded; beside them the densities are the same.
    np.testing.assert_allclose(gaps, gaps[0], rtol=0, atol=1e-8)
    assert abs(gaps[0]) < 1e-6
