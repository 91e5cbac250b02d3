"""Capacities against numerical quantiles, reports against a search over all reports."""

import itertools

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from markets import PYTHON, ozc_terms, random_markets, solve, value_and_slope

from trustbayes.games import ForecastGame
from trustbayes.games.forecast_demand import receiver_profit, sender_profit
from trustbayes.theories.trust_embedded.forecast import capacity, capacity_slope, report

BELIEFS = ("truncated", "prior")
COSTS = ("absolute", "quadratic")


def random_ends(rng, low, high):
    """Of 60 numbers, some are exactly the least and some the greatest."""
    margin = 0.1 * (high - low)
    return np.clip(rng.uniform(low - margin, high + margin, 60), low, high)


def random_reports(rng, terms):
    """Reports or forecasts, and trust."""
    a = terms.forecast_range
    return random_ends(rng, -a, a), random_ends(rng, 0.0, 1.0)


def random_aversion(rng, terms):
    """Lying aversion from none to very much; most where reports are between the corners."""
    standard = rng.uniform(0, 1, 60) ** rng.choice([1, 3], 60)
    standard[:6] = 0.0
    standard[6:9] = 1e9
    standard[9:15] *= 3
    return terms.sender_margin * rng.permutation(standard)


# The receiver


def chance_below(value, low, high, e):
    """P(U[low, high] + U[-e, e] <= value)."""
    width = np.maximum(high - low, 1e-20)
    # The shares of the states from which the sum is surely, and possibly, below.
    surely = np.clip((value - e - low) / width, 0, 1)
    possibly = np.clip((value + e - low) / width, 0, 1)
    mean_between = low + width * (surely + possibly) / 2
    return surely + (possibly - surely) * (value - mean_between + e) / (2 * e)


@pytest.mark.parametrize("belief", BELIEFS)
def test_capacity_is_the_quantile_of_what_he_believes(belief):
    for rng, terms in random_markets(1, markets=60):
        x, trust = random_reports(rng, terms)
        a = terms.forecast_range
        low, high = (
            trust * x + (1 - trust) * end for end in (-a, x if belief == "truncated" else a)
        )

        def excess(demand, low=low, high=high, terms=terms):
            below = chance_below(demand - terms.mean_demand, low, high, terms.uncertainty)
            return below - terms.critical_ratio

        most = terms.mean_demand + a + terms.uncertainty
        expected = solve(excess, terms.mean_demand - a - terms.uncertainty, most)
        assert (abs(capacity(x, trust, terms, belief) - expected) < 1e-12 * most).all()


@pytest.mark.parametrize("belief", BELIEFS)
def test_no_capacity_earns_the_receiver_more(belief):
    shares = (np.arange(2000)[:, None] + 0.5) / 2000
    for rng, terms in random_markets(2, markets=5):
        x, trust = random_reports(rng, terms)
        a = terms.forecast_range
        distrusted = -a + shares * ((x if belief == "truncated" else a) + a)
        believed = trust * x + (1 - trust) * distrusted

        def profit(built, believed=believed, terms=terms):
            return receiver_profit(built, believed, terms).mean(axis=0)

        best = capacity(x, trust, terms, belief)
        for step in (-0.1, -0.01, 0.01, 0.1):
            assert (profit(best) > profit(best + step * terms.uncertainty)).all()


def table_of_cases(x, trust, terms):
    """Case, K and K' by the table of the theory."""
    mu, a, e, f = terms.mean_demand, terms.forecast_range, terms.uncertainty, terms.critical_ratio
    rest = 1 - trust
    width, q = rest * (x + a), np.minimum(f, 1 - f)
    case = np.select([width <= 4 * e * q, width >= e / q, f < 0.5], [0, 1, 2], 3)
    width = np.maximum(width, 1e-300)  # which then is case 0
    formulas = [
        mu + (1 + trust) * x / 2 - rest * a / 2 + (2 * f - 1) * e,
        mu + trust * x + rest * (f * (x + a) - a),
        mu + trust * x - rest * a - e + np.sqrt(4 * e * f * width),
        mu + x + e - np.sqrt(4 * e * (1 - f) * width),
    ]
    slopes = [
        (1 + trust) / 2,
        trust + rest * f,
        trust + rest * np.sqrt(e * f / width),
        1 - rest * np.sqrt(e * (1 - f) / width),
    ]
    return case, np.choose(case, formulas), np.choose(case, slopes)


