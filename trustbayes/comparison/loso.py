"""Leave one subject, or one matching group, out: the prediction of people not seen before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from trustbayes.comparison.basis import Basis
from trustbayes.comparison.new_groups import by_unit, members_of, new_groups
from trustbayes.comparison.psis import psis
from trustbayes.errors import Fault, InputError, listing, suggestion
from trustbayes.inference.fit import Fit
from trustbayes.inference.marginal.fit_likelihood import new_subjects
from trustbayes.numerics.arrays import log_total

__all__ = ["SubjectScores", "leave_one_subject_out", "log_score"]


@dataclass(frozen=True, eq=False)
class SubjectScores:
    """How well a fit predicts all trials of a subject, or of a matching group, left out.

    Parameters
    ----------
    basis : Basis
        The trials that were predicted.
    unit : "subject" or "group"
        What is left out and predicted.
    labels : tuple of str
        The units' names: subjects as in the trials, groups in order of appearance.
    elpd : array, shape (n,)
        Expected log predictive density of each unit, in nats; higher is better.
    lppd : array, shape (n,)
        Log density of each unit by the draws of the fit that holds it.
    pareto_k : array, shape (n,)
        Reliability of each importance sampling estimate; 0 where none was needed, a unit having
        been predicted without it.
    good_k : float
        Pareto k above which the estimate is unreliable at this number of draws.
    error : array, shape (n,)
        What errors of integration can make of the score at most, in nats.
    draws : int
    refitted : tuple of str
        Units whose score comes from a fit, or from draws, without them.
    """

    basis: Basis
    unit: str
    labels: tuple[str, ...]
    elpd: np.ndarray
    lppd: np.ndarray
    pareto_k: np.ndarray
    good_k: float
    error: np.ndarray
    draws: int
    refitted: tuple[str, ...] = ()

    @property
    def p(self) -> np.ndarray:
        """Each unit's part of the effective number of parameters, shape (n,)."""
        return self.lppd - self.elpd

    @property
    def unreliable(self) -> tuple[str, ...]:
        """The units whose Pareto k is too large."""
        bad = ~(self.pareto_k <= self.good_k)  # one that is not known is not small
        return tuple(label for label, high in zip(self.labels, bad, strict=True) if high)

    def with_refits(self, scores: Mapping[str, float]) -> SubjectScores:
        """Put scores by fits, or by draws, without a unit in the place of estimates.

        Parameters
        ----------
        scores : mapping of str to float
            By unit, the log density of its trials given a fit without them (see `log_score`).

        Returns
        -------
        SubjectScores

        Raises
        ------
        ValueError
            If there is no such unit (with a suggestion), or a score is not a number.
        """
        elpd, pareto_k, error = self.elpd.copy(), self.pareto_k.copy(), self.error.copy()
        for label, score in scores.items():
            if label not in self.labels:
                expected = suggestion(label, list(self.labels))
                raise ValueError(f"{self.unit}: found {label!r}, expected {expected}")
            if math.isnan(score):
                raise ValueError(f"score of {self.unit} {label!r}: found {score}")
            at = self.labels.index(label)
            elpd[at], pareto_k[at], error[at] = score, 0.0, 0.0
        refitted = tuple(n for n in self.labels if n in scores or n in self.refitted)
        return replace(self, elpd=elpd, pareto_k=pareto_k, error=error, refitted=refitted)


def leave_one_subject_out(fit: Fit, unit: str = "subject", draws: int = 0) -> SubjectScores:
    r"""Predict each subject's, or each matching group's, trials from all others'.

    The subjects' own parameters are integrated out given every draw of the population
    (`trustbayes.inference.marginal.new_subjects`), and Pareto-smoothed importance sampling over the
    draws leaves the unit out:

    .. math:: \mathrm{elpd} = \sum_i \log p(y_i \mid y_{-i}), \qquad
              p(y_i \mid \vartheta) = \int p(y_i \mid \theta)\, p(\theta \mid \vartheta)\, d\theta

    Where the weights cannot be relied on, and a fit by the population engine has drawn anew without
    the unit (`trustbayes.inference.engines.population.left_out`), that prediction takes its place.

    The log likelihood of a group is the sum of its members', given a draw; where a formula has
    effects of matching groups, that of a group left out is integrated out, too. It is worked out
    once for each fit.

    Parameters
    ----------
    fit : Fit
    unit : "subject" or "group"
    draws : int
        Above 0: use no more draws than that, of each chain equally many and evenly spaced, where
        an integral for every draw takes long. Little is lost: neighbouring draws of a chain
        resemble each other.

    Returns
    -------
    SubjectScores

    Raises
    ------
    InputError
        If groups are asked for and the trials have none, or several formulas have their effects,
        or the fit is of a PyMC model to which a user has added what bears on the posterior.
    ValueError
        If the unit is neither, or the number of draws is below 0.

    References
    ----------
    Merkle, Furr and Rabe-Hesketh (2019), Psychometrika 84(3); Vehtari, Gelman and Gabry (2017),
    Statistics and Computing 27.
    """
    if unit not in ("subject", "group"):
        raise ValueError(f"unit: found {unit!r}, expected subject or group")
    if draws < 0:
        raise ValueError(f"draws: found {draws}, expected a whole number from 0")
    if fit.altered:
        names = [
            n for kind, variables in fit.added.items() if kind != "deterministic" for n in variables
        ]
        expected = "a model to which nothing was added that bears on the posterior"
        raise InputError(Fault("prediction of new subjects", listing(names), expected))
    labels, members = members_of(fit, unit)
    if unit == "group" and any(formula.grouped for formula in fit.model.formulas.values()):
        logs, errors = new_groups(fit, draws)
    else:
        logs, errors = by_unit(new_subjects(fit, draws), members)
    elpd, pareto_k, good_k = psis(fit.thinned(draws), logs)
    # What the draws are weighted by without the unit, but for the smoothing.
    weights = np.exp(logs.min(axis=0) - logs)
    scores = SubjectScores(
        basis=Basis.of_fit(fit),
        unit=unit,
        labels=labels,
        elpd=elpd,
        lppd=log_score(logs),
        pareto_k=pareto_k,
        good_k=good_k,
        error=(weights * errors).sum(axis=0) / weights.sum(axis=0),
        draws=len(logs),
    )
    without = fit.manifest.get("engine", {}).get("left_out", {}).get(unit, {})
    refits = {n: without[n]["elpd"] for n in scores.unreliable if n in without}
    return scores.with_refits(refits) if refits else scores


def log_score(log_likelihood: np.ndarray) -> np.ndarray:
    """Log density of each unit given draws: the log of the mean likelihood.

    Parameters
    ----------
    log_likelihood : array, shape (draws, n)
        Such as `trustbayes.inference.marginal.new_subjects.NewSubject.log_likelihood` of people
        held out.

    Returns
    -------
    array, shape (n,)
        In nats.

    Examples
    --------
    >>> import numpy as np
    >>> log_score(np.log([[0.2, 0.5], [0.4, 0.5]])).round(4)
    array([-1.204 , -0.6931])
    """
    return log_total(log_likelihood, axis=0) - np.log(len(log_likelihood))
