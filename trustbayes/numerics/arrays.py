"""One formula for NumPy arrays and for PyTensor variables."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.scalar.basic import UnaryScalarOp, same_out
from pytensor.tensor.elemwise import Elemwise

__all__ = [
    "TINY",
    "Array",
    "held",
    "highest",
    "log_probability",
    "log_sum_exp",
    "log_total",
    "namespace",
    "of_type",
    "softmax",
    "summed",
]


def log_total(logs: np.ndarray, axis: int) -> np.ndarray:
    """Log of the sum of exp over an axis, where all may be minus infinity."""
    top = np.maximum(logs.max(axis=axis, keepdims=True), -1e300)
    with np.errstate(divide="ignore"):
        total = np.log(np.exp(logs - top).sum(axis=axis, keepdims=True)) + top
    return np.asarray(total.squeeze(axis))


def highest(values: Array) -> Array:
    """The greatest along the last axis, which is kept: NumPy is slow where that is short."""
    if namespace(values) is not np:
        return values.max(axis=-1, keepdims=True)
    return reduce(np.maximum, (values[..., k : k + 1] for k in range(values.shape[-1])))


def summed(values: Array) -> Array:
    """The sum over the last axis: NumPy is slow where that is short.

    Examples
    --------
    >>> summed(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([3., 7.])
    """
    if namespace(values) is np:
        return values @ np.ones(values.shape[-1])
    return values.sum(axis=-1)


def of_type(answer: Any, type_index: int, axis: int) -> Any:
    """The answer of the type at a position of the axis, counted from the last."""
    return answer[(..., type_index, *(slice(None),) * (-1 - axis))]


def log_sum_exp(values: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """Log of the sum of exp over an axis, without overflow."""
    xp = namespace(values)
    top = held(values.max(axis=axis, keepdims=True))  # it cancels, so its gradient is zero
    total = xp.log(xp.exp(values - top).sum(axis=axis, keepdims=True)) + top
    return total if keepdims else total.sum(axis=axis)


Array = Any
"""A NumPy array or a PyTensor variable."""


TINY = 1e-30
"""Instead of a zero in a denominator."""

_LEAST = 1e-300


def namespace(*values: Array) -> Any:
    """The module whose functions fit the values: PyTensor's if any is symbolic, else NumPy."""
    return pt if any(isinstance(value, Variable) for value in values) else np


def log_probability(probability: Array) -> Array:
    """Log of a probability that rounding may have made zero."""
    xp = namespace(probability)
    return xp.log(xp.maximum(probability, _LEAST))


class _Held(UnaryScalarOp):
    """The value itself, from which no gradient comes.

    PyTensor's own `disconnected_grad` is a view: rewriting takes it out of a likelihood before
    the sampler differentiates that.
    """

    nfunc_spec = ("positive", 1, 1)

    def impl(self, value: Any) -> Any:
        return value

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False]]

    def c_code(self, node: Apply, name: str, inputs: Any, outputs: Any, sub: Any) -> str:
        return f"{outputs[0]} = {inputs[0]};"

    def L_op(self, inputs: Any, outputs: Any, output_gradients: Any) -> list[Variable]:
        return [DisconnectedType()()]


_HELD = Elemwise(_Held(same_out, name="held"))


def held(value: Array) -> Array:
    """The value as a constant: no gradient goes through it."""
    return _HELD(value) if isinstance(value, Variable) else value


def softmax(logits: Array) -> Array:
    """Softmax over the last axis."""
    xp = namespace(logits)
    weights = xp.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)