def test_capacity_and_slope_are_those_of_the_table():
    seen = []
    for rng, terms in random_markets(3):
        x, trust = random_reports(rng, terms)
        case, expected, slope = table_of_cases(x, trust, terms)
        seen.append(case)
        np.testing.assert_allclose(capacity(x, trust, terms), expected, rtol=1e-12, atol=1e-10)
        np.testing.assert_allclose(capacity_slope(x, trust, terms), slope, rtol=1e-12)
    assert (np.bincount(np.concatenate(seen)) > 100).all()


def test_capacities_under_full_trust_and_under_none():
    terms = ozc_terms()
    x = np.array([[-150.0], [0.0], [150.0]])
    trusting = [[115, 145, 85, 55], [265, 295, 235, 205], [415, 445, 385, 355]]
    for belief in BELIEFS:
        np.testing.assert_allclose(capacity(x, np.array(1.0), terms, belief), trusting)
    babbling = capacity(x, np.array(0.0), terms, "prior")
    expected = np.broadcast_to([340.0, 340.84, 160.0, 159.16], (3, 4))
    np.testing.assert_allclose(babbling, expected, atol=0.005)


@pytest.mark.parametrize("belief", BELIEFS)
def test_slopes_of_capacity_equal_differences(belief):
    for rng, terms in random_markets(4, markets=8):
        a = terms.forecast_range
        x, trust = rng.uniform(-0.99, 0.99, 60) * a, rng.uniform(0.01, 0.99, 60)
        by_report, by_trust = (
            lambda at, terms=terms, trust=trust: capacity(at, trust, terms, belief),
            lambda at, terms=terms, x=x: capacity(x, at, terms, belief),
        )
        # The second derivative jumps at the seams, where a difference errs by its step.
        for function, at, step in ((by_report, x, 1e-6 * a), (by_trust, trust, 1e-6)):
            value, slope = value_and_slope(function, at)
            np.testing.assert_allclose(value, function(at), rtol=1e-13)
            difference = (function(at + step) - function(at - step)) / (2 * step)
            rounding = 1e-15 * abs(value) / step
            assert (abs(slope - difference) < 1e-4 * abs(difference) + rounding).all()
        _, slope = value_and_slope(by_report, x)
        np.testing.assert_allclose(capacity_slope(x, trust, terms, belief), slope, rtol=1e-12)


def test_slope_of_capacity_is_the_same_on_both_sides_of_a_seam():
    for rng, terms in random_markets(5, markets=10):
        a, e, f = terms.forecast_range, terms.uncertainty, terms.critical_ratio
        trust, q = rng.uniform(0, 0.95, 60), np.minimum(f, 1 - f)
        for width in (4 * e * q, e / q):
            seam = width / (1 - trust) - a
            below, above = (
                value_and_slope(
                    lambda at, trust=trust, terms=terms: capacity(at, trust, terms),
                    seam + side * width,
                )[1]
                for side in (-1e-9, 1e-9)
            )
            np.testing.assert_allclose(below, above, rtol=1e-7)
            assert ((above > 0) & (above <= 1)).all()


@pytest.mark.parametrize("belief", BELIEFS)
def test_slopes_of_capacity_are_finite_at_the_corners(belief):
    terms = ForecastGame().terms(["CLUL", "CHUL"] * 3)
    for x, trust in itertools.product((-150.0, 0.0, 150.0), (0.0, 0.5, 1.0)):
        everywhere = np.full(6, x), np.full(6, trust)
        inputs = [pt.vector(), pt.vector()]
        value = capacity(*inputs, terms, belief)
        slopes = pt.grad(value.sum(), inputs)
        found = pytensor.function(inputs, [value, *slopes], mode=PYTHON)(*everywhere)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found[0], capacity(*everywhere, terms, belief), rtol=1e-14)


# The sender


def utility_of(x, forecast, aversion, trust, terms, belief, lying_cost):
    earned = sender_profit(capacity(x, trust, terms, belief), forecast, terms)
    lie = abs(x - forecast)
    return earned - aversion * (lie if lying_cost == "absolute" else lie**2 / terms.forecast_range)


def searched_report(utility, a):
    """The best of all reports, and its utility: a grid, then ever finer ones around the best."""
    grid = np.linspace(-a, a, 1201)[:, None]
    step = 2 * a / 1200
    values = utility(grid)
    best = grid[values.argmax(axis=0), 0]
    for _ in range(5):
        grid = np.clip(best + np.linspace(-step, step, 21)[:, None], -a, a)
        values = utility(grid)
        best = np.take_along_axis(grid, values.argmax(axis=0)[None, :], axis=0)[0]
        step /= 9
    return best, values.max(axis=0)


