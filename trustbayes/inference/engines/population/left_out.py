"""Predict people from all others, where weights of a fit's draws cannot be relied on.

Without somebody who is unlike all others the posterior lies elsewhere, and of the draws of a fit
too few are there. The tables hold everybody's likelihood, hers included: proposals learn where the
posterior without her lies, and predict her. Where the tables do not serve that posterior they are
made anew, for all such posteriors together.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from trustbayes.inference.engines.population.comparison import AIM, Comparison
from trustbayes.inference.engines.population.engine import Prepared, neighbourhood, tabulated
from trustbayes.inference.engines.population.marginal import PopulationValue
from trustbayes.inference.engines.population.proposals import (
    Adapted,
    Proposal,
    adapted,
    effective,
)
from trustbayes.inference.engines.population.sampler import evaluated
from trustbayes.inference.gate import GOOD_K
from trustbayes.numerics.arrays import log_sum_exp
from trustbayes.numerics.pareto import pareto_k

__all__ = ["LeftOut", "left_out", "predicted", "units_of", "without"]

_LEAST = 2000
"""Draws of a fit from which on it is asked who is to be left out: shorter ones only try things."""
_DOUBTFUL = 0.6
"""Pareto k of someone's weights above which she is left out: by other draws it may be above what is
reliable."""
_EFFICIENCIES = (1.0, 0.5, 0.25)
"""Shares of draws that may be effective where she is left out by importance sampling: the more they
resemble each other, the longer is the tail that Pareto k is asked of."""
_THINNED = 1000  # draws for that, and draws without someone whose populations are to be served
_COMPARED = 16  # of each posterior, at which integrals are compared
_REFINED = 10
"""Times at most that tables are made finer: each time the posterior without someone turns out to
reach further. Five times are too few for most whom others resemble little, ten for one of them."""
_MOST = 8  # people, or groups, of a fit: those of the largest Pareto k
_FINAL = 2000  # proposals by which someone is predicted
_EFFECTIVE = 400  # of these: the gate's number
_TRIES = 5
_HEAVY = 0.005
"""Share of the largest weight below which Pareto k is not asked for: where k is .6 it is some .025
of a thousand weights, .015 of four thousand."""


@dataclass(frozen=True)
class LeftOut:
    """What the posterior without someone, or without a matching group, says of their trials.

    Parameters
    ----------
    elpd : float
        Log density of all their trials given those of all others, in nats.
    error : float
        Standard error of it by the finite number of draws, in nats.
    pareto_k : float
        Of the weights of the draws.
    effective : float
        Number of draws that they are worth.
    """

    elpd: float
    error: float
    pareto_k: float
    effective: float


class _Nobody:
    """Tables of no one."""

    def reaches(self, population: PopulationValue) -> bool:
        return True

    def by_subject(self, population: PopulationValue) -> np.ndarray:
        return np.zeros(0)


_NOBODY: Any = _Nobody()


def units_of(prepared: Prepared) -> dict[str, tuple[str, ...]]:
    """Who can be left out: subjects, and matching groups unless these have effects of their own.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    dict of str to tuple of str
        By unit, "subject" or "group", the label of each subject's.
    """
    units, model = prepared.layout.units, prepared.layout.model
    labels = {"subject": units.subjects}
    grouped = any(formula.grouped for formula in model.formulas.values())
    if units.groups is not None and len(set(units.groups)) > 1 and not grouped:
        labels["group"] = units.groups
    return labels


def left_out(
    prepared: Prepared, points: np.ndarray, logs: np.ndarray, seed: int
) -> dict[str, dict[str, LeftOut]]:
    """Leave out, one at a time, whom importance sampling cannot leave out.

    Parameters
    ----------
    prepared : Prepared
    points : array, shape (draws, size)
        From the posterior.
    logs : array, shape (draws, subjects)
        Log likelihood of each subject's trials given the draw of the population.
    seed : int

    Returns
    -------
    dict of str to dict of str to LeftOut
        By unit and label; of those only whom the draws without them predict as exactly as the gate
        asks for, by tables that serve those draws, and of no more than a few: the most doubtful.

    References
    ----------
    Cornuet et al. (2012), Scandinavian Journal of Statistics 39(4), for proposals that learn;
    Vehtari et al. (2024), Journal of Machine Learning Research 25(72), for Pareto k.
    """
    if len(points) < _LEAST:
        return {}
    doubtful = _doubtful(prepared, logs)
    if not doubtful:
        return {}
    rngs = {key: np.random.default_rng([seed, number]) for number, key in enumerate(doubtful)}
    starts = {}
    for key, members in doubtful.items():
        own = logs[:, members].sum(axis=1)
        starts[key] = Proposal.fitted_to(points, own.min() - own, rngs[key])
    for refinements in range(_REFINED + 1):
        states = {k: without(prepared, m, starts[k], rngs[k]) for k, m in doubtful.items()}
        found = [(states[key], members, rngs[key]) for key, members in doubtful.items()]
        finer, fine = _finer(prepared, points, found)
        if finer is None or refinements == _REFINED:
            break
        prepared, starts = finer, {key: state.proposal for key, state in states.items()}
    made: dict[str, dict[str, LeftOut]] = {}
    for key, good in zip(doubtful, fine, strict=True):
        prediction = predicted(prepared, doubtful[key], states[key], rngs[key]) if good else None
        if prediction is not None:
            made.setdefault(key[0], {})[key[1]] = prediction
    return made


def _finer(
    prepared: Prepared,
    points: np.ndarray,
    found: list[tuple[Adapted, np.ndarray, np.random.Generator]],
) -> tuple[Prepared | None, list[bool]]:
    """Tables that serve posteriors without some, None if those there are do; and whom they serve.

    A constant error bears on no posterior, but on what is said of those who were left out, so that
    it is the errors' standard deviation over posteriors with and without them that counts.
    """
    whole = points[:: 1 + len(points) // _COMPARED]
    some, reached = [whole], [points[:: 1 + len(points) // _THINNED]]
    absent = [np.zeros((len(whole), prepared.layout.subjects), dtype=bool)]
    for state, members, rng in found:
        some.append(state.resampled(_COMPARED, rng))
        absent.append(np.tile(members, (_COMPARED, 1)))
        reached.append(state.resampled(_THINNED, rng))
    compared = np.concatenate(some)
    wide = neighbourhood(prepared, np.concatenate(reached), compared)
    check = Comparison(prepared, compared, wide, np.concatenate(absent))
    scale = prepared.layout.subjects / check.layout.subjects
    off = scale * check.gaps(prepared.rule, prepared.near).sum(axis=1)
    parts = off[len(whole) :].reshape(len(found), _COMPARED)
    fine = [bool(np.concatenate([off[: len(whole)], part]).std() < AIM) for part in parts]
    if all(fine):
        return None, fine
    coarse = check.error(prepared.rule, wide)[0] >= AIM
    rule = check.finer(prepared.rule) if coarse else prepared.rule
    return tabulated(replace(prepared, rule=rule, near=wide)), fine


def _doubtful(prepared: Prepared, logs: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Whom weights of any thousand draws do not leave out reliably: members by unit and label."""
    apart = max(1, len(logs) // _THINNED)
    doubtful: dict[tuple[str, str], np.ndarray] = {}
    for unit, labels in units_of(prepared).items():
        codes, names = pd.factorize(np.array(labels, dtype=object))
        weights = np.zeros((len(names), len(logs)))
        np.add.at(weights, codes, -logs.T)
        largest = np.exp(weights.max(axis=1) - log_sum_exp(weights))
        tails = {
            at: max(
                pareto_k(weights[at, start::apart], efficiency)
                for start in range(apart)
                for efficiency in _EFFICIENCIES
            )
            for at in np.flatnonzero(largest > _HEAVY).tolist()
        }
        worst = sorted(tails, key=tails.__getitem__, reverse=True)[:_MOST]
        doubtful |= {
            (unit, str(names[at])): codes == at for at in sorted(worst) if tails[at] > _DOUBTFUL
        }
    return doubtful


def without(
    prepared: Prepared, members: np.ndarray, start: Proposal, rng: np.random.Generator
) -> Adapted:
    """Find the posterior without some people, by the tables that there are.

    Parameters
    ----------
    prepared : Prepared
    members : array of bool, shape (subjects,)
    start : Proposal
    rng : numpy.random.Generator

    Returns
    -------
    Adapted
    """
    return adapted(lambda points: _evaluated(prepared, members, points)[0], start, rng)


def predicted(
    prepared: Prepared, members: np.ndarray, state: Adapted, rng: np.random.Generator
) -> LeftOut | None:
    """Predict people by the posterior without them, if proposals do that reliably.

    Parameters
    ----------
    prepared, members, rng
        As for `without`.
    state : Adapted
        What it found.

    Returns
    -------
    LeftOut or None
    """
    for _ in range(_TRIES):
        # What predicts them weighs most where the posterior with them lies.
        state = replace(state, proposal=state.proposal.mixed_with(prepared.adapted.proposal))
        drawn = state.proposal.draw(rng, _FINAL)
        values, own = _evaluated(prepared, members, drawn)
        made = _mean_likelihood(values - state.proposal.log_density(drawn), own)
        if made.pareto_k < GOOD_K and made.effective >= _EFFECTIVE:
            return made
        state = state.learning_from(drawn, values, rng)
    return None


def _evaluated(
    prepared: Prepared, members: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Log density without some, and the log likelihood of their trials; shape (points,) each."""
    marginal, operator, size = prepared.marginal, prepared.graph.operator, len(points)
    values, own = np.full(size, -np.inf), np.zeros(size)

    def some(rows: np.ndarray) -> None:
        for row in rows.tolist():
            population = prepared.population(points[row])
            if marginal.reaches(population):
                logs = marginal.by_subject(population)
                values[row], own[row] = logs[~members].sum(), logs[members].sum()

    workers = min(os.cpu_count() or 1, size)
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        list(pool.map(some, np.array_split(np.arange(size), workers)))
    operator.marginal = _NOBODY  # what is left of the density is the prior
    try:
        values += evaluated(prepared.density, points)
    finally:
        operator.marginal = marginal
    return values, own


def _mean_likelihood(weights: np.ndarray, own: np.ndarray) -> LeftOut:
    """Mean likelihood of people by draws of such log weights, their log likelihoods being given."""
    with_them = weights + own
    mean = log_sum_exp(with_them) - log_sum_exp(weights)
    shares = np.exp(weights - log_sum_exp(weights))
    error = np.sqrt((shares**2 * np.expm1(own - mean) ** 2).sum())
    least = min(effective(weights), effective(with_them)) * own.size
    k = max(pareto_k(weights), pareto_k(with_them))
    return LeftOut(float(mean), float(error), k, float(least))
