"""Pareto-smoothed importance sampling of one fit's log likelihoods, by ArviZ."""

from __future__ import annotations

import warnings

import arviz as az
import numpy as np
import xarray as xr

from trustbayes.fitting import Fit

__all__ = ["psis"]


def psis(fit: Fit, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Leave out one column at a time.

    The relative efficiency of the draws is that of the population's parameters.

    Parameters
    ----------
    fit : Fit
    logs : array, shape (draws, n)
        Log likelihood of what is left out, for the draws of all chains one after the other.

    Returns
    -------
    elpd : array, shape (n,)
        Expected log predictive density.
    pareto_k : array, shape (n,)
        Infinite where no tail could be fitted.
    good_k : float
        Pareto k above which the estimate is unreliable at this number of draws.

    References
    ----------
    Vehtari et al. (2024), Journal of Machine Learning Research 25(72).
    """
    chains, draws = fit.posterior.sizes["chain"], fit.posterior.sizes["draw"]
    # A density that no parameter bears on needs no importance sampling, and has no tail to fit.
    varies = np.ptp(logs, axis=0) > 1e-10
    elpd, pareto_k = logs.mean(axis=0), np.zeros(logs.shape[1])
    good_k = min(1 - 1 / np.log10(chains * draws), 0.7)
    if varies.any():
        array = logs[:, varies].reshape(chains, draws, -1)
        tree = xr.DataTree.from_dict(
            {
                "posterior": fit.posterior[_population(fit)],
                "log_likelihood": xr.Dataset({"left_out": (("chain", "draw", "unit"), array)}),
            }
        )
        with warnings.catch_warnings():
            # Large Pareto k and equal densities are kept and reported by the caller.
            warnings.simplefilter("ignore", UserWarning)
            loo = az.loo(tree, pointwise=True)
        elpd[varies] = loo.elpd_i.to_numpy()
        # Where no tail could be fitted the estimate is as unreliable as can be.
        pareto_k[varies] = np.nan_to_num(loo.pareto_k.to_numpy(), nan=np.inf)
    return elpd, pareto_k, good_k


def _population(fit: Fit) -> list[str]:
    """The population's parameters: they set the relative efficiency of the draws."""
    return [str(n) for n, array in fit.posterior.data_vars.items() if "subject" not in array.dims]
