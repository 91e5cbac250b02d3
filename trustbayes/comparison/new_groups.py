"""What draws say about the trials of a matching group that is new to them."""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from trustbayes.errors import Fault, InputError
from trustbayes.inference.fit import Fit
from trustbayes.inference.marginal.new_subjects import NewSubject, new_subject_log_likelihood
from trustbayes.numerics.arrays import log_total

__all__ = ["by_unit", "new_groups"]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_WIDER = 1.2  # than the normal density that the nodes are placed by
_KNOWN: WeakKeyDictionary[Fit, dict[int, tuple[np.ndarray, np.ndarray]]] = WeakKeyDictionary()
"""By number of draws, for fits that are still in use: a fit does not change."""


def by_unit(found: NewSubject, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
        for part in (found.log_likelihood, found.error)
    )
    return logs, errors


def new_groups(
    fit: Fit, part: Fit, grouped: list[str], members: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """As `by_unit`, of matching groups whose effect is unknown.

    It is integrated out by a Gauss-Hermite rule. Its nodes are placed, for every draw, by the
    normal population of effects times a normal density that stands for the group's trials: what
    the posterior of its effect has beyond the population.

    Parameters
    ----------
    fit : Fit
    part : Fit
        The same with as many draws as are wanted.
    grouped : list of str
        The parameters whose formulas have effects of groups.
    members : array of bool, shape (groups, subjects)
        In order of appearance.

    Returns
    -------
    logs, errors : array, shape (draws, groups)

    Raises
    ------
    InputError
        If several formulas have effects of groups.

    References
    ----------
    Naylor and Smith (1982), Applied Statistics 31(3), for rules placed by moments.
    """
    known, sizes = _KNOWN.setdefault(fit, {}), part.posterior.sizes
    key = sizes["chain"] * sizes["draw"]
    if key in known:
        return known[key]
    if len(grouped) > 1:
        expected = "one formula with (1 | group), to predict new groups"
        raise InputError(Fault("leave one group out", ", ".join(grouped), expected))
    [name] = grouped
    draws = part.draws()
    spread = draws.data[f"{name}_group_sigma"].to_numpy()[:, None]
    effect = draws.data[f"{name}_group_effect"].transpose("sample", "group")
    mean, variance = effect.to_numpy().mean(axis=0), effect.to_numpy().var(axis=0)
    precision = np.maximum(1 / variance - 1 / (spread**2).mean(), 0) + 1 / spread**2
    scale = _WIDER / np.sqrt(precision)
    centre = mean / variance / precision
    position = {group: i for i, group in enumerate(effect["group"].to_numpy().tolist())}
    order = [position[label] for label in dict.fromkeys(fit.units.groups or ())]
    terms, errors = [], []
    for node, weight in zip(_NODES, _WEIGHTS / _WEIGHTS.sum(), strict=True):
        at = centre + scale * node
        data = draws.data.assign({f"{name}_group_effect": effect.copy(data=at)})
        logs, error = by_unit(new_subject_log_likelihood(replace(draws, data=data)), members)
        prior = -0.5 * (at / spread) ** 2 - np.log(spread)
        own = -0.5 * node**2 - np.log(scale)
        terms.append(logs + (prior - own)[:, order] + np.log(weight))
        errors.append(error)
    total = log_total(np.array(terms), axis=0)
    share = np.exp(np.array(terms) - total)
    known[key] = total, (share * np.array(errors)).sum(axis=0)
    return known[key]
