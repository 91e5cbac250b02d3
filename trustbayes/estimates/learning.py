"""How people learn: memory, gains, and whether trust breaks faster than it grows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from trustbayes.errors import Fault, InputError
from trustbayes.inference.fit import Fit

__all__ = ["learning_effects"]

_PAIRS = (
    ("gain_bad", "gain_good"),
    ("rate_bad", "rate_good"),
    ("weight_bad", "weight_good"),
    ("climb", "fall"),
)
_ALONE = ("memory", "slip", "partner_share")


def learning_effects(fit: Fit, ci_prob: float = 0.9) -> pd.DataFrame:
    """What moves trust, or depth of thought, and how long it lasts.

    Where a parameter varies by subject, its mean over the subjects of each draw.

    Parameters
    ----------
    fit : Fit
        Of a model with ``learning``.
    ci_prob : float
        Probability of the equal-tailed intervals.

    Returns
    -------
    DataFrame
        A row for each quantity: quantity, mean, lower, upper, above (probability that it is above
        0). Besides the parameters: "half-life" (pieces of news until half is forgotten), and
        "asymmetry", the effect of bad news less that of good, and "ratio", the one over the other
        (its mean is that of a ratio: look at the interval). ``above`` of asymmetry is the
        probability that bad news moves more than good.

    Raises
    ------
    InputError
        If nobody learns in the model.

    Examples
    --------
    >>> learning_effects(fit).set_index("quantity").loc["asymmetry"]  # doctest: +SKIP
    """
    if not fit.model.learns:
        expected = "a model with learning, such as learning='shift'"
        raise InputError(Fault(f"{fit.model.name}, {fit.model.role}", "no learning", expected))
    drawn = {n: _of_population(fit.posterior[n]) for n in _names(fit)}
    quantities = {n: values for n, values in drawn.items() if n in _ALONE}
    if "memory" in drawn:
        memory = drawn["memory"].clip(1e-12, 1 - 1e-12)  # at 1 it would be minus infinity
        quantities["half-life"] = np.log(0.5) / np.log(memory)
    for bad, good in _PAIRS:
        if bad in drawn:
            quantities |= {bad: drawn[bad], good: drawn[good]}
            quantities["asymmetry"] = drawn[bad] - drawn[good]
            with np.errstate(divide="ignore", invalid="ignore"):
                quantities["ratio"] = drawn[bad] / drawn[good]
    tail = (1 - ci_prob) / 2
    rows = []
    for name, values in quantities.items():
        low, high = np.quantile(values, [tail, 1 - tail])
        rows.append(
            {
                "quantity": name,
                "mean": float(values.mean()),
                "lower": float(low),
                "upper": float(high),
                "above": float((values > 0).mean()),
            }
        )
    return pd.DataFrame(rows)


def _names(fit: Fit) -> list[str]:
    known = {*_ALONE, *(name for pair in _PAIRS for name in pair)}
    return [p.name for p in fit.model.parameters if p.name in known]


def _of_population(values: xr.DataArray) -> np.ndarray:
    others = [dim for dim in values.dims if dim not in ("chain", "draw")]
    return np.asarray((values.mean(others) if others else values).to_numpy().reshape(-1))
