"""What the calibration is to find broken is fitted by what uses it."""

import sys

import numpy as np
import pytest
from calibration import CALIBRATION_SAMPLING, cases, main
from readme import _SECTION

import trustbayes as tb
from trustbayes.numerics.graphs import PLAIN


@pytest.mark.slow  # builds graphs of both
def test_likelihoods_made_here_are_sampled_by_nuts_and_differ_from_the_right_ones():
    whole = list(cases())
    made = [case for case in whole if case.fitted.spec not in tb.models.SPECS]
    assert len(made) == 2
    assert sum(bool(case.broken) for case in whole) == 3
    for case in made:
        assert case.sampling.method == "nuts"
        trials = case.experiment.play(1).trials
        # The same point of two models whose likelihoods alone differ.
        right, wrong = case.experiment.player.build(trials), case.fitted.build(trials)
        point = right.initial_point()
        gap = float(right.compile_logp(mode=PLAIN)(point)) - float(
            wrong.compile_logp(mode=PLAIN)(point)
        )
        assert np.isfinite(gap)
        assert abs(gap) > 1.0
    assert all(c.sampling == CALIBRATION_SAMPLING for c in whole if c not in made)


def test_results_of_any_name_have_a_section():
    text = "<!-- results: pooled-calibration_2 -->\nold\n<!-- end -->"
    assert [m.group(2) for m in _SECTION.finditer(text)] == ["pooled-calibration_2"]


def test_a_case_that_is_not_there_is_named_with_those_that_are(monkeypatch, capsys):
    command = ["calibration.py", "--only", "calibration_interval", "--case", "level-k, reciever"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "'level-k, reciever'" in said
    assert "'level-k, receiver'" in said
