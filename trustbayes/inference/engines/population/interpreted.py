"""PyTensor functions of a few numbers, run without compiling anything.

The graph of a population's prior has some seventy nodes, most of them of single numbers. To compile
it takes longer than the whole sampling, and PyTensor's own Python linker spends ten microseconds
on every node and is not safe to be called by several chains at once. So the rewritten graph is
written out as a Python function: single numbers by Python's own arithmetic, the rest by NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np
import pytensor
import scipy.special
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Constant
from pytensor.scalar.basic import Cast
from pytensor.tensor.basic import Alloc, Join, MakeVector, ScalarFromTensor, TensorFromScalar
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Sum
from pytensor.tensor.special import LogSoftmax, Softmax
from pytensor.tensor.subtensor import Subtensor, get_idx_list

__all__ = ["Program", "interpreted"]

_MODE = Mode(linker="py", optimizer="fast_run").excluding("fusion", "inplace")


def _exp(x: float) -> float:
    return math.exp(x) if x < 709.0 else math.inf


def _log(x: float) -> float:
    return math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)


def _sigmoid(x: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * x))


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


_SCALAR = {
    "Add": lambda *a: " + ".join(a),
    "Mul": lambda *a: " * ".join(a),
    "Sub": lambda a, b: f"{a} - {b}",
    "TrueDiv": lambda a, b: f"{a} / {b}",
    "Neg": lambda a: f"-{a}",
    "Sqr": lambda a: f"{a} * {a}",
    "Pow": lambda a, b: f"{a} ** {b}",
    "Reciprocal": lambda a: f"1.0 / {a}",
    "Exp": lambda a: f"_exp({a})",
    "Log": lambda a: f"_log({a})",
    "Log1p": lambda a: f"_log(1.0 + {a}) if abs({a}) > 0.5 else log1p({a})",
    "Sqrt": lambda a: f"sqrt({a})",
    "Sigmoid": lambda a: f"_sigmoid({a})",
    "Softplus": lambda a: f"_softplus({a})",
    "GammaLn": lambda a: f"lgamma({a})",
    "GT": lambda a, b: f"{a} > {b}",
    "GE": lambda a, b: f"{a} >= {b}",
    "LT": lambda a, b: f"{a} < {b}",
    "LE": lambda a, b: f"{a} <= {b}",
    "EQ": lambda a, b: f"{a} == {b}",
    "Switch": lambda a, b, c: f"{b} if {a} else {c}",
    "Identity": lambda a: f"{a}",
    "Second": lambda a, b: f"{b}",
}
"""Expressions for single numbers, by the class of PyTensor's scalar operation."""


Program = Callable[..., list[Any]]
"""From values of the inputs to those of the outputs."""


def interpreted(functions: Sequence[tuple[Sequence[Any], Sequence[Any]]]) -> list[Program]:
    """PyTensor functions, written out in Python; the graph is rewritten once for all of them.

    Parameters
    ----------
    functions : sequence of (sequence of PyTensor variable, sequence of PyTensor variable)
        Inputs and outputs of each function, which works out what they need and no more.

    Returns
    -------
    list of callable

    Examples
    --------
    >>> import pytensor.tensor as pt
    >>> x, y = pt.dvectors(2)
    >>> total, both = interpreted([([x], [pt.exp(x).sum()]), ([x, y], [x.sum(), pt.exp(y).sum()])])
    >>> [float(value) for value in (*total(np.zeros(3)), *both(np.zeros(3), np.zeros(2)))]
    [3.0, 0.0, 2.0]
    """
    given = list(dict.fromkeys(variable for inputs, _ in functions for variable in inputs))
    outputs = [output for _, group in functions for output in group]
    function = pytensor.function(given, outputs, mode=_MODE, on_unused_input="ignore")
    graph = function.maker.fgraph
    named, order = dict(zip(given, graph.inputs, strict=True)), graph.toposort()
    ends = np.cumsum([len(group) for _, group in functions])
    return [
        _program(
            [named[variable] for variable in inputs],
            graph.outputs[end - len(group) : end],
            order,
        )
        for (inputs, group), end in zip(functions, ends, strict=True)
    ]


def _program(arguments: Sequence[Any], outputs: Sequence[Any], order: Sequence[Any]) -> Program:
    """Write out in Python what is needed of some nodes, which are in their order."""
    wanted, needed = set(outputs), []
    for node in reversed(order):
        if not wanted.isdisjoint(node.outputs):
            wanted.update(node.inputs)
            needed.append(node)
    names: dict[Any, str] = {}
    scope: dict[str, Any] = {
        "_exp": _exp,
        "_log": _log,
        "_sigmoid": _sigmoid,
        "_softplus": _softplus,
        "log1p": math.log1p,
        "sqrt": math.sqrt,
        "lgamma": math.lgamma,
    }

    def name(variable: Any) -> str:
        if variable not in names:
            names[variable] = f"v{len(names)}"
            if isinstance(variable, Constant):
                single = getattr(variable, "ndim", None) == 0
                scope[names[variable]] = variable.data.item() if single else variable.data
        return names[variable]

    lines = [f"def program({', '.join(name(v) for v in arguments)}):"]
    for node in reversed(needed):
        given = [name(variable) for variable in node.inputs]
        plain = getattr(node.op, "value", None)
        if plain is not None and wanted.isdisjoint(node.outputs[1:]):
            call = f"f{len(scope)}"  # its slopes, which cost as much again, are not asked for
            scope[call] = plain
            lines.append(f"    {name(node.outputs[0])} = {call}({', '.join(given)})")
            continue
        made = ", ".join(name(variable) for variable in node.outputs)
        lines.append(f"    {made} = {_expression(node, given, scope)}")
    lines.append(f"    return [{', '.join(name(variable) for variable in outputs)}]")
    exec("\n".join(lines), scope)
    program: Program = scope["program"]
    return program


