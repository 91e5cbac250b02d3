"""Trials folded into cells, against group-bys and the table itself."""

import numpy as np
import pandas as pd
import pytest

from trustbayes.games import FiniteGame
from trustbayes.trials.table import trials_from_frame


@pytest.fixture(scope="module")
def random_trials():
    """600 trials of 20 pairs, unordered, bias varying within treatments."""
    rng = np.random.default_rng(1)
    n, rounds = 20, 30
    frame = pd.DataFrame(
        {
            "sender": np.repeat([f"s{i}" for i in range(n)], rounds),
            "receiver": np.repeat([f"r{i}" for i in range(n)], rounds),
            "group": np.repeat([f"g{i // 4}" for i in range(n)], rounds),
            "round": np.tile(np.arange(rounds), n),
            "treatment": rng.choice(["Rare", "Frequent"], n * rounds),
            "bias": rng.choice([-1.0, 0.2, 2.0], n * rounds),
            "state": rng.choice([1, 2, 4], n * rounds),
            "message": rng.choice([1, 2, 3, 4], n * rounds),
            "action": rng.choice([0.5, 1, 2, 3, 4], n * rounds),
        }
    ).sample(frac=1, random_state=2)
    game = FiniteGame(states=[1, 2, 4], messages=[1, 2, 3, 4], actions=[0.5, 1, 2, 3, 4])
    return frame, trials_from_frame(frame, game)


@pytest.mark.parametrize(
    ("role", "seen", "option"), [("sender", "state", "message"), ("receiver", "message", "action")]
)
def test_counts_are_those_of_a_brute_force_groupby(random_trials, role, seen, option):
    frame, trials = random_trials
    cells = trials.fold(role)
    expected = frame.groupby([role, "treatment", "bias", seen, option]).size().to_dict()
    found = {}
    for unit, at_seen, at_option in zip(*np.nonzero(cells.counts), strict=True):
        key = (
            cells.subjects[cells.unit_subject[unit]],
            cells.treatments[cells.unit_treatment[unit]],
            cells.biases[cells.unit_bias[unit]],
            trials.game.seen(role)[at_seen],
            trials.game.options(role)[at_option],
        )
        found[key] = cells.counts[unit, at_seen, at_option]
    assert found == expected
    units = np.column_stack([cells.unit_subject, cells.unit_treatment, cells.unit_bias])
    assert len(units) == frame.groupby([role, "treatment", "bias"]).ngroups
    assert units.tolist() == sorted(units.tolist())


@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_trials_keep_their_order_through_folding(random_trials, role):
    frame, trials = random_trials
    cells = trials.fold(role)
    seen, option = ("state", "message") if role == "sender" else ("message", "action")
    unit = cells.trial_unit
    assert list(np.array(cells.subjects)[cells.unit_subject[unit]]) == list(frame[role])
    assert list(np.array(cells.treatments)[cells.unit_treatment[unit]]) == list(frame["treatment"])
    assert list(cells.biases[cells.unit_bias[unit]]) == list(frame["bias"])
    assert list(trials.game.seen(role)[cells.trial_seen]) == list(frame[seen])
    assert list(trials.game.options(role)[cells.trial_option]) == list(frame[option])


def test_unfolding_gives_each_trial_the_value_of_its_cell(random_trials):
    frame, trials = random_trials
    cells = trials.fold("sender")
    sizes = frame.groupby(["sender", "treatment", "bias", "state", "message"])["round"]
    np.testing.assert_array_equal(cells.cell_trials[cells.trial_cell], sizes.transform("size"))
    assert cells.cell_trials.sum() == cells.n_trials
    np.testing.assert_array_equal(cells.cell_unit[cells.trial_cell], cells.trial_unit)


def test_trials_and_groups_of_each_subject(random_trials):
    frame, trials = random_trials
    cells = trials.fold("receiver")
    assert cells.n_trials == 600
    assert cells.trials_per_subject.tolist() == [30] * 20
    group = frame.drop_duplicates("receiver").set_index("receiver")["group"]
    assert list(cells.groups) == [group[subject] for subject in cells.subjects]
