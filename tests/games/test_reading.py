"""Game files: what they mean, and that every mistake in one is reported."""

import itertools

import numpy as np
import pytest

from trustbayes.errors import InputError
from trustbayes.games import FiniteGame, ForecastGame, Market, PayoffTable, read_game

GAME = """
kind = "finite"
states = [1, 2, 3]
prior = "uniform"
[payoffs]
family = "power-loss"
constant = 110
scale = 20
exponent = 1.4
"""

TABLE_GAME = """
kind = "finite"
states = [1, 2]
actions = [1, 2, 3]
[payoffs]
family = "table"
sender = "sender.csv"
receiver = "receiver.csv"
"""


def long_form(payoff, states=(1, 2), actions=(1, 2, 3), biases=None):
    if biases is None:
        rows = [(s, a, payoff(s, a)) for s, a in itertools.product(states, actions)]
        return "state,action,payoff\n" + "".join(f"{s},{a},{p}\n" for s, a, p in rows)
    rows = itertools.product(biases, states, actions)
    lines = (f"{s},{payoff(s, a, b)},{b},{a}\n" for b, s, a in rows)
    return "state,payoff,bias,action\n" + "".join(lines)


@pytest.fixture
def write(tmp_path):
    def write_game(text=GAME, **files):
        for name, content in files.items():
            (tmp_path / f"{name}.csv").write_text(content)
        (tmp_path / "game.toml").write_text(text)
        return tmp_path / "game.toml"

    return write_game


def faults(path):
    with pytest.raises(InputError) as caught:
        read_game(path)
    return [str(fault) for fault in caught.value.faults]


def test_the_smallest_file_takes_messages_and_actions_from_the_states(write):
    game = read_game(write())
    assert isinstance(game, FiniteGame)
    assert game.name == "game"
    for listed in (game.states, game.messages, game.actions):
        np.testing.assert_array_equal(listed, [1, 2, 3])
    np.testing.assert_allclose(game.prior, 1 / 3)
    assert game.sender_table(2.0)[0, 2] == 110
    assert game.receiver_table[0, 2] == pytest.approx(110 - 20 * 2**1.4)
    assert game.treatments is None
    assert game.layout.columns == {}
    assert game.layout.exclude == {}


def test_everything_that_a_file_may_say(write):
    text = GAME.replace('"uniform"', "[0.5, 0.25, 0.25]").replace(
        "[payoffs]", 'name = "A test"\nmessages = [1, 1.5, 2, 3]\nactions = [-1, 0, 7]\n[payoffs]'
    )
    text += """
[treatments]
Fixed = -1
Mixed = [0.5, 2]
[columns]
sender = "s id"
[exclude]
timeout = [1, "late"]
part = 2.5
"""
    game = read_game(write(text))
    assert game.name == "A test"
    np.testing.assert_array_equal(game.messages, [1, 1.5, 2, 3])
    np.testing.assert_array_equal(game.actions, [-1, 0, 7])
    np.testing.assert_allclose(game.prior, [0.5, 0.25, 0.25])
    assert game.treatments == {"Fixed": (-1.0,), "Mixed": (0.5, 2.0)}
    assert game.layout.columns == {"sender": "s id"}
    assert game.layout.exclude == {"timeout": (1, "late"), "part": (2.5,)}


def test_one_payoff_table_serves_every_bias(write):
    game = read_game(
        write(TABLE_GAME, sender=long_form(lambda s, a: 10 * s + a),
              receiver=long_form(lambda s, a: 100 * s - a))
    )  # fmt: skip
    assert isinstance(game.payoffs, PayoffTable)
    assert game.payoffs.biases is None
    for bias in (0.5, -3.0):
        np.testing.assert_array_equal(game.sender_table(bias), [[11, 12, 13], [21, 22, 23]])
    np.testing.assert_array_equal(game.receiver_table, [[99, 98, 97], [199, 198, 197]])


def test_a_bias_column_gives_one_table_per_bias(write):
    sender = long_form(lambda s, a, b: 10 * s + a + 100 * b, biases=(-1, 2))
    path = write(
        TABLE_GAME + "[treatments]\nA = -1\nB = 2\n",
        sender=sender,
        receiver=long_form(lambda s, a: s - a),
    )
    game = read_game(path)
    assert game.payoffs.biases == (-1.0, 2.0)
    np.testing.assert_array_equal(game.sender_table(-1.0)[1], [-79, -78, -77])
    np.testing.assert_array_equal(game.sender_table(2.0)[1], [221, 222, 223])


def test_two_table_games_that_differ_only_for_the_sender_have_two_checksums(write):
    receiver = long_form(lambda s, a: s - a)
    one, two = (
        read_game(write(TABLE_GAME, sender=long_form(lambda s, a, k=k: k * s + a),
                        receiver=receiver)).checksum
        for k in (1, 2)
    )  # fmt: skip
    assert one != two


