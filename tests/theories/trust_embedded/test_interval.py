"""Actions against a search under what is believed, messages against a search over all messages."""

import itertools

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from intervals import (
    SETTINGS,
    marginal_loss,
    random_aversion,
    random_intervals,
    random_places,
    random_shares,
)
from markets import PYTHON, solve, value_and_slope

from trustbayes.games import IntervalGame, PowerLoss
from trustbayes.theories.trust_embedded.interval import action, convex_root, message

BELIEFS = ("truncated", "prior")
COSTS = ("absolute", "quadratic")


def believed_ends(heard, trust, terms, belief):
    """The ends of what a receiver believes possible."""
    low = np.where((terms.bias < 0) & (belief == "truncated"), heard, terms.lowest)
    high = np.where((terms.bias > 0) & (belief == "truncated"), heard, terms.highest)
    return trust * heard + (1 - trust) * low, trust * heard + (1 - trust) * high


@pytest.mark.parametrize("belief", BELIEFS)
def test_no_action_loses_the_receiver_less_in_2000_settings(belief):
    shares = (np.arange(400)[:, None, None] + 0.5) / 400
    worst = 0.0
    for rng, terms in random_intervals(1):
        heard, trust = random_places(rng, terms), random_shares(rng)
        low, high = believed_ends(heard, trust, terms, belief)
        states = low + shares * (high - low)
        grid = np.linspace(terms.lowest, terms.highest, 401)[:, None]
        found = action(heard, trust, terms, belief)

        def loss(act, states=states, terms=terms):
            return (abs(states - act) ** terms.exponent).mean(axis=0)

        best = loss(grid[None])
        assert (loss(found[None, None])[0] <= best.min(axis=0) * (1 + 1e-9) + 1e-12).all()
        # The one action at which the next unit gains as much as it loses, by bisection.
        if terms.exponent > 1:
            exact = solve(
                lambda act, s=states[:, 0], t=terms: marginal_loss(act - s, t).mean(axis=0),
                np.full(SETTINGS, terms.lowest),
                np.full(SETTINGS, terms.highest),
            )
            # Where nothing is believed but a point, the marginal loss has a kink there alone.
            worst = max(worst, float((abs(found - exact) / terms.width).max()))
    assert worst < 1e-8


@pytest.mark.parametrize("lying_cost", COSTS)
@pytest.mark.parametrize("belief", BELIEFS)
def test_no_message_earns_the_sender_more_in_2000_settings(belief, lying_cost):
    between = 0
    for rng, terms in random_intervals(2):
        state, trust = random_places(rng, terms), random_shares(rng)
        aversion = random_aversion(rng, terms)
        found = message(state, aversion, trust, terms, belief, lying_cost)
        assert ((found >= terms.lowest) & (found <= terms.highest)).all()

        def earned(said, state=state, trust=trust, aversion=aversion, terms=terms):
            gap = action(said, trust, terms, belief) - state - terms.bias
            lie = abs(said - state)
            cost = lie if lying_cost == "absolute" else lie**2 / terms.half
            return -terms.scale * abs(gap) ** terms.exponent - aversion * cost

        grid = np.linspace(terms.lowest, terms.highest, 2001)[:, None]
        every = earned(grid)
        size = abs(every).max(axis=0) + 1e-12
        assert (earned(found) >= every.max(axis=0) - 1e-9 * size).all()
        # Beside the optimum other messages may be as good but for rounding.
        as_good = every >= every.max(axis=0) - 1e-9 * size
        nearest = np.where(as_good, abs(grid - found), np.inf).min(axis=0)
        assert (nearest <= 5.01e-4 * terms.width).all()
        if belief == "prior":  # where messages say nothing, the smallest lie is none
            assert (found == state)[trust == 0].all()
        between += ((found > terms.lowest) & (found < terms.highest) & (found != state)).sum()
    assert between > 300


@pytest.mark.parametrize("lying_cost", COSTS)
def test_messages_are_where_gain_and_cost_of_a_lie_meet(lying_cost):
    worst = 0.0
    for rng, terms in random_intervals(3):
        if terms.exponent == 1:
            continue
        state, trust = random_places(rng, terms), random_shares(rng)
        aversion = random_aversion(rng, terms)
        slope = np.where(terms.bias == 0, trust, (1 + trust) / 2)
        fine = 0.1 * float(np.median(aversion))
        terms = type(terms)(*list(vars(terms).values())[:5], fine)
        wish = state + terms.bias
        gap = wish - action(state, trust, terms)
        way = np.sign(gap)

        def excess(lie, way=way, wish=wish, trust=trust, terms=terms, slope=slope,
                   state=state, aversion=aversion):  # fmt: skip
            """Marginal cost of the lie less its marginal gain."""
            left = way * (wish - action(state + way * lie, trust, terms))
            cost = aversion if lying_cost == "absolute" else 2 * aversion * lie / terms.half
            return cost + terms.fine - slope * marginal_loss(left, terms)

        room = np.where(way > 0, terms.highest - state, state - terms.lowest)
        lie = solve(excess, np.zeros(SETTINGS), room)
        lie = np.where(excess(np.zeros(SETTINGS)) >= 0, 0.0, lie)
        expected = state + way * np.where(slope > 1e-6, lie, 0)
        found = message(state, aversion, trust, terms, "truncated", lying_cost)
        # Who loses nearly nothing by lying as much as she can may do anything.
        sharp = slope > 1e-3
        worst = max(worst, float((abs(found - expected) / terms.width)[sharp].max()))
    assert worst < 1e-8


