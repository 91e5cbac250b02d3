"""One formula for NumPy arrays and for PyTensor variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

__all__ = ["Array", "namespace", "softmax"]

Array = Any
"""A NumPy array or a PyTensor variable."""


def namespace(*values: Array) -> Any:
    """The module whose functions fit the values: PyTensor's if any is symbolic, else NumPy."""
    return pt if any(isinstance(value, Variable) for value in values) else np


def softmax(logits: Array) -> Array:
    """Softmax over the last axis."""
    xp = namespace(logits)
    weights = xp.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)
