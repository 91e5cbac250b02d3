"""Policies in finite games, against people who meet one by one and against what must hold."""

import numpy as np
import pandas as pd
import pytest
from counterfactuals import effect
from synthetic import small_trials, synthetic_fit

from trustbayes import Audit, Policy, Strength, counterfactual, model, trust_worth
from trustbayes.errors import InputError
from trustbayes.games import FiniteGame, PayoffTable, PowerLoss
from trustbayes.games.finite_terms import FiniteTerms
from trustbayes.simulation.policies.world import World
from trustbayes.trials.table import trials_from_frame

TRIALS = small_trials()
NAMES = ("trust-embedded", "level-k", "hybrid", "mixture", "babbling", "full-trust")


def fits_of(name: str = "trust-embedded", trials=TRIALS, draws: int = 6, **conventions):
    return tuple(
        synthetic_fit(model(name, role, trials.game, **conventions), trials, seed, 1, draws)
        for seed, role in enumerate(("sender", "receiver"), 1)
    )


def meet(world: World, policy: Policy, treatment: str, draw: int, meetings: int, seed: int = 3):
    """Mean payoffs, messages and lies of people who meet one by one, and how sure they are."""
    rng = np.random.default_rng(seed)
    stage = world.stage(policy, treatment)
    game, [bias] = stage.game, stage.biases
    tables = {}
    for role, parts in world.parts(policy, treatment).items():
        [(_, crowd)] = parts
        tables[role] = [
            one_person(game, bias, crowd, draw, person) for person in range(crowd.people)
        ]
    state = rng.choice(game.states.size, meetings, p=game.prior)
    sender = rng.integers(len(tables["sender"]), size=meetings)
    receiver = rng.integers(len(tables["receiver"]), size=meetings)
    message = pick(np.array(tables["sender"])[sender, state], rng)
    action = pick(np.array(tables["receiver"])[receiver, message], rng)
    theta, m, a = game.states[state], game.messages[message], game.actions[action]
    fine = 0.0 if policy.audit is None else policy.audit.probability * policy.audit.fine
    earned = 110 - 20 * abs(theta + bias - a) ** 1.4 - fine * (m != theta)
    own = 110 - 20 * abs(theta - a) ** 1.4
    found = {
        ("payoff", "sender"): earned,
        ("payoff", "receiver"): own,
        ("payoff", "both"): earned + own,
        ("inflation", "sender"): m - theta,
        ("discount", "receiver"): m - a,
        ("lies", "sender"): (m != theta).astype(float),
    }
    return {key: (v.mean(), v.std() / np.sqrt(meetings)) for key, v in found.items()}


def one_person(game, bias, crowd, draw, person):
    """Choice probabilities of one trust-embedded person, from the theory's formulas in a loop."""
    value = {
        name: float(array[draw, person] if name in crowd.personal else array[draw])
        for name, array in crowd.arrays.items()
    }
    scale = FiniteGame([1, 2, 3]).receiver_table.std()
    tables = []
    for seen in game.seen(crowd.model.role):
        utility = []
        for option in game.options(crowd.model.role):
            if crowd.model.role == "sender":
                trust = value["expected_trust"]
                believed = [s for s in game.states if s <= option]
                expects = trust * option + (1 - trust) * np.mean(believed)
                payoff = game.sender_payoff(seen, option, expects, bias)
                utility.append(payoff / scale - value["lying_aversion"] * abs(option - seen))
            else:
                trust = value["trust"]
                states = [s for s in game.states if s <= seen]
                loss = [abs(trust * seen + (1 - trust) * s - option) ** 1.4 for s in states]
                utility.append((110 - 20 * np.mean(loss)) / scale)
        chances = np.exp(value["response_precision"] * (np.array(utility) - max(utility)))
        tables.append(chances / chances.sum())
    return tables


