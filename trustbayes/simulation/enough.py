"""Whether a fit to simulated trials will do, and how to sample again if it does not."""

from __future__ import annotations

from dataclasses import replace

from trustbayes.inference.gate import (
    BULK,
    DIVERGENCES,
    GOOD_K,
    INTEGRATION,
    INTEGRATION_ERROR,
    PROPOSALS,
    RHAT,
    Gate,
)
from trustbayes.inference.sampling import Sampling
from trustbayes.models import Model

__all__ = ["Unusable", "attempts", "short_of", "usable"]

_LOOSE = {
    RHAT: 1.05,
    BULK: 50.0,
    DIVERGENCES: 0.01,
    PROPOSALS: GOOD_K,
    INTEGRATION: INTEGRATION_ERROR,
}
"""The last two as strict as ever: what they say of bias, no number of simulations averages out."""


class Unusable(Exception):
    """What was to be kept of a simulated experiment cannot be relied on; with the reason."""


def attempts(model: Model, sampling: Sampling, seed: int) -> list[tuple[Model, Sampling]]:
    """How to sample, and how if that does not do: longer, with smaller steps, and then non-centred.

    Parameters
    ----------
    model : Model
    sampling : Sampling
        Its seed is not used.
    seed : int

    Returns
    -------
    list of (Model, Sampling)
        To be tried in turn.
    """
    seeded = replace(sampling, seed=seed)
    longer = replace(seeded, draws=3 * seeded.draws, tune=2 * seeded.tune, target_accept=0.95)
    forms = {
        p.name: "non-centred"
        for p in model.parameters
        if "subject" in model.varies[p.name]
        and p.support != "simplex"
        and p.name not in model.code_priors
    }
    other = model.replace(parametrisation=forms)
    return [(model, seeded), (model, longer), (other, longer)]


def usable(gate: Gate) -> bool:
    """Whether a fit's draws will do where only their ranks or quantiles matter.

    R-hat at most 1.05, bulk effective sample size at least 50, divergences at most 1 %, for all
    population and subject parameters: looser than for a single fit, for chance averages out. Of
    fits by the population engine, Pareto k of proposals and the error of integration as there.
    """
    return not short_of(gate, strict=False)


def short_of(gate: Gate, strict: bool) -> str:
    """The checks that failed, in words; empty if none did.

    Parameters
    ----------
    gate : Gate
    strict : bool
        Whether the whole convergence gate is asked for, or what `usable` asks.

    Returns
    -------
    str
    """
    checks = gate.checks
    if not strict:
        kept = [check for check in checks if check.name in _LOOSE]
        checks = tuple(replace(check, threshold=_LOOSE[check.name]) for check in kept)
    bad = [f"{c.name} {c.value:.3g} {c.worst}".strip() for c in checks if not c.passed]
    return ", ".join(bad)
