"""Hidden steps against the enumeration of all paths."""

import itertools

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from trustbayes.numerics.chains import Chains
from trustbayes.numerics.graphs import PLAIN
from trustbayes.numerics.hidden_chains import HiddenSteps

RUNGS, STEPS = 3, 8
LABELS = np.array([0, 0, 1, 0, 1, 2, 2, 1])
OF_SUBJECT = np.array([0, 0, 1])  # the first has two chains
TRIALS = np.array([0, 1, 2, 4, 5, 6, 7])  # nothing is seen at step 3
RNG = np.random.default_rng(11)
LOGS = RNG.normal(size=(TRIALS.size, RUNGS))
UP, DOWN = RNG.random((2, STEPS)) / 2
SHARES = np.array([0.2, 0.5, 0.3])


def steps(up=UP, down=DOWN):
    return HiddenSteps(Chains.of(LABELS), OF_SUBJECT, up, down, TRIALS)


def matrix(step, up, down):
    """Where a step leads."""
    chances = np.zeros((RUNGS, RUNGS))
    for k in range(RUNGS):
        if k + 1 < RUNGS:
            chances[k, k + 1] = up[step]
        if k > 0:
            chances[k, k - 1] = down[step]
        chances[k, k] = 1 - chances[k].sum()
    return chances


def enumerated(logs, up, down):
    """Log probability of each subject's trials given her first rung."""
    seen = np.zeros((STEPS, RUNGS))
    seen[TRIALS] = logs
    found = np.zeros((2, RUNGS))
    for label, subject in enumerate(OF_SUBJECT):
        mine = np.flatnonzero(label == LABELS)
        total = np.zeros(RUNGS)
        for path in itertools.product(range(RUNGS), repeat=mine.size):
            chance = np.exp(sum(seen[s, k] for s, k in zip(mine, path, strict=True)))
            for i in range(mine.size - 1):
                chance *= matrix(mine[i], up, down)[path[i], path[i + 1]]
            total[path[0]] += chance
        found[subject] += np.log(total)
    return found


def test_paths_are_summed_out():
    want = enumerated(LOGS, UP, DOWN)
    np.testing.assert_allclose(steps().by_subject(LOGS, 2), want, atol=1e-12)


def test_who_does_not_move_is_of_one_type_throughout():
    still = steps(np.zeros(STEPS), np.zeros(STEPS)).by_subject(LOGS, 2)
    subject = OF_SUBJECT[LABELS[TRIALS]]
    want = np.stack([LOGS[subject == s].sum(axis=0) for s in range(2)])
    np.testing.assert_allclose(still, want, atol=1e-12)


@pytest.mark.parametrize("impossible", [False, True])
def test_each_trial_is_left_out(impossible):
    """Also where nobody moves and what is seen excludes a rung."""
    seen, up, down = LOGS.copy(), UP, DOWN
    if impossible:
        up = down = np.zeros(STEPS)
        seen[2:, 0] = -1e6
    found = steps(up, down).without_each(seen[None], np.log(SHARES)[None, None])[0]
    subject = OF_SUBJECT[LABELS[TRIALS]]
    with np.errstate(divide="ignore"):
        whole = np.log(np.exp(enumerated(seen, up, down)) @ SHARES)
    for trial in range(TRIALS.size):
        others = seen.copy()
        others[trial] = 0.0
        with np.errstate(divide="ignore"):
            less = np.log(np.exp(enumerated(others, up, down)) @ SHARES)
        assert found[trial] == pytest.approx((whole - less)[subject[trial]], abs=1e-10)


def test_slopes_are_those_of_differences():
    logs, up, down = pt.dmatrix(), pt.dvector(), pt.dvector()
    weights = RNG.normal(size=(2, RUNGS))
    total = (steps(up, down).by_subject(logs, 2) * weights).sum()
    given = (LOGS, UP, DOWN)
    compiled = pytensor.function(
        [logs, up, down], pytensor.grad(total, [logs, up, down]), mode=PLAIN
    )
    for place, slope in enumerate(compiled(*given)):
        for at in np.ndindex(slope.shape):
            sides = []
            for sign in (1, -1):
                moved = [one.copy() for one in given]
                moved[place][at] += sign * 1e-5
                sides.append((steps(*moved[1:]).by_subject(moved[0], 2) * weights).sum())
            assert slope[at] == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=1e-7)


def test_paths_are_drawn_as_likely_as_they_are():
    size = 20_000
    begins = np.ones((size, 2), dtype=int)
    logs = np.broadcast_to(LOGS, (size, *LOGS.shape))
    paths = steps().walk(logs, begins, RUNGS, np.random.default_rng(3))
    # The second subject's chain: steps 5 and 6, begun on rung 1.
    chance = matrix(5, UP, DOWN)[1] * np.exp(LOGS[TRIALS == 6][0])
    share = np.bincount(paths[:, TRIALS == 6].reshape(-1), minlength=RUNGS) / size
    np.testing.assert_allclose(share, chance / chance.sum(), atol=0.015)  # four standard errors
    assert (paths[:, TRIALS == 5] == 1).all()
