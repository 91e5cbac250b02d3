"""The hybrid's messages against a search, and its corners against the theories that it nests."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from intervals import (
    SETTINGS,
    random_aversion,
    random_intervals,
    random_places,
    random_shares,
    replies,
)
from markets import PYTHON

from trustbayes.games import IntervalGame, PowerLoss
from trustbayes.theories.hybrid.interval import hybrid_actions, hybrid_messages
from trustbayes.theories.level_k.interval import actions, messages

DEEPEST = 3


def test_no_message_earns_a_level_k_sender_more_in_2000_settings():
    moved = 0
    for rng, terms in random_intervals(1):
        state, aversion = random_places(rng, terms), random_aversion(rng, terms)
        found = hybrid_messages(state, aversion, DEEPEST, terms)
        for trial in range(SETTINGS):
            bias, width = float(terms.bias[trial]), terms.width
            end = terms.highest if bias > 0 else terms.lowest
            beside = end - np.sign(bias) * 1e-7 * width  # as near to the end as can be
            grid = np.append(np.linspace(terms.lowest, terms.highest, 2001), [beside])
            for level in range(1, DEEPEST + 1):

                def earned(said, acts, trial=trial, bias=bias, state=state):
                    gap = acts - state[trial] - bias
                    loss = terms.scale * abs(gap) ** terms.exponent  # noqa: B023
                    return -loss - aversion[trial] * abs(said - state[trial])  # noqa: B023

                every = earned(grid, replies(grid, level - 1, bias, terms))
                said = np.array([found[level, trial]])
                if abs(said[0] - end) < 1e-9 * width:
                    said = np.array([end, beside])
                own = earned(said, replies(said, level - 1, bias, terms)).max()
                size = abs(every).max() + 1e-12
                assert own >= every.max() - 1e-6 * size
                moved += abs(said[0] - state[trial]) > 1e-9 * width
    assert moved > 1000


def test_corners_are_the_theories_that_it_nests():
    for rng, terms in random_intervals(2, games=10):
        state, trust = random_places(rng, terms), random_shares(rng)
        deaf = (np.arange(DEEPEST + 1)[:, None] - 1) * abs(terms.bias) >= terms.width
        expected = np.where(deaf, state, messages(state, DEEPEST, terms))
        found = hybrid_messages(state, np.zeros(SETTINGS), DEEPEST, terms)
        np.testing.assert_allclose(found, expected, atol=1e-9 * terms.width)
        truth = hybrid_messages(state, np.full(SETTINGS, 1e12), DEEPEST, terms)
        assert (abs(truth - state) <= 1e-12 * terms.width).all()
        none = hybrid_actions(state, np.zeros(SETTINGS), DEEPEST, terms)
        np.testing.assert_array_equal(none, actions(state, DEEPEST, terms))
        full = hybrid_actions(state, np.ones(SETTINGS), DEEPEST, terms)
        assert (full == state).all()
        half = hybrid_actions(state, trust, DEEPEST, terms, "prior")
        read = actions(state, DEEPEST, terms, "prior")
        np.testing.assert_allclose(half, trust * state + (1 - trust) * read)


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0, 3.0])
def test_wavering_passes_gradually_over_the_jumps(exponent):
    payoffs = PowerLoss(100, 100 / 100**exponent, exponent)
    terms = IntervalGame(0, 100, {"b": 15.0}, payoffs).terms(["b"])
    state = np.linspace(0, 100, 201)[:, None]
    unit = IntervalGame(0, 100, {"b": 15.0}, payoffs).lying_unit
    standard = np.exp(np.linspace(-6, 3, 4001))
    for place in (2.0, 10.0, 40.0, 75.0, 90.0):
        told = hybrid_messages(
            np.full((4001, 1), place), standard[:, None] * unit, DEEPEST, terms, wavering=True
        )
        exact = hybrid_messages(np.full((4001, 1), place), standard[:, None] * unit, DEEPEST, terms)
        # The logarithm of aversion moves by 0.00225 from one to the next.
        assert abs(np.diff(told, axis=0)).max() < 0.6
        assert abs(told - exact).mean() < 2.5
    assert np.isfinite(hybrid_messages(state, 0.3 * unit, DEEPEST, terms, wavering=True)).all()


def test_slopes_are_finite_everywhere():
    terms = IntervalGame(0, 100, {"Up": 15.0, "Down": -40.0, "None": 0.0})
    terms = terms.terms(["Up", "Down", "None"] * 7)
    state = np.repeat(np.linspace(0, 100, 7), 3)
    aversion = pt.vector("aversion")
    told = hybrid_messages(state, aversion, DEEPEST, terms, wavering=True)
    slope = pt.grad(told.sum(), aversion)
    function = pytensor.function([aversion], [told, slope], mode=PYTHON)
    for size in (1e-6, 0.1, 1.0, 1e6):
        found, slopes = function(np.full(21, size))
        assert np.isfinite(slopes).all()
        expected = hybrid_messages(state, np.full(21, size), DEEPEST, terms, wavering=True)
        np.testing.assert_allclose(found, expected, atol=1e-9)
