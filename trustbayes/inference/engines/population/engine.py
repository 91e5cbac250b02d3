"""The population engine: tables, the mode, and how good the rule of integration is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pymc as pm
from threadpoolctl import threadpool_limits

from trustbayes.errors import Fault, InputError
from trustbayes.games import Game
from trustbayes.inference.engines.population.density import PopulationDensity, highest_point
from trustbayes.inference.engines.population.finite_tables import finite_tables
from trustbayes.inference.engines.population.graph import Graph, graph_of
from trustbayes.inference.engines.population.habits import HabitMarginal, is_habitual
from trustbayes.inference.engines.population.layout import Layout, layout_of
from trustbayes.inference.engines.population.marginal import Marginal, PopulationValue
from trustbayes.inference.engines.population.point_tables import point_tables
from trustbayes.inference.engines.population.rule import Neighbourhood, Rule
from trustbayes.inference.engines.population.sharpened_habits import habit_of
from trustbayes.inference.gate import INTEGRATION_ERROR
from trustbayes.models.model import Model
from trustbayes.trials.table import Trials
from trustbayes.trials.units import Units

__all__ = [
    "Integration",
    "Prepared",
    "build_population",
    "fitting_layout",
    "prepare",
    "prepare_units",
]

MOST_BEYOND = 0.01
"""Which share of draws may lie beyond the tables."""

_PILOTS = (256, 2048)  # subjects at most; the second where there are several times as many
_SEVERAL = 4
_SHRUNK = 0.3  # of a pilot's spread: tables for all it holds are too wide
_CHECKED = 64  # subjects at most
_LOOKED_AT = 500  # draws
_REFINED = 3  # times at most
_AROUND = 4.0  # posterior standard deviations that tables reach
_REACH = 8.0  # the same for exposures
_SHIFT = 0.31  # of a step, for the check
_SINGLE = 20_000  # subjects from which on tables are in single precision


@dataclass(frozen=True)
class Integration:
    """How subjects' parameters are integrated out, and the error that this makes.

    Parameters
    ----------
    rule : str
        In words.
    nodes : float
        Mean number of nodes of a subject and type.
    error : float
        By how many posterior standard deviations the mean of a parameter of the population would
        move at most if the step were halved and the grid shifted, at this number of subjects.
    refinements : int
        How often the step was halved before this was small enough.
    megabytes : float
        Of the tables.
    nats : float
        By how much a subject's log likelihood would change at most, at the mode, in nats.
    beyond : float
        Share of the draws in which some exposure lies beyond the tables, which hold what it does
        constant there.
    """

    rule: str
    nodes: float
    error: float
    refinements: int
    megabytes: float
    nats: float = 0.0
    beyond: float = 0.0

    @property
    def fine(self) -> bool:
        """Whether error and draws beyond the tables are fewer than allowed."""
        return self.error < INTEGRATION_ERROR and self.beyond < MOST_BEYOND


@dataclass(frozen=True, eq=False)
class Prepared:
    """A model of the population with all that is needed to sample it.

    Parameters
    ----------
    layout : Layout
    graph : Graph
    density : PopulationDensity
    mode : array, shape (size,)
    covariance : array, shape (size, size)
        From the curvature at the mode.
    integration : Integration
    seconds : mapping of str to float
    """

    layout: Layout
    graph: Graph
    density: PopulationDensity
    mode: np.ndarray
    covariance: np.ndarray
    integration: Integration
    seconds: Mapping[str, float]

    @property
    def marginal(self) -> Marginal:
        """The likelihood of the trials."""
        assert self.graph.operator.marginal is not None
        return self.graph.operator.marginal

    def population(self, point: np.ndarray) -> PopulationValue:
        """The population at a point of the sampler."""
        return self.graph.operator.population(self.density.inputs(point))

    def share_beyond(self, points: np.ndarray) -> float:
        """Share of points, shape (points, size), with an exposure that no table reaches."""
        sources = self.marginal.sources
        if not sources:
            return 0.0
        some = points[:: max(1, len(points) // _LOOKED_AT)]
        exposures = [self.population(point).exposures for point in some]
        beyond = [any(s.knots.outside(x[s.name]).any() for s in sources) for x in exposures]
        return float(np.mean(beyond))


def build_population(model: Model, trials: Trials) -> pm.Model:
    """The PyMC model of a population, subjects' own parameters integrated out.

    Parameters
    ----------
    model : Model
    trials : Trials

    Returns
    -------
    pymc.Model
        The population's parameters with their priors, under the names that
        `trustbayes.Model.build` gives them, and the potential ``log_likelihood``. Whatever PyMC
        has may be added.

    Raises
    ------
    InputError
        If a prior is Python code or ties subjects together, the trials lack the model's role, or
        are of another kind of game.

    Examples
    --------
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, tb.read_game(data.game))
    >>> built = build_population(tb.LevelK("sender"), trials)
    >>> sorted(variable.name for variable in built.free_RVs)
    ['level_share', 'response_precision_mean', 'response_precision_shape']
    """
    return prepare(model, trials).graph.model


def prepare(model: Model, trials: Trials) -> Prepared:
    """As `build_population`, with all that is needed to sample."""
    model.check_kind(trials.game)
    if model.role not in trials.roles:
        raise InputError(Fault(trials.source, "", f"trials of the {model.role}"))
    return prepare_units(model, trials.game, model.fold(trials))


def prepare_units(model: Model, game: Game, units: Units) -> Prepared:
    """As `prepare`, from the trials of the model's role."""
    started = time.perf_counter()
    layout = fitting_layout(model, game, units)
    graph = graph_of(layout)
    density = PopulationDensity(graph.model, graph.inputs)
    ready = time.perf_counter()
    prepared = Prepared(
        layout=layout,
        graph=graph,
        density=density,
        mode=density.start,
        covariance=np.eye(density.size),
        integration=Integration("", 0.0, np.inf, 0, 0.0),
        seconds={},
    )
    marginal: Callable[..., Any] = _habitual if is_habitual(layout) else _tabulated
    with threadpool_limits(limits=1, user_api="blas"):  # products are small: threads would wait
        prepared = _settled(prepared, marginal)
    seconds = {"model": ready - started, "tables": time.perf_counter() - ready}
    return replace(prepared, seconds=seconds)


