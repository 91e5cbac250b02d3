"""The default engine from end to end, and where it gives way to NUTS."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest

import trustbayes as tb
from trustbayes.errors import InputError
from trustbayes.estimates.coinciding import coinciding_shares
from trustbayes.inference.choice import nuts_of_both, settled
from trustbayes.inference.fit import write_file
from trustbayes.inference.marginal.fit_likelihood import new_subjects
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.inference.records import fit_key
from trustbayes.inference.sampling import ENGINE

SHORT = tb.Sampling(draws=600, chains=4, seed=5)


@pytest.fixture(scope="module")
def trials():
    data = tb.bundled("simulated-finite")
    whole = tb.read_trials(data.trials, tb.read_game(data.game))
    few = list(whole.subjects("sender"))[:10]
    return whole.subset(whole.table["sender"].isin(few).to_numpy(bool), "ten senders")


@pytest.fixture(scope="module")
def fitted(trials):
    return tb.fit(tb.LevelK("sender"), trials, SHORT, progress=False)


def with_code():
    import pymc as pm

    def prior(dims):
        return pm.HalfNormal("precision_in_code", 1.0, dims=dims)

    return tb.LevelK("sender", priors={"response_precision": prior})


def test_the_default_is_the_population_engine_and_its_gate_says_how_good_it_is(fitted):
    assert fitted.sampling.method == "population"
    names = [check.name for check in fitted.gate.checks]
    assert "integration error, sd" in names
    assert fitted.gate.passed
    assert fitted.manifest["engine"]["integration"]["error"] < 0.05


def test_a_file_holds_all_of_it_and_predicts_new_subjects_by_quadrature(fitted, tmp_path):
    read = tb.load_fit(fitted.save(tmp_path / "fit.nc"))
    assert read.gate == fitted.gate
    scores = tb.leave_one_subject_out(read)
    np.testing.assert_array_equal(scores.elpd, tb.leave_one_subject_out(fitted).elpd)
    few = fitted.thinned(20)
    other = new_subject_log_likelihood(few.draws())
    # The rule is checked to move no population's mean; a subject's score moves by hundredths.
    np.testing.assert_allclose(new_subjects(few).log_likelihood, other.log_likelihood, atol=0.02)


def test_it_is_compared_with_a_fit_by_nuts(fitted, trials):
    nuts = tb.fit(fitted.model, trials, replace(SHORT, method="nuts"), progress=False)
    assert nuts.manifest["sampler"]["name"] == "nutpie NUTS"
    assert nuts.manifest["key"] != fitted.manifest["key"]
    table = tb.compare({"population": fitted, "nuts": nuts}, "subject").rows("subject")
    assert abs(table["elpd_diff"]).max() < 1.0  # nats; Monte Carlo error of 1,200 draws


def test_auto_has_the_key_of_what_it_comes_to(trials):
    model = tb.LevelK("sender")
    keys = {m: fit_key(model, trials, replace(SHORT, method=m)) for m in ("auto", "population")}
    assert keys["auto"] == keys["population"]
    assert fit_key(model, trials, replace(SHORT, method="nuts")) != keys["auto"]


def test_fits_of_an_older_engine_are_not_taken_for_those_of_this(trials, monkeypatch):
    model, nuts = tb.LevelK("sender"), replace(SHORT, method="nuts")
    before = [fit_key(model, trials, how) for how in (SHORT, nuts)]
    monkeypatch.setattr("trustbayes.inference.records.ENGINE", ENGINE - 1)
    older = [fit_key(model, trials, how) for how in (SHORT, nuts)]
    assert older[0] != before[0]
    assert older[1] == before[1]  # NUTS does not hang on it


def test_priors_in_code_go_to_nuts_and_are_refused_by_the_engine(trials):
    chosen, reason = settled(with_code(), trials, SHORT)
    assert chosen.method == "nuts"
    assert "response_precision" in reason
    with pytest.raises(InputError, match='method="nuts"'):
        tb.fit(with_code(), trials, SHORT, method="population")


def test_a_fall_back_is_logged_and_stands_in_the_manifest(trials, caplog):
    with caplog.at_level(logging.INFO, "trustbayes"):
        found = tb.fit(
            with_code(), trials, tb.Sampling(draws=20, tune=20, chains=2), progress=False
        )
    assert "Python code" in found.manifest["why_nuts"]
    assert any("by NUTS" in line for line in caplog.messages)


def test_built_and_joint_models_are_refused_by_the_engine(trials):
    model = tb.LevelK("sender")
    with pytest.raises(InputError, match="a built model"):
        tb.fit(model, trials, SHORT, method="population", built=model.build(trials))
    with pytest.raises(InputError, match="joint fit, method"):
        nuts_of_both(replace(SHORT, method="population"))


def test_a_stored_approximation_says_which_version_wrote_it(fitted, tmp_path):
    manifest = json.loads(json.dumps(dict(fitted.manifest)))
    manifest["sampler"] |= {"method": "laplace", "name": "Laplace's approximation"}
    path = tmp_path / "old.nc"
    write_file(path, fitted.parts, manifest)
    with pytest.raises(InputError, match="Laplace's approximation, written by trustbayes"):
        tb.load_fit(path)


def test_shares_of_coinciding_types_are_added(fitted):
    engine = {**fitted.manifest["engine"], "coinciding": [list(fitted.model.types[:2])]}
    found = coinciding_shares(replace(fitted, manifest={**fitted.manifest, "engine": engine}))
    share = fitted.posterior["level_share"].isel(level=slice(2)).sum("level")
    assert found["mean"].item() == pytest.approx(float(share.mean()))
    assert coinciding_shares(fitted).empty


@pytest.mark.parametrize(
    ("theory", "role"),
    [(tb.LevelK, "receiver"), (tb.TrustEmbedded, "receiver"), (tb.TrustEmbedded, "sender")],
)
def test_continuous_choices_are_the_engines(theory, role):
    data = tb.bundled("simulated-forecast")
    trials = tb.read_trials(data.trials, data.game)
    model = theory(role, trials.game)
    assert settled(model, trials, SHORT) == (replace(SHORT, method="population"), "")


def test_recommendations_go_to_nuts():
    data = tb.bundled("simulated-recommendation")
    trials = tb.read_trials(data.trials, data.game)
    chosen, reason = settled(tb.model("keep", "receiver", trials.game), trials, SHORT)
    assert chosen.method == "nuts"
    assert reason.startswith("recommendations")


def test_formulas_go_to_nuts_unless_the_engine_is_asked_for(trials):
    model = tb.TrustEmbedded("receiver", formulas={"trust": "1 + treatment"})
    chosen, reason = settled(model, trials, SHORT)
    assert chosen.method == "nuts"
    assert "formulas" in reason
    assert settled(model, trials, replace(SHORT, method="population"))[0].method == "population"


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (tb.LevelK("sender"), ""),
        (tb.TrustEmbedded("receiver"), ""),
        (tb.TrustEmbedded("sender"), "expected_trust is common to all"),
        (tb.Hybrid("receiver"), ""),
        (tb.Mixture("sender"), ""),
    ],
)
def test_two_parameters_a_person_are_the_engines_unless_all_share_another(trials, model, reason):
    chosen, said = settled(model, trials, SHORT)
    assert (chosen.method, said) == ("nuts" if reason else "population", reason)


def test_three_parameters_a_person_go_to_nuts_unless_the_engine_is_asked_for(trials):
    model = tb.TrustEmbedded("receiver", lapse=True)
    chosen, reason = settled(model, trials, SHORT)
    assert chosen.method == "nuts"
    assert reason == "3 parameters a person"
    assert settled(model, trials, replace(SHORT, method="population"))[0].method == "population"
