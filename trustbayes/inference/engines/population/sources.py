"""Which exposures bear on a type's choices, and over which range they are tabulated."""

from __future__ import annotations

import numpy as np

from trustbayes.inference.engines.population.kernels import TAPS
from trustbayes.inference.engines.population.layout import EffectLayout, Layout
from trustbayes.inference.engines.population.rule import Neighbourhood, Rule
from trustbayes.inference.engines.population.splines import Knots, Shifts
from trustbayes.inference.engines.population.theory import choice_logs, point_logs

__all__ = ["default_range", "knots_of", "sources_of"]

_WIDEST = {"positive": (-12.0, 9.0), "unit": (-9.0, 9.0), "real": (-5.0, 5.0)}
"""Of what all share, on the scale of the link: at the ends a trust is 0 or 1 to one in 8,000."""
_GAP = 8.0
"""Between treatments: two logits of which one is at a trust of .02, the other at .98."""

_ACROSS = 8
"""Knots at least across the range that tables must serve."""
_NARROWEST = 1e-3  # of such ranges


def sources_of(layout: Layout, kind: int | None) -> tuple[str, ...]:
    """Names of the parameters whose exposures bear on the choices of a type.

    Parameters
    ----------
    layout : Layout
    kind : int or None

    Returns
    -------
    tuple of str
    """
    active = [layout.effects[e] for e in layout.active(kind)]
    names = [e.name for e in active if e.exposures]
    rng = np.random.default_rng(0)
    size = 5
    for shared in layout.shared:
        values = []
        for exposures in rng.normal(size=(2, shared.exposures)):
            given = {shared.name: exposures}
            if not layout.units.continuous:
                linked = {e.name: np.linspace(-1, 2, size) for e in active}
                every = np.arange(len(layout.cells.condition_treatment))
                values.append(choice_logs(layout, kind, linked, every, {}, given))
            else:
                whole = np.linspace(-2, 1, size)[:, None] + np.zeros(layout.subjects)
                linked = {e.name: whole for e in active}
                values.append(point_logs(layout, kind, linked, {}, given))
        if np.abs(values[0] - values[1]).max() > 1e-10:
            names.append(shared.name)
    return tuple(names)


def default_range(layout: Layout, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The widest range of a parameter's exposures, each of shape (exposures,)."""
    source = layout.sources()[name]
    low, high = _WIDEST[source.parameter.support]
    if isinstance(source, EffectLayout):
        low, high = -_GAP, _GAP
    return np.full(source.exposures, low), np.full(source.exposures, high)


def knots_of(layout: Layout, name: str, rule: Rule, near: Neighbourhood | None) -> Knots | Shifts:
    """Where tables are read over the range of a parameter's exposures.

    Gaps between treatments of a finite game move nodes on their own grid; else there are knots.
    """
    low, high = default_range(layout, name)
    if near:
        low, high = np.maximum(low, near.low[name]), np.minimum(high, near.high[name])
        spare = np.maximum(_NARROWEST - (high - low), 0.0) / 2
        low, high = low - spare, high + spare
    names = [effect.name for effect in layout.effects]
    if name in names and not layout.units.continuous:
        return Shifts(low, high, rule.steps[names.index(name)])
    reach = (high - low).max() if low.size else 0.0
    # A posterior narrower than the step has likelihoods that bend within it.
    step = min(rule.knots, reach / _ACROSS) if near and low.size else rule.knots
    size = max(TAPS + 1, int(np.ceil(reach / step)) + 1)
    middle = (low + high) / 2
    return Knots(middle - step * (size - 1) / 2, step, size)
