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
from trustbayes.inference.engines.population.anchors import sharpness
from trustbayes.inference.engines.population.comparison import (
    AIM,
    SINGLE,
    Comparison,
    some_subjects,
)
from trustbayes.inference.engines.population.density import (
    NoHighestPoint,
    PopulationDensity,
    highest_point,
)
from trustbayes.inference.engines.population.finite_tables import finite_tables
from trustbayes.inference.engines.population.graph import Graph, graph_of
from trustbayes.inference.engines.population.habits import HabitMarginal, is_habitual
from trustbayes.inference.engines.population.layout import Layout, layout_of
from trustbayes.inference.engines.population.marginal import Marginal, PopulationValue
from trustbayes.inference.engines.population.point_tables import point_tables
from trustbayes.inference.engines.population.proposals import Adapted, Proposal, adapted
from trustbayes.inference.engines.population.rule import Neighbourhood, Rule
from trustbayes.inference.engines.population.sampler import evaluated
from trustbayes.inference.engines.population.sharpened_habits import habit_of
from trustbayes.inference.gate import INTEGRATION_ERROR
from trustbayes.models.model import Model
from trustbayes.theories.responses.censored import RESPONSE_NOISE
from trustbayes.trials.table import Trials
from trustbayes.trials.units import Units

__all__ = [
    "Integration",
    "Prepared",
    "build_population",
    "fitting_layout",
    "measured",
    "neighbourhood",
    "prepare",
    "prepare_units",
    "refined",
    "tabulated",
    "untabulated",
]

Tabulate = Callable[..., Any]

_PILOTS = (64, 1024)
"""Subjects at most of what is fitted first; the second where there are twice as many."""

_REFINED = 4
"""Times at most that steps are halved: from .25 to a sixtieth, where nothing a person does in some
hundred trials is sharper."""
_POINTS = 16
"""From all over the posterior, at which integrals are compared: the standard deviation that they
give is good to a sixth."""
_AMONG = 12  # populations that tables serve, besides the extreme ones
_KINKED = 0.125
"""Step, and twice that between knots, where best choices have kinks in what all share, such as
where they reach the end of the range: splines then gain only in proportion to their step."""
_MARGIN = 0.25
"""Beyond what of an exposure is known: of its range, and on the scale of the link."""


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
        No mean of a parameter of the population would move by more posterior standard deviations
        if the grids were twice as fine and shifted, and tables cut off further out, at this number
        of subjects: the standard deviation, over the posterior, of the change in log likelihood.
    refinements : int
        How often the rule was made finer before this was small enough.
    megabytes : float
        Of the tables.
    nats : float
        By how much a subject's log likelihood would change at most, in nats.
    """

    rule: str
    nodes: float
    error: float
    refinements: int
    megabytes: float
    nats: float = 0.0

    @property
    def fine(self) -> bool:
        """Whether the error is smaller than allowed."""
        return self.error < INTEGRATION_ERROR


@dataclass(frozen=True, eq=False)
class Prepared:
    """A model of the population with all that is needed to sample it.

    Parameters
    ----------
    layout : Layout
    graph : Graph
    density : PopulationDensity
    tabulate : callable
        From a layout, a rule, the populations to be served and a dtype to a likelihood.
    rule : Rule
    near : Neighbourhood or None
        The populations that the tables serve.
    mode : array, shape (size,)
    adapted : Adapted
        A proposal for the sampler.
    integration : Integration
    seconds : mapping of str to float
    """

    layout: Layout
    graph: Graph
    density: PopulationDensity
    tabulate: Tabulate
    rule: Rule
    near: Neighbourhood | None
    mode: np.ndarray
    adapted: Adapted
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
        If a prior is Python code or ties subjects together, the trials lack the model's role or
        are of another kind of game, or the density has no highest point.

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
    prepared = untabulated(model, game, units)
    ready = time.perf_counter()
    prepared = refined(_piloted(prepared))
    seconds = {"model": ready - started, "tables": time.perf_counter() - ready}
    return replace(prepared, seconds=seconds)


def untabulated(model: Model, game: Game, units: Units) -> Prepared:
    """The density of a population, its likelihood still without tables."""
    layout = _anchored(fitting_layout(model, game, units))
    graph = graph_of(layout)
    density = PopulationDensity(graph.model)
    none = np.zeros((0, density.size))
    return Prepared(
        layout=layout,
        graph=graph,
        density=density,
        tabulate=_habitual if is_habitual(layout) else _tabulated,
        rule=_first_rule(layout),
        near=None,
        mode=density.start,
        adapted=Adapted(Proposal(none, none[None], none), none, none, none, np.inf, 0.0),
        integration=Integration("", 0.0, np.inf, 0, 0.0),
        seconds={},
    )


def _anchored(layout: Layout) -> Layout:
    """With subjects' own values taken where their choices tell most of them."""
    if not layout.units.continuous or not any(effect.exposures for effect in layout.effects):
        return layout
    return layout_of(layout.model, layout.game, layout.units, sharpness(layout))


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
    spread = max(p.shape[0]["sigma"] for p in near.populations)
    heavy = 1.0 if layout.effects[0].family.normal else 2.0
    return HabitMarginal(layout, rule, heavy * max(spread, 0.5))