def test_misspelt_keys_get_a_suggestion_wherever_they_stand(write):
    text = GAME.replace("exponent", "exponnent").replace("kind", "statess = 1\nkind")
    text += '[columns]\nsendr = "id"\n'
    found = faults(write(text))
    assert any(
        f.startswith("game.toml, key statess: found 'statess', expected 'states'") for f in found
    )
    assert any(
        f.startswith("game.toml, key payoffs.exponnent: found 'exponnent', expected 'exponent'")
        for f in found
    )
    assert any(
        f.startswith("game.toml, key columns.sendr: found 'sendr', expected 'sender'")
        for f in found
    )
    assert "game.toml, key payoffs.exponent: expected a number of at least 1" in found
    assert len(found) == 4


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[1, 2, 3]", "[1, 3, 2]",
         "key states: found '[1, 3, 2]', expected a list of distinct numbers in increasing order"),
        ("[1, 2, 3]", '[1, "two", 3]',
         "key states: found \"[1, 'two', 3]\", expected a list of distinct numbers"),
        ("[1, 2, 3]", "[1, true]", "key states: found"),
        ("[1, 2, 3]", "[]", "key states: found '[]'"),
        ("[1, 2, 3]", "[1, inf]", "key states: found '[1, inf]'"),
        ("states = [1, 2, 3]", "", "key states: expected a list of distinct numbers"),
        ('"uniform"', "[0.5, 0.6, 0.1]",
         "key prior: found '[0.5, 0.6, 0.1]', expected \"uniform\" or 3 probabilities that add"),
        ('"uniform"', "[1.5, -0.5, 0]", "key prior: found"),
        ('"uniform"', "[0.5, 0.5]", "key prior: found '[0.5, 0.5]', expected"),
        ('"uniform"', '"flat"', "key prior: found 'flat', expected"),
        ('kind = "finite"', "", 'key kind: expected "finite"'),
        ('"finite"', '"finit"', "key kind: found 'finit', expected 'finite' (did you mean it?)"),
        ('"power-loss"', '"powerloss"', "key payoffs.family: found 'powerloss', expected 'power-l"),
        ("scale = 20", "scale = 0", "key payoffs.scale: found '0', expected a number above 0"),
        ("1.4", "0.5", "key payoffs.exponent: found '0.5', expected a number of at least 1"),
        ("= 110", '= "110"', "key payoffs.constant: found '110', expected a number"),
        ("[payoffs]", "[payoff]", "key payoffs: expected a table [payoffs]"),
        ("exponent = 1.4", "exponent = 1.4\n[treatments]\nA = 'x'", "key treatments.A: found 'x'"),
        ("exponent = 1.4", "exponent = 1.4\n[treatments]\nA = []", "key treatments.A: found '[]'"),
        ("exponent = 1.4", "exponent = 1.4\n[treatments]", "key treatments: found '{}', expected"),
        ("exponent = 1.4", "exponent = 1.4\n[columns]\nround = 3", "key columns.round: found '3'"),
        ("exponent = 1.4", "exponent = 1.4\n[exclude]\nt = true", "key exclude.t: found 'True'"),
        ("kind", "name = 3\nkind", "key name: found '3', expected a text"),
        ("kind", "columns = 1\nkind", "key columns: found '1', expected a table [columns]"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_what_was_expected(write, old, new, expected):
    assert GAME.count(old) >= 1
    assert any(
        f.startswith(f"game.toml, {expected}") for f in faults(write(GAME.replace(old, new)))
    )


def test_all_faults_are_told_at_once(write):
    text = GAME.replace("[1, 2, 3]", "[3, 1]").replace("20", "-1").replace("1.4", '"x"')
    found = faults(write(text))
    assert [f.split(":")[0] for f in found] == [
        "game.toml, key states",
        "game.toml, key payoffs.scale",
        "game.toml, key payoffs.exponent",
    ]


def test_a_missing_file(tmp_path):
    (fault,) = faults(tmp_path / "game.toml")
    assert "there is no such file" in fault


def test_a_folder_is_no_file(tmp_path):
    (fault,) = faults(tmp_path)
    assert "that can be read" in fault


def test_what_is_no_toml_is_said_with_its_line(write):
    (fault,) = faults(write(GAME + "states 3\n"))
    assert fault.startswith("game.toml: expected a TOML file (")
    assert "line 10" in fault


def test_what_is_no_text(tmp_path):
    path = tmp_path / "game.toml"
    path.write_bytes(b"name = '\xff'")
    (fault,) = faults(path)
    assert fault == "game.toml: expected a TOML file in UTF-8"


def test_faults_of_both_payoff_tables_are_told_with_their_rows(write):
    sender = "state,action,payoff\n1,1,5\n1,2,x\n1,3,5\n2,1,5\n2,2,5\n2,2,6\n4,3,1\n"
    found = faults(write(TABLE_GAME, sender=sender, receiver="state,acton,payoff\n1,1,1\n"))
    assert found == [
        "sender.csv, row 8, column state: found '4', expected one of the game's states",
        "sender.csv, row 3, column payoff: found 'x', expected a number",
        "sender.csv, row 7: found 'state 2, action 2 again', expected every state and action once",
        "sender.csv: expected a row for state, action 1, 2",
        "sender.csv: expected a row for state, action 2, 3",
        "receiver.csv, row 1, column acton: found 'acton', expected 'action' (did you mean it?); "
        "known are: action, message, payoff, state, treatment",
    ]


def test_a_missing_payoff_table(write):
    (fault,) = faults(write(TABLE_GAME, sender=long_form(lambda s, a: s - a)))
    assert fault.endswith("expected a CSV file of payoffs, but there is no such file")


def test_an_empty_payoff_table(write):
    header = "state,action,payoff\n"
    found = faults(write(TABLE_GAME, sender=long_form(lambda s, a: s - a), receiver=header))
    expected = "receiver.csv: expected a payoff for every state and action, but there are none"
    assert found == [expected]


def test_a_treatment_whose_bias_has_no_table(write):
    path = write(
        TABLE_GAME + "[treatments]\nA = [1, 3]\n",
        sender=long_form(lambda s, a, b: s - a + b, biases=(1, 2)),
        receiver=long_form(lambda s, a: s - a),
    )
    assert faults(path) == [
        "game.toml, key treatments.A: found '[1.0, 3.0]', expected biases with a sender table: 1, 2"
    ]


def test_a_table_game_needs_messages_that_are_states(write):
    path = write(
        TABLE_GAME.replace("actions", "messages = [1, 1.5]\nactions"),
        sender=long_form(lambda s, a: s - a),
        receiver=long_form(lambda s, a: s - a),
    )
    (fault,) = faults(path)
    assert fault.startswith("game.toml, key messages: found '[1, 1.5]'")


def test_payoffs_that_never_differ(write):
    path = write(TABLE_GAME, sender=long_form(lambda s, a: s), receiver=long_form(lambda s, a: 1))
    (fault,) = faults(path)
    assert "expected receiver payoffs that are not the same everywhere" in fault


def test_the_game_of_the_real_experiment(data):
    game = read_game(data / "games" / "ioannidis-2024.toml")
    assert game.treatments == {"Low": (0.2,), "Medium": (1.0,), "Large": (2.0,)}
    assert game.layout.exclude == {"timeout": (1,)}
    assert game.layout.columns["treatment"] == "bias"
    np.testing.assert_array_equal(game.states, [1, 2, 3, 4, 5])
    assert game.sender_table(2.0)[0, 2] == 110


def test_a_whole_number_too_large_for_a_float(write):
    (fault,) = faults(write(GAME.replace("110", "1" + "0" * 400)))
    assert fault.startswith("game.toml, key payoffs.constant: found '1000")


# Forecast sharing

FORECAST = """
kind = "forecast-sharing"
mean_demand = 300
retail_price = 90
wholesale_price = 70
production_cost = 10
forecast_range = 100
largest_capacity = 500
[treatments]
Late = {capacity_cost = 12.5, uncertainty = 40}
Early = {capacity_cost = 50, uncertainty = 20}
"""


def test_the_smallest_forecast_file_is_the_game_of_the_defaults(write):
    game = read_game(write('kind = "forecast-sharing"\n'))
    assert isinstance(game, ForecastGame)
    assert game.name == "game"
    assert game.checksum == ForecastGame().checksum
    assert game.layout.columns == {}
    assert game.layout.exclude == {}


def test_everything_that_a_forecast_file_may_say(write):
    game = read_game(
        write(
            FORECAST.replace("mean", 'name = "A test"\nmean')
            + '[columns]\nstate = "xi"\ngroup = "session"\n[exclude]\npractice = [1, "yes"]\n'
        )
    )
    assert game.to_dict() == {
        "kind": "forecast-sharing",
        "name": "A test",
        "mean_demand": 300,
        "retail_price": 90,
        "wholesale_price": 70,
        "production_cost": 10,
        "forecast_range": 100,
        "largest_capacity": 500,
        "treatments": {
            "Late": {"capacity_cost": 12.5, "uncertainty": 40},
            "Early": {"capacity_cost": 50, "uncertainty": 20},
        },
    }
    assert list(game.treatments) == ["Late", "Early"]
    assert game.layout.columns == {"state": "xi", "group": "session"}
    assert game.layout.exclude == {"practice": (1, "yes")}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("retail_price = 90", "retail_price = 70.0",
         "key retail_price: found '70', expected more than the wholesale price, 70: else no"),
        ("wholesale_price = 70", "wholesale_price = 60",
         "key treatments.Early.capacity_cost: found '50', expected less than the wholesale price "
         "minus the production cost, 50: else no receiver builds capacity"),
        ("wholesale_price = 70", "wholesale_price = 10",
         "key wholesale_price: found '10', expected more than the production cost, 10"),
        ("wholesale_price = 70", "wholesale_price = 90", "key retail_price: found '90', expected"),
        ("uncertainty = 40", "uncertainty = 0",
         "key treatments.Late.uncertainty: found '0', expected a number above 0"),
        ("uncertainty = 40", "uncertainty = 'much'",
         "key treatments.Late.uncertainty: found 'much', expected a number"),
        ("uncertainty = 40", "uncertainty = inf",
         "key treatments.Late.uncertainty: found 'inf', expected a number"),
        (", uncertainty = 40", "", "key treatments.Late.uncertainty: expected a number"),
        ("= 12.5", "= -1", "key treatments.Late.capacity_cost: found '-1', expected a number"),
        ("forecast_range = 100", "forecast_range = -100",
         "key forecast_range: found '-100', expected a number above 0"),
        ("largest_capacity = 500", "largest_capacity = 0",
         "key largest_capacity: found '0', expected a number above 0"),
        ("mean_demand = 300", "mean_demand = true", "key mean_demand: found 'True', expected a"),
        ("mean_demand = 300", "mean_demnd = 300",
         "key mean_demnd: found 'mean_demnd', expected 'mean_demand' (did you mean it?)"),
        ("{capacity_cost = 50,", "{capacity_costs = 50,",
         "key treatments.Early.capacity_costs: found 'capacity_costs', expected 'capacity_cost'"),
        ("{capacity_cost = 50, uncertainty = 20}", "50",
         "key treatments.Early: found '50', expected a table {capacity_cost = ..., uncertainty"),
        ("mean_demand", "states = [1, 2]\nmean_demand", "key states: found 'states', expected"),
        ("[treatments]", "[columns]\nbias = 'b'\n[treatments]",
         "key columns.bias: found 'bias', expected known are: action, group, message, receiver"),
        ("forecast-sharing", "forecast", "key kind: found 'forecast', expected 'forecast-sharing'"),
    ],
)  # fmt: skip
def test_a_wrong_value_of_a_forecast_file_is_named(write, old, new, expected):
    assert FORECAST.count(old) >= 1
    found = faults(write(FORECAST.replace(old, new, 1)))
    assert any(fault.startswith(f"game.toml, {expected}") for fault in found)


