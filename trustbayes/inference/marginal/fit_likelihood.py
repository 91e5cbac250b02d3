"""The log likelihood of a fit's subjects as if each were new."""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from trustbayes.inference.fit import Fit
from trustbayes.inference.marginal.new_subjects import NewSubject, new_subject_log_likelihood

__all__ = ["evenly", "new_subjects"]

_KNOWN: WeakKeyDictionary[Fit, dict[int, NewSubject]] = WeakKeyDictionary()
"""By number of draws, for fits that are still in use: a fit does not change."""


def new_subjects(fit: Fit, part: Fit) -> NewSubject:
    """The log likelihood of every subject as if new, given the draws of a part of a fit.

    It is worked out once for a fit that is in use and a number of draws.

    Parameters
    ----------
    fit : Fit
    part : Fit
        From `evenly`.

    Returns
    -------
    NewSubject
    """
    known, sizes = _KNOWN.setdefault(fit, {}), part.posterior.sizes
    size = sizes["chain"] * sizes["draw"]
    if size not in known:
        known[size] = new_subject_log_likelihood(part.draws())
    return known[size]


def evenly(fit: Fit, draws: int) -> Fit:
    """The fit with no more draws than that, evenly spaced in each chain; all of them by 0.

    Parameters
    ----------
    fit : Fit
    draws : int

    Returns
    -------
    Fit
    """
    chains, size = fit.posterior.sizes["chain"], fit.posterior.sizes["draw"]
    each = max(1, draws // chains)
    if draws == 0 or each >= size:
        return fit
    keep = np.linspace(0, size - 1, each).round().astype(int)
    return replace(fit, posterior=fit.posterior.isel(draw=keep))
