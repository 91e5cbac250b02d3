"""States along chains against loops, and their adjoints against differences."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from trustbayes.numerics.chains import Chains
from trustbayes.numerics.graphs import PLAIN
from trustbayes.numerics.recursions import filtered, relaxed

STEPS = 30
RNG = np.random.default_rng(5)
LABELS = RNG.integers(0, 4, STEPS)
CHAINS = Chains.of(LABELS)
WEIGHTS = RNG.normal(size=STEPS)
MEMORY, SIGNAL = RNG.random(STEPS), RNG.normal(size=STEPS)
BASE, UP, DOWN = RNG.normal(size=STEPS), 0.5 * RNG.random(STEPS), 0.5 * RNG.random(STEPS)


def loop(step, *arrays):
    """A state for each label, moved where the label is met."""
    states, found = {}, []
    for label, *given in zip(LABELS, *arrays, strict=True):
        found.append(states.get(label, 0.0))
        states[label] = step(found[-1], *given)
    return np.array(found)


def filter_step(state, memory, signal):
    return memory * state + signal


def relax_step(state, base, up, down):
    share = 1 / (1 + np.exp(-base - state))
    share += up * (1 - share) - down * share
    return np.log(share / (1 - share)) - base


CASES = [(filtered, filter_step, (MEMORY, SIGNAL)), (relaxed, relax_step, (BASE, UP, DOWN))]


@pytest.mark.parametrize(("function", "step", "given"), CASES)
def test_states_are_those_of_a_loop(function, step, given):
    np.testing.assert_allclose(function(CHAINS, *given), loop(step, *given), atol=1e-12)


@pytest.mark.parametrize(("function", "step", "given"), CASES)
def test_draws_are_each_for_itself(function, step, given):
    both = function(CHAINS, *(np.stack([one, one / 2]) for one in given))
    np.testing.assert_allclose(both[1], loop(step, *(one / 2 for one in given)), atol=1e-12)


@pytest.mark.parametrize(("function", "step", "given"), CASES)
def test_slopes_are_those_of_differences(function, step, given):
    inputs = [pt.dvector() for _ in given]
    total = (function(CHAINS, *inputs) * WEIGHTS).sum()
    slopes = pytensor.function(inputs, pytensor.grad(total, inputs), mode=PLAIN)(*given)
    for place, slope in enumerate(slopes):
        for at in range(STEPS):
            sides = []
            for sign in (1, -1):
                moved = [one.copy() for one in given]
                moved[place][at] += sign * 1e-5
                sides.append(loop(step, *moved) @ WEIGHTS)
            # Central differences of step 1e-5 are exact to about 1e-9 here.
            assert slope[at] == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=1e-7)


def test_full_memory_adds_up_and_none_keeps_the_last():
    chains = Chains.of(np.zeros(4, dtype=int))
    signal = np.array([1.0, 2.0, 4.0, 8.0])
    assert filtered(chains, np.ones(4), signal).tolist() == [0.0, 1.0, 3.0, 7.0]
    assert filtered(chains, np.zeros(4), signal).tolist() == [0.0, 1.0, 2.0, 4.0]
