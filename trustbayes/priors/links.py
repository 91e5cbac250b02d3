"""Links: the scale on which a population's effects on its subjects add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["IDENTITY", "LINK_OF_SUPPORT", "LOG", "LOGIT", "Link", "logit_normal_mean"]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(31)


@dataclass(frozen=True)
class Link:
    """A scale without bounds for values that may have some.

    Parameters
    ----------
    name, inverse_name : str
        What the way there and back are called, such as "log" and "exp"; empty if nothing changes.
    forward, inverse : callable
        From the natural scale to the link's, and back; both take NumPy arrays.
    symbolic : callable
        The inverse for PyTensor variables.
    """

    name: str
    inverse_name: str
    forward: Callable[[Any], Any]
    inverse: Callable[[Any], Any]
    symbolic: Callable[[Any], Any]

    @property
    def scale(self) -> str:
        """Words for the scale, as descriptions have them.

        Examples
        --------
        >>> LOGIT.scale, IDENTITY.scale
        ('link (logit)', 'natural')
        """
        return f"link ({self.name})" if self.name else "natural"


def _logit(values: np.ndarray) -> np.ndarray:
    return np.log(values) - np.log1p(-values)


def _expit(values: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * values))


def _same(values: Any) -> Any:
    return values


# PyTensor is loaded where a graph is built: what reads and checks data starts without it.


def _symbolic_exp(values: Any) -> Any:
    import pytensor.tensor as pt

    return pt.exp(values)


def _symbolic_expit(values: Any) -> Any:
    import pytensor.tensor as pt

    return pt.sigmoid(values)


IDENTITY = Link("", "", _same, _same, _same)
LOG = Link("log", "exp", np.log, np.exp, _symbolic_exp)
LOGIT = Link("logit", "expit", _logit, _expit, _symbolic_expit)

LINK_OF_SUPPORT = {"real": IDENTITY, "positive": LOG, "unit": LOGIT}
"""The link that reaches all of a support, and no more."""


def logit_normal_mean(
    location: Any, spread: Any, inverse_logit: Callable[[Any], Any] = _expit
) -> Any:
    """Mean of logit-normal populations, by quadrature with 31 nodes.

    Parameters
    ----------
    location, spread : array
        Of the populations, on the logit scale; shapes that broadcast, NumPy or PyTensor.
    inverse_logit : callable
        For such arrays, see `Link`; default: for NumPy.

    Returns
    -------
    array
        Between 0 and 1.

    Examples
    --------
    >>> logit_normal_mean(np.array([0.0, 1.0]), 1.0).round(4)
    array([0.5   , 0.6967])
    """
    location, spread = location + 0 * spread, spread + 0 * location
    values = inverse_logit(location[..., None] + spread[..., None] * _NODES)
    return (values * (_WEIGHTS / _WEIGHTS.sum())).sum(axis=-1)
