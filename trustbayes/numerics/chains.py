"""Which steps follow each other: chains in one flat array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Chains"]


@dataclass(frozen=True, eq=False)
class Chains:
    """Which steps follow each other.

    Parameters
    ----------
    order : array of int, shape (steps,)
        Positions of the steps, chain after chain, each in the order of time.
    start : array of int, shape (chains + 1,)
        Where each chain begins in ``order``, and where the last ends.
    """

    order: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, *labels: np.ndarray) -> Chains:
        """Chains of steps that are alike in all labels, in the order in which they stand.

        Examples
        --------
        >>> chains = Chains.of(np.array([0, 1, 0, 1]))
        >>> chains.order.tolist(), chains.start.tolist()
        ([0, 2, 1, 3], [0, 2, 4])
        """
        order = np.lexsort(labels[::-1])
        rows = np.column_stack(labels)[order]
        first = np.flatnonzero(np.r_[True, (rows[1:] != rows[:-1]).any(axis=1)][: len(rows)])
        return cls(order.astype(np.int64), np.append(first, len(rows)).astype(np.int64))

    @property
    def first(self) -> np.ndarray:
        """The first step of each chain, shape (chains,)."""
        return self.order[self.start[:-1]]
