"""Formulas of game files: arithmetic, comparisons and choices, read safely.

A formula is parsed by Python's own parser and walked here, node by node, by a list of what is
allowed: nothing is ever evaluated by Python itself. The values may be NumPy arrays, or PyTensor
variables if the formula has no jumps.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.numerics.arrays import namespace

__all__ = ["FUNCTIONS", "Formula", "parse_formula"]

_LONGEST = 2000
_DEEPEST = 200

_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}

FUNCTIONS: Mapping[str, tuple[int, int]] = {
    "abs": (1, 1),
    "exp": (1, 1),
    "floor": (1, 1),
    "log": (1, 1),
    "max": (2, 20),
    "min": (2, 20),
    "round": (1, 1),
    "sqrt": (1, 1),
    "where": (3, 3),
}
"""The functions of formulas, with the fewest and the most values that each takes."""

_JUMPS = (ast.Compare, ast.BoolOp, ast.IfExp, ast.Not)
_JUMPING = ("floor", "round", "where")


@dataclass(frozen=True)
class Formula:
    """A formula that was read.

    Parameters
    ----------
    text : str
        As the user wrote it.
    tree : ast.expr
        What it says.
    names : frozenset of str
        The names that occur.
    smooth : bool
        Whether it has no comparison, choice or rounding: it then makes sense between the listed
        states and actions, too.
    labels : mapping of str to float
        What quoted labels stand for.
    """

    text: str
    tree: ast.expr
    names: frozenset[str]
    smooth: bool
    labels: Mapping[str, float]

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Its value, broadcast over arrays; comparisons that hold count as one.

        Parameters
        ----------
        values : mapping of str to array
            A value for each of the names.

        Examples
        --------
        >>> pay = parse_formula("10 - action if message == state else -5", ["state", "message"]
        ...                     + ["action"])
        >>> pay({"state": np.array([1, 2]), "message": 1, "action": 4}).tolist()
        [6.0, -5.0]
        """
        with np.errstate(all="ignore"):  # what is no number is a fault of its own, see games
            return self._value(self.tree, values)

    def _value(self, node: ast.expr, values: Mapping[str, Any]) -> Any:
        def value(part: ast.expr) -> Any:
            return self._value(part, values)

        match node:
            case ast.Constant(value=str(label)):
                return self.labels[label]
            case ast.Constant(value=number):
                return float(number)  # type: ignore[arg-type]  # checked when it was parsed
            case ast.Name(id=name):
                return values[name]
            case ast.BinOp():
                left, right = value(node.left), value(node.right)
                if isinstance(left, float) and isinstance(right, float):  # no ZeroDivisionError
                    left = np.float64(left)
                return _ARITHMETIC[type(node.op)](left, right)
            case ast.UnaryOp(op=ast.Not()):
                return np.logical_not(value(node.operand)) * 1.0
            case ast.UnaryOp(op=ast.USub()):
                return -value(node.operand)
            case ast.UnaryOp():
                return value(node.operand)
            case ast.Compare():
                terms = [value(part) for part in (node.left, *node.comparators)]
                held = [
                    _COMPARISONS[type(sign)](first, second)
                    for sign, first, second in zip(node.ops, terms, terms[1:], strict=False)
                ]
                return reduce(np.logical_and, held) * 1.0
            case ast.BoolOp():
                joined = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
                return reduce(joined, [value(part) for part in node.values]) * 1.0
            case ast.IfExp():
                return np.where(value(node.test), value(node.body), value(node.orelse))
            case ast.Call(func=ast.Name(id=name)):
                return _call(name, [value(part) for part in node.args])
        raise AssertionError(ast.dump(node))  # pragma: no cover - parse_formula allows no other


def _call(name: str, arguments: list[Any]) -> Any:
    xp = namespace(*arguments)
    if name in ("max", "min"):
        return reduce(xp.maximum if name == "max" else xp.minimum, arguments)
    return getattr(xp, name)(*arguments)