@pytest.mark.parametrize("lying_cost", COSTS)
@pytest.mark.parametrize("belief", BELIEFS)
def test_no_report_is_better(belief, lying_cost):
    same, places = [], []
    for rng, terms in random_markets(6, markets=50):
        a = terms.forecast_range
        forecast, trust = random_reports(rng, terms)
        aversion = random_aversion(rng, terms)
        found = report(forecast, aversion, trust, terms, belief, lying_cost)
        assert ((forecast <= found) & (found <= a)).all()

        def utility(x, settings=(forecast, aversion, trust, terms)):
            return utility_of(x, *settings, belief, lying_cost)

        best, most = searched_report(utility, a)
        scale = terms.sender_margin * (terms.mean_demand + a + terms.uncertainty)
        assert (most - utility(found) < 1e-12 * scale).all()
        # Without aversion, all that gives as much capacity as can be sold is equally good.
        same.append(abs(found - best) < 0.0002 * a)
        places.append(np.where(found == forecast, 0, np.where(found == a, 1, 2)))
        assert (same[-1] | (aversion < 1e-3 * terms.sender_margin)).all()
    assert np.mean(same) > 0.85
    assert (np.bincount(np.concatenate(places)) > 200).all()


@pytest.mark.parametrize("lying_cost", COSTS)
@pytest.mark.parametrize("belief", BELIEFS)
def test_without_aversion_she_takes_the_smallest_lie_that_is_best(belief, lying_cost):
    for rng, terms in random_markets(7, markets=20):
        a = terms.forecast_range
        forecast, trust = random_reports(rng, terms)
        found = report(forecast, np.zeros(60), trust, terms, belief, lying_cost)

        def short(x, forecast=forecast, trust=trust, terms=terms):
            demand = terms.mean_demand + forecast + terms.uncertainty
            return capacity(x, trust, terms, belief) - demand

        expected = solve(short, forecast, np.full(60, a))
        if belief == "prior":  # then a report without any trust is without any effect
            expected = np.where(trust == 0, forecast, expected)
        np.testing.assert_allclose(found, expected, atol=1e-9 * a)


@pytest.mark.parametrize("belief", BELIEFS)
def test_with_much_aversion_she_is_truthful(belief):
    for rng, terms in random_markets(8, markets=10):
        forecast, trust = random_reports(rng, terms)
        for aversion in (terms.sender_margin, 1e3 * terms.sender_margin, 1e300, np.inf):
            found = report(forecast, np.full(60, aversion), trust, terms, belief)
            np.testing.assert_array_equal(found, forecast)
        found = report(forecast, np.full(60, 1e12), trust, terms, belief, "quadratic")
        np.testing.assert_allclose(found, forecast, atol=1e-8 * terms.forecast_range)


def test_expecting_full_trust_without_aversion_is_the_level_1_sender():
    for rng, terms in random_markets(9, markets=10):
        a = terms.forecast_range
        forecast, _ = random_reports(rng, terms)
        step = 2 * terms.uncertainty * (1 - terms.critical_ratio)
        for belief in BELIEFS:
            found = report(forecast, np.zeros(60), np.ones(60), terms, belief)
            np.testing.assert_allclose(found, np.minimum(forecast + step, a), atol=1e-12 * a)


def test_report_to_a_linear_response_is_that_of_the_theory():
    for rng, terms in random_markets(10, markets=10):
        a, e = terms.forecast_range, terms.uncertainty
        forecast, trust = random_reports(rng, terms)
        b = random_aversion(rng, terms)
        at_zero = capacity(np.zeros(60), trust, terms, "prior") - terms.mean_demand
        for belief, s, k0 in (("prior", trust, at_zero), ("truncated", np.ones(60), terms.safety)):
            lies = b < terms.sender_margin * s
            safe = np.where(lies, s, 1.0)
            best = (forecast + e * (1 - 2 * b / (terms.sender_margin * safe)) - k0) / safe
            expected = np.where(lies, np.clip(best, forecast, a), forecast)
            found = report(forecast, b, s, terms, belief)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * a)


def test_report_jumps_where_gain_and_cost_are_equal_over_a_range():
    terms = ForecastGame().terms(["CHUL"])
    forecast, trust = np.array([50.0]), np.array([0.3])
    # Here a unit of the report adds 0.3 + 0.7 * 0.2 units of capacity, all of which are sold.
    edge = 0.44 * terms.sender_margin
    reports = [report(forecast, edge + side, trust, terms)[0] for side in (-1e-9, 1e-9)]
    assert reports == [150.0, 50.0]
    lie, truth = (
        utility_of(np.array([x]), forecast, edge, trust, terms, "truncated", "absolute")
        for x in reports
    )
    np.testing.assert_allclose(lie, truth, rtol=1e-13)
    slightly = [
        report(forecast, edge + side, trust, terms, lying_cost="quadratic")[0]
        for side in (-1e-9, 1e-9)
    ]
    assert slightly[0] == pytest.approx(slightly[1], rel=1e-9)


