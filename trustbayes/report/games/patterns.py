"""What the choices look like before any model: mean shifts, from the trials."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from trustbayes.games import Role
from trustbayes.report.games.kind import Kind
from trustbayes.trials.table import Trials

__all__ = ["as_shown", "mean_shifts"]


def mean_shifts(trials: Trials, kind: Kind, role: Role, ci_prob: float) -> pd.DataFrame:
    """Mean shift by treatment, with a normal interval that allows for repeated trials.

    Parameters
    ----------
    trials : Trials
    kind : Kind
    role : "sender" or "receiver"
    ci_prob : float

    Returns
    -------
    DataFrame
        Columns treatment, trials, subjects, mean, lower, upper; the standard error is clustered
        by subject, the interval NaN with fewer than two subjects.
    """
    z = NormalDist().inv_cdf(0.5 + ci_prob / 2)
    table = trials.of_role(role).table
    shift = kind.trial_shifts(trials, role)
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


def as_shown(table: pd.DataFrame, sign: int) -> pd.DataFrame:
    """Shifts in the direction in which the report shows them.

    Parameters
    ----------
    table : DataFrame
        With columns mean, lower, upper, and observed where there is a model.
    sign : 1 or -1
        See `trustbayes.report.games.kind.Words`.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> table = pd.DataFrame({"mean": [-2.0], "lower": [-3.0], "upper": [-0.5]})
    >>> as_shown(table, -1).to_numpy().tolist()
    [[2.0, 0.5, 3.0]]
    """
    if sign > 0:
        return table
    turned = table.rename(columns={"lower": "upper", "upper": "lower"})
    numbers = [name for name in ("observed", "mean", "lower", "upper") if name in table]
    turned[numbers] = -turned[numbers]
    return turned[table.columns]
