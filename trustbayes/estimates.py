"""What a fit says about the population and about each subject, on the natural scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from trustbayes.fitting import Fit
from trustbayes.games import Game
from trustbayes.models import Model, Parameter
from trustbayes.models.evaluate import Draws, type_probabilities
from trustbayes.models.hierarchy import LINKS, logit_normal_mean
from trustbayes.models.pilot import prior_centre
from trustbayes.priors import Prior
from trustbayes.regressed import link_unit, population_means

__all__ = [
    "Quantity",
    "population_estimates",
    "population_pairs",
    "population_quantities",
    "subject_estimates",
    "type_estimates",
]


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
    if not model.coded:
        return []
    own = tuple(p.name for p in model.parameters if p.name not in model.coded)
    subjects = prior.sizes.get("subject", 0)
    return [
        str(name)
        for name, array in prior.items()
        if name in posterior
        and name not in model.coded
        and not str(name).startswith(own)
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
    location, link = data[f"{name}_{location_name}"], LINKS[prior.distribution]
    if parameter.option:
        weights = xr.apply_ufunc(np.exp, location - location.max(parameter.option))
        yield "typical share", "share of choices", weights / weights.sum(parameter.option)
        return
    if link.location_forward:
        yield from _with_report_unit("population mean", parameter, game, location)
    else:
        if parameter.support == "unit":
            spread = data[f"{name}_sigma"] if f"{name}_sigma" in data else prior.arguments["sigma"]
            mean = xr.apply_ufunc(logit_normal_mean, location, spread)
            yield "population mean", parameter.unit, mean.transpose("sample", ...)
        median = link.inverse(location)
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

    link = LINKS[draws.model.priors[name].distribution]
    if parameter.support == "unit" or link.location_forward:
        means = averaged(population_means(draws, name, location))
        yield from _with_report_unit("population mean", parameter, game, means)
    if not link.location_forward:
        median = link.inverse(averaged(location))
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
            unit = shape if prior.distribution == "Gamma" else link_unit(parameter, prior)
            yield "population spread", unit, draws.data[f"{name}_{argument}"]


def _with_report_unit(
    statistic: str, parameter: Parameter, game: Game, values: xr.DataArray
) -> Iterator[tuple[str, str, xr.DataArray]]:
    yield statistic, parameter.unit, values
    if parameter.report_unit:
        yield statistic, parameter.report_unit, values * parameter.factor(game)


def subject_estimates(fit: Fit, ci_prob: float = 0.9) -> pd.DataFrame:
    """Each subject's parameters, with what her own trials alone would say.

    Parameters
    ----------
    fit : Fit
    ci_prob : float
        Probability of the equal-tailed intervals.

    Returns
    -------
    DataFrame
        Columns model, role, subject, treatment ("" if common), parameter, symbol, unit, mean,
        median, lower, upper, alone, trials; only subjects and treatments that met.
    """
    units, game = fit.units, fit.game
    draws = fit.draws()
    alone = _alone(fit)
    pairs = np.unique(np.column_stack([units.unit_subject, units.unit_treatment]), axis=0)
    trials = np.zeros((len(units.subjects), len(units.treatments)), dtype=int)
    np.add.at(trials, (units.unit_subject, units.unit_treatment), units.trials_per_unit)
    tail = (1 - ci_prob) / 2
    frames = []
    for parameter in fit.model.parameters:
        if parameter.support == "simplex" or parameter.option:
            continue
        array = draws.data[parameter.name]
        if "subject" not in array.dims:
            continue
        values, own = array.to_numpy(), alone.get(parameter.name)
        if "treatment" in array.dims:
            subject, treatment = pairs.T
            values = values[:, subject, treatment]
            labels = np.array(units.treatments)[treatment]
            own = own[subject, treatment] if own is not None else None
            count = trials[subject, treatment]
        else:
            subject, labels = np.arange(len(units.subjects)), np.full(len(units.subjects), "")
            count = trials.sum(axis=1)
        factor = parameter.factor(game)
        lower, median, upper = np.quantile(values, [tail, 0.5, 1 - tail], axis=0) * factor
        frames.append(
            pd.DataFrame(
                {
                    "model": fit.model.name,
                    "role": fit.model.role,
                    "subject": np.array(units.subjects)[subject],
                    "treatment": labels,
                    "parameter": parameter.name,
                    "symbol": parameter.symbol,
                    "unit": parameter.report_unit or parameter.unit,
                    "mean": values.mean(axis=0) * factor,
                    "median": median,
                    "lower": lower,
                    "upper": upper,
                    "alone": own * factor if own is not None else np.nan,
                    "trials": count,
                }
            )
        )
    if not frames:
        numbers = dict.fromkeys(_NUMBERS, float) | {"trials": int}
        return pd.DataFrame(columns=[*_LABELS, *numbers]).astype(numbers)
    return pd.concat(frames, ignore_index=True)


_LABELS = ("model", "role", "subject", "treatment", "parameter", "symbol", "unit")
_NUMBERS = ("mean", "median", "lower", "upper", "alone")
_REACH = {"positive": 5.0, "unit": 6.0, "real": 2.0}  # to both sides of the default prior's centre
_COARSE, _FINE = 49, 17  # points of the grids, to each parameter
_FLAT = 1e-9  # a log likelihood that differs by no more does so by rounding


def _alone(fit: Fit) -> dict[str, np.ndarray]:
    """Maximum likelihood from each subject's own trials, on a grid of the link scale.

    A finer grid follows, two steps of the first to each side of its best point. What all subjects
    share stays at its posterior mean. With more than two parameters of her own a subject's trials
    say too little, and nothing is returned; nor is it for types that must be told from all
    treatments together while a parameter differs between them. Where the likelihood does not
    depend on a parameter, its value is missing.
    """
    model, data = fit.model, fit.posterior
    own = [p for p in model.parameters if p.support in _REACH and "subject" in data[p.name].dims]
    if not own or len(own) > 2 or any(p.option for p in own):
        return {}
    dims = [tuple(map(str, data[p.name].dims[2:])) for p in own]
    by_treatment = ["treatment" in over for over in dims]
    if model.types and any(by_treatment):
        return {}
    links = [LINKS[p.prior.distribution] for p in own]
    found = [
        np.full([data.sizes[dim] for dim in over], prior_centre(p.prior))
        for p, over in zip(own, dims, strict=True)
    ]
    reach = [_REACH[p.support] for p in own]
    flat: list[np.ndarray] = []
    for points in (_COARSE, _FINE):
        steps = [np.linspace(-most, most, points) for most in reach]
        grid = np.meshgrid(*steps, indexing="ij")
        tried = {
            p.name: (over, link.inverse(middle + part.reshape(-1, *(1,) * middle.ndim)))
            for p, over, link, middle, part in zip(own, dims, links, found, grid, strict=True)
        }
        score = _scores(fit, tried, points ** len(own))
        best, lines = _best(score.reshape(*grid[0].shape, *score.shape[1:]), by_treatment)
        flat = flat or [np.ptp(line, axis=0) <= _FLAT for line in lines]
        found = [middle + step[at] for middle, step, at in zip(found, steps, best, strict=True)]
        reach = [4 * most / (points - 1) for most in reach]
    return {
        p.name: np.where(nothing, np.nan, link.inverse(value))
        for p, link, value, nothing in zip(own, links, found, flat, strict=True)
    }


def _scores(
    fit: Fit, tried: Mapping[str, tuple[tuple[str, ...], np.ndarray]], size: int
) -> np.ndarray:
    """Log likelihood of each subject's trials in each treatment, (size, subjects, treatments).

    With types, that of the most likely type over all treatments, kept at the first of them.
    """
    model, units = fit.model, fit.units
    data = {name: (("sample", *over), values) for name, (over, values) in tried.items()}
    for parameter in model.parameters:
        if parameter.name not in tried:
            name = f"{parameter.name}_share" if parameter.support == "simplex" else parameter.name
            mean = fit.posterior[name].mean(("chain", "draw"))
            spread = np.broadcast_to(mean.to_numpy(), (size, *mean.shape))
            data[name] = (("sample", *map(str, mean.dims)), spread)
    score = np.zeros((size, len(units.subjects), len(units.treatments)))
    draws = Draws(model, fit.game, units, xr.Dataset(data))
    for rows, logs in draws.cell_logs():
        if model.types:
            score[rows, :, 0] = draws.by_subject(logs).max(axis=-1)
        else:
            place = (units.cell_subject, units.unit_treatment[units.cell_unit])
            for cell, pair in enumerate(zip(*place, strict=True)):
                score[(rows, *pair)] += units.cell_trials[cell] * logs[:, cell]
    return score


def _best(score: np.ndarray, by_treatment: list[bool]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Where on each axis of a grid the score is highest, and the score along it there.

    Parameters
    ----------
    score : array, shape (points, subjects, treatments) or (points, points, subjects, treatments)
    by_treatment : list of bool
        For each axis of the grid, whether its parameter differs by treatment: then it is profiled
        out of each treatment's trials.

    Returns
    -------
    positions : list of array, shape (subjects,) or (subjects, treatments)
    lines : list of array, shape (points, *positions.shape)
        With a second parameter that differs by treatment, the profile.
    """
    if not any(by_treatment):
        score = score.sum(axis=-1)
    if len(by_treatment) == 1:
        return [score.argmax(axis=0)], [score]
    if by_treatment[0] != by_treatment[1]:
        varying = by_treatment.index(True)
        profile = score.max(axis=varying).sum(axis=-1)
        common = profile.argmax(axis=0)
        line = np.moveaxis(score, 1 - varying, 0)[common, :, np.arange(common.size)].swapaxes(0, 1)
        pair = [(common, profile), (line.argmax(axis=0), line)]
        pair = pair if varying == 1 else pair[::-1]
        return [at for at, _ in pair], [along for _, along in pair]
    places = np.unravel_index(score.reshape(-1, *score.shape[2:]).argmax(axis=0), score.shape[:2])
    lines = [
        np.take_along_axis(score, places[1 - axis][None, None], axis=1 - axis).squeeze(1 - axis)
        for axis in (0, 1)
    ]
    return list(places), lines


def type_estimates(fit: Fit) -> pd.DataFrame:
    """Probability of each type for each subject.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    DataFrame
        Columns model, role, subject, type, probability; empty for a model without types.
    """
    columns = ["model", "role", "subject", "type", "probability"]
    if not fit.model.types:
        return pd.DataFrame(columns=columns).astype({"probability": float})
    chances = type_probabilities(fit.draws(1000)).mean(axis=0)
    return pd.DataFrame(
        {
            "model": fit.model.name,
            "role": fit.model.role,
            "subject": np.repeat(fit.units.subjects, len(fit.model.types)),
            "type": np.tile(fit.model.types, len(fit.units.subjects)),
            "probability": chances.ravel(),
        }
    )
