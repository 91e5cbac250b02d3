"""Some of many, evenly spaced."""

from __future__ import annotations

import numpy as np

__all__ = ["spaced"]


def spaced(size: int, most: int) -> np.ndarray:
    """Positions of some of many, evenly spaced, the first and the last among them.

    Parameters
    ----------
    size : int
        How many there are.
    most : int
        How many are wanted at most; all if there are no more.

    Returns
    -------
    array of int
        Increasing.

    Examples
    --------
    >>> spaced(10, 4), spaced(3, 4)
    (array([0, 3, 6, 9]), array([0, 1, 2]))
    """
    return np.unique(np.linspace(0, size - 1, most).astype(int))
