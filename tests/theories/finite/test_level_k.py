"""Level-k play against the check tables of the theory and against a brute-force search."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from trustbayes.games import FiniteGame, PayoffFunctions, PayoffTable, PowerLoss
from trustbayes.theories.finite.level_k import level_tables

# The check tables of the theory, section 3. One entry per state (senders) or message (receivers);
# "4/5" is a tie of which the first is taken.

WSC = {
    0: ("1 2 3 4 5", "1 2 3 4 5", "1 2 3 4 5", "1 2 3 4 5", "1 2 3 4 5", "1 2 3 4 5"),
    1: (
        "2 3 4 5 5", "3 4 5 5 5", "4 4/5 5 5 5",
        "1 1 2 3 4/5", "1 1 1 2 4", "1/2 1/2 1/2 1/2 4",
    ),
    2: (
        "3 4 5 5 5", "4/5 5 5 5 5", "5 5 5 5 5",
        "1 1 1 2 4", "1 1 1 1 3/4", "3 3 3 3 3",
    ),
}  # fmt: skip
CW = {
    1.2: ("3 5 7 9 9", "5 7 7 9 9", "1 1 3 5 8", "1 1 1 4 8"),
    2: ("3 5 7 9 9", "5 7 9 9 9", "1 1 3 5 8", "1 1 1 3 7"),
    4: ("5 7 9 9 9", "7/9 9 9 9 9", "1 1 1 3 7", "1 1 1 1 6"),
}


def wsc(bias):
    return FiniteGame([1, 2, 3, 4, 5]), WSC[bias]


def cw(bias):
    game = FiniteGame(states=[1, 3, 5, 7, 9], actions=range(1, 10), payoffs=PowerLoss(110, 10, 1.4))
    return game, CW[bias]


@pytest.mark.parametrize(
    ("game", "play", "bias"),
    [(*wsc(bias), bias) for bias in WSC] + [(*cw(bias), bias) for bias in CW],
    ids=[f"WSC {bias}" for bias in WSC] + [f"CW {bias}" for bias in CW],
)
def test_play_and_ties_are_those_of_the_check_tables(game, play, bias):
    half = len(play) // 2
    tables = level_tables(game, bias, max_level=half)
    for role, texts, options in (
        ("sender", play[:half], game.messages),
        ("receiver", play[half:], game.actions),
    ):
        for level, text in enumerate(texts, start=1):
            utility = getattr(tables, f"{role}_utility")[level]
            choice = getattr(tables, f"{role}_choice")[level]
            for row, entry in enumerate(text.split()):
                expected = [float(value) for value in entry.split("/")]
                best = options[utility[row] > utility[row].max() - 1e-6]
                assert best.tolist() == expected, (role, level, row)
                assert options[choice[row] == 1].tolist() == expected[:1], (role, level, row)
                assert choice[row].sum() == 1


# Brute force: nothing but loops, in fifty-digit decimals, so that a tie is a tie.

TIE = Decimal("1e-30")


class BruteForce:
    """Level-k play by trying every option; the payoffs are functions of decimals."""

    def __init__(self, states, messages, actions, weights, sender, receiver, upward, ties, unsent):
        self.states, self.messages, self.actions = states, messages, actions
        self.prior = [Decimal(w) / sum(weights) for w in weights]
        self.sender, self.receiver = sender, receiver
        self.upward, self.ties, self.unsent = upward, ties, unsent

    def lie_rank(self, state):
        """Smallest lie first; of two equal lies the one in the direction of the bias."""
        return lambda message: (
            abs(message - state),
            (message < state) if self.upward else (message > state),
        )

    def action_rank(self, action):
        """Farthest from the sender's wish first."""
        return action if self.upward else -action

    def best(self, options, utility, rank):
        top = max(utility)
        tied = [o for o, u in zip(options, utility, strict=True) if u >= top - TIE]
        if self.ties == "smallest-lie":
            tied = [min(tied, key=rank)]
        return [Decimal(o in tied) / len(tied) for o in options]

    def posterior(self, message, sending):
        """Probabilities of the states after a message."""

        def joint(m):
            column = self.messages.index(m)
            return [p * row[column] for p, row in zip(self.prior, sending, strict=True)]

        if self.unsent == "tremble":
            slip = Decimal("0.01")
            sending = [[(1 - slip) * p + slip / len(row) for p in row] for row in sending]
        elif sum(joint(message)) == 0:
            if self.unsent == "prior":
                return self.prior
            sent = [m for m in self.messages if sum(joint(m)) > 0]
            above = [m for m in sent if m > message]
            below = [m for m in sent if m < message]
            if self.upward:
                message = min(above) if above else max(below)
            else:
                message = max(below) if below else min(above)
        mass = joint(message)
        return [p / sum(mass) for p in mass]

    def levels(self, deepest):
        utility_r = [[self.receiver(m, a) for a in self.actions] for m in self.messages]
        answering = [self.best(self.actions, u, self.action_rank) for u in utility_r]
        utility_s = [self.expected(self.receiver, s, answering) for s in self.states]
        sending = [
            self.best(self.messages, [-abs(m - s) for m in self.messages], self.lie_rank(s))
            for s in self.states
        ]
        found = [(utility_s, utility_r, sending, answering)]
        for _ in range(deepest):
            utility_s = [self.expected(self.sender, s, answering) for s in self.states]
            sending = [
                self.best(self.messages, u, self.lie_rank(s))
                for s, u in zip(self.states, utility_s, strict=True)
            ]
            utility_r = []
            for m in self.messages:
                belief = self.posterior(m, sending)
                utility_r.append(
                    [
                        sum(
                            p * self.receiver(s, a)
                            for p, s in zip(belief, self.states, strict=True)
                        )
                        for a in self.actions
                    ]
                )
            answering = [self.best(self.actions, u, self.action_rank) for u in utility_r]
            found.append((utility_s, utility_r, sending, answering))
        return [np.array(parts, dtype=float) for parts in zip(*found, strict=True)]

    def expected(self, payoff, state, answering):
        """What a sender in a state expects of each message."""
        return [
            sum(p * payoff(state, a) for p, a in zip(row, self.actions, strict=True))
            for row in answering
        ]


