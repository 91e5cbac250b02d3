"""Reports of senders whose lying aversion wavers: a grid of reports, and no jump."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from markets import PYTHON

from trustbayes.games import ForecastGame
from trustbayes.theories.trust_embedded.forecast import capacity, capacity_slope, report

WAVERING = 1 / 8


@pytest.mark.parametrize("trust", [0.0, 0.05, 0.3, 0.6, 0.9, 1.0])
@pytest.mark.parametrize("treatment", list(ForecastGame().treatments))
def test_wavering_averages_over_the_lies_that_are_sure_to_be_believed(treatment, trust):
    # Summed over a fine grid of reports: those sure to be sold in full are made with the
    # probability that they are worth a wavering cost, the others if they are worth the cost.
    game = ForecastGame()
    cost = np.geomspace(0.003, 1, 200)
    terms, one = game.terms([treatment] * cost.size), game.terms([treatment])
    for forecast in (-150.0, -60.0, 0.0, 70.0, 150.0):
        edges = np.linspace(forecast, 150, 20_001)
        at, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
        reach = capacity(at, np.array(trust), one) - game.mean_demand - forecast
        slope = capacity_slope(at, np.array(trust), one)
        gain = slope * np.clip((one.uncertainty - reach) / (2 * one.uncertainty), 0, 1)
        sure = reach <= -one.uncertainty
        wavers = 1 / (1 + (cost[:, None] / slope) ** (1 / WAVERING))
        expected = forecast + width * np.where(sure, wavers, gain > cost[:, None]).sum(axis=1)
        found = report(
            np.full(cost.size, forecast),
            cost * game.lying_unit,
            np.full(cost.size, trust),
            terms,
            wavering=True,
        )
        np.testing.assert_allclose(found, expected, atol=0.02)  # the grid's spacing


def test_wavering_leaves_no_jump():
    game, cost = ForecastGame(), np.linspace(0.15, 0.5, 20_001)
    terms = game.terms(["CHUL"] * cost.size)
    jumps = []
    for wavering in (False, True):
        found = report(
            np.full(cost.size, 50.0),
            cost * game.lying_unit,
            np.full(cost.size, 0.3),
            terms,
            wavering=wavering,
        )
        jumps.append(np.abs(np.diff(found)).max())
    assert jumps[0] > 90
    assert jumps[1] < 0.1


@pytest.mark.parametrize("belief", ["truncated", "prior"])
def test_slopes_of_wavering_reports_equal_differences(belief):
    game = ForecastGame()
    rng = np.random.default_rng(4)
    size = 400
    terms = game.terms(rng.choice(list(game.treatments), size))
    forecast = rng.uniform(-150, 150, size)
    start = rng.uniform(0.02, 0.9, size) * game.lying_unit, rng.uniform(0.02, 0.98, size)

    def reports(aversion, trust):
        return report(forecast, aversion, trust, terms, belief, wavering=True)

    symbols = pt.dvector(), pt.dvector()
    slopes = pytensor.function(symbols, pt.grad(reports(*symbols).sum(), symbols), mode=PYTHON)
    for which, slope in enumerate(slopes(*start)):
        near = [[v + s * 1e-6 * (i == which) for i, v in enumerate(start)] for s in (1, -1)]
        difference = (reports(*near[0]) - reports(*near[1])) / 2e-6
        close = np.isclose(slope, difference, rtol=1e-4, atol=1e-3)
        assert np.isfinite(slope).all()
        assert close.mean() > 0.98  # the others stand at kinks
