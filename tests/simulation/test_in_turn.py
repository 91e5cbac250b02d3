"""Experiments played round by round."""

import numpy as np
import pytest

import trustbayes as tb
from trustbayes.games.feedback import Feedback


def game(partners="fixed"):
    return tb.FiniteGame(
        [1, 2, 3],
        treatments={"Low": 0.5, "High": 1.5},
        feedback=Feedback("state", partners=partners),
    )


def receiver(bad):
    sure = tb.Prior("Gamma", mean=200.0, shape=50.0)
    gains = {
        "gain_good": tb.Prior("Normal", mu=0.0, sigma=1.0),
        "gain_bad": tb.Prior("Normal", mu=bad, sigma=1.0),
        "memory": tb.Prior("LogitNormal", mu=9.0, sigma=1.0),
        "trust": tb.Prior("LogitNormal", mu=[4.0, 4.0], sigma=0.1),
    }
    return tb.TrustEmbedded(
        "receiver", learning="shift", priors={"response_precision": sure, **gains}
    )


def test_fixed_partners_stay_and_random_ones_do_not():
    fixed = tb.simulate(game(), sender=tb.FullTrust("sender"), receiver=None, subjects=6, rounds=8,
                        seed=1)  # fmt: skip
    both = tb.simulate(
        game(), sender=tb.FullTrust("sender"), receiver=receiver(0.0), subjects=6, rounds=8, seed=1
    )
    assert "receiver" not in fixed.trials
    assert (both.trials.groupby("sender")["receiver"].nunique() == 1).all()
    other = tb.simulate(game("random"), sender=tb.FullTrust("sender"), receiver=receiver(0.0),
                        subjects=6, rounds=8, seed=1)  # fmt: skip
    assert (other.trials.groupby("sender")["receiver"].nunique() > 1).any()


def test_who_is_lied_to_stops_following():
    """Trust begins near one; every lie takes five units of log odds away, for good."""
    liars = tb.LevelK("sender", priors={
        "level": tb.Prior("Dirichlet", a=[1e-3, 1e3, 1e-3, 1e-3]),
        "response_precision": tb.Prior("Gamma", mean=200.0, shape=50.0),
    })  # fmt: skip
    played = tb.simulate(
        game(), sender=liars, receiver=receiver(5.0), subjects=8, rounds=20, seed=2
    )
    table = played.trials.sort_values(["receiver", "round"])
    lied = table["message"] != table["state"]
    before = lied.groupby(table["receiver"]).cumsum() - lied
    follows = table["action"] == table["message"]
    top = table["message"] == 3
    assert follows[top & (before == 0)].mean() > 0.9
    assert follows[top & (before > 2)].mean() < 0.1


@pytest.mark.parametrize("learning", ["delta", "reputation", "evidence"])
def test_the_same_seed_plays_the_same_experiment(learning):
    def play():
        return tb.simulate(
            game("random"),
            sender=tb.TrustEmbedded("sender", learning=learning),
            receiver=tb.LevelK("receiver", learning="depth"),
            subjects=3,
            rounds=4,
            seed=3,
        )

    first, again = play(), play()
    assert first.trials.equals(again.trials)
    assert np.array_equal(first.parameters["value"], again.parameters["value"])


def test_experiments_study_senders_who_learn():
    one = tb.Experiment(
        game(),
        tb.TrustEmbedded("sender", learning="shift"),
        tb.TrustEmbedded("receiver"),
        subjects=4,
        rounds=4,
        studied="sender",
    )
    simulated = one.play(seed=1)
    assert set(simulated.parameters["role"]) == {"sender"}
    assert tb.Experiment.from_dict(one.to_dict()).role == "sender"
    one.player.fold(simulated.trials)  # nothing is missing from which they learn


def test_senders_who_learn_need_receivers():
    with pytest.raises(tb.InputError, match="simulation: expected also the column action"):
        tb.simulate(game(), sender=tb.TrustEmbedded("sender", learning="shift"), receiver=None,
                    subjects=4, rounds=4, seed=1)  # fmt: skip


def test_learning_without_feedback_is_refused():
    silent = tb.FiniteGame([1, 2, 3], treatments={"Low": 0.5})
    with pytest.raises(tb.InputError, match="learning needs it"):
        tb.simulate(silent, sender=tb.FullTrust("sender"), receiver=tb.LevelK(
            "receiver", learning="depth"), subjects=4, rounds=4, seed=1)  # fmt: skip
