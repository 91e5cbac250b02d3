"""From the scores of models, unit by unit, to the rows of a table."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.utils import ELPDDataLOO
from scipy import stats

__all__ = ["FEW", "SMALL", "score_rows", "sums"]

FEW = 100
"""Units below which standard errors are rough."""
SMALL = 4.0
"""Nats below which a difference is small whatever its standard error."""


def score_rows(scores: Mapping[str, np.ndarray]) -> pd.DataFrame:
    r"""Sums, differences and weights of models, best first.

    Parameters
    ----------
    scores : mapping of str to array, shape (n,)
        By model, the expected log predictive density of each unit, in nats, finite.

    Returns
    -------
    DataFrame
        Indexed by model, with columns elpd; se; elpd_diff (to the best, at most 0); dse
        (standard error of the difference); other_sign (probability that the difference has the
        other sign, :math:`\Phi(-|d|/\mathrm{se}(d))`, from 0 to 0.5, which it is where there is
        none, as for the best itself); weight (stacking); weight_bma (pseudo-BMA+).

    References
    ----------
    Yao, Vehtari, Simpson and Gelman (2018), Bayesian Analysis 13(3), for the weights; Sivula,
    Magnusson, Matamoros and Vehtari (2025), arXiv 2008.10296, for the normal approximation, which
    is rough for fewer than 100 units and for differences below 4 nats.

    Examples
    --------
    >>> import numpy as np
    >>> rows = score_rows({"a": np.array([-3.0, -2.0]), "b": np.array([-1.0, -2.0])})
    >>> rows["elpd_diff"].to_dict()
    {'b': 0.0, 'a': -2.0}
    """
    table = pd.DataFrame({name: np.asarray(values, float) for name, values in scores.items()})
    rows = sums(table)
    table = table[rows.index]
    with np.errstate(divide="ignore", invalid="ignore"):
        away = -rows["elpd_diff"].to_numpy() / rows["dse"].to_numpy()
    rows["other_sign"] = stats.norm.sf(np.where(rows["elpd_diff"] == 0, 0.0, away))
    rows["weight"] = _weights(table, "stacking")
    rows["weight_bma"] = _weights(table, "BB-pseudo-BMA")
    return rows


def sums(scores: pd.DataFrame) -> pd.DataFrame:
    """Sums over units and differences to the best model.

    Parameters
    ----------
    scores : DataFrame
        A column for each model, a row for each unit, in nats.

    Returns
    -------
    DataFrame
        Indexed by model, best first, with columns elpd, se, elpd_diff (to the best, at most 0)
        and dse (standard error of the difference), in nats.
    """
    scores = scores[scores.sum().sort_values(ascending=False, kind="stable").index]
    gaps = scores.sub(scores.iloc[:, 0], axis=0)
    root = np.sqrt(len(scores))
    return pd.DataFrame(
        {
            "elpd": scores.sum(),
            "se": root * scores.std(ddof=0),
            "elpd_diff": gaps.sum(),
            "dse": root * gaps.std(ddof=0),
        }
    )


def _weights(table: pd.DataFrame, method: str) -> pd.Series:
    """ArviZ's weights, by model, of at least 0 and with sum 1."""
    if table.shape[1] == 1:
        return pd.Series(1.0, index=table.columns)
    # What a unit adds to all models moves no weight, and densities of many trials underflow.
    shifted = table.sub(table.max(axis=1), axis=0)
    containers = {str(name): _container(shifted[name].to_numpy()) for name in shifted}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", UserWarning)  # of its diagnostics, which the table has
        weights = az.compare(containers, method=method, round_to="none")["weight"]
    weights = weights.clip(lower=0.0)
    return weights / weights.sum()


def _container(values: np.ndarray) -> ELPDDataLOO:
    """What ArviZ compares."""
    return ELPDDataLOO(
        elpd=float(values.sum()),
        se=float(np.sqrt(values.size * values.var())),
        p=0.0,
        n_samples=1,
        n_data_points=values.size,
        scale="log",
        warning=False,
        good_k=0.7,
        elpd_i=xr.DataArray(values, dims="unit"),
        pareto_k=xr.DataArray(np.zeros_like(values), dims="unit"),
    )
