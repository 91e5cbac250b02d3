"""How much the data say about each subject's parameters, from a fit without subjects.

The sampler's parametrisation follows the data: subjects whose trials say more about a parameter
than the population does are sampled in the centred form, others in the non-centred form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize

from trustbayes.cells import Units
from trustbayes.games import Game
from trustbayes.models.hierarchy import LINKS
from trustbayes.models.response import log_sum_exp
from trustbayes.models.values import Values
from trustbayes.priors import Prior

if TYPE_CHECKING:
    from trustbayes.models.model import Model

__all__ = ["Information", "pilot", "prior_centre"]

_STEP = 1e-4
_TYPICAL_SPREAD = 1.0


@dataclass(frozen=True)
class Information:
    """What the pilot found, by parameter.

    Parameters
    ----------
    weights : mapping of str to array, shape (subjects, treatments)
        Share of each treatment in what is known of a subject's value; rows add up to one.
    form : mapping of str to "centred" or "non-centred"
    """

    weights: Mapping[str, np.ndarray]
    form: Mapping[str, str]


def pilot(model: Model, units: Units, game: Game) -> Information:
    """Weigh what each subject's trials say about each parameter.

    All subjects are given the same values, found by maximum a posteriori; there the expected
    (Fisher) information of each unit's trials is worked out by differences on the scale of the
    link. A parameter is centred if, for the median subject, the information times a typical
    population variance (1 on the link scale) exceeds one.

    Parameters
    ----------
    model : Model
    units : Units
    game : Game

    Returns
    -------
    Information
    """
    names = [p.name for p in model.parameters if p.support != "simplex" and p.option is None]
    linked = [n for n in names if model.priors[n].hierarchical]
    fixed = {n: _typical(model.priors[n]) for n in names if n not in linked}
    counts = len(units.treatments)
    size = {n: counts if "treatment" in model.varies[n] else 1 for n in linked}
    start = np.array([prior_centre(model.priors[n]) for n in linked for _ in range(size[n])])

    def values(point: np.ndarray) -> Values:
        arrays: dict[str, Any] = {n: np.asarray(v) for n, v in fixed.items()}
        dims: dict[str, tuple[str, ...]] = dict.fromkeys(fixed, ())
        for n, part in zip(linked, _split(point, list(size.values())), strict=True):
            natural = LINKS[model.priors[n].distribution].inverse(part)
            shared = "treatment" in model.varies[n]
            arrays[n], dims[n] = (natural, ("treatment",)) if shared else (natural[0], ())
        return Values(arrays, dims, units)

    typed, response = bool(model.types), model.response(game)

    def at(point: np.ndarray) -> tuple[Any, Values]:
        found = values(point)
        return model.answer(game, found), found

    def loss(point: np.ndarray) -> float:
        logs, subject = response.log_likelihood(units, *at(point), typed)
        if typed:
            by_subject = np.zeros((len(units.subjects), logs.shape[-1]))
            np.add.at(by_subject, subject, logs)
            logs = log_sum_exp(by_subject)
        return float(-logs.sum() + 0.5 * ((point - start) ** 2).sum() / 4)

    shape = (len(units.subjects), counts)
    weights = {p.name: _trial_weights(units, shape) for p in model.parameters}
    form = {p.name: "centred" for p in model.parameters}
    if not linked:
        return Information(weights, form)
    if any(p.option for p in model.parameters):
        return Information(weights, form)
    found = minimize(loss, start, method="L-BFGS-B", bounds=[(-8, 8)] * start.size).x
    begin = 0
    for n in linked:
        step = np.zeros_like(found)
        step[begin : begin + size[n]] = _STEP
        begin += size[n]
        fisher = response.information(units, at(found + step), at(found - step), _STEP, typed)
        table = np.zeros(shape)
        np.add.at(table, (units.unit_subject, units.unit_treatment), fisher)
        total = table.sum(axis=1)
        known = total > 1e-12
        weights[n] = np.where(
            known[:, None], table / np.where(known, total, 1)[:, None], weights[n]
        )
        informed = np.median(total) * _TYPICAL_SPREAD**2 > 1
        form[n] = "centred" if informed else "non-centred"
    return Information(weights, form)


def _split(point: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    return np.split(point, np.cumsum(sizes)[:-1])


def _trial_weights(units: Units, shape: tuple[int, int]) -> np.ndarray:
    trials = np.zeros(shape)
    np.add.at(trials, (units.unit_subject, units.unit_treatment), units.trials_per_unit)
    return trials / trials.sum(axis=1, keepdims=True)


def prior_centre(prior: Prior) -> float:
    """Where the hyperprior of a population's location stands, on the scale of the link."""
    hyper = prior.arguments[str(prior.family.location)]
    if isinstance(hyper, tuple):
        return float(
            np.mean(LINKS["Gamma"].forward(hyper) if prior.distribution == "Gamma" else hyper)
        )
    if prior.distribution == "Gamma":
        return float(np.log(_typical(hyper)))
    return _typical(hyper)


def _typical(prior: Prior) -> float:
    """A middling value of a prior, its own arguments being at theirs."""
    arguments = {
        name: _typical(value) if isinstance(value, Prior) else value
        for name, value in prior.arguments.items()
    }
    if prior.distribution in ("Normal", "StudentT"):
        return float(arguments["mu"])
    if prior.distribution == "LogNormal":
        return float(np.exp(arguments["mu"]))
    if prior.distribution == "LogitNormal":
        return float(LINKS["LogitNormal"].inverse(arguments["mu"]))
    if prior.distribution == "Gamma":
        return float(arguments["mean"])
    if prior.distribution == "Beta":
        return float(arguments["alpha"] / (arguments["alpha"] + arguments["beta"]))
    if prior.distribution == "HalfNormal":
        return float(0.67 * arguments["sigma"])
    return float(np.log(2) / arguments["lam"])
