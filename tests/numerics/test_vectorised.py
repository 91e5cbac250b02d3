"""exp, log and powers several at a time: against NumPy's, and in the graphs they come into."""

import subprocess
import sys

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from trustbayes.inference.engines.compiled import exact
from trustbayes.numerics.vectorised import exp, vectorised

RNG = np.random.default_rng(20251125)
EVERYWHERE = RNG.uniform(-708, 709, (40, 50))
NEAR_ZERO = RNG.normal(0, 1e-3, (40, 50))
POSITIVE = np.exp(RNG.uniform(-700, 700, (40, 50)))
NEAR_ONE = RNG.uniform(0.6, 1.6, (40, 50))
DISTANCES = RNG.normal(0, 3, (40, 50))


def compiled(formula, *, axes=2):
    x = pt.tensor("x", shape=(None,) * axes, dtype="float64")
    with exact():
        return pytensor.function([x], formula(x), mode="NUMBA")


def stands_in(function) -> list[str]:
    nodes = function.maker.fgraph.toposort()
    return [node.op.function for node in nodes if type(node.op).__name__ == "_Flat"]


@pytest.mark.parametrize(
    ("name", "formula", "numpy", "values", "units_in_last_place"),
    [
        ("exp", pt.exp, np.exp, EVERYWHERE, 4),
        ("exp", pt.exp, np.exp, NEAR_ZERO, 4),
        ("exp", exp, np.exp, -abs(EVERYWHERE), 4),
        ("log", pt.log, np.log, POSITIVE, 4),
        ("log", pt.log, np.log, NEAR_ONE, 4),
        # The error of a power is that of its logarithm, times the exponent and the logarithm.
        ("power", lambda x: abs(x) ** 1.4, lambda x: abs(x) ** 1.4, DISTANCES, 16),
        ("power", lambda x: abs(x) ** 0.5001, lambda x: abs(x) ** 0.5001, DISTANCES, 16),
    ],
)
def test_as_exact_as_numpy_to_the_last_digits(name, formula, numpy, values, units_in_last_place):
    function = compiled(formula)
    assert stands_in(function) == [name]
    np.testing.assert_array_max_ulp(function(values), numpy(values), maxulp=units_in_last_place)


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (3, 5), (7, 9)])
def test_of_every_size(shape):
    values = RNG.normal(size=shape)
    np.testing.assert_allclose(compiled(pt.exp)(values), np.exp(values), rtol=1e-15)


def test_of_arrays_in_any_order():
    values = RNG.normal(size=(6, 8))
    for given in (values.T, values[::2, ::-3], np.asfortranarray(values)):
        np.testing.assert_allclose(compiled(pt.exp)(given), np.exp(given), rtol=1e-15)


def test_at_the_ends():
    ends = np.array([[-np.inf, -1e4, 0.0, 1e4, np.inf, np.nan]])
    found = compiled(pt.exp)(ends)
    np.testing.assert_allclose(found, [[0.0, 0.0, 1.0, np.inf, np.inf, np.nan]], atol=1e-300)
    logs = compiled(pt.log)(np.array([[0.0, 1.0, np.inf, -1.0, np.nan]]))
    np.testing.assert_array_equal(logs, [[-np.inf, 0.0, np.inf, np.nan, np.nan]])
    powers = compiled(lambda x: abs(x) ** 1.4)(np.array([[0.0, -1.0, np.inf, np.nan]]))
    np.testing.assert_allclose(powers, [[0.0, 1.0, np.inf, np.nan]], atol=1e-300)


def test_nothing_is_replaced_outside():
    x = pt.matrix("x")
    assert not stands_in(pytensor.function([x], pt.exp(x), mode="NUMBA"))
    with vectorised():
        assert stands_in(pytensor.function([x], pt.exp(x), mode="NUMBA")) == ["exp"]
    assert not stands_in(pytensor.function([x], pt.exp(x), mode="NUMBA"))


