"""From a model's settings and trials to a PyMC model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from trustbayes.errors import Fault, InputError
from trustbayes.games import Game
from trustbayes.models.hierarchy import declare
from trustbayes.models.parametrisation.information import Information
from trustbayes.models.parametrisation.pilot import pilot
from trustbayes.models.parametrisation.type_coordinates import add_type_coordinates
from trustbayes.models.regression import declare_contribution, shares_of
from trustbayes.models.settings import ModelSettings
from trustbayes.numerics.arrays import log_sum_exp
from trustbayes.numerics.graphs import data
from trustbayes.priors.code import CustomPrior
from trustbayes.theories.spec import Parameter
from trustbayes.theories.values import Values
from trustbayes.trials.units import Units

__all__ = ["add_to", "build_units", "check_locations", "coords_of", "each_share"]


def build_units(
    settings: ModelSettings,
    units: Units,
    game: Game,
    information: Information | None = None,
    replaceable: bool = False,
) -> pm.Model:
    """The PyMC model of the trials of the settings' role; the arguments are those of `add_to`."""
    with pm.Model() as model:
        add_to(settings, units, game, information, replaceable=replaceable)
    return model


def add_to(
    settings: ModelSettings,
    units: Units,
    game: Game,
    information: Information | None = None,
    *,
    prefix: str = "",
    given: Mapping[str, Any] | None = None,
    replaceable: bool = False,
) -> None:
    """Add a model's parameters and likelihood to the PyMC model in context.

    Parameters
    ----------
    settings : ModelSettings
    units : Units
    game : Game
    information : Information, optional
        Default: what `trustbayes.models.parametrisation.pilot.pilot` finds.
    prefix : str
        Of the names of all variables and, but for the treatments, dimensions.
    given : mapping of str to PyTensor variable, optional
        Values of parameters that come from elsewhere, of the shape that they vary over.
    replaceable : bool
        Whether trials of the same `trustbayes.trials.units.Units.pattern` may take the place of
        these in the compiled model. Counts always may; trials that are points take about half
        as long again to evaluate then, and two or three times as long to compile.

    Raises
    ------
    InputError
        If the game is of another kind than the model's, or a callable does not make what its
        parameters need.

    Examples
    --------
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, tb.read_game(data.game))
    >>> with pm.Model() as model:
    ...     add_to(tb.LevelK("sender"), trials.fold("sender"), trials.game, prefix="sender_")
    >>> [potential.name for potential in model.potentials]
    ['sender_log_likelihood']
    """
    settings.check_kind(game)
    settings = settings.fixed_to(units)
    check_locations(settings, units)
    information = pilot(settings, units, game) if information is None else information
    pm.modelcontext(None).add_coords(coords_of(settings, units, game, prefix))
    arrays: dict[str, Any] = dict(given or {})
    dims = {name: settings.varies[name] for name in arrays}
    shares: dict[str, Any] = {}
    densities = information.type_densities
    parameters = settings.parameters
    if settings.learns:  # what all share and learn from comes first: others drift by it
        units = _with_data(units, prefix, replaceable)
        parameters = tuple(sorted(parameters, key=lambda p: "subject" in settings.varies[p.name]))
    for parameter in parameters:
        name, prior = parameter.name, settings.priors[parameter.name]
        if name in arrays or (densities and name in densities.placed):
            continue
        if isinstance(prior, CustomPrior):
            served = [p for p in settings.parameters if p.name in prior.parameters]
            over = {p.name: _dims(settings, p) for p in served}
            arrays |= prior.declare(over, {p.name: p.support for p in served})
            dims |= over
            continue
        if parameter.support == "simplex":
            shares[name] = _declare_shares(settings, name, units, prefix)
            continue
        arrays[name], dims[name] = declare(
            parameter,
            prior,
            settings.varies[name],
            centred=settings.parametrisation.get(name, information.form[name]) == "centred",
            weights=information.weights[name],
            shift=_shift(settings, name, Values(arrays, dims, units), game, information, prefix),
            prefix=prefix,
            stand_in=information.stand_ins.get(name),
            contribution=_contribution(settings, name, units),
        )
    units = units if settings.learns else _with_data(units, prefix, replaceable)
    if densities:
        added = {name: _contribution(settings, name, units) for name in densities.names}
        placed = add_type_coordinates(settings, densities, information.weights, added, prefix)
        dims |= placed.dims
        logs = pt.stack(
            [
                _logs(settings, units, game, Values({**arrays, **values}, dims, units), type_index)
                for type_index, values in enumerate(placed.values)
            ],
            axis=1,
        )
        logs = pt.log(each_share(settings, shares)) + logs + placed.log_density
        placed.pick(logs, prefix)
        logs = log_sum_exp(logs)
    else:
        logs = _logs(settings, units, game, Values(arrays, dims, units))
        if settings.types:
            logs = logs + _unused(settings, information, prefix)
            logs = log_sum_exp(pt.log(each_share(settings, shares)) + logs)
    pm.Potential(f"{prefix}log_likelihood", logs.sum())


def _with_data(units: Units, prefix: str, replaceable: bool) -> Units:
    """The trials with numbers that may be replaced in the place of some of them."""
    observed: dict[str, Any] = {
        field: data(f"{prefix}{label}", getattr(units, field))
        for field, label in units.replaceable(replaceable).items()
    }
    return replace(units, **observed)


