"""What a first short run teaches the main one: better stand-in densities, and where to start.

Models with types have posteriors of several modes: whole groups of subjects change their type
together. Chains do not cross between such modes, however long they run.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from trustbayes.games import Game
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.inference.marginal.placement import site
from trustbayes.inference.marginal.population import Population
from trustbayes.models.draws import Draws, type_probabilities
from trustbayes.models.parametrisation.information import Information
from trustbayes.models.parametrisation.type_coordinates import Habits, TypeDensities
from trustbayes.models.regression import no_contribution
from trustbayes.models.settings import ModelSettings
from trustbayes.priors.prior import typical
from trustbayes.trials.units import Units

__all__ = ["find_type_densities", "likely_chains", "refined"]

_FEW = 30.0  # effective draws, below which the pilot's density is kept
_BEHIND = 5.0  # nats: a mode that much lower has less than a hundredth of the mass
_WIDER = 1.2  # tails of the posterior are heavier than a normal density's


def refined(information: Information, draws: Draws) -> Information:
    """Fit each subject's stand-in densities to what draws say of her if her type has the parameter.

    Any density leaves the posterior of all else as it is (see
    `trustbayes.models.parametrisation.information.Information`); the nearer it is, the better
    chains move between types.

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
    stand_ins = dict(information.stand_ins)
    for name, (middle, spread) in information.stand_ins.items():
        heeds = [name not in model.ignored[label] for label in model.types]
        weight = chances[..., heeds].sum(axis=-1)
        natural = draws.data[name].to_numpy()
        link = model.priors[name].family.link.forward
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
        stand_ins[name] = (
            np.where(enough, mean, middle),
            np.where(enough, np.maximum(_WIDER * np.sqrt(variance), 0.05), spread),
        )
    return replace(information, stand_ins=stand_ins)


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
    if draws.model.inseparable_priors:  # cannot be integrated out
        return np.ones(chains, dtype=bool)
    logs = new_subject_log_likelihood(draws).log_likelihood.sum(axis=1)
    height = logs.reshape(chains, -1).mean(axis=1)
    return np.asarray(height >= height.max() - _BEHIND)


def find_type_densities(
    model: ModelSettings,
    units: Units,
    game: Game,
    information: Information,
    data: xr.Dataset | None = None,
) -> Information:
    """Find the densities by type of a model whose parameters can be placed.

    Parameters
    ----------
    model : ModelSettings
    units : Units
    game : Game
    information : Information
        From the pilot.
    data : xarray.Dataset, optional
        Draws with a leading dimension ``sample``, at whose mean population they are found.
        Default: the pilot's locations and populations of typical spread.

    Returns
    -------
    Information
    """
    data = _typical(model, units, game, information) if data is None else data
    population = Population.of(model, game, units, data).mean()
    effects = tuple(
        replace(e, share=information.weights[e.parameter.name]) if e.by_treatment else e
        for e in population.effects
    )
    population = replace(population, effects=effects)
    single = [e.parameter.option is None for e in effects]
    first = np.array([place.start for place in population.places()])[single]
    names = tuple(e.parameter.name for e in effects if e.parameter.option is None)
    shape = (len(units.subjects), len(model.types), len(names))
    precision, shift = np.zeros((*shape, shape[-1])), np.zeros(shape)
    habits = {}
    for type_index, label in enumerate(model.types):
        of_type = site(population, population, type_index)
        position = np.cumsum(of_type.active) - 1  # of a coordinate among the active ones
        at = np.flatnonzero(of_type.active[first])
        active = position[first[at]]
        precision[:, type_index, at[:, None], at] = of_type.precision[:, active[:, None], active]
        shift[:, type_index, at] = of_type.shift[:, active]
        for effect, place in zip(effects, population.places(), strict=True):
            name = effect.parameter.name
            if effect.parameter.option and name not in model.ignored[label]:
                mean, covariance = (part[0] for part in of_type.moments(population, slice(0, 1)))
                options = position[place]
                scale = np.linalg.cholesky(covariance[:, options[:, None], options])
                habits[name] = Habits(type_index, mean[:, options], scale)
    densities = TypeDensities(names, precision, shift, habits)
    return replace(information, type_densities=densities)


def _typical(
    model: ModelSettings, units: Units, game: Game, information: Information
) -> xr.Dataset:
    """One draw: the pilot's locations, typical spreads and even shares."""
    variables: dict[str, Any] = {}
    coords: dict[str, Any] = {"treatment": list(units.treatments)}
    for parameter in model.parameters:
        name, prior = parameter.name, model.priors[parameter.name]
        if parameter.support == "simplex":
            size = len(model.shares[name])
            variables[f"{name}_share"] = ((name,), np.full(size, 1 / size))
            continue
        over = ("treatment",) if "treatment" in model.varies[name] else ()
        location = information.locations.get(name)
        if parameter.option:
            width = model.width(parameter, game)
            coords[parameter.option] = np.arange(width)
            if "subject" not in model.varies[name]:
                variables[name] = ((parameter.option,), np.zeros(width))
            continue
        if "subject" in model.varies[name]:
            assert location is not None
            argument = str(prior.family.location)
            formula = model.formulas.get(name)
            if formula is not None:
                over, location = (), np.mean(location)
                variables |= no_contribution(name, formula)
            variables[f"{name}_{argument}"] = (over, prior.family.natural_location_of(location))
            for key, value in prior.arguments.items():
                if key != argument:
                    variables[f"{name}_{key}"] = ((), max(1.0, typical(value)))
        elif location is not None:
            variables[name] = (over, prior.family.link.inverse(location))
        else:
            variables[name] = (over, np.full(len(units.treatments) if over else (), typical(prior)))
    return xr.Dataset(variables, coords=coords).expand_dims(sample=[0])
