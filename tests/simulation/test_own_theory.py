"""A theory that a user has registered, simulated by its own response rule, and in its colours."""

import numpy as np
import pytest
from outside import theory

import trustbayes as tb
from trustbayes.analysis.conventions import settled_models
from trustbayes.errors import InputError
from trustbayes.games import FiniteGame
from trustbayes.models import Look, Model
from trustbayes.report.page.style import look
from trustbayes.theories.registry import REGISTRY
from trustbayes.theories.responses.logit import Logit

GAME = FiniteGame(states=[1, 2, 3], treatments={"Low": 0.5, "High": 1.5})
PURPLE = Look("#AA4499", ">", ":")


class Stubborn(Logit):
    """Everybody takes the last option, whatever the theory says."""

    def choose(self, units, answer, values, kinds, rng):
        return np.full((1, len(units.trial_unit)), answer.shape[-1] - 1)


@pytest.fixture
def adding(monkeypatch):
    """The theory, registered until the test is over."""
    monkeypatch.setattr(REGISTRY, "_specs", tuple(REGISTRY))
    return tb.register(theory(look=PURPLE))


def played(receiver):
    return tb.simulate(
        GAME, sender=tb.FullTrust("sender"), receiver=receiver, subjects=6, rounds=10, seed=1
    )


def test_choices_are_made_by_the_models_own_response_rule():
    rule = Stubborn()
    stubborn = Model(theory(response=lambda game, conventions: rule))
    assert set(played(stubborn).trials["action"]) == {3.0}
    assert set(played(Model(theory())).trials["action"]) == {1.0, 2.0, 3.0}


def test_a_registered_theory_is_known_everywhere_by_its_name(adding):
    assert "adding" in tb.model_names("finite")
    assert tb.model("adding", "receiver").spec is adding
    assert look("adding") == PURPLE
    experiment = played(tb.model("adding", "receiver"))
    assert set(experiment.parameters["model"]) == {"full-trust", "adding"}
    trials = tb.trials_from_frame(experiment.trials, GAME)
    # It says nothing of senders, for whom others stand.
    both = [(one.name, one.role) for one in settled_models(trials)]
    assert ("adding", "receiver") in both
    assert ("adding", "sender") not in both
    of_receivers = [(one.name, one.role) for one in settled_models(trials, ["adding"])]
    assert of_receivers == [("adding", "receiver")]
    senders = tb.trials_from_frame(experiment.trials.drop(columns=["receiver", "action"]), GAME)
    with pytest.raises(InputError, match="models: found 'adding', expected a theory of senders"):
        settled_models(senders, ["adding"])


def test_it_is_fitted_and_read_back_by_its_name(adding, tmp_path):
    trials = tb.trials_from_frame(played(tb.model("adding", "receiver")).trials, GAME)
    few = tb.Sampling(draws=20, tune=50, chains=1, seed=1)
    fit = tb.fit(tb.model("adding", "receiver"), trials, few, progress=False)
    again = tb.load_fit(fit.save(tmp_path / "adding.nc"))
    assert again.model.spec is adding
    assert "constant" in again.posterior
