"""Level-k play by brute force: nothing but loops, in decimals, so that a tie is a tie."""

from decimal import Decimal

import numpy as np

from trustbayes.games import FiniteGame, PayoffFunctions, PayoffTable, PowerLoss

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
        levels = [(utility_s, utility_r, sending, answering)]
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
            levels.append((utility_s, utility_r, sending, answering))
        return [np.array(parts, dtype=float) for parts in zip(*levels, strict=True)]

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
