"""Longer chains where they have not quite mixed, and smaller steps where some diverged."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from trustbayes.inference.engines.compiled import Sampled
from trustbayes.inference.gate import BULK, DIVERGENCES, RHAT, TAIL, Gate, gate_of
from trustbayes.inference.sampling import Sampling

__all__ = ["longer", "mixed"]

_log = logging.getLogger(__name__)

_ENOUGH = 2000
"""Draws of all chains from which somebody expects the gate to be passed; fewer are a first look."""

_MOST = 5
"""Times as long at most: chains that are further apart than this mends sit in different places,
or do not move."""

_DIVERGENT = 0.02  # of the draws at most: more come from what is sampled, not from steps
_SMALLER = 0.95  # share of proposals to be accepted, for smaller steps

_MARGIN = 1.5  # above what the worst check asks for, by what it says of chains of this length


def mixed[T](
    run: Callable[[Sampling], tuple[T, Sampled]], sampling: Sampling, label: str
) -> tuple[T, Sampled, dict[str, Any]]:
    """Sample, and once more by longer chains or smaller steps if these should pass the gate.

    Parameters
    ----------
    run : callable
        From how to sample to the draws, and whatever else is to be kept of a run.
    sampling : Sampling
    label : str
        Of what is fitted, for the log.

    Returns
    -------
    kept : object
        Of the run that counts.
    sampled : Sampled
        Its draws.
    record : dict
        For the manifest: empty, or under "prolonged" the draws of each chain that were asked for,
        those that were made, the share of proposals to be accepted, and the values of the checks
        that failed at first.
    """
    kept, sampled = run(sampling)
    gate = gate_of(sampled.posterior, sampled.sample_stats)
    again = longer(sampling, gate)
    if again is None:
        return kept, sampled, {}
    failed = {check.name: check.value for check in gate.failed}
    _log.info("sampling %s again, %d draws a chain: %s", label, again.draws, failed)
    kept, sampled = run(again)
    record = {
        "asked": sampling.draws,
        "draws": again.draws,
        "target_accept": again.target_accept,
        "failed": failed,
    }
    return kept, sampled, {"prolonged": record}


def longer(sampling: Sampling, gate: Gate) -> Sampling | None:
    """How to sample again where longer chains, or smaller steps, should pass the gate.

    The excess of R-hat over one falls, and effective sample sizes grow, about in proportion to the
    length of chains once these move everywhere (Vehtari et al. 2021, Bayesian Analysis 16(2)).

    Parameters
    ----------
    sampling : Sampling
        Of the chains that there are.
    gate : Gate
        Theirs.

    Returns
    -------
    Sampling or None
        With as many times the draws, up to five, as the worst check asks for, twice the warm-up,
        and where some diverged smaller steps: a chain may have settled on too large ones. None if
        the gate is passed, if what failed is another check, if even five times as long would not
        do, if more than one draw in fifty diverged, or where fewer than 2,000 draws were asked
        for.

    Examples
    --------
    >>> from trustbayes.inference.gate import Check
    >>> gate = Gate((Check(RHAT, 1.012, 1.01, at_most=True),))
    >>> longer(Sampling(draws=1000, tune=500, chains=4), gate).draws
    2000
    """
    failed = {check.name: check for check in gate.failed}
    if not failed or not failed.keys() <= {RHAT, BULK, TAIL, DIVERGENCES}:
        return None
    divergent = failed.pop(DIVERGENCES, None)
    if divergent and not divergent.value <= _DIVERGENT:
        return None
    if sampling.draws * sampling.chains < _ENOUGH:
        return None
    needed = [
        (check.value - 1) / (check.threshold - 1)
        if check.name == RHAT
        else check.threshold / max(check.value, 1.0)
        for check in failed.values()
    ]
    most = _MARGIN * max(needed, default=0.0)
    if not most <= _MOST:
        return None
    again = replace(
        sampling, draws=max(1, math.ceil(most)) * sampling.draws, tune=2 * sampling.tune
    )
    if divergent:
        again = replace(again, target_accept=max(_SMALLER, sampling.target_accept))
    return again
