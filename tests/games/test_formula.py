"""Formulas of game files: their values against Python's own, and what they refuse."""

import numpy as np
import pytest

from trustbayes.errors import InputError
from trustbayes.games.formula import parse_formula
from trustbayes.numerics.arrays import namespace

NAMES = ("state", "message", "action", "bias", "fine")
VALUES = {"state": 2.0, "message": 3.0, "action": 1.5, "bias": -1.0, "fine": 4.0}

# Each beside the same in Python, which the test writes out with plain numbers.
FORMULAS = {
    "1 + 2 * state - -action / 4": lambda v: 1 + 2 * v["state"] + v["action"] / 4,
    "abs(state - message) ** 1.5": lambda v: abs(v["state"] - v["message"]) ** 1.5,
    "10 if message == state else -fine": lambda v: 10 if v["message"] == v["state"] else -v["fine"],
    "where(action < 2 <= state, 7, 8)": lambda v: 7 if v["action"] < 2 <= v["state"] else 8,
    "min(state, message, 1) + max(bias, 0.5)": lambda v: 1 + 0.5,
    "(state > 1 and not message > 5) + 0": lambda v: 1,
    "5 * (state > 9 or message != 3)": lambda v: 0,
    "floor(action) + round(action + .2)": lambda v: 1 + 2,
    "exp(bias) + log(fine) + sqrt(fine)": lambda v: np.exp(-1) + np.log(4) + 2,
    "  state\n  + message  ": lambda v: 5,
    "1e3 + +2": lambda v: 1002,
}


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_means_what_it_says(text):
    formula = parse_formula(text, NAMES)
    assert float(formula(VALUES)) == pytest.approx(FORMULAS[text](VALUES), rel=1e-14)
    arrays = {name: np.full((2, 3), value) for name, value in VALUES.items()}
    np.testing.assert_allclose(formula(arrays), FORMULAS[text](VALUES), rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "smooth"),
    [
        ("abs(state - action) ** 1.4", True),
        ("max(state, action)", True),
        ("1 if state > 1 else 0", False),
        ("where(state, 1, 2)", False),
        ("floor(state)", False),
        ("not state", False),
    ],
)
def test_formulas_that_jump_are_known_at_listed_values_only(text, smooth):
    assert parse_formula(text, NAMES).smooth is smooth


def test_smooth_formulas_understand_pytensor():
    import pytensor.tensor as pt

    formula = parse_formula("exp(-abs(state - action)) + min(state, 2) ** 2 - sqrt(fine)", NAMES)
    values = VALUES | {"state": pt.constant(1.7)}
    found = formula(values)
    assert namespace(found) is pt
    expected = formula(VALUES | {"state": 1.7})
    assert float(found.eval()) == pytest.approx(float(expected), rel=1e-14)


def test_no_division_raises():
    assert np.isinf(parse_formula("1 / 0", ())({}))
    assert np.isnan(parse_formula("(0 - 8) ** (1 / 3)", ())({}))


FAULTS = {
    "state + stat": ("9", "stat", "'state' (did you mean it?)"),
    "  éta + 1": ("3", "éta", "known are"),
    "state + ": ("8", "", "a formula (invalid syntax)"),
    "__import__('os').system('x')": ("1", "__import__('os').system('x')", "numbers, names"),
    "state.real": ("1", "state.real", "numbers, names"),
    "[1, 2][0]": ("1", "[1, 2][0]", "numbers, names"),
    "(lambda: 1)()": ("1", "(lambda: 1)()", "numbers, names"),
    "eval(state)": ("1", "eval", "a function: "),
    "abs(state, 2)": ("1", "abs(state, 2)", "abs with 1 value"),
    "where(state)": ("1", "where(state)", "where with 3 values"),
    "min(state)": ("1", "min(state)", "min with 2 or more values"),
    "abs(x=state)": ("1", "abs(x=state)", "numbers, names"),
    "min(*state, 1)": ("5", "*state", "numbers, names"),
    "1 if True else 0": ("6", "True", "a number or a name"),
    "2j": ("1", "2j", "a number or a name"),
    "'text'": ("1", "'text'", "a number or a name"),
    "state % 2": ("1", "state % 2", "numbers, names"),
    "state in action": ("1", "state in action", "numbers, names"),
    "state := 2": ("7", ":= 2", "a formula (invalid syntax)"),
    "(state := 2)": ("2", "state := 2", "numbers, names"),
    "1e999": ("1", "1e999", "a smaller number"),
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_points_at_its_character(text):
    at, value, expected = FAULTS[text]
    with pytest.raises(InputError) as caught:
        parse_formula(text, NAMES, "game.toml, key payoffs.sender")
    (fault,) = caught.value.faults
    assert fault.place == f"game.toml, key payoffs.sender, character {at}"
    assert fault.value.strip().startswith(value.strip()[:27])
    assert fault.expected.startswith(expected)


def test_all_faults_of_a_formula_are_told_at_once():
    with pytest.raises(InputError) as caught:
        parse_formula("stat + sin(message) + foo", NAMES)
    assert [fault.place for fault in caught.value.faults] == [
        "formula, character 1", "formula, character 8", "formula, character 23",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["(" * 250 + "1" + ")" * 250, "-" * 1900 + "1", "1+" * 900 + "1", "1" * 2001]
)
def test_formulas_that_would_burst_are_refused(text):
    with pytest.raises(InputError):
        parse_formula(text, NAMES)


def test_labels_stand_in_quotes_or_as_names():
    labels = {"accept": 0.0, "challenge it": 1.0}
    formula = parse_formula("5 * (action == 'challenge it')", NAMES, labels=labels)
    assert float(formula({"action": 1.0})) == 5
    with pytest.raises(InputError, match=r"'accept' .did you mean it"):
        parse_formula("action == 'acept'", NAMES, labels=labels)
