"""What draws say about the trials of a matching group that is new to them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trustbayes.errors import Fault, InputError
from trustbayes.inference.fit import Fit
from trustbayes.inference.marginal.new_subjects import NewSubject, new_subject_log_likelihood
from trustbayes.numerics.arrays import log_total

__all__ = ["by_unit", "members_of", "new_groups"]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_WIDER = 1.2  # than the normal density that the nodes are placed by


def members_of(fit: Fit, unit: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Who is left out together.

    Parameters
    ----------
    fit : Fit
    unit : "subject" or "group"

    Returns
    -------
    labels : tuple of str
        Of the units, groups in order of appearance.
    members : array of bool, shape (units, subjects)

    Raises
    ------
    InputError
        If there are no groups.
    """
    subjects, groups = fit.units.subjects, fit.units.groups
    if unit == "subject":
        return subjects, np.eye(len(subjects), dtype=bool)
    if groups is None:
        source = str(fit.manifest["data"]["source"])
        raise InputError(Fault(source, "no groups", "a column of matching groups"))
    labels = tuple(dict.fromkeys(groups))
    return labels, np.array([[group == label for group in groups] for label in labels])


def by_unit(new_subject: NewSubject, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum log likelihoods and errors over the members of each unit.

    Parameters
    ----------
    found : NewSubject
    members : array of bool, shape (units, subjects)

    Returns
    -------
    logs, errors : array, shape (draws, units)
    """
    logs, errors = (
        np.stack([part[:, mask].sum(axis=1) for mask in members], axis=1)
        for part in (new_subject.log_likelihood, new_subject.error)
    )
    return logs, errors


def new_groups(fit: Fit, draws: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """As `by_unit`, of matching groups whose effect is unknown.

    It is integrated out by a Gauss-Hermite rule. Its nodes are placed, for every draw, by the
    normal population of effects times a normal density that stands for the group's trials: what
    the posterior of its effect has beyond the population. It is worked out once for a fit and a
    number of draws, see `Fit.once`.

    Parameters
    ----------
    fit : Fit
        With a formula that has effects of groups.
    draws : int
        Given that many draws of the population, see `Fit.thinned`; all of them by 0.

    Returns
    -------
    logs, errors : array, shape (draws, groups)
        Groups in order of appearance.

    Raises
    ------
    InputError
        If there are no groups, or several formulas have effects of groups.

    References
    ----------
    Naylor and Smith (1982), Applied Statistics 31(3), for rules placed by moments.
    """
    return fit.once(_new_groups, 0 if fit.thinned(draws) is fit else draws)


def _new_groups(fit: Fit, number: int) -> tuple[np.ndarray, np.ndarray]:
    labels, members = members_of(fit, "group")
    grouped = [name for name, formula in fit.model.formulas.items() if formula.grouped]
    if len(grouped) > 1:
        expected = "one formula with (1 | group), to predict new groups"
        raise InputError(Fault("leave one group out", ", ".join(grouped), expected))
    [name] = grouped
    draws = fit.thinned(number).draws()
    spread = draws.data[f"{name}_group_sigma"].to_numpy()[:, None]
    effect = draws.data[f"{name}_group_effect"].transpose("sample", "group")
    mean, variance = effect.to_numpy().mean(axis=0), effect.to_numpy().var(axis=0)
    precision = np.maximum(1 / variance - 1 / (spread**2).mean(), 0) + 1 / spread**2
    scale = _WIDER / np.sqrt(precision)
    centre = mean / variance / precision
    position = {group: i for i, group in enumerate(effect["group"].to_numpy().tolist())}
    order = [position[label] for label in labels]
    terms, errors = [], []
    for node, weight in zip(_NODES, _WEIGHTS / _WEIGHTS.sum(), strict=True):
        at = centre + scale * node
        data = draws.data.assign({f"{name}_group_effect": effect.copy(data=at)})
        logs, error = by_unit(new_subject_log_likelihood(replace(draws, data=data)), members)
        prior = -0.5 * (at / spread) ** 2 - np.log(spread)
        proposal = -0.5 * node**2 - np.log(scale)
        terms.append(logs + (prior - proposal)[:, order] + np.log(weight))
        errors.append(error)
    total = log_total(np.array(terms), axis=0)
    share = np.exp(np.array(terms) - total)
    return total, (share * np.array(errors)).sum(axis=0)
