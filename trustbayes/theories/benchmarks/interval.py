"""The "all or nothing" views of the game on an interval, and the equilibria between them.

A sender whom everyone trusts and who deserves it names the state itself; who learns nothing from
messages does best in the middle. In equilibrium messages can say in which of a few intervals the
state lies.

Source: Crawford and Sobel (1982), Econometrica 50(6); the project's theory, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustbayes.games.interval import IntervalGame

__all__ = ["PartitionEquilibrium", "partition_equilibrium"]

_MOST = 100_000


@dataclass(frozen=True, eq=False)
class PartitionEquilibrium:
    """An equilibrium in which messages say in which interval the state lies.

    Parameters
    ----------
    cuts : array, shape (intervals + 1,)
        The ends of the intervals, increasing, the interval's own among them; units of the state.
    """

    cuts: np.ndarray

    @property
    def actions(self) -> np.ndarray:
        """The action in each interval, its middle; shape (intervals,), units of the state."""
        return (self.cuts[1:] + self.cuts[:-1]) / 2

    def action(self, message: np.ndarray) -> np.ndarray:
        """The action after messages that name a state of the interval meant.

        Parameters
        ----------
        message : array
            On the interval; one at a cut belongs to the interval above.

        Returns
        -------
        array
            Of the same shape, units of the state.
        """
        return self.actions[np.searchsorted(self.cuts[1:-1], message, side="right")]


def partition_equilibrium(game: IntervalGame, treatment: str) -> PartitionEquilibrium:
    r"""The most informative equilibrium of a treatment.

    A sender at a cut :math:`a_i` is indifferent between the actions beside it, which are the
    middles of their intervals. Losses being symmetric, whatever the exponent, this asks
    :math:`a_{i+1} = 2 a_i - a_{i-1} + 4 b`, so that each interval is 4b longer than the one below:
    :math:`a_i = \mathrm{lowest} + i\,a_1 + 2 i (i - 1) b` with
    :math:`a_1 = w / N - 2 (N - 1) b`, w the width of the whole. There are such equilibria of every
    N with :math:`2 N (N - 1) |b| < w`; the largest N is the most informative.

    Parameters
    ----------
    game : IntervalGame
    treatment : str

    Returns
    -------
    PartitionEquilibrium

    Raises
    ------
    ValueError
        If the treatment is unknown, has no bias, so that messages may say everything, or a bias so
        small that there are more than 100,000 intervals.

    References
    ----------
    Crawford and Sobel (1982), Econometrica 50(6), section 4.

    Examples
    --------
    >>> game = IntervalGame(0, 100, {"Small": 5})
    >>> equilibrium = partition_equilibrium(game, "Small")
    >>> equilibrium.cuts.round(2)
    array([  0.  ,  13.33,  46.67, 100.  ])
    >>> equilibrium.actions.round(2)
    array([ 6.67, 30.  , 73.33])
    """
    if treatment not in game.treatments:
        expected = ", ".join(game.treatments)
        raise ValueError(f"treatment: found {treatment!r}, expected one of {expected}")
    bias, width = game.treatments[treatment], game.highest - game.lowest
    if bias == 0:
        raise ValueError("bias: found 0, expected another: without a bias messages say everything")
    if 2 * _MOST * (_MOST - 1) * abs(bias) < width:
        raise ValueError(f"bias: found {bias:g}, expected one of at most {_MOST:,} intervals")
    number = int(0.5 + 0.5 * np.sqrt(1 + 2 * width / abs(bias))) + 1
    while number > 1 and not 2 * number * (number - 1) * abs(bias) < width:
        number -= 1
    i = np.arange(number + 1)
    cuts = game.lowest + i * (width / number - 2 * (number - 1) * bias) + 2 * i * (i - 1) * bias
    cuts[0], cuts[-1] = game.lowest, game.highest
    return PartitionEquilibrium(cuts)
