"""Fits and models under names of their own."""

import numpy as np
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes.comparison import averaged, by_person, verdict
from trustbayes.comparison.compare import compare
from trustbayes.errors import InputError
from trustbayes.models import LevelK

TRIALS = small_trials(pairs=6)
A, B = (synthetic_fit(LevelK("receiver"), TRIALS, seed=n, draws=20) for n in (1, 2))


def test_one_theory_twice_under_two_names():
    fits = {"wide": A, "narrow": B}
    found = compare(fits, "subject")
    assert set(found.models) == {"wide", "narrow"}
    alone = compare([A], "subject").rows()["elpd"]["level-k"]
    assert found.rows()["elpd"]["wide"] == pytest.approx(alone)
    assert "Level-k" in verdict(found, fits).text
    people = by_person(found, fits, "wide", "narrow")
    assert set(people["favourite"]) <= {"wide", "narrow"}
    weights = averaged(found, fits, seed=1, size=20).weights
    assert set(weights.index) == {"wide", "narrow"}
    assert np.isclose(weights.sum(), 1)


def test_names_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="every model once, or a name for each"):
        compare([A, B])
    for name in ("", " ", "a,b", "a\x1b"):
        with pytest.raises(InputError, match="a name without commas"):
            compare({name: A, "other": B})
    with pytest.raises(InputError, match="those of the comparison"):
        verdict(compare({"wide": A, "narrow": B}, "subject"), [A])
