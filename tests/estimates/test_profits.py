"""Benchmarks and profits against the theory's table, quadrature and a search."""

from itertools import pairwise

import numpy as np
import pytest
from markets import ozc_terms, random_markets, uniform_sum_cdf

from trustbayes.estimates.profits import (
    babbling_profits,
    expected_profits,
    full_trust_profits,
    share_of_trust,
)
from trustbayes.games.forecast_demand import expected_sales, receiver_profit, sender_profit
from trustbayes.theories.benchmarks.forecast import babbling_capacity, credulous_capacity

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)


def over_forecasts(function, seams, terms):
    """Mean of a function of ξ ~ U[-a, a], by quadrature between seams of a piecewise cubic."""
    a = terms.forecast_range
    ends = [np.full(terms.uncertainty.size, -a), *seams, np.full(terms.uncertainty.size, a)]
    ends = np.clip(ends, -a, a)
    total = 0.0
    for low, high in pairwise(ends):
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            total = total + weight / 2 * (high - low) * function(
                (low + high) / 2 + node * (high - low) / 2
            )
    return total / (2 * a)


def test_benchmarks_and_profits_are_those_of_the_theorys_table():
    # The theory, section 1; two of the receivers' babbling profits are rounded up here, from
    # 12966.64 and 1716.64.
    terms = ozc_terms()
    assert babbling_capacity(terms).round(2).tolist() == [340.00, 340.84, 160.00, 159.16]
    believed = credulous_capacity(np.array([[-150.0], [0.0], [150.0]]), terms)
    expected = [[115, 145, 85, 55], [265, 295, 235, 205], [415, 445, 385, 355]]
    np.testing.assert_allclose(believed, expected, rtol=1e-14)
    truth, babbling = full_trust_profits(terms), babbling_profits(terms)
    np.testing.assert_allclose(truth.sender, [6225, 6175, 5850, 5050], rtol=1e-14)
    np.testing.assert_allclose(truth.receiver, [14700, 14100, 3450, 2850], rtol=1e-14)
    assert babbling.sender.round().tolist() == [6091, 6026, 3841, 3755]
    assert babbling.receiver.round().tolist() == [13174, 12967, 1924, 1717]


def test_reference_profits_equal_the_integral_over_forecasts_in_random_settings():
    for _, terms in random_markets(1):
        e, constant = terms.uncertainty, babbling_capacity(terms)
        # Sales have seams where capacity leaves the reach of demand.
        seams = [constant - terms.mean_demand - e, constant - terms.mean_demand + e]

        def check(found, profit, capacity, margin, terms=terms, seams=seams):
            expected = over_forecasts(lambda f: profit(capacity(f), f, terms), seams, terms)
            size = terms.mean_demand + terms.forecast_range + terms.uncertainty
            assert (abs(found - expected) < 1e-12 * margin * size).all()

        for found, capacity in (
            (babbling_profits(terms), lambda forecast, constant=constant: constant),
            (full_trust_profits(terms), lambda f, terms=terms: credulous_capacity(f, terms)),
        ):
            check(found.sender, sender_profit, capacity, terms.sender_margin)
            check(found.receiver, receiver_profit, capacity, terms.receiver_margin)


def test_babbling_capacity_is_the_quantile_of_demand_and_earns_the_most():
    for _, terms in random_markets(2):
        a, e = terms.forecast_range, terms.uncertainty
        capacity = babbling_capacity(terms)
        share = uniform_sum_cdf(capacity - terms.mean_demand + a, np.full(60, 2 * a), e)
        np.testing.assert_allclose(share, terms.critical_ratio, atol=1e-10)

        def profit(capacity, terms=terms, e=e):
            middle = capacity - terms.mean_demand
            return over_forecasts(
                lambda forecast: receiver_profit(capacity, forecast, terms),
                [middle - e, middle + e],
                terms,
            )

        best = profit(capacity)
        for step in (-0.05 * a, 0.05 * a):
            assert (profit(capacity + step) < best).all()


def test_full_trust_earns_more_than_babbling_in_either_role():
    for _, terms in random_markets(3):
        truth, babbling = full_trust_profits(terms), babbling_profits(terms)
        assert (truth.sender > babbling.sender).all()
        assert (truth.receiver > babbling.receiver).all()


def test_an_interaction_earns_margins_on_expected_sales():
    terms = ozc_terms()
    capacity, forecast = np.array([300.0, 200, 100, 250]), np.array([0.0, 50, -150, 0])
    found = expected_profits(capacity, forecast, terms)
    sales = expected_sales(capacity, forecast, terms)
    np.testing.assert_allclose(found.sender, 25 * sales, rtol=1e-14)
    np.testing.assert_allclose(found.receiver, 75 * sales - [15, 15, 60, 60] * capacity, rtol=1e-12)
    np.testing.assert_allclose(found.both, found.sender + found.receiver, rtol=1e-14)


@pytest.mark.parametrize("who", ["sender", "receiver", "both"])
def test_share_of_trust_is_0_at_babbling_and_1_at_full_trust(who):
    terms = ozc_terms()
    babbling, truth = (getattr(f(terms), who) for f in (babbling_profits, full_trust_profits))
    assert share_of_trust(babbling, babbling, truth).tolist() == [0] * 4
    assert share_of_trust(truth, babbling, truth).tolist() == [1] * 4
    halfway = share_of_trust((babbling + truth) / 2, babbling, truth)
    np.testing.assert_allclose(halfway, 0.5, rtol=1e-10)
    assert (share_of_trust(babbling - 1, babbling, truth) < 0).all()