def test_what_cannot_be_read_causes_no_second_fault(write):
    text = FORECAST.replace("= 70", "= 'x'").replace("= 12.5", "= 'y'").replace("= 40", "= -2")
    assert faults(write(text)) == [
        "game.toml, key wholesale_price: found 'x', expected a number",
        "game.toml, key treatments.Late.capacity_cost: found 'y', expected a number",
        "game.toml, key treatments.Late.uncertainty: found '-2', expected a number above 0",
    ]


def test_a_treatment_that_is_no_table_is_one_fault(write):
    head = 'kind = "forecast-sharing"\n'
    for text in ("treatments = 3\n", "[treatments]\nA = 3\n", "[treatments]\n"):
        (fault,) = faults(write(head + text))
        assert fault.startswith("game.toml, key treatments")


def test_a_default_that_does_not_fit_is_said_to_be_one(write):
    found = faults(
        write('kind = "forecast-sharing"\nwholesale_price = 105\nproduction_cost = 50\n')
    )
    assert [fault.removeprefix("game.toml, key ") for fault in found] == [
        "retail_price: found '100 (the default)', expected more than the wholesale price, 105: "
        "else no sender gains by a sale",
        "treatments.CHUL.capacity_cost: found '60 (the default)', expected less than the "
        "wholesale price minus the production cost, 55: else no receiver builds capacity",
        "treatments.CHUH.capacity_cost: found '60 (the default)', expected less than the "
        "wholesale price minus the production cost, 55: else no receiver builds capacity",
    ]


def test_the_game_of_ozer_zheng_and_chen(data):
    game = read_game(data / "games" / "ozc-2011.toml")
    assert isinstance(game, ForecastGame)
    assert game.checksum == ForecastGame().checksum
    assert list(game.treatments) == ["CLUL", "CLUH", "CHUL", "CHUH"]
    assert game.treatments["CHUL"] == Market(capacity_cost=60, uncertainty=25)
