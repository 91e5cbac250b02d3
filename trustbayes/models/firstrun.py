"""What a first short run teaches the main one: better stand-in densities, and where to start.

Models with types have posteriors of several modes: whole groups of subjects change their type
together. Chains do not cross between such modes, however long they run.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trustbayes.models.evaluate import Draws, type_probabilities
from trustbayes.models.hierarchy import LINKS
from trustbayes.models.new_subject import new_subject_log_likelihood
from trustbayes.models.pilot import Information

__all__ = ["likely_chains", "refined"]

_FEW = 30.0  # effective draws, below which the pilot's density is kept
_BEHIND = 5.0  # nats: a mode that much lower has less than a hundredth of the mass
_WIDER = 1.2  # tails of the posterior are heavier than a normal density's


def refined(information: Information, draws: Draws) -> Information:
    """Fit each subject's stand-in densities to what draws say of her if her type has the parameter.

    Any density leaves the posterior of all else as it is (see
    `trustbayes.models.pilot.Information`); the nearer it is, the better chains move between types.

    Parameters
    ----------
    information : Information
        From the pilot.
    draws : Draws
        A few hundred of the posterior, however badly mixed.

    Returns
    -------
    Information
        Unchanged for subjects who are hardly ever of a type that has the parameter.
    """
    if not information.stand_ins:
        return information
    model, chances = draws.model, type_probabilities(draws)
    found = dict(information.stand_ins)
    for name, (middle, spread) in information.stand_ins.items():
        heeds = [name not in model.ignored[label] for label in model.types]
        weight = chances[..., heeds].sum(axis=-1)
        natural = draws.data[name].to_numpy()
        link = LINKS[model.priors[name].distribution].forward
        with np.errstate(divide="ignore"):
            linked = np.clip(link(natural), -30, 30)
        if "treatment" in draws.data[name].dims:
            linked = (linked * information.weights[name]).sum(axis=-1)
        enough = weight.sum(axis=0) ** 2 > _FEW * (weight**2).sum(axis=0)
        if linked.ndim > weight.ndim:  # by option
            weight, enough = weight[..., None], enough[..., None]
        total = weight.sum(axis=0)
        mean = (weight * linked).sum(axis=0) / np.maximum(total, 1e-300)
        variance = (weight * (linked - mean) ** 2).sum(axis=0) / np.maximum(total, 1e-300)
        found[name] = (
            np.where(enough, mean, middle),
            np.where(enough, np.maximum(_WIDER * np.sqrt(variance), 0.05), spread),
        )
    return replace(information, stand_ins=found)


def likely_chains(draws: Draws, chains: int) -> np.ndarray:
    r"""Which chains of a run stand where the posterior has noticeable mass.

    Chains are told apart by :math:`\sum_i \log p(y_i \mid \vartheta)`, the parameters and types of
    the subjects integrated out: the height of the population's posterior, which has few parameters,
    whereas the density that chains climb also counts how narrow each subject's is.

    Parameters
    ----------
    draws : Draws
        Some of each chain's last, one chain after the other.
    chains : int

    Returns
    -------
    array of bool, shape (chains,)
        False for chains more than 5 nats behind the best, on average over their draws. All true
        if a prior of subjects is Python code: the heights are then unknown.
    """
    if draws.model.bound:  # cannot be integrated out
        return np.ones(chains, dtype=bool)
    logs = new_subject_log_likelihood(draws).log_likelihood.sum(axis=1)
    height = logs.reshape(chains, -1).mean(axis=1)
    return np.asarray(height >= height.max() - _BEHIND)
