"""People who learn, round by round, against a plain loop over people and rounds."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes import Audit, Policy, counterfactual, model, trials_from_frame, trust_worth
from trustbayes.errors import InputError
from trustbayes.games import Feedback, FiniteGame, ForecastGame, Market
from trustbayes.numerics.hidden_chains import HiddenSteps
from trustbayes.simulation.policies.world import BASELINE, World

BASE = small_trials()
STATES = np.array([1, 2, 3])


def trials_of(partners: str = "random"):
    feedback = Feedback("state", partners=partners)
    game = FiniteGame([1, 2, 3], treatments={"Low": 0.5, "High": 1.0}, feedback=feedback)
    return trials_from_frame(BASE.table, game)


def fits_of(trials, name="trust-embedded", learning="shift", draws=6):
    return tuple(
        synthetic_fit(model(name, role, trials.game, learning=learning), trials, seed, 1, draws)
        for seed, role in enumerate(("sender", "receiver"), 1)
    )


def alike(fit, draws: int):
    """The first draw over and over."""
    posterior = fit.posterior.isel(draw=[0] * draws)
    return type(fit)(fit.model, fit.game, fit.units, posterior, fit.sample_stats, fit.manifest)


def softmax(utility: np.ndarray) -> np.ndarray:
    chances = np.exp(utility - utility.max())
    return chances / chances.sum()


def logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def expit(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


class Person:
    """Somebody whose trust moves with news: s <- rho s + kappa+ good - kappa- bad."""

    def __init__(self, crowd, who: int, name: str) -> None:
        values = {n: a[0, who] if n in crowd.personal else a[0] for n, a in crowd.arrays.items()}
        self.own, self.name = {n: float(v) for n, v in values.items()}, name
        self.moved: dict[int, float] = {}

    def trust(self, partner: int) -> float:
        return expit(logit(self.own[self.name]) + self.moved.get(partner, 0.0))

    def learn(self, partner: int, bad: bool) -> None:
        gain = -self.own["gain_bad"] if bad else self.own["gain_good"]
        self.moved[partner] = self.own["memory"] * self.moved.get(partner, 0.0) + gain


def loop(world: World, policy: Policy, rounds: int, fixed: bool, times: int, shown: bool = True):
    """Means of lies, payoffs, trust given and expected in each round, and how sure they are."""
    rng = np.random.default_rng(9)
    crowds = {role: parts[0][1] for role, parts in world.parts(policy, "High").items()}
    scale = world.game.scale
    found = np.zeros((times, rounds, 4))
    for time in range(times):
        senders = [Person(crowds["sender"], i, "expected_trust") for i in range(4)]
        receivers = [Person(crowds["receiver"], j, "trust") for j in range(4)]
        match = rng.permutation(4)
        for at in range(rounds):
            match = match if fixed else rng.permutation(4)
            for i, sender in enumerate(senders):
                receiver, j = receivers[match[i]], int(match[i])
                with_whom = (j, i) if fixed else (-1, -1)
                state = int(rng.integers(1, 4))
                expected = alpha = sender.trust(with_whom[0])
                below = np.array([STATES[m >= STATES].mean() for m in STATES])
                expects = alpha * STATES + (1 - alpha) * below
                payoff = 110 - 20 * abs(state + 1.0 - expects) ** 1.4
                lie = abs(STATES - state)
                utility = payoff / scale - sender.own["lying_aversion"] * lie
                if policy.audit is not None:
                    utility = utility - policy.audit.expected * (lie > 0) / scale
                message = int(
                    rng.choice(STATES, p=softmax(sender.own["response_precision"] * utility))
                )
                alpha = receiver.trust(with_whom[1])
                possible = STATES[message >= STATES]
                believed = alpha * message + (1 - alpha) * possible
                utility = np.array(
                    [(110 - 20 * abs(believed - a) ** 1.4).mean() / scale for a in STATES]
                )
                action = int(
                    rng.choice(STATES, p=softmax(receiver.own["response_precision"] * utility))
                )
                paid = 110 - 20 * abs(state - action) ** 1.4
                found[time, at] += (message != state, alpha, paid, expected)
                if shown:
                    receiver.learn(with_whom[1], message != state)
                    sender.learn(with_whom[0], action != message)
    found /= 4
    return found.mean(axis=0), found.std(axis=0) / np.sqrt(times)


@pytest.mark.parametrize("partners", ["random", "fixed"])
@pytest.mark.parametrize(
    ("policy", "shown"),
    [
        (BASELINE, True),
        (Policy("stay", partners="fixed"), True),
        (Policy("fine", audit=Audit(0.5, 60.0)), True),
        (Policy("blind", feedback="none"), False),
    ],
    ids=lambda given: getattr(given, "name", ""),
)
def test_paths_are_those_of_a_loop_over_people_and_rounds(partners, policy, shown):
    fits = [alike(fit, 250) for fit in fits_of(trials_of(partners))]
    world = World(*fits, "these", "held", 1, 250, rounds=4)
    found = world.by_round(policy, "High")
    stay = "fixed" in (partners, policy.partners)
    mean, error = loop(world, policy, 4, stay, 150, shown)
    outcomes = [("lies", "sender"), ("trust", "receiver"), ("payoff", "receiver")]
    for at, key in enumerate([*outcomes, ("expected trust", "sender")]):
        mine = found[key]
        both = np.hypot(error[:, at], mine.std(axis=1) / np.sqrt(mine.shape[1]))
        # Five standard errors: 128 numbers with fixed seeds.
        assert (abs(mine.mean(axis=1) - mean[:, at]) < 5 * both + 1e-9).all(), key


@pytest.mark.parametrize(("name", "learning"), [("trust-embedded", "delta"), ("level-k", "depth")])
def test_a_policy_that_changes_nothing_has_no_effect_in_any_round(name, learning):
    fits = fits_of(trials_of(), name, learning)
    idle = [Policy("nothing"), Policy("the same", feedback="state", partners="random")]
    told = counterfactual(*fits, idle, seed=1, rounds=3).effects
    changed = told[told["policy"] != "as it is"]
    assert (changed[["difference", "difference_lower", "difference_upper"]] == 0).all(axis=None)
    assert set(told["round"]) == {"all", 1, 2, 3}
    by_round = told[(told["round"] != "all") & (told["policy"] == "nothing")]
    payoff = by_round[(by_round["outcome"] == "payoff") & (by_round["party"] == "both")]
    whole = told[(told["round"] == "all") & (told["policy"] == "nothing")]
    whole = whole[(whole["outcome"] == "payoff") & (whole["party"] == "both")]
    for treatment, rows in payoff.groupby("treatment"):
        [mean] = whole.loc[whole["treatment"] == treatment, "mean"]
        assert mean == pytest.approx(rows["mean"].mean())


def test_levels_that_were_reached_are_not_drawn_again(monkeypatch):
    walks, walk = [], HiddenSteps.walk

    def kept(self, *given):
        levels = walk(self, *given)
        walks.append(levels[0])
        return levels

    monkeypatch.setattr(HiddenSteps, "walk", kept)
    world = World(*fits_of(trials_of(), "level-k", "depth"), "these", "held", 1, 6, rounds=4)
    world.by_round(BASELINE, "High")
    assert len(walks) == 8  # senders and receivers in each of four rounds
    for of_role in (walks[::2], walks[1::2]):
        assert np.ptp(of_role[-1]) > 0
        for number, (before, after) in enumerate(pairwise(of_role), 1):
            so_far = slice(number * 6 * 4)  # six draws of four pairs
            np.testing.assert_array_equal(before[so_far], after[so_far])


def test_ideal_play_is_the_same_in_every_round():
    truth = Policy("truth", play="full-trust")
    effects = counterfactual(*fits_of(trials_of()), [truth], seed=1, rounds=3).effects
    paid = effects[(effects["policy"] == "truth") & (effects["outcome"] == "payoff")]
    paid = paid[(paid["party"] == "receiver") & (paid["treatment"] == "High")]
    assert paid.set_index("round")["mean"].to_dict() == {"all": 110, 1: 110, 2: 110, 3: 110}


def test_what_nobody_is_shown_moves_nobody():
    fits = fits_of(trials_of())
    told = counterfactual(*fits, [Policy("blind", feedback="none")], seed=1, rounds=4).effects
    for outcome in ("trust", "expected trust"):
        trust = told[(told["policy"] == "blind") & (told["outcome"] == outcome)]
        trust = trust[(trust["treatment"] == "Low") & (trust["round"] != "all")]
        assert len(trust) == 4
        assert np.ptp(trust["mean"]) < 1e-9


def test_forecast_sharing_is_played_round_by_round():
    game = ForecastGame(treatments={"CHUH": Market(60.0, 75.0)}, feedback=Feedback("state"))
    rows = [(f"s{i}", f"r{i}", r, "CHUH", 10.0, 20.0, 250.0) for r in (1, 2) for i in range(3)]
    columns = ["sender", "receiver", "round", "treatment", "state", "message", "action"]
    trials = trials_from_frame(pd.DataFrame(rows, columns=columns), game)
    fits = fits_of(trials)
    wiser = Policy("honest", shift={"lying_aversion": 1.0}, share=0.5)
    told = counterfactual(*fits, [wiser], seed=1, rounds=3).effects
    assert set(told["round"]) == {"all", 1, 2, 3}
    assert not told["mean"].isna().any()
    with pytest.raises(InputError, match=r'paid, feedback: found .*"state" or "none"'):
        counterfactual(*fits, [Policy("paid", feedback="payoff")], seed=1, rounds=3)


def test_rounds_are_for_people_who_learn():
    learners, others = fits_of(trials_of()), fits_of(trials_of(), learning="none")
    with pytest.raises(InputError, match="rounds: expected how many rounds people play"):
        counterfactual(*learners, [BASELINE], seed=1)
    with pytest.raises(InputError) as caught:
        counterfactual(*others, [BASELINE], seed=1, rounds=0, matching="often")
    assert len(caught.value.faults) == 4
    with pytest.raises(InputError, match="feedback: found 'none', expected models that learn"):
        counterfactual(*others, [Policy("x", feedback="none")], seed=1)


def test_worth_is_of_people_who_do_not_learn():
    with pytest.raises(InputError) as caught:
        trust_worth(*fits_of(trials_of()), seed=1)
    assert [fault.place for fault in caught.value.faults] == [
        "worth of trust, sender",
        "worth of trust, receiver",
    ]
