"""The convergence gate, which decides whether anything may be concluded from draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import arviz as az
import numpy as np
import xarray as xr

from trustbayes.files import plain

__all__ = ["Check", "Gate", "gate_of"]


@dataclass(frozen=True)
class Check:
    """One condition of the gate.

    Parameters
    ----------
    name : str
    value : float
        The worst over all population and subject parameters.
    threshold : float
    at_most : bool
        Whether the value must not exceed the threshold, or not fall below it.
    worst : str
        Where the worst value stands.
    """

    name: str
    value: float
    threshold: float
    at_most: bool
    worst: str = ""

    @property
    def passed(self) -> bool:
        """Whether the condition holds; a value that is not a number fails."""
        if not np.isfinite(self.value):
            return False
        return self.value <= self.threshold if self.at_most else self.value >= self.threshold


@dataclass(frozen=True)
class Gate:
    """Whether a fit's draws can be trusted: without it, no verdict.

    Parameters
    ----------
    checks : tuple of Check
    approximation : str
        What the draws are in place of draws from the posterior; empty if they are that. The checks
        are then those that it has, and it passes no gate, whatever they say.
    """

    checks: tuple[Check, ...]
    approximation: str = ""

    @property
    def passed(self) -> bool:
        """Whether every check passed, and the draws are from the posterior."""
        return not self.approximation and all(check.passed for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def why(self) -> tuple[str, ...]:
        """Why it is not passed, in a few words each."""
        first = (f"an approximation: {self.approximation}",) if self.approximation else ()
        return (*first, *(check.name for check in self.failed))

    def to_dict(self) -> dict[str, Any]:
        """Say in plain values whether it is passed, what draws approximate, and every check."""
        checks = [vars(check) | {"passed": check.passed} for check in self.checks]
        approximation = self.approximation or None
        found: dict[str, Any] = plain(
            {"passed": self.passed, "approximation": approximation, "checks": checks}
        )
        return found


def gate_of(posterior: xr.Dataset, sample_stats: xr.Dataset) -> Gate:
    """The convergence gate over all population and subject parameters.

    R-hat (rank-normalised, Vehtari et al. 2021) at most 1.01, bulk and tail effective sample size
    at least 400, E-BFMI at least 0.3, divergences at most 0.1 % of the draws.

    Parameters
    ----------
    posterior, sample_stats : xarray.Dataset
        With dimensions chain and draw; the latter with ``diverging`` and ``energy``.

    Returns
    -------
    Gate
    """
    # Densities are no parameters, and neither is what is given instead of estimated.
    others = [
        name
        for name, draws in posterior.data_vars.items()
        if str(name).endswith("_unused") or bool((draws == draws[0, 0]).all())
    ]
    posterior = posterior.drop_vars(others)
    rhat = az.rhat(posterior)
    bulk, tail = az.ess(posterior, method="bulk"), az.ess(posterior, method="tail")
    divergent = float(sample_stats["diverging"].mean())
    energy = sample_stats["energy"].to_numpy()
    bfmi = (np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1)
    return Gate(
        (
            Check("R-hat", *_worst(rhat, highest=True, at=1.01)),
            Check("bulk ESS", *_worst(bulk, highest=False, at=400.0)),
            Check("tail ESS", *_worst(tail, highest=False, at=400.0)),
            Check("E-BFMI", float(bfmi.min()), 0.3, False, f"chain {int(bfmi.argmin())}"),
            Check("divergences, share", divergent, 0.001, True),
        )
    )


def _worst(data: xr.Dataset, *, highest: bool, at: float) -> tuple[float, float, bool, str]:
    """The worst value over all variables, the threshold, its direction, and where it stands."""
    worst, place = (-np.inf if highest else np.inf), ""
    for name, array in data.data_vars.items():
        values = array.to_numpy()
        if np.isnan(values).all():
            continue  # a variable that does not vary
        index = int(np.nanargmax(values) if highest else np.nanargmin(values))
        value = float(values.reshape(-1)[index])
        if (value > worst) if highest else (value < worst):
            where = np.unravel_index(index, values.shape)
            labels = [str(array[d].to_numpy()[i]) for d, i in zip(array.dims, where, strict=True)]
            worst, place = value, f"{name}[{', '.join(labels)}]" if labels else str(name)
    return worst, at, highest, place
