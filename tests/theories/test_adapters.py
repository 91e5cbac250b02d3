"""Evaluating a theory where every entry has its own condition: a treatment's game, and a bias."""

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from trustbayes.games import FiniteGame, FiniteTerms
from trustbayes.theories.adapters import by_condition, conditions_of

# Plain Python: neither numba nor C, which take seconds to compile each function.
PYTHON = Mode(linker="py", optimizer="fast_compile")

BIASES = {
    "one": [2.0, 2.0, 2.0],
    "sorted": [-1.0, 0.0, 0.0, 1.5, 1.5, 1.5],
    "permuted": [1.5, -1.0, 0.0, 1.5, -1.0, 0.0, 1.5],
    "all different": [3.0, -2.0, 0.5, 1.0, -0.5],
}


GAME = FiniteGame([1, 2])


def under(biases):
    """Conditions of a game in which treatments differ in bias only, each entry in one of two."""
    treatment = np.arange(len(biases)) % 2
    return conditions_of(GAME, ("a", "b"), treatment, np.array(biases))


def theory(game, bias, x, y):
    """Tells apart the bias, both parameters and both option axes; shape (..., 2, 3)."""
    assert game is GAME
    assert isinstance(bias, float)
    options = np.arange(6.0).reshape(2, 3)
    return (x + 10 * bias)[..., None, None] + y[..., None, None] * options


@pytest.mark.parametrize("draws", [(), (4,), (2, 4)], ids=str)
@pytest.mark.parametrize("biases", BIASES.values(), ids=BIASES)
def test_each_entry_is_evaluated_at_its_bias(biases, draws):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, *draws, len(biases)))
    found = by_condition(theory, under(biases), x, y)
    assert found.shape == (*draws, len(biases), 2, 3)
    for draw in np.ndindex(draws):
        for i, bias in enumerate(biases):
            for j in range(2):
                for k in range(3):
                    expected = x[draw][i] + 10 * bias + y[draw][i] * (3 * j + k)
                    assert found[draw][i, j, k] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("biases", BIASES.values(), ids=BIASES)
def test_pytensor_gives_the_values_of_numpy(biases):
    x, y = np.random.default_rng(1).normal(size=(2, len(biases)))
    symbolic = by_condition(theory, under(biases), pt.constant(x), pt.constant(y))
    expected = by_condition(theory, under(biases), x, y)
    np.testing.assert_allclose(symbolic.eval(mode=PYTHON), expected, rtol=1e-14)


@pytest.mark.parametrize("draws", [(), (4,)], ids=str)
@pytest.mark.parametrize("biases", BIASES.values(), ids=BIASES)
def test_results_may_have_any_number_of_axes(biases, draws):
    x, y = np.random.default_rng(2).normal(size=(2, *draws, len(biases)))
    for axes in ((), (2,), (4, 2, 3)):

        def spread(game, bias, x, y, axes=axes):
            total = (x + 10 * bias + y)[(..., *(None,) * len(axes))]
            return total * np.arange(1, 1 + np.prod(axes, dtype=int)).reshape(axes)

        found = by_condition(spread, under(biases), x, y)
        expected = [spread(GAME, bias, x[..., i], y[..., i]) for i, bias in enumerate(biases)]
        np.testing.assert_allclose(found, np.stack(expected, axis=len(draws)), rtol=1e-14)


def test_the_theory_is_evaluated_once_per_distinct_bias():
    asked = []

    def counted(game, bias, x):
        asked.append((bias, x.tolist()))
        return x[..., None, None]

    by_condition(counted, under([2.0, 1.0, 2.0]), np.array([5.0, 6.0, 7.0]))
    assert asked == [(1.0, [6.0]), (2.0, [5.0, 7.0])]


def test_treatments_on_equal_terms_are_one_condition():
    priors = {"a": [0.2, 0.8], "b": [0.5, 0.5], "c": [0.2, 0.8]}
    game = FiniteGame([1, 2], terms={name: FiniteTerms(prior=p) for name, p in priors.items()})
    treatment, biases = np.array([2, 0, 1, 1, 0]), np.array([1.0, 1.0, 1.0, 0.0, 0.0])
    found = conditions_of(game, ("a", "b", "c"), treatment, biases)
    assert len(found.distinct) == 4

    def weighed(stage, bias, x):
        return x * stage.prior[0] + 10 * bias

    values = by_condition(weighed, found, np.arange(1.0, 6.0))
    expected = [0.2 * 1 + 10, 0.2 * 2 + 10, 0.5 * 3 + 10, 0.5 * 4, 0.2 * 5]
    np.testing.assert_allclose(values, expected, rtol=1e-14)
