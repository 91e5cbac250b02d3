"""What the trials say about subjects' parameters under each type, found for placing them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from trustbayes.cells import Units
from trustbayes.games import Game
from trustbayes.models._placement import site
from trustbayes.models._population import Population
from trustbayes.models.hierarchy import LINKS
from trustbayes.models.model import Model
from trustbayes.models.pilot import Information, typical
from trustbayes.models.placed import Habits, Sites
from trustbayes.models.predictor import nothing_added

__all__ = ["sited"]


def sited(
    model: Model, units: Units, game: Game, information: Information, data: xr.Dataset | None = None
) -> Information:
    """Find the sites of a model whose parameters can be placed.

    Parameters
    ----------
    model : Model
    units : Units
    game : Game
    information : Information
        From the pilot.
    data : xarray.Dataset, optional
        Draws with a leading dimension ``sample``, at whose mean population the sites are found.
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
    names = tuple(e.parameter.name for e, one in zip(effects, single, strict=True) if one)
    shape = (len(units.subjects), len(model.types), len(names))
    precision, shift = np.zeros((*shape, shape[-1])), np.zeros(shape)
    habits = {}
    for kind, label in enumerate(model.types):
        found = site(population, population, kind)
        position = np.cumsum(found.active) - 1  # of a coordinate among the active ones
        at = np.flatnonzero(found.active[first])
        here = position[first[at]]
        precision[:, kind, at[:, None], at] = found.precision[:, here[:, None], here]
        shift[:, kind, at] = found.shift[:, here]
        for effect, place in zip(effects, population.places(), strict=True):
            name = effect.parameter.name
            if effect.parameter.option and name not in model.ignored[label]:
                mean, covariance = (part[0] for part in found.moments(population, slice(0, 1)))
                own = position[place]
                scale = np.linalg.cholesky(covariance[:, own[:, None], own])
                habits[name] = Habits(kind, mean[:, own], scale)
    return replace(information, sites=Sites(names, precision, shift, habits))


def _typical(model: Model, units: Units, game: Game, information: Information) -> xr.Dataset:
    """One draw: the pilot's locations, typical spreads and even shares."""
    found: dict[str, Any] = {}
    coords: dict[str, Any] = {"treatment": list(units.treatments)}
    for parameter in model.parameters:
        name, prior = parameter.name, model.priors[parameter.name]
        if parameter.support == "simplex":
            size = len(model.shares[name])
            found[f"{name}_share"] = ((name,), np.full(size, 1 / size))
            continue
        over = ("treatment",) if "treatment" in model.varies[name] else ()
        location = information.locations.get(name)
        if parameter.option:
            width = model.width(parameter, game)
            coords[parameter.option] = np.arange(width)
            if "subject" not in model.varies[name]:
                found[name] = ((parameter.option,), np.zeros(width))
            continue
        if "subject" in model.varies[name]:
            assert location is not None
            natural = LINKS[prior.distribution].location_forward
            argument = str(prior.family.location)
            formula = model.formulas.get(name)
            if formula is not None:
                over, location = (), np.mean(location)
                found |= nothing_added(name, formula)
            found[f"{name}_{argument}"] = (over, np.exp(location) if natural else location)
            for key, value in prior.arguments.items():
                if key != argument:
                    found[f"{name}_{key}"] = ((), max(1.0, typical(value)))
        elif location is not None:
            found[name] = (over, LINKS[prior.distribution].inverse(location))
        else:
            found[name] = (over, np.full(len(units.treatments) if over else (), typical(prior)))
    return xr.Dataset(found, coords=coords).expand_dims(sample=[0])
