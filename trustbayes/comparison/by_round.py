"""The prediction of new people, round by round, given what they did before."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustbayes.comparison.psis import psis
from trustbayes.errors import Fault, InputError
from trustbayes.inference.fit import Fit
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.models.draws import Draws
from trustbayes.trials.table import Trials

__all__ = ["scores_by_round"]


def scores_by_round(fit: Fit, trials: Trials, every: int = 10, draws: int = 400) -> pd.DataFrame:
    r"""Split the score of leaving each subject out by rounds.

    .. math:: \log p(y_i \mid y_{-i}) = \sum_t \log p(y_{it} \mid y_{i,<t}, y_{-i})

    so that leaving a subject out is already a one-step-ahead forecast of a new person, who is known
    the better the more she has done. Each block of rounds is the difference between two integrals
    over her parameters, up to its end and up to the block before.

    Parameters
    ----------
    fit : Fit
    trials : Trials
        Those that it was fitted to.
    every : int
        Rounds of a block.
    draws : int
        No more draws of the population than that.

    Returns
    -------
    DataFrame
        A row for each subject and block in which she has trials: subject, first, last (round of
        the block), trials, elpd (nats). A subject's rows add up to her score by
        `trustbayes.leave_one_subject_out` with as many draws.

    Raises
    ------
    InputError
        If the trials are others than those of the fit, or a number is below 1.

    Examples
    --------
    >>> scores_by_round(fit, trials).groupby("last")["elpd"].sum()  # doctest: +SKIP
    """
    faults = [
        Fault(f"scores by round, {name}", str(value), "a whole number from 1")
        for name, value in (("every", every), ("draws", draws))
        if value < 1
    ]
    role = fit.model.role
    units = fit.model.fold(trials)
    if units.subjects != fit.units.subjects or units.n_trials != fit.units.n_trials:
        faults.append(Fault("scores by round, trials", trials.source, "those of the fit"))
    if faults:
        raise InputError(faults)
    trials, thinned = trials.of_role(role), fit.thinned(draws)
    rounds = trials.table["round"].to_numpy()
    whole = _logs(thinned, trials)
    before = pd.Series(0.0, index=list(units.subjects))
    tables = []
    for first in range(int(rounds.min()), int(rounds.max()) + 1, every):
        last = min(first + every - 1, int(rounds.max()))
        part = trials.subset(rounds <= last, f"rounds up to {last}")
        there = part.subjects(role)
        column = pd.Index(units.subjects).get_indexer(pd.Index(there))
        elpd = psis(thinned, whole[:, column], _logs(thinned, part))[0]
        now = trials.table[(rounds >= first) & (rounds <= last)].groupby(role).size()
        gain = pd.Series(elpd, index=list(there)) - before[list(there)]
        before[list(there)] = elpd
        rows = pd.DataFrame({"subject": list(there), "first": first, "last": last})
        rows["trials"] = now.reindex(there).fillna(0).astype(int).to_numpy()
        rows["elpd"] = gain.to_numpy()
        tables.append(rows[rows["trials"] > 0])
    return pd.concat(tables, ignore_index=True)


def _logs(fit: Fit, trials: Trials) -> np.ndarray:
    """Log likelihood of everybody's trials as if new, shape (draws, subjects)."""
    units, posterior = fit.model.fold(trials), fit.posterior
    posterior = posterior.drop_dims("subject") if "subject" in posterior.dims else posterior
    draws = Draws.of(fit.model, fit.game, units, posterior)
    return new_subject_log_likelihood(draws).log_likelihood
