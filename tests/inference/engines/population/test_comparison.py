"""What is said of a rule's error, and which rule is made of it."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from synthetic import small_trials

import trustbayes as tb
from trustbayes.inference.engines.population.comparison import Comparison
from trustbayes.inference.engines.population.engine import (
    measured,
    neighbourhood,
    prepare,
    prepare_units,
    refined,
)
from trustbayes.inference.engines.population.rule import Rule
from trustbayes.trials.table import trials_from_frame


@pytest.fixture(scope="module")
def prepared():
    return prepare(tb.TrustEmbedded("receiver"), small_trials())


@pytest.fixture(scope="module")
def near_the_mode(prepared):
    noise = np.random.default_rng(1).normal(size=(9, prepared.mode.size))
    return prepared.mode + 0.05 * noise


def moved(prepared, point, by):
    """A point with all locations of trust elsewhere."""
    names = [variable.name for variable in prepared.graph.model.free_RVs]
    place = prepared.density._slices[names.index("trust_mu")]
    point = point.copy()
    point[place] += by
    return point


def test_a_point_beyond_the_tables_hides_no_step_that_is_too_wide(prepared):
    inside = prepared.mode + 0.2 * np.array([[-1.0], [0.0], [1.0]])
    beyond = moved(prepared, prepared.mode, np.array([0.0, 40.0]))  # a gap that no table has
    coarse = Rule((2.0, 0.25))
    check = Comparison(
        prepared, np.concatenate([inside, beyond[None]]), neighbourhood(prepared, inside)
    )
    assert check.error(coarse, check.wide) == (np.inf, np.inf)
    assert check.finer(coarse).steps == (1.0, 0.25)


def test_nodes_that_all_tables_would_lack_show_as_an_error(prepared, near_the_mode):
    elsewhere = np.stack([moved(prepared, prepared.mode, by) for by in (-6.0, -6.1)])
    near = neighbourhood(prepared, near_the_mode)
    blind = Comparison(prepared, elsewhere, near).error(prepared.rule, near)[1]
    seeing = Comparison(prepared, elsewhere, neighbourhood(prepared, near_the_mode, elsewhere))
    assert seeing.error(prepared.rule, near)[1] > 3 * blind
    assert seeing.error(prepared.rule, seeing.wide)[1] < 1e-3


@pytest.fixture(scope="module")
def forecast():
    data = tb.bundled("simulated-forecast")
    return tb.read_trials(data.trials, tb.read_game(data.game))


def test_only_those_who_need_closer_nodes_get_them(forecast):
    # One of them, s46, never reports what the others do.
    model, units = tb.Babbling("sender", game=forecast.game), forecast.fold("sender")
    people = [i for i, name in enumerate(units.subjects) if name != "s40"]
    prepared = prepare_units(model, forecast.game, units.of_subjects(np.array(people)))
    halvings = np.array(prepared.rule.halvings)
    names = [name for name in units.subjects if name != "s40"]
    who = names.index("s46")
    assert halvings[:, who].max() == halvings.max() > 0
    # And within a larger box: her grid is many times as fine as others' are.
    cells = np.prod([axes.last for axes in prepared.marginal.tables.axes], axis=0)
    assert cells[who] == cells.max() >= 4 * np.median(cells)
    assert (halvings > 0).any(axis=0).mean() < 0.5
    assert prepared.integration.fine
    assert f"for {(halvings > 0).any(axis=0).sum()} of the subjects" in prepared.integration.rule


def test_between_knots_no_choice_is_more_than_certain():
    # Of very precise people likelihoods have steps, beside which a spline overshoots.
    game = tb.FiniteGame([1, 2, 3, 4, 5], treatments={"Low": 0.7})
    model = tb.TrustEmbedded("sender", varies={"expected_trust": ()})
    played = tb.simulate(game, sender=model, receiver=None, subjects=6, rounds=20, seed=7)
    state = prepare(model, trials_from_frame(played.trials, game))
    coarse = state.tabulate(state.layout, Rule((0.5, 0.5), knots=1.0), None, float)
    at = state.population(state.mode)
    shape = ({"shape": 0.3}, {"sigma": 0.8})
    for precision, trust in product((2.0, 5.0, 9.0), np.linspace(-4, 4, 33)):
        location = (np.full_like(at.location[0], precision), np.full_like(at.location[1], -1.4))
        exposures = {"expected_trust": np.full_like(at.exposures["expected_trust"], trust)}
        there = replace(at, location=location, shape=shape, exposures=exposures)
        assert (coarse.by_subject(there) <= 1e-9).all()


def test_of_one_population_alone_no_error_can_be_told(prepared, near_the_mode):
    near = neighbourhood(prepared, near_the_mode)
    check = Comparison(prepared, np.repeat(prepared.mode[None], 5, axis=0), near)
    assert check.error(prepared.rule, near) == (np.inf, np.inf)


def test_tables_reach_as_far_as_the_posterior(prepared):
    # Where they ended, at 2.5 deviations of a trust that was hardly known, draws ended, too.
    likely = prepared.adapted.likely
    assert prepared.near.holds(neighbourhood(prepared, likely))
    farther = [moved(prepared, likely[0], by) for by in (-30.0, 30.0)]
    gaps = moved(prepared, likely[0], np.array([0.0, 30.0]))
    beyond = neighbourhood(prepared, np.concatenate([likely, farther, gaps[None]]))
    assert not prepared.near.holds(beyond)
    assert beyond.holds(prepared.near)


def test_tables_are_refined_at_the_draws_that_they_do_not_serve():
    """Habits of people who are more alike than the step between nodes, in a tail of the posterior.

    Proposals had shown none of them, and a few others of theirs would not, either.
    """
    data = tb.bundled("simulated-finite")
    trials = tb.read_trials(data.trials, data.game)
    prepared = prepare(tb.Babbling("sender"), trials)
    points = prepared.adapted.resampled(16, np.random.default_rng(1))
    points[::4, -1] = np.log(0.08)  # the spread
    before = measured(prepared, points).integration
    assert not before.fine
    again = measured(refined(prepared, points), points)
    assert again.integration.fine
    assert again.rule.steps < prepared.rule.steps
