"""Theories of general finite games against loops over states, messages and actions.

Payoffs know the message and, as priors, differ between treatments; the game of the textbooks is
the special case.
"""

import itertools
import math

import general
import numpy as np
import pytest

from trustbayes.games import FiniteGame, FiniteTerms, PayoffFormulas, PayoffTable, PowerLoss
from trustbayes.models import model
from trustbayes.theories.benchmarks.finite import babbling_receiver_utility
from trustbayes.theories.hybrid import finite as hybrid
from trustbayes.theories.level_k.finite import level_tables
from trustbayes.theories.trust_embedded import finite as embedded
from trustbayes.theories.values import Values

SEEDS = range(30)
SEEN = {"sender": ("state", "message"), "receiver": ("message", "action")}
CLOSE = {"rtol": 1e-12, "atol": 1e-11}  # sums of a few hundred logarithms of order 1 to 10


def values_of(chosen, units, seed):
    """Values at random of all parameters of a model, one for each subject and treatment."""
    rng = np.random.default_rng(seed)
    shape = (len(units.subjects), len(units.treatments))
    arrays, dims = {}, {}
    for parameter in chosen.parameters:
        if parameter.support == "simplex":
            continue
        unit = parameter.support == "unit"
        arrays[parameter.name] = rng.uniform(0, 1, shape) if unit else rng.uniform(0.2, 3, shape)
        dims[parameter.name] = ("subject", "treatment")
    return Values(arrays, dims, units)


def likelihood(chosen, trials, values):
    """Log likelihood by subject, and by type if there are any."""
    units, game = trials.fold(chosen.role), trials.game
    answer = chosen.answer(game, values)
    typed = bool(chosen.types)
    response = chosen.response(game)
    logs, subject = response.log_likelihood(units, answer, values, typed)
    total = np.zeros((len(units.subjects), *logs.shape[1:]))
    np.add.at(total, subject, logs)
    return total


def loops(chosen, trials, values, twins, utility):
    """The same, from rows: ``utility(twin, bias, seen, option, value)`` is a list over types."""
    units = values.units
    seen, option = SEEN[chosen.role]
    subjects = list(units.subjects)
    total = [0.0] * len(subjects)
    for row in trials.table.to_dict("records"):
        who = subjects.index(row[chosen.role])
        where = units.treatments.index(row["treatment"])
        value = {name: float(array[who, where]) for name, array in values.arrays.items()}
        twin = twins[row["treatment"]]
        options = twin.messages if chosen.role == "sender" else twin.actions
        of_options = [utility(twin, row["bias"], row[seen], o, value) for o in options]
        picked = options.index(row[option])
        logs = []
        for of_type in zip(*of_options, strict=True):
            logits = [value["response_precision"] * u for u in of_type]
            top = max(logits)
            log_total = top + math.log(sum(math.exp(u - top) for u in logits))
            logs.append(logits[picked] - log_total)
        total[who] = total[who] + np.array(logs)
    return np.array(total)


def check(chosen, game, twins, seed, utility):
    trials = general.random_trials(game, seed)
    values = values_of(chosen, trials.fold(chosen.role), seed)
    found = likelihood(chosen, trials, values)
    expected = loops(chosen, trials, values, twins, utility)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, **CLOSE)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("smooth", [False, True], ids=["tables", "functions"])
def test_trusting_receivers(seed, smooth):
    game, twins = general.random_game(seed, smooth)
    scale = general.deviation(twins)
    for belief in ("truncated", "prior", "mixture") if smooth else ("mixture",):

        def utility(twin, bias, message, action, value, belief=belief):
            return [twin.believing(message, action, bias, value["trust"], belief) / scale]

        check(model("trust-embedded", "receiver", belief=belief), game, twins, seed, utility)


