"""Expected sales against integration, quantiles against bisection of the distribution."""

import numpy as np
import pytest
from markets import numerical_quantile, ozc_terms, random_markets, value_and_slope

from trustbayes.games.forecast_demand import (
    expected_sales,
    receiver_profit,
    sender_profit,
    uniform_sum_quantile,
)

NODES, WEIGHTS = np.polynomial.legendre.leggauss(3)


def integrated_sales(capacity, forecast, terms):
    """E min(D, K) by quadrature on either side of the kink at D = K; exact for lines."""
    e, mean = terms.uncertainty, terms.mean_demand + forecast
    kink = np.clip(capacity - mean, -e, e)
    total = 0.0
    for low, high in ((-e, kink), (kink, e)):
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            shock = (low + high) / 2 + node * (high - low) / 2
            total = total + weight / 2 * (high - low) * np.minimum(mean + shock, capacity)
    return total / (2 * e)


def random_capacities(rng, terms):
    """Forecasts, and capacities around all of demand."""
    forecast = rng.uniform(-1, 1, 60) * terms.forecast_range
    return terms.mean_demand + forecast + rng.uniform(-2, 2, 60) * terms.uncertainty, forecast


def test_expected_sales_equal_the_integral_in_random_settings():
    for rng, terms in random_markets(1, markets=100):
        capacity, forecast = random_capacities(rng, terms)
        expected = integrated_sales(capacity, forecast, terms)
        size = terms.mean_demand + terms.forecast_range + terms.uncertainty
        found = expected_sales(capacity, forecast, terms)
        assert (abs(found - expected) < 1e-13 * size).all()


def test_profits_are_margins_on_sales_less_the_cost_of_capacity():
    for rng, terms in random_markets(2, markets=5):
        capacity, forecast = random_capacities(rng, terms)
        sales = integrated_sales(capacity, forecast, terms)
        np.testing.assert_allclose(
            sender_profit(capacity, forecast, terms), terms.sender_margin * sales, rtol=1e-9
        )
        expected = terms.receiver_margin * sales - terms.capacity_cost * capacity
        size = terms.receiver_margin * (terms.mean_demand + 4 * terms.forecast_range)
        assert (abs(receiver_profit(capacity, forecast, terms) - expected) < 1e-11 * size).all()


def random_widths(rng, terms):
    """Widths from none to much wider than the noise."""
    width = terms.uncertainty * 10 ** rng.uniform(-3, 3, 60)
    width[:5] = 0.0
    return width


def test_quantile_equals_bisection_in_random_settings():
    for rng, terms in random_markets(3, markets=60):
        width = random_widths(rng, terms)
        found = uniform_sum_quantile(width, terms)
        error = abs(found - numerical_quantile(width, terms))
        assert (error < 1e-10 * (width + terms.uncertainty)).all()


def test_quantile_is_the_noise_alone_without_width_and_the_state_alone_when_wide():
    terms = ozc_terms()
    np.testing.assert_allclose(uniform_sum_quantile(0.0, terms), terms.safety, rtol=1e-14)
    found = uniform_sum_quantile(1e6, terms)
    np.testing.assert_allclose(found, terms.critical_ratio * 1e6, rtol=1e-14)


@pytest.mark.parametrize("name", ["expected_sales", "uniform_sum_quantile"])
def test_slopes_equal_differences(name):
    for rng, terms in random_markets(4, markets=10):
        if name == "expected_sales":
            at, forecast = random_capacities(rng, terms)

            def function(at, forecast=forecast, terms=terms):
                return expected_sales(at, forecast, terms)

        else:
            at = random_widths(rng, terms)[5:]
            terms = terms.at(slice(5, None))

            def function(at, terms=terms):
                return uniform_sum_quantile(at, terms)

        value, slope = value_and_slope(function, at)
        np.testing.assert_allclose(value, function(at), rtol=1e-14)
        step = 1e-5 * np.minimum(at, terms.uncertainty)
        difference = (function(at + step) - function(at - step)) / (2 * step)
        # Both are once differentiable, so that a step across a seam errs by its size only.
        # Rounding: 1e-16 of the value by the step.
        rounding = 1e-15 * abs(value) / step
        assert (abs(slope - difference) < 1e-4 + rounding).all()
        assert ((slope >= 0) & (slope <= 1)).all()


def test_slopes_are_finite_at_every_seam():
    terms = ozc_terms()
    e, f = terms.uncertainty, terms.critical_ratio
    q = np.minimum(f, 1 - f)
    for width in (0 * e, 4 * e * q, e / q):
        value, slope = value_and_slope(lambda width: uniform_sum_quantile(width, terms), width)
        assert np.isfinite([value, slope]).all()
        assert ((slope >= 0) & (slope <= 1)).all()
    for reach in (-2 * e, -e, 0 * e, e, 2 * e):
        capacity = terms.mean_demand + reach
        _, slope = value_and_slope(lambda capacity: expected_sales(capacity, 0.0, terms), capacity)
        # At a kink of the clip PyTensor may take either side's slope: both are the same.
        np.testing.assert_allclose(slope, np.clip((e - reach) / (2 * e), 0, 1), atol=1e-12)
