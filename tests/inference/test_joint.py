"""Joint fits: the planted gap, files, and their halves as fits."""

import numpy as np
import pytest
from scipy.special import expit, logit
from synthetic import small_trials, synthetic_fit

from trustbayes.comparison.compare import compare
from trustbayes.errors import InputError
from trustbayes.estimates.trust_gap import trust_gap
from trustbayes.games import FiniteGame
from trustbayes.inference.fit import load_fit
from trustbayes.inference.joint import JointFit, fit_joint, load_joint_fit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import FullTrust, Joint, TrustEmbedded
from trustbayes.priors.links import logit_normal_mean
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import Trials, trials_from_frame

GAME = FiniteGame([1, 2, 3, 4, 5], treatments={"low": 1.0, "high": 2.0})
GAP = {"low": -0.9, "high": 0.9}  # on the logit scale
LOCATION, SPREAD = 0.5, 0.6
MEAN = float(logit_normal_mean(np.array(LOCATION), SPREAD))


@pytest.fixture(scope="module")
def played() -> Trials:
    """Receivers trust alike in both treatments; senders think otherwise, by the planted gap."""
    precision = {"response_precision": Prior("Gamma", mean=6.0, shape=8.0)}
    expected = [logit(MEAN) + gap for gap in GAP.values()]
    sender = TrustEmbedded(
        "sender",
        priors={
            **precision,
            "lying_aversion": Prior("LogNormal", mu=-2.0, sigma=0.5),
            "expected_trust": Prior("LogitNormal", mu=expected, sigma=1.0),
        },
    )
    receiver = TrustEmbedded(
        "receiver",
        priors={**precision, "trust": Prior("LogitNormal", mu=[LOCATION, LOCATION], sigma=SPREAD)},
    )
    made = simulate(GAME, sender=sender, receiver=receiver, subjects=24, rounds=60, seed=11)
    return trials_from_frame(made.trials, GAME, "played")


@pytest.fixture(scope="module")
def found(played) -> JointFit:
    joint = Joint(TrustEmbedded("sender"), TrustEmbedded("receiver"))
    return fit_joint(joint, played, Sampling(draws=500, tune=500, chains=2, seed=5), progress=False)


@pytest.mark.slow
def test_a_planted_gap_is_recovered(found):
    gaps = trust_gap(found.sender, found.receiver, ci_prob=0.99).set_index("treatment")
    for treatment, planted in GAP.items():
        row, expected = gaps.loc[treatment], expit(logit(MEAN) + planted)
        # Of 24 receivers and two quantities, 99 % intervals miss by chance once in fifty.
        assert row["given_lower"] < MEAN < row["given_upper"]
        assert row["expected_lower"] < expected < row["expected_upper"]
        assert row["gap_lower"] < expected - MEAN < row["gap_upper"]
        assert row["more"] == pytest.approx(float(planted > 0), abs=0.02)


@pytest.mark.slow
def test_a_joint_fit_survives_its_file(found, tmp_path):
    path = found.save(tmp_path / "joint.nc")
    again = load_joint_fit(path)
    for role in ("sender", "receiver"):
        before, after = getattr(found, role), getattr(again, role)
        assert after.posterior.identical(before.posterior)
        assert after.manifest == before.manifest
        assert after.units.subjects == before.units.subjects
    assert again.joint.to_dict() == found.joint.to_dict()
    assert again.gate == found.gate
    with pytest.raises(InputError, match="found 'a joint fit of both roles'"):
        load_fit(path)
    assert [p.name for p in tmp_path.iterdir()] == ["joint.nc"]


@pytest.mark.slow
def test_its_halves_are_fits_like_any_other(found, played):
    table = compare([found.sender, synthetic_fit(FullTrust("sender"), played)]).rows()
    assert set(table.index) == {"trust-embedded", "full-trust"}
    assert set(found.sender.posterior.dims) >= {"subject", "treatment"}
    assert list(found.sender.posterior["subject"]) == list(found.sender.units.subjects)
    assert "trust_gap" not in found.receiver.posterior
    checks = {check.name: check for check in found.gate.checks}
    assert checks["R-hat"].value == max(
        half.gate.checks[0].value for half in (found.sender, found.receiver)
    )
    assert checks["bulk ESS"].value == min(
        half.gate.checks[1].value for half in (found.sender, found.receiver)
    )


def test_trials_of_one_role_are_refused_before_sampling():
    table = small_trials().table[["sender", "round", "treatment", "bias", "state", "message"]]
    one = trials_from_frame(table, small_trials().game, "senders.csv")
    with pytest.raises(InputError, match=r"senders\.csv.*trials of the receiver"):
        fit_joint(Joint(TrustEmbedded("sender"), TrustEmbedded("receiver")), one)


def test_the_fit_of_one_role_is_no_joint_fit(tmp_path):
    path = synthetic_fit(TrustEmbedded("sender"), small_trials()).save(tmp_path / "one.nc")
    with pytest.raises(InputError, match="found 'a fit of one role'"):
        load_joint_fit(path)