@pytest.mark.parametrize("cost", ["proportional", "lump-sum", "both"])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("smooth", [False, True], ids=["tables", "functions"])
def test_senders_who_dislike_lying(seed, smooth, cost):
    game, twins = general.random_game(seed, smooth)
    scale, unit = general.deviation(twins), general.lying_unit(twins)
    for belief, expected in (
        [("truncated", "mean"), ("prior", "quantal")] if smooth else [("mixture", "quantal")]
    ):

        def utility(twin, bias, state, message, value, belief=belief, expected=expected):
            trust = value["expected_trust"]
            if expected == "mean":
                material = twin.mean(state, message, bias, trust, belief)
            else:
                precision = value["response_precision"]
                material = twin.quantal(state, message, bias, trust, precision, belief, scale)
            costs = value.get("lying_aversion", 0) * unit, value.get("lump_sum_aversion", 0) * scale
            return [(material - twin.lie(state, message, *costs)) / scale]

        chosen = model(
            "trust-embedded", "sender", belief=belief, expected_action=expected, lying_cost=cost
        )
        check(chosen, game, twins, seed, utility)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("smooth", [False, True], ids=["tables", "functions"])
@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_limited_thinkers(seed, smooth, role):
    game, twins = general.random_game(seed, smooth)
    scale, unit = general.deviation(twins), general.lying_unit(twins)

    def utility(twin, bias, seen, option, value):
        row, column = (
            (twin.states.index(seen), twin.messages.index(option))
            if role == "sender"
            else (twin.messages.index(seen), twin.actions.index(option))
        )
        levels = twin.levels(bias, 3, unit)
        return [level[role == "receiver"][row][column] / scale for level in levels]

    check(model("level-k", role), game, twins, seed, utility)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_limited_thinkers_who_reckon_with_noise(seed, role):
    game, twins = general.random_game(seed)
    scale, unit = general.deviation(twins), general.lying_unit(twins)

    def utility(twin, bias, seen, option, value):
        row, column = (
            (twin.states.index(seen), twin.messages.index(option))
            if role == "sender"
            else (twin.messages.index(seen), twin.actions.index(option))
        )
        levels = twin.noisy_levels(bias, 3, unit, value["response_precision"], scale)
        return [level[role == "receiver"][row][column] / scale for level in levels]

    check(model("level-k", role, reply="quantal"), game, twins, seed, utility)


@pytest.mark.parametrize("lying_cost", ["proportional", "lump-sum", "both"])
@pytest.mark.parametrize("seed", SEEDS)
def test_hybrid_senders(seed, lying_cost):
    game, twins = general.random_game(seed)
    scale, unit = general.deviation(twins), general.lying_unit(twins)

    def utility(twin, bias, state, message, value):
        row, column = twin.states.index(state), twin.messages.index(message)
        proportional = value.get("lying_aversion", 0.0) * unit
        cost = twin.lie(state, message, proportional, value.get("lump_sum_aversion", 0.0) * scale)
        return [
            (level[0][row][column] - (cost if k else 0)) / scale
            for k, level in enumerate(twin.levels(bias, 3, unit))
        ]

    check(model("hybrid", "sender", lying_cost=lying_cost), game, twins, seed, utility)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("smooth", [False, True], ids=["tables", "functions"])
def test_hybrid_receivers(seed, smooth):
    game, twins = general.random_game(seed, smooth)
    scale, unit = general.deviation(twins), general.lying_unit(twins)
    for belief in ("weighted", "mixture") if smooth else ("mixture",):

        def utility(twin, bias, message, action, value, belief=belief):
            row, column, trust = twin.messages.index(message), twin.actions.index(action), 0.0
            trust = value["trust"]
            true = twin.receiver(message, message, action)
            found = [true]
            for _, utilities, reads in twin.levels(bias, 3, unit)[1:]:
                if belief == "mixture":
                    found.append(trust * true + (1 - trust) * utilities[row][column])
                    continue
                found.append(
                    sum(
                        p * twin.receiver(trust * message + (1 - trust) * s, message, action)
                        for s, p in zip(twin.states, reads[row], strict=True)
                        if p > 0
                    )
                )
            return [u / scale for u in found]

        check(model("hybrid", "receiver", belief=belief), game, twins, seed, utility)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("smooth", [False, True], ids=["tables", "functions"])
def test_receivers_who_ignore_the_message_still_earn_by_it(seed, smooth):
    game, twins = general.random_game(seed, smooth)
    for name, twin in twins.items():
        expected = [
            [
                sum(
                    p * twin.receiver(s, m, a)
                    for s, p in zip(twin.states, twin.receiver_prior, strict=True)
                )
                for a in twin.actions
            ]
            for m in twin.messages
        ]
        np.testing.assert_allclose(
            babbling_receiver_utility(game.in_treatment(name)), expected, rtol=1e-12, atol=1e-12
        )


