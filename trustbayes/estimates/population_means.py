"""Populations regressed on people: their means, and the scale on which effects add up."""

from __future__ import annotations

import numpy as np

from trustbayes.models import Parameter
from trustbayes.models.draws import Draws
from trustbayes.priors.links import LOGIT, logit_normal_mean
from trustbayes.priors.prior import Prior

__all__ = ["link_unit", "population_means"]


def link_unit(parameter: Parameter, prior: Prior) -> str:
    """Name of the scale on which effects on a parameter add up."""
    link = prior.family.link
    return f"{link.name} scale" if link.name else parameter.unit


def population_means(draws: Draws, name: str, location: np.ndarray) -> np.ndarray:
    """Means of the populations that have certain locations; medians if they are log-normal.

    Parameters
    ----------
    draws : Draws
    name : str
        Of a parameter.
    location : array, shape (draws, subjects, treatments or 1)
        On the scale of the link, such as `trustbayes.models.draws.Draws.location`.

    Returns
    -------
    array of the same shape
        On the natural scale.
    """
    prior = draws.model.priors[name]
    if prior.family.link is not LOGIT:
        # The link of a gamma is its logarithm, though its location stands on the natural scale.
        return np.asarray(prior.family.link.inverse(location))
    known = f"{name}_sigma" in draws.data
    spread = draws.data[f"{name}_sigma"].to_numpy() if known else prior.arguments["sigma"]
    spread = np.broadcast_to(np.asarray(spread, dtype=float), (draws.size,))[:, None]
    means = np.empty(location.shape)
    for subject in range(location.shape[1]):  # one at a time, since each has many nodes
        means[:, subject] = logit_normal_mean(location[:, subject], spread)
    return means