def pick(chances: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    reached = chances.cumsum(axis=-1)
    return (reached < rng.random((len(chances), 1)) * reached[:, -1:]).sum(axis=-1)


@pytest.mark.parametrize(
    "policy",
    [
        Policy("as it is"),
        Policy("less conflict", game={"bias": 0.2}),
        Policy("fine", audit=Audit(0.5, 40.0)),
        Policy("trust", shift={"trust": 1.0, "lying_aversion": -0.5, "expected_trust": 0.7}),
    ],
    ids=lambda policy: policy.name,
)
def test_payoffs_and_choices_are_those_of_people_who_meet_one_by_one(policy: Policy):
    world = World(*fits_of(draws=4), "these", "held", 1, 4)
    found = world.play(policy, "High")
    for draw in range(2):
        loop = meet(world, policy, "High", draw, 60_000)
        for key, (mean, error) in loop.items():
            # Five standard errors: 48 numbers with fixed seeds.
            assert abs(found[key][0, draw] - mean) < 5 * error + 1e-12, key


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("people", ["these", "new"])
def test_a_policy_that_changes_nothing_has_no_effect_at_all(name: str, people: str):
    idle = [
        Policy("nothing"),
        Policy("the same bias", treatments=("Low",), game={"bias": 0.5}),
        Policy("the same loss", game={"constant": 110, "scale": 20.0}),
    ]
    found = counterfactual(*fits_of(name), idle, seed=1, people=people)
    changed = found.effects[found.effects["policy"] != "as it is"]
    columns = ["difference", "difference_lower", "difference_upper", "p_above_0"]
    assert (changed[columns] == 0).all(axis=None)
    assert (found.costs[["break_even", "lower", "upper", "cautious"]] == 0).all(axis=None)
    assert found.sentences[0] == "Nothing: nothing that anybody earns would change."


def test_babbling_is_worth_0_and_full_trust_1():
    ends = [Policy("silence", play="babbling"), Policy("truth", play="full-trust")]
    found = counterfactual(*fits_of(), ends, seed=1)
    shares = found.effects[found.effects["outcome"] == "share"]
    assert (shares.loc[shares["policy"] == "silence", ["mean", "lower", "upper"]] == 0).all(
        axis=None
    )
    assert (shares.loc[shares["policy"] == "truth", ["mean", "lower", "upper"]] == 1).all(axis=None)
    # The payoffs themselves: action 2 whatever the state, and the state itself.
    silence, truth = (effect(found, name, party="receiver", treatment="Low") for name in
                      ("silence", "truth"))  # fmt: skip
    assert silence["mean"] == pytest.approx(110 - 20 * 2 / 3)
    assert truth["mean"] == 110


def test_people_who_are_made_honest_and_trusting_come_to_full_trust():
    sure = Policy(
        "all", shift={"lying_aversion": 30.0, "trust": 40.0, "sender.response_precision": 9.0,
                      "receiver.response_precision": 9.0}
    )  # fmt: skip
    found = counterfactual(*fits_of(), [sure], seed=1)
    assert effect(found, "all", "share")["lower"] == pytest.approx(1, abs=1e-6)
    assert effect(found, "all", "lies", "sender")["mean"] == pytest.approx(0, abs=1e-9)


def test_what_is_shifted_for_a_share_of_people_lies_between():
    whole, half = (
        Policy(f"share {share}", shift={"receiver.response_precision": 1.0}, share=share)
        for share in (1.0, 0.5)
    )
    found = counterfactual(*fits_of(), [whole, half], seed=1)
    # What receivers earn is linear in how many of them are of which sort.
    assert effect(found, "share 0.5")["difference"] == pytest.approx(
        effect(found, "share 1.0")["difference"] / 2
    )


def test_expected_trust_follows_with_the_gap_held():
    fits = fits_of(draws=8)
    more = Policy("more trust", shift={"trust": 0.8}, share=0.6)
    held, follows = (
        counterfactual(*fits, [more], seed=1, expectations=how) for how in ("held", "respond")
    )
    assert effect(held, "more trust", "expected trust", "sender")["difference"] == 0
    world = World(*fits, "these", "respond", 1, 8)
    before, after = (world.play(p, "Low") for p in (Policy("none"), more))

    def gap(found):
        expected, given = found["expected trust", "sender"], found["trust", "receiver"]
        return np.log(expected / (1 - expected)) - np.log(given / (1 - given))

    np.testing.assert_allclose(gap(after), gap(before), atol=1e-12)
    row = effect(follows, "more trust", "expected trust", "sender")
    assert row["difference"] > 0
    assert row["p_above_0"] == 1
    assert any("fixed point" in line for line in follows.held)
    assert any("expect is held" in line for line in held.held)
    with pytest.raises(InputError, match="a model of senders that has expected_trust"):
        counterfactual(*fits_of("level-k"), [Policy("x")], seed=1, expectations="respond")


def test_stakes_bear_on_choices_because_parameters_are_held_in_payoff_units():
    """Twice the loss and constant: choices are as if precision were twice, lying half as bad."""
    fits = fits_of()
    doubled = Policy("doubled", game={"constant": 220, "scale": 40})
    by_hand = Policy(
        "by hand",
        shift={
            "sender.response_precision": np.log(2),
            "receiver.response_precision": np.log(2),
            "lying_aversion": -np.log(2),
        },
    )
    found = counterfactual(*fits, [doubled, by_hand], seed=1)
    for outcome, party in (("inflation", "sender"), ("discount", "receiver"), ("share", "both")):
        rows = [effect(found, name, outcome, party)["mean"] for name in ("doubled", "by hand")]
        assert rows[0] == pytest.approx(rows[1], rel=1e-9)
    assert effect(found, "doubled")["mean"] == pytest.approx(2 * effect(found, "by hand")["mean"])


@pytest.mark.parametrize("name", ["trust-embedded", "level-k", "hybrid"])
def test_a_fine_larger_than_any_gain_ends_lies_but_for_mistakes(name: str):
    careful = {"sender.response_precision": 8.0}
    policies = [
        Policy("careful", shift=careful),
        Policy("fined", shift=careful, audit=Audit(1.0, 500.0, per="unit")),
        Policy("paid out", shift=careful, audit=Audit(1.0, 500.0, per="unit", to="receiver")),
    ]
    found = counterfactual(*fits_of(name), policies, seed=1)
    assert effect(found, "careful", "lies", "sender")["mean"] > 0.02
    assert effect(found, "fined", "lies", "sender")["mean"] == pytest.approx(0, abs=1e-9)
    assert effect(found, "fined", "fines", "sender")["mean"] == pytest.approx(0, abs=1e-6)


def test_who_gets_the_fine_moves_money_only():
    fine = [Policy(to, audit=Audit(0.5, 20.0, to=to)) for to in ("nobody", "receiver")]
    found = counterfactual(*fits_of(), fine, seed=1)
    lost, paid = (effect(found, to)["mean"] for to in ("nobody", "receiver"))
    fines = effect(found, "nobody", "fines", "sender")["mean"]
    lies = effect(found, "nobody", "lies", "sender")["mean"]
    assert fines == pytest.approx(10 * lies)
    assert paid - lost == pytest.approx(fines)


def test_new_people_are_of_the_population_of_these():
    """All the same in the population: new people are these people."""
    fits = []
    for fit in fits_of("full-trust", draws=5):
        posterior = fit.posterior.copy()
        mean = posterior["response_precision_mean"]
        posterior["response_precision_shape"] = posterior["response_precision_shape"] * 0 + 1e12
        posterior["response_precision"] = mean.expand_dims(subject=4, axis=2)
        fits.append(type(fit)(fit.model, fit.game, fit.units, posterior, fit.sample_stats, {}))
    policy = Policy("bias", game={"bias": 0.1})
    these, new = (counterfactual(*fits, [policy], seed=1, people=who) for who in ("these", "new"))
    columns = ["mean", "lower", "upper"]
    np.testing.assert_allclose(these.effects[columns], new.effects[columns], rtol=1e-5, atol=1e-5)


def test_treatments_on_terms_of_their_own_are_changed_by_themselves():
    """A table of payoffs in one treatment and another prior in the other."""
    states = (1.0, 2.0, 3.0)
    own = -np.abs(np.subtract.outer(states, states))
    table = PayoffTable(states, states, np.tile([0.0, 1.0, 2.0], (3, 1)), own)
    terms = {
        "a": FiniteTerms(payoffs=table, direction="up"),
        "b": FiniteTerms(prior=[0.2, 0.3, 0.5]),
    }
    game = FiniteGame([1, 2, 3], payoffs=PowerLoss(), treatments={"a": 1.0, "b": 1.0}, terms=terms)
    frame = TRIALS.table.assign(treatment=TRIALS.table["treatment"].map({"Low": "a", "High": "b"}))
    trials = trials_from_frame(frame.drop(columns=["bias"]), game)
    fits = fits_of(trials=trials, draws=4)
    skewed = Policy("prior", game={"prior": [0.8, 0.1, 0.1]}, treatments=("b",))
    found = counterfactual(*fits, [skewed], seed=1)
    assert effect(found, "prior", treatment="a")["difference"] == 0
    assert effect(found, "prior", treatment="b")["difference"] != 0
    assert not found.effects["mean"].isna().any()
    wrong = Policy("prior", game={"prior": [0.8, 0.1], "constant": 5}, treatments=("a",))
    with pytest.raises(
        InputError, match=r"policy prior, game.constant: found 'constant', expected"
    ):
        counterfactual(*fits, [wrong], seed=1)


def test_a_policy_costs_something_only_where_it_is_in_force():
    low = Policy("low", game={"bias": 0.1}, treatments=("Low",), cost=0.5)
    found = counterfactual(*fits_of(), [low, Policy("both", game={"bias": 0.1})], seed=1)
    costs = found.costs.set_index(["policy", "treatment"])
    assert list(costs.loc["low"].index) == ["Low", "all"]
    assert costs.loc[("low", "all")].equals(costs.loc[("low", "Low")])
    gains = costs.loc["both", "break_even"]
    assert gains["all"] == pytest.approx((gains["Low"] + gains["High"]) / 2)
    assert "at most in Low" in found.sentences[0]


def test_a_frontier_finds_the_strength_of_the_greatest_net_gain():
    bias = Policy(
        "bias", game={"bias": 1.0}, cost=1.0, frontier=Strength("game.bias", 0.0, 1.5, -4.0)
    )
    fits = fits_of(draws=8)
    found = counterfactual(*fits, [bias], seed=1)
    [one] = found.frontiers
    assert one.table["strength"].iloc[[0, -1]].tolist() == [0.0, 1.5]
    many = [Policy(f"{b}", game={"bias": b}) for b in np.linspace(0, 1.5, 61).round(6).tolist()]
    costs = counterfactual(*fits, many, seed=1).costs
    costs = costs[costs["treatment"] == "all"]
    net = costs["break_even"].to_numpy() - (1.0 - 4.0 * np.linspace(0, 1.5, 61))
    assert one.best_net >= net.max() - 1e-9
    assert abs(one.best - np.linspace(0, 1.5, 61)[net.argmax()]) < 0.05
    assert one.lower <= one.upper
    assert f"best game.bias is {one.best:.2f}" in found.sentences[0]


def test_worth_is_the_case_without_a_policy():
    fits = fits_of(draws=20)
    worth = trust_worth(*fits, seed=2, draws=20)
    found = counterfactual(*fits, [Policy("nothing")], seed=2, draws=20)
    rows = found.effects[found.effects["policy"] == "as it is"]
    for outcome, columns in (
        ("payoff", ["profit", "lower", "upper"]),
        ("share", ["share", "share_lower", "share_upper"]),
    ):
        own = rows[(rows["outcome"] == outcome) & (rows["treatment"] != "all")]
        np.testing.assert_allclose(own[["mean", "lower", "upper"]], worth[columns], atol=1e-12)
    assert list(worth["treatment"]) == ["Low"] * 3 + ["High"] * 3


def test_all_faults_come_at_once():
    policies = [
        Policy(
            "x",
            treatments=("Hi",),
            shift={"trusst": 1.0, "response_precision": 1.0},
            share=2.0,
            feedback="state",
            audit=Audit(2.0, -1.0, per="month"),
            frontier=Strength("audit.per", 1.0, 0.0),
        ),
        Policy("x", game={"biass": 1, "scale": "much"}),
        Policy("y", game={"scale": -1}, play="babbling", shift={"trust": 1.0}),
    ]
    with pytest.raises(InputError) as caught:
        counterfactual(*fits_of(), policies, seed=1)
    assert [fault.place for fault in caught.value.faults] == [
        "policy x, treatments",
        "policy x, shift",
        "policy x, shift",
        "policy x, share",
        "policy x, feedback",
        "policy x, audit.probability",
        "policy x, audit.fine",
        "policy x, audit.per",
        "policy x, frontier.over",
        "policy x, frontier.high",
        "policy x, game.biass",
        "policy x, game.scale",
        "policy y, play",
        "policy y, game",
        "policies",
    ]
    assert "learn from round to round" in str(caught.value)
    with pytest.raises(InputError) as caught:
        counterfactual(*fits_of(), [], seed=1, ci_prob=1.0, caution=0.0)
    assert len(caught.value.faults) == 2
    with pytest.raises(InputError, match="at least one policy"):
        counterfactual(*fits_of(), [], seed=1)
    with pytest.raises(InputError, match="weighs fines"):
        counterfactual(*fits_of("babbling"), [Policy("f", audit=Audit(1, 1))], seed=1)


def test_names_that_stand_for_something_else_are_refused():
    with pytest.raises(InputError) as caught:
        counterfactual(*fits_of(), [Policy("as it is"), Policy(" ")], seed=1)
    assert [fault.value for fault in caught.value.faults] == ["as it is", " "]


def test_both_ends_of_a_frontier_must_make_sense():
    shifted = {"shift": {"trust": 1.0}, "frontier": Strength("share", 0.0, 2.0)}
    loss = {"game": {"scale": 20}, "frontier": Strength("game.scale", -1.0, 20.0)}
    with pytest.raises(InputError) as caught:
        counterfactual(*fits_of(), [Policy("x", **shifted), Policy("y", **loss)], seed=1)
    assert [fault.place for fault in caught.value.faults] == [
        "policy x, frontier at 2, share",
        "policy y, frontier at -1, game",
    ]


@pytest.mark.parametrize("number", [10**400, float("nan"), True, "2"])
def test_what_is_no_number_is_a_fault(number):
    policy = Policy("x", game={"bias": number, "prior": [0.5, 0.5]}, cost=number)
    with pytest.raises(InputError) as caught:
        counterfactual(*fits_of(), [policy], seed=1)
    assert [fault.place for fault in caught.value.faults] == [
        "policy x, cost",
        "policy x, game.bias",
        "policy x, game",
    ]


def test_a_result_is_json_safe_data():
    import json

    bias = Policy("bias", game={"bias": 1.0}, frontier=Strength("game.bias", 0.5, 1.0))
    prior = Policy("prior", game={"prior": np.array([0.2, 0.3, 0.5])})
    found = counterfactual(*fits_of(draws=4), [bias, prior], seed=1)
    form = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert form["policies"][0]["frontier"]["over"] == "game.bias"
    assert form["policies"][1]["game"] == {"prior": [0.2, 0.3, 0.5]}
    assert pd.DataFrame(form["effects"])["policy"].nunique() == 3
    assert found.text.startswith("Bias: ")


def test_the_halves_of_a_joint_fit_keep_their_draws_together():
    sender, receiver = fits_of(draws=40)
    given = receiver.draws().data["trust"].sel(treatment="Low").mean("subject").to_numpy()

    def trust(manifest):
        fits = [
            type(fit)(fit.model, fit.game, fit.units, fit.posterior, fit.sample_stats, manifest)
            for fit in (sender, receiver)
        ]
        world = World(*fits, "these", "held", 1, 40)
        return world.as_it_is("Low")["trust", "receiver"][0]

    np.testing.assert_allclose(trust({"joint": {}, "key": "one"}), given)
    apart = trust({"key": "one"})
    assert (apart != given).any()
    np.testing.assert_allclose(np.sort(apart), np.sort(given))
