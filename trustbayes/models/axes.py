"""Along what the parameters of a model vary, and their values there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trustbayes.cells import Cells

__all__ = ["Axes", "Values"]


@dataclass(frozen=True, eq=False)
class Axes:
    """The units and conditions of one data set.

    Parameters
    ----------
    biases : array, shape (biases,)
    unit_subject, unit_treatment, unit_bias : array of int, shape (units,)
        As in `Cells`: a unit is a subject in a treatment with a bias.
    condition_treatment, condition_bias : array of int, shape (conditions,)
        A condition is a combination of treatment and bias.
    unit_condition : array of int, shape (units,)
    """

    biases: np.ndarray
    unit_subject: np.ndarray
    unit_treatment: np.ndarray
    unit_bias: np.ndarray
    condition_treatment: np.ndarray
    condition_bias: np.ndarray
    unit_condition: np.ndarray

    @classmethod
    def of(cls, cells: Cells) -> Axes:
        """The axes of folded trials."""
        pairs = np.column_stack([cells.unit_treatment, cells.unit_bias])
        conditions, unit_condition = np.unique(pairs, axis=0, return_inverse=True)
        return cls(
            biases=cells.biases,
            unit_subject=cells.unit_subject,
            unit_treatment=cells.unit_treatment,
            unit_bias=cells.unit_bias,
            condition_treatment=conditions[:, 0],
            condition_bias=conditions[:, 1],
            unit_condition=unit_condition.reshape(-1),
        )


@dataclass(frozen=True, eq=False)
class Values:
    """Values of a model's parameters, on the natural standardised scale.

    Parameters
    ----------
    arrays : mapping of str to array
        NumPy arrays or PyTensor variables; the last axes of each are its ``dims``, axes before
        them (draws) are kept.
    dims : mapping of str to tuple of str
        For each parameter ("subject", "treatment"), ("subject",), ("treatment",) or (), each
        optionally followed by the name of an option axis.
    axes : Axes
    """

    arrays: Mapping[str, Any]
    dims: Mapping[str, tuple[str, ...]]
    axes: Axes

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def shared(self, name: str) -> bool:
        """Whether all subjects have the same value."""
        return "subject" not in self.dims[name]

    def of_units(self, name: str) -> Any:
        """The value of every unit, shape (..., units) and the option axis if there is one."""
        axes = self.axes
        return self._pick(name, axes.unit_subject, axes.unit_treatment)

    def of_conditions(self, name: str) -> Any:
        """The value in every condition of a parameter that all subjects share."""
        if not self.shared(name):
            raise ValueError(f"{name} varies by subject")
        return self._pick(name, None, self.axes.condition_treatment)

    def _pick(self, name: str, subject: np.ndarray | None, treatment: np.ndarray) -> Any:
        values, dims = self.arrays[name], self.dims[name]
        positions = {"subject": subject, "treatment": treatment}
        index = [positions[dim] for dim in dims if dim in positions]
        option = (slice(None),) * (len(dims) - len(index))
        if not index:
            values, index = values[(..., None, *option)], [np.zeros(treatment.size, dtype=int)]
        return values[(..., *index, *option)]
