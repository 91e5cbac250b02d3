"""What differs between the treatments of a finite game, and distributions over its states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trustbayes.games.payoffs import Payoffs

__all__ = ["Direction", "Exact", "FiniteTerms", "distribution", "exact"]

Direction = Literal["up", "down", "none"]
"""Whether senders gain by higher messages, by lower ones, or by none."""


@dataclass(frozen=True, eq=False)
class FiniteTerms:
    """What differs in one treatment from the rest of a finite game; None where nothing does.

    Parameters
    ----------
    prior, receiver_prior : sequence of float, optional
        Probabilities of the states, shape (states,); without one of his own the receiver holds
        the prior of the treatment.
    direction : {"up", "down", "none"}, optional
    payoffs : Payoffs, optional
    """

    prior: Sequence[float] | None = None
    receiver_prior: Sequence[float] | None = None
    direction: Direction | None = None
    payoffs: Payoffs | None = None


class Exact(tuple[float, ...]):
    """Probabilities that were made to add up to one before: again would move the last bits."""


def exact(prior: Sequence[float] | None) -> Exact | None:
    """Probabilities that were made to add up to one before, if there are any."""
    return None if prior is None else Exact(prior)


def distribution(prior: Sequence[float] | str, size: int) -> np.ndarray:
    """Probabilities of that many states, made to add up to one.

    Raises
    ------
    ValueError
        If they are none.
    """
    if isinstance(prior, str):
        if prior != "uniform":
            raise ValueError(f"prior: found {prior!r}, expected 'uniform' or {size} probabilities")
        return np.full(size, 1 / size)
    array = np.asarray(prior, dtype=float)
    if isinstance(prior, Exact):
        return array
    if array.shape != (size,) or not (array >= 0).all() or not np.isclose(array.sum(), 1):
        raise ValueError(
            f"prior: found {list(prior)!r}, expected {size} probabilities that add up to 1"
        )
    return array / array.sum()