def grid(rng, size, step):
    """Increasing multiples of a step, with gaps; exact in binary and in decimal."""
    steps = np.sort(rng.choice(np.arange(-2, size + 4), size, replace=False))
    return (steps * step).tolist()


def random_game(seed):
    """A game and its brute-force twin's lists and payoffs.

    A third of the games have integer payoffs in a narrow range, so that ties are the rule.
    """
    rng = np.random.default_rng(seed)
    # Sizes one apart on average and steps of different width: messages that are no states, more
    # messages than states, actions spaced wider or narrower than either.
    states = grid(rng, rng.integers(2, 6), rng.choice([0.5, 1, 2]))
    messages = grid(rng, rng.integers(2, 7), rng.choice([0.5, 1, 2]))
    actions = grid(rng, rng.integers(2, 7), rng.choice([0.25, 0.5, 1]))
    bias = float(rng.choice([-3, -1, -0.5, 0, 0.5, 1, 1.25, 4]))
    weights = rng.integers(0, 5, len(states)).tolist()
    weights[rng.integers(len(weights))] += 1
    if seed % 2:
        weights = [1] * len(states)
    kind = ("power", "functions", "table")[seed % 3]
    if kind == "power":
        exponent = float(rng.choice([1, 1.4, 2, round(rng.uniform(1, 3), 3)]))
        scale = int(rng.integers(1, 30))
        payoffs = PowerLoss(110, scale, exponent)
        power = Decimal(str(exponent))

        def loss(distance):
            return 110 - scale * abs(distance) ** power if distance else Decimal(110)

        def sender(s, a):
            return loss(s + Decimal(bias) - a)

        def receiver(s, a):
            return loss(s - a)

    else:
        if kind == "table":
            messages = sorted(rng.choice(states, rng.integers(2, len(states) + 1), replace=False))
        rows = sorted({*states, *messages})
        pay_s = rng.integers(0, 4, (len(rows), len(actions)))
        pay_r = rng.integers(0, 4, (len(rows), len(actions)))

        def look_up(table):
            def at(state, action):
                return table[np.searchsorted(rows, state), np.searchsorted(actions, action)]

            return at

        if kind == "table":
            payoffs = PayoffTable(tuple(rows), tuple(actions), {bias: pay_s}, pay_r)
        else:
            payoffs = PayoffFunctions(lambda s, a, b: look_up(pay_s)(s, a), look_up(pay_r))

        def sender(s, a):
            return Decimal(int(pay_s[rows.index(s), actions.index(a)]))

        def receiver(s, a):
            return Decimal(int(pay_r[rows.index(s), actions.index(a)]))

    prior = (np.array(weights) / sum(weights)).tolist()
    game = FiniteGame(states, messages, actions, prior=prior, payoffs=payoffs)
    decimals = [[Decimal(float(v)) for v in values] for values in (states, messages, actions)]
    return game, bias, (*decimals, weights, sender, receiver)


