"""Choice probabilities and folded likelihoods against loops over trials."""

import math

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from scipy.special import logsumexp

from trustbayes.numerics.arrays import log_sum_exp
from trustbayes.theories.responses.logit import choice_log_probabilities, unit_log_likelihood

# Plain Python: neither numba nor C, which take seconds to compile each function.
PYTHON = Mode(linker="py", optimizer="fast_compile")

UNITS, TYPES, SEEN, OPTIONS = 4, 2, 3, 5
SWITCHES = pytest.mark.parametrize(
    ("typed", "with_precision", "with_lapse"),
    [(t, p, e) for t in (False, True) for p in (False, True) for e in (False, True)],
    ids=lambda value: "yes" if value else "no",
)
DRAWS = pytest.mark.parametrize("draws", [(), (3,), (2, 3)], ids=str)


class Data:
    """Random utilities and parameters with leading draws, and random trials."""

    def __init__(self, draws, typed, with_precision, with_lapse):
        rng = np.random.default_rng(7)
        types = (TYPES,) if typed else ()
        self.types = list(np.ndindex(types))
        self.utility = rng.normal(scale=2, size=(*draws, UNITS, *types, SEEN, OPTIONS))
        self.precision = rng.uniform(0, 5, (*draws, UNITS)) if with_precision else None
        self.lapse = rng.uniform(0, 0.5, (*draws, UNITS)) if with_lapse else None
        # Unit 3 has no trials after seeing the last thing.
        self.trials = [
            (u, s, int(rng.integers(OPTIONS)))
            for u, s in zip(rng.integers(UNITS, size=40), rng.integers(SEEN, size=40), strict=True)
            if (u, s) != (3, 2)
        ]
        self.counts = np.zeros((UNITS, SEEN, OPTIONS), dtype=int)
        for trial in self.trials:
            self.counts[trial] += 1

    def probabilities(self, draw, unit, kind, seen):
        """Chances of the options, by the definition of the softmax."""
        precision = 1.0 if self.precision is None else self.precision[draw][unit]
        weights = [math.exp(precision * u) for u in self.utility[draw][(unit, *kind, seen)]]
        chances = [w / sum(weights) for w in weights]
        if self.lapse is None:
            return chances
        share = self.lapse[draw][unit]
        return [(1 - share) * p + share / OPTIONS for p in chances]


@SWITCHES
@DRAWS
def test_choice_probabilities_equal_their_definition(draws, typed, with_precision, with_lapse):
    data = Data(draws, typed, with_precision, with_lapse)
    logs = choice_log_probabilities(data.utility, data.precision, data.lapse, typed)
    assert logs.shape == data.utility.shape
    for draw in np.ndindex(draws):
        for unit in range(UNITS):
            for kind in data.types:
                for seen in range(SEEN):
                    expected = data.probabilities(draw, unit, kind, seen)
                    found = np.exp(logs[draw][(unit, *kind, seen)])
                    np.testing.assert_allclose(found, expected, rtol=1e-12)


@SWITCHES
@DRAWS
def test_folded_likelihood_equals_a_loop_over_trials(draws, typed, with_precision, with_lapse):
    data = Data(draws, typed, with_precision, with_lapse)
    found = unit_log_likelihood(data.counts, data.utility, data.precision, data.lapse, typed)
    assert found.shape == (*draws, UNITS, *((TYPES,) if typed else ()))
    for draw in np.ndindex(draws):
        for kind in data.types:
            expected = [0.0] * UNITS
            for unit, seen, option in data.trials:
                expected[unit] += math.log(data.probabilities(draw, unit, kind, seen)[option])
            np.testing.assert_allclose(found[draw][(..., *kind)], expected, rtol=1e-12)


@SWITCHES
def test_pytensor_gives_the_values_of_numpy(typed, with_precision, with_lapse):
    data = Data((), typed, with_precision, with_lapse)
    given = [data.utility, data.precision, data.lapse]
    symbolic = [None if value is None else pt.constant(value) for value in given]
    outputs = [
        choice_log_probabilities(*symbolic, typed),
        unit_log_likelihood(data.counts, *symbolic, typed),
    ]
    choices, units = pytensor.function([], outputs, mode=PYTHON)()
    np.testing.assert_allclose(choices, choice_log_probabilities(*given, typed), rtol=1e-12)
    expected = unit_log_likelihood(data.counts, *given, typed)
    np.testing.assert_allclose(units, expected, rtol=1e-12)


