"""Masses of nodes add up to one."""

import numpy as np
import pytest

from trustbayes.inference.engines.population.axes import Axes
from trustbayes.priors.families import FAMILIES

CASES = [
    ("Gamma", {"shape": 0.3}),  # half of its mass lies below the first node
    ("Gamma", {"shape": 4.0}),
    ("LogNormal", {"sigma": 2.5}),
    ("StudentT", {"nu": 3.0, "sigma": 1.0}),
]


def axes():
    full = np.ones(1, dtype=bool)
    return Axes(
        origin=np.array([-3.0]),
        step=np.array([0.125]),
        size=57,
        location_of=np.zeros(1, dtype=int),
        open_low=full,
        open_high=full,
        last=np.array([56]),
    )


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_masses_add_up_to_one(name, shape):
    found = axes().densities(FAMILIES[name], np.array([0.2]), shape, slopes=False)
    total = np.exp(found.logs[0]).sum()
    # The sum is that of midpoints: off by the square of the step times a slope at the ends.
    assert total == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_slopes_of_masses_are_differences(name, shape):
    axis, family, step = axes(), FAMILIES[name], 1e-5
    weight = np.random.default_rng(1).normal(size=(1, axis.size))

    def value(location, arguments):
        logs = axis.densities(family, np.array([location]), arguments, slopes=False).logs
        return float((weight * logs).sum())

    by_location, by_argument = axis.densities(family, np.array([0.2]), shape).pullback(weight, 1)
    expected = (value(0.2 + step, shape) - value(0.2 - step, shape)) / (2 * step)
    assert by_location[0] == pytest.approx(expected, rel=1e-5)
    for key, argument in shape.items():
        high, low = (value(0.2, {**shape, key: argument + s * step}) for s in (1, -1))
        assert by_argument[key] == pytest.approx((high - low) / (2 * step), rel=1e-4)
