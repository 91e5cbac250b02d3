"""The convergence gate, which decides whether anything may be concluded from draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import arviz as az
import numpy as np
import xarray as xr

from trustbayes.files import plain

__all__ = [
    "APPROXIMATIONS",
    "BULK",
    "DIVERGENCES",
    "GOOD_K",
    "INTEGRATION",
    "INTEGRATION_ERROR",
    "PROPOSALS",
    "RHAT",
    "TAIL",
    "Check",
    "Gate",
    "gate_of",
    "gate_of_population",
]


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
    """

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def why(self) -> tuple[str, ...]:
        """Why it is not passed, in a few words each."""
        return tuple(check.name for check in self.failed)

    def to_dict(self) -> dict[str, Any]:
        """Say in plain values whether it is passed, and every check."""
        checks = [vars(check) | {"passed": check.passed} for check in self.checks]
        content: dict[str, Any] = plain({"passed": self.passed, "checks": checks})
        return content


RHAT, BULK, TAIL = "R-hat", "bulk ESS", "tail ESS"
DIVERGENCES = "divergences, share"
"""Names of the checks of how chains mix."""

PROPOSALS, INTEGRATION = "Pareto k of proposals", "integration error, sd"
APPROXIMATIONS = (PROPOSALS, INTEGRATION)
"""Names of the checks of what the population engine approximates, which more draws do not mend."""

INTEGRATION_ERROR = 0.05
"""By how many posterior standard deviations a finer rule may move a population's mean."""

GOOD_K = 0.7
"""Pareto k up to which weights are reliable: Vehtari et al. (2024), Journal of Machine Learning
Research 25(72)."""


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
    return Gate((*_mixing(posterior.drop_vars(others)), *_of_nuts(sample_stats)))


def gate_of_population(
    posterior: xr.Dataset, sample_stats: xr.Dataset, engine: Mapping[str, Any]
) -> Gate:
    """The convergence gate of a population whose subjects are integrated out.

    R-hat and effective sample sizes as for `gate_of`, over the population's parameters: given each
    of its draws, subjects are drawn independently. Where NUTS drew the population, E-BFMI and
    divergences as for `gate_of`; where proposals did, the Pareto k of their weights at most 0.7.
    Integration may move no mean of the population by more than .05 standard deviations.

    Parameters
    ----------
    posterior, sample_stats : xarray.Dataset
    engine : mapping
        What the manifest says of the engine.

    Returns
    -------
    Gate
    """
    others = [
        name
        for name, draws in posterior.data_vars.items()
        if "subject" in draws.dims or bool((draws == draws[0, 0]).all())
    ]
    pareto_k = engine["pareto_k"]
    of_sampler = (
        _of_nuts(sample_stats) if pareto_k is None else (Check(PROPOSALS, pareto_k, GOOD_K, True),)
    )
    error = Check(INTEGRATION, engine["integration"]["error"], INTEGRATION_ERROR, True)
    return Gate((*_mixing(posterior.drop_vars(others)), *of_sampler, error))


def _mixing(posterior: xr.Dataset) -> tuple[Check, ...]:
    rhat = az.rhat(posterior)
    bulk, tail = az.ess(posterior, method="bulk"), az.ess(posterior, method="tail")
    return (
        Check(RHAT, *_worst(rhat, highest=True, at=1.01)),
        Check(BULK, *_worst(bulk, highest=False, at=400.0)),
        Check(TAIL, *_worst(tail, highest=False, at=400.0)),
    )


def _of_nuts(sample_stats: xr.Dataset) -> tuple[Check, ...]:
    divergent = float(sample_stats["diverging"].mean())
    energy = sample_stats["energy"].to_numpy()
    bfmi = (np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1)
    return (
        Check("E-BFMI", float(bfmi.min()), 0.3, False, f"chain {int(bfmi.argmin())}"),
        Check(DIVERGENCES, divergent, 0.001, True),
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
