"""Level-k play against its definition: replies by search, beliefs by inverting the reports."""

import numpy as np
import pytest
from markets import numerical_quantile, ozc_terms, random_markets, solve

from trustbayes.games import ForecastGame
from trustbayes.games.forecast_demand import sender_profit
from trustbayes.theories.benchmarks.forecast import babbling_capacity, credulous_capacity
from trustbayes.theories.level_k.forecast import believed_states, capacities, level_shift, reports

DEEPEST = 4


def brute_force_capacities(report, level, terms, unsent):
    """The definition: find the states that report this, then the quantile of demand.

    Also says which reports are sent, and how wide the interval of their states is.
    """
    a = terms.forecast_range
    everyone = np.zeros_like(report)

    def send(state):
        return reports(state, level, terms)[level]

    lowest_sent = send(everyone - a)
    sent = report >= lowest_sent - 1e-10 * a
    read_as = np.where(sent, report, lowest_sent)
    # The states that send it lie between where reports pass it from below and from above.
    first = solve(lambda state: send(state) - (read_as - 1e-10 * a), everyone - a, everyone + a)
    last = solve(lambda state: send(state) - (read_as + 1e-10 * a), everyone - a, everyone + a)
    if unsent == "prior":
        first, last = np.where(sent, first, -a), np.where(sent, last, a)
    point = last - first < 1e-9 * a
    first = np.where(point, (first + last) / 2, first)
    width = np.where(point, 0.0, last - first)
    return terms.mean_demand + first + numerical_quantile(width, terms), sent, width


def interesting_reports(rng, terms):
    """Reports anywhere, some at the ends."""
    report = rng.uniform(-1, 1, 60) * terms.forecast_range
    report[:5], report[5:10] = terms.forecast_range, -terms.forecast_range
    return report


@pytest.mark.parametrize("unsent", ["monotone", "prior"])
def test_capacities_equal_the_quantile_under_the_posterior_in_random_settings(unsent):
    counts = np.zeros(4)
    for rng, terms in random_markets(1):
        report = interesting_reports(rng, terms)
        found = capacities(report, DEEPEST, terms, unsent)
        a = terms.forecast_range
        for level in range(DEEPEST + 1):
            expected, sent, width = brute_force_capacities(report, level, terms, unsent)
            assert (abs(found[level] - expected) < 1e-8 * (terms.mean_demand + a)).all(), level
            capped = report == a
            nobody_else = level * level_shift(terms) >= 2 * a
            kinds = (sent & ~capped, ~sent & ~nobody_else, capped, ~capped & nobody_else)
            counts += [kind.sum() for kind in kinds]
            assert (width[capped] > 0).all() == (level > 0)
    assert min(counts) > 300


def utility_by_level(report, state, terms):
    """What each report earns from each level's receiver; shapes (grid, 1) and (trials,)."""
    grid = np.broadcast_to(report, np.broadcast_shapes(np.shape(report), state.shape))
    return sender_profit(capacities(grid, DEEPEST, terms), state[None, None, :], terms)


def test_reports_are_the_smallest_lies_among_the_best_replies():
    checked = indifferent = 0
    for rng, terms in [*random_markets(2), *((np.random.default_rng(i), None) for i in range(9))]:
        terms = terms or ForecastGame().terms(["CLUL", "CLUH", "CHUL", "CHUH"] * 15)
        a = terms.forecast_range
        state = rng.uniform(-1, 1, 60) * a
        state[:4] = [-a, -a, a, a]
        grid = np.linspace(-a, a, 801)[:, None]
        earned = utility_by_level(grid, state, terms)
        own = reports(state, DEEPEST, terms)
        tiny = 1e-12 * terms.sender_margin * (terms.mean_demand + a + terms.uncertainty)
        for level in range(1, DEEPEST + 1):
            reply = own[level]
            reward = utility_by_level(reply[None], state, terms)[0, level - 1]
            assert (reward >= earned[:, level - 1].max(axis=0) - tiny).all()
            # Whoever lies less by 2% of the range, or of the noise, earns less.
            deaf = (level - 1) * level_shift(terms) >= 2 * a
            step = 0.02 * np.minimum(a, terms.uncertainty)
            smaller = abs(grid - state) < abs(reply - state) - step
            best_smaller = np.where(smaller, earned[:, level - 1], -np.inf).max(axis=0)
            assert (best_smaller < reward - tiny)[~deaf].all()
            # But where the receiver reads nothing into reports, all are as good.
            spread = np.ptp(earned[:, level - 1], axis=0)
            assert (spread < tiny)[deaf].all()
            checked += (~deaf).sum()
            indifferent += deaf.sum()
    assert checked > 5000
    assert indifferent > 500


