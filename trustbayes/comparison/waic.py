"""The widely applicable information criterion, which ArviZ 1.x no longer has."""

from __future__ import annotations

import numpy as np

from trustbayes.numerics.arrays import log_sum_exp

__all__ = ["waic"]


def waic(log_likelihood: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Expected log predictive density of each observation by WAIC.

    .. math:: \log \frac{1}{S} \sum_s p(y_i \mid \vartheta_s) -
              \operatorname{Var}_s \log p(y_i \mid \vartheta_s)

    Parameters
    ----------
    log_likelihood : array, shape (draws, observations)

    Returns
    -------
    elpd : array, shape (observations,)
        On the log scale; higher is better.
    p : array, shape (observations,)
        Effective number of parameters; above 0.4 the approximation is doubtful.

    References
    ----------
    Watanabe (2010), Journal of Machine Learning Research 11; Gelman, Hwang and Vehtari (2014),
    Statistics and Computing 24, with the variance form of the effective number of parameters
    (population variance, as in ArviZ 0.x).

    Examples
    --------
    >>> elpd, p = waic(np.log([[0.5, 0.2], [0.5, 0.4]]))
    >>> np.exp(elpd[0]).round(3), p[0].round(3)
    (np.float64(0.5), np.float64(0.0))
    """
    lppd = log_sum_exp(log_likelihood, axis=0) - np.log(log_likelihood.shape[0])
    p = log_likelihood.var(axis=0)
    return lppd - p, p
