"""How replications of an experiment are summarised."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["summary"]


def summary(observed: Any, copied: np.ndarray, ci_prob: float) -> dict[str, Any]:
    """Set what was observed beside mean and interval of its replications.

    Parameters
    ----------
    observed : array, shape (...)
    copied : array, shape (replications, ...)
    ci_prob : float
        Probability of the equal-tailed interval.

    Returns
    -------
    dict
        ``observed`` as given; ``mean``, ``lower`` and ``upper``, arrays of shape (...).

    Examples
    --------
    >>> row = summary(1.0, np.array([0.0, 1.0, 2.0]), 0.5)
    >>> [float(row[name]) for name in ("mean", "lower", "upper")]
    [1.0, 0.5, 1.5]
    """
    tail = (1 - ci_prob) / 2
    lower, upper = np.quantile(copied, [tail, 1 - tail], axis=0)
    return {"observed": observed, "mean": copied.mean(axis=0), "lower": lower, "upper": upper}
