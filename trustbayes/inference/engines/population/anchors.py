"""At which treatment a subject's own values are best taken, in a game of continuous choices.

What subjects have of their own is tabulated at one treatment, and what another adds to it is known
by the population alone. Where trust is nearly full, choices hardly say how nearly: from a value
taken there, that in a treatment which does say is known only as well as the gap between the two,
and likelihoods are ridges across both. So values are taken where choices say most.
"""

from __future__ import annotations

import numpy as np

from trustbayes.inference.engines.population.comparison import some_subjects
from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.theory import point_logs

__all__ = ["sharpness"]

_FARTHEST = 6.0  # on the scale of the link
_NODES = {True: 49, False: 9}  # of the parameter that is asked for, and of others
_PRIOR = 3.0  # standard deviation, so that widths are finite
_ASKED = 64  # subjects at most


def sharpness(layout: Layout) -> np.ndarray:
    """How much the choices of each treatment tell of what differs between treatments.

    Parameters
    ----------
    layout : Layout
        Of a game of continuous choices.

    Returns
    -------
    array, shape (treatments,)
        Mean over subjects, or some of many, of one over the standard deviation of a value on the
        scale of the link, given the trials of this treatment alone; 0 where nothing differs between
        treatments.
    """
    layout = layout.of_subjects(some_subjects(layout, _ASKED))
    units = layout.units
    total, number = np.zeros((2, len(units.treatments)))
    for kind in layout.kinds:
        active = layout.active(kind)
        for e in active:
            if not layout.effects[e].exposures:
                continue
            sizes = [_NODES[other == e] for other in active]
            axes = [np.linspace(-_FARTHEST, _FARTHEST, size) for size in sizes]
            linked = {
                layout.effects[other].name: np.reshape(
                    axis, [-1 if other == at else 1 for at in active] + [1]
                )
                + np.zeros(layout.subjects)
                for other, axis in zip(active, axes, strict=True)
            }
            logs = point_logs(layout, kind, linked, {}, {})
            asked = active.index(e)
            logs = np.moveaxis(logs, asked, 0).reshape(sizes[asked], -1, logs.shape[-1])
            logs = logs - 0.5 * (axes[asked] / _PRIOR)[:, None, None] ** 2
            chance = np.exp(logs - logs.max(axis=(0, 1))).sum(axis=1)
            chance /= chance.sum(axis=0)
            middle = axes[asked] @ chance
            variance = axes[asked] ** 2 @ chance - middle**2
            finest = (axes[asked][1] - axes[asked][0]) ** 2 / 12  # of what falls between nodes
            np.add.at(total, units.unit_treatment, 1 / np.sqrt(np.maximum(variance, 0.0) + finest))
            np.add.at(number, units.unit_treatment, 1.0)
    return np.asarray(total / np.maximum(number, 1.0))
