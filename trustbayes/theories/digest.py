"""What a declared model computes, as a digest: the same in every process and session.

A model is more than its name. Two specs of one name that compute something else have other
digests, so that no stored fit, and no worker process, can take the one for the other.
"""

from __future__ import annotations

import ast
import dis
import hashlib
import inspect
import pickle
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import fields, is_dataclass
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from trustbayes.errors import Fault, InputError
from trustbayes.priors.prior import Prior
from trustbayes.theories.spec import Convention, ModelSpec, Parameter

__all__ = ["spec_digest"]

_WORDS: dict[type, set[str]] = {
    ModelSpec: {
        *("title", "description", "manner", "citation", "remark", "look", "guide"),
        *("by_default", "benchmark", "combines", "theory_of_type", "weighs_fines"),
    },
    Parameter: {"symbol", "meaning", "typical"},
    Convention: {"meaning", "rivals", "only_with", "only_for", "needs"},
}
"""What a reader is told, and what a report makes of a model: it bears on no number of a fit."""

_WRITTEN = ("__init__", "__call__", "__post_init__", "__getitem__")
_PACKAGE = __name__.partition(".")[0]
_THEORIES = f"{_PACKAGE}.theories."
_INSTALLED = tuple(
    Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")
)


def spec_digest(spec: ModelSpec) -> str:
    """Digest of what a spec computes.

    Of its data, but for words that only readers see, and of the code of its functions: of them and
    of what they use from around them (arguments of functions that made them, constants, other
    functions and classes), as far as it is of the same package or no installed one. Comments,
    docstrings, annotations and layout do not count. Other libraries, and what this package has
    beside its theories, count by name; their versions stand in every fit.

    Parameters
    ----------
    spec : ModelSpec

    Returns
    -------
    str
        16 hexadecimal digits.

    Raises
    ------
    InputError
        If a function uses an object whose content cannot be told.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from trustbayes.theories.registry import REGISTRY
    >>> spec = REGISTRY.spec("level-k", "sender", "finite")
    >>> spec_digest(spec) == spec_digest(replace(spec, title="Steps of thinking"))
    True
    >>> spec_digest(spec) == spec_digest(replace(spec, answer=lambda *given: 0.0))
    False
    """
    digest = hashlib.sha256()
    for part in _Reader(f"model {spec.name}, {spec.role}").content(spec, ""):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]


