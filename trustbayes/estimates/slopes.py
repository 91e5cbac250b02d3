"""The slope of a regression line, with a standard error that allows for repeated trials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Slope", "clustered_slope"]


@dataclass(frozen=True)
class Slope:
    """A slope by ordinary least squares.

    Parameters
    ----------
    coefficient : float
        NaN where what is seen does not vary.
    standard_error : float
        Clustered; NaN with fewer than two clusters or three trials.
    trials, clusters : int
    """

    coefficient: float
    standard_error: float
    trials: int
    clusters: int


def clustered_slope(seen: np.ndarray, chosen: np.ndarray, cluster: np.ndarray) -> Slope:
    r"""Regress choices on what was seen, with a constant.

    The variance of the slope is the sandwich :math:`\sum_g (\sum_{i \in g} \tilde x_i
    e_i)^2 / (\sum_i \tilde x_i^2)^2`, where :math:`\tilde x` is what was seen less its mean,
    times the usual correction for few clusters, :math:`\frac{G}{G - 1} \frac{N - 1}{N - 2}`.

    Parameters
    ----------
    seen, chosen : array of float, shape (trials,)
    cluster : array, shape (trials,)
        Whose trial it is.

    Returns
    -------
    Slope

    References
    ----------
    Liang and Zeger (1986), Biometrika 73(1); Cameron and Miller (2015), Journal of Human
    Resources 50(2), for the correction.

    Examples
    --------
    >>> seen, chosen = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0, 5.0])
    >>> found = clustered_slope(seen, chosen, np.array(["a", "a", "b", "b"]))
    >>> round(found.coefficient, 2), found.clusters
    (1.6, 2)
    """
    names, group = np.unique(cluster, return_inverse=True)
    size, groups = seen.size, names.size
    away = seen - seen.mean()
    total = float(away @ away)
    if total == 0:
        return Slope(np.nan, np.nan, size, groups)
    slope = float(away @ chosen) / total
    if groups < 2 or size < 3:
        return Slope(slope, np.nan, size, groups)
    residual = chosen - chosen.mean() - slope * away
    scores = np.bincount(group, weights=away * residual)
    correction = groups / (groups - 1) * (size - 1) / (size - 2)
    error = float(np.sqrt(correction * (scores @ scores))) / total
    return Slope(slope, error, size, groups)
