"""The hybrid against a search over reports, and against the quantile of its belief."""

from dataclasses import replace
from itertools import islice, product

import numpy as np
import pytensor.tensor as pt
import pytest
from markets import numerical_quantile, ozc_terms, random_markets, value_and_slope

from trustbayes.games import ForecastGame
from trustbayes.games.forecast import OZC_TREATMENTS
from trustbayes.games.forecast_demand import sender_profit
from trustbayes.theories.benchmarks.forecast import credulous_capacity
from trustbayes.theories.hybrid.forecast import hybrid_capacities, hybrid_reports
from trustbayes.theories.level_k.forecast import believed_states, capacities, level_shift, reports

DEEPEST = 3


def random_senders(rng, terms):
    """States, some at the ends, and lying aversions from little to more than the margin."""
    state = rng.uniform(-1, 1, 60) * terms.forecast_range
    state[:3], state[3:6] = -terms.forecast_range, terms.forecast_range
    aversion = terms.sender_margin * rng.choice([0.3, 1.0, 3.0], 60) * rng.uniform(0, 1, 60)
    return state, aversion


def markets():
    """Random markets, and the known treatments with more states."""
    yield from random_markets(1)
    known = ForecastGame().terms(["CLUL", "CLUH", "CHUL", "CHUH"] * 15)
    yield from ((np.random.default_rng(seed), known) for seed in range(10))


def utility(report, state, aversion, terms):
    """What the reports earn a sender of each level above 0; shape (..., levels - 1, trials)."""
    answer = capacities(report, DEEPEST - 1, terms)
    lie = abs(report - state)[..., None, :]
    return sender_profit(answer, state, terms) - aversion * lie


def test_reports_are_the_best_of_a_fine_grid_in_random_settings():
    apart = capped = truthful = 0
    for rng, terms in markets():
        state, aversion = random_senders(rng, terms)
        a = terms.forecast_range
        found = hybrid_reports(state, aversion, DEEPEST, terms)
        assert found.shape == (DEEPEST + 1, 60)
        np.testing.assert_array_equal(found[0], state)
        assert ((found >= state) & (found <= a)).all()
        grid = np.vstack([np.broadcast_to(np.linspace(-a, a, 2001)[:, None], (2001, 60)), state])
        earned = utility(grid, state, aversion, terms)
        size = terms.sender_margin * (terms.mean_demand + a + terms.uncertainty)
        for level in range(1, DEEPEST + 1):
            own = utility(found[level], state, aversion, terms)[level - 1]
            best = earned[:, level - 1].max(axis=0)
            assert (own >= best - 1e-11 * size).all()
            # And it is where the grid's best is, unless payoffs are as good as equal there.
            where = np.take_along_axis(grid, earned[:, [level - 1]].argmax(axis=0), axis=0)[0]
            near = abs(found[level] - where) < 2e-3 * a
            assert (near | (own - best < 1e-6 * size)).all()
            apart += (~near).sum()
            capped += ((found[level] == a) & (state < a)).sum()
            truthful += ((found[level] == state) & (state < a)).sum()
    # The search means something only if there were enough of each kind; 9000 in all.
    assert apart < 300
    assert min(capped, truthful) > 1000


@pytest.mark.parametrize("wavering", [False, True])
def test_without_aversion_it_is_the_level_k_sender(wavering):
    for rng, terms in markets():
        state, _ = random_senders(rng, terms)
        found = hybrid_reports(state, np.zeros(60), DEEPEST, terms, wavering)
        # She who faces a receiver deaf to reports tells the truth instead: all are as good.
        deaf = (np.arange(DEEPEST + 1)[:, None] - 1) * level_shift(
            terms
        ) >= 2 * terms.forecast_range
        expected = np.where(deaf, state, reports(state, DEEPEST, terms))
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * terms.forecast_range)


def test_tie_with_the_cap_is_one_also_where_nothing_sells_on_average():
    # There no large number hides that the two capacities are the same up to rounding only.
    for rng, terms in random_markets(5):
        # Noise small enough that no receiver is deaf to reports.
        noise = np.minimum(terms.uncertainty, terms.forecast_range / 2)
        mean = rng.uniform(0.3, 0.9) * terms.forecast_range
        terms = replace(terms, mean_demand=mean, uncertainty=noise)
        state = np.full(60, -terms.mean_demand)
        found = hybrid_reports(state, np.array(0.0), 2, terms)
        np.testing.assert_allclose(found, reports(state, 2, terms), rtol=1e-9)


def test_with_much_aversion_it_is_the_truth():
    for rng, terms in markets():
        state, _ = random_senders(rng, terms)
        found = hybrid_reports(state, np.array(terms.sender_margin), 1, terms)
        np.testing.assert_array_equal(found[1], state)
        # From level 2 on the jump at the cap still pays for those who are very near.
        found = hybrid_reports(state, np.array(1e4 * terms.sender_margin), DEEPEST, terms)
        far = state < (1 - 1e-3) * terms.forecast_range
        np.testing.assert_array_equal(found[:, far], np.tile(state[far], (DEEPEST + 1, 1)))