def fitting_layout(model: Model, game: Game, units: Units) -> Layout:
    """Take a model and its trials apart, if the engine can fit it.

    Raises
    ------
    InputError
        If it cannot; with the reason and the engine that can.
    """
    model = model.fixed_to(units)
    layout = layout_of(model, game, model.with_named_covariates(units))
    wide = [effect.name for effect in layout.effects if effect.parameter.option]
    if wide and not is_habitual(layout) and habit_of(layout) is None:
        [name] = wide
        expected = (
            'method="nuts": habits of subjects are integrated out only where they alone decide'
        )
        raise InputError(Fault(f"population engine, {name}", str(model.varies[name]), expected))
    return layout


def _tabulated(
    layout: Layout, rule: Rule, near: Neighbourhood | None = None, dtype: Any = float
) -> Marginal:
    tabulate = point_tables if layout.units.continuous else finite_tables
    return Marginal(layout, tabulate(layout, rule, near, dtype))


def _habitual(
    layout: Layout, rule: Rule, near: Neighbourhood | None = None, dtype: Any = float
) -> HabitMarginal:
    if near is None:
        return HabitMarginal(layout, rule)
    spread = max(p.shape[0]["sigma"] for p in (near.centre, *near.around))
    heavy = 1.0 if layout.effects[0].family.normal else 2.0
    return HabitMarginal(layout, rule, heavy * max(spread, 0.5))


