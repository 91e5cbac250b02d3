"""Predictions averaged over models, weighted by stacking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from trustbayes.comparison.compare import Comparison
from trustbayes.comparison.names import by_name
from trustbayes.errors import Fault, InputError
from trustbayes.inference.fit import Fit
from trustbayes.models.replications import replicate
from trustbayes.numerics.arrays import log_sum_exp

__all__ = ["Averaged", "averaged"]


@dataclass(frozen=True, eq=False)
class Averaged:
    """What the models of a comparison predict together.

    Parameters
    ----------
    unit : str
        One of `trustbayes.comparison.compare.UNITS`, by whose scores models are weighted.
    weights : Series
        By model, best first; their sum is 1.
    elpd : Series
        Averaged log score of each unit, in nats, indexed as `Comparison.elpd_by_unit`. The
        weights were chosen by these very scores, so their sum flatters the average a little.
    replications : array
        What the same people would choose after seeing the same, each drawn from one model: the
        models' shares of the draws are their weights. Counts of shape (draws, units, seen,
        options) in a finite game, else choices of shape (draws, trials).
    """

    unit: str
    weights: pd.Series
    elpd: pd.Series
    replications: np.ndarray

    @property
    def probabilities(self) -> np.ndarray:
        """Averaged choice probabilities in a finite game, shape (units, seen, options).

        NaN where a subject has not seen what the row is about.

        Raises
        ------
        ValueError
            If choices are continuous.
        """
        if self.replications.ndim != 4:
            raise ValueError("choices are continuous: their distribution is in the replications")
        counts = self.replications.sum(axis=0)
        total = counts.sum(axis=-1, keepdims=True)
        return np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)


def averaged(
    comparison: Comparison,
    fits: Sequence[Fit] | Mapping[str, Fit],
    unit: str | None = None,
    *,
    size: int = 1000,
    seed: int,
) -> Averaged:
    r"""Average the predictions of all models compared, weighted by stacking.

    The averaged score of unit i is :math:`\log \sum_m w_m \exp(\mathrm{elpd}_{mi})`.

    Parameters
    ----------
    comparison : Comparison
    fits : sequence of Fit, or mapping of str to Fit
        The fits compared, as `compare` took them.
    unit : str, optional
        By whose scores to weight; default: the one to judge by.
    size : int
        Number of replications, at least 1.
    seed : int
        Of the replications.

    Returns
    -------
    Averaged

    Raises
    ------
    InputError
        If the fits are not those compared, the comparison lacks the unit, or the size is below 1.

    References
    ----------
    Yao, Vehtari, Simpson and Gelman (2018), Bayesian Analysis 13(3).

    Examples
    --------
    >>> import trustbayes as tb
    >>> found = tb.compare(fits, "subject")  # doctest: +SKIP
    >>> averaged(found, fits, seed=1).weights  # doctest: +SKIP
    """
    comparison.check(fits)
    if size < 1:
        raise InputError(Fault("size", str(size), "a whole number from 1"))
    named = by_name(fits)
    unit = unit or comparison.unit
    scores = comparison.elpd_by_unit(unit)
    weights = comparison.rows(unit)["weight"]
    with np.errstate(divide="ignore"):
        logs = scores.to_numpy() + np.log(weights.to_numpy())
    rng = np.random.default_rng(seed)
    drawn = []
    for name, share in zip(weights.index, _shares(weights.to_numpy(), size), strict=True):
        if share:
            draws = named[name].draws()
            chosen = np.sort(rng.choice(draws.size, share, replace=share > draws.size))
            drawn.append(replicate(replace(draws, data=draws.data.isel(sample=chosen)), rng))
    return Averaged(
        unit=unit,
        weights=weights,
        elpd=pd.Series(log_sum_exp(logs), index=scores.index, name="elpd"),
        replications=np.concatenate(drawn),
    )


def _shares(weights: np.ndarray, size: int) -> np.ndarray:
    """Parts of a number by weights, of which the largest remainders are rounded up."""
    exact = weights * size
    parts = np.floor(exact).astype(int)
    parts[np.argsort(parts - exact, kind="stable")[: size - parts.sum()]] += 1
    return parts
