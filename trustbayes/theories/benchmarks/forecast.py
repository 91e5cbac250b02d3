"""The two "all or nothing" views of cheap talk: babbling, and full trust.

The optimum of each receiver. A sender whom everyone trusts and who deserves it reports her
forecast itself; a babbling sender's reports say nothing, whatever they are.

Source: Crawford and Sobel (1982), Econometrica 50(6), for the babbling equilibrium; Özer, Zheng
and Chen (2011), Management Science 57(6), for the game; the project's theory, section 5.
"""

from __future__ import annotations

import numpy as np

from trustbayes.games.forecast import Terms
from trustbayes.games.forecast_demand import uniform_sum_quantile
from trustbayes.numerics.arrays import Array

__all__ = ["babbling_capacity", "credulous_capacity"]


def babbling_capacity(terms: Terms) -> np.ndarray:
    """Capacity of a receiver who ignores the report: the f-quantile of demand a priori.

    Parameters
    ----------
    terms : Terms

    Returns
    -------
    array, shape (trials,)
        Units of demand.

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> babbling_capacity(ForecastGame().terms(["CLUL", "CLUH", "CHUL", "CHUH"])).round(2)
    array([340.  , 340.84, 160.  , 159.16])
    """
    a = terms.forecast_range
    return terms.mean_demand - a + uniform_sum_quantile(2 * a, terms)


def credulous_capacity(report: Array, terms: Terms) -> Array:
    """Capacity of a receiver who takes the report for the forecast: μ + x + g.

    Parameters
    ----------
    report : array, shape (..., trials)
        x, units of demand.
    terms : Terms

    Returns
    -------
    array, shape (..., trials)
        Units of demand.

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> credulous_capacity(np.array([-150.0, 0.0, 150.0]), ForecastGame().terms(["CLUL"]))
    array([115., 265., 415.])
    """
    return terms.mean_demand + report + terms.safety
