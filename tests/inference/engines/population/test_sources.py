"""Where tables are read: knots lie as close as a narrow posterior asks, and never too far."""

from dataclasses import replace

import numpy as np
import pytest
from loops import TRIALS

import trustbayes as tb
from trustbayes.inference.engines.population.engine import fitting_layout
from trustbayes.inference.engines.population.rule import Neighbourhood, Rule
from trustbayes.inference.engines.population.sources import knots_of

NAME = "expected_trust"


@pytest.fixture(scope="module")
def layout():
    trials = TRIALS["interval"]
    model = tb.TrustEmbedded("sender", "interval")
    return fitting_layout(model, trials.game, model.fold(trials))


def near(layout, width):
    middle = np.linspace(-1, 1, layout.sources()[NAME].exposures)
    return Neighbourhood([], {NAME: middle - width / 2}, {NAME: middle + width / 2})


@pytest.mark.parametrize("width", [0.0, 1e-6, 0.01, 0.3, 3.0])
def test_the_range_is_served_whatever_its_width(layout, width):
    served = near(layout, width)
    knots = knots_of(layout, NAME, Rule((0.25, 0.25), knots=0.5), served)
    assert knots.step <= 0.5
    for values in (served.low[NAME], served.high[NAME]):
        assert not knots.outside(values).any()
    # Eight across at least, and not beyond all measure where there is hardly a range.
    assert knots.step <= max(width, 1e-3) / 8 * (1 + 1e-9)
    assert knots.size <= 10 or width > 8 * 0.5


def test_where_nothing_is_known_of_the_range_the_step_is_the_rules(layout):
    rule = Rule((0.25, 0.25), knots=0.5)
    assert knots_of(layout, NAME, rule, None).step == 0.5
    assert knots_of(layout, NAME, replace(rule, knots=0.2), near(layout, 3.0)).step == 0.2
