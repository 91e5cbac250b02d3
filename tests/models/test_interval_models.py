"""The models of games on an interval as PyMC models, their fits, and fine finite games."""

import json

import numpy as np
import pytest
from building import (
    EVERYWHERE,
    assert_all_bears_on_the_likelihood,
    assert_both_forms_agree,
    build,
    natural_names,
    random_point,
    setting_id,
    switch_id,
)
from loops import TRIALS, trial_by_trial

from trustbayes.games import FiniteGame, IntervalGame, PowerLoss
from trustbayes.models import (
    SPECS,
    Babbling,
    Hybrid,
    LevelK,
    Mixture,
    Model,
    TrustEmbedded,
    model_from_dict,
)
from trustbayes.theories.level_k import interval as level_k
from trustbayes.theories.level_k.finite import level_tables
from trustbayes.theories.trust_embedded import interval
from trustbayes.theories.trust_embedded.finite import expected_payoff, receiver_utility

KIND = "interval"
INTERVAL = [spec for spec in SPECS if spec.kind == KIND]


def of_game(made, role, **settings):
    return made(role, KIND, **settings)


SETTINGS = [
    *(Model(spec) for spec in INTERVAL),
    of_game(TrustEmbedded, "sender", belief="prior", noise="student-t"),
    of_game(TrustEmbedded, "sender", lying_cost="absolute"),
    of_game(TrustEmbedded, "sender", lying_cost="absolute", indifference="jump"),
    of_game(
        TrustEmbedded,
        "sender",
        varies={"expected_trust": EVERYWHERE, "lying_aversion": EVERYWHERE, "response_noise": ()},
    ),
    of_game(TrustEmbedded, "receiver", belief="prior", varies={"trust": ("subject",)}),
    of_game(LevelK, "sender", max_level=2, noise="student-t"),
    of_game(LevelK, "receiver", max_level=5, unsent="prior"),
    of_game(Hybrid, "sender", max_level=5, varies={"lying_aversion": EVERYWHERE}),
    of_game(Hybrid, "receiver", max_level=2, unsent="prior", varies={"trust": ()}),
    of_game(Babbling, "sender", noise="student-t", varies={"habit": EVERYWHERE}),
    *(Model(spec, heaping=True) for spec in INTERVAL),
    of_game(TrustEmbedded, "receiver", heaping=True, noise="student-t", varies={"rounding": ()}),
    of_game(LevelK, "sender", heaping=True, varies={"rounding": EVERYWHERE}),
]


@pytest.mark.parametrize("chosen", SETTINGS, ids=setting_id)
def test_the_likelihood_equals_the_trials_one_by_one(chosen):
    trials = TRIALS["interval"]
    built = build(chosen, trials)
    names = natural_names(chosen)
    dims = {name: built.named_vars_to_dims.get(name, ()) for name in names}
    logs, points = random_point(built, names, draws=3)
    for draw in range(3):
        point = {name: np.asarray(values[draw]) for name, values in points.items()}
        assert logs[draw] == pytest.approx(trial_by_trial(chosen, trials, point, dims), rel=1e-9)
    assert np.ptp(logs) > 1e-3  # the draws differ, so the likelihood must


def test_the_trials_are_at_both_ends_and_between():
    game, table = TRIALS["interval"].game, TRIALS["interval"].table
    for column in ("message", "action"):
        assert {game.lowest, game.highest} <= set(table[column])
        between = table[column].between(game.lowest, game.highest, inclusive="neither")
        assert between.sum() > 20
        parts = table[column][between] / game.round_to
        assert 8 < np.isclose(parts, parts.round()).sum() < len(parts) - 8


def switched():
    """Every spec under two switches of what varies."""
    for spec in INTERVAL:
        for parameter in Model(spec, heaping=True).parameters:
            if parameter.support != "simplex" and spec.name != "mixture":
                for over in ((), EVERYWHERE):
                    yield spec, {parameter.name: over}


