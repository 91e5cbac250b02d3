"""The PyMC model of the population: its parameters with their priors, and one likelihood term."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from trustbayes.inference.engines.population.layout import EffectLayout, Layout, SharedLayout
from trustbayes.inference.engines.population.operator import MarginalLogLikelihood, apply_to
from trustbayes.models.graph import coords_of, each_share
from trustbayes.models.hierarchy import declare
from trustbayes.models.regression import declare_contribution, shares_of
from trustbayes.priors.prior import Prior

__all__ = ["Graph", "graph_of"]


@dataclass(frozen=True, eq=False)
class Graph:
    """A PyMC model of a population.

    Parameters
    ----------
    model : pymc.Model
    operator : MarginalLogLikelihood
        The likelihood in it.
    locations : dict of str to PyTensor variable
        By effect, all locations: shape (), (treatments,), (subjects,) or (subjects, treatments).
    """

    model: pm.Model
    operator: MarginalLogLikelihood
    locations: dict[str, Any]


def graph_of(layout: Layout) -> Graph:
    """Declare the population's parameters with their priors, and the likelihood given them.

    Parameters
    ----------
    layout : Layout

    Returns
    -------
    Graph
        Variables have the names that `trustbayes.Model.build` gives them.
    """
    model, units = layout.model, layout.units
    operator = MarginalLogLikelihood(layout)
    with pm.Model() as graph:
        graph.add_coords(coords_of(model, units, layout.game, ""))
        effects = {e.name: e for e in layout.effects}
        location: dict[str, Any] = {}
        locations: dict[str, Any] = {}
        shape: dict[str, Any] = {}
        exposures: dict[str, Any] = {}
        shares: dict[str, Any] = {}
        for parameter in model.parameters:
            name = parameter.name
            if parameter.support == "simplex":
                shares[name] = _shares(layout, name)
            elif name in effects:
                effect = effects[name]
                locations[name], shape[name] = _population(layout, effect)
                location[name], gaps = _placed(effect, locations[name])
                if effect.exposures:
                    exposures[name] = gaps
            else:
                [shared] = [s for s in layout.shared if s.name == name]
                exposures[name] = _exposures(layout, shared)
        log_shares = _log_shares(layout, shares)
        value = apply_to(operator, location, shape, log_shares, exposures)
        pm.Potential("log_likelihood", value)
    return Graph(graph, operator, locations)


def _shares(layout: Layout, name: str) -> Any:
    model = layout.model
    shares = model.priors[name].shares(name, len(model.shares[name]))
    if name in model.formulas:
        labels = model.shares[name][1:]
        pm.modelcontext(None).add_coord(f"{name}_contrast", list(labels))
        formula = model.formulas[name]
        more = declare_contribution(name, formula, model.priors, layout.units, len(labels))
        shares = shares_of(shares, more)
    return shares


def _log_shares(layout: Layout, shares: dict[str, Any]) -> Any:
    if not layout.model.types:
        return pt.zeros((1, 1))
    type_shares = each_share(layout.model, shares)
    type_shares = type_shares if type_shares.ndim == 2 else type_shares[None]
    return pt.log(pt.maximum(type_shares, 1e-300))


def _population(layout: Layout, effect: EffectLayout) -> tuple[Any, dict[str, Any]]:
    """Location, shape (), (treatments,), (subjects,) or both, and the other arguments."""
    model, name = layout.model, effect.name
    prior = model.priors[name]
    key = prior.family.location
    over: Any = ("treatment",) if effect.by_treatment and not effect.by_subject else None
    if effect.parameter.option:
        over = (effect.parameter.option,)
    location: Any = pt.as_tensor(0.0)
    if key is not None:
        given = prior.arguments[key]
        if isinstance(given, Prior):
            location = given.variable(f"{name}_{key}", over)
        else:
            location = pt.as_tensor(np.asarray(given, dtype=float))
        location = effect.family.linked_location(location)
    shape = {
        k: prior.arguments[k].variable(f"{name}_{k}")
        if isinstance(prior.arguments[k], Prior)
        else prior.arguments[k]
        for k in effect.arguments
    }
    if effect.parameter.option:
        location = location + pt.zeros(model.width(effect.parameter, layout.game))
    if effect.by_subject:
        formula = model.formulas[name]
        location = location + declare_contribution(name, formula, model.priors, layout.units)
    return location, shape


def _placed(effect: EffectLayout, location: Any) -> tuple[Any, Any]:
    """Locations at anchors, as `EffectLayout.location_of` counts them, and gaps."""
    gaps: Any = None
    if not effect.by_treatment:
        return location.reshape((-1,)), gaps
    if not effect.by_subject:
        location = location.reshape((-1,))
        (_, before), (_, after) = effect.gap_from.T, effect.gap_to.T
        return location, location[after] - location[before]
    subject = np.arange(effect.location_of.size)
    at = location[subject, effect.anchor]
    before, after = effect.gap_from, effect.gap_to
    gaps = location[after[:, 0], after[:, 1]] - location[before[:, 0], before[:, 1]]
    return at, gaps


def _exposures(layout: Layout, shared: SharedLayout) -> Any:
    model, parameter = layout.model, shared.parameter
    over = model.varies[shared.name]
    value, _ = declare(
        parameter, model.priors[shared.name], over, centred=True, weights=np.zeros((0, 0))
    )
    value = value.reshape((-1,))
    if parameter.support == "positive":
        return pt.log(value)
    if parameter.support == "unit":
        return pt.log(value) - pt.log1p(-value)
    return value
