"""Commands on simulated experiments, their reports and their faults; nothing is sampled."""

import errno
import json
import os
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from dataclasses import replace

import killing
import numpy as np
import pandas as pd
import pytest
from priorfit import prior_fit

from trustbayes.cli import main as cli
from trustbayes.cli.options import BAD_INPUT, DONE, FAILED, NOT_CONVERGED
from trustbayes.files import whole
from trustbayes.games import FiniteGame
from trustbayes.inference import executors
from trustbayes.inference.fit import Fit
from trustbayes.inference.gate import Gate
from trustbayes.inference.sampling import Sampling
from trustbayes.models import FullTrust
from trustbayes.report.studies import study_report
from trustbayes.simulation import experiments
from trustbayes.simulation.calibration import Calibration
from trustbayes.simulation.experiments import Experiment
from trustbayes.simulation.power import Power

GAME = """
kind = "finite"
name = "A <b>game</b>"
states = [1, 2, 3]
[payoffs]
family = "power-loss"
constant = 110
scale = 20
exponent = 1.4
[treatments]
Low = 0.5
High = 1
"""


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Run a command with draws of the prior instead of sampling: exit code, output, messages."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "game.toml").write_text(GAME)
    monkeypatch.setattr(experiments, "fit", prior_fit)
    monkeypatch.setattr(executors, "process_pool", lambda jobs, **_: ThreadPoolExecutor(1))

    def run(*tokens: str) -> tuple[int, str, str]:
        code = cli.main(tokens)
        return code, *capsys.readouterr()

    return run


SMALL = ("--game", "game.toml", "--role", "sender", "--subjects", "2")


def test_calibrate_writes_a_report_and_its_numbers(run, tmp_path):
    how = (*SMALL, "--rounds", "2", "--simulations", "20", "--folder", "kept", "--json")
    code, out, _ = run("calibrate", "full-trust", *how, "--out", "page.html")
    found = json.loads(out)
    # Draws that ignore the data: only the log likelihood knows.
    failed = [test["quantity"] for test in found["tests"] if not test["passed"]]
    assert code == (DONE if found["passed"] else NOT_CONVERGED)
    assert found["passed"] == (not failed)
    assert len(list((tmp_path / "kept").glob("*.json"))) == 20
    page, numbers = (tmp_path / f"page.{end}" for end in ("html", "json"))
    text = page.read_text("utf-8")
    assert "Calibration of Full trust, senders" in text
    assert "A &lt;b&gt;game&lt;/b&gt;" in text
    assert "could not be drawn" not in text
    assert len(json.loads(numbers.read_text("utf-8"))["ranks"]) == 20 * len(found["tests"])
    assert "trustbayes calibrate full-trust" in text


def test_recover_writes_a_report_and_its_numbers(run, tmp_path):
    how = (*SMALL, "--rounds", "2,4", "--replications", "3", "--json")
    code, out, _ = run("recover", "full-trust", *how, "--out", "page.html")
    assert code == DONE
    table = json.loads(out)["table"]
    assert {row["rounds"] for row in table} == {2, 4}
    text = (tmp_path / "page.html").read_text("utf-8")
    assert text.count("<img") == 3
    assert "could not be drawn" not in text
    assert "response precision mean" in text


def test_design_writes_a_report_and_its_numbers(run, tmp_path, monkeypatch):
    monkeypatch.setattr(Fit, "gate", Gate(()))
    sizes = ("--subjects", "3,2", "--rounds", "2", "--experiments", "1", "--role", "sender")
    names = ("--theories", "full-trust,babbling", "--game", "game.toml")
    code, out, _ = run("design", *names, *sizes, "--out", "page.html", "--json")
    assert code == DONE
    assert [row["subjects"] for row in json.loads(out)["table"]] == [2, 2, 3, 3, 2, 3]
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "Would it tell Full trust and Babbling apart?" in text
    assert "could not be drawn" not in text