@pytest.mark.parametrize("power", [1.0, 1.01, 1.5, 2.0, 5.0, 19.0])
def test_newton_steps_reach_the_root(power):
    rng = np.random.default_rng(5)
    first, second = 10 ** rng.uniform(-6, 6, (2, 5000))
    root = 10 ** rng.uniform(-3, 0.5, 5000)
    found = convex_root(first, second, first * root**power + second * root, power)
    assert abs(found - root).max() < 1e-9


def test_without_bias_senders_undo_what_receivers_add():
    game = IntervalGame(0, 100, {"None": 0.0})
    terms = game.terms(["None"] * 3)
    state, trust = np.array([40.0, 50.0, 60.0]), np.full(3, 0.5)
    found = message(state, np.zeros(3), trust, terms)
    assert found.tolist() == [30, 50, 70]
    np.testing.assert_allclose(action(found, trust, terms), state)


def test_a_linear_loss_makes_a_sender_lie_all_the_way_or_not_at_all():
    game = IntervalGame(0, 100, {"b": 10.0}, PowerLoss(100, 1, 1))
    terms, state, trust = game.terms(["b"] * 3), np.full(3, 50.0), np.ones(3)
    aversion = np.array([0.9, 1.0, 1.1])
    assert message(state, aversion, trust, terms).tolist() == [60, 50, 50]
    wavered = message(state, aversion, trust, terms, wavering=True)
    assert wavered[1] == pytest.approx(55)
    assert (np.diff(wavered) < 0).all()


@pytest.mark.parametrize("lying_cost", COSTS)
@pytest.mark.parametrize("exponent", [1.0, 1.4, 2.0, 3.0])
def test_slopes_are_right_and_finite_everywhere(exponent, lying_cost):
    payoffs = PowerLoss(100, 100 / 100**exponent, exponent)
    game = IntervalGame(0, 100, {"Up": 15.0, "Down": -30.0, "None": 0.0}, payoffs)
    names = ["Up", "Down", "None"] * 12
    terms = game.terms(names)
    corners = itertools.product((0.0, 30.0, 100.0), (1e-6, 0.3, 1.0, 1e9), (0.0, 0.4, 1.0))
    state, standard, trust = np.array(list(corners)).T
    inputs = [pt.vector("standard"), pt.vector("trust")]
    unit = game.lying_unit
    value = message(state, inputs[0] * unit, inputs[1], terms, lying_cost=lying_cost, wavering=True)
    slopes = pt.grad(value.sum(), inputs)
    found = pytensor.function(inputs, [value, *slopes], mode=PYTHON)(standard, trust)
    assert np.isfinite(found).all()
    expected = message(state, standard * unit, trust, terms, lying_cost=lying_cost, wavering=True)
    np.testing.assert_allclose(found[0], expected, rtol=1e-9, atol=1e-9)

    rng = np.random.default_rng(1)
    state, trust, standard = (
        rng.uniform(0, 100, 36),
        rng.uniform(0.1, 0.9, 36),
        rng.uniform(0.1, 1, 36),
    )

    def by_aversion(at):
        return message(state, at * unit, trust, terms, lying_cost=lying_cost, wavering=True)

    value, slope = value_and_slope(by_aversion, standard)
    step = 1e-6
    left = (value - by_aversion(standard - step)) / step
    right = (by_aversion(standard + step) - value) / step
    smooth = abs(left - right) < 1e-2
    assert smooth.mean() > 0.9
    np.testing.assert_allclose(slope[smooth], ((left + right) / 2)[smooth], rtol=1e-4, atol=1e-3)


def test_unknown_words_are_refused():
    terms, some = IntervalGame(0, 1, {"b": 0.1}).terms(["b"]), np.array([0.5])
    with pytest.raises(ValueError, match="belief: found 'mixture', expected one of truncated"):
        action(some, some, terms, "mixture")
    with pytest.raises(ValueError, match="lying_cost: found 'cubic', expected one of absolute"):
        message(some, some, some, terms, lying_cost="cubic")
