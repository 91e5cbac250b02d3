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

    Parameters
    ----------
    layout : Layout
    kind : int or None
        The type; None in a model without types.
    linked : mapping of str to array, shape (nodes,)
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
    array, shape (nodes, cases, seen, options)
    """
    units = layout.cells
    cases = condition.size
    size = len(next(iter(linked.values()))) if linked else 1
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
        values = linked.get(effect.name, np.zeros(size))[:, None] + gaps.get(effect.name, 0.0)
        values = np.broadcast_to(np.clip(values, -_REACH, _REACH), (size, cases))
        arrays[effect.name], dims[effect.name] = effect.link.inverse(values), ("subject",)
        if effect.parameter.option:
            values = np.zeros((size, cases, layout.model.width(effect.parameter, layout.game)))
            arrays[effect.name] = values
            dims[effect.name] = ("subject", effect.parameter.option)
    arrays |= _shared(layout, shared, size, dims)
    values = Values(arrays, dims, pretended)
    answer = _answer(layout, kind, values)
    logs = layout.model.response(layout.game).logs(answer, values, typed=False)  # type: ignore[attr-defined]
    return np.broadcast_to(logs, (size, *shape))


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
    linked : mapping of str to array, shape (nodes, subjects)
        Values at the anchor, on the scale of the link; those not given do not matter.
    gaps : mapping of str to array, shape (subjects, treatments)
    shared : mapping of str to array
        As for `choice_logs`.

    Returns
    -------
    array, shape (nodes, units)
    """
    units = layout.points
    size = len(next(iter(linked.values()))) if linked else 1
    arrays: dict[str, Any] = {}
    dims: dict[str, tuple[str, ...]] = {}
    for effect in layout.effects:
        values = linked.get(effect.name, np.zeros((size, layout.subjects)))
        dims[effect.name] = ("subject",)
        if effect.name in gaps:
            values = values[..., None] + gaps[effect.name]
            dims[effect.name] = ("subject", "treatment")
        arrays[effect.name] = effect.link.inverse(np.clip(values, -_REACH, _REACH))
    arrays |= _shared(layout, shared, size, dims)
    given = Values(arrays, dims, units)
    answer = _answer(layout, kind, given)
    logs = layout.model.response(layout.game).cell_logs(units, answer, given, typed=False)
    logs = np.broadcast_to(logs, (size, units.n_trials))
    order = np.argsort(units.trial_unit, kind="stable")
    starts = np.flatnonzero(np.diff(units.trial_unit[order], prepend=-1))
    return np.add.reduceat(logs[:, order], starts, axis=1)


def _shared(
    layout: Layout,
    exposures: Mapping[str, np.ndarray],
    size: int,
    dims: dict[str, tuple[str, ...]],
) -> dict[str, np.ndarray]:
    """Natural values of what all share, with an axis of nodes; their dims are noted."""
    arrays = {}
    for shared in layout.shared:
        over = ("treatment",) if shared.by_treatment else ()
        option = (str(shared.parameter.option),) if shared.parameter.option else ()
        given = exposures.get(shared.name, np.zeros(shared.exposures))
        natural = shared.link.inverse(np.clip(given, -_REACH, _REACH))
        lengths = (len(layout.units.treatments),) * len(over) + (-1,) * len(option)
        natural = natural.reshape(lengths)
        arrays[shared.name] = np.broadcast_to(natural, (size, *natural.shape))
        dims[shared.name] = (*over, *option)
    return arrays


def _answer(layout: Layout, kind: int | None, values: Values) -> Any:
    if kind is None:
        return layout.model.answer(layout.game, values)
    return layout.model.answer_of_type(layout.game, values, kind)