@pytest.mark.parametrize(
    ("tokens", "says"),
    [
        (("calibrate", "level-q", *SMALL), "level-k"),
        (("calibrate", "level-k", *SMALL, "--rounds", "1"), "one for each treatment"),
        (("calibrate", "level-k", *SMALL, "--simulations", "3"), "from 20"),
        (("calibrate", "level-k", *SMALL, "--draws", "9"), "at least 99 draws"),
        (("calibrate", "level-k", *SMALL, "--dask", "x", "--jobs", "1"), "none with --dask"),
        (("recover", "level-k", *SMALL, "--rounds", "4,x"), "whole numbers from 1"),
        (("recover", "level-k", *SMALL, "--replications", "1"), "from 2"),
        (
            ("design", "--game", "game.toml", "--theories", "level-k", "--subjects", "4",
             "--rounds", "4"),
            "two or more",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_one_message_and_nothing_is_written(run, tmp_path, tokens, says):
    code, out, err = run(*tokens)
    assert code == BAD_INPUT
    assert out == ""
    assert says in err
    assert "Traceback" not in err
    assert {path.name for path in tmp_path.iterdir()} == {"game.toml"}


SENDERS = Experiment(
    FiniteGame([1, 2, 3], treatments={"Low": 0.5}), FullTrust("sender"), None, 5, 6
)


def calibration(power=1.0):
    """Ranks made by hand: uniform, or of one quantity a power of uniform."""
    rng = np.random.default_rng(8)
    pit = rng.random((2, 100))
    pit[1] **= power
    parts = [
        {"quantity": name, "about": "population", "rank": (100 * p).astype(int), "pit": p,
         "ess": 300.0, "seed": np.arange(100)}
        for name, p in zip(("mean", "<i>spread</i>"), pit, strict=True)
    ]  # fmt: skip
    ranks = pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)
    return Calibration(
        SENDERS, FullTrust("sender"), Sampling(), ranks, {}, (), {"compile": 1.0, "sample": 2.0}
    )


def test_a_calibration_report_says_whether_it_passed(tmp_path):
    text = study_report(calibration(), tmp_path / "a.html").html.read_text("utf-8")
    assert "Passed: in 100 simulations" in text
    assert "FAILED" not in text
    text = study_report(calibration(2.0), tmp_path / "b.html").html.read_text("utf-8")
    assert "FAILED: the ranks of &lt;i&gt;spread&lt;/i&gt; are not uniform" in text
    assert "<i>" not in text
    lost = dict.fromkeys(range(50), "R-hat 1.3")
    few = replace(calibration(), lost=lost)
    text = study_report(few, tmp_path / "c.html").html.read_text("utf-8")
    assert "FAILED: too many simulations are missing" in text
    assert "50 simulations left out" in text


def design():
    """Verdicts made up: the right one in more experiments the larger they are."""
    rows = [
        {"role": "sender", "treatments": "all", "subjects": size, "rounds": 10, "truth": truth,
         "seed": seed, "winner": truth if seed < right else "", "best": truth, "lead": 9.0,
         "error": 2.0, "reason": ""}
        for size, right in ((20, 5), (40, 9), (80, 10))
        for truth in ("level-k", "full-trust")
        for seed in range(10)
    ]  # fmt: skip
    seconds = {"compile": 1.0, "sample": 2.0}
    names = ("level-k", "full-trust")
    return Power(SENDERS.game, names, Sampling(), pd.DataFrame(rows), (), seconds)


def test_a_design_report_names_the_smallest_size_that_does(tmp_path):
    text = study_report(design(), tmp_path / "d.html").html.read_text("utf-8")
    assert "The smallest that does so in at least 80" in text
    assert "40 senders and 10 rounds" in text
    assert "could not be drawn" not in text


class Mortal(ThreadPoolExecutor):
    """A pool whose worker dies after one task."""

    taken = 0

    def submit(self, function, /, *args, **kwargs):
        self.taken += 1
        if self.taken > 1:
            raise BrokenExecutor("a worker died")
        return super().submit(function, *args, **kwargs)


def full_after(files):
    """What brings files to the disk until there is no more room."""
    written = iter(range(files))

    def to_disk(part):
        if next(written, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return to_disk


@pytest.mark.slow
def test_a_calibration_without_all_its_simulations_is_none(run, tmp_path, monkeypatch):
    few = ("--rounds", "2", "--simulations", "20", "--quiet")
    calibrate = ("calibrate", "full-trust", *SMALL, *few)
    code, *_ = run(*calibrate, "--folder", "whole/kept", "--out", "whole/x.html")
    expected = killing.outcome(tmp_path / "whole")
    assert len(expected) == 21

    def torn(done, said):
        failed, _, err = run(*calibrate, "--folder", "torn/kept", "--out", "torn/x.html")
        assert failed == FAILED
        assert f"\ntrustbayes: {20 - done} of the fits failed:\n" in f"\n{err}"
        assert said in err
        assert "all others are in torn/kept, from which the same command goes on" in err
        left = killing.outcome(tmp_path / "torn")
        assert len(left) == done
        assert left.items() <= expected.items()

    with monkeypatch.context() as patch:
        patch.setattr(whole, "_to_disk", full_after(17))
        torn(17, "found 'No space left on device', expected a file that can be written")
    with monkeypatch.context() as patch:
        patch.setattr(executors, "process_pool", lambda jobs, **_: Mortal(1))
        # Two of twenty: few enough to pass, had they been missing by what was drawn.
        torn(18, "simulation 19, and 1 more: BrokenExecutor: a worker died")
    assert run(*calibrate, "--folder", "torn/kept", "--out", "torn/x.html")[0] == code
    assert killing.outcome(tmp_path / "torn") == expected
