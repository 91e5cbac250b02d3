"""Noise around a best choice on a line: normal, or Student's t.

The functions take NumPy arrays or PyTensor variables.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytensor.tensor as pt
from scipy.special import log_ndtr

from trustbayes.numerics.arrays import namespace
from trustbayes.theories.spec import Convention

__all__ = ["NOISE", "NormalNoise", "StudentNoise", "noise_of"]


class NormalNoise:
    """Standard normal noise."""

    by_squares = True
    location_information = 1.0
    scale_information = 2.0

    def log_density(self, z: Any) -> Any:
        """Log density."""
        return -0.5 * z**2 - 0.5 * math.log(2 * math.pi)

    def log_cumulative(self, z: Any) -> Any:
        """Log probability of less than z."""
        if namespace(z) is np:
            return log_ndtr(z)
        # Below -30 five terms of the asymptotic series leave a relative error of 2e-12.
        low = pt.minimum(z, -30.0)
        w = 1 / low**2
        series = pt.log1p(-w * (1 - 3 * w * (1 - 5 * w * (1 - 7 * w))))
        far = -0.5 * low**2 - pt.log(-low) - 0.5 * math.log(2 * math.pi) + series
        below = pt.maximum(pt.switch(z > 0, -z, z), -30.0)
        beyond = 0.5 * pt.erfc(-below / math.sqrt(2))
        near = pt.switch(z > 0, pt.log1p(-beyond), pt.log(beyond))
        return pt.switch(z < -30, far, near)

    def draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Independent draws."""
        return rng.normal(size=size)


class StudentNoise:
    """Student's t with 4 degrees of freedom: outliers bear less on a subject's estimates."""

    by_squares = False
    location_information = 5 / 7
    scale_information = 8 / 7

    def log_density(self, z: Any) -> Any:
        """Log density."""
        return math.log(3 / 8) - 2.5 * namespace(z).log1p(z**2 / 4)

    def log_cumulative(self, z: Any) -> Any:
        """Log probability of less than z, in closed form."""
        xp = namespace(z)
        c = z / xp.sqrt(4 + z**2)
        above = xp.where(z < 0, 4 / ((4 + z**2) * (1 - xp.minimum(c, 0))), 1 + c)  # 1 + c
        return 2 * xp.log(above) + xp.log(2 - c) - math.log(4)

    def draw(self, size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Independent draws."""
        return rng.standard_t(4, size=size)


def noise_of(conventions: Mapping[str, Any]) -> NormalNoise | StudentNoise:
    """The noise that the convention "noise" names."""
    return StudentNoise() if conventions["noise"] == "student-t" else NormalNoise()


NOISE = Convention(
    name="noise",
    choices=("normal", "student-t"),
    default="normal",
    meaning=(
        "How choices scatter around the best one: normal, or Student's t with 4 degrees of "
        "freedom for outliers."
    ),
)