def _first_rule(layout: Layout) -> Rule:
    widest = max((len(layout.active(kind)) for kind in layout.kinds), default=0)
    if widest == 2 and layout.shared and layout.units.continuous:
        noise = RESPONSE_NOISE.name
        steps = tuple(0.25 if effect.name == noise else _KINKED for effect in layout.effects)
        return Rule(steps, knots=_KINKED / 2)
    return Rule((0.25 if widest < 3 else 0.5,) * max(1, len(layout.effects)))


def _piloted(prepared: Prepared) -> Prepared:
    """Find where the posterior lies by coarse tables of a part of the subjects."""
    layout, operator = prepared.layout, prepared.graph.operator
    coarse = replace(
        prepared.rule, steps=tuple(2 * step for step in prepared.rule.steps), knots=1.0
    )
    for size in _PILOTS:
        if prepared.near is not None and layout.subjects < 2 * size:
            break
        people = some_subjects(layout, size)
        pilot = layout.of_subjects(people) if people.size < layout.subjects else layout
        operator.marginal = prepared.tabulate(pilot, coarse, prepared.near)
        prepared = _located(prepared)
        state = prepared.adapted
        some = state.resampled(_POINTS, np.random.default_rng(2))
        prepared = replace(prepared, near=neighbourhood(prepared, state.likely, some))
    return prepared


def _located(prepared: Prepared, known: bool = False) -> Prepared:
    """Find the mode, unless it is known, and a proposal, by the tables that there are."""
    density = prepared.density
    mode, start = prepared.mode, prepared.adapted.proposal
    if not known:
        with threadpool_limits(limits=1, user_api="blas"):  # small products: threads would wait
            mode, covariance = highest_point(density, mode)
        start = Proposal.single(mode, covariance)

    def evaluate(points: np.ndarray) -> np.ndarray:
        values = evaluated(density, points)
        if not np.isfinite(values).any():
            what = "a density of zero wherever proposals look"
            expected = (
                'method="nuts": tables do not reach people who are so exact, or so much alike'
            )
            raise NoHighestPoint(Fault("population engine", what, expected))
        return values

    state = adapted(evaluate, start, np.random.default_rng(0))
    return replace(prepared, mode=mode, adapted=state)


