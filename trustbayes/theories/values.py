"""Values of a model's parameters, looked up where the theories need them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["Values"]


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
        optionally followed by the name of an option axis; ("trial",) where experience moves it.
    units : Units
        `trustbayes.trials.finite.Cells` or `trustbayes.trials.forecast.Points`.
    """

    arrays: Mapping[str, Any]
    dims: Mapping[str, tuple[str, ...]]
    units: Any

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def shared(self, name: str) -> bool:
        """Whether all subjects have the same value."""
        return "subject" not in self.dims[name]

    def mapped(self, name: str, function: Callable[[Any], Any]) -> Values:
        """These values, one parameter's replaced by a function of them.

        A subject's value is worked out once, and not again for each of her trials.
        """
        return replace(self, arrays={**self.arrays, name: function(self.arrays[name])})

    def of_units(self, name: str) -> Any:
        """The value of every unit, shape (..., units) and the option axis if there is one.

        None if there is no such parameter.
        """
        if name not in self:
            return None
        return self._pick(name, self.units.unit_subject, self.units.unit_treatment)

    def of_trials(self, name: str) -> Any:
        """The value in every trial, shape (..., trials) and the option axis if there is one."""
        units = self.units
        treatment = units.unit_treatment[units.trial_unit]
        return self._pick(name, units.trial_subject, treatment)

    def of_events(self, name: str) -> Any:
        """The value at every event of `trustbayes.trials.sequences.Sequences`, (..., events)."""
        return self._pick(name, self.units.event_subject, self.units.event_treatment)

    def of_conditions(self, name: str) -> Any:
        """The value in every condition of a finite game, if all subjects share it."""
        if not self.shared(name):
            raise ValueError(f"{name} varies by subject")
        return self._pick(name, None, self.units.condition_treatment)

    def _pick(self, name: str, subject: np.ndarray | None, treatment: np.ndarray) -> Any:
        values, dims = self.arrays[name], self.dims[name]
        if dims == ("trial",):
            return values
        positions = {"subject": subject, "treatment": treatment}
        index = [positions[dim] for dim in dims if dim in positions]
        option = (slice(None),) * (len(dims) - len(index))
        if not index:
            values, index = values[(..., None, *option)], [np.zeros(treatment.size, dtype=int)]
        return values[(..., *index, *option)]
