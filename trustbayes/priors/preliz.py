"""Distributions of PreliZ, in which priors are elicited, in the terms of this package."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["form_of", "is_elicited"]

_ARGUMENTS: dict[str, dict[str, str]] = {
    "Normal": {"mu": "mu", "sigma": "sigma"},
    "StudentT": {"nu": "nu", "mu": "mu", "sigma": "sigma"},
    "LogNormal": {"mu": "mu", "sigma": "sigma"},
    "HalfNormal": {"sigma": "sigma"},
    "Exponential": {"lam": "lam"},
    "LogitNormal": {"mu": "mu", "sigma": "sigma"},
    "Beta": {"alpha": "alpha", "beta": "beta"},
    "Dirichlet": {"a": "alpha"},
}
"""By distribution, its arguments here and there."""


def is_elicited(value: Any) -> bool:
    """Whether a value is a distribution of PreliZ, which need not be installed.

    Examples
    --------
    >>> is_elicited(2.0)
    False
    """
    return type(value).__module__.split(".")[0] == "preliz"


def form_of(elicited: Any) -> tuple[str, dict[str, Any]]:
    """The name and arguments that a distribution of PreliZ has here.

    Parameters
    ----------
    elicited : PreliZ distribution
        With all its parameters known, as after ``preliz.maxent``.

    Returns
    -------
    name : str
        One of `trustbayes.priors.families.FAMILIES`.
    arguments : dict
        Numbers, or a tuple of them.

    Raises
    ------
    ValueError
        If the distribution has no counterpart here, or its parameters are not known yet.
    """
    name = type(elicited).__name__
    known = sorted([*_ARGUMENTS, "Gamma"])
    if name not in known:
        raise ValueError(
            f"elicited prior: found PreliZ's {name}, expected one of {', '.join(known)}; any other "
            "distribution can be a prior as a function of PyMC code"
        )
    if not getattr(elicited, "is_frozen", False):
        raise ValueError(
            f"elicited prior: found PreliZ's {name} without parameters, expected one that has "
            "them: give them, or elicit them, as preliz.maxent does"
        )
    if name == "Gamma":
        shape, rate = float(elicited.alpha), float(elicited.beta)
        return name, {"mean": shape / rate, "shape": shape}
    values = {ours: getattr(elicited, theirs) for ours, theirs in _ARGUMENTS[name].items()}
    return name, {
        ours: tuple(map(float, value)) if np.ndim(value) else float(value)
        for ours, value in values.items()
    }
