"""Numbers of other libraries as Python's own: what files and keys hold."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np

__all__ = ["LARGEST_SEED", "as_plain", "is_whole"]

LARGEST_SEED = 2**64 - 1
"""What the samplers take."""


def as_plain(value: Any) -> Any:
    """A NumPy number as Python's own; anything else as it is.

    Examples
    --------
    >>> as_plain(np.int64(3)), as_plain(np.array(0.5)), as_plain("x")
    (3, 0.5, 'x')
    """
    single = isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0)
    return value.item() if single else value


def is_whole(value: Any) -> TypeGuard[int]:
    """Whether a value is a whole number; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)
