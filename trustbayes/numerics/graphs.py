"""Small tools for PyTensor graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor
from pytensor.compile.mode import Mode

__all__ = ["PLAIN", "data"]

PLAIN = Mode(linker="py", optimizer="fast_compile")
"""For what runs a few hundred times: compiled code would take longer to make than to run."""


def data(name: str, values: np.ndarray) -> Any:
    """Add numbers to the PyMC model in context that may be replaced once it is compiled.

    Parameters
    ----------
    name : str
    values : array
        Their shape stays.

    Returns
    -------
    PyTensor variable
        Of float.
    """
    variable = pytensor.shared(np.asarray(values, dtype=float), name=name, shape=values.shape)
    pm.modelcontext(None).register_data_var(variable)
    return variable
