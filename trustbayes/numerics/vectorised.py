"""exp, log, powers and products of arrays, as many numbers at a time as the processor can.

A gradient of these models is mostly exp of scaled utilities and powers of distances. The C library
computes them one by one. Written without branches, in additions, multiplications and shifts of bits
only, the compiler does four or eight at once, two to six times as fast, and as exact: within a few
units in the last place. PyTensor's product of matrices is compiled in 12 seconds for each layout;
NumPy's, as fast, in one. Formulas stay as they are: where a model is compiled for sampling, within
`vectorised`, a rewrite of its graph puts these in their place.

Sources: Cody and Waite (1980), Software Manual for the Elementary Functions, for the reduction of
arguments; the logarithm's series is that of fdlibm (Sun Microsystems 1993, e_log.c).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytensor.tensor as pt
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from pytensor.compile.mode import optdb
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import Op
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key
from pytensor.scalar.basic import Abs, Exp, Log, Pow, UnaryScalarOp, upgrade_to_float
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.math import Dot

__all__ = ["exp", "exp_of_one", "log_of_one", "vectorised", "version_of"]


def version_of(file: str) -> int:
    """Number what is compiled from a source file and from this one, for the cache.

    Parameters
    ----------
    file : str

    Returns
    -------
    int
        Another one if either file changes.

    Examples
    --------
    >>> version_of(__file__) == version_of(__file__)
    True
    """
    return zlib.crc32(Path(file).read_bytes(), zlib.crc32(Path(__file__).read_bytes()))


_VERSION = version_of(__file__)
_ACTIVE: ContextVar[bool] = ContextVar("vectorised", default=False)
_LEAST = 2
"""Axes of arrays that are worth it; vectors are parameters of subjects, and few."""


@contextmanager
def vectorised() -> Iterator[None]:
    """Compile exp, log and powers of arrays so that the processor does several at a time.

    Examples
    --------
    >>> import pytensor
    >>> x = pt.matrix()
    >>> with vectorised():
    ...     double = pytensor.function([x], pt.exp(x), mode="NUMBA")
    >>> double(np.log([[1.0, 2.0]])).round(12)
    array([[1., 2.]])
    """
    before = _ACTIVE.set(True)
    try:
        yield
    finally:
        _ACTIVE.reset(before)


class _Flat(Op):
    """What stands in for a function of every element of an array: "exp", "log" or "power".

    "power" takes the exponent as a second input, and an array without negative elements. exp is
    3e-308 below -708, next to nothing, and infinite above 709.4; log takes numbers below 2e-308
    for zero. Comes into a graph when it has been differentiated.
    """

    __props__ = ("function",)

    def __init__(self, function: str) -> None:
        self.function = function

    def make_node(self, *inputs: Variable) -> Apply:
        """One output, of the shape of the array."""
        return Apply(self, list(inputs), [inputs[0].type()])

    def infer_shape(self, node: Apply, shapes: Any) -> list[Any]:
        """That of the array."""
        return [shapes[0]]

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
        """By NumPy, where nothing is compiled."""
        outputs[0][0] = getattr(np, self.function)(*inputs)


class _Product(Op):
    """What stands in for the product of two matrices."""

    __props__ = ()

    def make_node(self, *inputs: Variable) -> Apply:
        """One output, a matrix."""
        (rows, _), (_, columns) = (matrix.type.shape for matrix in inputs)
        return Apply(self, list(inputs), [pt.tensor(dtype="float64", shape=(rows, columns))])

    def infer_shape(self, node: Apply, shapes: Any) -> list[Any]:
        """Rows of the one, columns of the other."""
        return [(shapes[0][0], shapes[1][1])]

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
        """By NumPy, where nothing is compiled."""
        outputs[0][0] = np.dot(*inputs)


class _Exp(UnaryScalarOp):
    """Of a number that is at most zero."""

    nfunc_spec = ("exp", 1, 1)

    def impl(self, value: Any) -> Any:
        return np.exp(value)

    def c_code(self, node: Apply, name: str, inputs: Any, outputs: Any, sub: Any) -> str:
        return f"{outputs[0]} = exp({inputs[0]});"

    def pullback(self, inputs: Any, outputs: Any, gradients: Any) -> list[Variable]:
        return [gradients[0] * outputs[0]]


_EXP = Elemwise(_Exp(upgrade_to_float, name="exp_of_at_most_zero"))


def exp(array: Any) -> Any:
    """Take exp of an array of numbers that are at most zero, NumPy's or PyTensor's.

    PyTensor takes the log of a sum of its own exp for one that may overflow, seeks the largest
    number of each row, and works out every exp twice, for the sum and for its gradient.

    Parameters
    ----------
    array : array or PyTensor variable

    Returns
    -------
    array or PyTensor variable, the same shape

    Examples
    --------
    >>> exp(np.log([0.5, 1.0]))
    array([0.5, 1. ])
    """
    return _EXP(array) if isinstance(array, Variable) else np.exp(array)


_in_code: Any = intrinsic  # a decorator whose types are lost on a checker


@_in_code
def _bits(context: Any, value: Any) -> Any:
    """The bits of a number, as a whole number."""
    return types.int64(types.float64), lambda _, b, __, a: b.bitcast(a[0], ir.IntType(64))


@_in_code
def _number(context: Any, bits: Any) -> Any:
    """The number that has these bits."""
    return types.float64(types.int64), lambda _, b, __, a: b.bitcast(a[0], ir.DoubleType())


_WHOLE = 6755399441055744.0  # 1.5 x 2^52: adding it rounds, and leaves the integer in the low bits
_LOG2_HIGH, _LOG2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_BIAS, _FRACTION = 1023, 52  # of the exponent of a double, and the bits after it
_ONE = np.int64(_BIAS) << np.int64(_FRACTION)
_ROOT_HALF = np.float64(np.sqrt(0.5)).view(np.int64)
_SMALLEST = float(np.finfo(float).tiny)


# Said, not left to the caller's: fast mathematics would take the two roundings for idle.
_scalar = numba.njit(error_model="numpy", fastmath=False)


@_scalar
def exp_of_one(x: float) -> float:
    """By e^x = 2^k e^r, with k whole and |r| at most half of log 2; e^r by its Taylor series."""
    x = -708.0 if x < -708.0 else x
    x = 710.0 if x > 710.0 else x
    shifted = x * 1.4426950408889634 + _WHOLE
    k = shifted - _WHOLE
    r = (x - k * _LOG2_HIGH) - k * _LOG2_LOW
    r2 = r * r
    r4 = r2 * r2
    low = (1.0 + r) + r2 * (0.5 + r * (1 / 6))
    middle = (1 / 24 + r * (1 / 120)) + r2 * (1 / 720 + r * (1 / 5040))
    high = (1 / 40320 + r * (1 / 362880)) + r2 * (1 / 3628800 + r * (1 / 39916800))
    series = low + r4 * (middle + r4 * (high + r4 * (1 / 479001600)))
    return series * _number((_bits(shifted) << _FRACTION) + _ONE)


@_scalar
def log_of_one(x: float) -> float:
    """By x = 2^k m, with m between √½ and √2 and log m by its series in (m-1)/(m+1)."""
    above = _bits(x) - _ROOT_HALF
    k = above >> _FRACTION
    m = _number(_bits(x) - (k << _FRACTION))
    whole = _number(k + _bits(_WHOLE)) - _WHOLE
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = z * (0.6666666666666735130 + w * (0.2857142874366239149 + w * (
        0.1818357216161805012 + w * 0.1479819860511658591)))  # fmt: skip
    even = w * (0.3999999999940941908 + w * (0.2222219843214978396 + w * 0.1531383769920937332))
    half = 0.5 * f * f
    log = whole * _LOG2_HIGH - ((half - (s * (half + odd + even) + whole * _LOG2_LOW)) - f)
    if not x < np.inf:
        log = x  # no number stays none
    if x < _SMALLEST:
        log = -np.inf if x >= 0 else np.nan
    return log


@register_funcify_default_op_cache_key(_Flat)
def _compiled(op: _Flat, node: Apply, **given: Any) -> tuple[Callable[..., Any], int]:
    """A loop over one axis, which the compiler turns into one of several elements a step."""
    if op.function == "power":

        @numba_njit
        def power(array: Any, exponent: Any) -> Any:
            values = np.ascontiguousarray(array).reshape(-1)
            powers, times = np.empty_like(values), exponent.item()
            for i in range(values.size):
                powers[i] = exp_of_one(times * log_of_one(values[i]))
            return powers.reshape(array.shape)

        return power, _VERSION
    function = {"exp": exp_of_one, "log": log_of_one}[op.function]

    @numba_njit
    def flat(array: Any) -> Any:
        values = np.ascontiguousarray(array).reshape(-1)
        mapped = np.empty_like(values)
        for i in range(values.size):
            mapped[i] = function(values[i])
        return mapped.reshape(array.shape)

    return flat, _VERSION


@register_funcify_default_op_cache_key(_Product)
def _multiplied(op: _Product, node: Apply, **given: Any) -> tuple[Callable[..., Any], int]:
    @numba_njit
    def product(left: Any, right: Any) -> Any:
        return np.dot(np.ascontiguousarray(left), np.ascontiguousarray(right))

    return product, _VERSION


@node_rewriter([Dot])
def _rewrite_product(fgraph: FunctionGraph, node: Any) -> list[Any] | None:
    kinds = [(factor.type.ndim, factor.type.dtype) for factor in node.inputs]
    if not _ACTIVE.get() or kinds != [(2, "float64")] * 2:
        return None
    return [_Product()(*node.inputs)]


@node_rewriter([Elemwise])
def _rewrite(fgraph: FunctionGraph, node: Any) -> list[Any] | None:
    if not _ACTIVE.get():
        return None
    [output], scalar = node.outputs, node.op.scalar_op
    if output.type.ndim < _LEAST or output.type.dtype != "float64":
        return None
    array = node.inputs[0]
    if isinstance(scalar, Exp | _Exp | Log) and array.type.dtype == "float64":
        return [_Flat("log" if isinstance(scalar, Log) else "exp")(array)]
    exponent = _exponent(node)
    if exponent is None:
        return None
    if exponent > 1:  # a loss: with its slope's power it needs none of its own
        return [array * _power(fgraph, array, exponent - 1)]
    return [_power(fgraph, array, exponent)]


def _power(fgraph: FunctionGraph, array: Any, exponent: float) -> Any:
    """The power, which a graph may have already."""
    exponent = round(exponent, 12)
    node: Any
    for node, _ in fgraph.clients[array]:
        if isinstance(node.op, _Flat) and node.inputs[1].data == exponent:
            return node.outputs[0]
    return _Flat("power")(array, pt.constant(exponent, dtype="float64"))


def _exponent(node: Apply) -> float | None:
    """The constant power to which the node raises an absolute value, if that is what it does."""
    if not (_does(node, Pow) and _does(node.inputs[0].owner, Abs)):
        return None
    exponent = node.inputs[1]
    return float(exponent.data.item()) if isinstance(exponent, Constant) else None


def _does(node: Apply | None, scalar: type) -> bool:
    return bool(node and isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, scalar))


# After all that simplifies formulas, and before elementwise operations are fused (at 49).
optdb.register(
    "trustbayes_vectorised", dfs_rewriter(_rewrite, _rewrite_product), "fast_run", position=48
)