def test_vectors_of_parameters_and_signed_bases_are_left_as_they_are():
    assert not stands_in(compiled(pt.exp, axes=1))
    assert not stands_in(compiled(lambda x: x**1.4))
    assert not stands_in(compiled(lambda x: abs(x) ** 2))


def test_a_loss_and_its_slope_share_one_power():
    def both(x):
        return [abs(x) ** 1.4, pytensor.grad((abs(x) ** 1.4).sum(), x)]

    function = compiled(both)
    loss, slope = function(DISTANCES)
    assert stands_in(function) == ["power"]
    np.testing.assert_allclose(loss, abs(DISTANCES) ** 1.4, rtol=1e-14)
    wanted = 1.4 * abs(DISTANCES) ** 0.4 * np.sign(DISTANCES)
    np.testing.assert_allclose(slope, wanted, rtol=1e-14)


@pytest.mark.parametrize("mode", ["NUMBA", "CVM"])
def test_exp_of_what_is_at_most_zero_has_its_gradient_in_every_mode(mode):
    x = pt.matrix("x")
    total = pt.log(exp(x).sum(axis=-1)).sum()
    function = pytensor.function([x], pytensor.grad(total, x), mode=mode)
    values = -abs(DISTANCES)
    weights = np.exp(values)
    wanted = weights / weights.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(function(values), wanted, rtol=1e-13)


def test_the_log_of_its_sum_is_worked_out_once():
    """PyTensor's own exp is not: it is why there is another."""

    def both(own):
        return lambda x: [
            total := pt.log(own(x).sum(axis=-1)).sum(),
            pytensor.grad(total, x),
        ]

    assert stands_in(compiled(both(exp))) == ["exp"]
    names = [str(node.op) for node in compiled(both(exp)).maker.fgraph.toposort()]
    assert not any("max" in name.lower() for name in names)


@pytest.mark.parametrize("order", ["C", "F", "part"])
def test_products_of_matrices_in_any_order_are_numpys(order):
    left, right = RNG.normal(size=(7, 5)), RNG.normal(size=(5, 9))
    if order == "F":
        left, right = np.asfortranarray(left), np.asfortranarray(right)
    elif order == "part":
        left, right = RNG.normal(size=(14, 5))[::2], RNG.normal(size=(5, 18))[:, ::-2]
    x, y = pt.matrix("x"), pt.matrix("y")
    gradients = pt.grad((x @ y).sum(), [x, y])
    with exact():
        function = pytensor.function([x, y], [x @ y, *gradients], mode="NUMBA")
    names = [type(node.op).__name__ for node in function.maker.fgraph.toposort()]
    assert names.count("_Product") >= 1
    assert "Dot" not in names
    product, by_left, by_right = function(left, right)
    np.testing.assert_allclose(product, left @ right, rtol=1e-13)
    np.testing.assert_allclose(by_left, np.ones((7, 9)) @ right.T, rtol=1e-13)
    np.testing.assert_allclose(by_right, left.T @ np.ones((7, 9)), rtol=1e-13)


def test_a_product_has_no_place_where_shapes_do_not_fit():
    x, y = pt.matrix("x"), pt.matrix("y")
    with exact():
        function = pytensor.function([x, y], x @ y, mode="NUMBA")
    with pytest.raises(ValueError, match="incompatible"):
        function(np.ones((2, 3)), np.ones((2, 3)))


_FAST = """
import numpy as np
import pytensor
import pytensor.tensor as pt
from trustbayes.numerics.vectorised import vectorised

pytensor.config.numba__cache = False
x = pt.matrix("x")
with vectorised(), pytensor.config.change_flags(numba__fastmath=True):
    function = pytensor.function([x], pt.exp(x), mode="NUMBA")
values = np.random.default_rng(1).normal(size=(5, 7))
np.testing.assert_allclose(function(values), np.exp(values), rtol=1e-15)
"""


def test_as_exact_where_the_first_caller_is_compiled_with_fast_mathematics():
    # In a process of its own: here exp has been compiled already, and would stay as it was.
    subprocess.run([sys.executable, "-c", _FAST], check=True)
