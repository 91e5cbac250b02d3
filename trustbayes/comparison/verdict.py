"""The verdict and its rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trustbayes.comparison.table import Comparison
from trustbayes.fitting import Fit
from trustbayes.games.finite import Role

__all__ = ["Verdict", "verdict"]

_SURE = 2.0
_ENOUGH = 4.0


@dataclass(frozen=True)
class Verdict:
    """What a comparison allows to say.

    Parameters
    ----------
    role : "sender" or "receiver"
    winner : str or None
        Name of the model that predicts best, if that can be said.
    text : str
        One or two sentences.
    """

    role: Role
    winner: str | None
    text: str


def verdict(comparison: Comparison, fits: Sequence[Fit]) -> Verdict:
    """Name the model that predicts best, if the comparison allows it.

    A model is named only if every model compared passed the convergence gate, and the best
    model's lead over the second in LOO, summed by subject, exceeds two standard errors and four
    nats (below which a difference is small whatever its standard error, and the error itself is
    rough: Sivula et al. 2025, arXiv 2008.10296).

    Parameters
    ----------
    comparison : Comparison
    fits : sequence of Fit
        The fits compared.

    Returns
    -------
    Verdict
    """
    role = comparison.role
    failed = [fit.model.spec.title for fit in fits if not fit.gate.passed]
    if failed:
        names = ", ".join(failed)
        return Verdict(
            role, None, f"No verdict on {role}s: {names} did not pass the convergence gate."
        )
    titles = {fit.model.name: fit.model.spec.title for fit in fits}
    rows = comparison.rows()
    best = str(rows.index[0])
    if len(rows) == 1:
        return Verdict(role, None, f"Only {titles[best]} was fitted to {role}s.")
    second = rows.iloc[1]
    rival = titles[str(second.name)]
    lead, error = -float(second["elpd_diff"]), float(second["dse"])
    figures = f"{lead:.1f} nats of expected log predictive density (standard error {error:.1f})"
    if lead > _SURE * error and lead > _ENOUGH:
        ahead = f"ahead of {rival} by {figures}"
        return Verdict(role, best, f"{titles[best]} predicts {role}s best: {ahead}.")
    pair = f"{titles[best]} and {rival}"
    text = f"For {role}s, {pair} are not distinguishable: they differ by {figures}."
    return Verdict(role, None, text)
