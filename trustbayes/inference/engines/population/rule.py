"""Where a rule of integration puts its nodes, and around which populations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trustbayes.inference.engines.population.axes import Axes
from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.marginal import PopulationValue

__all__ = ["Neighbourhood", "Rule", "envelope"]


@dataclass(frozen=True)
class Rule:
    """A rule of integration.

    Parameters
    ----------
    step : float
        Of even grids on the scale of the link: as such in a finite game; in a game of continuous
        choices in units of a thirteenth of the range that a subject's trials leave open.
    shift : float
        By which part of a step the grids are moved.
    knots : float
        Step between knots in exposures, on the scale of the link.
    cut : float
        Nodes are dropped whose log term is this far below a subject's highest.
    agree : float
        Every second node is dropped where sums over either half agree so well.
    """

    step: float
    shift: float = 0.0
    knots: float = 0.25
    cut: float = 14.0
    agree: float = 1e-3

    def finer(self) -> Rule:
        """With half the steps; splines of degree five need their knots but a third closer."""
        return Rule(self.step / 2, self.shift, self.knots / 1.5, self.cut + 2, self.agree / 4)


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """The populations that tables must serve.

    Parameters
    ----------
    centre : PopulationValue
    around : sequence of PopulationValue
        As far from the centre as the posterior reaches.
    low, high : mapping of str to array, shape (exposures,)
        The range of each exposure.
    """

    centre: PopulationValue
    around: Sequence[PopulationValue]
    low: Mapping[str, np.ndarray]
    high: Mapping[str, np.ndarray]


def envelope(
    layout: Layout, effect: int, axes: Axes, near: Neighbourhood
) -> tuple[np.ndarray, np.ndarray]:
    """Log masses of an axis' nodes at the centre, and the highest around it.

    Returns
    -------
    centre, highest : array, shape (axes, nodes)
    """
    family = layout.effects[effect].family
    centre, *others = (
        axes.densities(family, p.location[effect], p.shape[effect], slopes=False).logs
        for p in (near.centre, *near.around)
    )
    highest = centre
    for logs in others:
        highest = np.maximum(highest, logs)
    return centre, highest
