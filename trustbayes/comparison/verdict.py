"""The verdict and its rules."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trustbayes.comparison.agreement import Agreement, agreement
from trustbayes.comparison.compare import UNITS, Comparison
from trustbayes.comparison.heldout import HeldOut
from trustbayes.comparison.names import by_name, title_of
from trustbayes.comparison.rows import SMALL
from trustbayes.games import Role
from trustbayes.inference.fit import Fit

__all__ = ["Reason", "Verdict", "verdict", "verdict_rules"]

Reason = Literal["named", "gate", "alone", "close", "refits"]
"""Why a verdict is as it is: a model is named; some fit did not pass the gate; only one was fitted;
the lead is too small; or the k-fold does not agree."""

_SURE = 2.0
_MOST = 10  # times as many people, beyond which no number is given


@dataclass(frozen=True)
class Verdict:
    """What a comparison allows to say.

    Parameters
    ----------
    role : "sender" or "receiver"
    winner : str or None
        Name of the model that predicts best, if that can be said.
    text : str
        A few sentences: what predicts best, by how much, what was predicted, and whether a
        k-fold agrees.
    reason : str
        See `Reason`.
    best, rival : str
        Names of the two that predict best, and nothing where there are none to rank.
    lead, error : float
        By how much the one leads the other, and its standard error, in nats; NaN without two.
    more : int, optional
        How many more people of the same design would bring this lead above the thresholds; None
        where it is above, or where more than ten times as many would be needed.
    """

    role: Role
    winner: str | None
    text: str
    reason: Reason = "named"
    best: str = ""
    rival: str = ""
    lead: float = math.nan
    error: float = math.nan
    more: int | None = None


def verdict_rules() -> str:
    """The rules by which `verdict` names a model, in words.

    Returns
    -------
    str

    Examples
    --------
    >>> print(verdict_rules().split(":")[0])
    A theory is named only if all of this holds
    """
    return (
        "A theory is named only if all of this holds: every model compared passed the "
        "convergence gate; in leave-one-subject-out, which predicts all trials of a new subject "
        "from all others (or all of a new matching group, where groups were left out), its lead "
        f"over the second exceeds {_SURE:g} standard errors and {SMALL:g} nats, below which a "
        "difference is small whatever its standard error (Sivula et al. 2025); and if a k-fold, "
        "with real refits, was made, it has the same one of the two ahead, and their refits "
        "passed the gate. Else the two are called not distinguishable, with how many more "
        "subjects of the same design would bring the lead that was observed above the "
        "thresholds. Where new subjects were not predicted, the lead in PSIS-LOO, summed by "
        "subject, is judged by the same rules, and the verdict is about new trials of known "
        "subjects only."
    )


def verdict(
    comparison: Comparison,
    fits: Sequence[Fit] | Mapping[str, Fit],
    kfold: HeldOut | None = None,
) -> Verdict:
    r"""Name the model that predicts best, if the comparison allows it.

    A model is named only if

    - every model compared passed the convergence gate;
    - its lead over the second exceeds two standard errors and four nats (below which a
      difference is small whatever its standard error), in leave-one-subject-out, or
      leave-one-group-out where only groups were left out, or, where neither was, in PSIS-LOO
      summed by subject, which is about new trials of known subjects;
    - a k-fold, if one is given, agrees in sign, its refits of the two having passed the gate.

    Else the two are not distinguishable. With a lead of d nats and a standard deviation of s by
    subject, :math:`\max((2s/d)^2, 4/d)` subjects of the same design would pass the thresholds;
    the text says how many more that is than there are, but no number beyond ten times as many.

    Parameters
    ----------
    comparison : Comparison
    fits : sequence of Fit, or mapping of str to Fit
        The fits compared, as `compare` took them.
    kfold : HeldOut, optional
        Of the same people, see `trustbayes.comparison.kfold`.

    Returns
    -------
    Verdict

    Raises
    ------
    InputError
        If the fits or the k-fold are not of what was compared: another role, trials,
        exclusions, game, unit or models; with what differs.

    References
    ----------
    Sivula, Magnusson, Matamoros and Vehtari (2025), arXiv 2008.10296.

    Examples
    --------
    >>> import trustbayes as tb
    >>> found = tb.compare(fits, "subject")  # doctest: +SKIP
    >>> print(verdict(found, fits, tb.kfold(models, trials, seed=1)).text)  # doctest: +SKIP
    """
    comparison.check(fits)
    role, rows = comparison.role, comparison.rows()
    named = by_name(fits)
    titles = {name: title_of(name, fit) for name, fit in named.items()}
    checked = agreement(comparison, kfold) if kfold and len(rows) > 1 else None
    failed = [titles[name] for name, fit in named.items() if not fit.gate.passed]
    if failed:
        names = ", ".join(failed)
        text = f"No verdict on {role}s: {names} did not pass the convergence gate."
        return Verdict(role, None, text, "gate")
    if len(rows) == 1:
        only = f"Only {titles[str(rows.index[0])]} was fitted to {role}s."
        return Verdict(role, None, only, "alone", best=str(rows.index[0]))
    best, rival = (titles[str(name)] for name in rows.index[:2])
    lead, error = -float(rows["elpd_diff"].iloc[1]), float(rows["dse"].iloc[1])
    figures = f"{lead:.1f} nats of expected log predictive density (standard error {error:.1f})"
    ahead = lead > _SURE * error and lead > SMALL
    winner = None
    if ahead and (checked is None or (checked.agrees and not checked.failed)):
        winner = str(rows.index[0])
        start = f"{best} predicts {role}s best: ahead of {rival} by {figures}."
    else:
        pair = f"{best} and {rival}"
        start = f"For {role}s, {pair} are not distinguishable: they differ by {figures}."
    parts = [start, f"Predicted: {UNITS[comparison.unit]}; {_beside(checked, rival)}."]
    bound = [
        f"that of {parameter.replace('_', ' ')} in {titles[name]} ({prior})"
        for name, fit in named.items()
        for parameter, prior in fit.model.inseparable_priors.items()
    ]
    if bound:
        why = f"no new person can be drawn from a prior such as {'; '.join(bound)}"
        parts.append(f"New {role}s were not predicted: {why}.")
    more = None
    if not ahead:
        more = _needed(lead, error, len(comparison.elpd_by_unit()))
        parts.append(_more(more, "matching groups" if comparison.unit == "group" else "subjects"))
    reason: Reason = "named" if winner else "refits" if ahead else "close"
    first, second = map(str, rows.index[:2])
    return Verdict(role, winner, " ".join(parts), reason, first, second, lead, error, more)


def _beside(checked: Agreement | None, rival: str) -> str:
    """What a k-fold says."""
    if checked is None:
        return "no k-fold was made"
    by = f"by {abs(checked.lead):.1f} nats (standard error {checked.error:.1f})"
    if checked.failed:
        return f"{checked.name} decides nothing, for not all refits passed the convergence gate"
    if checked.agrees:
        return f"{checked.name} agrees, {by}"
    return f"{checked.name} disagrees, with {rival} ahead {by}"


def _needed(lead: float, error: float, size: int) -> int | None:
    """How many more people of the same design would pass the thresholds at this effect."""
    # In terms of the lead d of each and its standard deviation s: max((2 s / d)^2, 4 / d).
    needed = size * max((_SURE * error / lead) ** 2, SMALL / lead) if lead > 0 else math.inf
    return max(1, math.ceil(needed - size)) if needed <= _MOST * size else None


def _more(more: int | None, who: str) -> str:
    """The same in a sentence."""
    if more is None:
        return f"At this effect, more than ten times as many {who} would be needed."
    what = who if more != 1 else who.removesuffix("s")
    return f"At this effect, about {more} more {what} of the same design would be needed."