@pytest.mark.parametrize("unsent", ["monotone", "prior", "tremble"])
@pytest.mark.parametrize("ties", ["smallest-lie", "uniform"])
def test_play_equals_a_brute_force_search_in_random_games(ties, unsent):
    unlike_states = tied = never_sent = 0
    with localcontext() as context:
        context.prec = 50
        for seed in range(100):
            game, bias, twin = random_game(seed)
            brute = BruteForce(*twin, upward=bias >= 0, ties=ties, unsent=unsent)
            found = level_tables(game, bias, max_level=3, ties=ties, unsent=unsent)
            names = ("sender_utility", "receiver_utility", "sender_choice", "receiver_choice")
            for name, expected in zip(names, brute.levels(3), strict=True):
                # Rounding only: payoffs are up to 1e4, so 1e-9 of a payoff unit would be a
                # different formula.
                np.testing.assert_allclose(
                    getattr(found, name), expected, rtol=1e-11, atol=1e-9, err_msg=f"{seed} {name}"
                )
            unlike_states += not np.isin(game.messages, game.states).all()
            top = found.receiver_utility.max(-1, keepdims=True)
            tied += bool(((found.receiver_utility > top - 1e-9).sum(-1) > 1).any())
            never_sent += bool((found.sender_choice[1][game.prior > 0].sum(0) == 0).any())
    # The search means something only if the games were of the kinds that the rules are for.
    assert min(unlike_states, tied, never_sent) > 20


@pytest.mark.parametrize("unsent", ["monotone", "prior", "tremble"])
@pytest.mark.parametrize("ties", ["smallest-lie", "uniform"])
@pytest.mark.parametrize("bias", [0.5, 1.0, 1.2, 2.0, 3.0])
def test_reflected_game_with_the_bias_negated_gives_reflected_play(bias, ties, unsent):
    rng = np.random.default_rng(round(10 * bias))
    states = grid(rng, 5, 1)
    messages = grid(rng, 6, 0.5)
    actions = grid(rng, 7, 0.5)
    prior = rng.dirichlet(np.ones(5))
    loss = PowerLoss(exponent=1.7)
    game = FiniteGame(states, messages, actions, prior=prior, payoffs=loss)
    mirrored = FiniteGame(
        *([-v for v in reversed(values)] for values in (states, messages, actions)),
        prior=prior[::-1],
        payoffs=loss,
    )
    play = level_tables(game, bias, ties=ties, unsent=unsent)
    reflected = level_tables(mirrored, -bias, ties=ties, unsent=unsent)
    for name in ("sender_utility", "receiver_utility", "sender_choice", "receiver_choice"):
        np.testing.assert_allclose(
            getattr(reflected, name)[:, ::-1, ::-1], getattr(play, name), rtol=1e-12, atol=1e-12
        )


def test_of_two_equally_near_messages_level_0_sends_the_one_along_the_bias():
    game = FiniteGame([1, 2, 3], messages=[0.5, 1.5, 2.5, 3.5])
    up = level_tables(game, bias=1, max_level=0)
    down = level_tables(game, bias=-1, max_level=0)
    assert game.messages[up.sender_choice[0].argmax(-1)].tolist() == [1.5, 2.5, 3.5]
    assert game.messages[down.sender_choice[0].argmax(-1)].tolist() == [0.5, 1.5, 2.5]


def test_levels_do_not_depend_on_how_many_are_asked_for():
    game = FiniteGame([1, 2, 3, 4, 5])
    few, many = level_tables(game, 1.0, max_level=1), level_tables(game, 1.0, max_level=4)
    assert few.sender_choice.shape == (2, 5, 5)
    assert many.receiver_choice.shape == (5, 5, 5)
    np.testing.assert_array_equal(many.receiver_utility[:2], few.receiver_utility)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ties": "biggest-lie"}, "ties: found 'biggest-lie', expected one of smallest-lie"),
        ({"unsent": "ignored"}, "unsent: found 'ignored', expected one of monotone"),
        ({"max_level": -1}, "max_level: found -1, expected 0 or more"),
    ],
)
def test_unknown_conventions_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        level_tables(FiniteGame([1, 2]), 1.0, **settings)
