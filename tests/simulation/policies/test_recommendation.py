"""Policies on recommendations, against people who decide one by one, and closed forms."""

import numpy as np
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes import (
    Audit,
    Policy,
    Strength,
    bundled,
    counterfactual,
    model,
    read_policies,
    read_trials,
)
from trustbayes.errors import InputError
from trustbayes.report.studies import study_report
from trustbayes.simulation.policies.world import BASELINE, World

DATA = bundled("simulated-recommendation")
WHOLE = read_trials(DATA.trials, DATA.game)
SOME = WHOLE.table["receiver"].isin(sorted(WHOLE.table["receiver"].unique())[:6])
TRIALS = WHOLE.subset(SOME.to_numpy(), "six sellers")
MEAN = np.sqrt(2 / np.pi)  # of the absolute value of a standard normal


def fit_of(name="trust-embedded", draws=6):
    fit = synthetic_fit(model(name, "receiver", TRIALS.game), TRIALS, 3, 1, draws)
    return with_values(fit, response_noise=fit.posterior["response_noise"] * 0.2)


def with_values(fit, **values):
    """The fit with other values of some parameters."""
    posterior = fit.posterior.copy(deep=True)
    for name, value in values.items():
        posterior[name] = posterior[name] * 0 + value
    return type(fit)(fit.model, fit.game, fit.units, posterior, fit.sample_stats, fit.manifest)


def rows_of(found, policy, outcome="payoff", treatment="misled"):
    rows = found.effects
    rows = rows[(rows["policy"] == policy) & (rows["outcome"] == outcome)]
    [row] = rows[rows["treatment"] == treatment].to_dict("records")
    return row


def test_keeping_and_following_lose_what_estimates_and_recommendations_miss():
    ends = [Policy("keep", play="babbling"), Policy("follow", play="full-trust")]
    found = counterfactual(None, fit_of(), ends, seed=1)
    # Halton points and whole steps of orders: within 1 % of the closed form.
    assert rows_of(found, "keep")["mean"] == pytest.approx(-20 * MEAN, rel=0.01)
    assert rows_of(found, "follow")["mean"] == pytest.approx(-30 * MEAN, rel=0.01)
    assert rows_of(found, "keep", "share")["mean"] == pytest.approx(0, abs=1e-9)
    assert rows_of(found, "follow", "share")["mean"] == pytest.approx(1, abs=1e-9)
    assert rows_of(found, "follow", "discount")["mean"] == 0


@pytest.mark.parametrize("name", ["keep", "follow"])
def test_people_who_keep_or_follow_by_theory_differ_from_that_by_their_noise_alone(name):
    world = World(None, fit_of(name), "these", "held", 1, 6)
    parts = world.parts(BASELINE, "misled")["receiver"][0][1]
    arrays = parts.arrays
    # A decision misses by N(0, error² + noise²) unless it is on a spike.
    error = 20.0 if name == "keep" else 30.0
    other = 30.0 if name == "keep" else 20.0
    sigma, keep, follow = (
        np.broadcast_to(a if a.ndim > 1 else a[:, None], (6, 6))
        for a in (arrays["response_noise"], arrays["keeping"], arrays["following"])
    )
    follow = (1 - keep) * follow
    on, off = (keep, follow) if name == "keep" else (follow, keep)
    rest = 1 - keep - follow
    noisy = np.hypot(error, sigma * TRIALS.game.unit)
    expected = -MEAN * (on * error + off * other + rest * noisy).mean(axis=1)
    paid = world.play(BASELINE, "misled")["payoff", "receiver"].mean(axis=0)
    # 8,000 decisions in each draw, of six people: standard error 0.17, two steps for rounding.
    np.testing.assert_allclose(paid, expected, atol=0.9)