def test_report_falls_with_aversion():
    terms = ozc_terms()
    state = np.random.default_rng(2).uniform(-150, 150, (50, 4))
    aversion = np.linspace(0, 100, 400)[:, None, None]
    found = hybrid_reports(state, aversion, DEEPEST, terms)
    assert found.shape == (400, 50, DEEPEST + 1, 4)
    assert (np.diff(found, axis=0) <= 0).all()


def test_reports_of_a_known_treatment():
    # CHUH at β = 10, level 2, by hand: h = 120, and 2eβ / (r - w) = 60, so that on the line
    # ξ + 180. R_1 builds 55 up to a report of -30, then 1 per unit up to 235, and 289.85 at a.
    # At -150 truth earns 25·52 = 1300, the line 25·88 - 1800 = 400. At -100 truth earns 1375, the
    # line 25·138 - 1800 = 1650, the cap 25·150 - 2500 = 1250. At -50 the line earns
    # 25·188 - 1800 = 2900, the cap 25·200 - 2000 = 3000.
    terms = ForecastGame().terms(["CHUH"])
    state = np.array([[-150.0], [-100.0], [-50.0], [140.0]])
    found = hybrid_reports(state, np.array([10.0]), 2, terms)[:, 2, 0]
    np.testing.assert_allclose(found, [-150, 80, 150, 150], rtol=1e-14)


def test_wavering_gives_the_mean_report_but_for_what_the_line_bends():
    # Log aversion is logistic with scale 1/8: by its quantiles, as many as the mean needs.
    chance = (np.arange(1000) + 0.5) / 1000
    factor = (chance / (1 - chance)) ** (1 / 8)
    exact = jumped = 0
    for rng, terms in islice(markets(), 30):
        state, aversion = random_senders(rng, terms)
        found = hybrid_reports(state, aversion, DEEPEST, terms, wavering=True)
        assert ((found >= state) & (found <= terms.forecast_range)).all()
        each = hybrid_reports(state, factor[:, None] * aversion, DEEPEST, terms)
        gap = abs(found - each.mean(axis=0))
        # A report on the line is that of her own aversion instead of the mean over aversions.
        line = 2 * terms.uncertainty * aversion / terms.sender_margin
        bend = line * abs(factor - 1).mean()
        rounding = 2e-3 * terms.forecast_range
        assert (gap < bend + rounding).all()
        leaps = ((each == state) | (each == terms.forecast_range)).all(axis=0)
        assert (gap[leaps] < rounding).all()
        exact += leaps.sum()
        jumps = np.diff(each, axis=0).min(axis=0) < -5 * (bend + rounding)
        jumped += jumps.sum()
        # There the exact report is much farther off than that.
        plain = hybrid_reports(state, aversion, DEEPEST, terms)
        assert (abs(plain - each.mean(axis=0)) > gap)[jumps].mean() > 0.9
    assert min(exact, jumped) > 300


def test_a_wavering_report_jumps_nowhere():
    terms = ozc_terms()
    state = np.random.default_rng(2).uniform(-150, 150, (50, 4))
    aversion = np.geomspace(0.01, 100, 4000)[:, None, None]
    steps = -np.diff(hybrid_reports(state, aversion, DEEPEST, terms, wavering=True), axis=0)
    assert steps.max() < 3  # of 300; by the logistic's slope, 2 = 300 / 4 x 8 x 0.0023, and a bit
    assert steps.min() > -1e-9
    exact = -np.diff(hybrid_reports(state, aversion, DEEPEST, terms), axis=0)
    assert exact.max() > 150


@pytest.mark.parametrize("unsent", ["monotone", "prior"])
def test_capacities_equal_the_quantile_of_the_belief_in_random_settings(unsent):
    for rng, terms in markets():
        report, trust = rng.uniform(-1, 1, 60) * terms.forecast_range, rng.uniform(0, 1, 60)
        report[:10], trust[5:8], trust[8:12] = terms.forecast_range, 0.0, 1.0
        found = hybrid_capacities(report, trust, DEEPEST, terms, unsent)
        lowest, width = believed_states(report, DEEPEST, terms, unsent)
        low, high = (trust * report + (1 - trust) * end for end in (lowest, lowest + width))
        expected = terms.mean_demand + low + numerical_quantile(high - low, terms)
        size = terms.mean_demand + terms.forecast_range
        assert (abs(found - expected) < 1e-9 * size).all()


