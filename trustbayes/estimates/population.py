"""What a fit says about the population and about each subject, on the natural scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from trustbayes.estimates.population_means import link_unit, population_means
from trustbayes.games import Game
from trustbayes.inference.fit import Fit
from trustbayes.models import Model, Parameter
from trustbayes.models.draws import Draws
from trustbayes.priors.links import logit_normal_mean
from trustbayes.priors.prior import Prior

__all__ = ["Quantity", "population_estimates", "population_pairs", "population_quantities"]


@dataclass(frozen=True)
class Quantity:
    """One population quantity and its draws.

    Parameters
    ----------
    parameter : Parameter
        Of a variable that is only in a prior's code: one with its name and nothing else.
    statistic, unit, treatment, option : str
        See `population_estimates`.
    values : array, shape (draws,)
    """

    parameter: Parameter
    statistic: str
    unit: str
    treatment: str
    option: str
    values: np.ndarray


def population_estimates(fit: Fit, prior: Draws, ci_prob: float = 0.9) -> pd.DataFrame:
    """Population quantities, posterior beside prior.

    Parameters
    ----------
    fit : Fit
    prior : Draws
        Draws from the model's prior on the same cells.
    ci_prob : float
        Probability of the equal-tailed intervals.

    Returns
    -------
    DataFrame
        Columns model, role, parameter, symbol, statistic, treatment, option, unit, mean, lower,
        upper, prior_mean, prior_lower, prior_upper. Statistics are the population's mean or
        median of a parameter that varies by subject, the spread (standard deviation on the
        scale on which subjects are normal, or shape of a gamma), the value of a parameter that
        all subjects share, and shares, with the mean τ of their Poisson distribution before it
        is truncated, if they have one; and "in the prior's code" for variables that only the
        code of a prior knows. With a formula they are those of people such as the subjects: means
        over their means and shares, the median of the average subject, and the spread is that
        around what the formula says.
    """
    rows = []
    for after, before in population_pairs(fit, prior):
        rows.append(
            {
                "model": fit.model.name,
                "role": fit.model.role,
                "parameter": after.parameter.name,
                "symbol": after.parameter.symbol,
                "statistic": after.statistic,
                "treatment": after.treatment,
                "option": after.option,
                "unit": after.unit,
                **_summary(after.values, ci_prob),
                **{f"prior_{k}": v for k, v in _summary(before.values, ci_prob).items()},
            }
        )
    return pd.DataFrame(rows)


def population_quantities(fit: Fit) -> list[Quantity]:
    """Every population quantity of a fit but those of variables that only a prior's code knows.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    list of Quantity
    """
    return list(_quantities(fit.draws()))


def population_pairs(fit: Fit, prior: Draws) -> list[tuple[Quantity, Quantity]]:
    """Every population quantity as the posterior and as the prior has it.

    Parameters
    ----------
    fit : Fit
    prior : Draws
        Draws from the model's prior on the same cells.

    Returns
    -------
    list of (Quantity, Quantity)
    """
    after = fit.draws()
    extra = _only_in_code(fit.model, prior.data, after.data)
    pairs = [[*_quantities(draws), *_of_code(extra, draws.data)] for draws in (after, prior)]
    return list(zip(*pairs, strict=True))


_MOST = 9  # numbers of a variable that is worth a look


def _only_in_code(model: Model, prior: xr.Dataset, posterior: xr.Dataset) -> list[str]:
    """Names of variables of the population that priors in code add: few numbers, not constant."""
    if not model.code_priors:
        return []
    parameters = tuple(p.name for p in model.parameters if p.name not in model.code_priors)
    subjects = prior.sizes.get("subject", 0)
    return [
        str(name)
        for name, array in prior.items()
        if name in posterior
        and name not in model.code_priors
        and not str(name).startswith(parameters)
        and array.size <= _MOST * prior.sizes["sample"]
        and subjects not in array.shape[1:]
    ]


def _of_code(names: Sequence[str], data: xr.Dataset) -> Iterator[Quantity]:
    for name in names:
        parameter = Parameter(name, "", "", "", "real", (), Prior("Normal", mu=0, sigma=1))
        array = data[name].transpose("sample", ...).to_numpy()
        for index in np.ndindex(array.shape[1:]):
            option = ", ".join(str(at + 1) for at in index)
            values = array[(slice(None), *index)]
            yield Quantity(parameter, "in the prior's code", "", "", option, values)


def _summary(values: np.ndarray, ci_prob: float) -> dict[str, float]:
    tail = (1 - ci_prob) / 2
    lower, upper = np.quantile(values, [tail, 1 - tail])
    return {"mean": float(values.mean()), "lower": float(lower), "upper": float(upper)}


def _quantities(draws: Draws) -> Iterator[Quantity]:
    for parameter in draws.model.parameters:
        for statistic, unit, array in _statistics(draws, parameter):
            rest = array.dims[1:]
            for index in np.ndindex(*(array.sizes[dim] for dim in rest)):
                labels = {
                    dim: str(array[dim].to_numpy()[i]) for dim, i in zip(rest, index, strict=True)
                }
                treatment = labels.pop("treatment", "")
                option = next(iter(labels.values()), "")
                values = array.to_numpy()[(slice(None), *index)]
                yield Quantity(parameter, statistic, unit, treatment, option, values)


def _statistics(draws: Draws, parameter: Parameter) -> Iterator[tuple[str, str, xr.DataArray]]:
    """Name, unit and draws of the quantities of one parameter."""
    model, game, data = draws.model, draws.game, draws.data
    name, prior = parameter.name, model.priors[parameter.name]
    if parameter.support == "simplex":
        whole = next(iter(model.shares))  # the others share out a part of it
        unit = "share of subjects" if name == whole else f"share of those with a {name}"
        share = data[f"{name}_share"]
        if name in model.formulas:
            share = share.copy(data=draws.shares_by(name).mean(axis=1))
        yield "share", unit, share
        if f"{name}_tau" in data:
            yield "Poisson mean", parameter.unit, data[f"{name}_tau"]
        return
    if "subject" not in model.varies[name]:
        yield from _with_report_unit("value", parameter, game, data[name])
        return
    if name in model.formulas:
        yield from _by_formula(draws, parameter)
        return
    if not prior.hierarchical:
        return
    location_name = str(prior.family.location)
    if f"{name}_{location_name}" not in data:  # given, not estimated
        return
    location, family = data[f"{name}_{location_name}"], prior.family
    if parameter.option:
        weights = xr.apply_ufunc(np.exp, location - location.max(parameter.option))
        yield "typical share", "share of choices", weights / weights.sum(parameter.option)
        return
    if family.natural_location:
        yield from _with_report_unit("population mean", parameter, game, location)
    else:
        if parameter.support == "unit":
            spread = data[f"{name}_sigma"] if f"{name}_sigma" in data else prior.arguments["sigma"]
            mean = xr.apply_ufunc(logit_normal_mean, location, spread)
            yield "population mean", parameter.unit, mean.transpose("sample", ...)
        median = family.link.inverse(location)
        yield from _with_report_unit("population median", parameter, game, median)
    yield from _spreads(draws, parameter)


def _by_formula(draws: Draws, parameter: Parameter) -> Iterator[tuple[str, str, xr.DataArray]]:
    """As `_statistics`, of a parameter whose population is regressed on people."""
    name, game, units = parameter.name, draws.game, draws.units
    location = draws.location(name)
    treatments = list(units.treatments) if "treatment" in draws.model.varies[name] else None

    def averaged(values: np.ndarray) -> xr.DataArray:
        mean = xr.DataArray(values.mean(axis=1), dims=["sample", "treatment"])
        return mean[:, 0] if treatments is None else mean.assign_coords(treatment=treatments)

    family = draws.model.priors[name].family
    if parameter.support == "unit" or family.natural_location:
        means = averaged(population_means(draws, name, location))
        yield from _with_report_unit("population mean", parameter, game, means)
    if not family.natural_location:
        median = family.link.inverse(averaged(location))
        yield from _with_report_unit("population median", parameter, game, median)
    yield from _spreads(draws, parameter)
    if f"{name}_group_sigma" in draws.data:
        unit = link_unit(parameter, draws.model.priors[name])
        yield "spread of groups", unit, draws.data[f"{name}_group_sigma"]


def _spreads(draws: Draws, parameter: Parameter) -> Iterator[tuple[str, str, xr.DataArray]]:
    name, prior = parameter.name, draws.model.priors[parameter.name]
    for argument in prior.arguments:
        if argument != prior.family.location and f"{name}_{argument}" in draws.data:
            shape = "shape of the gamma distribution"
            unit = shape if prior.family.natural_location else link_unit(parameter, prior)
            yield "population spread", unit, draws.data[f"{name}_{argument}"]


def _with_report_unit(
    statistic: str, parameter: Parameter, game: Game, values: xr.DataArray
) -> Iterator[tuple[str, str, xr.DataArray]]:
    yield statistic, parameter.unit, values
    if parameter.report_unit:
        yield statistic, parameter.report_unit, values * parameter.factor(game)