def test_decisions_are_those_of_people_who_decide_one_by_one():
    policy = Policy("better", game={"adviser_error": 12.0}, shift={"trust": 0.7})
    world = World(None, fit_of(), "these", "held", 1, 6)
    found = world.play(policy, "misled")
    crowd = world.parts(policy, "misled")["receiver"][0][1]
    rng, size = np.random.default_rng(5), 40_000
    game = TRIALS.game
    for draw in range(6):
        who = rng.integers(0, crowd.people, size)
        own = {
            n: (a[draw, who] if n in crowd.personal else a[draw]) for n, a in crowd.arrays.items()
        }
        outcome = np.clip(np.round(rng.normal(120, 30, size)), 0, None)
        estimate = np.clip(np.round(outcome + 20 * rng.normal(size=size)), 0, None)
        message = np.clip(np.round(outcome + 12 * rng.normal(size=size)), 0, None)
        belief = estimate + own["trust"] * (message - estimate)
        decision = belief + own["response_noise"] * game.unit * rng.normal(size=size)
        decision = np.where(rng.random(size) < own["following"], message, decision)
        decision = np.where(rng.random(size) < own["keeping"], estimate, decision)
        decision = np.clip(np.round(decision), 0, None)
        lost = -abs(decision - outcome)
        mine = found["payoff", "receiver"][:, draw]
        error = np.hypot(lost.std() / np.sqrt(size), mine.std(ddof=1) / np.sqrt(len(mine)))
        assert abs(mine.mean() - lost.mean()) < 5 * error + 0.02
        stops = ((message - decision) * np.sign(message - estimate)).mean()
        assert found["discount", "receiver"][:, draw].mean() == pytest.approx(stops, abs=0.6)


def test_a_policy_that_changes_nothing_has_no_effect_and_a_share_lies_between():
    policies = [
        Policy("nothing"),
        Policy("the same", game={"adviser_error": 30.0}, treatments=("misled",)),
        Policy("all", shift={"trust": 1.0}),
        Policy("half", shift={"trust": 1.0}, share=0.5),
    ]
    for people in ("these", "new"):
        found = counterfactual(None, fit_of(), policies, seed=1, people=people)
        idle = found.effects[found.effects["policy"].isin(["nothing", "the same"])]
        assert (idle[["difference", "difference_lower", "difference_upper"]] == 0).all(axis=None)
        trust = [rows_of(found, name, "trust")["difference"] for name in ("half", "all")]
        assert 0 < trust[0] < trust[1]
    assert found.costs["policy"].tolist() == [p.name for p in policies for _ in range(4)][:4] + [
        "the same", "the same"
    ] + ["all"] * 4 + ["half"] * 4  # fmt: skip


def test_a_frontier_over_trust_ends_where_precision_says():
    """With noiseless people of one trust, the best trust is the weight of least loss."""
    alike = with_values(fit_of(), trust=0.5, keeping=1e-9, following=1e-9, response_noise=1e-6)
    best = 400 / (400 + 900)
    policy = Policy(
        "trust",
        treatments=("misled",),
        shift={"trust": 0.0},
        frontier=Strength("shift.trust", -3, 3),
    )
    [found] = counterfactual(None, alike, [policy], seed=1).frontiers
    # Whole steps of orders and 8,000 points leave the flat top of a parabola.
    assert found.best == pytest.approx(np.log(best / (1 - best)), abs=0.25)


def test_what_makes_no_sense_is_refused_with_all_faults():
    wrong = [
        Policy("a", game={"adviser_error": -1.0, "bias": 2.0}, audit=Audit(0.5, 1.0)),
        Policy("b", treatments=("unknown",), feedback="none", shift={"expected_trust": 1.0}),
    ]
    with pytest.raises(InputError) as caught:
        counterfactual(None, fit_of(), wrong, seed=1)
    places = [fault.place for fault in caught.value.faults]
    for place in (
        "policy a, audit",
        "policy a, game.bias",
        "policy b, treatments",
        "policy b, feedback",
        "policy b, shift",
    ):
        assert place in places, places
    with pytest.raises(InputError, match="adviser_error"):
        counterfactual(None, fit_of(), [Policy("a", game={"adviser_error": -1.0})], seed=1)


def test_recommendations_have_receivers_alone():
    finite = small_trials()
    sender = synthetic_fit(model("level-k", "sender", finite.game), finite, 1, 1, 4)
    receiver = synthetic_fit(model("level-k", "receiver", finite.game), finite, 1, 1, 4)
    with pytest.raises(InputError, match="recommendations have receivers alone"):
        counterfactual(sender, fit_of(), [Policy("x")], seed=1)
    with pytest.raises(InputError, match="a fit of senders"):
        counterfactual(None, receiver, [Policy("x")], seed=1)


def test_the_report_speaks_of_receivers_alone(tmp_path):
    found = counterfactual(None, fit_of(), read_policies(DATA.policies), seed=1)
    assert found.together == "receiver"
    html = study_report(found, tmp_path / "policy.html").html.read_text("utf-8")
    assert "receivers would" in html
    assert "both together" not in html
    assert "two together" not in html
    assert found.to_dict()["together"] == "receiver"
