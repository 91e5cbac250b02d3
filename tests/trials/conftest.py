"""A reader of small tables."""

import pytest
from plain_table import HEADER

from trustbayes.games import FiniteGame
from trustbayes.trials.table import read_trials


@pytest.fixture
def game():
    return FiniteGame(states=[1, 2, 3])


@pytest.fixture
def read(tmp_path, game):
    def read_text(rows, header=HEADER, game=game):
        path = tmp_path / "trials.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        return read_trials(path, game)

    return read_text
