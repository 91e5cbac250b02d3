r"""States that move from step to step along chains, in one fused pass, with their adjoints.

Chains lie one after the other in one flat array of steps. The loops are compiled; what PyTensor
samples by calls the same loops as NumPy does, and its gradients come from the adjoint recursion,
one pass backwards over the same steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from trustbayes.numerics.arrays import namespace
from trustbayes.numerics.chains import Chains
from trustbayes.numerics.vectorised import version_of

__all__ = ["filtered", "relaxed"]

_VERSION = version_of(__file__)
_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")
_TINY = 1e-12


@_compiled
def _filter(order: Any, start: Any, memory: Any, signal: Any) -> Any:
    state = np.empty_like(signal)
    for c in range(start.size - 1):
        s = 0.0
        for i in range(start[c], start[c + 1]):
            e = order[i]
            state[e] = s
            s = memory[e] * s + signal[e]
    return state


@_compiled
def _filter_back(order: Any, start: Any, memory: Any, state: Any, slope: Any) -> Any:
    of_memory, of_signal = np.empty_like(memory), np.empty_like(memory)
    for c in range(start.size - 1):
        after = 0.0
        for i in range(start[c + 1] - 1, start[c] - 1, -1):
            e = order[i]
            of_memory[e] = after * state[e]
            of_signal[e] = after
            after = slope[e] + memory[e] * after
    return of_memory, of_signal


@_compiled
def _step(base: float, state: float, up: float, down: float) -> tuple[float, float, float]:
    """Share before, share after (kept off the ends), and the state after."""
    before = 1.0 / (1.0 + np.exp(-(base + state)))
    after = before * (1.0 - up - down) + up
    after = min(max(after, _TINY), 1.0 - _TINY)
    return before, after, np.log(after / (1.0 - after)) - base


@_compiled
def _relax(order: Any, start: Any, base: Any, up: Any, down: Any) -> Any:
    state = np.empty_like(base)
    for c in range(start.size - 1):
        s = 0.0
        for i in range(start[c], start[c + 1]):
            e = order[i]
            state[e] = s
            if up[e] != 0.0 or down[e] != 0.0:
                s = _step(base[e], s, up[e], down[e])[2]
    return state


@_compiled
def _relax_back(
    order: Any, start: Any, base: Any, up: Any, down: Any, state: Any, slope: Any
) -> Any:
    of_base, of_up, of_down = np.zeros_like(base), np.zeros_like(base), np.zeros_like(base)
    for c in range(start.size - 1):
        later = 0.0
        for i in range(start[c + 1] - 1, start[c] - 1, -1):
            e = order[i]
            before, after, _ = _step(base[e], state[e], up[e], down[e])
            width = after * (1.0 - after)
            inside = _TINY < after < 1.0 - _TINY
            of_up[e] = later * (1.0 - before) / width if inside else 0.0
            of_down[e] = -later * before / width if inside else 0.0
            if up[e] != 0.0 or down[e] != 0.0:
                keep = (1.0 - up[e] - down[e]) * before * (1.0 - before) / width if inside else 0.0
                of_base[e] = later * (keep - 1.0)
                later = slope[e] + keep * later
            else:
                later = slope[e] + later
    return of_base, of_up, of_down


class _Recursion(Op):
    """A loop over chains: the first inputs are its order and its starts.

    Parameters
    ----------
    name : str
        Of the loop: one of `_LOOPS`.
    """

    __props__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def make_node(self, *inputs: Any) -> Apply:
        """Outputs of the shape of the steps."""
        given = [pt.as_tensor(value) for value in inputs]
        return Apply(self, given, [pt.dvector() for _ in range(_OUTPUTS[self.name])])

    def infer_shape(self, node: Apply, shapes: Any) -> list[Any]:
        """As many as there are steps."""
        return [shapes[0]] * len(node.outputs)

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
        """By the compiled loop."""
        results = _LOOPS[self.name](*inputs)
        results = results if isinstance(results, tuple) else (results,)
        for output, values in zip(outputs, results, strict=True):
            output[0] = values

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Where steps stand is no number that a result could slope in."""
        size = len(node.outputs)
        return [[False] * size] * 2 + [[True] * size] * (len(node.inputs) - 2)

    def pullback(self, inputs: Any, outputs: Any, gradients: Any) -> list[Variable]:
        """By the adjoint recursion."""
        kept = [*inputs[:3]] if self.name == "filter" else [*inputs]
        slopes: Any = _Recursion(f"{self.name} back")(*kept, outputs[0], gradients[0])
        return [DisconnectedType()() for _ in inputs[:2]] + list(slopes)


