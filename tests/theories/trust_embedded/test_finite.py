"""The trust-embedded model against plain loops over states, messages and actions."""

import math
from statistics import pstdev

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from trustbayes.games import FiniteGame, PayoffFunctions, PayoffTable, PowerLoss
from trustbayes.theories.level_k.finite import level_tables
from trustbayes.theories.trust_embedded.finite import (
    distrusted_prior,
    expected_action,
    expected_payoff,
    lie_size,
    quantal_payoff,
    receiver_utility,
    sender_utility,
)

# Plain Python: neither numba nor C, which take seconds to compile each function.
PYTHON = Mode(linker="py", optimizer="fast_compile")

BELIEFS = ("truncated", "prior", "mixture")
SEEDS = range(12)


def evaluate(inputs, outputs, *values):
    """Value of PyTensor expressions."""
    return pytensor.function(inputs, outputs, mode=PYTHON)(*values)


# The brute force: the theory, section 2, in scalars. A case is a game with its payoffs as plain
# functions of numbers.


class Case:
    def __init__(self, seed, kind=None):
        rng = np.random.default_rng(seed)
        kind = kind or ("power", "functions")[seed % 2]
        self.bias = (-1.5, -1.0, 0.0, 0.5, 1.0, 2.0)[seed % 6]
        size = int(rng.integers(2, 6))
        states = np.sort(rng.choice(np.arange(-4, 9), size, replace=False)) / 2
        # Half of the messages are states; there may be more of them, beyond the states too.
        extra = rng.choice(np.arange(-5, 6), int(rng.integers(1, 4)), replace=False) + 0.25
        messages = np.union1d(rng.choice(states, int(rng.integers(1, size + 1)), False), extra)
        # Actions on the grid of the states in half of the cases: there equal distances abound.
        actions = np.sort(rng.uniform(-3, 5, int(rng.integers(2, 7))))
        if seed % 4 > 1:
            actions = np.unique(actions.round())
        prior = rng.dirichlet(np.ones(size))
        if seed % 3 == 0 and size > 2:
            prior[rng.integers(size)] = 0
            prior /= prior.sum()
        if kind == "power":
            constant, scale, exponent = rng.uniform(0, 99), rng.uniform(1, 30), rng.uniform(1.1, 3)
            payoffs = PowerLoss(constant, scale, exponent)
            self.sender = lambda s, a, b: constant - scale * abs(s + b - a) ** exponent
            self.receiver = lambda s, a: constant - scale * abs(s - a) ** exponent
        elif kind == "functions":
            c = rng.uniform(0.5, 2, 4)  # in no way functions of the distance
            self.sender = lambda s, a, b: c[0] * s * a - c[1] * (a - b) ** 2 + c[2] * s * s
            self.receiver = lambda s, a: c[3] * abs(s - 2 * a) ** 1.5 - c[0] * s * a * a
            payoffs = PayoffFunctions(self.sender, self.receiver)
        else:
            messages = np.sort(rng.choice(states, int(rng.integers(1, size + 1)), False))
            pay_s, pay_r = rng.normal(size=(2, size, actions.size))
            payoffs = PayoffTable(tuple(states), tuple(actions), {self.bias: pay_s}, pay_r)
            rows, columns = states.tolist(), actions.tolist()
            self.sender = lambda s, a, b: pay_s[rows.index(s), columns.index(a)]
            self.receiver = lambda s, a: pay_r[rows.index(s), columns.index(a)]
        self.game = FiniteGame(states, messages, actions, prior=prior, payoffs=payoffs)
        self.states, self.messages, self.actions = (
            array.tolist() for array in (states, messages, actions)
        )
        self.prior = prior.tolist()
        self.scale = pstdev([self.receiver(s, a) for s in self.states for a in self.actions])
        self.rng = rng

    def distrusting(self, message, belief):
        """The distrusted prior as pairs of a state and its probability."""
        if belief == "prior":
            return list(zip(self.states, self.prior, strict=True))

        def from_there(state):
            if self.bias > 0:
                return state <= message
            if self.bias < 0:
                return state >= message
            return state == message

        possible = [(s, p) for s, p in zip(self.states, self.prior, strict=True) if p > 0]
        held = [(s, p) for s, p in possible if from_there(s)]
        if not held:
            nearest = min(abs(s - message) for s, _ in possible)
            held = [(s, p) for s, p in possible if abs(s - message) == nearest]
        total = sum(p for _, p in held)
        return [(s, p / total) for s, p in held]

    def receiver_utility(self, message, action, trust, belief):
        total = 0.0
        for state, probability in self.distrusting(message, belief):
            if belief == "mixture":
                lottery = trust * self.receiver(message, action)
                lottery += (1 - trust) * self.receiver(state, action)
                total += probability * lottery
            else:
                total += probability * self.receiver(trust * message + (1 - trust) * state, action)
        return total

    def answer(self, message, trust, precision, belief):
        """Choice probabilities of a receiver."""
        utilities = [self.receiver_utility(message, a, trust, belief) for a in self.actions]
        weights = [math.exp(precision * (u - max(utilities)) / self.scale) for u in utilities]
        return [w / sum(weights) for w in weights]


