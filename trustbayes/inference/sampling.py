"""How to sample: settings and versions."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.numerics.plain import LARGEST_SEED, as_plain, is_whole

__all__ = ["ENGINE", "METHODS", "Method", "Sampling", "versions"]

ENGINE = 6
"""Counts versions of the population engine: one more whenever its draws change, so that fits that
were kept before are made anew."""

Method = Literal["auto", "population", "nuts"]

METHODS: dict[Method, str] = {
    "auto": "population engine where it is the quicker, else nutpie NUTS",
    "population": "population engine",
    "nuts": "nutpie NUTS",
}
"""How a posterior can be drawn from, and what that is called."""


@dataclass(frozen=True)
class Sampling:
    """How to sample.

    Parameters
    ----------
    draws, tune, chains : int
        Kept draws and warm-up steps of each chain, and the number of chains.
    seed : int
        From 0 to 2**64 - 1.
    target_accept : float
        Between 0 and 1; higher means smaller steps and fewer divergences.
    method : {"auto", "population", "nuts"}
        "population" integrates subjects out and samples the population alone, see
        `trustbayes.inference.engines.population`; "nuts" samples subjects and population together.
        Default, "auto": "population" for theories of one parameter a person, or of two if there
        are no types and all people share no further one; without formulas, and not for
        recommendations. Else "nuts".
    """

    draws: int = 1000
    tune: int = 500
    chains: int = 4
    seed: int = 20110601
    target_accept: float = 0.9
    method: Method = "auto"

    def __post_init__(self) -> None:
        for name, least in (("draws", 4), ("tune", 1), ("chains", 1), ("seed", 0)):
            value = as_plain(getattr(self, name))
            most = LARGEST_SEED if name == "seed" else None
            if not is_whole(value) or value < least or (most and value > most):
                expected = f"a whole number from {least}" + (f" to {most}" if most else "")
                raise InputError(Fault(f"sampling, {name}", str(value), expected))
            object.__setattr__(self, name, value)
        object.__setattr__(self, "target_accept", as_plain(self.target_accept))
        if not 0 < self.target_accept < 1:
            expected = "a number between 0 and 1"
            raise InputError(Fault("sampling, target_accept", str(self.target_accept), expected))
        if self.method not in METHODS:
            expected = suggestion(str(self.method), list(METHODS))
            raise InputError(Fault("sampling, method", str(self.method), expected))


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    packages = ("trustbayes", "pymc", "pytensor", "nutpie", "numba", "arviz", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