@pytest.mark.parametrize("unsent", ["monotone", "prior"])
def test_trust_leads_from_the_level_k_receiver_to_the_credulous_one(unsent):
    for rng, terms in markets():
        report = rng.uniform(-1, 1, 60) * terms.forecast_range
        report[:5] = terms.forecast_range
        close = {"rtol": 1e-12, "atol": 1e-12 * terms.forecast_range}
        none, full = (
            hybrid_capacities(report, np.array(trust), DEEPEST, terms, unsent) for trust in (0, 1)
        )
        np.testing.assert_allclose(none, capacities(report, DEEPEST, terms, unsent), **close)
        expected = np.tile(credulous_capacity(report, terms), (DEEPEST + 1, 1))
        np.testing.assert_allclose(full, expected, **close)


# PyTensor


@pytest.mark.parametrize("wavering", [False, True])
def test_report_slopes_equal_differences_away_from_jumps(wavering):
    compared = sloped = 0
    for rng, terms in random_markets(3, markets=10):
        state, aversion = random_senders(rng, terms)
        aversion += 0.01 * terms.sender_margin

        def function(at, state=state, terms=terms):
            return hybrid_reports(state, at, DEEPEST, terms, wavering)

        value, slope = value_and_slope(lambda at: function(at).sum(axis=-2), aversion)
        assert np.isfinite(slope).all()
        np.testing.assert_allclose(value, function(aversion).sum(axis=0), rtol=1e-12)
        step = 1e-4 * aversion
        up, down = function(aversion + step), function(aversion - step)
        bend = up - 2 * function(aversion) + down
        # A wavering report bends everywhere, if less than at most kinks.
        limit = (1e-5 if wavering else 1e-9) * terms.forecast_range
        smooth = (abs(bend) < limit).all(axis=0)
        difference = ((up - down) / (2 * step)).sum(axis=0)
        error = abs(slope - difference) * terms.sender_margin
        scale = terms.forecast_range + terms.uncertainty
        assert (error[smooth] < 1e-4 * scale[smooth]).all()
        compared += smooth.sum()
        sloped += (slope[smooth] < 0).sum()
    assert compared > 550
    assert sloped > 100


@pytest.mark.parametrize("unsent", ["monotone", "prior"])
def test_capacity_slopes_equal_differences(unsent):
    for rng, terms in random_markets(4, markets=10):
        report, trust = rng.uniform(-1, 1, 60) * terms.forecast_range, rng.uniform(0.01, 0.99, 60)
        report[:10] = terms.forecast_range

        def function(at, report=report, terms=terms):
            return hybrid_capacities(report, at, DEEPEST, terms, unsent)

        value, slope = value_and_slope(lambda at: function(at).sum(axis=-2), trust)
        np.testing.assert_allclose(value, function(trust).sum(axis=0), rtol=1e-12)
        difference = ((function(trust + 1e-6) - function(trust - 1e-6)) / 2e-6).sum(axis=0)
        size = terms.mean_demand + terms.forecast_range + terms.uncertainty
        assert (abs(slope - difference) < 1e-4 * size).all()


def test_slopes_are_finite_at_every_seam():
    every = product(OZC_TREATMENTS, (-150.0, -30.0, 0.0, 150.0), (0.0, 0.25, 0.5, 0.75, 1.0))
    names, seen, share = zip(*every, strict=True)
    terms, seen, share = ForecastGame().terms(names), np.array(seen), np.array(share)
    for unsent in ("monotone", "prior"):
        _, slope = value_and_slope(
            lambda at, unsent=unsent: hybrid_capacities(seen, at, DEEPEST, terms, unsent), share
        )
        assert np.isfinite(slope).all()
    # Aversions of up to the sender's margin of 25, twice that, and without end.
    for scale in (25, 50, 1e6):
        for wavering in (False, True):
            _, slope = value_and_slope(
                lambda at, wavering=wavering: hybrid_reports(seen, at, DEEPEST, terms, wavering),
                scale * share,
            )
            assert np.isfinite(slope).all()


def test_a_parameter_may_have_leading_axes_or_none():
    terms = ozc_terms()
    seen = np.array([-100.0, 0.0, 50.0, 150.0])
    for play, value in ((hybrid_reports, 5.0), (hybrid_capacities, 0.4)):
        plain = play(seen, np.full(4, value), DEEPEST, terms)
        np.testing.assert_array_equal(play(seen, np.array(value), DEEPEST, terms), plain)
        many = play(seen, np.full((2, 3, 4), value), DEEPEST, terms)
        assert many.shape == (2, 3, DEEPEST + 1, 4)
        np.testing.assert_array_equal(many[1, 2], plain)
        symbolic = play(seen, pt.constant(value), DEEPEST, terms).eval()
        np.testing.assert_allclose(symbolic, plain, rtol=1e-13)


def test_unknown_conventions_are_refused():
    terms, seen, value = ozc_terms(), np.zeros(4), np.full(4, 0.5)
    with pytest.raises(ValueError, match="unsent: found 'tremble', expected one of monotone"):
        hybrid_capacities(seen, value, 1, terms, "tremble")
    for play in (hybrid_reports, hybrid_capacities):
        with pytest.raises(ValueError, match="max_level: found -1, expected 0 or more"):
            play(seen, value, -1, terms)
