"""A PyMC model as compiled functions: density, gradient, draws."""

from __future__ import annotations

import ctypes
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytensor
import xarray as xr

from trustbayes.inference.gate import Check
from trustbayes.numerics.vectorised import vectorised

__all__ = ["Density", "Sampled", "compiled", "coordinates", "exact", "plain"]


def _drawn(
    model: pm.Model, arrays: dict[str, np.ndarray], seconds: dict[str, float], check: Check
) -> Sampled:
    data: dict[str, Any] = {}
    for name, values in arrays.items():
        dims = model.named_vars_to_dims.get(name) or [
            f"{name}_dim_{axis}" for axis in range(values.ndim - 2)
        ]
        data[name] = (("chain", "draw", *dims), values)
    used = {dim for dims, _ in data.values() for dim in dims}
    chains, draws = next(iter(arrays.values())).shape[:2]
    coords: dict[str, Any] = {"chain": np.arange(chains), "draw": np.arange(draws)}
    coords |= {name: list(labels) for name, labels in model.coords.items() if name in used}
    return Sampled(
        posterior=plain(xr.Dataset(data, coords=coords)),
        sample_stats=xr.Dataset(),
        seconds=seconds,
        points=None,
        check=check,
    )


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
    check : Check, optional
        What there is to say of an approximation.
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    seconds: Mapping[str, float]
    points: np.ndarray | None = None
    check: Check | None = None


_KEPT = 8


_COMPILED = threading.local()
"""Models that this thread compiled last, by what they have in common with others."""


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
    point, found, begin = model.initial_point(), {}, 0
    for value in model.value_vars:
        shape = np.shape(point[value.name])
        size = int(np.prod(shape, dtype=int))
        found[str(model.values_to_rvs[value].name)] = begin + np.arange(size).reshape(shape)
        begin += size
    return found


def compiled(model: pm.Model, pattern: str) -> nutpie.compile_pymc.CompiledPyMCModel:
    """Compile a model, or put its data into one of the same pattern; see `sample`."""
    if not pattern:
        return nutpie.compile_pymc_model(model)
    kept: OrderedDict[str, Any] = _COMPILED.__dict__.setdefault("kept", OrderedDict())
    if pattern not in kept:
        kept[pattern] = model, nutpie.compile_pymc_model(model)
        if len(kept) > _KEPT:
            kept.popitem(last=False)
    kept.move_to_end(pattern)
    first, program = kept[pattern]
    values = {variable.name: variable.get_value() for variable in model.data_vars}
    for variable in first.data_vars:  # chains start where these say
        variable.set_value(values[variable.name])
    needed = {variable.name for variable in program.shared_var_keys}
    return program.with_data(**{name: values[name] for name in needed})


def plain(data: xr.Dataset) -> xr.Dataset:
    """Text coordinates as plain strings, nothing in the attributes."""
    data = data.copy()
    data.attrs = {}
    for name in data.coords:
        if data[name].dtype.kind not in "iuf":
            data[name] = data[name].astype(str)
    return data
