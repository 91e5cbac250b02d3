"""Experiments in which every subject plays one treatment only."""

import pandas as pd
import pytest

from trustbayes.games import FiniteGame, ForecastGame
from trustbayes.models import (
    LevelK,
    TrustEmbedded,
)
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import trials_from_frame

ROLES = ("sender", "receiver")
GAMES = (
    FiniteGame([1, 2, 4], treatments={"High": [1, 2.5], "Low": -0.5, "None": 0}),
    ForecastGame(),
)


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.kind)
def test_between_subjects_everyone_meets_people_of_one_treatment(game):
    count = len(game.treatments)
    played = simulate(
        game,
        sender=LevelK("sender", game),
        receiver=TrustEmbedded("receiver", game),
        subjects=4 * count + 2,
        rounds=9,
        seed=4,
        between=True,
    )
    table = played.trials
    sizes = []
    for role in ROLES:
        own = table.groupby(role)["treatment"].nunique()
        assert (own == 1).all()
        assert (table[role].value_counts() == 9).all()
        sizes.append(table.groupby("treatment")[role].nunique())
    assert set(sizes[0]) == {4, 5}
    pd.testing.assert_series_equal(*sizes, check_names=False)
    assert set(sizes[0].index) == set(game.treatments)
    for _, pairs in table.groupby("round"):
        assert pairs["sender"].nunique() == pairs["receiver"].nunique() == len(pairs)
        assert len(pairs) == 4 * count + 2
    assert table.groupby("sender")["receiver"].nunique().min() > 1  # matched anew
    # What nobody met has no parameters.
    trust = played.parameters.query("parameter == 'trust'")
    met = set(zip(table["receiver"], table["treatment"], strict=True))
    assert set(zip(trust["subject"], trust["treatment"], strict=True)) == met
    trials_from_frame(table, game)
