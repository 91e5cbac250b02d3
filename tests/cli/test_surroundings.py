"""What a user's machine can trip over: targets, homes, encodings, back ends, labels, names."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes.cli import main as cli
from trustbayes.cli.terminal import plain
from trustbayes.errors import InputError
from trustbayes.files import check_file, check_folder, write_or_keep, write_whole
from trustbayes.inference.sampling import Sampling
from trustbayes.inference.tasks import Failure, FitsFailed, FitTask
from trustbayes.models import model

GAME = """
kind = "finite"
states = [1, 2, 3]
[payoffs]
family = "power-loss"
constant = 110
scale = 20
exponent = 1.4
[treatments]
Low = 0.5
High = 1.5
"""
TRIALS = """sender,receiver,round,treatment,state,message,action
s1,r1,1,Low,1,2,1
s2,r2,1,Low,2,2,2
s1,r2,2,High,3,3,2
s2,r1,2,High,1,3,3
"""


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "game.toml").write_text(GAME)
    (tmp_path / "trials.csv").write_text(TRIALS)

    def run(*tokens):
        code = cli.main(tokens)
        return code, *capsys.readouterr()

    return run


def outside(code, cwd, **environment):
    """Run Python as a user whose environment is another, and give what it printed."""
    root = str(Path(cli.__file__).parents[2])
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": root, **environment},
        cwd=cwd,
        capture_output=True,
        check=False,
    )
    return found.returncode, found.stdout, found.stderr.decode()


MAIN = "import sys; from trustbayes.cli.main import main; sys.exit(main({}))"


def test_standard_output_on_a_full_disk_is_one_message():
    with open("/dev/full", "w") as full:
        process = subprocess.run(
            [sys.executable, "-c", MAIN.format(["datasets"])],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
            check=False,
        )
    assert process.returncode == 1
    assert process.stderr.decode() == (
        "trustbayes: standard output or a temporary file: No space left on device\n"
    )


# Targets


@pytest.fixture
def untouched(monkeypatch):
    """Nothing may be fitted."""

    def never(*args, **kwargs):
        raise AssertionError("fitted before the targets were checked")

    monkeypatch.setattr("trustbayes.inference.fitting.fit", never)
    monkeypatch.setattr("trustbayes.analysis.analyse.analyse", never)


AGAIN = ("--game", "game.toml")


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("tokens", "option"),
    [
        (("report", "trials.csv", *AGAIN, "--out", "{}/r.html"), "--out"),
        (("report", "trials.csv", *AGAIN, "--fits", "{}"), "--fits"),
        (("report", "trials.csv", *AGAIN, "--fits", "{}/below"), "--fits"),
        (("fit", "level-k", "trials.csv", "--role", "sender", *AGAIN, "--out", "{}/a.nc"), "--out"),
        (("holdout", "trials.csv", *AGAIN, "--models", "level-k", "--role", "sender",
          "--after-round", "1", "--folder", "{}"), "--folder"),
        (("calibrate", "level-k", "--role", "sender", *AGAIN, "--folder", "{}"), "--folder"),
        (("recover", "level-k", "--role", "sender", *AGAIN, "--folder", "{}"), "--folder"),
        (("compare", "a.nc", "--folder", "{}"), "--folder"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("obstacle", ["trials.csv", "/proc/nowhere", "/dev/full"])
def test_targets_that_cannot_be_written_are_found_before_the_work(run, tokens, option, obstacle):
    code, _, err = run(*(token.format(obstacle) for token in tokens))
    assert code == 2
    assert err.startswith(f"trustbayes: {option}: found '{obstacle}")


def test_targets_are_tried_and_left_as_they_are(tmp_path):
    check_file(tmp_path / "a" / "b.nc", "--out")
    check_folder(tmp_path / "a" / "fits", "--fits")
    assert list(tmp_path.iterdir()) == []
    for path in (tmp_path, tmp_path / ("x" * 300), tmp_path / "a\0b"):
        with pytest.raises(
            InputError, match=r"--out: found .* expected a file that can be written"
        ):
            check_file(path, "--out")


def test_a_full_disk_is_found_before_the_work(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        check_folder(tmp_path, "--fits")


def test_what_was_finished_is_kept_elsewhere_and_said(tmp_path):
    (tmp_path / "in the way").write_text("")
    path = tmp_path / "in the way" / "fit.nc"
    with pytest.raises(InputError) as caught:
        write_or_keep(lambda target: write_whole({target: "precious"}), path)
    kept = Path(caught.value.faults[-1].place)
    assert kept.read_text() == "precious"
    assert "it holds what was finished" in str(caught.value)


def test_failed_fits_say_where_the_others_are(run, monkeypatch, tmp_path):
    def fails(*args, **kwargs):
        trials = small_trials()
        task = FitTask(model("level-k", "sender", trials.game), trials, Sampling())
        raise FitsFailed([Failure(task, ValueError("it broke"))], folder=tmp_path / "fits")

    monkeypatch.setattr("trustbayes.analysis.analyse.analyse", fails)
    code, _, err = run("report", "trials.csv", *AGAIN, "--models", "level-k", "--jobs", "1")
    assert code == 1
    assert "level-k, sender" in err
    assert "ValueError: it broke" in err
    assert f"all others are in {tmp_path / 'fits'}" in err


def test_home_in_a_path_is_the_users(run, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    made = ("simulate", "full-trust", "--role", "sender", "--game", "game.toml", "--seed", "1")
    code, *_ = run(*made, "--subjects", "2", "--rounds", "2", "--out=~/sim.csv")
    assert code == 0
    assert (tmp_path / "home" / "sim.csv").exists()
    assert not (tmp_path / "~").exists()
    write_whole({Path("~/note.txt"): "x"})
    assert (tmp_path / "home" / "note.txt").exists()


# Homes, back ends, encodings


def test_without_a_home_caches_go_to_a_temporary_place_once(tmp_path):
    code, out, err = outside(
        MAIN.format(["models", "--json"]),
        tmp_path,
        HOME="/proc/nohome",
        TMPDIR=str(tmp_path),
        XDG_CACHE_HOME="",
        XDG_CONFIG_HOME="",
    )
    assert code == 0, err
    assert json.loads(out)
    lines = err.strip().splitlines()
    assert len(lines) == 1
    place = re.fullmatch(
        r"no home folder that can be written to: caches go to (\S+trustbayes-\w+)", lines[0]
    )
    assert place is not None
    assert Path(place[1]).stat().st_mode & 0o077 == 0


def test_a_back_end_of_a_missing_module_is_passed_over(tmp_path):
    code = "import trustbayes, matplotlib.pyplot as plt; print(plt.get_backend())"
    backend = "module://of_no_kernel.backend_inline"
    code, out, err = outside(code, tmp_path, MPLBACKEND=backend)
    assert code == 0, err
    assert out.strip() == b"agg"
    assert "which is not installed: plots use agg" in err


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_output_adapts_to_its_encoding(tmp_path, encoding):
    code, out, err = outside(MAIN.format(["models"]), tmp_path, PYTHONIOENCODING=encoding)
    assert code == 0, err
    text = out.decode(encoding)
    assert "lambda" in text
    assert "\\u" not in text


@pytest.mark.parametrize("tokens", [["models"], ["models", "--json"]])
def test_output_that_nobody_reads_to_its_end(tmp_path, tokens):
    shown = outside(
        "import subprocess, sys\n"
        f"one = subprocess.Popen([sys.executable, '-c', {MAIN.format(tokens)!r}],"
        " stdout=subprocess.PIPE, stderr=subprocess.PIPE)\n"
        "one.stdout.close(); print(one.stderr.read().decode()); print(one.wait())",
        tmp_path,
    )
    assert shown[1].split() in ([b"0"], [b"1"]), shown


# Labels


NASTY = [
    "<script>alert(1)</script>",
    "\"'&<b>",
    "a, b",
    "a;b|c",
    "=cmd|' /C calc'!A0",
    "José / 100 %",
    "被験者 №1",
    "[red]x[/red]",
    "${x} {y}",
    "a.b:c",
    "~x",
    "C:\\new",
]


def test_names_of_any_characters_are_read_and_printed(run, tmp_path):
    lines = TRIALS
    for old, new in zip(("s1", "s2", "r1", "r2", "Low"), NASTY, strict=False):
        quoted = '"' + new.replace('"', '""') + '"'
        lines = re.sub(rf"\b{old}\b", lambda match, q=quoted: q, lines)
    (tmp_path / "trials.csv").write_text(lines, encoding="utf-8")
    key = json.dumps(NASTY[4])
    (tmp_path / "game.toml").write_text(GAME.replace("Low =", f"{key} ="), encoding="utf-8")
    code, out, err = run("validate", "trials.csv", *AGAIN, "--json")
    assert (code, err) == (0, "")
    assert NASTY[4] in json.loads(out)["treatments"]
    assert run("validate", "trials.csv", *AGAIN)[0] == 0


def test_what_would_steer_a_terminal_is_spelt_out(run, tmp_path):
    assert plain("s1\x1b[2J\x9b\u202e\n") == "s1\\u001b[2J\\u009b\\u202e\n"
    (tmp_path / "trials.csv").write_text(TRIALS.replace("s1", "s\x1b[2J1"))
    code, _, err = run("validate", "trials.csv", *AGAIN)
    assert code == 2
    assert "\x1b" not in err
    (tmp_path / "trials.csv").write_text(TRIALS.replace("stat", "st\x1b[2Jat"))
    code, _, err = run("validate", "trials.csv", *AGAIN)
    assert code == 2
    assert "\x1b" not in err


# Names of fits


def test_fits_of_one_theory_are_compared_under_names(run, tmp_path):
    trials = small_trials(pairs=6)
    for seed, name in enumerate(("a", "b"), 1):
        one = synthetic_fit(model("level-k", "receiver"), trials, seed=seed, draws=20)
        one.save(tmp_path / f"{name}.nc")
    code, out, err = run("compare", "wide=a.nc", "narrow=b.nc", "--json")
    assert code == 3, err
    found = json.loads(out)
    assert {row["model"] for row in found["comparison"]} == {"wide", "narrow"}
    assert set(found["gate"]) == {"wide", "narrow"}
    assert "Level-k" in found["verdict"]["text"]
    assert "(wide)" in found["verdict"]["text"]
    assert "wide" in run("compare", "wide=a.nc", "narrow=b.nc")[1]
    code, _, err = run("compare", "a.nc", "b.nc")
    assert code == 2
    assert "NAME=FILE" in err
    assert run("compare", "wide=a.nc", "wide=b.nc")[0] == 2
    assert run("compare", "a,b=a.nc", "wide=b.nc")[0] == 2


def test_a_stream_of_a_notebook_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert cli.main(["--version"]) == 0