def _expression(node: Any, given: list[str], scope: dict[str, Any]) -> str:
    operation = node.op
    if isinstance(operation, Elemwise) and node.outputs[0].ndim == 0 and len(node.outputs) == 1:
        if isinstance(operation.scalar_op, Cast):
            kind = node.outputs[0].dtype
            return (
                f"{'bool' if kind == 'bool' else 'int' if 'int' in kind else 'float'}({given[0]})"
            )
        template: Any = _SCALAR.get(type(operation.scalar_op).__name__)
        if template is not None:
            return template(*given)
    if isinstance(operation, ScalarFromTensor | TensorFromScalar):
        return given[0]
    if isinstance(operation, DimShuffle) and not operation.new_order and not node.inputs[0].ndim:
        return given[0]
    call = f"f{len(scope)}"
    scope[call] = _call_of(node)
    return f"{call}({', '.join(given)})"


def _call_of(node: Any) -> Callable[..., Any]:
    """A function of the values of a node's inputs that gives those of its outputs."""
    operation = node.op
    if isinstance(operation, Elemwise):
        known = _elementwise(operation, node)
        if known is not None:
            return known
    if isinstance(operation, Sum):
        return partial(np.add.reduce, axis=operation.axis) if node.inputs[0].ndim else np.asarray
    if isinstance(operation, DimShuffle):
        return partial(_shuffled, tuple(operation.new_order))
    if isinstance(operation, MakeVector):
        return lambda *values: np.array(values, dtype=operation.dtype)
    if isinstance(operation, Softmax) and node.inputs[0].ndim == 1:
        return _softmax
    if isinstance(operation, LogSoftmax) and node.inputs[0].ndim == 1:
        return _log_softmax
    if isinstance(operation, OpFromGraph):
        graph = operation.fgraph.unfreeze()
        [inner] = interpreted([(graph.inputs, graph.outputs)])
        return (lambda *v: inner(*v)[0]) if len(node.outputs) == 1 else inner
    if isinstance(operation, Join) and isinstance(node.inputs[0], Constant):
        return lambda axis, *parts: np.concatenate([np.asarray(p) for p in parts], axis=int(axis))
    if isinstance(operation, Alloc):
        return lambda value, *shape: np.full([int(s) for s in shape], value)
    if isinstance(operation, Subtensor) and all(isinstance(i, Constant) for i in node.inputs[1:]):
        index = tuple(
            slice(*(None if s is None else int(s) for s in (i.start, i.stop, i.step)))
            if isinstance(i, slice)
            else int(i)
            for i in get_idx_list(
                [node.inputs[0], *[i.data for i in node.inputs[1:]]], operation.idx_list
            )
        )
        return lambda value, *_: value[index]
    return partial(_performed, node)


def _elementwise(operation: Elemwise, node: Any) -> Callable[..., Any] | None:
    scalar = operation.scalar_op
    if isinstance(scalar, Cast):
        kind = np.dtype(node.outputs[0].dtype)
        return lambda value: np.asarray(value, dtype=kind)
    if type(scalar).__name__ == "Softplus":
        return lambda value: np.logaddexp(0.0, value)
    spec = getattr(scalar, "nfunc_spec", None) or getattr(operation, "nfunc_spec", None)
    if spec is None or len(node.outputs) != 1:
        return None
    name, number, _ = spec
    function: Any = np
    for part in name.split("."):
        function = scipy if part == "scipy" else getattr(function, part, None)
    if function is None:
        return None
    if len(node.inputs) == number:
        return function
    if len(node.inputs) > number == 2:
        return lambda *values: reduce(function, values)
    return None


def _softmax(value: np.ndarray) -> np.ndarray:
    grown = np.exp(value - value.max())
    return np.asarray(grown / grown.sum())


def _log_softmax(value: np.ndarray) -> np.ndarray:
    gap = value - value.max()
    return np.asarray(gap - math.log(np.exp(gap).sum()))


def _shuffled(order: tuple[Any, ...], value: Any) -> Any:
    value = np.asarray(value)
    kept = [axis for axis in order if axis != "x"]
    dropped = [axis for axis in range(value.ndim) if axis not in kept]
    value = value.transpose(kept + dropped)
    return value.reshape([value.shape[kept.index(a)] if a != "x" else 1 for a in order])


def _performed(node: Any, *values: Any) -> Any:
    storage: list[list[Any]] = [[None] for _ in node.outputs]
    given = [
        np.asarray(value, dtype=variable.dtype) if hasattr(variable.type, "ndim") else value
        for variable, value in zip(node.inputs, values, strict=True)
    ]
    node.op.perform(node, given, storage)
    made = [cell[0] for cell in storage]
    return made[0] if len(made) == 1 else made