_LOOPS: dict[str, Callable[..., Any]] = {
    "filter": _filter,
    "filter back": _filter_back,
    "relax": _relax,
    "relax back": _relax_back,
}
_OUTPUTS = {"filter": 1, "filter back": 2, "relax": 1, "relax back": 3}


@register_funcify_default_op_cache_key(_Recursion)
def _funcify(op: _Recursion, node: Apply, **given: Any) -> tuple[Callable[..., Any], int]:
    loop = _LOOPS[op.name]

    @numba_njit
    def recursion(*inputs: Any) -> Any:
        return loop(*inputs)

    return recursion, _VERSION


def filtered(chains: Chains, memory: Any, signal: Any) -> Any:
    r"""What is left of the signals of the steps before: :math:`s_{t+1} = \rho_t s_t + u_t`.

    Parameters
    ----------
    chains : Chains
    memory : array or PyTensor variable, shape (..., steps)
        ρ: what each step leaves of what was before; 1 where nothing happens.
    signal : array or PyTensor variable, shape (..., steps)
        u: what each step adds.

    Returns
    -------
    array or PyTensor variable, shape (..., steps)
        The state before each step, 0 at the beginning of a chain.

    Examples
    --------
    >>> from trustbayes.numerics.chains import Chains
    >>> chains = Chains.of(np.zeros(3, dtype=int))
    >>> filtered(chains, np.full(3, 0.5), np.array([1.0, 2.0, 4.0])).tolist()
    [0.0, 1.0, 2.5]
    """
    return _applied("filter", chains, memory, signal)


def relaxed(chains: Chains, base: Any, up: Any, down: Any) -> Any:
    r"""How far a share has moved by steps that are shares of the way to one, and to nought.

    .. math:: \alpha \leftarrow \alpha + u (1 - \alpha) - d \alpha, \qquad
              \mathrm{logit}\, \alpha_t = b_t + s_t

    Parameters
    ----------
    chains : Chains
    base : array or PyTensor variable, shape (..., steps)
        Log odds b of the share where nothing has moved it, which may differ between steps.
    up, down : array or PyTensor variable, shape (..., steps)
        From 0 to 1, together at most 1.

    Returns
    -------
    array or PyTensor variable, shape (..., steps)
        The state s before each step, 0 at the beginning of a chain.

    Examples
    --------
    >>> from trustbayes.numerics.chains import Chains
    >>> chains = Chains.of(np.zeros(2, dtype=int))
    >>> state = relaxed(chains, np.zeros(2), np.array([0.5, 0.0]), np.zeros(2))
    >>> (1 / (1 + np.exp(-state))).round(3).tolist()
    [0.5, 0.75]
    """
    return _applied("relax", chains, base, up, down)


def _applied(name: str, chains: Chains, *arrays: Any) -> Any:
    if namespace(*arrays) is not np:
        steps = [pt.as_tensor(array) + pt.zeros(chains.order.size) for array in arrays]
        return _Recursion(name)(chains.order, chains.start, *steps)
    steps = list(np.broadcast_arrays(*(np.asarray(array, dtype=float) for array in arrays)))
    shape = steps[0].shape
    rows = [np.ascontiguousarray(step).reshape(-1, shape[-1]) for step in steps]
    outputs = [_LOOPS[name](chains.order, chains.start, *row) for row in zip(*rows, strict=True)]
    return np.array(outputs).reshape(shape)
