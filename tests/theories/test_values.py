"""Conditions and values against look-ups written out in loops."""

import itertools

import numpy as np
import pandas as pd
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from trustbayes.games import FiniteGame
from trustbayes.models import Values
from trustbayes.trials.table import trials_from_frame

# Plain Python: neither numba nor C, which take seconds to compile each function.
PYTHON = Mode(linker="py", optimizer="fast_compile")

SUBJECTS, TREATMENTS, OPTIONS = 3, 2, 4


@pytest.fixture(scope="module")
def cells():
    """Senders in two treatments; the bias varies within the second, and s3 is in the first only."""
    rows = [
        ("s1", 1, "A", 1.0),
        ("s1", 2, "B", 1.0),
        ("s1", 3, "B", 3.0),
        ("s2", 1, "B", 3.0),
        ("s2", 2, "A", 1.0),
        ("s2", 3, "B", 3.0),
        ("s3", 1, "A", 1.0),
    ]
    table = pd.DataFrame(rows, columns=["sender", "round", "treatment", "bias"])
    table["state"], table["message"] = 1, 2
    return trials_from_frame(table, FiniteGame([1, 2])).fold("sender")


def test_conditions_are_the_observed_pairs_of_treatment_and_bias(cells):
    pairs = list(zip(cells.condition_treatment, cells.condition_bias, strict=True))
    names = [(cells.treatments[t], float(cells.biases[b])) for t, b in pairs]
    assert names == [("A", 1.0), ("B", 1.0), ("B", 3.0)]
    units = [
        (cells.subjects[s], cells.treatments[t], float(cells.biases[b]))
        for s, t, b in zip(cells.unit_subject, cells.unit_treatment, cells.unit_bias, strict=True)
    ]
    assert units == [
        ("s1", "A", 1.0),
        ("s1", "B", 1.0),
        ("s1", "B", 3.0),
        ("s2", "A", 1.0),
        ("s2", "B", 3.0),
        ("s3", "A", 1.0),
    ]
    for (_, treatment, bias), condition in zip(units, cells.unit_condition, strict=True):
        assert names[condition] == (treatment, bias)


LENGTH = {"subject": SUBJECTS, "treatment": TREATMENTS, "message": OPTIONS}
DIMS = [
    (*over, *option)
    for over in ((), ("subject",), ("treatment",), ("subject", "treatment"))
    for option in ((), ("message",))
]


@pytest.mark.parametrize("draws", [(), (5,), (2, 5)], ids=str)
@pytest.mark.parametrize("dims", DIMS, ids=str)
def test_units_get_their_subjects_and_treatments_values(cells, dims, draws):
    array = np.random.default_rng(1).normal(size=(*draws, *(LENGTH[d] for d in dims)))
    found = Values({"x": array}, {"x": dims}, cells).of_units("x")
    option = (OPTIONS,) if "message" in dims else ()
    assert found.shape == (*draws, cells.unit_subject.size, *option)
    for draw in np.ndindex(draws):
        for unit in range(cells.unit_subject.size):
            where = {"subject": cells.unit_subject[unit], "treatment": cells.unit_treatment[unit]}
            expected = array[draw]
            for dim in dims:
                if dim in where:
                    expected = expected[where[dim]]
            np.testing.assert_array_equal(found[draw][unit], expected)


@pytest.mark.parametrize("draws", [(), (5,), (2, 5)], ids=str)
@pytest.mark.parametrize("dims", [(), ("treatment",)], ids=str)
def test_conditions_get_the_values_that_all_subjects_share(cells, dims, draws):
    array = np.random.default_rng(2).normal(size=(*draws, *(LENGTH[d] for d in dims)))
    values = Values({"x": array}, {"x": dims}, cells)
    assert values.shared("x")
    assert "x" in values
    assert "y" not in values
    found = values.of_conditions("x")
    for draw, condition in itertools.product(np.ndindex(draws), range(3)):
        expected = array[draw][cells.condition_treatment[condition]] if dims else array[draw]
        assert found[draw][condition] == expected


@pytest.mark.parametrize("dims", [("subject",), ("subject", "treatment")], ids=str)
def test_a_subjects_own_value_is_none_of_a_condition(cells, dims):
    array = np.ones([LENGTH[d] for d in dims])
    values = Values({"x": array}, {"x": dims}, cells)
    assert not values.shared("x")
    with pytest.raises(ValueError, match="x varies by subject"):
        values.of_conditions("x")


@pytest.mark.parametrize("dims", DIMS, ids=str)
def test_pytensor_variables_are_looked_up_alike(cells, dims):
    array = np.random.default_rng(3).normal(size=[LENGTH[d] for d in dims])
    symbolic = Values({"x": pt.constant(array)}, {"x": dims}, cells).of_units("x")
    expected = Values({"x": array}, {"x": dims}, cells).of_units("x")
    np.testing.assert_array_equal(symbolic.eval(mode=PYTHON), expected)