def _declare_shares(settings: ModelSettings, name: str, units: Units, prefix: str) -> Any:
    """Add a parameter that is a share, shape (labels,) or, by a formula, (subjects, labels)."""
    labels = settings.shares[name]
    shares = settings.priors[name].shares(f"{prefix}{name}", len(labels))
    if name not in settings.formulas:
        return shares
    contrasts = list(labels[1:])
    pm.modelcontext(None).add_coord(f"{name}_contrast", contrasts)
    formula = settings.formulas[name]
    more = declare_contribution(name, formula, settings.priors, units, len(contrasts))
    return shares_of(shares, more)


def check_locations(settings: ModelSettings, units: Units) -> None:
    """Refuse lists of locations that do not go with the treatments."""
    faults = []
    for parameter in settings.parameters:
        prior = settings.priors[parameter.name]
        given = prior.arguments.get(str(prior.family.location))
        if not isinstance(given, tuple) or parameter.option:
            continue
        by_treatment = "treatment" in settings.varies[parameter.name]
        names = units.treatments if by_treatment else ("all",)
        if len(given) != len(names):
            expected = f"{len(names)}, one for each treatment: {', '.join(names)}"
            if not by_treatment:
                expected = "1: it does not vary by treatment"
            faults.append(Fault(f"prior of {parameter.name}, numbers", str(len(given)), expected))
    if faults:
        raise InputError(faults)


def _contribution(settings: ModelSettings, name: str, units: Units) -> Any:
    """What a formula adds to a parameter's location; None without one."""
    if name not in settings.formulas:
        return None
    return declare_contribution(name, settings.formulas[name], settings.priors, units)


def each_share(settings: ModelSettings, shares: Mapping[str, Any]) -> Any:
    """Shares of the types, shape (types,) or, with formulas, (subjects, types)."""
    sizes = [share.shape[0] for share in shares.values() if share.ndim == 2]
    if sizes:
        shares = {
            name: share if share.ndim == 2 else share[None, :] * pt.ones((sizes[0], 1))
            for name, share in shares.items()
        }
    return settings.type_shares(shares)


def _logs(
    settings: ModelSettings,
    units: Units,
    game: Game,
    values: Values,
    type_index: int | None = None,
) -> Any:
    """Log likelihood by subject, of one type or with an axis of types if there are any."""
    if type_index is None:
        answer, typed = settings.answer(game, values), bool(settings.types)
    else:
        answer, typed = settings.answer_of_type(game, values, type_index), False
    subjects, response = len(units.subjects), settings.response(game)
    steps = settings.steps(game, values)
    if steps is not None:
        return steps.by_subject(response.trial_logs(units, answer, values, typed), subjects)  # type: ignore[attr-defined]
    logs, subject = response.log_likelihood(units, answer, values, typed)
    shape = (subjects, len(settings.types)) if typed else (subjects,)
    return pt.inc_subtensor(pt.zeros(shape)[subject], logs)


def _dims(settings: ModelSettings, parameter: Parameter) -> tuple[str, ...]:
    """Of a parameter whose prior is code."""
    varies = settings.varies[parameter.name]
    over = tuple(dim for dim in ("subject", "treatment") if dim in varies)
    return (*over, *((parameter.option,) if parameter.option else ()))


def coords_of(settings: ModelSettings, units: Units, game: Game, prefix: str) -> dict[str, Any]:
    """Coordinates of a model of these trials, by dimension."""
    of_model: dict[str, Any] = {"subject": units.subjects, **settings.shares}
    for option in {p.option for p in settings.parameters if p.option}:
        of_model[option] = [f"{value:g}" for value in game.options(settings.role)]
    coords = {f"{prefix}{name}": labels for name, labels in of_model.items()}
    return coords | {"treatment": units.treatments}


def _unused(settings: ModelSettings, information: Information, prefix: str) -> Any:
    """What stand-ins add to the log likelihood of types, shape (subjects, types) or ()."""
    total: Any = 0.0
    for name in information.stand_ins:
        without = np.array([float(name in settings.ignored[label]) for label in settings.types])
        total = total + pm.modelcontext(None)[f"{prefix}{name}_unused"][:, None] * without
    return total


def _shift(
    settings: ModelSettings,
    name: str,
    values: Values,
    game: Game,
    information: Information,
    prefix: str,
) -> Any:
    """What moves the coordinates of a parameter that drifts, or trades off with another."""
    arrays, dims = values.arrays, values.dims
    if settings.learns and name in settings.spec.drift and "subject" in settings.varies[name]:
        shared = [p.name for p in settings.parameters if p.only_with in ("learning", "experience")]
        if all(other in dims and "subject" not in dims[other] for other in shared):
            return settings.spec.drift[name](values, settings.resolve_conventions(game))
    partner = settings.spec.coupling.get(name)
    if partner is None or dims.get(partner) != ("subject",):
        return 0.0
    power: Any = 0.5
    if name in information.couplings:
        power = data(f"{prefix}{name}_coupling", information.couplings[name])
    return power * pt.log(arrays[partner])