class _Reader:
    """Walks through everything that a spec consists of, each function and class once."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.met: dict[int, int] = {}
        self.kept: list[Any] = []  # an id is that of a living object only

    def content(self, value: Any, package: str) -> Iterator[str]:
        """Texts that say what a value is, which code of a package uses."""
        if isinstance(value, float) or value is None or isinstance(value, str | int | bytes):
            yield repr(value)
        elif isinstance(value, np.ndarray | np.generic):
            yield from self._array(np.asarray(value), package)
        elif isinstance(value, Mapping):
            yield f"mapping of {len(value)}"
            for key in sorted(value, key=repr):
                yield repr(key)
                yield from self.content(value[key], package)
        elif isinstance(value, tuple | list | range):
            yield f"sequence of {len(value)}"
            for each in value:
                yield from self.content(each, package)
        elif isinstance(value, set | frozenset):
            yield from self.content(sorted(value, key=repr), package)
        elif isinstance(value, ModuleType):
            yield f"module {value.__name__}"
        elif isinstance(value, MethodType):
            yield value.__name__
            yield from self.content(value.__self__, package)
        elif isinstance(value, partial):
            yield from self.content((value.func, value.args, value.keywords), package)
        elif isinstance(value, property):
            yield from self.content((value.fget, value.fset), package)
        elif isinstance(value, classmethod | staticmethod):
            yield from self.content(value.__func__, package)
        elif isinstance(value, FunctionType | type):
            yield from self._code(value, package)
        elif callable(inspect.unwrap(value)) and inspect.unwrap(value) is not value:
            yield from self.content(inspect.unwrap(value), package)
        elif hasattr(value, "__qualname__") or isinstance(value, np.ufunc):
            yield f"{getattr(value, '__module__', '')}.{value.__name__}"  # built in
        else:
            yield from self._instance(value, package)

    def _array(self, value: np.ndarray, package: str) -> Iterator[str]:
        if value.dtype == object:
            yield from self.content(value.tolist(), package)
            return
        yield f"array of {value.dtype}, shape {value.shape}"
        yield hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()

    def _instance(self, value: Any, package: str) -> Iterator[str]:
        kind = type(value)
        name = f"{kind.__module__}.{kind.__qualname__}"
        if isinstance(value, Prior):
            yield from self.content(value.to_dict(), package)
        elif is_dataclass(value):
            yield kind.__name__
            if kind not in _WORDS and _is_read(kind, package):
                yield from self._code(kind, package)
            for field in sorted({each.name for each in fields(value)} - _WORDS.get(kind, set())):
                yield field
                yield from self.content(getattr(value, field), package)
        elif _is_read(kind, package) and hasattr(value, "__dict__"):
            yield from self._code(kind, package)
            yield from self.content(vars(value), package)
        elif kind.__module__ == "typing":
            yield repr(value)
        elif _package_of(kind) == _PACKAGE:
            yield name
        else:
            try:
                content = pickle.dumps(value, protocol=4)
            except Exception as error:
                expected = "something whose content can be told: numbers, texts, arrays, functions"
                place = f"{self.place}, what its functions use"
                raise InputError(Fault(place, f"an object of class {name}", expected)) from error
            yield name
            yield hashlib.sha256(content).hexdigest()

    def _code(self, value: FunctionType | type, package: str) -> Iterator[str]:
        """A function or a class: its code if it is to be read, else its name."""
        if not _is_read(value, package):
            yield f"{value.__module__}.{value.__qualname__}"
            return
        if id(value) in self.met:
            yield f"again {self.met[id(value)]}"
            return
        self.met[id(value)] = len(self.met)
        self.kept.append(value)
        package = _package_of(value)
        if isinstance(value, FunctionType):
            yield from self._function(value, package)
        else:
            yield from self._class(value, package)

    def _class(self, value: type, package: str) -> Iterator[str]:
        yield f"class {value.__name__}"
        yield from self.content(value.__bases__, package)
        for name, member in sorted(vars(value).items()):
            written = name in _WRITTEN or name[:2] != "__"
            if name == "__init__" and is_dataclass(value):
                continue  # made of the fields
            if written and not name.startswith("_abc_") and not inspect.ismemberdescriptor(member):
                yield name
                yield from self.content(member, package)

    def _function(self, value: FunctionType, package: str) -> Iterator[str]:
        yield _text(value.__code__, value.__code__.co_filename)
        yield from self.content((value.__defaults__, value.__kwdefaults__), package)
        code = value.__code__
        for name, cell in zip(code.co_freevars, value.__closure__ or (), strict=True):
            yield name
            yield from self.content(_held(cell), package)
        names, attributes = _names(code)
        for name in sorted(names & set(value.__globals__)):
            used = value.__globals__[name]
            yield name
            yield from self.content(used, package)
            if isinstance(used, ModuleType) and _is_read_module(used.__name__, package):
                for attribute in sorted(attributes & set(vars(used))):
                    yield f"{name}.{attribute}"
                    yield from self.content(vars(used)[attribute], package)


def _package_of(value: Any) -> str:
    return str(value.__module__).partition(".")[0]


def _is_read(value: Any, package: str) -> bool:
    """Whether the code of a function or class counts, and not its name alone."""
    return _is_read_module(str(getattr(value, "__module__", "")), package)


@cache
def _is_read_module(module: str, package: str) -> bool:
    if module.partition(".")[0] == _PACKAGE:
        return module.startswith(_THEORIES)
    if module.partition(".")[0] in (package, "__main__"):
        return True
    if module not in sys.modules:  # made while the program runs
        return True
    file = getattr(sys.modules[module], "__file__", None)
    if file is None:  # built in
        return False
    return not package or not any(place in Path(file).resolve().parents for place in _INSTALLED)


def _held(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


@cache
def _names(code: CodeType) -> tuple[set[str], set[str]]:
    """What code looks up in its module, and what may be attributes of that."""
    return set(_looked_up(code)), set(_attributes(code))


def _looked_up(code: CodeType) -> Iterator[str]:
    """Names that code, and code inside it, looks up in its module."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(step.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _looked_up(constant)


def _attributes(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _attributes(constant)


@cache
def _text(code: CodeType, file: str) -> str:
    """The code of a function in a file, without what does not bear on what it does."""
    node = _node(code)
    if node is None:  # no source, as where code is made by exec
        return " ".join(_compiled(code))
    return ast.unparse(_Bare().visit(node))


def _node(code: CodeType) -> ast.AST | None:
    """Where a function is defined, in a copy of the syntax tree of its file."""
    try:
        lines, _ = inspect.findsource(code)
        definitions = _definitions("".join(lines))
    except (OSError, TypeError, SyntaxError):
        return None
    nodes = definitions.get((code.co_firstlineno, code.co_name), ())
    # Of several on one line their code cannot be told from the text: it is taken as compiled.
    return deepcopy(nodes[0]) if len(nodes) == 1 else None


@cache
def _definitions(text: str) -> dict[tuple[int, str], list[ast.AST]]:
    """All functions in a file, by first line and name."""
    definitions: dict[tuple[int, str], list[ast.AST]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            name = getattr(node, "name", "<lambda>")
            definitions.setdefault((_begins(node), name), []).append(node)
    return definitions


def _begins(node: Any) -> int:
    decorators = getattr(node, "decorator_list", [])
    return int(min([node.lineno, *(decorator.lineno for decorator in decorators)]))


class _Bare(ast.NodeTransformer):
    """Takes away docstrings and annotations."""

    def visit_FunctionDef(self, node: Any) -> ast.AST:
        node.returns = None
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node


def _compiled(code: CodeType) -> Iterator[str]:
    yield code.co_code.hex()
    yield repr(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _compiled(constant)
        else:
            yield repr(sorted(constant, key=repr) if isinstance(constant, frozenset) else constant)
