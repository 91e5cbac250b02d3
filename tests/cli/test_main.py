"""The command line, end to end: exit codes, messages, JSON, and files written whole or not."""

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from hashlib import sha256

import pandas as pd
import pytest
from commands import GAME, SIMULATE, TRIALS, files

from trustbayes.cli.options import SamplingOptions
from trustbayes.inference.sampling import Sampling
from trustbayes.models import SPECS, model
from trustbayes.trials import datasets

COMMANDS = ("report", "validate", "fit", "compare", "holdout", "simulate", "models", "datasets")


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
    assert SamplingOptions().sampling() == Sampling()


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
    "unreadable file": ({"trials.csv": b"\xc3\xa9\xff"}, ["trials.csv, row 1", "UTF-8", "ff"]),
    "missing column": (bad_trials("round", "rond"), ["row 1", "found 'rond', expected 'round'"]),
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
        (("report", "--draws", "many"), "--draws: found 'many', expected a whole number"),
        (("report", "--seed", "1.5"), "--seed: found '1.5', expected a whole number"),
        (("calibrate", "level-k", "--role", "sender", "--game", "game.toml", "--subjects", "4.4"),
         "--subjects: found '4.4', expected a whole number"),
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
    rule = {"column": "round", "value": 2, "rows": 2, "people": None}
    assert found["exclusions"] == [rule]
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
    kinds = ("finite", "forecast-sharing", "interval")
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
        "simulated-learning",
        "simulated-recommendation",
        "ioannidis-2024",
        "oey-vul-2022",
        "esm-advice",
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
            sources={
                f"http://127.0.0.1:{server.server_address[1]}/{source.name}": sha256(
                    source.read_bytes()
                ).hexdigest()
            },
        )
        monkeypatch.setitem(datasets.DATASETS, known.name, local)
        monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / name)
        code, out, _ = run("datasets", "fetch", known.name, "--json")
        server.shutdown()
    assert code == 0
    found = json.loads(out)
    assert list(found["sources"].values()) == [sha256(source.read_bytes()).hexdigest()]
    assert (found["licence"], found["citation"]) == (known.licence, known.citation)
    code, out, _ = run("validate", found["trials"], "--game", found["game"])
    assert code == 0
    assert "trials of 128 senders and 128 receivers in 60 rounds" in out


# simulate, fit, compare


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
    assert SamplingOptions(method="nuts").sampling() == Sampling(method="nuts")
