"""Policies in forecast sharing, against people who meet one by one and against what must hold."""

from functools import partial

import numpy as np
import pytest
from counterfactuals import effect, made_up_fits, meetings_of

from trustbayes import Audit, Policy, Strength, counterfactual
from trustbayes.errors import InputError
from trustbayes.games import ForecastGame, Market
from trustbayes.simulation.policies.world import World
from trustbayes.theories.trust_embedded.forecast import capacity, report

GAME = ForecastGame(treatments={"CLUL": Market(15.0, 25.0), "CHUH": Market(60.0, 75.0)})


trials_of, fits_of = partial(meetings_of, GAME), partial(made_up_fits, GAME)


@pytest.mark.parametrize(
    "policy",
    [
        Policy("dear capacity", game={"capacity_cost": 40.0, "wholesale_price": 80.0}),
        Policy("fine", audit=Audit(0.5, 20.0, per="unit", to="receiver")),
        Policy("trust", shift={"trust": 1.0, "lying_aversion": 0.5}),
    ],
    ids=lambda policy: policy.name,
)
def test_payoffs_are_those_of_people_who_meet_one_by_one(policy: Policy):
    world = World(*fits_of(), "these", "held", 1, 4)
    found, rng = world.play(policy, "CHUH"), np.random.default_rng(5)
    cost = policy.game.get("capacity_cost", 60.0)
    wholesale = policy.game.get("wholesale_price", 75.0)
    game = ForecastGame(wholesale_price=wholesale, treatments={"CHUH": Market(cost, 75.0)})
    terms, phi = game.terms(["CHUH"]), 10.0 * bool(policy.audit)
    parts = world.parts(policy, "CHUH")
    [(_, senders)], [(_, receivers)] = parts["sender"], parts["receiver"]
    # Two draws, 200,000 meetings each; forecasts are even in the package, random here.
    for draw in range(2):
        size = 200_000
        xi = rng.uniform(-150, 150, size)
        i, j = rng.integers(senders.people, size=size), rng.integers(receivers.people, size=size)
        aversion = senders.arrays["lying_aversion"][draw, i] * 25.0  # payoff units, as estimated
        expected = np.full(size, senders.arrays["expected_trust"][draw])
        best = report(xi, aversion, expected, type(terms)(**(vars_of(terms) | {"fine": phi})),
                      "truncated", "quadratic")  # fmt: skip
        noise = senders.arrays["response_noise"][draw, i] * 150
        x = np.clip(best + noise * rng.normal(size=size), -150, 150)
        built = capacity(x, receivers.arrays["trust"][draw, j], terms)
        noise = receivers.arrays["response_noise"][draw, j] * 150
        built = np.maximum(built + noise * rng.normal(size=size), 0)
        sold = np.minimum(250 + xi + rng.uniform(-75, 75, size), built)
        paid = phi * abs(x - xi)
        loop = {
            ("payoff", "sender"): (100 - wholesale) * sold - paid,
            ("payoff", "receiver"): wholesale * sold - cost * built + paid,
            ("inflation", "sender"): x - xi,
            ("fines", "sender"): paid,
        }
        for key, values in loop.items():
            mine = found[key][:, draw]
            error = np.hypot(values.std() / np.sqrt(size), mine.std(ddof=1) / np.sqrt(mine.size))
            # The package's own meetings have an error of that order, too.
            assert abs(mine.mean() - values.mean()) < 6 * error + 1e-9, key


def vars_of(terms):
    names = ("mean_demand", "forecast_range", "sender_margin", "receiver_margin")
    return {name: getattr(terms, name) for name in (*names, "capacity_cost", "uncertainty")}


