"""Senders whose lying aversion wavers a little from trial to trial.

Where a longer lie earns the same by every unit of its length, the best report jumps over all of it
as lying aversion passes that gain: a likelihood with cliffs, which no sampler climbs. If the
logarithm of a sender's aversion is logistic around hers with scale 1/8, a standard deviation of
0.23, her mean report passes gradually over the jump.
"""

from __future__ import annotations

from trustbayes.numerics.arrays import TINY, Array, namespace

__all__ = ["wavers", "worth_lying"]


def worth_lying(gain: Array, cost: Array) -> Array:
    """Probability that a lie is worth a cost that wavers, 1 / (1 + (cost / gain)^8).

    Parameters
    ----------
    gain, cost : array
        Per unit of the lie, at least 0, both in the same unit; shapes that broadcast.

    Returns
    -------
    array
        In [0, 1]; one half where both are equal, nothing where nothing is gained.

    Examples
    --------
    >>> import numpy as np
    >>> worth_lying(np.array([1.0, 1.0]), np.array([1.0, 0.5])).round(3)
    array([0.5  , 0.996])
    """
    share = gain / (gain + cost + TINY)
    worth, not_worth = _eighth_power(share), _eighth_power(1 - share)
    return worth / (worth + not_worth)


def wavers(gain: Array, cost: Array) -> Array:
    """What wavering adds to the share of a lie that is told; see `worth_lying`.

    Returns
    -------
    array
        In [-1/2, 1/2]: the probability, less one where the lie is worth its cost without wavering.

    Examples
    --------
    >>> import numpy as np
    >>> wavers(np.array([1.0, 1.0]), np.array([1.0, 0.5])).round(3)
    array([ 0.5  , -0.004])
    """
    xp = namespace(gain, cost)
    return worth_lying(gain, cost) - xp.where(cost < gain, 1.0, 0.0)


def _eighth_power(value: Array) -> Array:
    square = value * value
    fourth = square * square
    return fourth * fourth
