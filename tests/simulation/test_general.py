"""General finite games simulated: states by each treatment's prior, and tables read back."""

import general
import numpy as np
import pytest

from trustbayes.games import FiniteGame, FiniteTerms, PayoffFormulas
from trustbayes.models import FullTrust, LevelK
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import trials_from_frame

PRIORS = {"low": [0.7, 0.2, 0.1], "high": [0.0, 0.3, 0.7]}


def game():
    pay = PayoffFormulas(
        "message if action == accept else -2 * (message != state)",
        "3 - message if action == accept else 2 * (message != state)",
        labels={"accept": 0.0, "challenge": 1.0},
    )
    terms = {name: FiniteTerms(prior, direction="up") for name, prior in PRIORS.items()}
    labels = ["accept", "challenge"]
    return FiniteGame([0, 1, 2], actions=[0, 1], payoffs=pay, action_labels=labels, terms=terms)


@pytest.fixture(scope="module")
def played():
    return simulate(
        game(), sender=LevelK("sender"), receiver=FullTrust("receiver"), subjects=40, rounds=50,
        seed=3,
    )  # fmt: skip


def test_states_follow_the_prior_of_their_treatment(played):
    for name, prior in PRIORS.items():
        states = played.trials.loc[played.trials["treatment"] == name, "state"]
        shares = [(states == s).mean() for s in (0, 1, 2)]
        # Four standard errors of a share of 1,000 trials; what is impossible never occurs.
        np.testing.assert_allclose(shares, prior, atol=4 * np.sqrt(0.25 / len(states)))
        assert all(share == 0 for share, p in zip(shares, prior, strict=True) if p == 0)


def test_simulated_tables_are_read_back_with_numbers_or_labels(played):
    trials = trials_from_frame(played.trials, played.game)
    named = played.trials.assign(
        action=played.trials["action"].map({0: "accept", 1: "challenge"})
    ).drop(columns="bias")
    again = trials_from_frame(named, played.game)
    for role in ("sender", "receiver"):
        np.testing.assert_array_equal(trials.fold(role).counts, again.fold(role).counts)
    assert set(again.table["action"]) <= {0.0, 1.0}


def test_shifts_of_labels_are_shares():
    shifts = game().shifts("receiver")
    np.testing.assert_array_equal(shifts, [[0, 1]] * 3)
    np.testing.assert_array_equal(game().shifts("sender"), [[0, 1, 2], [-1, 0, 1], [-2, -1, 0]])


def test_random_games_are_played_by_all_treatments():
    some, _ = general.random_game(4)
    run = simulate(
        some, sender=LevelK("sender"), receiver=LevelK("receiver"), subjects=4, rounds=9, seed=0
    )
    trials = trials_from_frame(run.trials, some)
    assert set(trials.treatments) == set(some.treatments)
    impossible = {
        name: [s for s, p in zip(some.states, some.in_treatment(name).prior, strict=True) if p == 0]
        for name in some.treatments
    }
    for name, states in impossible.items():
        assert not trials.table.loc[trials.table["treatment"] == name, "state"].isin(states).any()