def parse_formula(
    text: str,
    names: Collection[str],
    place: str = "formula",
    labels: Mapping[str, float] | None = None,
) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text : str
        Numbers, names, ``+ - * / **``, brackets, comparisons (``== != < <= > >=``), ``and``,
        ``or``, ``not``, ``... if ... else ...`` and the functions ``abs``, ``exp``, ``floor``,
        ``log``, ``max``, ``min``, ``round``, ``sqrt`` and ``where(condition, then, else)``. Lines
        may be broken anywhere.
    names : collection of str
        The names that it may use.
    place : str
        Where it stands, for messages.
    labels : mapping of str to float, optional
        What texts in quotes stand for; none are allowed by default.

    Returns
    -------
    Formula

    Raises
    ------
    InputError
        Listing every part that is not understood, with the number of its first character.

    Examples
    --------
    >>> sorted(parse_formula("100 - abs(state - action) ** 2", ["state", "action"]).names)
    ['action', 'state']
    >>> try:
    ...     parse_formula("100 - abs(stat)", ["state"])
    ... except InputError as error:
    ...     print(error.faults[0])
    formula, character 11: found 'stat', expected 'state' (did you mean it?); known are: state
    """
    if len(text) > _LONGEST:
        expected = f"at most {_LONGEST} characters"
        raise InputError(Fault(place, f"{len(text)} characters", expected))
    flat = "".join(" " if sign.isspace() else sign for sign in text)
    stripped = flat.lstrip()
    before = len(flat) - len(stripped)
    try:
        tree = ast.parse(stripped, mode="eval").body
    except SyntaxError as error:
        at = before + error.offset if error.offset else len(flat)  # none: it ends too early
        expected = f"a formula ({error.msg})"
        raise InputError(
            Fault(f"{place}, character {at}", flat[at - 1 : at + 11], expected)
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise InputError(Fault(place, flat[:20], "a formula, less deeply nested")) from None
    reader = _Reader(stripped, before, place, set(names), labels or {})
    reader.read(tree, 1)
    if reader.faults:
        raise InputError(reader.faults)
    return Formula(text, tree, frozenset(reader.used), reader.smooth, dict(labels or {}))


class _Reader:
    """Walks a formula's tree: what is not allowed is a fault at its character."""

    def __init__(
        self, text: str, before: int, place: str, names: set[str], labels: Mapping[str, float]
    ) -> None:
        self.text, self.before, self.place = text, before, place
        self.names, self.labels = names, labels
        self.faults: list[Fault] = []
        self.used: set[str] = set()
        self.smooth = True

    def fault(self, node: ast.expr, expected: str) -> None:
        start, end = node.col_offset, node.end_col_offset or node.col_offset + 1
        raw = self.text.encode()  # the parser counts bytes
        at = self.before + len(raw[:start].decode(errors="ignore")) + 1
        value = raw[start:end].decode(errors="ignore")
        shown = value if len(value) <= 30 else value[:27] + "..."
        self.faults.append(Fault(f"{self.place}, character {at}", shown, expected))

    def read(self, node: ast.expr, depth: int) -> None:
        """Check a part and all in it."""
        if depth > _DEEPEST:
            return self.fault(node, "a formula, less deeply nested")
        self.smooth &= not isinstance(node, _JUMPS)
        match node:
            case ast.Constant(value=bool() | None | complex() | bytes()):
                self.fault(node, "a number or a name")
            case ast.Constant(value=str(label)):
                if label not in self.labels:
                    known = list(self.labels)
                    self.fault(node, suggestion(label, known) if known else "a number or a name")
            case ast.Constant(value=(int() | float()) as number):
                if not _finite(number):
                    self.fault(node, "a smaller number")
            case ast.Name(id=name):
                if name not in self.names:
                    self.fault(node, suggestion(name, sorted(self.names)))
                self.used.add(name)
            case ast.BinOp(left=left, right=right) if type(node.op) in _ARITHMETIC:
                self.read(left, depth + 1)
                self.read(right, depth + 1)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Not(), operand=operand):
                self.smooth &= not isinstance(node.op, ast.Not)
                self.read(operand, depth + 1)
            case ast.Compare(left=left) if all(type(sign) in _COMPARISONS for sign in node.ops):
                for part in (left, *node.comparators):
                    self.read(part, depth + 1)
            case ast.BoolOp(values=parts):
                for part in parts:
                    self.read(part, depth + 1)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                for part in (test, body, orelse):
                    self.read(part, depth + 1)
            case ast.Call(func=ast.Name(id=name), args=arguments) if not node.keywords:
                self.call(node, name, arguments, depth)
            case _:
                self.fault(
                    node, "numbers, names, + - * / **, comparisons, if ... else ..., or functions"
                )
        return None

    def call(self, node: ast.Call, name: str, arguments: list[ast.expr], depth: int) -> None:
        """Check a function's name, how many values it is given, and the values."""
        if name not in FUNCTIONS:
            return self.fault(node.func, f"a function: {suggestion(name, list(FUNCTIONS))}")
        fewest, most = FUNCTIONS[name]
        if not fewest <= len(arguments) <= most:
            count = str(fewest) if fewest == most else f"{fewest} or more"
            self.fault(node, f"{name} with {count} value{'' if count == '1' else 's'}")
        self.smooth &= name not in _JUMPING
        for part in arguments:
            self.read(part, depth + 1)
        return None


def _finite(number: float) -> bool:
    try:
        return bool(np.isfinite(float(number)))
    except OverflowError:
        return False