# The game of the textbooks as a special case


def everything(game, bias, mixture_only):
    """What all theories say of a game, as one list of arrays."""
    trust = np.linspace(0, 1, 4)
    found = []
    for ties, unsent in itertools.product(("smallest-lie", "uniform"), ("monotone", "tremble")):
        tables = level_tables(game, bias, 3, ties, unsent)
        found += [tables.sender_utility, tables.receiver_utility, tables.sender_choice]
    for belief in ("mixture",) if mixture_only else ("truncated", "prior", "mixture"):
        found.append(embedded.receiver_utility(game, bias, trust, belief))
        found.append(embedded.quantal_payoff(game, bias, trust, 3 * trust, belief))
        if not mixture_only:
            found.append(embedded.expected_payoff(game, bias, trust, belief))
    found.append(hybrid.sender_utility(game, bias, trust))
    for belief in ("mixture",) if mixture_only else ("weighted", "mixture"):
        found.append(hybrid.receiver_utility(game, bias, trust, belief=belief))
    return [*found, babbling_receiver_utility(game), np.array([game.scale, game.lying_unit])]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * np.abs(other).max())


@pytest.mark.parametrize("bias", [-1.0, 0.0, 1.0, 2.0])
def test_a_formula_and_terms_of_treatments_give_the_old_game(bias):
    old = FiniteGame([1, 2, 3, 4, 5], prior=[0.1, 0.3, 0.2, 0.15, 0.25])
    text = "c - d * abs(state{} - action) ** p"
    pay = PayoffFormulas(text.format(" + bias"), text.format(""), {"c": 110.0, "d": 20.0, "p": 1.4})
    sign = {-1.0: "down", 0.0: "none"}.get(bias, "up")
    terms = {"only": FiniteTerms(old.prior.tolist(), old.prior.tolist(), sign, pay)}
    new = FiniteGame(old.states.tolist(), terms=terms, payoffs=PowerLoss(1, 1, 1))
    assert (pay.continuous, pay.by_message) == (True, False)
    expected = everything(old, bias, mixture_only=False)
    assert_same(everything(new.in_treatment("only"), bias, mixture_only=False), expected)


def test_tables_with_an_idle_axis_of_messages_give_the_old_utilities():
    rng, states, actions = np.random.default_rng(0), (1.0, 2.0, 3.0), (1.0, 2.0)
    of_sender, of_receiver = rng.normal(size=(2, 3, 2))
    old = FiniteGame(states, actions=actions, payoffs=PayoffTable(states, actions, of_sender,
                                                                  of_receiver))  # fmt: skip
    wide = [np.repeat(table[:, None], 3, axis=1) for table in (of_sender, of_receiver)]
    new = FiniteGame(states, actions=actions, payoffs=PayoffTable(states, actions, *wide,
                                                                  messages=states))  # fmt: skip
    trust = np.linspace(0, 1, 5)
    for bias in (-1.0, 0.0, 1.0):
        for game in (old, new):
            assert game.scale == pytest.approx(old.scale, rel=1e-12)
        assert_same(
            [
                embedded.receiver_utility(new, bias, trust, "mixture"),
                embedded.quantal_payoff(new, bias, trust, 3 * trust, "mixture"),
                level_tables(new, bias).receiver_utility[:2],
                level_tables(new, bias).sender_utility[1:],
            ],
            [
                embedded.receiver_utility(old, bias, trust, "mixture"),
                embedded.quantal_payoff(old, bias, trust, 3 * trust, "mixture"),
                level_tables(old, bias).receiver_utility[:2],
                level_tables(old, bias).sender_utility[1:],
            ],
        )


def test_labels_have_no_mean():
    game, _ = general.random_game(0)
    labelled = FiniteGame([1, 2], action_labels=["accept", "challenge"])
    with pytest.raises(ValueError, match="they have no mean"):
        embedded.expected_payoff(labelled, 1.0, np.array(0.5))
    assert model("trust-embedded", "sender").resolve_conventions(labelled) == {
        "belief": "truncated",
        "expected_action": "quantal",
        "lying_cost": "proportional",
        "lapse": False,
        "learning": "none",
        "news": "lie",
        "experience": "general",
    }
    assert model("trust-embedded", "sender").resolve_conventions(game)["belief"] == "mixture"
