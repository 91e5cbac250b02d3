"""The hybrid against a brute-force search, and where it is one of the theories that it combines."""

from decimal import Decimal, localcontext
from itertools import product

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from markets import PYTHON
from thinking import BruteForce, random_game

from trustbayes.games import FiniteGame, PayoffTable, PowerLoss
from trustbayes.theories.hybrid.finite import receiver_utility, sender_utility
from trustbayes.theories.level_k.finite import level_tables
from trustbayes.theories.trust_embedded import finite as trust_embedded

TIES, UNSENT = ("smallest-lie", "uniform"), ("monotone", "prior", "tremble")
DEEPEST = 3
LEVELS = range(DEEPEST + 1)
CLOSE = {"rtol": 1e-11, "atol": 1e-9}  # rounding: payoffs are up to 1e4

of_ties = pytest.mark.parametrize("ties", TIES)
of_unsent = pytest.mark.parametrize("unsent", UNSENT)
of_belief = pytest.mark.parametrize("belief", ["weighted", "mixture"])


def games(count=60):
    """Random games; each third has power losses, which are defined between the states too."""
    for seed in range(count):
        yield seed, *random_game(seed)


@of_unsent
@of_ties
def test_senders_pay_for_lies_what_level_k_expects_to_earn(ties, unsent):
    with localcontext() as context:
        context.prec = 50
        for seed, game, bias, twin in games():
            brute = BruteForce(*twin, upward=bias >= 0, ties=ties, unsent=unsent)
            selfish = brute.levels(DEEPEST)[0]
            aversion = np.random.default_rng(seed).uniform(0, 30, (2, 3))
            found = sender_utility(game, bias, aversion, LEVELS, ties, unsent)
            lies = np.array([[float(abs(m - s)) for m in twin[1]] for s in twin[0]])
            costs = np.array([0 * lies, *[lies] * DEEPEST])
            for draw in np.ndindex(2, 3):
                expected = selfish - aversion[draw] * costs
                np.testing.assert_allclose(found[draw], expected, **CLOSE, err_msg=str(seed))


@of_unsent
@of_ties
@of_belief
def test_receivers_believe_the_message_in_part_and_level_k_for_the_rest(belief, ties, unsent):
    checked = 0
    with localcontext() as context:
        context.prec = 50
        for seed, game, bias, twin in games(18):
            if belief == "weighted" and seed % 3:
                continue  # payoffs are not known between the states
            *_, receiver = twin
            brute = BruteForce(*twin, upward=bias >= 0, ties=ties, unsent=unsent)
            sending = brute.levels(DEEPEST)[2]
            share = np.random.default_rng(seed).uniform(size=3)
            share[0] = 0
            found = receiver_utility(game, bias, share, LEVELS, ties, unsent, belief)
            expected = np.zeros((3, DEEPEST + 1, game.messages.size, game.actions.size))
            for level in LEVELS:
                rows = [[Decimal(float(p)) for p in row] for row in sending[level]]
                for j, message in enumerate(brute.messages):
                    reading = list(zip(brute.states, brute.posterior(message, rows), strict=True))
                    reading = reading if level else [(message, 1)]
                    for (d, given), (c, action) in product(
                        enumerate(share), enumerate(brute.actions)
                    ):
                        trust = Decimal(float(given))
                        total = Decimal(0)
                        for state, chance in reading:
                            if belief == "weighted":
                                outcome = receiver(trust * message + (1 - trust) * state, action)
                            else:
                                outcome = trust * receiver(message, action)
                                outcome += (1 - trust) * receiver(state, action)
                            total += chance * outcome
                        expected[d, level, j, c] = total
            np.testing.assert_allclose(found, expected, **CLOSE, err_msg=str(seed))
            checked += expected.size
    assert checked > 800


# Where the theories coincide


