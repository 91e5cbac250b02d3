"""Partition equilibria against indifference at the cuts, and against what would undo them."""

import numpy as np
import pytest

from trustbayes.games import IntervalGame
from trustbayes.theories.benchmarks.interval import partition_equilibrium


def random_games():
    rng = np.random.default_rng(1)
    for _ in range(300):
        width, lowest = 10 ** rng.uniform(-1, 3), rng.uniform(-50, 50)
        bias = width * rng.choice([-1, 1]) * 10 ** rng.uniform(-3, 0)
        yield IntervalGame(lowest, lowest + width, {"b": bias}), bias, width


def test_senders_at_the_cuts_are_indifferent_and_no_larger_number_of_intervals_is_possible():
    sizes = []
    for game, bias, width in random_games():
        made = partition_equilibrium(game, "b")
        cuts, acts = made.cuts, made.actions
        assert (np.diff(cuts) > 0).all()
        inner = cuts[1:-1]
        gap = abs(inner + bias - acts[:-1]) - abs(inner + bias - acts[1:])
        assert abs(gap).max(initial=0.0) < 1e-9 * width
        number = acts.size
        assert 2 * number * (number - 1) * abs(bias) < width
        # One more interval would have to be shorter than nothing.
        shortest = width / (number + 1) - 2 * number * abs(bias)
        assert shortest <= 1e-9 * width
        sizes.append(number)
    assert min(sizes) == 1
    assert max(sizes) > 10


def test_nobody_prefers_the_message_of_another_interval():
    for game, bias, width in random_games():
        made = partition_equilibrium(game, "b")
        state = np.linspace(game.lowest, game.highest, 4001)
        losses = abs(made.actions - (state + bias)[:, None])
        taken = abs(made.action(state) - state - bias)
        assert (taken <= losses.min(axis=1) + 1e-9 * width).all()


def test_the_example_of_crawford_and_sobel():
    # b = 1/20 on [0, 1]: three intervals, cut at 2/15 and 7/15.
    made = partition_equilibrium(IntervalGame(0, 1, {"b": 1 / 20}), "b")
    np.testing.assert_allclose(made.cuts, [0, 2 / 15, 7 / 15, 1])
    mirrored = partition_equilibrium(IntervalGame(0, 1, {"b": -1 / 20}), "b")
    np.testing.assert_allclose(mirrored.cuts, [0, 8 / 15, 13 / 15, 1])
    # Exactly at b = 1/4 nothing but babbling is left, and just below two intervals.
    assert partition_equilibrium(IntervalGame(0, 1, {"b": 0.25}), "b").actions.tolist() == [0.5]
    assert partition_equilibrium(IntervalGame(0, 1, {"b": 0.2499}), "b").actions.size == 2


def test_what_has_no_such_equilibrium_is_refused():
    game = IntervalGame(0, 1, {"None": 0.0, "Tiny": 1e-12})
    with pytest.raises(ValueError, match="bias: found 0, expected another"):
        partition_equilibrium(game, "None")
    with pytest.raises(ValueError, match="of at most 100,000 intervals"):
        partition_equilibrium(game, "Tiny")
    with pytest.raises(ValueError, match="treatment: found 'b', expected one of None, Tiny"):
        partition_equilibrium(game, "b")
