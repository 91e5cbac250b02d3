"""What draws of a population say about the trials of a subject who is new to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trustbayes.inference.marginal.adaptation import adapted, coordinates
from trustbayes.inference.marginal.placement import Site, rules, site
from trustbayes.inference.marginal.population import Population
from trustbayes.inference.marginal.sources import Interpolant
from trustbayes.models.draws import Draws
from trustbayes.numerics.arrays import log_total
from trustbayes.numerics.hermite import hermite_means
from trustbayes.numerics.quadrature import Rule
from trustbayes.numerics.spacing import spaced

__all__ = ["MOMENTS", "NewSubject", "new_subject_log_likelihood"]

MOMENTS = 64
"""Hermite polynomials whose means are taken, those of degrees below it."""

_BUDGET = 16 * 2**20  # bytes of the largest array of a slice of draws
_TOLERANCE = {True: 0.02, False: 0.1}  # mean error of a log likelihood, by quadrature and sampling
_WORST = {True: 0.15, False: 0.3}  # above it, the draw and subject get a rule of their own
_CHECKED = 8  # draws at which interpolation is checked
_TINY = np.finfo(float).tiny


@dataclass(frozen=True, eq=False)
class NewSubject:
    """Log likelihood of each subject's trials given the population only.

    Parameters
    ----------
    log_likelihood : array, shape (draws, subjects)
        In nats; minus infinity where the trials are impossible.
    error : array, shape (draws, subjects)
        Estimated absolute error of the integration, in nats.
    moments : array, shape (moments, draws, subjects)
        Means of scaled Hermite polynomials, see `trustbayes.numerics.hermite`, of one effect of
        the subject in units of the population's spread, given a draw and her trials; of
        length 0 where none was asked for.
    """

    log_likelihood: np.ndarray
    error: np.ndarray
    moments: np.ndarray


def new_subject_log_likelihood(draws: Draws, moments_of: str = "") -> NewSubject:
    r"""Log likelihood of each subject's trials, her own parameters integrated out.

    .. math:: \log p(y_i \mid \vartheta_s) = \log \sum_k w_{ks} \int p(y_i \mid k, \theta,
              \vartheta_s)\, p(\theta \mid \vartheta_s)\, d\theta

    for every draw s of the population's variables and, in a model with types, the shares w of the
    types k. Draws of subjects' own parameters are never used, so the subjects need not be those
    of the fit. Up to two parameters of a subject are integrated out by a trapezoidal rule that is
    placed anew for each subject, type and draw, more of them (habits) by importance sampling from
    a Student's t. The error is measured by comparing parts of the rule and by what lies at its
    edge; subjects whose error is too large get more nodes.

    Parameters
    ----------
    draws : Draws
        From a posterior or a prior; its units hold the subjects to be predicted, in treatments
        that the draws know.
    moments_of : str
        A parameter of subjects, normal on the scale of its link, whose moments are wanted.

    Returns
    -------
    NewSubject

    Raises
    ------
    ValueError
        If a treatment is unknown to the draws, or a prior ties each subject to all others; an
        InputError if a prior of subjects is Python code.

    References
    ----------
    Naylor and Smith (1982), Applied Statistics 31(3), for rules placed by moments; Merkle, Furr
    and Rabe-Hesketh (2019), Psychometrika 84(3), for why the prediction of new subjects needs the
    marginal likelihood.

    Examples
    --------
    >>> import trustbayes as tb
    >>> from trustbayes.models.draws import prior_draws
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, tb.read_game(data.game))
    >>> model = tb.LevelK("sender")
    >>> draws = prior_draws(model, trials.game, trials.fold("sender"), size=3, seed=1)
    >>> new = new_subject_log_likelihood(draws)
    >>> new.log_likelihood.shape, bool(new.error.max() < 0.01)
    ((3, 32), True)
    """
    population = Population.of(draws.model, draws.game, draws.units, draws.data)
    reference = population.mean()
    type_indices: list[int | None] = [*range(len(draws.model.types))] or [None]
    shape = (len(type_indices), draws.size, len(draws.units.subjects))
    logs, errors = np.empty(shape), np.empty(shape)
    moments = np.empty((len(type_indices), MOMENTS if moments_of else 0, *shape[1:]))
    sites = [site(population, reference, type_index) for type_index in type_indices]
    ladders = [rules(each) for each in sites]
    for k, (each, ladder) in enumerate(zip(sites, ladders, strict=True)):
        _take(
            (logs[k], errors[k], moments[k]),
            _integrate(population, reference, each, *ladder[0], moments_of),
        )
    share = np.moveaxis(draws.log_shares, -1, 0) if draws.model.types else 0.0
    for step in range(1, max(len(ladder) for ladder in ladders)):
        weight = _proportion(share + logs)
        for k, (each, ladder) in enumerate(zip(sites, ladders, strict=True)):
            if step >= len(ladder):
                continue
            rough = (weight[k] * errors[k]).mean(axis=0) > _TOLERANCE[each.width < 3]
            keep = np.flatnonzero(rough)
            if keep.size:
                parts = (population.of_subjects(keep), reference.of_subjects(keep))
                improved = _integrate(*parts, each.of_subjects(keep), *ladder[step], moments_of)
                place = (np.arange(draws.size), keep)
                _improve((logs[k], errors[k], moments[k]), place, improved)
    weight = _proportion(share + logs)
    for k, (each, ladder) in enumerate(zip(sites, ladders, strict=True)):
        rough = weight[k] * errors[k] > _WORST[each.width < 3]
        rows, keep = np.flatnonzero(rough.any(axis=1)), np.flatnonzero(rough.any(axis=0))
        if each.width and keep.size:
            part = population.of_draws(rows).of_subjects(keep)
            improved = _integrate_anew(part, each.of_subjects(keep), ladder[-1][0], moments_of)
            _improve((logs[k], errors[k], moments[k]), (rows, keep), improved)
    total = share + logs
    weight = _proportion(total)
    error = (weight * errors).sum(axis=0)
    return NewSubject(
        log_total(total, axis=0),
        np.where(np.isneginf(total).all(axis=0), 0.0, error),
        np.einsum("kds,knds->nds", weight, moments),
    )


_Parts = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Logs and errors, shape (draws, subjects), and moments, shape (moments, draws, subjects)."""