def _settled(prepared: Prepared, marginal: Callable[..., Any]) -> Prepared:
    """Find the mode by a pilot, tabulate round it, and refine until the error is small."""
    layout, operator, density = prepared.layout, prepared.graph.operator, prepared.density
    widest = max((len(layout.active(kind)) for kind in layout.kinds), default=0)
    coarse = Rule(step=0.5 if widest < 3 else 1.0, knots=1.0)
    mode, near = density.start, None
    for size in _PILOTS:
        if near is not None and layout.subjects < _SEVERAL * size:
            break
        some = _some(layout, size)
        pilot = layout.of_subjects(some) if some.size < layout.subjects else layout
        operator.marginal = marginal(pilot, coarse, near)
        mode, covariance = highest_point(density, mode)
        near = neighbourhood(prepared, mode, covariance)
    rule = Rule(step=0.25 if widest < 3 else 0.5)
    checked = layout.of_subjects(_some(layout, _CHECKED))
    dtype = np.float32 if layout.subjects >= _SINGLE else float
    refinements = 0
    while True:
        near = neighbourhood(prepared, mode, covariance)
        operator.marginal = marginal(layout, rule, near, dtype)
        pilot_spread = np.sqrt(np.diag(covariance))
        before, (mode, covariance) = mode, highest_point(density, mode)
        far = np.abs(mode - before) > 0.5 * _AROUND * pilot_spread
        if (far | (np.sqrt(np.diag(covariance)) < _SHRUNK * pilot_spread)).any():
            near = neighbourhood(prepared, mode, covariance)
            operator.marginal = marginal(layout, rule, near, dtype)
            mode, covariance = highest_point(density, mode)
        error, nats = _error(prepared, checked, marginal, rule, near, mode, covariance)
        if error < INTEGRATION_ERROR or refinements == _REFINED:
            break
        rule, refinements = rule.finer(), refinements + 1
    integration = Integration(
        rule=f"even grids of step {rule.step:g}, nodes within e^-{rule.cut:g} of the highest",
        nodes=operator.marginal.nodes,
        error=error,
        refinements=refinements,
        megabytes=operator.marginal.megabytes,
        nats=nats,
    )
    return replace(prepared, mode=mode, covariance=covariance, integration=integration)


def neighbourhood(
    prepared: Prepared, mode: np.ndarray, covariance: np.ndarray, reach: float = _REACH
) -> Neighbourhood:
    """The populations that the posterior may hold, from its mode and curvature there."""
    spread = np.sqrt(np.diag(covariance))
    centre = prepared.population(mode)
    moves = _AROUND * covariance / spread  # to where one coordinate is far and the others follow
    around = [prepared.population(mode + sign * move) for move in moves.T for sign in (-1, 1)]
    factor = np.linalg.cholesky(covariance)
    moved = [prepared.population(mode + 0.5 * column).exposures for column in factor.T]
    low, high = {}, {}
    for name, values in centre.exposures.items():
        slope = np.array([2 * (one[name] - values) for one in moved])
        far = reach * np.sqrt((slope**2).sum(axis=0))
        low[name], high[name] = values - far, values + far
    return Neighbourhood(centre, around, low, high)


def _error(
    prepared: Prepared,
    layout: Layout,
    marginal: Callable[..., Any],
    rule: Rule,
    near: Neighbourhood,
    mode: np.ndarray,
    covariance: np.ndarray,
) -> tuple[float, float]:
    """How far a rule of half the step on a shifted grid would move the posterior's means.

    To first order: the difference of gradients at the mode, times the posterior's covariance.
    And by how many nats it would change a subject's log likelihood there, at most.
    """
    operator, density = prepared.graph.operator, prepared.density
    kept, slopes, logs = operator.marginal, [], []
    finer = replace(rule.finer(), shift=_SHIFT)
    try:
        for each in (rule, finer):
            operator.marginal = marginal(layout, each, near)
            slopes.append(density(mode)[1])
            logs.append(prepared.marginal.by_subject(prepared.population(mode)))
    finally:
        operator.marginal = kept
    difference = (slopes[1] - slopes[0]) * prepared.layout.subjects / layout.subjects
    moved = covariance @ difference
    nats = float(np.abs(logs[1] - logs[0]).max(initial=0.0))
    return float(np.abs(moved / np.sqrt(np.diag(covariance))).max()), nats


def _some(layout: Layout, most: int) -> np.ndarray:
    """Positions of some of the subjects, the same every time."""
    if layout.subjects <= most:
        return np.arange(layout.subjects)
    rng = np.random.default_rng(layout.subjects)
    return np.sort(rng.choice(layout.subjects, most, replace=False))
