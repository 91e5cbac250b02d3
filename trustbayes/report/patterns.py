"""What the choices look like before any model: shares and mean shifts, from the trials."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from trustbayes.games.finite import Role
from trustbayes.trials import Trials

__all__ = ["OPTION", "SEEN", "SHIFT", "mean_shifts", "shares"]

SEEN: dict[Role, str] = {"sender": "state", "receiver": "message"}
"""What each role sees."""
OPTION: dict[Role, str] = {"sender": "message", "receiver": "action"}
"""What each role chooses."""
SHIFT: dict[Role, str] = {"sender": "message − state", "receiver": "action − message"}
"""Exaggeration of a sender, discount of a receiver, in units of the state."""


def shares(trials: Trials, role: Role) -> pd.DataFrame:
    """Share of every option after everything seen, by treatment.

    Parameters
    ----------
    trials : Trials
    role : "sender" or "receiver"

    Returns
    -------
    DataFrame
        Columns treatment, seen, option, trials (after seeing it), share; what never occurred in
        a treatment has no row.
    """
    counts = trials.table.groupby(["treatment", SEEN[role], OPTION[role]]).size()
    rows = []
    for treatment in trials.treatments:
        for seen in trials.game.seen(role):
            here = [counts.get((treatment, seen, o), 0) for o in trials.game.options(role)]
            total = sum(here)
            if total == 0:
                continue
            for option, count in zip(trials.game.options(role), here, strict=True):
                rows.append((treatment, float(seen), float(option), int(total), count / total))
    return pd.DataFrame(rows, columns=["treatment", "seen", "option", "trials", "share"])


def mean_shifts(trials: Trials, role: Role, ci_prob: float) -> pd.DataFrame:
    """Mean shift by treatment, with a normal interval that allows for repeated trials.

    Parameters
    ----------
    trials : Trials
    role : "sender" or "receiver"
    ci_prob : float

    Returns
    -------
    DataFrame
        Columns treatment, trials, subjects, mean, lower, upper; the standard error is clustered
        by subject, the interval NaN with fewer than two subjects.
    """
    z = NormalDist().inv_cdf(0.5 + ci_prob / 2)
    table = trials.table
    shift = table[OPTION[role]] - table[SEEN[role]]
    rows = []
    for treatment in trials.treatments:
        here = table["treatment"] == treatment
        mean = float(shift[here].mean())
        sums = (shift[here] - mean).groupby(table.loc[here, role]).sum().to_numpy()
        n = sums.size
        error = np.sqrt((sums**2).sum() * n / (n - 1)) / here.sum() if n > 1 else np.nan
        rows.append(
            (treatment, int(here.sum()), n, mean, mean - z * float(error), mean + z * float(error))
        )
    return pd.DataFrame(rows, columns=["treatment", "trials", "subjects", "mean", "lower", "upper"])
