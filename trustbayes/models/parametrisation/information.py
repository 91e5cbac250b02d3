"""What is known of subjects before sampling: forms, weights, stand-ins, starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from trustbayes.models.parametrisation.type_coordinates import TypeDensities
from trustbayes.models.settings import ModelSettings
from trustbayes.trials.units import Units

__all__ = ["Information"]


@dataclass(frozen=True)
class Information:
    """What the pilot found, by parameter.

    Parameters
    ----------
    weights : mapping of str to array, shape (subjects, treatments)
        Share of each treatment in what is known of a subject's value; rows add up to one.
    form : mapping of str to "centred" or "non-centred"
    stand_ins : mapping of str to pair of arrays, shape (subjects,) and the options if any
        Mean and standard deviation of the density that stands in for the population's where a
        subject is of a type that ignores the parameter; on the scale of the link, at the mean of
        her treatments by weight. The parameter then bears on nothing, so its density is free, and
        the posterior of all else is the same with any (Carlin and Chib 1995, Journal of the Royal
        Statistical Society B 57(3)). With one near what the trials say if she is of another type,
        the sampler need not jump between the two.
    couplings : mapping of str to array, shape (subjects,)
        The power of its partner by which a parameter is multiplied where the sampler works with
        both, see `trustbayes.theories.spec.ModelSpec.coupling`; one half where it is not found.
    locations : mapping of str to array, shape () or (treatments,)
        Values that all subjects were given, on the scale of the link.
    starts : mapping of str to array, shape () or (treatments,)
        Where chains had best start, by name of the population's variable; on the scale of the
        link. Those not named may start anywhere.
    type_densities : TypeDensities, optional
        See `trustbayes.models.parametrisation.type_coordinates`: then neither forms nor stand-ins
        are used.
    """

    weights: Mapping[str, np.ndarray]
    form: Mapping[str, str]
    stand_ins: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    couplings: Mapping[str, np.ndarray] = field(default_factory=dict)
    locations: Mapping[str, np.ndarray] = field(default_factory=dict)
    starts: Mapping[str, np.ndarray] = field(default_factory=dict)
    type_densities: TypeDensities | None = None

    @classmethod
    def without_pilot(cls, model: ModelSettings, units: Units) -> Information:
        """Treatments weighted by their trials, all centred: enough to draw from the prior."""
        shape = (len(units.subjects), len(units.treatments))
        return cls(
            {p.name: _trial_weights(units, shape) for p in model.parameters},
            {p.name: "centred" for p in model.parameters},
        )


def _trial_weights(units: Units, shape: tuple[int, int]) -> np.ndarray:
    trials = np.zeros(shape)
    np.add.at(trials, (units.unit_subject, units.unit_treatment), units.trials_per_unit)
    return trials / trials.sum(axis=1, keepdims=True)