def aligned_games():
    """Games in which a credulous receiver's best action names the message."""
    yield FiniteGame([1, 2, 3, 4, 5])
    yield FiniteGame([1, 3, 5, 7, 9], actions=range(1, 10), payoffs=PowerLoss(110, 10, 1.4))
    for seed in range(4):
        rng = np.random.default_rng(seed)
        states = np.cumsum(rng.uniform(0.5, 2, 4))
        messages = np.union1d(states, states[:2] + 0.2)
        payoffs = PowerLoss(100, rng.uniform(5, 30), rng.uniform(1.1, 2.5))
        yield FiniteGame(states, messages, messages, rng.dirichlet(np.ones(4)), payoffs)


BIASES = (-2.0, -0.3, 0.0, 1.0, 1.2, 2.5)
every_game = pytest.mark.parametrize("game", list(aligned_games()), ids=range(6))


@every_game
@of_unsent
@of_ties
def test_without_aversion_or_trust_it_is_level_k_at_every_level(game, ties, unsent):
    for bias in BIASES:
        tables = level_tables(game, bias, DEEPEST, ties, unsent)
        found = sender_utility(game, bias, np.array(0.0), LEVELS, ties, unsent)
        np.testing.assert_array_equal(found, tables.sender_utility)
        for belief, how in (("mixture", {"rtol": 0}), ("weighted", {"rtol": 1e-13, "atol": 1e-11})):
            found = receiver_utility(game, bias, np.array(0.0), LEVELS, ties, unsent, belief)
            np.testing.assert_allclose(found, tables.receiver_utility, **how)


@every_game
@of_belief
def test_level_0_tells_and_believes_the_truth_whatever_the_parameter(game, belief):
    shares = np.array([0.0, 0.3, 1.0])
    for bias in BIASES:
        tables = level_tables(game, bias, 0)
        for found, table in (
            (sender_utility(game, bias, 40 * shares), tables.sender_utility),
            (receiver_utility(game, bias, shares, belief=belief), tables.receiver_utility),
            (sender_utility(game, bias, 40 * shares, [0]), tables.sender_utility),
            (receiver_utility(game, bias, shares, [0], belief=belief), tables.receiver_utility),
        ):
            for one in found[:, 0]:
                np.testing.assert_array_equal(one, table[0])


@every_game
@of_belief
def test_full_trust_is_the_credulous_receiver_at_every_level(game, belief):
    for bias in BIASES:
        credulous = level_tables(game, bias, 0).receiver_utility
        found = receiver_utility(game, bias, np.array(1.0), LEVELS, belief=belief)
        expected = np.tile(credulous, (DEEPEST + 1, 1, 1))
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-11)


@every_game
def test_level_1_is_the_sender_who_expects_full_trust(game):
    aversion = np.array([0.0, 0.7, 12.0, 300.0])
    for bias in BIASES:
        material = trust_embedded.expected_payoff(game, bias, np.ones(4))
        expected = trust_embedded.sender_utility(game, material, aversion)
        found = sender_utility(game, bias, aversion)[:, 1]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-10)


@every_game
def test_much_aversion_is_the_truth_at_every_level(game):
    for bias in BIASES:
        sent = sender_utility(game, bias, np.array(1e4), LEVELS).argmax(axis=-1)
        np.testing.assert_array_equal(game.messages[sent], np.tile(game.states, (DEEPEST + 1, 1)))


@pytest.mark.parametrize(
    ("unsent", "bias", "level"), [("monotone", 2.0, 3), ("monotone", 10.0, 1), ("prior", 10.0, 1)]
)
def test_where_all_pool_it_is_the_trust_embedded_receiver_with_the_whole_prior(unsent, bias, level):
    game, share = FiniteGame([1, 2, 3, 4, 5]), np.linspace(0, 1, 7)
    sent = level_tables(game, bias, level, unsent=unsent).sender_choice[level].argmax(axis=-1)
    assert (sent == 4).all()
    expected = trust_embedded.receiver_utility(game, bias, share, "prior")
    found = receiver_utility(game, bias, share, [level], unsent=unsent)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_small_aversion_breaks_ties_as_the_smallest_lie_does():
    tied = 0
    for seed, game, bias, _ in games():
        tables = level_tables(game, bias, DEEPEST)
        # Lies are multiples of a quarter: this is far below any difference of payoffs.
        found = sender_utility(game, bias, np.array(1e-7), LEVELS)[1:]
        best = found >= found.max(axis=-1, keepdims=True) - 1e-9
        chosen = tables.sender_choice[1:].argmax(axis=-1)
        assert np.take_along_axis(best, chosen[..., None], axis=-1).all(), seed
        top = tables.sender_utility[1:]
        tied += ((top > top.max(axis=-1, keepdims=True) - 1e-9).sum(axis=-1) > 1).sum()
    assert tied > 100


