"""The command line, end to end: exit codes, messages, JSON, and files written whole or not."""

import functools
import http.server
import json
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes.cli import main as cli
from trustbayes.comparison import Verdict, hold_out, kfold
from trustbayes.comparison.compare import compare
from trustbayes.inference import executors, tasks as manyfits
from trustbayes.inference.fit import Fit, load_fit
from trustbayes.inference.gate import Check, Gate
from trustbayes.inference.sampling import Sampling
from trustbayes.models import SPECS, model
from trustbayes.report import Written
from trustbayes.trials import datasets
from trustbayes.trials.datasets import bundled
from trustbayes.trials.table import read_trials

COMMANDS = ("report", "validate", "fit", "compare", "holdout", "simulate", "models", "datasets")
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
    """Run a command in a folder with game.toml and trials.csv: exit code, output, messages."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "game.toml").write_text(GAME)
    (tmp_path / "trials.csv").write_text(TRIALS)

    def run(*tokens: str) -> tuple[int, str, str]:
        code = cli.main(tokens)
        return code, *capsys.readouterr()

    return run


def files(folder) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


# Help, names, defaults


@pytest.mark.parametrize("command", [(), *((c,) for c in COMMANDS), ("datasets", "fetch")])
def test_help_has_an_example(run, command):
    code, out, err = run(*command, "--help")
    assert (code, err) == (0, "")
    assert "Usage: " + " ".join(["trustbayes", *command]) in out
    if command != ("datasets",):
        assert "Example: " + " ".join(["trustbayes", *command]) in out
    assert all(name in out for name in COMMANDS) or command


def test_the_version(run):
    assert run("--version")[:2] == (0, "0.1.0\n")


def test_defaults_of_sampling_are_the_packages():
    assert cli.SamplingOptions().sampling() == Sampling()


def test_help_does_not_load_what_is_heavy():
    code = (
        "import sys; from trustbayes.cli.main import main; main(['report', '--help'])\n"
        "print(sorted({'pymc', 'arviz', 'pandas'} & set(sys.modules)), file=sys.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr.strip() == "[]"


def test_the_installed_command_passes_on_the_exit_code(tmp_path):
    script = os.path.join(os.path.dirname(sys.executable), "trustbayes")
    found = subprocess.run(
        [script, "validate", "no.csv", "--game", "no.toml"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert found.returncode == 2
    assert (
        found.stderr
        == "trustbayes: no.toml: expected a game file (TOML), but there is no such file\n"
    )
    assert found.stdout == ""


# Bad input: exit code 2, one message, nothing written


def bad_trials(old: str, new: str) -> dict[str, str]:
    assert old in TRIALS
    return {"trials.csv": TRIALS.replace(old, new, 1)}


FAULTS = {
    "missing file": ({"trials.csv": None}, ["trials.csv", "no such file"]),
    "missing game": ({"game.toml": None}, ["game.toml", "no such file"]),
    "unreadable file": ({"trials.csv": b"\xff\xfe"}, ["trials.csv, row 1", "UTF-8", "ff"]),
    "missing column": (bad_trials("round", "rond"), ["row 1", "a column round"]),
    "text for a number": (bad_trials("Low,1,2,1", "Low,one,2,1"), ["row 2", "state", "one"]),
    "state outside": (bad_trials("Low,1,2,1", "Low,4,2,1"), ["row 2, column state", "1, 2, 3"]),
    "message outside": (bad_trials("Low,1,2,1", "Low,1,9,1"), ["row 2, column message", "9"]),
    "action outside": (bad_trials("Low,1,2,1", "Low,1,2,7"), ["row 2, column action", "7"]),
    "duplicate round": (bad_trials("s1,r2,2", "s1,r2,1"), ["row 4, column round", "row 2"]),
    "both roles": (bad_trials("s2,r1", "s2,s1"), ["row 5, column receiver", "s1", "a sender"]),
    "empty table": ({"trials.csv": TRIALS.split("\n")[0]}, ["at least one trial"]),
    "one subject": (
        {"trials.csv": "\n".join(TRIALS.split("\n")[:2])},
        ["column sender", "at least two senders"],
    ),
    "unknown treatment": (bad_trials("Low", "Lo"), ["row 2, column treatment", "Lo", "Low, High"]),
    "misspelt key": (
        {"game.toml": GAME.replace("exponent", "exponnent")},
        ["key payoffs.exponnent", "'exponent' (did you mean it?)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("command", ["validate", "fit", "report"])
@pytest.mark.parametrize("fault", FAULTS)
def test_bad_input_is_reported_and_nothing_is_written(run, tmp_path, command, fault):
    contents, expected = FAULTS[fault]
    for name, content in contents.items():
        if content is None:
            (tmp_path / name).unlink()
        else:
            (tmp_path / name).write_bytes(
                content if isinstance(content, bytes) else content.encode()
            )
    before = files(tmp_path)
    options = {
        "validate": (),
        "fit": ("--role", "sender", "--out", "new/fit.nc"),
        "report": ("--out", "new/report.html", "--fits", "new"),
    }[command]
    model = ("level-k",) if command == "fit" else ()
    code, out, err = run(command, *model, "trials.csv", "--game", "game.toml", *options)
    assert code == 2
    assert out == ""
    assert err.count("trustbayes: ") == 1
    assert "Traceback" not in err
    for words in expected:
        assert words in err
    assert files(tmp_path) == before
    assert not (tmp_path / "new").exists()


def test_every_fault_is_in_the_one_message(run, tmp_path):
    rows = TRIALS.replace("Low,1,2,1", "Low,4,2,x").replace("High,1,3,3", "Hi,1,3,3")
    (tmp_path / "trials.csv").write_text(rows)
    code, _, err = run("validate", "trials.csv", "--game", "game.toml")
    assert code == 2
    assert len(err.splitlines()) == 3
    for words in ("row 2, column state", "row 2, column action", "row 5, column treatment"):
        assert words in err


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (("fit", "levl-k", "trials.csv", "--role", "sender", "--game", "game.toml",
          "--out", "x.nc"), "model: found 'levl-k', expected 'level-k' (did you mean it?)"),
        (("report", "--models", "babling,level-k"), "'babbling' (did you mean it?)"),
        (("report", "--models", "level-k,level-k"), "expected every model once"),
        (("report", "--models", ""), "found 'an empty name'"),
        (("simulate", "trust", "--role", "both", "--game", "game.toml", "--subjects", "2",
          "--rounds", "2", "--seed", "1", "--out", "x.csv"), "known are: babbling, full-trust"),
        (("fit", "level-k", "trials.csv", "--role", "sendr", "--game", "game.toml",
          "--out", "x.nc"), 'Did you mean "sender"?'),
        (("validate", "trials.csv", "--gme", "game.toml"), "Did you mean --game"),
        (("validate", "trials.csv", "--game", "game.toml", "--jsn"), "Did you mean --json?"),
        (("validate", "trials.csv", "--game", "game.toml", "more"), "Unused Tokens: ['more']"),
        (("validat", "trials.csv"), 'Did you mean "validate"?'),
        (("report", "trials.csv"), "--game: expected the game file of trials.csv"),
        (("report", "--game", "game.toml"), "expected also TRIALS, a CSV file of trials"),
        (("report", "--planted", "p.csv"), "expected also TRIALS, a CSV file of trials"),
        (("report", "--draws", "1"), "sampling, draws: found '1', expected a whole number from 4"),
        (("report", "--draws", "many"), 'unable to convert "many" into int'),
        (("report", "trials.csv", "--game", "game.toml", "--planted", "p.csv"), "no such file"),
        (("report", "trials.csv", "--game", "game.toml", "--planted", "trials.csv"),
         "trials.csv, row 1: expected the columns role, subject, model, parameter, value"),
        (("report", "--out", "."), "--out: found '.', expected a file that can be written"),
        (("report", "--out", "game.toml/r.html"), "expected a file that can be written"),
        (("simulate", "level-k", "--role", "both", "--game", "game.toml", "--subjects", "1",
          "--rounds", "1", "--seed", "1", "--out", "x.csv"), "rounds: found '1', expected"),
        (("compare",), "comparison: expected at least one fit"),
        (("compare", "no.nc"), "no.nc: expected a fit's file, but there is none"),
        (("compare", "trials.csv"), "trials.csv: expected a fit written by trustbayes"),
        (("datasets", "fetch", "ioannidis"), "'ioannidis-2024' (did you mean it?)"),
    ],
)  # fmt: skip
def test_bad_requests(run, tmp_path, tokens, expected):
    before = files(tmp_path)
    code, out, err = run(*tokens)
    assert (code, out) == (2, "")
    assert expected in err
    assert err.startswith("trustbayes: ")
    assert err.count("trustbayes: ") == 1
    assert "Traceback" not in err
    assert files(tmp_path) == before


def test_a_fit_needs_trials_of_its_role(run, tmp_path):
    table = pd.read_csv(tmp_path / "trials.csv").drop(columns=["receiver", "action"])
    table.to_csv(tmp_path / "trials.csv", index=False)
    code, out, err = run(
        "fit", "level-k", "trials.csv", "--role", "receiver", "--game", "game.toml", "--out", "x.nc"
    )
    assert (code, out) == (2, "")
    assert "trials.csv: expected trials of the receiver" in err


# validate, models, datasets


def test_validate_says_what_is_there(run):
    code, out, err = run("validate", "trials.csv", "--game", "game.toml")
    assert (code, err) == (0, "")
    assert "4 trials of 2 senders and 2 receivers in 2 rounds" in out
    assert "treatment High: bias 1.5" in out
    code, out, err = run("validate", "trials.csv", "--game", "game.toml", "--json")
    found = json.loads(out)
    assert found["subjects"] == {"sender": 2, "receiver": 2}
    assert found["treatments"] == {"Low": [0.5], "High": [1.5]}
    assert found["warnings"] == []


def test_validate_counts_exclusions(run, tmp_path):
    (tmp_path / "game.toml").write_text(GAME + "[exclude]\nround = 2\n")
    code, out, err = run("validate", "trials.csv", "--game", "game.toml")
    assert code == 0
    assert "left out: 2 rows with round = 2" in out
    assert "warning: Every sender has exactly one trial" in err
    _, out, _ = run("validate", "trials.csv", "--game", "game.toml", "--json")
    found = json.loads(out)
    assert found["exclusions"] == [{"column": "round", "value": 2, "rows": 2}]
    assert len(found["warnings"]) == 2


def test_models_are_listed_from_their_declarations(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    code, out, err = run("models")
    assert (code, err) == (0, "")
    for spec in SPECS:
        assert f"{spec.name}, {spec.role}" in out
        assert spec.citation.split(";")[0] in out
        for parameter in spec.parameters:
            assert f"{parameter.symbol}  {parameter.name}" in out
            assert str(parameter.prior) in out
    code, out, _ = run("models", "--json")
    found = json.loads(out)
    assert [(one["name"], one["role"]) for one in found] == [(s.name, s.role) for s in SPECS]
    assert found[0]["parameters"][0]["prior"]["distribution"] == "Gamma"


def test_one_model_is_described(run):
    code, out, err = run("models", "level-k", "--role", "sender", "--kind", "finite")
    assert (code, err) == (0, "")
    described = model("level-k", "sender").describe()
    assert out == f"{described}\n"
    code, out, _ = run("models", "level-k", "--role", "receiver", "--json")
    assert code == 0
    kinds = ("finite", "forecast-sharing")
    expected = [model("level-k", "receiver", kind).describe().to_dict() for kind in kinds]
    assert json.loads(out) == expected
    _, out, _ = run("models", "--role", "sender", "--kind", "finite", "--json")
    found = [(one["name"], one["role"], one["kind"]) for one in json.loads(out)]
    names = dict.fromkeys(spec.name for spec in SPECS if spec.kind == "finite")
    assert found == [(name, "sender", "finite") for name in names]
    code, out, err = run("models", "levelk")
    assert (code, out) == (2, "")
    assert "model: found 'levelk', expected 'level-k' (did you mean it?)" in err


def test_datasets_are_listed(run):
    code, out, _ = run("datasets")
    assert code == 0
    assert "simulated-finite (bundled): Simulated" in out
    assert "ioannidis-2024 (datasets fetch ioannidis-2024)" in out
    _, out, _ = run("datasets", "--json")
    assert [one["name"] for one in json.loads(out)] == [
        "simulated-forecast",
        "simulated-finite",
        "ioannidis-2024",
    ]


def test_a_data_set_is_fetched(run, tmp_path, shared, monkeypatch):
    source = shared / "data" / "ioannidis-2024" / "experimental_data.csv"
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=source.parent)
    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "log_message", lambda *a: None)
    known = datasets.DATASETS["ioannidis-2024"]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        local = replace(
            known,
            url=f"http://127.0.0.1:{server.server_address[1]}/{source.name}",
            checksum=sha256(source.read_bytes()).hexdigest(),
        )
        monkeypatch.setitem(datasets.DATASETS, known.name, local)
        monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / name)
        code, out, _ = run("datasets", "fetch", known.name, "--json")
        server.shutdown()
    assert code == 0
    found = json.loads(out)
    code, out, _ = run("validate", found["trials"], "--game", found["game"])
    assert code == 0
    assert "trials of 128 senders and 128 receivers in 60 rounds" in out


# simulate, fit, compare


SIMULATE = ("simulate", "level-k", "--game", "game.toml", "--subjects", "6", "--rounds", "8")


@pytest.mark.parametrize("role", ["sender", "receiver", "both"])
def test_simulated_trials_validate(run, tmp_path, role):
    tokens = (*SIMULATE, "--role", role, "--seed", "5", "--out", "new/sim.csv")
    code, out, err = run(*tokens)
    assert (code, err) == (0, "")
    assert out == "trials: new/sim.csv\nparameters: new/sim.parameters.csv\n"
    assert files(tmp_path / "new") == {"sim.csv", "sim.parameters.csv"}
    first = (tmp_path / "new" / "sim.csv").read_bytes()
    roles = ["sender", "receiver"] if role == "both" else [role]
    parameters = pd.read_csv(tmp_path / "new" / "sim.parameters.csv", keep_default_na=False)
    assert set(parameters["role"]) == set(roles)
    assert (parameters["parameter"] == "level").sum() == 6 * len(roles)
    code, out, _ = run("validate", "new/sim.csv", "--game", "game.toml", "--json")
    assert code == 0
    assert json.loads(out)["subjects"] == dict.fromkeys(roles, 6)
    _, out, _ = run(*tokens, "--json")
    assert json.loads(out)["trials"] == "new/sim.csv"
    assert (tmp_path / "new" / "sim.csv").read_bytes() == first


def test_simulation_uses_the_column_names_of_the_game_file(run, tmp_path, data):
    game = str(data / "games" / "ioannidis-2024.toml")
    (tmp_path / "game.toml").write_text((data / "games" / "ioannidis-2024.toml").read_text())
    assert run(*SIMULATE, "--role", "both", "--seed", "5", "--out", "sim.csv")[0] == 0
    assert run("validate", "sim.csv", "--game", game)[0] == 0


@pytest.mark.slow
def test_fits_are_kept_and_compared(run, tmp_path):
    run(*SIMULATE, "--role", "both", "--seed", "5", "--out", "sim.csv")
    few = ("--draws", "20", "--tune", "20", "--chains", "2", "--seed", "1")
    paths = []
    for name in ("full-trust", "babbling"):
        paths.append(f"{name}.nc")
        tokens = ("fit", name, "sim.csv", "--role", "receiver", "--game", "game.toml")
        code, out, err = run(*tokens, "--out", paths[-1], *few, "--json")
        assert code == 3, err
        found = json.loads(out)
        assert found["fit"] == paths[-1]
        assert not found["passed"]
        assert {check["name"] for check in found["checks"]} >= {"R-hat", "bulk ESS"}
    code, out, _ = run("compare", *paths, "--unit", "trial")
    assert code == 3
    assert "LOO: a new trial of a known subject" in out
    assert "No verdict on receivers" in out
    code, out, _ = run("compare", *paths, "--unit", "trial", "--json")
    assert code == 3
    found = json.loads(out)
    assert {row["model"] for row in found["comparison"]} == {"full-trust", "babbling"}
    assert len(found["comparison"]) == 8
    assert found["verdict"]["winner"] is None
    code, _, err = run("compare", paths[0], paths[0])
    assert code == 2
    assert "every model once" in err


# comparison: fits are made by hand, and refits by other random draws


def fake_fit(model, trials, sampling, *, progress, cores=None):
    seed = int(trials.checksum[:8], 16)
    return synthetic_fit(model, trials, seed, sampling.chains, sampling.draws)


@pytest.fixture
def fitted(tmp_path, monkeypatch):
    """Files of fits, their trials, and refits that take no time: options for all of them."""
    table = small_trials(pairs=6).table.rename_axis(None)
    groups = table["sender"].map(lambda name: "AB"[int(name[1:]) % 2])
    table.assign(group=groups).to_csv(tmp_path / "small.csv", index=False)
    (tmp_path / "small.toml").write_text(GAME.replace("High = 1.5", "High = 1.0"))
    trials = read_trials(tmp_path / "small.csv", tmp_path / "small.toml")
    for name in ("level-k", "full-trust"):
        synthetic_fit(model(name, "receiver"), trials, draws=20).save(tmp_path / f"{name}.nc")
    monkeypatch.setattr(manyfits, "fit", fake_fit)
    monkeypatch.setattr(executors, "process_pool", lambda jobs, **_: ThreadPoolExecutor(1))
    return trials


FITTED = ("level-k.nc", "full-trust.nc")
AGAIN = ("--trials", "small.csv", "--game", "small.toml")
PASSED = Gate((Check("R-hat", 1.0, 1.01, True),))


def test_fits_are_compared_by_new_subjects_unless_told_otherwise(run, fitted):
    loaded = [load_fit(path) for path in FITTED]
    for options, unit, words in [
        ((), "subject", "LOSO: all trials of a new subject"),
        (("--unit", "group"), "group", "LOSO: all trials of a new matching group"),
        (("--unit", "trial"), "trial", "WAIC: a new trial of a known subject"),
    ]:
        code, out, _ = run("compare", *FITTED, *options)
        assert code == 3
        assert words in out
        code, out, _ = run("compare", *FITTED, *options, "--json")
        rows = pd.DataFrame(json.loads(out)["comparison"])
        expected = compare(loaded, unit).table
        assert rows.columns.tolist() == expected.columns.tolist()
        assert rows["elpd"].tolist() == pytest.approx(expected["elpd"].tolist())
        assert "kfold" not in json.loads(out)


@pytest.mark.parametrize(("unit", "folds"), [("subject", 3), ("group", 2)])
def test_a_kfold_is_made_from_the_fits_and_their_trials(run, fitted, monkeypatch, unit, folds):
    tokens = ("compare", *FITTED, "--unit", unit, "--kfold", str(folds), *AGAIN, "--jobs", "1")
    loaded = [load_fit(path) for path in FITTED]
    settings = Sampling(draws=20, tune=1, chains=2, seed=1)
    assert loaded[0].sampling == settings
    models = [one.model for one in loaded]
    expected = kfold(models, fitted, unit, folds, settings, seed=1, progress=False)
    code, out, _ = run(*tokens, "--json", "--folder", "kept")
    assert code == 3
    found = json.loads(out)
    assert found["kfold"]["split"].startswith(f"{folds}-fold by {unit}")
    totals = pd.DataFrame(found["kfold"]["totals"]).set_index("model")
    assert totals["elpd"].to_dict() == pytest.approx(expected.totals()["elpd"].to_dict())
    assert len(found["kfold"]["scores"]) == len(expected.table)
    assert len(found["kfold"]["failed"]) == 2 * folds
    assert len(files(Path("kept"))) == 2 * folds
    monkeypatch.setattr(Fit, "gate", PASSED)
    code, out, _ = run(*tokens)
    assert code == 0
    assert f"{folds}-fold by {unit}" in out
    assert "not converged" not in out


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (("--kfold", "2"), "--trials: expected the CSV file of the trials, which a k-fold needs"),
        (("--kfold", "2", "--trials", "small.csv"), "--game: expected their game file"),
        (("--kfold", "2", *AGAIN, "--unit", "trial"), "--unit: found 'trial', expected subject or"),
        (("--kfold", "7", *AGAIN), "folds: found '7', expected a whole number from 2 to 6"),
        (AGAIN, "--trials: found 'small.csv', expected also --kfold, which alone needs it"),
        (("--jobs", "1"), "--jobs: found '1', expected also --kfold"),
        (("--kfold", "2", "--trials", "trials.csv", "--game", "game.toml"),
         "trials.csv, trials: found 'checksum "),
    ],
)  # fmt: skip
def test_a_kfold_needs_the_trials_of_the_fits(run, fitted, tokens, expected):
    code, out, err = run("compare", *FITTED, *tokens)
    assert (code, out) == (2, "")
    assert expected in err


HELD = ("holdout", "small.csv", "--game", "small.toml", "--role", "receiver", "--draws", "20",
        "--chains", "2", "--tune", "1")  # fmt: skip


@pytest.mark.parametrize("how", [{"after_round": 6}, {"treatment": "High"}])
def test_what_was_held_out_is_predicted(run, fitted, monkeypatch, how):
    settings = Sampling(draws=20, tune=1, chains=2)
    models = [model(name, "receiver") for name in ("level-k", "full-trust")]
    expected = hold_out(models, fitted, sampling=settings, progress=False, **how)
    [(option, value)] = how.items()
    tokens = (*HELD, "--models", "level-k,full-trust", f"--{option.replace('_', '-')}", str(value))
    code, out, _ = run(*tokens, "--json")
    assert code == 3
    found = json.loads(out)
    assert found["split"] == expected.split
    assert pd.DataFrame(found["scores"])["elpd"].tolist() == pytest.approx(
        expected.table["elpd"].tolist()
    )
    assert len(found["failed"]) == 2
    code, out, _ = run(*tokens)
    assert code == 3
    assert "not converged: level-k, fold 1" in out
    monkeypatch.setattr(Fit, "gate", PASSED)
    assert run(*tokens)[0] == 0


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (("--models", "level-k"), "hold-out: expected either a round or a treatment"),
        (("--models", "level-k", "--after-round", "99"), "round: found '99', expected a round"),
        (("--models", "level-k", "--treatment", "Hihg"), "'High' (did you mean it?)"),
        (("--models", "levelk", "--after-round", "6"), "'level-k' (did you mean it?)"),
    ],
)
def test_a_hold_out_that_cannot_be_is_refused(run, fitted, tokens, expected):
    code, out, err = run(*HELD, *tokens)
    assert (code, out) == (2, "")
    assert expected in err


# report


@dataclass
class Made:
    """What stands in for an analysis, and how it was asked for."""

    converged: bool
    arguments: dict
    verdicts: dict


@pytest.fixture
def stub(monkeypatch):
    """The main job replaced by one that only takes notes."""
    made = Made(True, {}, {"sender": Verdict("sender", "level-k", "Level-k predicts best.")})

    def analyse(trials, **arguments):
        logging.getLogger("trustbayes.analysis.analyse").info("fitting everything")
        made.arguments = {"trials": trials, **arguments}
        return made

    def report(analysis, path, command):
        made.arguments |= {"path": path, "command": command}
        return Written(path, path.with_suffix(".json"))

    monkeypatch.setattr("trustbayes.analysis.analyse.analyse", analyse)
    monkeypatch.setattr("trustbayes.report.write_report", report)
    return made


def test_report_without_trials_takes_the_bundled_ones(run, stub):
    code, out, err = run("report")
    assert code == 0
    assert out == (
        "Level-k predicts best.\nreport: reports/report.html\nresults: reports/report.json\n"
    )
    assert err.endswith(" fitting everything\n")
    asked = stub.arguments
    assert asked["trials"].checksum == sha256(bundled().trials.read_bytes()).hexdigest()
    assert set(asked["planted"]["parameter"]) >= {"trust", "lying_aversion"}
    assert asked["models"] is None
    assert asked["fits"] is None
    assert asked["kfold"] is None
    assert asked["sampling"] == Sampling()
    assert asked["command"] == "trustbayes report"
    assert not logging.getLogger("trustbayes").handlers


def with_people(folder):
    (folder / "people.csv").write_text("subject,crt\ns1,0\ns2,1\nr1,2\nr2,3\n")
    return ("--game", "game.toml", "--people", "people.csv")


def test_report_has_formulas_in_every_model_that_takes_them(run, stub, tmp_path):
    formulas = ("--formula", "trust = 1 + crt", "--formula", "level=1 + crt")
    models = ("--models", "trust-embedded,level-k")
    code, _, _ = run("report", "trials.csv", *with_people(tmp_path), *models, *formulas)
    assert code == 0
    asked = {
        (one.name, one.role): {name: formula.text for name, formula in one.formulas.items()}
        for one in stub.arguments["models"]
    }
    assert asked == {
        ("trust-embedded", "sender"): {},
        ("trust-embedded", "receiver"): {"trust": "1 + crt"},
        ("level-k", "sender"): {"level": "1 + crt"},
        ("level-k", "receiver"): {"level": "1 + crt"},
    }
    assert "receiver_crt" in stub.arguments["trials"].table


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("trust: 1 + crt", "a parameter and its formula"),
        ("turst = 1 + crt", "'trust' (did you mean it?)"),
        ("trust = 1 +", "formula of trust: found '1 +', expected a formula"),
        ("trust = 1 + crtt", "'crt' (did you mean it?)"),
        ("trust = 1 + treatment + crt + (1 | group)", "a column of matching groups"),
    ],
)
def test_faults_of_formulas_are_found_before_sampling(run, tmp_path, formula, expected):
    people = with_people(tmp_path)
    tokens = ("trust-embedded", "trials.csv", "--role", "receiver", "--formula", formula)
    code, out, err = run("fit", *tokens, *people, "--out", "fit.nc")
    assert (code, out) == (2, "")
    assert expected in err
    assert err.count("\n") == 1
    assert "fit.nc" not in files(tmp_path)


def test_report_finds_faults_of_formulas_before_any_fit(run, tmp_path):
    people = with_people(tmp_path)
    models = ("--models", "level-k,trust-embedded", "--jobs", "1")
    code, out, err = run("report", "trials.csv", *people, *models, "--formula", "trust = 1 + crtt")
    assert (code, out) == (2, "")
    assert "'crt' (did you mean it?)" in err
    assert "fitting" not in err


def test_a_quiet_report_shows_no_progress_and_says_nothing_on_the_way(run, stub, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert run("report")[2].endswith(" fitting everything\n")
    assert stub.arguments["progress"] is True
    assert run("report", "--quiet")[::2] == (0, "")
    assert stub.arguments["progress"] is False


def test_an_interrupted_report_says_so_in_one_line(run, stub, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("trustbayes.analysis.analyse.analyse", interrupted)
    assert run("report") == (130, "", "trustbayes: interrupted\n")


def test_report_passes_on_what_was_asked(run, stub):
    stub.converged = False
    options = ("--draws", "7", "--tune", "8", "--chains", "3", "--seed", "9", "--fits", "kept")
    tokens = ("report", "trials.csv", "--game", "game.toml", "--models", "level-k, babbling")
    code, out, _ = run(*tokens, *options, "--kfold", "5", "--out", "a b.html", "--json")
    assert code == 3
    assert json.loads(out) == {
        "report": "a b.html",
        "results": "a b.json",
        "verdict": {"sender": {"winner": "level-k", "text": "Level-k predicts best."}},
        "converged": False,
    }
    asked = stub.arguments
    assert asked["trials"].source == "trials.csv"
    assert asked["planted"] is None
    assert asked["models"] == ["level-k", "babbling"]
    assert asked["sampling"] == Sampling(draws=7, tune=8, chains=3, seed=9)
    assert str(asked["fits"]) == "kept"
    assert asked["kfold"] == 5
    assert asked["command"].startswith("trustbayes report trials.csv --game game.toml --models ")
    assert asked["command"].endswith("--out 'a b.html' --json")


@pytest.mark.slow
def test_report_of_simulated_trials(run, tmp_path):
    made = ("simulate", "full-trust", *SIMULATE[2:], "--role", "receiver", "--seed", "5")
    assert run(*made, "--out", "sim.csv")[0] == 0
    tokens = ("report", "sim.csv", "--game", "game.toml", "--models", "full-trust", "--planted")
    few = ("--draws", "20", "--tune", "20", "--chains", "2")
    tokens = (*tokens, "sim.parameters.csv", *few, "--fits", "fits", "--out", "new/report.html")
    code, out, err = run(*tokens)
    assert code == 3, err
    assert "No verdict on receivers: Full trust did not pass the convergence gate." in out
    assert files(tmp_path / "new") == {"report.html", "results.json"}
    assert "report: new/report.html" in out
    assert "fitted full-trust, receiver" in err
    assert len(files(tmp_path / "fits")) == 1
    code, out, err = run(*tokens, "--json")
    assert code == 3
    assert json.loads(out)["results"] == "new/results.json"
    assert "reading the fit of full-trust, receiver" in err


# Forecast sharing

FORECAST_GAME = """
kind = "forecast-sharing"
largest_capacity = 500
[treatments]
CHUL = {capacity_cost = 60, uncertainty = 25}
CLUL = {capacity_cost = 15, uncertainty = 25}
"""
FORECAST_TRIALS = """sender,receiver,round,treatment,state,message,action
s1,r1,1,CLUL,-150,-20.5,230
s2,r2,1,CLUL,10,150,0
s1,r2,2,CHUL,60,90,260.25
s2,r1,2,CHUL,0,0,270
"""


@pytest.fixture
def run_forecast(run, tmp_path):
    """Run a command with a forecast-sharing game and its trials, some text in them replaced."""

    def run_changed(*tokens: str, game=("", ""), trials=("", "")) -> tuple[int, str, str]:
        assert game[0] in FORECAST_GAME
        assert trials[0] in FORECAST_TRIALS
        (tmp_path / "game.toml").write_text(FORECAST_GAME.replace(*game, 1))
        (tmp_path / "trials.csv").write_text(FORECAST_TRIALS.replace(*trials, 1))
        return run(*tokens, "trials.csv", "--game", "game.toml")

    return run_changed


def test_validate_says_what_is_there_in_forecast_sharing(run, run_forecast):
    code, out, err = run_forecast("validate")
    assert (code, err) == (0, "")
    assert out == (
        "trials.csv: 4 trials of 2 senders and 2 receivers in 2 rounds\n"
        "treatment CHUL: capacity cost 60, uncertainty 25\n"
        "treatment CLUL: capacity cost 15, uncertainty 25\n"
    )
    _, out, _ = run("validate", "trials.csv", "--game", "game.toml", "--json")
    found = json.loads(out)["treatments"]
    assert list(found) == ["CHUL", "CLUL"]
    assert found["CHUL"] == {"capacity_cost": 60, "uncertainty": 25}


@pytest.mark.parametrize("command", ["validate", "report"])
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"trials": ("-150", "-151")}, "trials.csv, row 2, column state: found '-151', expected"),
        ({"trials": ("150,0", "160,0")}, "trials.csv, row 3, column message: found '160'"),
        ({"trials": ("230", "-1")}, "a capacity: a number from 0 to 500"),
        ({"trials": ("CHUL", "CHUM")}, "trials.csv, row 4, column treatment: found 'CHUM'"),
        ({"trials": ("60,90", "60,much")}, "trials.csv, row 4, column message: found 'much'"),
        ({"game": ("cost = 60", "cost = 75")},
         "game.toml, key treatments.CHUL.capacity_cost: found '75', expected less than"),
        ({"game": ("largest", "wholesale_price = 100\nlargest")},
         "game.toml, key retail_price: found '100 (the default)', expected more than"),
        ({"game": ("uncertainty = 25", "uncertainty = 0")}, "expected a number above 0"),
        ({"game": ("= 500", "= 'all'")}, "key largest_capacity: found 'all', expected a number"),
        ({"game": ("capacity_cost", "capacity_cots")}, "'capacity_cost' (did you mean it?)"),
        ({"game": ("forecast-sharing", "forecasting")}, "'forecast-sharing' (did you mean it?)"),
    ],
)  # fmt: skip
def test_bad_forecast_sharing_is_reported_and_nothing_is_written(
    run_forecast, tmp_path, command, changes, expected
):
    code, out, err = run_forecast(command, **changes)
    assert (code, out) == (2, "")
    assert err.startswith("trustbayes: ")
    assert expected in err
    assert "Traceback" not in err
    assert files(tmp_path) == {"game.toml", "trials.csv"}


def test_the_method_of_the_command_line_reaches_the_sampling():
    assert cli.SamplingOptions(method="laplace").sampling() == Sampling(method="laplace")
