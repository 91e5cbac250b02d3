"""What a function depends on besides its arguments, as texts, so that equal ones can be told."""

from __future__ import annotations

import builtins
import dis
import hashlib
import inspect
import json
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from trustbayes.errors import Fault, InputError

__all__ = ["source_of", "uses_of"]

_LOADS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF")
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")
_HIDDEN = ("__import__", "compile", "eval", "exec", "globals", "input", "open", "vars")
_FOLLOWED = "only numbers, texts, arrays, modules and functions from around it"


def source_of(value: Any, place: str) -> str:
    """The source text of a function or class.

    Raises
    ------
    InputError
        If it cannot be found.
    """
    try:
        # What eval made has no source; python -c has that name, too.
        if isinstance(value, FunctionType) and value.__code__.co_filename == "<string>":
            raise OSError
        return textwrap.dedent(inspect.getsource(value)).strip()
    except (OSError, TypeError):
        expected = "one whose source can be found: write it into a file or a notebook's cell"
        name = f"function {getattr(value, '__name__', value)}"
        raise InputError(Fault(place, name, expected)) from None


def uses_of(function: FunctionType, place: str) -> dict[str, str]:
    """What a function uses that its source does not show.

    Values from around it and from modules of the user's are followed by name, through functions
    and classes of the user's, to numbers, texts and arrays. Of libraries the names are enough:
    their versions belong to a fit's key.

    Parameters
    ----------
    function : function
    place : str
        What it is, for messages.

    Returns
    -------
    dict of str to str
        By "function: name" what the name stands for.

    Raises
    ------
    InputError
        If something cannot be followed: an object with a state, a file that is read, a module that
        is used as a whole or imported inside.

    Examples
    --------
    >>> scale = 2.0
    >>> def prior(dims):
    ...     return scale * np.ones(3)
    >>> prior.__module__ = "__main__"
    >>> uses_of(prior, "prior of trust")
    {'prior: scale': '2.0', 'prior: np': 'numpy'}
    """
    return dict(_Uses(place).of_function(function))


class _Uses:
    """What has been followed so far, so that functions that call each other end."""

    def __init__(self, place: str) -> None:
        self.place, self.seen = place, set[int]()

    def of_function(self, function: FunctionType) -> Iterator[tuple[str, str]]:
        """Names and what they stand for."""
        self.seen.add(id(function))
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        around = dict(function.__globals__)
        around |= {name: cell.cell_contents for name, cell in cells if _is_filled(cell)}
        label = function.__name__
        for name, attributes in dict.fromkeys(_loads(function.__code__)):
            if name in around:
                yield from self.of_chain(f"{label}: {name}", around[name], list(attributes))
            elif name in _HIDDEN and hasattr(builtins, name):
                self.refuse(f"{name}()", label)
        for name in _imported(function.__code__):
            if _is_users(sys.modules.get(name)):
                self.refuse(f"an import of {name} inside", label)
        optional = _optional(function)
        defaults = dict(zip(optional, function.__defaults__ or (), strict=True))
        for name, value in (defaults | (function.__kwdefaults__ or {})).items():
            yield from self.of_chain(f"{label}: {name}=", value, [])

    def of_chain(self, key: str, value: Any, attributes: list[str]) -> Iterator[tuple[str, str]]:
        """A name with the attributes that are read of it, as far as they need to be followed."""
        while True:
            whole = isinstance(value, ModuleType) and _is_users(value)
            if not whole and (_is_plain(value) or not attributes):
                break
            if not attributes:
                self.refuse(f"{key.split(': ')[1]}, a module as a whole", key.split(":")[0])
            key = f"{key}.{attributes[0]}"
            if not hasattr(value, attributes[0]):
                return  # the function itself will say so
            value = getattr(value, attributes.pop(0))
        if isinstance(value, FunctionType) and _is_users(sys.modules.get(value.__module__)):
            yield key, source_of(value, self.place)
            if id(value) not in self.seen:
                yield from self.of_function(value)
        elif isinstance(value, type) and _is_users(sys.modules.get(value.__module__)):
            yield key, source_of(value, self.place)
            for method in vars(value).values():
                if isinstance(method, FunctionType) and id(method) not in self.seen:
                    yield from self.of_function(method)
        elif (text := _text(value)) is not None:
            yield key, text
        else:
            name = f"{key.split(': ')[1]}, a {type(value).__name__},"
            self.refuse(name, key.split(":")[0])

    def refuse(self, what: str, label: str) -> None:
        """Say what cannot be followed."""
        raise InputError(Fault(self.place, f"{what} in function {label}", _FOLLOWED))


def _is_plain(value: Any) -> bool:
    """Whether it can be told from others without its attributes."""
    return isinstance(value, FunctionType | type) or _text(value) is not None


def _text(value: Any) -> str | None:
    """A library's thing by its name, a value by itself; None for what has a state of its own."""
    if isinstance(value, ModuleType):
        return value.__name__
    if callable(value) and hasattr(value, "__qualname__"):
        owner = getattr(value, "__self__", None)
        stateless = owner is None or isinstance(owner, ModuleType | type)
        return f"{value.__module__}.{value.__qualname__}" if stateless else None
    if isinstance(value, np.ndarray) and value.dtype != object:
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"array of {value.dtype}, shape {value.shape}, {digest[:16]}"
    if isinstance(value, np.ufunc):
        return f"numpy.{value.__name__}"
    if isinstance(value, np.generic):
        value = value.item()
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError):
        return None


def _is_users(module: ModuleType | None) -> bool:
    """Whether a module is neither of Python, nor installed, nor this package."""
    if module is None or module.__name__ == "__main__":
        return True
    root = module.__name__.partition(".")[0]
    if root in sys.stdlib_module_names or root == __name__.partition(".")[0]:
        return False
    file = getattr(module, "__file__", None)
    installed = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    above = set(Path(file).parents) if file else set()
    return bool(file) and not above & installed and "site-packages" not in str(file)


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # a variable that has no value yet
        return False


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Code, and the code of functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _loads(code: CodeType) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names that are read from around, with the attributes that are read of each."""
    for part in _codes(code):
        steps = [step for step in dis.get_instructions(part) if step.opname != "PUSH_NULL"]
        for position, step in enumerate(steps):
            if not step.opname.startswith(_LOADS):
                continue
            attributes = []
            for after in steps[position + 1 :]:
                if after.opname not in _ATTRIBUTES:
                    break
                attributes.append(str(after.argval))
            yield str(step.argval), tuple(attributes)


def _imported(code: CodeType) -> Iterator[str]:
    for part in _codes(code):
        for step in dis.get_instructions(part):
            if step.opname == "IMPORT_NAME":
                yield str(step.argval)


def _optional(function: FunctionType) -> tuple[str, ...]:
    """Names of the arguments by position that have a default."""
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    return names[len(names) - len(function.__defaults__ or ()) :]
