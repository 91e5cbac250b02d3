"""What a theory says at given values of subjects' parameters, in NumPy, for tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from trustbayes.inference.engines.population.layout import Layout
from trustbayes.theories.values import Values

__all__ = ["choice_logs", "point_logs"]

_REACH = 40.0  # on the scale of the link; beyond it values are as good as at the ends


def choice_logs(
    layout: Layout,
    kind: int | None,
    linked: Mapping[str, np.ndarray],
    condition: np.ndarray,
    gaps: Mapping[str, np.ndarray],
    shared: Mapping[str, np.ndarray],
) -> np.ndarray:
    """Log probability of every choice of a finite game at nodes common to all subjects.

    Nodes on a grid may come as its axes, each along a dimension of its own: then what the theory
    says of some of the parameters is not worked out anew for every value of the others.

    Parameters
    ----------
    layout : Layout
    kind : int or None
        The type; None in a model without types.
    linked : mapping of str to array, of shapes that broadcast to (..., nodes)
        Values at the anchor, on the scale of the link; those not given do not matter.
    condition : array of int, shape (cases,)
        The combination of treatment and bias of each case, see
        `trustbayes.trials.finite.Cells.condition_treatment`.
    gaps : mapping of str to array, shape (cases,)
        By parameter, how far a case lies from the anchor.
    shared : mapping of str to array
        Exposures, on the scale of the link, by parameter that all subjects share.

    Returns
    -------
    array, shape (..., nodes, cases, seen, options)
    """
    units = layout.cells
    cases = condition.size
    lead = np.broadcast_shapes(*[values.shape for values in linked.values()]) or (1,)
    ones = (1,) * len(lead)
    shape = (cases, *units.counts.shape[1:])
    pretended = replace(
        units,
        subjects=tuple(map(str, range(cases))),
        groups=None,
        people={},
        unit_subject=np.arange(cases),
        unit_treatment=units.condition_treatment[condition],
        unit_bias=units.condition_bias[condition],
        counts=np.ones(shape, dtype=int),
    )
    arrays: dict[str, Any] = {}
    dims: dict[str, tuple[str, ...]] = {}
    for effect in layout.effects:
        values = linked.get(effect.name, np.zeros(ones))[..., None] + gaps.get(effect.name, 0.0)
        values = np.clip(values, -_REACH, _REACH)
        values = np.broadcast_to(values, (*values.shape[:-1], cases))
        arrays[effect.name], dims[effect.name] = effect.link.inverse(values), ("subject",)
        if effect.parameter.option:
            values = np.zeros((*ones, cases, layout.model.width(effect.parameter, layout.game)))
            arrays[effect.name] = values
            dims[effect.name] = ("subject", effect.parameter.option)
    arrays |= _shared(layout, shared, ones, dims)
    values = Values(arrays, dims, pretended)
    answer = _answer(layout, kind, values)
    logs = layout.model.response(layout.game).logs(answer, values, typed=False)  # type: ignore[attr-defined]
    return np.broadcast_to(logs, (*lead, *shape))


def point_logs(
    layout: Layout,
    kind: int | None,
    linked: Mapping[str, np.ndarray],
    gaps: Mapping[str, np.ndarray],
    shared: Mapping[str, np.ndarray],
) -> np.ndarray:
    """Log likelihood of every unit's trials in a game of continuous choices.

    Parameters
    ----------
    layout : Layout
    kind : int or None
    linked : mapping of str to array, of shapes that broadcast to (..., nodes, subjects)
        Values at the anchor, on the scale of the link; those not given do not matter.
    gaps : mapping of str to array, shape (subjects, treatments)
    shared : mapping of str to array
        As for `choice_logs`.

    Returns
    -------
    array, shape (..., nodes, units)
    """
    units = layout.points
    lead = np.broadcast_shapes(*[values.shape[:-1] for values in linked.values()]) or (1,)
    ones = (1,) * len(lead)
    arrays: dict[str, Any] = {}
    dims: dict[str, tuple[str, ...]] = {}
    for effect in layout.effects:
        values = linked.get(effect.name, np.zeros((*ones, layout.subjects)))
        dims[effect.name] = ("subject",)
        if effect.name in gaps:
            values = values[..., None] + gaps[effect.name]
            dims[effect.name] = ("subject", "treatment")
        arrays[effect.name] = effect.link.inverse(np.clip(values, -_REACH, _REACH))
    arrays |= _shared(layout, shared, ones, dims)
    given = Values(arrays, dims, units)
    answer = _answer(layout, kind, given)
    logs = layout.model.response(layout.game).unit_logs(units, answer, given)  # type: ignore[attr-defined]
    return np.broadcast_to(logs, (*lead, units.unit_subject.size))


def _shared(
    layout: Layout,
    exposures: Mapping[str, np.ndarray],
    ones: tuple[int, ...],
    dims: dict[str, tuple[str, ...]],
) -> dict[str, np.ndarray]:
    """Natural values of what all share, with axes of nodes; their dims are noted."""
    arrays = {}
    for shared in layout.shared:
        over = ("treatment",) if shared.by_treatment else ()
        option = (str(shared.parameter.option),) if shared.parameter.option else ()
        given = exposures.get(shared.name, np.zeros(shared.exposures))
        natural = shared.link.inverse(np.clip(given, -_REACH, _REACH))
        lengths = (len(layout.units.treatments),) * len(over) + (-1,) * len(option)
        natural = natural.reshape(lengths)
        arrays[shared.name] = natural.reshape((*ones, *natural.shape))
        dims[shared.name] = (*over, *option)
    return arrays


def _answer(layout: Layout, kind: int | None, values: Values) -> Any:
    if kind is None:
        return layout.model.answer(layout.game, values)
    return layout.model.answer_of_type(layout.game, values, kind)
