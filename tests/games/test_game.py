"""The face that all kinds of game share, and the registry of the kinds."""

import numpy as np
import pytest

from trustbayes.games import (
    FiniteGame,
    ForecastGame,
    IntervalGame,
    PayoffFunctions,
    PayoffTable,
    RecommendationGame,
    game_from_dict,
)
from trustbayes.games.game import KINDS
from trustbayes.report.games.registry import kind_of as report_of
from trustbayes.simulation.kinds import kind_of as simulation_of
from trustbayes.trials.rules import rules_of

FUNCTIONS = FiniteGame(
    [1, 2],
    payoffs=PayoffFunctions(
        sender=lambda state, action, bias: -abs(state + bias - action),
        receiver=lambda state, action: -abs(state - action),
    ),
)
TABLES = FiniteGame([1, 2], payoffs=PayoffTable((1.0, 2.0), (1.0, 2.0), np.eye(2), np.eye(2)))
GAMES = [
    FiniteGame([1, 2, 4]),
    TABLES,
    FUNCTIONS,
    ForecastGame(),
    IntervalGame(0, 100, {"Small": 5.0}),
    RecommendationGame(0, 100),
]


@pytest.mark.parametrize("game", GAMES)
def test_a_game_that_is_storable_is_read_back_by_its_kind(game):
    if not game.storable:
        with pytest.raises(ValueError, match="functions"):
            game_from_dict(game.to_dict())
        return
    again = game_from_dict(game.to_dict())
    assert type(again) is type(game)
    assert again.checksum == game.checksum


def test_a_name_is_no_part_of_the_checksum():
    assert ForecastGame(name="a").checksum == ForecastGame(name="b").checksum
    assert ForecastGame(mean_demand=251).checksum != ForecastGame().checksum


def test_only_games_of_payoff_tables_are_tabled():
    assert [game.tabled for game in GAMES] == [False, True, False, False, False, False]


def test_options_are_listed_where_choices_are():
    assert FiniteGame([1, 2], actions=[1, 2, 3]).options("receiver").tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="receiver in a forecast-sharing game"):
        ForecastGame().options("receiver")


def test_every_room_knows_every_kind():
    games = {game.kind: game for game in GAMES}
    assert games.keys() == KINDS.keys()
    for game in games.values():
        assert KINDS[game.kind].game is type(game)
        assert rules_of(game).units.continuous == (game.kind != "finite")
        assert simulation_of(game).biases_of({name: 0.5 for name in game.treatments or "a"})
        assert set(report_of(game).words) == set(game.roles)
