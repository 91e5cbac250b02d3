"""Where a rule of integration puts its nodes, and which populations it must serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trustbayes.inference.engines.population.marginal import PopulationValue

__all__ = ["Neighbourhood", "Rule"]

_SHORT = 0.1


@dataclass(frozen=True)
class Rule:
    """A rule of integration.

    Parameters
    ----------
    steps : tuple of float
        By effect, of even grids on the scale of the link: as such in a finite game; in a game of
        continuous choices in units of a thirteenth of the range that a subject's trials leave open.
    shift : float
        By which part of a step the grids are moved.
    knots : float
        Step between knots in what all subjects share, on the scale of the link.
    cut : float
        Nodes are dropped that bear less than e to the minus this of a subject's likelihood in
        each of the populations that the tables serve.
    anew : bool
        Whether, in a game of continuous choices, likelihoods are worked out anew for what the
        population exposes trials to, not read between knots: dear, and exact.
    halvings : tuple of tuple of int
        By effect and subject, in a game of continuous choices: how often that subject's step is
        half of the others'. Empty: no one's is.
    """

    steps: tuple[float, ...]
    shift: float = 0.0
    knots: float = 0.5
    cut: float = 16.0
    anew: bool = False
    halvings: tuple[tuple[int, ...], ...] = ()

    def halved(self, effect: int, people: np.ndarray | None = None) -> Rule:
        """With half the step of one effect, for all or for some people of all.

        Parameters
        ----------
        effect : int
        people : array of bool, shape (subjects,), optional
        """
        if people is not None:
            none = ((0,) * people.size,) * len(self.steps)
            every = np.array(self.halvings or none)
            every[effect] += people
            return replace(self, halvings=tuple(map(tuple, every.tolist())))
        steps = tuple(s / 2 if e == effect else s for e, s in enumerate(self.steps))
        return replace(self, steps=steps)

    def finer(self) -> Rule:
        """With half the steps; splines of degree five need their knots but a third closer."""
        steps = tuple(step / 2 for step in self.steps)
        return replace(self, steps=steps, knots=self.knots / 1.5, cut=self.cut + 4)

    def parts(self, effect: int, subjects: int) -> np.ndarray:
        """In how many parts each subject's step is cut, shape (subjects,)."""
        if not self.halvings:
            return np.ones(subjects, dtype=int)
        return np.asarray(2 ** np.array(self.halvings[effect]))


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """The populations that tables must serve.

    Parameters
    ----------
    populations : sequence of PopulationValue
        From all over the posterior.
    low, high : mapping of str to array, shape (exposures,)
        The range of each exposure, beyond which the tables do not reach.
    """

    populations: Sequence[PopulationValue]
    low: Mapping[str, np.ndarray]
    high: Mapping[str, np.ndarray]

    def holds(self, other: Neighbourhood) -> bool:
        """Whether it reaches nearly as far as another: by all but a tenth of that one's range.

        Where tables end, so does what is drawn: tails of a posterior would be cut off.
        """
        return all(
            bool(
                (
                    np.maximum(self.low[n] - other.low[n], other.high[n] - self.high[n])
                    <= _SHORT * (other.high[n] - other.low[n])
                ).all()
            )
            for n in self.low
        )
