"""The forecast-sharing game: what it refuses, its quantities, and how it is written down."""

import json
import math

import numpy as np
import pytest

from trustbayes.games import ForecastGame, Market, game_from_dict
from trustbayes.games.forecast import NUMBERS, game_faults


def test_critical_ratio_and_safety_are_those_of_the_theory():
    terms = ForecastGame().terms(["CLUL", "CLUH", "CHUL", "CHUH"])
    np.testing.assert_allclose(terms.critical_ratio, [0.8, 0.8, 0.2, 0.2])
    np.testing.assert_allclose(terms.safety, [15, 45, -15, -45])
    assert (terms.sender_margin, terms.receiver_margin) == (25, 75)
    np.testing.assert_array_equal(terms.at([3, 0]).capacity_cost, [60, 15])
    np.testing.assert_array_equal(terms.at([3, 0]).uncertainty, [75, 25])


def test_production_cost_narrows_the_margin():
    terms = ForecastGame(production_cost=5).terms(["CLUL", "CHUH"])
    assert terms.receiver_margin == 70
    np.testing.assert_allclose(terms.critical_ratio, [55 / 70, 10 / 70])


def test_limits_of_what_is_seen_and_chosen():
    game = ForecastGame(forecast_range=80, largest_capacity=400)
    assert game.seen_range("sender") == game.seen_range("receiver") == (-80, 80)
    assert game.choice_range("sender") == (-80, 80)
    assert game.choice_range("receiver") == (0, 400)
    assert ForecastGame().choice_range("receiver") == (0, math.inf)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"retail_price": 75}, "retail_price: found '75', expected more than the wholesale price, "
         "75: else no sender gains by a sale"),
        ({"wholesale_price": 60}, "treatments.CHUL.capacity_cost: found '60', expected less than "
         "the wholesale price minus the production cost, 60: else no receiver builds capacity"),
        ({"production_cost": 20}, "treatments.CHUH.capacity_cost: found '60', expected less than"),
        ({"production_cost": 75}, "wholesale_price: found '75', expected more than the production "
         "cost, 75: else no receiver gains by a sale"),
        ({"mean_demand": math.inf}, "mean_demand: found 'inf', expected a number"),
        ({"retail_price": math.nan}, "retail_price: found 'nan', expected a number"),
        ({"forecast_range": 0}, "forecast_range: found '0', expected a number above 0"),
        ({"forecast_range": math.inf}, "forecast_range: found 'inf', expected a number above 0"),
        ({"largest_capacity": 0}, "largest_capacity: found '0', expected a number above 0"),
        ({"treatments": {}}, "treatments: expected at least one treatment"),
        ({"treatments": {"A": Market(15, 0)}},
         "treatments.A.uncertainty: found '0', expected a number above 0"),
        ({"treatments": {"A": Market(0, 25)}},
         "treatments.A.capacity_cost: found '0', expected a number above 0: capacity that costs"),
        ({"treatments": {"A": Market(-1, math.inf)}},
         "treatments.A.uncertainty: found 'inf', expected a number above 0"),
    ],
)  # fmt: skip
def test_a_senseless_game_is_refused_with_the_reason(arguments, expected):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        ForecastGame(**arguments)
    assert any(fault.startswith(expected) for fault in str(caught.value).split("; "))


def test_all_faults_of_a_game_are_named_at_once():
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        ForecastGame(mean_demand=math.nan, retail_price=50, treatments={"A": Market(80, -1)})
    assert [fault.split(":")[0] for fault in str(caught.value).split("; ")] == [
        "mean_demand",
        "retail_price",
        "treatments.A.capacity_cost",
        "treatments.A.uncertainty",
    ]


@pytest.mark.parametrize("key", NUMBERS)
def test_an_unknown_number_is_no_reason_for_other_faults(key):
    game = ForecastGame()
    numbers = {name: getattr(game, name) for name in NUMBERS} | {key: math.nan}
    assert [fault.place for fault in game_faults(numbers, game.treatments)] == [key]


@pytest.mark.parametrize(
    "game",
    [
        ForecastGame(),
        ForecastGame(300, 90, 70, 5, 100, {"B": Market(10, 20), "A": Market(5.5, 1)}, 450),
    ],
)
def test_a_game_is_read_back_from_its_description(game):
    again = game_from_dict(json.loads(json.dumps(game.to_dict(), allow_nan=False)))
    assert isinstance(again, ForecastGame)
    assert again.to_dict() == game.to_dict()
    assert again.checksum == game.checksum
    assert list(again.treatments) == list(game.treatments)


def test_the_checksum_tells_what_bears_on_behaviour():
    same = ForecastGame(name="another name")
    others = [
        ForecastGame(largest_capacity=600),
        ForecastGame(retail_price=101),
        ForecastGame(treatments={"CLUL": Market(15, 25)}),
    ]
    assert same.checksum == ForecastGame().checksum
    assert len({game.checksum for game in [same, *others]}) == 4
