"""What units of every kind of game can do: be cut, be stored, name the data of a compiled model."""

import numpy as np
import pytest

from trustbayes.trials.datasets import bundled
from trustbayes.trials.finite import Cells
from trustbayes.trials.forecast import Points
from trustbayes.trials.rules import rules_of
from trustbayes.trials.table import read_trials

KINDS = ["simulated-finite", "simulated-forecast"]


@pytest.fixture(params=KINDS, scope="module")
def trials(request):
    data = bundled(request.param)
    trials = read_trials(data.trials, data.game)
    table = trials.table.assign(sender_age=0, sender_town="x", group="g")
    number = trials.table["sender"].str.removeprefix("s").astype(int)
    table["sender_age"], table["sender_town"] = number, "town " + (number % 3).astype(str)
    table["group"] = "g" + (number % 2).astype(str)
    return type(trials)(**{**vars(trials), "table": table})


def assert_same(one, other):
    assert type(one) is type(other)
    for name in ("role", "subjects", "treatments", "groups"):
        assert getattr(one, name) == getattr(other, name)
    for name in one.dims:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.people.keys() == other.people.keys()
    for name, values in one.people.items():
        np.testing.assert_array_equal(values, other.people[name])


@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_units_of_some_subjects_are_those_of_their_trials_alone(trials, role):
    units = trials.fold(role)
    keep = np.array([0, 3, 7, len(units.subjects) - 1])
    theirs = trials.table[role].isin([units.subjects[i] for i in keep]).to_numpy()
    assert_same(units.of_subjects(keep), trials.subset(theirs, "some").fold(role))


def test_units_of_some_subjects_in_a_treatment_keep_their_order(trials):
    units = trials.fold("sender")
    keep = np.unique(units.unit_subject[units.unit_treatment == 1])[[1, 4]]
    part = units.of_subjects(keep, treatment=1)
    assert part.treatments == units.treatments
    assert set(part.unit_treatment) == {1}
    chosen = np.isin(units.trial_subject, keep)
    chosen &= units.unit_treatment[units.trial_unit] == 1
    assert part.n_trials == chosen.sum() > 0
    np.testing.assert_array_equal(part.trial_seen, units.trial_seen[chosen])
    np.testing.assert_array_equal(keep[part.trial_subject], units.trial_subject[chosen])


def test_a_data_set_gives_the_units_back(trials):
    units = trials.fold("sender")
    again = rules_of(trials.game).units.from_dataset(units.to_dataset(), "sender")
    assert_same(units, again)
    assert again.people["age"].dtype.kind in "if"
    assert set(again.people["town"]) == {"town 0", "town 1", "town 2"}


def test_a_data_set_of_the_other_kind_is_refused(trials):
    other = Points if rules_of(trials.game).units is Cells else Cells
    with pytest.raises(KeyError):
        other.from_dataset(trials.fold("sender").to_dataset(), "sender")


def test_what_a_compiled_model_holds_is_data_or_constant(trials):
    units = trials.fold("receiver")
    alike, single = units.replaceable(True), units.replaceable(False)
    assert len(set(alike.values())) == len(alike) > 0
    assert set(alike) <= set(units.dims)
    assert set(single) <= set(alike)
    design = len(units.pattern)
    assert len(units.constants(True)) == design
    constant = [getattr(units, name) for name in alike if name not in single]
    assert all(a is b for a, b in zip(units.constants(False)[design:], constant, strict=True))
    assert units.continuous == (len(constant) > 0)
