"""Shares of types that make the same choices, together: trials say nothing of their split."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustbayes.inference.fit import Fit

__all__ = ["coinciding_shares"]

_COLUMNS = ("model", "role", "types", "mean", "lower", "upper")


def coinciding_shares(fit: Fit, ci_prob: float = 0.9) -> pd.DataFrame:
    """Shares of the types that no choice of these subjects tells apart, taken together.

    Parameters
    ----------
    fit : Fit
        By the population engine, which compares the types.
    ci_prob : float
        Probability of the intervals, which are equal-tailed.

    Returns
    -------
    DataFrame
        A row for each group of such types, with columns model, role, types (their labels, joined
        by "and"), mean, lower and upper (posterior share of the subjects). Empty if there are
        none, or the fit is of another engine.

    Examples
    --------
    >>> coinciding_shares(fit)["types"].tolist()  # doctest: +SKIP
    ['level 0 and level 2', 'level 1 and level 3']
    """
    groups = fit.manifest.get("engine", {}).get("coinciding", [])
    if not groups:
        return pd.DataFrame(columns=list(_COLUMNS))
    shares = np.exp(fit.draws().log_shares).mean(axis=1)
    tail = (1 - ci_prob) / 2
    rows = []
    for labels in groups:
        together = shares[:, [fit.model.types.index(label) for label in labels]].sum(axis=1)
        lower, upper = np.quantile(together, [tail, 1 - tail])
        named = (fit.model.name, fit.model.role, " and ".join(labels))
        rows.append((*named, together.mean(), lower, upper))
    return pd.DataFrame(rows, columns=list(_COLUMNS))
