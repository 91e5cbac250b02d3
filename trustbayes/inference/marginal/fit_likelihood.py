"""The log likelihood of a fit's subjects as if each were new."""

from __future__ import annotations

import numpy as np

from trustbayes.inference.fit import Fit
from trustbayes.inference.marginal.new_subjects import NewSubject, new_subject_log_likelihood

__all__ = ["new_subjects"]


def new_subjects(fit: Fit, draws: int = 0) -> NewSubject:
    """The log likelihood of every subject of a fit as if new.

    A fit by the population engine holds it; else it is worked out once for a fit and a number of
    draws, see `Fit.once`.

    Parameters
    ----------
    fit : Fit
    draws : int
        Given that many draws of the population, see `Fit.thinned`; all of them by 0.

    Returns
    -------
    NewSubject
        For the draws of ``fit.thinned(draws)``.
    """
    return fit.once(_new_subjects, 0 if fit.thinned(draws) is fit else draws)


def _new_subjects(fit: Fit, draws: int) -> NewSubject:
    thinned = fit.thinned(draws)
    if thinned.log_likelihood is None:
        return new_subject_log_likelihood(thinned.draws())
    logs = thinned.log_likelihood["trials"].stack(sample=("chain", "draw"))
    log_likelihood = (
        logs.transpose("sample", "subject").sel(subject=list(fit.units.subjects)).to_numpy()
    )
    nats = fit.manifest["engine"]["integration"]["nats"]
    return NewSubject(
        log_likelihood.astype(float),
        np.full(log_likelihood.shape, nats),
        np.empty((0, *log_likelihood.shape)),
    )
