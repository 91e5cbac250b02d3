"""Planted against estimated."""

import pandas as pd
import pytest

from trustbayes.errors import InputError
from trustbayes.games import FiniteGame
from trustbayes.simulation.planted import planted_against_estimated

KEY = {"role": "sender", "subject": "1", "model": "trust-embedded", "treatment": ""}


def test_planted_values_are_put_in_the_unit_of_the_estimates():
    game = FiniteGame([1, 2, 3])
    subjects = pd.DataFrame(
        [
            {**KEY, "parameter": "lying_aversion", "lower": 10.0, "upper": 30.0},
            {**KEY, "parameter": "response_precision", "lower": 1.0, "upper": 2.0},
            {**KEY, "parameter": "response_precision", "subject": "2", "lower": 1.0, "upper": 2.0},
        ]
    )
    planted = pd.DataFrame(
        [
            {**KEY, "parameter": "lying_aversion", "value": 1.0},
            {**KEY, "parameter": "response_precision", "value": 3.0},
            {**KEY, "parameter": "response_precision", "model": "level-k", "value": 1.5},
        ]
    )
    found = planted_against_estimated(subjects, planted, game).set_index("parameter")
    assert len(found) == 2  # the other model's truth is no truth of this one
    assert found.loc["lying_aversion", "planted"] == pytest.approx(game.scale / game.step)
    assert bool(found.loc["lying_aversion", "covered"]) == (10 <= game.scale <= 30)
    assert not found.loc["response_precision", "covered"]


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="value"):
        planted_against_estimated(
            pd.DataFrame(), pd.DataFrame([KEY | {"parameter": "trust"}]), FiniteGame([1, 2])
        )
