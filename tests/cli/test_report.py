"""The report command; the main job takes notes only."""

import json
import logging
from dataclasses import dataclass

import pytest
from commands import SIMULATE, files

from trustbayes.comparison import Verdict
from trustbayes.inference.sampling import Sampling
from trustbayes.report import Written
from trustbayes.trials.datasets import bundled
from trustbayes.trials.table import read_trials


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

    def report(analysis, path, command, assets):
        made.arguments |= {"path": path, "command": command, "assets": assets}
        return Written(path, path.with_suffix(".json"), "Senders: all think ahead.")

    monkeypatch.setattr("trustbayes.analysis.analyse.analyse", analyse)
    monkeypatch.setattr("trustbayes.report.write_report", report)
    return made


def test_report_without_trials_takes_the_bundled_ones(run, stub):
    code, out, err = run("report")
    assert code == 0
    assert out == (
        "Senders: all think ahead.\nreport: reports/report.html\nresults: reports/report.json\n"
    )
    assert err.endswith(" fitting everything\n")
    asked = stub.arguments
    assert asked["trials"].checksum == read_trials(bundled().trials, bundled().game).checksum
    assert set(asked["planted"]["parameter"]) >= {"trust", "lying_aversion"}
    assert asked["models"] is None
    assert asked["fits"] is None
    assert asked["kfold"] is None
    assert asked["assets"] is None
    assert asked["sampling"] == Sampling()
    assert asked["command"] == "trustbayes report"
    assert not logging.getLogger("trustbayes").handlers


def test_report_opens_what_it_wrote_if_asked_to(run, stub, monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert run("report", "--assets", "parts")[0] == 0
    assert opened == []
    assert str(stub.arguments["assets"]) == "parts"
    assert run("report", "--open", "--out", "a b.html")[0] == 0
    assert opened == [(tmp_path / "a b.html").absolute().as_uri()]


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
    assert "fits that have not converged say nothing of people" in out
    assert files(tmp_path / "new") == {"report.html", "report.json"}
    assert "report: new/report.html" in out
    assert "fitted full-trust, receiver" in err
    kept = files(tmp_path / "fits")  # of all receivers, and without those whose Pareto k is large
    assert all(name.startswith("receiver-full-trust-") for name in kept)
    assert "refitting full-trust, receiver, without" in err or len(kept) == 1
    code, out, err = run(*tokens, "--json")
    assert code == 3
    assert files(tmp_path / "fits") == kept
    assert json.loads(out)["results"] == "new/report.json"
    assert "reading the fit of full-trust, receiver" in err


def test_policies_are_read_before_the_work_and_handed_on(run, stub, tmp_path):
    bad, good = tmp_path / "bad.toml", bundled().policies
    bad.write_text("[policies.x]\nfine = 3\n")
    code, _, err = run("report", "--policies", str(bad))
    assert code == 2
    assert "key policies.x.fine: found 'fine'" in err
    assert not stub.arguments
    assert run("report", "--policies", str(good))[0] == 0
    names = [policy.name for policy in stub.arguments["policies"]]
    assert names[0] == "a fine for exaggeration"
    run("report")
    assert stub.arguments["policies"] == ()
