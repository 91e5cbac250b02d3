"""Both roles in one model."""

import numpy as np
import pymc as pm
import pytest
from building import made_up_information
from loops import TRIALS
from markets import PYTHON
from scipy import integrate, stats
from scipy.special import expit, logit

from trustbayes.errors import InputError
from trustbayes.models import Joint, LevelK, Mixture, Model, TrustEmbedded
from trustbayes.models.graph import build_units
from trustbayes.priors.links import logit_normal_mean
from trustbayes.priors.prior import Prior
from trustbayes.trials.table import trials_from_frame

KINDS = {"power": "finite", "forecast": "forecast-sharing"}


def pair(kind: str, gap: Prior | None = Joint.gap, theory=TrustEmbedded, **receiver) -> Joint:
    game = KINDS[kind]
    return Joint(theory("sender", game), theory("receiver", game, **receiver), gap)


def built(joint: Joint, trials) -> pm.Model:
    units = {role: trials.fold(role) for role in joint.models}
    found = {role: made_up_information(joint.models[role], units[role]) for role in units}
    return joint.build_units(units, trials.game, found)


def drawn(model: pm.Model, names: list[str], seed: int) -> dict[str, np.ndarray]:
    values = pm.draw([model[name] for name in names], random_seed=seed, mode=PYTHON)
    return dict(zip(names, values, strict=True))


def test_the_mean_of_a_logit_normal_population_is_that_of_quadrature():
    for location, spread in ((0.0, 0.1), (1.3, 1.0), (-2.0, 2.5)):
        exact, _ = integrate.quad(
            lambda z, m=location, s=spread: expit(m + s * z) * stats.norm.pdf(z), -12, 12
        )
        # 31 nodes of Gauss and Hermite leave 2e-5 at a spread of 2.5.
        assert logit_normal_mean(np.array(location), spread) == pytest.approx(exact, abs=5e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gap", [Joint.gap, None], ids=["gap", "rational"])
def test_expected_trust_is_the_receivers_mean_trust_and_the_gap(kind, gap):
    trials = TRIALS[kind]
    names = ["receiver_trust_mu", "receiver_trust_sigma", "sender_expected_trust"]
    names += ["trust_gap"] if gap else []
    found = drawn(built(pair(kind, gap), trials), names, seed=4)
    for at in range(len(trials.treatments)):
        location, spread = found["receiver_trust_mu"][at], found["receiver_trust_sigma"]
        mean, _ = integrate.quad(
            lambda z, m=location, s=spread: expit(m + s * z) * stats.norm.pdf(z), -12, 12
        )
        expected = expit(logit(mean) + (found["trust_gap"][at] if gap else 0.0))
        assert found["sender_expected_trust"][at] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("theory", [TrustEmbedded, Mixture])
def test_the_likelihood_of_each_half_is_that_of_its_own_model(kind, theory):
    """Given the same values; the models by themselves are held against loops elsewhere."""
    trials, joint = TRIALS[kind], pair(kind, theory=theory)
    whole = built(joint, trials)
    prefixed = [rv.name for rv in whole.free_RVs]
    outputs = ["sender_log_likelihood", "receiver_log_likelihood", "sender_expected_trust"]
    found = drawn(whole, prefixed + outputs, seed=9)
    for role, model in joint.models.items():
        units = trials.fold(role)
        alone = build_units(model, units, trials.game, made_up_information(model, units))
        given = {
            alone[name.removeprefix(f"{role}_")]: found[name]
            for name in prefixed
            if name.startswith(f"{role}_")
        }
        if role == "sender":
            given[alone["expected_trust"]] = found["sender_expected_trust"]
        value = alone["log_likelihood"].eval(given, mode=PYTHON, on_unused_input="ignore")
        assert value == pytest.approx(found[f"{role}_log_likelihood"], rel=1e-9)


def test_a_joint_model_has_every_variable_once():
    model = built(pair("power"), TRIALS["power"])
    names = {rv.name for rv in model.free_RVs}
    assert "trust_gap" in names
    assert "sender_expected_trust_mu" not in names
    assert "sender_expected_trust" not in names
    others = names - {"trust_gap"}
    assert all(name.startswith(("sender_", "receiver_")) for name in others)
    assert {"sender_subject", "receiver_subject", "treatment"} <= set(model.coords)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Joint(TrustEmbedded("receiver"), TrustEmbedded("receiver")), "sender: found"),
        (lambda: Joint(LevelK("sender"), TrustEmbedded("receiver")), "has no expected_trust"),
        (lambda: Joint(TrustEmbedded("sender"), LevelK("receiver")), "has no trust"),
        (
            lambda: Joint(TrustEmbedded("sender"), TrustEmbedded("receiver", "forecast-sharing")),
            "kinds of game",
        ),
        (
            lambda: Joint(
                TrustEmbedded("sender", varies={"expected_trust": ("subject",)}),
                TrustEmbedded("receiver"),
            ),
            "varies of expected_trust",
        ),
        (
            lambda: Joint(
                TrustEmbedded("sender"),
                TrustEmbedded("receiver", priors={"trust": Prior("Beta", alpha=1, beta=1)}),
            ),
            "expected a LogitNormal",
        ),
        (
            lambda: pair("power", Prior("HalfNormal", sigma=1.0)),
            "prior of the gap",
        ),
    ],
)
def test_what_cannot_be_tied_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_trials_of_one_role_are_refused():
    table = TRIALS["power"].table[["receiver", "round", "treatment", "bias", "message", "action"]]
    one = trials_from_frame(table, TRIALS["power"].game, "receivers.csv")
    with pytest.raises(InputError, match=r"receivers\.csv.*trials of the sender"):
        pair("power").build(one)


def test_receivers_may_share_one_trust():
    trials = TRIALS["power"]
    joint = pair("power", None, varies={"trust": ()})
    found = drawn(built(joint, trials), ["receiver_trust", "sender_expected_trust"], seed=2)
    shared = np.full(len(trials.treatments), found["receiver_trust"])
    np.testing.assert_allclose(found["sender_expected_trust"], shared, rtol=1e-12)


def test_a_joint_model_tells_what_it_is():
    joint = pair("power")
    form = joint.to_dict()
    assert form["gap"] == {"distribution": "Normal", "mu": 0.0, "sigma": 1.0}
    assert isinstance(joint.models["sender"], Model)
    assert form["sender"]["role"] == "sender"
