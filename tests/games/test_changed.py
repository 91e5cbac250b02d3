"""Finite games changed from others, and what theories make of fines for lies."""

import numpy as np
import pytest

from trustbayes.games import FiniteGame, PayoffTable, PowerLoss
from trustbayes.games.changed import Fined, measured_in, with_payoffs
from trustbayes.theories.level_k.finite import level_tables

GAME = FiniteGame([1, 2, 3, 4, 5], treatments={"a": 2.0})


def test_a_changed_game_keeps_the_units_and_leaves_the_other_alone():
    before = GAME.scale, GAME.checksum
    richer = measured_in(FiniteGame([1, 2, 3, 4, 5], payoffs=PowerLoss(scale=40.0)), GAME)
    assert richer.scale == GAME.scale
    assert richer.in_treatment("a").scale == GAME.scale
    fined = with_payoffs(richer, Fined(richer.payoffs, per_lie=3.0))
    assert fined.scale == GAME.scale
    assert fined.checksum != richer.checksum
    assert (GAME.scale, GAME.checksum) == before


@pytest.mark.parametrize("payoffs", [PowerLoss(), "table"])
def test_fines_are_taken_from_senders_who_lie_and_from_nobody_else(payoffs):
    if payoffs == "table":
        states = (1.0, 2.0, 3.0)
        payoffs = PayoffTable(states, states, np.arange(9.0).reshape(3, 3), np.eye(3))
    game = FiniteGame([1, 2, 3], payoffs=payoffs)
    fined = with_payoffs(game, Fined(payoffs, per_lie=5.0, per_unit=2.0))
    gap = abs(np.subtract.outer(game.states, game.messages))
    expected = game.sender_table(1.0)[:, None] - (5.0 * (gap > 0) + 2.0 * gap)[..., None]
    np.testing.assert_allclose(fined.sender_outcomes(1.0), expected)
    np.testing.assert_allclose(
        fined.receiver_outcomes, np.broadcast_to(game.receiver_table[:, None], (3, 3, 3))
    )


def test_levels_best_reply_to_fines_step_by_step():
    """Each level by hand: a loop over states and messages, the fine taken off."""
    fined = with_payoffs(GAME, Fined(GAME.payoffs, per_unit=25.0))
    tables, plain = level_tables(fined, 2.0), level_tables(GAME, 2.0)
    lie = abs(np.subtract.outer(GAME.states, GAME.messages))
    np.testing.assert_allclose(tables.sender_utility[0], plain.sender_utility[0] - 25.0 * lie)
    np.testing.assert_allclose(tables.receiver_utility[0], plain.receiver_utility[0])
    for level in (1, 2):
        action = tables.receiver_choice[level - 1].argmax(axis=1)
        for s, state in enumerate(GAME.states):
            earned = [
                110 - 20 * abs(state + 2.0 - GAME.actions[action[m]]) ** 1.4 - 25.0 * lie[s, m]
                for m in range(5)
            ]
            np.testing.assert_allclose(tables.sender_utility[level, s], earned)
            assert earned[tables.sender_choice[level, s].argmax()] == pytest.approx(max(earned))
    # A fine of 25 a step makes some of those honest who exaggerate without it.
    sent = [t.sender_choice[1].argmax(axis=1) + 1 for t in (plain, tables)]
    assert (sent[1] <= sent[0]).all()
    assert (sent[1] < sent[0]).any()
