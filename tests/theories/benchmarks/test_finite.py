"""The benchmarks against plain loops."""

import numpy as np
import pytest

from trustbayes.games import FiniteGame, PayoffFunctions, PayoffTable, PowerLoss
from trustbayes.theories.benchmarks.finite import babbling_receiver_utility, full_trust_utility


def games():
    """Pairs of a game and its receiver's payoff as a function of numbers."""
    rng = np.random.default_rng(3)
    table = rng.normal(size=(3, 4))
    states = (1.0, 2.0, 3.0)
    actions = (0.5, 1.0, 2.0, 4.0)
    prior = [0.2, 0.5, 0.3]
    power = PowerLoss(50, 3, 1.7)
    functions = PayoffFunctions(lambda s, a, b: s * a + b, lambda s, a: s * a - a * a)
    listed = PayoffTable(states, actions, table, table)
    return [
        pytest.param(
            FiniteGame(states, (1, 1.5, 2, 3), actions, prior, power),
            lambda s, a: 50 - 3 * abs(s - a) ** 1.7,
            id="power loss",
        ),
        pytest.param(
            FiniteGame(states, (0, 1, 2.2, 3, 9), actions, prior, functions),
            lambda s, a: s * a - a * a,
            id="functions",
        ),
        pytest.param(
            FiniteGame(states, (1, 3), actions, prior, listed),
            lambda s, a: table[states.index(s), actions.index(a)],
            id="table",
        ),
    ]


@pytest.mark.parametrize(("game", "payoff"), games())
def test_babbling_receiver_expects_the_prior_after_every_message(game, payoff):
    expected = [
        sum(p * payoff(s, a) for p, s in zip(game.prior, game.states, strict=True))
        for a in game.actions
    ]
    found = babbling_receiver_utility(game)
    assert found.shape == (game.messages.size, game.actions.size)
    for row in found:
        np.testing.assert_allclose(row, expected, rtol=1e-13)


@pytest.mark.parametrize(("game", "payoff"), games())
def test_full_trust_is_level_0_in_either_role(game, payoff):
    believed = [[payoff(m, a) for a in game.actions] for m in game.messages]
    np.testing.assert_allclose(full_trust_utility(game, "receiver"), believed, rtol=1e-13)
    # She wants to be understood: each message is worth what its credulous reader's action is.
    answers = [max(game.actions, key=lambda a, m=m: payoff(m, a)) for m in game.messages]
    understood = [[payoff(s, a) for a in answers] for s in game.states]
    np.testing.assert_allclose(full_trust_utility(game, "sender"), understood, rtol=1e-13)


def test_truth_is_best_for_a_sender_who_wants_to_be_understood():
    game = FiniteGame([1, 3, 5, 7, 9], actions=range(1, 10), payoffs=PowerLoss(110, 10, 1.4))
    utility = full_trust_utility(game, "sender")
    assert (utility.argmax(-1) == np.arange(5)).all()
    assert (np.sort(utility, axis=-1)[:, -2] < utility.max(-1)).all()


def test_babbling_receiver_of_a_uniform_prior_takes_the_middle():
    # By symmetry and strict convexity of the loss.
    for size in (3, 5, 7):
        game = FiniteGame(np.arange(size))
        assert (babbling_receiver_utility(game).argmax(-1) == size // 2).all()
