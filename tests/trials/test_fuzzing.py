"""Damaged files: one message or a clean read, and never a trial less than the file has rows."""

import fuzzing
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import integers, lists, sampled_from, tuples

CORPUS = fuzzing.corpus()
STEPS = tuples(integers(0, 11), integers(0, 5000), integers(0, 5000))
WHOLE = {"one-row-per-player.csv", "otree-wide.csv", "unclosed-quote.csv", "misspelt-column.csv",
         "people-float-ids.csv"}  # fmt: skip


@pytest.mark.parametrize("seed", CORPUS, ids=lambda seed: seed.name)
def test_the_corpus_itself(seed, tmp_path):
    expected = "refused" if seed.name in WHOLE else "read"
    assert fuzzing.read(seed, seed.content, tmp_path) == expected


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=sampled_from(CORPUS), steps=lists(STEPS, min_size=1, max_size=4))
def test_damaged_files_are_refused_or_read_whole(tmp_path, seed, steps):
    fuzzing.read(seed, fuzzing.mutated(seed.content, steps), tmp_path)


def test_random_bytes_are_refused(tmp_path):
    rng = np.random.default_rng(1)
    for size in (0, 1, 2, 50, 5000):
        for seed in CORPUS[-4:]:
            assert fuzzing.read(seed, rng.bytes(size), tmp_path) == "refused"
