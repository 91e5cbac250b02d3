"""Types that make the same choices in all that the subjects saw: nothing tells their shares."""

from __future__ import annotations

import numpy as np

from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.theory import choice_logs, point_logs

__all__ = ["coinciding_types"]

_SAME = 1e-9  # of a log likelihood: what rounding does to sums of a few hundred
_POINTS = 4  # values of every parameter at which choices are compared


def coinciding_types(layout: Layout) -> tuple[tuple[str, ...], ...]:
    """Group the types that cannot be told apart by any choice, whatever the parameters.

    Parameters
    ----------
    layout : Layout

    Returns
    -------
    tuple of tuple of str
        Labels, only groups of two or more, in the order of the types.

    Examples
    --------
    >>> import trustbayes as tb
    >>> from trustbayes.inference.engines.population.layout import layout_of
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, tb.read_game(data.game))
    >>> layout = layout_of(tb.LevelK("sender"), trials.game, trials.fold("sender"))
    >>> coinciding_types(layout)
    ()
    """
    labels = layout.model.types
    rng = np.random.default_rng(0)
    units, logs = layout.units, []
    names = [e.name for e in layout.effects if not e.parameter.option]
    values = {name: rng.normal(size=_POINTS) for name in names}
    shared = {
        shared_layout.name: rng.normal(size=shared_layout.exposures)
        for shared_layout in layout.shared
    }
    for kind in range(len(labels)):
        if not units.continuous:
            cells = layout.cells
            every = np.arange(len(cells.condition_treatment))
            choices = choice_logs(layout, kind, values, every, {}, shared)
            seen = np.zeros(choices.shape[1:3], dtype=bool)
            unit, state, _ = cells.observed
            seen[cells.unit_condition[unit], state] = True
            logs.append(choices[:, seen])
        else:
            wide = {n: v[:, None] + np.zeros(layout.subjects) for n, v in values.items()}
            logs.append(point_logs(layout, kind, wide, {}, shared))
    groups: list[list[int]] = []
    for kind in range(len(labels)):
        for group in groups:
            if np.abs(logs[kind] - logs[group[0]]).max() < _SAME:
                group.append(kind)
                break
        else:
            groups.append([kind])
    return tuple(tuple(labels[kind] for kind in group) for group in groups if len(group) > 1)