def refined(prepared: Prepared, points: np.ndarray | None = None) -> Prepared:
    """Tabulate for all subjects, finer and wider until the error is small.

    Parameters
    ----------
    prepared : Prepared
    points : array, shape (n, size), optional
        Where the posterior has been found to lie; default: where the proposals say.

    Returns
    -------
    Prepared
    """
    layout = prepared.layout
    if points is not None:
        prepared = replace(prepared, near=neighbourhood(prepared, points))
    for refinements in range(_REFINED + 1):
        prepared = tabulated(prepared)
        known = refinements > 0 or points is not None or layout.subjects <= _PILOTS[0]
        prepared = _located(prepared, known and prepared.adapted.good)
        some = prepared.adapted.resampled(_POINTS, np.random.default_rng(1))
        if points is not None:  # what was too coarse there need not be so at a few others
            some = points[:: max(1, len(points) // _POINTS)]
        wide = neighbourhood(prepared, prepared.adapted.likely, some)
        check = Comparison(prepared, some, wide)
        error, nats = check.error(prepared.rule, prepared.near)
        assert prepared.near is not None
        fine = error < AIM
        if (fine and prepared.near.holds(wide)) or refinements == _REFINED:
            break
        # What errs may do so only because tables end too early.
        if not fine and check.error(prepared.rule, wide)[0] >= 0.7 * AIM:
            prepared = replace(prepared, rule=check.finer(prepared.rule))
        prepared = replace(prepared, near=wide)
    integration = Integration(
        rule=_words(prepared),
        nodes=prepared.marginal.nodes,
        error=error,
        refinements=refinements,
        megabytes=prepared.marginal.megabytes,
        nats=nats,
    )
    return replace(prepared, integration=integration)


def tabulated(prepared: Prepared) -> Prepared:
    """With tables of all subjects by its rule, for its neighbourhood."""
    dtype = np.float32 if prepared.layout.subjects >= SINGLE else float
    tables = prepared.tabulate(prepared.layout, prepared.rule, prepared.near, dtype)
    prepared.graph.operator.marginal = tables
    return prepared


def measured(prepared: Prepared, points: np.ndarray) -> Prepared:
    """With the error of the integration at draws from the posterior, shape (n, size)."""
    some = points[:: max(1, len(points) // _POINTS)]
    check = Comparison(prepared, some, neighbourhood(prepared, points, some))
    error, nats = check.error(prepared.rule, prepared.near)
    return replace(prepared, integration=replace(prepared.integration, error=error, nats=nats))


def neighbourhood(
    prepared: Prepared, points: np.ndarray, compared: np.ndarray | None = None
) -> Neighbourhood:
    """The populations that tables must serve, from points all over the posterior.

    Parameters
    ----------
    prepared : Prepared
    points : array, shape (n, size)
        Of which those serve that are extreme in something, and some others.
    compared : array, shape (m, size), optional
        All of which serve: a table tells nothing of another's error where both lack a node.

    Returns
    -------
    Neighbourhood
    """
    points = points[:: max(1, len(points) // 400)]
    kept = 0 if compared is None else len(compared)
    if compared is not None:
        points = np.concatenate([compared, points])
    every = [prepared.population(point) for point in points]
    names = list(every[0].exposures)
    exposures = {n: np.array([population.exposures[n] for population in every]) for n in names}
    coordinates = np.column_stack([points, *[e for e in exposures.values() if e.shape[1] <= 24]])
    extreme = [coordinates.argmin(axis=0), coordinates.argmax(axis=0)]
    among = np.linspace(kept, len(points) - 1, _AMONG).astype(int)
    chosen = np.unique(np.concatenate([*extreme, among, np.arange(kept)]))
    low = {n: e.min(axis=0) for n, e in exposures.items()}
    high = {n: e.max(axis=0) for n, e in exposures.items()}
    width = {n: high[n] - low[n] for n in names}
    margin = {n: _MARGIN * (np.minimum(1.0, 2 * width[n]) + width[n]) for n in names}
    return Neighbourhood(
        populations=[every[place] for place in chosen],
        low={n: low[n] - margin[n] for n in names},
        high={n: high[n] + margin[n] for n in names},
    )


def _words(prepared: Prepared) -> str:
    names = [effect.name for effect in prepared.layout.effects]
    steps = ", ".join(
        f"{step:g} ({name})" for name, step in zip(names, prepared.rule.steps, strict=False)
    )
    halvings = np.array(prepared.rule.halvings or [[0]])
    if halvings.any():
        most, some = 2 ** int(halvings.max()), int(halvings.any(axis=0).sum())
        steps += f", down to one part in {most} of that for {some} of the subjects"
    cut = f"nodes that bear less than e^-{prepared.rule.cut:g} dropped"
    return f"even grids of step {steps}, {cut}"