def cases():
    return [pytest.param(Case(seed), id=str(seed)) for seed in SEEDS]


def table_cases():
    return [pytest.param(Case(seed, "table"), id=f"table {seed}") for seed in SEEDS]


CLOSE = {"rtol": 1e-11, "atol": 1e-10}  # rounding of sums of a few payoffs of order 100


@pytest.mark.parametrize("belief", BELIEFS)
@pytest.mark.parametrize("case", cases())
def test_distrusted_prior_is_the_prior_over_states_that_would_exaggerate_up(case, belief):
    found = distrusted_prior(case.game, case.bias, belief)
    assert found.shape == (len(case.messages), len(case.states))
    for row, message in zip(found, case.messages, strict=True):
        expected = dict(case.distrusting(message, belief))
        np.testing.assert_allclose(row, [expected.get(s, 0.0) for s in case.states], **CLOSE)


def test_where_no_state_qualifies_the_nearest_possible_ones_do_by_their_prior():
    game = FiniteGame([1, 2, 3, 4], messages=[0, 1, 2.5, 4], prior=[0.0, 0.6, 0.3, 0.1])
    up = [[0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0.6, 0.3, 0.1]]
    np.testing.assert_allclose(distrusted_prior(game, 1.0), up, atol=1e-15)
    none = [[0, 1, 0, 0], [0, 1, 0, 0], [0, 2 / 3, 1 / 3, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(distrusted_prior(game, 0.0), none, atol=1e-15)


@pytest.mark.parametrize("belief", BELIEFS)
@pytest.mark.parametrize("case", cases())
def test_receiver_utility_equals_triple_loops(case, belief):
    trust = case.rng.uniform(size=(2, 3))
    trust[0, :2] = 0, 1
    found = receiver_utility(case.game, case.bias, trust, belief)
    assert found.shape == (2, 3, len(case.messages), len(case.actions))
    for where in np.ndindex(trust.shape):
        expected = [
            [case.receiver_utility(m, a, trust[where], belief) for a in case.actions]
            for m in case.messages
        ]
        np.testing.assert_allclose(found[where], expected, **CLOSE)


@pytest.mark.parametrize("belief", BELIEFS)
@pytest.mark.parametrize("case", cases())
def test_expected_action_and_payoff_equal_loops(case, belief):
    trust = case.rng.uniform(size=3)
    action = expected_action(case.game, case.bias, trust, belief)
    payoff = expected_payoff(case.game, case.bias, trust, belief)
    for i, share in enumerate(trust):
        for j, message in enumerate(case.messages):
            mean = sum(p * s for s, p in case.distrusting(message, belief))
            expected = share * message + (1 - share) * mean
            np.testing.assert_allclose(action[i, j], expected, **CLOSE)
            earned = [case.sender(s, expected, case.bias) for s in case.states]
            np.testing.assert_allclose(payoff[i, :, j], earned, **CLOSE)


@pytest.mark.parametrize("belief", BELIEFS)
@pytest.mark.parametrize("case", cases())
def test_quantal_payoff_equals_loops(case, belief):
    trust, precision = case.rng.uniform(size=3), case.rng.uniform(0, 5, 3)
    found = quantal_payoff(case.game, case.bias, trust, precision, belief)
    _check_quantal(case, found, trust, precision, belief)


def test_quantal_payoff_at_extreme_precision_is_that_of_the_best_answer():
    game = FiniteGame([1, 2, 3, 4, 5])
    found = quantal_payoff(game, 1.0, np.array([0.9, 0.9]), np.array([1e7, 0.0]))
    # With trust of 0.9 he believes at least 0.9 m + 0.1: his best action names the message.
    for i, j in np.ndindex(5, 5):
        loss = [20 * abs(i + 1 - a) ** 1.4 for a in range(5)]  # the state and bias of one
        assert found[0, i, j] == pytest.approx(110 - loss[j], rel=1e-12)
        assert found[1, i, j] == pytest.approx(110 - sum(loss) / 5, rel=1e-12)


@pytest.mark.parametrize("case", table_cases())
def test_table_games_are_played_with_the_mixture_belief(case):
    trust, precision = case.rng.uniform(size=3), case.rng.uniform(0, 5, 3)
    found = receiver_utility(case.game, case.bias, trust, "mixture")
    for i, share in enumerate(trust):
        expected = [
            [case.receiver_utility(m, a, share, "mixture") for a in case.actions]
            for m in case.messages
        ]
        np.testing.assert_allclose(found[i], expected, **CLOSE)
    found = quantal_payoff(case.game, case.bias, trust, precision, "mixture")
    _check_quantal(case, found, trust, precision, "mixture")


def _check_quantal(case, found, trust, precision, belief):
    assert found.shape == (3, len(case.states), len(case.messages))
    for i in range(3):
        for k, message in enumerate(case.messages):
            chances = case.answer(message, trust[i], precision[i], belief)
            for j, state in enumerate(case.states):
                earned = [case.sender(state, a, case.bias) for a in case.actions]
                expected = sum(p * u for p, u in zip(chances, earned, strict=True))
                np.testing.assert_allclose(found[i, j, k], expected, **CLOSE)


@pytest.mark.parametrize("case", cases()[:4])
def test_sender_pays_her_lying_aversion_per_unit_of_lie(case):
    material = case.rng.normal(size=(2, len(case.states), len(case.messages)))
    aversion = np.array([0.0, 1.7])
    found = sender_utility(case.game, material, aversion)
    for i, j, k in np.ndindex(found.shape):
        lie = abs(case.messages[k] - case.states[j])
        assert lie_size(case.game)[j, k] == lie
        assert found[i, j, k] == pytest.approx(material[i, j, k] - aversion[i] * lie, rel=1e-14)


def test_payoff_tables_refuse_what_needs_payoffs_in_between():
    game = Case(1, "table").game
    for belief in ("truncated", "prior"):
        with pytest.raises(ValueError, match="need 'mixture'"):
            receiver_utility(game, 1.0, np.array(0.5), belief)
    with pytest.raises(ValueError, match="need 'quantal'"):
        expected_payoff(game, 1.0, np.array(0.5))


def test_an_unknown_belief_is_refused():
    with pytest.raises(ValueError, match="belief: found 'posterior', expected one of truncated"):
        distrusted_prior(FiniteGame([1, 2]), 1.0, "posterior")


# PyTensor


def formulas(case, belief):
    """Every formula of a game as a function of trust and precision."""
    game, bias = case.game, case.bias
    found = {
        "receiver": lambda trust, _: receiver_utility(game, bias, trust, belief),
        "quantal": lambda trust, precision: quantal_payoff(game, bias, trust, precision, belief),
    }
    if game.payoffs.continuous:
        found["mean"] = lambda trust, _: expected_payoff(game, bias, trust, belief)
    return found


@pytest.mark.parametrize(
    ("case", "belief"),
    [(Case(seed), belief) for seed in (1, 2, 3, 4) for belief in BELIEFS]
    + [(Case(seed, "table"), "mixture") for seed in (0, 4)],
)
def test_pytensor_gives_the_values_of_numpy_and_the_slopes_of_differences(case, belief):
    trust, precision = case.rng.uniform(0.05, 0.95, 3), case.rng.uniform(0.5, 3, 3)
    inputs = [pt.vector("trust"), pt.vector("precision")]
    for name, formula in formulas(case, belief).items():
        expected = formula(trust, precision)
        weight = case.rng.normal(size=expected.shape)
        symbolic = formula(*inputs)
        total = (weight * symbolic).sum()
        slopes = pt.grad(total, inputs, disconnected_inputs="ignore")
        value, *slopes = evaluate(inputs, [symbolic, *slopes], trust, precision)
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12, err_msg=name)

        def at(point, formula=formula, weight=weight):
            return (weight * formula(*point)).sum()

        point = np.array([trust, precision])
        # Central differences: rounding 1e-16 * 1e3 / 1e-5 and curvature 1e-10 * f''' both leave
        # about 1e-7 of the payoffs' size.
        for i, j in np.ndindex(point.shape):
            step = np.zeros_like(point)
            step[i, j] = 1e-5
            difference = (at(point + step) - at(point - step)) / 2e-5
            tolerance = 1e-6 * max(1, abs(expected).max())
            assert slopes[i][j] == pytest.approx(difference, rel=1e-5, abs=tolerance), name


@pytest.mark.parametrize("exponent", [1.0, 1.1, 1.4, 2.0])
def test_slopes_are_finite_where_the_belief_hits_an_action(exponent):
    # With integer states, messages and actions, trust of 0, 1/2 and 1 puts the believed state
    # on an action, where the power loss has its kink.
    game = FiniteGame([1, 2, 3, 4, 5], payoffs=PowerLoss(exponent=exponent))
    trust = pt.vector("trust")
    total = receiver_utility(game, 1.0, trust).sum() + expected_payoff(game, 1.0, trust).sum()
    slope = evaluate([trust], pt.grad(total, trust), np.array([0.0, 0.5, 1.0]))
    assert np.isfinite(slope).all()


# Where the theories coincide (section 5 of the theory)


def aligned_games():
    """Games in which a credulous receiver's best action names the message."""
    games = [FiniteGame([1, 2, 3, 4, 5])]
    for seed in range(5):
        rng = np.random.default_rng(seed)
        states = np.cumsum(rng.uniform(0.5, 2, 4))
        messages = np.union1d(states, states[:2] + 0.2)
        prior = rng.dirichlet(np.ones(4))
        payoffs = PowerLoss(100, rng.uniform(5, 30), rng.uniform(1.1, 2.5))
        games.append(FiniteGame(states, messages, messages, prior, payoffs))
    return games


@pytest.mark.parametrize("belief", BELIEFS)
@pytest.mark.parametrize("bias", [-2.0, -0.3, 0.0, 1.0, 2.5])
@pytest.mark.parametrize("game", aligned_games(), ids=range(6))
def test_full_trust_is_the_level_0_receiver(game, bias, belief):
    credulous = level_tables(game, bias, max_level=0).receiver_utility[0]
    trusting = receiver_utility(game, bias, np.array(1.0), belief)
    np.testing.assert_allclose(trusting, credulous, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("bias", [-2.0, -0.3, 0.0, 1.0, 2.5])
@pytest.mark.parametrize("game", aligned_games(), ids=range(6))
def test_expecting_full_trust_without_aversion_is_the_level_1_sender(game, bias):
    tables = level_tables(game, bias, max_level=1)
    material = expected_payoff(game, bias, np.array(1.0))
    np.testing.assert_allclose(material, tables.sender_utility[1], rtol=1e-12, atol=1e-10)
    # The limit of small aversion takes the smallest lie among equally good messages.
    utility = sender_utility(game, material, np.array(1e-7))
    assert (utility.argmax(-1) == tables.sender_choice[1].argmax(-1)).all()


@pytest.mark.parametrize("bias", [-2.0, -0.3, 0.0, 1.0, 2.5])
@pytest.mark.parametrize("game", aligned_games(), ids=range(6))
def test_a_very_averse_sender_is_the_level_0_sender(game, bias):
    truthful = level_tables(game, bias, max_level=0).sender_choice[0]
    assert (game.messages[truthful.argmax(-1)] == game.states).all()
    for share in (0.0, 0.4, 1.0):
        material = expected_payoff(game, bias, np.array(share))
        utility = sender_utility(game, material, np.array(1e4))
        assert (utility.argmax(-1) == truthful.argmax(-1)).all()