def test_utilities_that_all_units_share_are_stretched_over_them():
    # A table broadcast over units, as the level-k model hands it in, with draws of precision.
    data = Data((), True, False, False)
    table = np.broadcast_to(data.utility[0], data.utility.shape)
    precision = np.random.default_rng(1).uniform(0, 3, (6, UNITS))
    found = unit_log_likelihood(data.counts, table, precision, typed=True)
    assert found.shape == (6, UNITS, TYPES)
    for draw in range(6):
        expected = unit_log_likelihood(data.counts, table, precision[draw], typed=True)
        np.testing.assert_allclose(found[draw], expected, rtol=1e-12)


@pytest.mark.parametrize("precision", [0.0, 1e-8, 1e4, 1e8])
def test_extreme_precision_neither_overflows_nor_loses_the_log_probability(precision):
    # Two options a utility of one apart: log p = -log(1 + exp(±λ)), in closed form.
    utility = np.array([[[1000.0, 1001.0]]])
    counts = np.array([[[3, 2]]])
    better = -math.log1p(math.exp(-precision))
    worse = better - precision
    logs = choice_log_probabilities(utility, np.array([precision]))
    # λU itself is 1000 λ, so rounding leaves 1e-16 of that.
    tolerance = {"rel": 1e-12, "abs": 1e-12 * max(1, precision)}
    assert logs[0, 0].tolist() == pytest.approx([worse, better], **tolerance)
    total = unit_log_likelihood(counts, utility, np.array([precision]))
    assert total[0] == pytest.approx(3 * worse + 2 * better, **tolerance)
    # With a lapse the worse option keeps its share of random choices.
    with_lapse = choice_log_probabilities(utility, np.array([precision]), np.array([0.02]))
    expected = [math.log(0.98 * math.exp(worse) + 0.01), math.log(0.98 * math.exp(better) + 0.01)]
    assert with_lapse[0, 0].tolist() == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_slopes_stay_finite_at_extreme_precision():
    precision, lapse = pt.vector("precision"), pt.vector("lapse")
    utility = np.array([[[0.0, 1.0, -500.0]]])
    counts = np.array([[[1, 1, 1]]])
    plain = unit_log_likelihood(counts, utility, precision).sum()
    lapsing = unit_log_likelihood(counts, utility, precision, lapse).sum()
    outputs = [
        plain,
        pt.grad(plain, precision),
        *pt.grad(lapsing, [precision, lapse]),
    ]
    compiled = pytensor.function([precision, lapse], outputs, mode=PYTHON)
    for value in (0.0, 1e3, 1e7):
        total, slope, *slopes = compiled([value], [0.01])
        assert np.isfinite([slope[0], *(s[0] for s in slopes)]).all()
        assert np.isfinite(total)
        # d/dλ of Σ (λ u - log Σ exp λU) is the sum of utilities less 3 times the expected one.
        weights = [math.exp(value * (u - 1)) for u in (0.0, 1.0, -500.0)]
        mean = (weights[1] - 500 * weights[2]) / sum(weights)
        assert slope[0] == pytest.approx(-499 - 3 * mean, rel=1e-9)


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_log_sum_exp_equals_that_of_scipy(axis):
    values = np.random.default_rng(0).normal(scale=300, size=(3, 4, 5))
    np.testing.assert_allclose(
        log_sum_exp(values, axis=axis), logsumexp(values, axis=axis), rtol=1e-14
    )
    kept = log_sum_exp(values, axis=axis, keepdims=True)
    np.testing.assert_allclose(kept, logsumexp(values, axis=axis, keepdims=True), rtol=1e-14)


@SWITCHES
def test_slopes_equal_differences(typed, with_precision, with_lapse):
    data = Data((), typed, with_precision, with_lapse)
    given = [data.utility, data.precision, data.lapse]
    inputs = [None if value is None else pt.tensor(shape=value.shape) for value in given]
    total = unit_log_likelihood(data.counts, *inputs, typed).sum()
    present = [i for i in inputs if i is not None]
    slopes = pytensor.function(present, pt.grad(total, present), mode=PYTHON)(
        *(value for value in given if value is not None)
    )
    rng = np.random.default_rng(3)
    found = iter(slopes)
    for i, value in enumerate(given):
        if value is None:
            continue
        slope = next(found)
        # Along random directions; rounding leaves 1e-16 * 1e3 / 1e-5, curvature about 1e-8.
        for _ in range(5):
            direction = rng.normal(size=value.shape)
            up, down = (
                [v + sign * 1e-5 * direction if j == i else v for j, v in enumerate(given)]
                for sign in (1, -1)
            )
            totals = [unit_log_likelihood(data.counts, *g, typed).sum() for g in (up, down)]
            difference = (totals[0] - totals[1]) / 2e-5
            assert (slope * direction).sum() == pytest.approx(difference, rel=1e-5, abs=1e-5)
