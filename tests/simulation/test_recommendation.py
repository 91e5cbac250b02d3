"""Recommendations simulated: design, classes of decisions, and replications."""

import numpy as np
import pytest
from advice import LINE, advised

from trustbayes.errors import InputError
from trustbayes.games import Adviser, RecommendationGame
from trustbayes.models import model
from trustbayes.models.draws import prior_draws
from trustbayes.priors.prior import Prior
from trustbayes.simulation import predictive_check
from trustbayes.simulation.experiments import Experiment
from trustbayes.simulation.recommendation import DECISIONS, decision_classes
from trustbayes.simulation.simulate import simulate

GAME = RecommendationGame(
    lowest=0,
    unit=10,
    step=0.5,
    advisers=2,
    typical_outcome=50,
    outcome_spread=10,
    estimate_error=8,
    treatments={"good": Adviser(2.0), "bad": Adviser(20.0)},
)
KNOWN = {
    "response_noise": Prior("LogNormal", mu=-1.0, sigma=0.01),
    "trust": Prior("LogitNormal", mu=[1.0, -1.0], sigma=0.5),
    "keeping": Prior("LogitNormal", mu=-1.0, sigma=0.01),
    "following": Prior("LogitNormal", mu=-1.5, sigma=0.01),
}


def played(**settings):
    trusting = model("trust-embedded", "receiver", GAME, priors=KNOWN, **settings)
    return simulate(GAME, sender=None, receiver=trusting, subjects=60, rounds=40, seed=5)


def test_simulated_experiments_have_the_planted_shares():
    simulation = played()
    table = simulation.trials
    assert list(table) == [
        *("receiver", "round", "treatment", "estimate", "message", "message_2", "action", "outcome")
    ]
    misses = (table["message_2"] - table["outcome"]).groupby(table["treatment"]).std()
    assert misses["good"] == pytest.approx(2, rel=0.1)
    assert misses["bad"] == pytest.approx(20, rel=0.1)
    assert (table["action"] * 2 % 1 == 0).all()
    # Keeping .269; following .182 of the rest; four standard errors of 2,400 trials are .04, and
    # noise falls on an estimate by chance in a few in a hundred.
    kept = (table["action"] == table["estimate"]).mean()
    assert 0.23 < kept < 0.35


def test_it_is_played_by_receivers_only():
    with pytest.raises(InputError, match="a model of receivers"):
        simulate(GAME, sender=None, receiver=None, subjects=4, rounds=4, seed=1)
    plain = RecommendationGame(unit=1)
    trusting = model("keep", "receiver", plain)
    with pytest.raises(InputError, match="treatments"):
        simulate(plain, sender=None, receiver=trusting, subjects=4, rounds=4, seed=1)


def test_experiments_travel_and_play_the_same():
    one = Experiment(GAME, None, model("choose", "receiver", GAME), subjects=4, rounds=4)
    assert one.role == "receiver"
    first, again = (each.play(3).trials for each in (one, Experiment.from_dict(one.to_dict())))
    assert first.checksum == again.checksum


def test_classes_are_those_of_the_weight_of_advice():
    estimate, message = np.full(8, 10.0), np.full((8, 1), 20.0)
    decision = np.array([5.0, 10.4, 12.0, 15.0, 18.0, 20.4, 25.0, 10.0])
    estimate[7] = 19.0  # the advice is less than two steps away
    classes = decision_classes(LINE, estimate, message, decision)
    assert classes.tolist() == [0, 1, 2, 3, 4, 5, 6, -1]


@pytest.mark.parametrize("name", ["trust-embedded", "choose"])
def test_checks_replicate_the_spikes_that_made_the_data(name):
    trials = advised(3, people=30, rounds=20)
    own = model(name, "receiver", LINE)
    draws = prior_draws(own, LINE, trials.fold("receiver"), 50, seed=1)
    check = predictive_check(draws, "prior", seed=2)
    assert set(check.choices["option"]) == set(DECISIONS)
    shares = check.choices.groupby("treatment")[["observed", "mean"]].sum()
    np.testing.assert_allclose(shares, 1)
    assert len(check.subjects) == 60
