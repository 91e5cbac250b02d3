"""People in populations of any kind: against rules placed anew for each person and population."""

import numpy as np
import pytest
from loops import TRIALS_OF_KIND

import trustbayes as tb
from trustbayes.errors import InputError
from trustbayes.inference.engines.population.elsewhere import Elsewhere, points_of
from trustbayes.inference.engines.population.engine import untabulated
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.models.draws import prior_draws
from trustbayes.pooling.common_scales import common_scales
from trustbayes.pooling.exact import Experiment

GAME = tb.FiniteGame([1, 2, 3], treatments={"Low": 0.6, "High": 1.6})
POPULATIONS = 30
RELEVANT = 12.0
"""Nats below someone's best population: how far further hardly matters."""


def experiment(model, seed):
    """A small experiment in which both treatments are played."""
    sender = model if model.role == "sender" else tb.FullTrust("sender")
    receiver = model if model.role == "receiver" else None
    played = tb.simulate(GAME, sender=sender, receiver=receiver, subjects=6, rounds=10, seed=seed)
    return tb.trials_from_frame(played.trials, GAME)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "model",
    [
        tb.LevelK("sender"),
        tb.LevelK("receiver"),
        tb.TrustEmbedded("receiver", varies={"trust": ("subject",)}),
        tb.TrustEmbedded("receiver"),
        tb.FullTrust("sender"),
    ],
    ids=lambda model: f"{model.name}, {model.role}, {len(model.varies.get('trust', ()))}",
)
def test_populations_of_the_prior_are_judged_as_by_rules_of_their_own(model, seed):
    trials = experiment(model, seed)
    units = model.fold(trials)
    draws = prior_draws(model, GAME, units, POPULATIONS, seed)
    made = Elsewhere(model, GAME, units).likelihoods(draws.data)
    slow = new_subject_log_likelihood(draws)
    assert made is not None
    below = slow.log_likelihood - slow.log_likelihood.max(axis=0)
    gap = np.abs(made.log_likelihood - slow.log_likelihood)
    weight = np.exp(0.5 * below)  # populations in which she is unlikely matter less
    off, stated = ((weight * each).sum(axis=0) / weight.sum(axis=0) for each in (gap, slow.error))
    assert made.nats < 0.1  # of six people together
    assert (off < 0.02 + 2 * stated).all()
    near = below > -RELEVANT
    assert np.median(gap[near]) < 0.01
    assert (gap > 0.1 + 2 * slow.error)[near].mean() < 0.01  # a population far out, for one person


def test_where_tables_are_hopeless_nodes_are_placed_anew():
    """Sharp choices by what all senders expect, over all that could be expected."""
    game = tb.read_game(tb.bundled_study("simulated").parent / "challenge.toml")
    model = tb.TrustEmbedded("sender", game)
    played = tb.simulate(game, sender=model, receiver=None, subjects=6, rounds=12, seed=2)
    trials = tb.trials_from_frame(played.trials, game)
    units = model.fold(trials)
    draws = prior_draws(model, game, units, POPULATIONS, 1)
    assert Elsewhere(model, game, units).likelihoods(draws.data) is None
    scales = {scale.label: scale for scale in common_scales(model)}
    values = {n: s.values(draws.data) for n, s in scales.items() if s.exists(len(units.treatments))}
    people = Experiment(model, game, units)
    made = people.likelihoods(values, POPULATIONS, 1)
    assert made.nats < 0.2


def test_no_question_bears_on_the_next():
    model = tb.TrustEmbedded("receiver")
    units = model.fold(experiment(model, 1))
    first, other = (prior_draws(model, GAME, units, POPULATIONS, seed).data for seed in (1, 2))
    people = Elsewhere(model, GAME, units)
    people.likelihoods(first)
    again = people.likelihoods(other)
    fresh = Elsewhere(model, GAME, units).likelihoods(other)
    np.testing.assert_array_equal(again.log_likelihood, fresh.log_likelihood)
    assert again.nats == fresh.nats


def test_points_are_where_the_sampler_has_them():
    """By PyMC's own transforms, one draw at a time."""
    model = tb.TrustEmbedded("receiver")
    units = model.fold(experiment(model, 1))
    prepared = untabulated(model, GAME, units)
    data = prior_draws(model, GAME, units, 4, 3).data
    points = points_of(prepared.graph.model, data)
    variables = prepared.graph.model.free_RVs
    back = prepared.density.many(points, variables)
    for variable, values in zip(variables, back, strict=True):
        expected = data[variable.name].transpose("sample", ...).to_numpy()
        np.testing.assert_allclose(values, expected, rtol=1e-10)


def test_who_learns_cannot_be_tabulated():
    chosen = TRIALS_OF_KIND["finite"]
    model = tb.TrustEmbedded("receiver", learning="shift")
    with pytest.raises(InputError, match="people who learn"):
        Elsewhere(model, chosen.game, chosen.fold("receiver"))