@pytest.mark.parametrize("lying_cost", ["absolute", "quadratic"])
@pytest.mark.parametrize("treatment", ["CLUL", "CHUH"])
def test_a_fined_sender_makes_the_best_of_all_reports(lying_cost: str, treatment: str):
    market = GAME.treatments[treatment]
    terms = ForecastGame(treatments={treatment: market}, fine=6.0).terms([treatment])
    plain = GAME.terms([treatment])
    xi, aversion, trust = np.meshgrid([-120.0, 0.0, 90.0], [0.5, 4.0, 12.0], [0.2, 0.6, 0.95])
    given = (v.reshape(-1) for v in (xi, aversion, trust))
    xi, aversion, trust = given
    options = np.linspace(-150, 150, 3001)
    shock = np.linspace(-market.uncertainty, market.uncertainty, 401)
    best = []
    for state, beta, alpha in zip(xi, aversion, trust, strict=True):
        built = capacity(options, np.full(options.size, alpha), plain)
        sold = np.minimum(250 + state + shock[:, None], built).mean(axis=0)
        lie = abs(options - state)
        own = beta * lie if lying_cost == "absolute" else beta * lie**2 / 150
        best.append((25 * sold - own - 6.0 * lie).max())
    mine = report(xi, aversion, trust, terms, "truncated", lying_cost)
    built = capacity(mine, trust, plain)
    sold = np.minimum(250 + xi + shock[:, None], built).mean(axis=0)
    lie = abs(mine - xi)
    own = aversion * lie if lying_cost == "absolute" else aversion * lie**2 / 150
    earned = 25 * sold - own - 6.0 * lie
    # Utilities are compared: flat optima leave reports open. Demand is a grid of 401 points.
    assert (earned > np.array(best) - 0.02).all()


@pytest.mark.parametrize("name", ["trust-embedded", "level-k", "mixture", "babbling"])
@pytest.mark.parametrize("people", ["these", "new"])
def test_a_policy_that_changes_nothing_has_no_effect_at_all(name: str, people: str):
    idle = [Policy("nothing"), Policy("the same", game={"retail_price": 100.0})]
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
    assert effect(found, "truth", treatment="CHUH")["mean"] == 7900


def test_lying_aversion_is_held_in_payoff_units_when_prices_change():
    """Half the sender's margin: a lie costs what it did, in money."""
    world = World(*fits_of(), "these", "held", 1, 4)
    policy = Policy("margin", game={"retail_price": 87.5})
    [(_, crowd)] = world.parts(policy, "CLUL")["sender"]
    game = world.stage(policy, "CLUL").game
    values = crowd.values(game, slice(None), None)
    np.testing.assert_allclose(
        values.arrays["lying_aversion"] * game.lying_unit,
        crowd.arrays["lying_aversion"] * GAME.lying_unit,
    )


def test_a_frontier_over_a_fine():
    fine = Policy(
        "fine", audit=Audit(0.5, 5.0, per="unit"), frontier=Strength("audit.fine", 0.0, 40.0, 1.0)
    )
    [one] = counterfactual(*fits_of(), [fine], seed=1).frontiers
    assert 0 <= one.best <= 40
    assert one.best_net >= one.table["net"].max()
    assert one.table["cost"].tolist() == pytest.approx(one.table["strength"].tolist())


def test_markets_without_sense_are_refused_with_all_faults():
    policies = [
        Policy("x", game={"capacity_cost": 90.0, "retail_price": 70.0, "bias": 1.0}),
        Policy("y", game={"uncertainty": -1.0, "capacity_cost": 80.0}, treatments=("CLUL",)),
        Policy("z", audit=Audit(0.5, 10.0)),
    ]
    with pytest.raises(InputError) as caught:
        counterfactual(*fits_of(), policies, seed=1)
    assert [fault.place for fault in caught.value.faults] == [
        "policy x, game.bias",
        "policy x, game.retail_price",
        "policy x, game.capacity_cost",
        "policy y, game.capacity_cost",
        "policy y, game.uncertainty",
        "policy z, audit.per",
    ]
    with pytest.raises(InputError, match="senders of the level-k model"):
        counterfactual(*fits_of("level-k"), [Policy("f", audit=Audit(1, 1, per="unit"))], seed=1)