@pytest.mark.parametrize(("spec", "varies"), list(switched()), ids=switch_id)
def test_every_free_parameter_is_an_ancestor_of_the_likelihood(spec, varies):
    chosen = Model(spec, varies=varies, heaping="rounding" in varies)
    assert_all_bears_on_the_likelihood(chosen, TRIALS["interval"])


@pytest.mark.parametrize(
    "chosen",
    [
        of_game(TrustEmbedded, "sender"),
        of_game(Hybrid, "receiver"),
        of_game(Mixture, "sender"),
        of_game(TrustEmbedded, "receiver", heaping=True),
    ],
    ids=setting_id,
)
def test_both_forms_give_the_same_density_of_the_same_values(chosen):
    assert_both_forms_agree(chosen, TRIALS["interval"])


def test_a_model_reads_back_from_its_json_form():
    for chosen in SETTINGS:
        again = model_from_dict(json.loads(json.dumps(chosen.to_dict())))
        assert again.to_dict() == chosen.to_dict()
        assert again.spec == chosen.spec


# A finite game of 61 states, messages and actions is nearly the same game

STEPS = 61
PLACES = np.linspace(0, 60, STEPS)
PRECISE = np.array([1.0, 7.0, 12.0, 20.0])


def both_games(exponent):
    payoffs = PowerLoss(100, 100 / 60**exponent, exponent)
    biases = {"Up": 7.0, "Down": -12.0}
    finite = FiniteGame(PLACES, payoffs=payoffs)
    return finite, IntervalGame(0, 60, biases, payoffs, step=1), biases


@pytest.mark.parametrize("exponent", [1.4, 2.0, 3.0])
@pytest.mark.parametrize("belief", ["truncated", "prior"])
def test_very_precise_receivers_of_a_fine_finite_game_act_alike(exponent, belief):
    finite, game, biases = both_games(exponent)
    for name, bias in biases.items():
        for trust in (0.0, 0.3, 0.8, 1.0):
            best = receiver_utility(finite, bias, np.array(trust), belief).argmax(axis=-1)
            expected = interval.action(PLACES, trust, game.terms([name]), belief)
            # The states that are truncated reach as far as half a step.
            assert abs(PLACES[best] - expected).max() <= 1.0


@pytest.mark.parametrize("exponent", [1.4, 2.0, 3.0])
def test_very_precise_senders_of_a_fine_finite_game_speak_alike(exponent):
    finite, game, biases = both_games(exponent)
    for name, bias in biases.items():
        for trust in (0.2, 0.7, 1.0):
            earned = expected_payoff(finite, bias, np.array(trust), "truncated")
            for aversion in (0.0, 0.2, 0.6, 3.0):
                cost = aversion * game.lying_unit
                lies = abs(PLACES[None] - PLACES[:, None])
                best = (earned - cost * lies).argmax(axis=-1)
                told = interval.message(
                    PLACES, np.full(STEPS, cost), trust, game.terms([name]), "truncated"
                )
                assert abs(PLACES[best] - told).max() <= 1.0


def test_level_k_of_a_fine_finite_game_is_alike_away_from_the_end():
    finite, game, biases = both_games(2.0)
    for name, bias in biases.items():
        tables = level_tables(finite, bias, 2, "smallest-lie", "monotone")
        for level in (0, 1, 2):
            sent = PLACES[tables.sender_utility[level].argmax(axis=-1)]
            told = level_k.messages(PLACES, 2, game.terms([name]))[level]
            # Who wants hardly more than the lowest of the pool stays a step below the end.
            assert abs(sent - told).max() <= 1.0
        for level in (0, 1):
            done = PLACES[tables.receiver_utility[level].argmax(axis=-1)]
            acted = level_k.actions(PLACES, 2, game.terms([name]))[level]
            assert abs(done - acted).max() <= 1.0