def _take(into: _Parts, parts: _Parts) -> None:
    for old, new in zip(into, parts, strict=True):
        old[...] = new


def _improve(into: _Parts, place: tuple[np.ndarray, np.ndarray], improved: _Parts) -> None:
    """Take over, in place, what has a smaller error, for some draws and subjects."""
    where = np.ix_(*place)
    better = improved[1] < into[1][where]
    for old, new in zip(into, improved, strict=True):
        old[(..., *where)] = np.where(better, new, old[(..., *where)])


def _proportion(logs: np.ndarray) -> np.ndarray:
    """Exp of the logs, made to add up to one over the first axis."""
    weights = np.exp(logs - np.maximum(logs.max(axis=0), -1e300))
    return weights / np.maximum(weights.sum(axis=0), _TINY)


def _integrate(
    population: Population,
    reference: Population,
    site: Site,
    rule: Rule,
    common: bool,
    moments_of: str,
) -> _Parts:
    """Log integral, its error and an effect's moments under one type.

    Parameters
    ----------
    population, reference : Population
    site : Site
    rule : Rule
    common : bool
        Whether the nodes are the same for all draws, so that the likelihood is worked out once.
    moments_of : str
        Empty if none are wanted.
    """
    subjects, nodes = len(population.units.subjects), rule.nodes.shape[1]
    width = 1 if common else max(1, population.width)
    step = max(1, _BUDGET // (8 * subjects * nodes * width))
    results = np.empty((2, population.size, subjects))
    moments = np.empty((MOMENTS if moments_of else 0, population.size, subjects))
    if common:
        at, volume = _common_nodes(population, reference, site, rule)
        likelihood = _shared_likelihood(population, reference, site, at)
    for start in range(0, population.size, step):
        rows = slice(start, min(start + step, population.size))
        if not common:
            at, volume = _nodes_by_draw(population, site, rule, rows)
        logs = likelihood(rows) if common else population.log_likelihood(at, rows, site.type_index)
        logs = _weighted(population, site, rule, rows, at, volume, logs)
        results[:, rows] = _sum(logs, rule)
        if moments_of:
            moments[:, rows] = _moments(population, site, rows, at, logs, moments_of)
    if common and site.sources:
        results[1] += _interpolation_error(population, site, rule, at, volume, likelihood)
    return results[0], results[1], moments


def _moments(
    population: Population, site: Site, rows: slice, at: np.ndarray, logs: np.ndarray, name: str
) -> np.ndarray:
    """Means of Hermite polynomials of an effect, shape (moments, rows, subjects)."""
    [(effect, place)] = [
        (effect, place)
        for effect, place in zip(population.effects, population.places(), strict=True)
        if effect.parameter.name == name
    ]
    if not site.active[place].any():  # the trials say nothing: the population's own, 1, 0, 0, ...
        return np.eye(MOMENTS, 1)[..., None] * np.ones(logs[:, 0].shape)
    standard = (at[..., place] - effect.middle(rows)) / effect.shape["sigma"][rows]
    return hermite_means(standard[..., 0], _proportion(logs.swapaxes(0, 1)).swapaxes(0, 1), MOMENTS)


def _weighted(
    population: Population,
    site: Site,
    rule: Rule,
    rows: slice,
    at: np.ndarray,
    volume: np.ndarray,
    logs: np.ndarray,
) -> np.ndarray:
    """Logs of the terms whose sum is the integral, shape (rows, nodes, subjects)."""
    sets = np.arange(rows.start, rows.stop) % len(rule.log_weights)
    sets = sets[:1] * 0 if len(at) == 1 else sets
    weights = rule.log_weights[sets][..., None] + volume[:, None]
    return logs + (population.log_density(at, rows, site.active) + weights)


def _shared_likelihood(
    population: Population, reference: Population, site: Site, at: np.ndarray
) -> Callable[[slice], np.ndarray]:
    """Log likelihood at nodes common to all draws, as a function of rows."""
    if site.sources:
        [source] = site.sources
        return Interpolant(population, reference, source, at, site.type_index)
    once = reference.log_likelihood(at, slice(0, 1), site.type_index)
    return lambda rows: once


def _interpolation_error(
    population: Population,
    site: Site,
    rule: Rule,
    at: np.ndarray,
    volume: np.ndarray,
    likelihood: Callable[[slice], np.ndarray],
) -> np.ndarray:
    """Largest error of the log integral by interpolation in a few draws, shape (subjects,)."""
    worst = np.zeros(at.shape[2])
    for row in spaced(population.size, _CHECKED):
        rows = slice(int(row), int(row) + 1)
        pair = [
            _sum(_weighted(population, site, rule, rows, at, volume, logs), rule)[0][0]
            for logs in (likelihood(rows), population.log_likelihood(at, rows, site.type_index))
        ]
        with np.errstate(invalid="ignore"):
            gap = np.abs(pair[0] - pair[1])
        worst = np.maximum(worst, np.where(pair[0] == pair[1], 0.0, np.nan_to_num(gap, nan=1.0)))
    return worst


def _integrate_anew(population: Population, site: Site, rule: Rule, moments_of: str) -> _Parts:
    """As `_integrate`, with the rule placed by moments found for every draw and subject."""
    subjects = len(population.units.subjects)
    step = max(1, _BUDGET // (64 * subjects * rule.nodes.shape[1] * population.width))
    results = np.empty((2, population.size, subjects))
    moments = np.empty((MOMENTS if moments_of else 0, population.size, subjects))
    for start in range(0, population.size, step):
        rows = slice(start, min(start + step, population.size))
        mean, covariance = adapted(population, rows, site.type_index, site.active)
        scale = np.linalg.cholesky(covariance)
        whole = population.moments(rows)[0]
        at = coordinates(whole, site.active, mean, scale, rule, start)
        logs = population.log_likelihood(at, rows, site.type_index)
        logs = _weighted(population, site, rule, rows, at, _log_volume(scale), logs)
        results[:, rows] = _sum(logs, rule)
        if moments_of:
            moments[:, rows] = _moments(population, site, rows, at, logs, moments_of)
    return results[0], results[1], moments


def _sum(logs: np.ndarray, rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    """Log of the sum over nodes, and its error, of logs of shape (rows, nodes, subjects)."""
    top = np.maximum(logs.max(axis=1, keepdims=True), -1e300)
    weights = np.exp(logs - top)
    total = np.maximum(weights.sum(axis=1), _TINY)
    groups = len(rule.groups)
    error = (weights * rule.edge[:, None]).sum(axis=1) / total
    if groups > 1:
        parts = groups * (rule.groups.astype(float) @ weights) / total[:, None]
        error = error + parts.std(axis=1, ddof=1) / np.sqrt(groups)
    with np.errstate(divide="ignore"):
        return np.where(top[:, 0] <= -1e300, -np.inf, np.log(total) + top[:, 0]), error


def _nodes_by_draw(
    population: Population, site: Site, rule: Rule, rows: slice
) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of every draw, and the log volume that its scale takes, shape (rows, subjects)."""
    whole = population.moments(rows)[0] if population.width else _nothing(population, rows)
    if not site.width:
        return coordinates(whole, site.active, whole, whole, rule), np.zeros(whole.shape[:2])
    mean, covariance = site.moments(population, rows)
    scale = np.linalg.cholesky(covariance)
    at = coordinates(whole, site.active, mean, scale, rule, rows.start)
    return at, _log_volume(scale)


def _common_nodes(
    population: Population, reference: Population, site: Site, rule: Rule
) -> tuple[np.ndarray, np.ndarray]:
    """Nodes wide enough for all draws, and the log volume of their scale, shape (1, subjects)."""
    single = slice(0, 1)
    if not site.width:
        return _nodes_by_draw(reference, site, rule, single)
    mean, covariance = site.moments(population, slice(0, population.size))
    centre = mean.mean(axis=0, keepdims=True)
    gap = mean - centre
    between = np.einsum("nsd,nse->sde", gap, gap) / len(gap)
    scale = np.linalg.cholesky(covariance.mean(axis=0, keepdims=True) + between)
    at = coordinates(reference.moments(single)[0], site.active, centre, scale, rule)
    return at, _log_volume(scale)


def _nothing(population: Population, rows: slice) -> np.ndarray:
    return np.zeros((rows.stop - rows.start, len(population.units.subjects), 0))


def _log_volume(scale: np.ndarray) -> np.ndarray:
    return np.log(np.diagonal(scale, axis1=-2, axis2=-1)).sum(axis=-1)