# PyTensor


@of_belief
def test_pytensor_gives_the_values_of_numpy_and_the_slopes_of_differences(belief):
    rng = np.random.default_rng(4)
    for game in aligned_games():
        for bias in BIASES[::2]:
            plays = (
                (lambda at: sender_utility(game, bias, at), rng.uniform(1, 20, (2, 2))),  # noqa: B023
                (
                    lambda at: receiver_utility(game, bias, at, belief=belief),  # noqa: B023
                    rng.uniform(0.05, 0.95, (2, 2)),
                ),
            )
            for play, value in plays:
                expected = play(value)
                weight = rng.normal(size=expected.shape)
                at = pt.matrix()
                slope = pt.grad((weight * play(at)).sum(), at)
                found, slope = pt_function(at, [play(at), slope])(value)
                np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-10)
                for place in np.ndindex(value.shape):
                    step = np.zeros_like(value)
                    step[place] = 1e-5
                    up, down = ((weight * play(value + s * step)).sum() for s in (1, -1))
                    # Rounding leaves 1e-16 * 1e4 / 1e-5, curvature 1e-10 times the third slope.
                    size = max(1, abs(expected).max())
                    assert slope[place] == pytest.approx(
                        (up - down) / 2e-5, rel=1e-5, abs=1e-6 * size
                    )


@pytest.mark.parametrize("exponent", [1.0, 1.1, 1.4, 2.0])
def test_slopes_are_finite_where_the_belief_hits_an_action(exponent):
    game, trust = FiniteGame([1, 2, 3, 4, 5], payoffs=PowerLoss(exponent=exponent)), pt.vector()
    slope = pt.grad(receiver_utility(game, 1.0, trust).sum(), trust)
    assert np.isfinite(pt_function(trust, slope)(np.array([0.0, 0.5, 1.0]))).all()


def pt_function(variable, outputs):
    return pytensor.function([variable], outputs, mode=PYTHON)


# What is refused


def test_payoff_tables_need_the_mixture():
    table = PayoffTable((1.0, 2.0), (1.0, 2.0), {1.0: np.eye(2)}, np.eye(2))
    game, share = FiniteGame([1, 2], payoffs=table), np.array(0.5)
    with pytest.raises(ValueError, match="belief: payoff tables need 'mixture'"):
        receiver_utility(game, 1.0, share)
    assert receiver_utility(game, 1.0, share, belief="mixture").shape == (4, 2, 2)
    assert sender_utility(game, 1.0, share).shape == (4, 2, 2)


@pytest.mark.parametrize("play", [sender_utility, receiver_utility])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ties": "biggest-lie"}, "ties: found 'biggest-lie', expected one of smallest-lie"),
        ({"unsent": "ignored"}, "unsent: found 'ignored', expected one of monotone"),
        ({"levels": [1, -1]}, "levels: found -1, expected 0 or more"),
    ],
)
def test_unknown_conventions_are_refused(play, settings, message):
    with pytest.raises(ValueError, match=message):
        play(FiniteGame([1, 2]), 1.0, np.array(0.5), **settings)


def test_an_unknown_belief_is_refused():
    with pytest.raises(
        ValueError, match="belief: found 'prior', expected one of weighted, mixture"
    ):
        receiver_utility(FiniteGame([1, 2]), 1.0, np.array(0.5), belief="prior")
