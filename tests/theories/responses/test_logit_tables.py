"""The likelihood of fixed tables of utilities, against a sum over trials one by one."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

import trustbayes as tb
from trustbayes.numerics.graphs import PLAIN, data
from trustbayes.theories.responses import logit_tables as tables
from trustbayes.theories.responses.logit import below_best
from trustbayes.theories.values import Values


@pytest.fixture(scope="module")
def trials():
    one = tb.bundled("simulated-finite")
    return tb.read_trials(one.trials, one.game)


def one_by_one(units, utility, precision_of_unit):
    """Log likelihood of each subject's trials: softmax of every trial's own list."""
    total = np.zeros(len(units.subjects))
    cells = zip(units.trial_unit, units.trial_seen, units.trial_option, strict=True)
    for unit, seen, option in cells:
        weights = np.exp(precision_of_unit[unit] * utility[unit, seen])
        total[units.unit_subject[unit]] += np.log(weights[option] / weights.sum())
    return total


def evaluated(units, utility, precision, dims, typed):
    """What the module gives, added up by subject."""
    with pm.Model():
        known = replace(units, counts=data("counts", units.counts))
        values = Values({"response_precision": pt.as_tensor(precision)}, {**dims}, known)
        logs, subject = tables.log_likelihood(known, below_best(utility), values, typed)
    parts = logs.eval(mode=PLAIN)
    total = np.zeros((len(units.subjects), *parts.shape[1:]))
    np.add.at(total, subject, parts)
    return total


@pytest.mark.parametrize("role", ["sender", "receiver"])
@pytest.mark.parametrize("by_treatment", [False, True])
def test_it_is_the_sum_over_trials(trials, role, by_treatment):
    units = trials.fold(role)
    model = tb.model("level-k", role, trials.game)
    utility = model.answer(trials.game, Values({}, {}, units))
    rng = np.random.default_rng(3)
    shape = (len(units.subjects), len(units.treatments)) if by_treatment else len(units.subjects)
    precision = rng.gamma(2.0, 2.0, size=shape)
    of_unit = (
        precision[units.unit_subject, units.unit_treatment]
        if by_treatment
        else precision[units.unit_subject]
    )
    dims = {"response_precision": ("subject", "treatment") if by_treatment else ("subject",)}
    expected = np.stack(
        [one_by_one(units, utility[:, kind], of_unit) for kind in range(len(model.types))], axis=1
    )
    found = evaluated(units, utility, precision, dims, typed=True)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    first = evaluated(units, utility[:, 0], precision, dims, typed=False)
    np.testing.assert_allclose(first, expected[:, 0], rtol=1e-10)


def test_lists_that_differ_in_order_only_are_one():
    lists, place = tables._distinct(np.array([[[0.0, -1.0, -2.0], [-2.0, 0.0, -1.0]]]))
    assert lists.tolist() == [[-2.0, -1.0, 0.0]]
    assert place.tolist() == [[0, 0]]