def test_reports_and_capacities_of_the_known_treatments():
    terms = ozc_terms()
    np.testing.assert_array_equal(level_shift(terms), [10, 30, 40, 120])
    state = np.array([-150.0, -150.0, 100.0, 0.0])
    assert reports(state, 3, terms).tolist() == [
        [-150, -150, 100, 0],
        [-140, -120, 140, 120],
        [-130, -90, 150, 150],
        [-120, -60, 150, 150],
    ]
    # At a report of 0 a level-k receiver builds μ + g - k h.
    np.testing.assert_allclose(
        capacities(np.zeros(4), 1, terms), [[265, 295, 235, 205], [255, 265, 195, 85]], rtol=1e-14
    )


def test_level_0_is_credulous():
    terms = ozc_terms()
    report = np.linspace(-150, 150, 61)[:, None]
    found = capacities(report, 3, terms)[:, 0]
    np.testing.assert_allclose(found, credulous_capacity(report, terms), rtol=1e-14)


def test_who_always_hears_the_cap_learns_nothing_from_any_report():
    terms = ForecastGame().terms(["CHUH"])
    assert 3 * level_shift(terms) > 300
    assert (reports(np.linspace(-150, 150, 7)[:, None], 4, terms)[:, 3:] == 150).all()
    for unsent in ("monotone", "prior"):
        found = capacities(np.linspace(-150, 150, 7)[:, None], 4, terms, unsent)[:, 3:]
        np.testing.assert_allclose(found, babbling_capacity(terms)[0], rtol=1e-14)


def test_report_sent_from_the_lowest_state_is_no_unsent_one():
    for _, terms in random_markets(3, markets=20):
        a = terms.forecast_range
        own = reports(np.full(60, -a), DEEPEST, terms)
        for level in range(DEEPEST + 1):
            lowest, width = believed_states(own[level], DEEPEST, terms, "prior")
            below_the_cap = own[level] < a
            np.testing.assert_allclose(lowest[level], -a, rtol=1e-12)
            assert (width[level][below_the_cap] == 0).all()


def test_report_within_rounding_of_the_cap_is_the_cap():
    terms = ozc_terms()
    exact = capacities(np.full(4, 150.0), 3, terms)
    np.testing.assert_allclose(capacities(np.full(4, 150.0 - 1e-11), 3, terms), exact, rtol=1e-12)
    below = capacities(np.full(4, 149.9), 2, terms)
    assert (below[1:] < exact[1:3] - 1).all()


def test_leading_axes_are_kept_and_levels_do_not_depend_on_how_many_are_asked_for():
    terms = ozc_terms()
    seen = np.random.default_rng(4).uniform(-150, 150, (2, 5, 4))
    for play in (reports, capacities):
        many = play(seen, 5, terms)
        assert many.shape == (2, 5, 6, 4)
        np.testing.assert_array_equal(play(seen, 2, terms), many[:, :, :3])


def test_unknown_conventions_are_refused():
    terms, report = ozc_terms(), np.zeros(4)
    with pytest.raises(ValueError, match="unsent: found 'tremble', expected one of monotone"):
        capacities(report, 1, terms, "tremble")
    for play in (reports, capacities):
        with pytest.raises(ValueError, match="max_level: found -1, expected 0 or more"):
            play(report, -1, terms)
