"""What a fit says of each person: values, intervals, probabilities of types."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from trustbayes.inference.fit import Fit
from trustbayes.models.draws import Draws, type_probabilities
from trustbayes.priors.prior import prior_centre

__all__ = ["subject_estimates", "type_estimates"]


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
        values, estimate = array.to_numpy(), alone.get(parameter.name)
        if "treatment" in array.dims:
            subject, treatment = pairs.T
            values = values[:, subject, treatment]
            labels = np.array(units.treatments)[treatment]
            estimate = estimate[subject, treatment] if estimate is not None else None
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
                    "alone": estimate * factor if estimate is not None else np.nan,
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
    parameters = [
        p for p in model.parameters if p.support in _REACH and "subject" in data[p.name].dims
    ]
    if not parameters or len(parameters) > 2 or any(p.option for p in parameters):
        return {}
    dims = [tuple(map(str, data[p.name].dims[2:])) for p in parameters]
    by_treatment = ["treatment" in over for over in dims]
    if model.types and any(by_treatment):
        return {}
    links = [p.prior.family.link for p in parameters]
    middles = [
        np.full([data.sizes[dim] for dim in over], prior_centre(p.prior))
        for p, over in zip(parameters, dims, strict=True)
    ]
    reach = [_REACH[p.support] for p in parameters]
    flat: list[np.ndarray] = []
    for points in (_COARSE, _FINE):
        steps = [np.linspace(-most, most, points) for most in reach]
        grid = np.meshgrid(*steps, indexing="ij")
        tried = {
            p.name: (over, link.inverse(middle + part.reshape(-1, *(1,) * middle.ndim)))
            for p, over, link, middle, part in zip(
                parameters, dims, links, middles, grid, strict=True
            )
        }
        score = _scores(fit, tried, points ** len(parameters))
        best, lines = _best(score.reshape(*grid[0].shape, *score.shape[1:]), by_treatment)
        flat = flat or [np.ptp(line, axis=0) <= _FLAT for line in lines]
        middles = [middle + step[at] for middle, step, at in zip(middles, steps, best, strict=True)]
        reach = [4 * most / (points - 1) for most in reach]
    return {
        p.name: np.where(nothing, np.nan, link.inverse(value))
        for p, link, value, nothing in zip(parameters, links, middles, flat, strict=True)
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
