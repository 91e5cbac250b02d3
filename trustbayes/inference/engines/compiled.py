"""A PyMC model as compiled functions, compiled once for all that differ in their data only."""

from __future__ import annotations

import ctypes
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytensor
import xarray as xr

from trustbayes.numerics.vectorised import vectorised

__all__ = ["PROGRAMS", "Density", "Programs", "Sampled", "coordinates", "exact", "plain"]

_KEPT = 8


@dataclass(frozen=True, eq=False)
class Sampled:
    """Draws of a PyMC model.

    Parameters
    ----------
    posterior, sample_stats : xarray.Dataset
        With dimensions chain and draw.
    seconds : mapping of str to float
        Spent on ``compile`` and ``sample``.
    points : array, shape (chains, draws, dimension), or None
        The draws as the sampler sees them, if they were asked for: what another run can start
        from.
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    seconds: Mapping[str, float]
    points: np.ndarray | None = None


class Programs(threading.local):
    """The models that a thread has compiled, the last few of them by their pattern.

    A program draws where its chains start from the data of the PyMC model that it was compiled
    from. That model is lent the data of another one while this is sampled, and has its own back
    afterwards; and no two samplings share a program at the same time, each thread having its own.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def clear(self) -> None:
        """Forget them all."""
        self._kept.clear()

    @contextmanager
    def program(
        self, model: pm.Model, pattern: str = ""
    ) -> Iterator[nutpie.compile_pymc.CompiledPyMCModel]:
        """The program of a model: compiled, or that of another of its pattern, with its data.

        Parameters
        ----------
        model : pymc.Model
        pattern : str
            The same for models that differ only in their data variables and in the labels of their
            coordinates. Empty: compiled anew, and not kept.

        Yields
        ------
        nutpie.compile_pymc.CompiledPyMCModel
            To be used in the ``with`` statement only.
        """
        if not pattern:
            yield nutpie.compile_pymc_model(model)
            return
        if pattern not in self._kept:
            self._kept[pattern] = _Kept(model, nutpie.compile_pymc_model(model))
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(pattern)
        kept = self._kept[pattern]
        values = {variable.name: variable.get_value() for variable in model.data_vars}
        needed = {variable.name for variable in kept.program.shared_var_keys}
        with _lent(kept.model, values):
            yield kept.program.with_data(**{name: values[name] for name in needed})


@dataclass(frozen=True, eq=False)
class _Kept:
    """A program, and the PyMC model that it was compiled from."""

    model: pm.Model
    program: nutpie.compile_pymc.CompiledPyMCModel


@contextmanager
def _lent(model: pm.Model, values: Mapping[str, np.ndarray]) -> Iterator[None]:
    """A PyMC model with other data for a while."""
    before = {variable: variable.get_value() for variable in model.data_vars}
    try:
        for variable in before:
            variable.set_value(values[variable.name])
        yield
    finally:
        for variable, value in before.items():
            variable.set_value(value)


PROGRAMS = Programs()
"""Those of this process."""


def exact() -> AbstractContextManager[Any]:
    """Compile without fast mathematics.

    Its last digits differ between a model that was compiled and one that was read from cache.
    """
    stack = ExitStack()
    stack.enter_context(pytensor.config.change_flags(numba__fastmath=False))
    stack.enter_context(vectorised())
    return stack


class Density:
    """A compiled model's log density and gradient, as the sampler calls them.

    Parameters
    ----------
    program : nutpie.compile_pymc.CompiledPyMCModel
    """

    def __init__(self, program: nutpie.compile_pymc.CompiledPyMCModel) -> None:
        self._program = program  # holds the memory that is pointed to
        kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)
        self._function = kind(program.compiled_logp_func.address)

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Both at a point; minus infinity where there is no density or no slope."""
        point = np.ascontiguousarray(point, dtype=float)
        value, gradient = np.full(1, -np.inf), np.zeros(point.size)
        arrays = (point, gradient, value, self._program.user_data)
        failed = self._function(point.size, *(array.ctypes.data for array in arrays))
        return -np.inf if failed else float(value[0]), gradient


def coordinates(model: pm.Model) -> dict[str, np.ndarray]:
    """Where each free variable of a PyMC model stands among the sampler's coordinates.

    Parameters
    ----------
    model : pymc.Model

    Returns
    -------
    dict of str to array of int
        By name of the variable, in the shape of what is sampled.
    """
    point, places, begin = model.initial_point(), {}, 0
    for value in model.value_vars:
        shape = np.shape(point[value.name])
        size = int(np.prod(shape, dtype=int))
        places[str(model.values_to_rvs[value].name)] = begin + np.arange(size).reshape(shape)
        begin += size
    return places


def plain(data: xr.Dataset) -> xr.Dataset:
    """Text coordinates as plain strings, nothing in the attributes."""
    data = data.copy()
    data.attrs = {}
    for name in data.coords:
        if data[name].dtype.kind not in "iuf":
            data[name] = data[name].astype(str)
    return data
