"""Logs of sums of exp of the same few numbers under everybody's precision, in one pass.

Written out in arrays, every step of this sum would be an array of lists × subjects of its own,
which at thousands of subjects no longer fit the processor's cache. The formula stays the graph's,
by which every backend works; where numba compiles it, a loop over a few subjects at a time stands
in, which finds the slope on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.builders import SymbolicOp
from pytensor.gradient import DisconnectedType, grad_undefined
from pytensor.graph.basic import Apply, Variable
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_and_cache_key

from trustbayes.numerics.vectorised import exp, exp_of_one, log_of_one, version_of

__all__ = ["log_sums"]

_VERSION = version_of(__file__)
_WIDTH = 128
"""Subjects at a time: what is found for them stays in the nearest cache."""


class _LogSums(SymbolicOp):
    """The sums and their slopes in the precision; see `log_sums`."""

    def build_inner_graph(self, *inputs: Any) -> list[Variable]:
        """The formula."""
        numbers, met, had, precision = inputs
        shares = met[:, :, None] * exp(numbers[:, None] * precision)
        total = shares.sum(axis=1)
        mean = (shares * numbers[:, None]).sum(axis=1) / total
        return [(had * pt.log(total)).sum(axis=1), (had * mean).sum(axis=1)]

    def pullback(self, inputs: Any, outputs: Any, gradients: Any) -> list[Variable]:
        """By the slope, which is there already; of the slope, by the formula."""
        of_sums, of_slope = gradients
        if not isinstance(of_slope.type, DisconnectedType):
            return list(super().pullback(inputs, outputs, gradients))
        fixed = [grad_undefined(self, i, value) for i, value in enumerate(inputs[:-1])]
        return [*fixed, (of_sums * outputs[1]).sum(axis=0)]


def log_sums(numbers: np.ndarray, met: np.ndarray, had: Any, precision: Any) -> Any:
    r"""Add up logs of sums of exp, each with its weight.

    .. math:: \sum_r N_{krp} \log \sum_v m_{rv} e^{\lambda_p x_v}

    Parameters
    ----------
    numbers : array, shape (numbers,)
        At most zero: x.
    met : array, shape (lists, numbers)
        How often each list holds each number: m. Each holds the number zero.
    had : array, shape (kinds, lists, parts)
        The weights N.
    precision : PyTensor variable, shape (parts,)
        λ, at least zero.

    Returns
    -------
    PyTensor variable, shape (kinds, parts)

    Examples
    --------
    >>> had = np.array([[[1.0]], [[2.0]]])
    >>> log_sums(np.zeros(1), np.full((1, 1), 3.0), had, pt.ones(1)).eval().round(3)
    array([[1.099],
           [2.197]])
    """
    arrays = [pt.as_tensor(np.asarray(array, dtype=float)) for array in (numbers, met)]
    return _LogSums()(*arrays, pt.as_tensor(had), precision)[0]


@register_funcify_and_cache_key(_LogSums)
def _compiled(op: _LogSums, node: Apply, **given: Any) -> tuple[Callable[..., Any], str]:
    @numba_njit(error_model="numpy")
    def sums(numbers: Any, met: Any, had: Any, precision: Any) -> Any:
        kinds, lists, parts = had.shape
        added, slope = np.zeros((kinds, parts)), np.zeros((kinds, parts))
        shares = np.empty((numbers.size, _WIDTH))
        total, mean = np.empty(_WIDTH), np.empty(_WIDTH)
        for first in range(0, parts, _WIDTH):
            width = min(_WIDTH, parts - first)
            for v in range(numbers.size):
                for i in range(width):
                    shares[v, i] = exp_of_one(numbers[v] * precision[first + i])
            for r in range(lists):
                total[:], mean[:] = 0.0, 0.0
                for v in range(numbers.size):
                    times, earned = met[r, v], met[r, v] * numbers[v]
                    if times > 0:
                        for i in range(width):
                            total[i] += times * shares[v, i]
                            mean[i] += earned * shares[v, i]
                for i in range(width):
                    mean[i] /= total[i]
                    total[i] = log_of_one(total[i])
                for k in range(kinds):
                    for i in range(width):
                        weight = had[k, r, first + i]
                        added[k, first + i] += weight * total[i]
                        slope[k, first + i] += weight * mean[i]
        return added, slope

    return sums, f"log sums {_VERSION}"
