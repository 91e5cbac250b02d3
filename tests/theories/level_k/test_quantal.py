"""Level-k that reckons with noise: its limits, its graph, and what it is not combined with.

`tests/theories/test_general_game.py` holds it against loops over states, messages and actions.
"""

import general
import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from trustbayes.errors import InputError
from trustbayes.games import Feedback, FiniteGame
from trustbayes.models import LevelK
from trustbayes.theories.level_k.finite import level_tables
from trustbayes.theories.level_k.quantal import quantal_receiver_utility, quantal_sender_utility

GAME = FiniteGame([1, 2, 3, 4, 5], treatments={"Low": 1.0})
BOTH = (quantal_sender_utility, quantal_receiver_utility)


def test_without_noise_the_sender_of_level_1_is_the_selfish_one():
    plain = level_tables(GAME, 1.0, 1).sender_utility[1]
    np.testing.assert_allclose(quantal_sender_utility(GAME, 1.0, np.array(200.0), 1)[1], plain)


def test_with_nothing_but_noise_messages_say_nothing():
    prior = GAME.receiver_prior @ GAME.receiver_table
    found = quantal_receiver_utility(GAME, 1.0, np.array(0.0), 3)
    for level in (1, 2, 3):
        np.testing.assert_allclose(found[level], np.tile(prior, (5, 1)))
    even = GAME.sender_table(1.0).mean(axis=1)
    found = quantal_sender_utility(GAME, 1.0, np.array(0.0), 3)
    np.testing.assert_allclose(found[2], np.tile(even[:, None], (1, 5)))


def test_level_0_is_that_of_level_k_whatever_the_noise():
    tables = level_tables(GAME, 1.0, 0)
    for utility, name in zip(BOTH, ("sender_utility", "receiver_utility"), strict=True):
        found = utility(GAME, 1.0, np.array([0.1, 9.0]), 2)
        for each in found:
            np.testing.assert_array_equal(each[0], getattr(tables, name)[0])


@pytest.mark.parametrize("utility", BOTH)
def test_graphs_say_what_arrays_say_and_have_slopes(utility):
    game = general.random_game(2)[0].in_treatment("two")
    precision = pt.dvector("precision")
    graph = utility(game, 1.0, precision, 3)
    slope = pytensor.grad((graph**2).sum(), precision)
    both = pytensor.function([precision], [graph, slope], mode=Mode("py", None))
    at, step = np.array([0.3, 4.0, 60.0]), 1e-5
    values, slopes = both(at)
    np.testing.assert_allclose(values, utility(game, 1.0, at, 3), rtol=1e-12, atol=1e-12)
    up, down = ((utility(game, 1.0, at + s, 3) ** 2).sum(axis=(1, 2, 3)) for s in (step, -step))
    np.testing.assert_allclose(slopes, (up - down) / (2 * step), rtol=1e-5, atol=1e-6)


def test_no_noise_is_reckoned_with_where_depth_moves():
    game = FiniteGame([1, 2, 3], treatments={"Low": 1.0}, feedback=Feedback("state"))
    with pytest.raises(InputError, match="level-k, reply: found 'quantal', expected best"):
        LevelK("sender", reply="quantal", learning="depth").resolve_conventions(game)
