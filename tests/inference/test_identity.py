"""A model is more than its name: fits, tasks and workers take no spec for another."""

import json
from dataclasses import replace

import pytest
from outside import theory
from synthetic import small_trials, synthetic_fit

from trustbayes.errors import InputError
from trustbayes.inference.fit import load_fit
from trustbayes.inference.records import fit_key
from trustbayes.inference.sampling import Sampling
from trustbayes.inference.tasks import FitTask
from trustbayes.models import FullTrust, Model, model, model_from_dict

TRIALS = small_trials()
KNOWN = FullTrust("receiver")


def contrary(game, values, conventions):
    """Whatever full trust says is bad."""
    return -KNOWN.spec.answer(game, values, conventions)


ALTERED = Model(replace(KNOWN.spec, answer=contrary))


def test_an_altered_spec_has_another_key():
    keys = {fit_key(each, TRIALS, Sampling()) for each in (KNOWN, ALTERED)}
    assert len(keys) == 2
    files = {FitTask(each, TRIALS, Sampling()).file for each in (KNOWN, ALTERED)}
    assert len(files) == 2
    again = model("full-trust", "receiver")
    assert fit_key(again, TRIALS, Sampling()) in keys


def test_a_model_of_an_altered_spec_is_not_read_as_the_registered_one():
    form = json.loads(json.dumps(ALTERED.to_dict()))
    with pytest.raises(InputError) as caught:
        model_from_dict(form)
    assert "model full-trust, receiver, finite game, spec: found" in str(caught.value)
    assert "registered under its name here computes something else" in str(caught.value)
    assert model_from_dict(form, spec=ALTERED.spec).spec is ALTERED.spec
    with pytest.raises(InputError, match="that given computes something else"):
        model_from_dict(KNOWN.to_dict(), spec=ALTERED.spec)


def test_a_theory_that_nobody_registered_is_asked_for():
    with pytest.raises(InputError) as caught:
        model_from_dict(Model(theory()).to_dict())
    assert "model adding, receiver, finite game: found 'adding'" in str(caught.value)
    assert "trustbayes.register" in str(caught.value)


def test_a_stored_fit_needs_its_own_spec(tmp_path):
    path = synthetic_fit(ALTERED, TRIALS).save(tmp_path / "altered.nc")
    with pytest.raises(InputError, match="computes something else"):
        load_fit(path)
    assert load_fit(path, spec=ALTERED.spec).model.spec is ALTERED.spec
    assert FitTask(ALTERED, TRIALS, Sampling()).read(path).model.spec is ALTERED.spec


def test_a_fit_of_version_01_is_read_and_others_say_who_wrote_them(tmp_path):
    fit = synthetic_fit(KNOWN, TRIALS)
    form = {name: value for name, value in fit.model.to_dict().items() if name != "spec"}
    old = {**fit.manifest, "format": 2, "model": form}
    path = replace(fit, manifest=old).save(tmp_path / "old.nc")
    assert load_fit(path).model.spec is KNOWN.spec
    writer = {**fit.manifest["versions"], "trustbayes": "9.9"}
    path = replace(fit, manifest={**old, "format": 9, "versions": writer}).save(path)
    with pytest.raises(InputError) as caught:
        load_fit(path)
    assert "found 'format 9, written by trustbayes 9.9', expected format 2 or 3" in str(
        caught.value
    )


@pytest.mark.parametrize("one", [ALTERED, Model(theory())], ids=lambda one: one.name)
def test_what_workers_cannot_rebuild_does_not_travel(one):
    task = FitTask(one, TRIALS, Sampling())
    with pytest.raises(InputError, match=f"theory {one.name}: found 'another spec', expected no"):
        task.check_travel()
    function, arguments = task.job
    with pytest.raises(InputError, match=f"model {one.name}, receiver, finite game"):
        function(*arguments, "nowhere.nc", 1)
