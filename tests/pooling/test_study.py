"""What a study must satisfy: every fault, all at once, in a message each."""

from dataclasses import replace

import pandas as pd
import pytest
from synthetic import small_trials

import trustbayes as tb
from trustbayes.errors import InputError
from trustbayes.games import FiniteGame
from trustbayes.pooling.study import Study, StudyExperiment
from trustbayes.trials.table import trials_from_frame

FIRST, SECOND = small_trials(1), small_trials(2)
SENDERS = ["sender", "round", "treatment", "state", "message"]


def of_senders(seed):
    """Trials without receivers."""
    whole = small_trials(seed)
    return trials_from_frame(pd.DataFrame(whole.table[SENDERS]), whole.game, "senders")


def faults_of(*args, **kwargs):
    with pytest.raises(InputError) as caught:
        Study(*args, **kwargs)
    return [str(fault) for fault in caught.value.faults]


def two(**settings):
    covariates = settings.pop("covariates", ({}, {}))
    return [
        StudyExperiment(name, trials, covariates=known)
        for name, trials, known in zip("ab", (FIRST, SECOND), covariates, strict=True)
    ], settings


def test_a_study_knows_what_its_experiments_share():
    study = Study([StudyExperiment("a", FIRST), StudyExperiment("b", of_senders(2))])
    assert study.roles == ("sender", "receiver")
    assert study.names == ("a", "b")
    # Both have senders; receivers' trust is of one alone.
    assert "lying_aversion" in study.parameters
    assert "trust" not in study.parameters
    assert study.model_of(study.experiments[1], "trust-embedded", "receiver") is None
    assert study.model_of(study.experiments[1], "trust-embedded", "sender").role == "sender"


def test_one_experiment_is_a_study_too():
    assert "trust" in Study([StudyExperiment("a", FIRST)]).parameters


def test_no_experiment_is_none():
    assert faults_of([]) == ["study: expected at least one experiment"]


def test_names_and_data_stand_once_and_roles_are_somebodys():
    twice = [StudyExperiment("a", FIRST), StudyExperiment("a", SECOND), StudyExperiment("c", FIRST)]
    assert faults_of(twice, roles=["sender", "recever"], models=["level-x"]) == [
        "experiment 2, name: found 'a', expected a name of its own: experiment 1 has it, too",
        "experiment c: found 'the data of a', expected each experiment once",
        "roles: found 'recever', expected 'receiver' (did you mean it?); known are: receiver, "
        "sender",
        "models: found 'level-x', expected 'level-k' (did you mean it?); known are: babbling, "
        "full-trust, hybrid, level-k, mixture, trust-embedded",
    ]


@pytest.mark.parametrize("name", ["pooled mean", "new experiment", "effect of stakes"])
def test_no_experiment_is_called_as_what_is_pooled(name):
    held = [StudyExperiment("a", FIRST), StudyExperiment(name, SECOND)]
    assert faults_of(held) == [
        f"experiment 2, name: found '{name}', expected another name: tables call what is pooled so"
    ]


def test_the_same_data_are_known_by_content_whatever_their_file_is_called():
    again = replace(small_trials(1), source="another file")
    held = [StudyExperiment("a", FIRST), StudyExperiment("b", again)]
    assert faults_of(held) == ["experiment b: found 'the data of a', expected each experiment once"]


def test_a_role_that_nobody_has():
    held = [StudyExperiment("a", of_senders(1)), StudyExperiment("b", of_senders(2))]
    assert faults_of(held, roles=["receiver"]) == [
        "roles: found 'receiver', expected a role that somebody has: there are senders"
    ]


def test_parameters_that_no_two_experiments_share():
    held = [StudyExperiment("a", FIRST), StudyExperiment("b", of_senders(2))]
    found = faults_of(held, parameters=["trust", "lying_aversion", "trist"])
    shared = "response_precision, lying_aversion, expected_trust, level"
    assert found == [
        f"parameters: found '{name}', expected a parameter that two experiments or more share: "
        f"{shared}"
        for name in ("trust", "trist")
    ]


def test_theories_of_which_no_two_experiments_share_anything():
    data = tb.bundled("simulated-forecast")
    forecast = tb.read_trials(data.trials, data.game)
    held = [StudyExperiment("a", FIRST), StudyExperiment("b", forecast)]
    assert faults_of(held, models=["full-trust"]) == [
        "study, parameters: found 'none that two share', expected theories of which two "
        "experiments or more have a parameter in common"
    ]


def test_games_of_different_kinds_share_what_has_the_same_unit():
    data = tb.bundled("simulated-forecast")
    forecast = tb.read_trials(data.trials, data.game)
    study = Study([StudyExperiment("a", FIRST), StudyExperiment("b", forecast)])
    # Noise of reports and precision of choices have nothing in common; neither has the cost of a
    # lie, which is in units of different payoffs.
    assert set(study.parameters) == {"trust", "expected_trust", "level"}
    assert study.model_of(study.experiments[0], "mixture", "receiver") is None


@pytest.mark.parametrize(
    ("formula", "covariates", "fault"),
    [
        ("1 + stake", ({"stakes": 1.0}, {"stakes": 2.0}), "'stakes' (did you mean it?)"),
        ("1 + stakes", ({"stakes": 1.0}, {}), "also b"),
        ("1 + stakes", ({"stakes": 1.0}, {"stakes": 1.0}), "differs between experiments"),
        ("1 + treatment", ({}, {}), "covariates of experiments alone"),
    ],
)
def test_formulas_name_what_experiments_have(formula, covariates, fault):
    held, _ = two(covariates=covariates)
    [found] = faults_of(held, formulas={"trust": formula})
    assert fault in found


def test_a_formula_of_what_is_not_pooled():
    held, _ = two(covariates=({"x": 1.0}, {"x": 2.0}))
    [found] = faults_of(held, formulas={"trust": "1 + x"}, parameters=["level"])
    assert found.startswith("formula of trust: found 'trust', expected a parameter that two")


def test_games_may_differ():
    other = small_trials(3, states=4)
    assert isinstance(other.game, FiniteGame)
    assert "trust" in Study([StudyExperiment("a", FIRST), StudyExperiment("b", other)]).parameters