def test_draws_broadcast_against_trials():
    rng = np.random.default_rng(11)
    terms = ForecastGame().terms(["CLUL", "CLUH", "CHUL", "CHUH"] * 5)
    forecast, aversion = rng.uniform(-150, 150, 20), rng.uniform(0, 25, (7, 20))
    trust = rng.uniform(0, 1, (7, 1))
    for belief, lying_cost in itertools.product(BELIEFS, COSTS):
        found = report(forecast, aversion, trust, terms, belief, lying_cost)
        built = capacity(forecast, trust, terms, belief)
        slope = capacity_slope(forecast, trust, terms, belief)
        assert found.shape == built.shape == slope.shape == (7, 20)
        for draw, trial in np.ndindex(7, 20):
            one = terms.at(slice(trial, trial + 1))
            alone = report(
                forecast[trial], aversion[draw, trial], trust[draw, 0], one, belief, lying_cost
            )
            assert found[draw, trial] == pytest.approx(alone[0], rel=1e-13)


# PyTensor


@pytest.mark.parametrize("lying_cost", COSTS)
@pytest.mark.parametrize("belief", BELIEFS)
def test_slopes_of_the_report_equal_differences(belief, lying_cost):
    inside, smooth_share = [], []
    for rng, terms in random_markets(12, markets=2):
        # Few functions to compile, and many settings.
        a, terms = terms.forecast_range, terms.at(np.arange(1200) % 60)
        forecast, trust = rng.uniform(-a, a, 1200), rng.uniform(0.01, 0.99, 1200)
        standard = rng.uniform(0.001, 1.0, 1200)

        def by_aversion(at, forecast=forecast, trust=trust, terms=terms):
            return report(forecast, at * terms.sender_margin, trust, terms, belief, lying_cost)

        def by_trust(at, forecast=forecast, standard=standard, terms=terms):
            aversion = standard * terms.sender_margin
            return report(forecast, aversion, at, terms, belief, lying_cost)

        for function, at in ((by_aversion, standard), (by_trust, trust)):
            value, slope = value_and_slope(function, at)
            here, step = function(at), 1e-6
            np.testing.assert_allclose(value, here, rtol=1e-12, atol=1e-12 * a)
            left, right = (here - function(at - step)) / step, (function(at + step) - here) / step
            # Away from kinks: from truth, from the greatest report, between cases.
            size = a + np.maximum(abs(left), abs(right))
            smooth = abs(right - left) < 1e-3 * size
            difference = (left + right) / 2
            error = abs(slope - difference)
            assert (error < 1e-4 * abs(difference) + 1e-6 * size)[smooth].all()
            inside.append((here > forecast) & (here < a))
            smooth_share.append(smooth)
    assert np.mean(smooth_share) > 0.98
    assert np.mean(inside) > 0.15


@pytest.mark.parametrize("lying_cost", COSTS)
@pytest.mark.parametrize("belief", BELIEFS)
def test_slopes_of_the_report_are_finite_everywhere(belief, lying_cost):
    inputs = [pt.vector("aversion"), pt.vector("trust")]
    corners = itertools.product((-1.0, 0.0, 1.0), (0.0, 0.3, 1.0, 1e9), (0.0, 0.4, 1.0))
    where, aversion, trust = np.array([*corners, *[(0.0, 0.5, 0.5)] * 24]).T
    for rng, terms in random_markets(13, markets=2):
        forecast = where * terms.forecast_range
        aversion = aversion * rng.choice([1.0, terms.sender_margin])
        value = report(forecast, *inputs, terms, belief, lying_cost)
        slopes = pt.grad(value.sum(), inputs)
        found = pytensor.function(inputs, [value, *slopes], mode=PYTHON)(aversion, trust)
        assert np.isfinite(found).all()
        expected = report(forecast, aversion, trust, terms, belief, lying_cost)
        np.testing.assert_allclose(found[0], expected, rtol=1e-12, atol=1e-12)


def test_unknown_words_are_refused():
    one, terms = np.array([0.5]), ForecastGame().terms(["CLUL"])
    for function in (capacity, capacity_slope):
        with pytest.raises(ValueError, match="belief: found 'mixture', expected one of truncated"):
            function(one, one, terms, "mixture")
    with pytest.raises(ValueError, match="belief: found 'mixture'"):
        report(one, one, one, terms, "mixture")
    with pytest.raises(ValueError, match="lying_cost: found 'cubic', expected one of absolute"):
        report(one, one, one, terms, lying_cost="cubic")
