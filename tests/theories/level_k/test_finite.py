"""Level-k play against the check tables of the theory and against a brute-force search."""

from decimal import localcontext

import numpy as np
import pytest
from thinking import BruteForce, grid, random_game

from trustbayes.games import FiniteGame, PowerLoss
from trustbayes.theories.level_k.finite import level_tables

# The check tables of the theory, section 3. One entry per state (senders) or message (receivers);
# "4/5" is a tie of which the first is taken.

WSC = {
    0: ("1 2 3 4 5", "1 2 3 4 5", "1 2 3 4 5", "1 2 3 4 5", "1 2 3 4 5", "1 2 3 4 5"),
    1: (
        "2 3 4 5 5", "3 4 5 5 5", "4 4/5 5 5 5",
        "1 1 2 3 4/5", "1 1 1 2 4", "1/2 1/2 1/2 1/2 4",
    ),
    2: (
        "3 4 5 5 5", "4/5 5 5 5 5", "5 5 5 5 5",
        "1 1 1 2 4", "1 1 1 1 3/4", "3 3 3 3 3",
    ),
}  # fmt: skip
CW = {
    1.2: ("3 5 7 9 9", "5 7 7 9 9", "1 1 3 5 8", "1 1 1 4 8"),
    2: ("3 5 7 9 9", "5 7 9 9 9", "1 1 3 5 8", "1 1 1 3 7"),
    4: ("5 7 9 9 9", "7/9 9 9 9 9", "1 1 1 3 7", "1 1 1 1 6"),
}


def wsc(bias):
    return FiniteGame([1, 2, 3, 4, 5]), WSC[bias]


def cw(bias):
    game = FiniteGame(states=[1, 3, 5, 7, 9], actions=range(1, 10), payoffs=PowerLoss(110, 10, 1.4))
    return game, CW[bias]


@pytest.mark.parametrize(
    ("game", "play", "bias"),
    [(*wsc(bias), bias) for bias in WSC] + [(*cw(bias), bias) for bias in CW],
    ids=[f"WSC {bias}" for bias in WSC] + [f"CW {bias}" for bias in CW],
)
def test_play_and_ties_are_those_of_the_check_tables(game, play, bias):
    half = len(play) // 2
    tables = level_tables(game, bias, max_level=half)
    for role, texts, options in (
        ("sender", play[:half], game.messages),
        ("receiver", play[half:], game.actions),
    ):
        for level, text in enumerate(texts, start=1):
            utility = getattr(tables, f"{role}_utility")[level]
            choice = getattr(tables, f"{role}_choice")[level]
            for row, entry in enumerate(text.split()):
                expected = [float(value) for value in entry.split("/")]
                best = options[utility[row] > utility[row].max() - 1e-6]
                assert best.tolist() == expected, (role, level, row)
                assert options[choice[row] == 1].tolist() == expected[:1], (role, level, row)
                assert choice[row].sum() == 1


@pytest.mark.parametrize("unsent", ["monotone", "prior", "tremble"])
@pytest.mark.parametrize("ties", ["smallest-lie", "uniform"])
def test_play_equals_a_brute_force_search_in_random_games(ties, unsent):
    unlike_states = tied = never_sent = 0
    with localcontext() as context:
        context.prec = 50
        for seed in range(100):
            game, bias, twin = random_game(seed)
            brute = BruteForce(*twin, upward=bias >= 0, ties=ties, unsent=unsent)
            found = level_tables(game, bias, max_level=3, ties=ties, unsent=unsent)
            names = ("sender_utility", "receiver_utility", "sender_choice", "receiver_choice")
            for name, expected in zip(names, brute.levels(3), strict=True):
                # Rounding only: payoffs are up to 1e4, so 1e-9 of a payoff unit would be a
                # different formula.
                np.testing.assert_allclose(
                    getattr(found, name), expected, rtol=1e-11, atol=1e-9, err_msg=f"{seed} {name}"
                )
            unlike_states += not np.isin(game.messages, game.states).all()
            top = found.receiver_utility.max(-1, keepdims=True)
            tied += bool(((found.receiver_utility > top - 1e-9).sum(-1) > 1).any())
            never_sent += bool((found.sender_choice[1][game.prior > 0].sum(0) == 0).any())
    # The search means something only if the games were of the kinds that the rules are for.
    assert min(unlike_states, tied, never_sent) > 20


@pytest.mark.parametrize("unsent", ["monotone", "prior", "tremble"])
@pytest.mark.parametrize("ties", ["smallest-lie", "uniform"])
@pytest.mark.parametrize("bias", [0.5, 1.0, 1.2, 2.0, 3.0])
def test_reflected_game_with_the_bias_negated_gives_reflected_play(bias, ties, unsent):
    rng = np.random.default_rng(round(10 * bias))
    states = grid(rng, 5, 1)
    messages = grid(rng, 6, 0.5)
    actions = grid(rng, 7, 0.5)
    prior = rng.dirichlet(np.ones(5))
    loss = PowerLoss(exponent=1.7)
    game = FiniteGame(states, messages, actions, prior=prior, payoffs=loss)
    mirrored = FiniteGame(
        *([-v for v in reversed(values)] for values in (states, messages, actions)),
        prior=prior[::-1],
        payoffs=loss,
    )
    play = level_tables(game, bias, ties=ties, unsent=unsent)
    reflected = level_tables(mirrored, -bias, ties=ties, unsent=unsent)
    for name in ("sender_utility", "receiver_utility", "sender_choice", "receiver_choice"):
        np.testing.assert_allclose(
            getattr(reflected, name)[:, ::-1, ::-1], getattr(play, name), rtol=1e-12, atol=1e-12
        )


def test_of_two_equally_near_messages_level_0_sends_the_one_along_the_bias():
    game = FiniteGame([1, 2, 3], messages=[0.5, 1.5, 2.5, 3.5])
    up = level_tables(game, bias=1, max_level=0)
    down = level_tables(game, bias=-1, max_level=0)
    assert game.messages[up.sender_choice[0].argmax(-1)].tolist() == [1.5, 2.5, 3.5]
    assert game.messages[down.sender_choice[0].argmax(-1)].tolist() == [0.5, 1.5, 2.5]


def test_levels_do_not_depend_on_how_many_are_asked_for():
    game = FiniteGame([1, 2, 3, 4, 5])
    few, many = level_tables(game, 1.0, max_level=1), level_tables(game, 1.0, max_level=4)
    assert few.sender_choice.shape == (2, 5, 5)
    assert many.receiver_choice.shape == (5, 5, 5)
    np.testing.assert_array_equal(many.receiver_utility[:2], few.receiver_utility)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ties": "biggest-lie"}, "ties: found 'biggest-lie', expected one of smallest-lie"),
        ({"unsent": "ignored"}, "unsent: found 'ignored', expected one of monotone"),
        ({"max_level": -1}, "max_level: found -1, expected 0 or more"),
    ],
)
def test_unknown_conventions_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        level_tables(FiniteGame([1, 2]), 1.0, **settings)
