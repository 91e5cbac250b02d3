"""Policies in games on an interval, against people who meet one by one and what must hold."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from counterfactuals import effect, made_up_fits, meetings_of

from trustbayes import (
    Audit,
    Policy,
    counterfactual,
    trials_from_frame,
    trust_worth,
)
from trustbayes.errors import InputError
from trustbayes.games import IntervalGame, PowerLoss
from trustbayes.simulation.policies.interval import references, stage
from trustbayes.simulation.policies.unseen import _directions
from trustbayes.simulation.policies.world import World
from trustbayes.theories.responses.heaped import HeapedNoise
from trustbayes.theories.trust_embedded.interval import action, message

GAME = IntervalGame(0, 60, {"Up": 10.0, "Down": -15.0}, step=1)


trials_of, fits_of = partial(meetings_of, GAME), partial(made_up_fits, GAME)


@pytest.mark.parametrize(
    "policy",
    [
        Policy("other interests", game={"bias": -25.0, "exponent": 1.5}),
        Policy("fine", audit=Audit(0.5, 2.0, per="unit", to="receiver")),
        Policy("trust", shift={"trust": 1.0, "lying_aversion": 0.5}),
    ],
    ids=lambda policy: policy.name,
)
def test_payoffs_are_those_of_people_who_meet_one_by_one(policy: Policy):
    world = World(*fits_of(), "these", "held", 1, 4)
    found, rng = world.play(policy, "Down"), np.random.default_rng(5)
    bias, fine = policy.game.get("bias", -15.0), 1.0 * bool(policy.audit)
    payoffs = PowerLoss(100, 100 / 3600, policy.game.get("exponent", 2.0))
    terms = IntervalGame(0, 60, {"Down": bias}, payoffs, fine=fine).terms(["Down"])
    parts = world.parts(policy, "Down")
    [(_, senders)], [(_, receivers)] = parts["sender"], parts["receiver"]
    for draw in range(2):
        size = 200_000
        state = rng.uniform(0, 60, size)
        i, j = rng.integers(senders.people, size=size), rng.integers(receivers.people, size=size)
        aversion = senders.arrays["lying_aversion"][draw, i] * GAME.lying_unit  # as estimated
        expected = np.full(size, senders.arrays["expected_trust"][draw])
        best = message(state, aversion, expected, terms, "truncated", "quadratic")
        noise = senders.arrays["response_noise"][draw, i] * 30
        told = np.clip(best + noise * rng.normal(size=size), 0, 60)
        done = action(told, receivers.arrays["trust"][draw, j], terms)
        noise = receivers.arrays["response_noise"][draw, j] * 30
        done = np.clip(done + noise * rng.normal(size=size), 0, 60)
        paid = fine * abs(told - state)
        loop = {
            ("payoff", "sender"): payoffs.sender(state, done, bias) - paid,
            ("payoff", "receiver"): payoffs.receiver(state, done) + paid,
            ("inflation", "sender"): state - told,  # downwards
            ("discount", "receiver"): done - told,
            ("fines", "sender"): paid,
        }
        for key, values in loop.items():
            mine = found[key][:, draw]
            error = np.hypot(values.std() / np.sqrt(size), mine.std(ddof=1) / np.sqrt(mine.size))
            assert abs(mine.mean() - values.mean()) < 6 * error + 1e-9, key


@pytest.mark.parametrize("exponent", [1.0, 1.4, 2.0, 3.0])
@pytest.mark.parametrize("bias", [0.0, 4.0, -20.0, 50.0])
def test_babbling_and_full_trust_earn_what_a_sum_over_states_says(exponent, bias):
    game = IntervalGame(-10, 20, {"b": bias}, PowerLoss(7, 0.2, exponent))
    found = references(stage(game, "b", (), {}, None, None))
    states = -10 + 30 * (np.arange(200_000) + 0.5) / 200_000
    for at, acted in enumerate((5.0, states)):
        sender = game.payoffs.sender(states, acted, bias).mean()
        receiver = game.payoffs.receiver(states, acted).mean()
        assert found["sender"][at] == pytest.approx(sender, rel=1e-6)
        assert found["receiver"][at] == pytest.approx(receiver, rel=1e-6)
        assert found["both"][at] == pytest.approx(sender + receiver, rel=1e-6)


@pytest.mark.parametrize("name", ["trust-embedded", "level-k", "mixture", "babbling"])
@pytest.mark.parametrize("people", ["these", "new"])
def test_a_policy_that_changes_nothing_has_no_effect_at_all(name: str, people: str):
    idle = [Policy("nothing"), Policy("the same", game={"exponent": 2.0})]
    found = counterfactual(*fits_of(name), idle, seed=1, people=people)
    changed = found.effects[found.effects["policy"] != "as it is"]
    assert (changed[["difference", "difference_lower", "difference_upper"]] == 0).all(axis=None)


def test_babbling_is_worth_0_and_full_trust_1():
    ends = [Policy("silence", play="babbling"), Policy("truth", play="full-trust")]
    found = counterfactual(*fits_of(), ends, seed=1)
    shares = found.effects[found.effects["outcome"] == "share"]
    for name, value in (("silence", 0), ("truth", 1)):
        columns = ["mean", "lower", "upper"]
        assert (shares.loc[shares["policy"] == name, columns] == value).all(axis=None)
    truth = effect(found, "truth", treatment="Up")["mean"]
    assert truth == pytest.approx(200 - 100 / 3600 * 100)


def test_senseless_changes_are_refused_all_at_once():
    changes = {"scale": 0, "exponent": 0.5, "bias": "much", "prior": 3}
    with pytest.raises(InputError) as caught:
        stage(GAME, "Up", (), changes, Audit(0.5, 2.0, per="lie"), None)
    places = {fault.place for fault in caught.value.faults}
    assert places == {"game.scale", "game.exponent", "game.bias", "game.prior", "audit.per"}


def test_people_who_round_round_under_every_policy():
    game = IntervalGame(0, 60, {"Up": 10.0, "Down": -15.0}, step=1, round_to=10)
    changed = {"bias": 3.0, "exponent": 1.5}
    assert stage(game, "Up", (), changed, Audit(0.5, 2.0, per="unit"), None).game.round_to == 10
    fits = made_up_fits(game, "level-k", heaping=True)
    world = World(*fits, "these", "held", 1, 4)
    parts = world.parts(Policy("other interests", game={"bias": 3.0}), "Up")
    for role in ("sender", "receiver"):
        [(_, crowd)] = parts[role]
        assert 0 < crowd.arrays["rounding"].min() < crowd.arrays["rounding"].max() < 1
        assert isinstance(crowd.model.response(crowd.game), HeapedNoise)
    same = Policy("the same", game={"exponent": 2.0})
    found = counterfactual(*fits, [same], seed=1)
    assert (found.effects.query("policy == 'the same'")["difference"] == 0).all()


def test_the_way_to_trust_goes_from_babbling_to_full_trust():
    worth = trust_worth(*fits_of(), seed=1).set_index(["treatment", "party"])
    for treatment in GAME.treatments:
        ends = references(stage(GAME, treatment, (), {}, None, None))
        for party, (low, high) in ends.items():
            row = worth.loc[treatment, party]
            assert (row["babbling"], row["full_trust"]) == pytest.approx((low, high))
            assert row["share"] == pytest.approx((row["profit"] - low) / (high - low))


def test_exaggeration_is_counted_in_the_direction_of_the_bias():
    game = IntervalGame(0, 60, {"Up": 10.0, "Down": -15.0, "None": 0.0})
    names = enumerate(game.treatments, 1)
    rows = [(f"s{i}", f"r{i}", at, name, 1.0, 2.0, 3.0) for at, name in names for i in (1, 2)]
    columns = ["sender", "receiver", "round", "treatment", "state", "message", "action"]
    units = trials_from_frame(pd.DataFrame(rows, columns=columns), game).fold("sender")
    assert _directions(game, "sender", units).tolist() == [1, -1, 1] * 2
    assert _directions(game, "receiver", units).tolist() == [-1, 1, -1] * 2
