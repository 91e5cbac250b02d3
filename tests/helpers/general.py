"""General finite games at random, and what the theories say of them in plain loops of numbers."""

import math
from dataclasses import dataclass
from statistics import median, pstdev

import numpy as np
import pandas as pd

from trustbayes.games import FiniteGame, FiniteTerms, MessagePayoffFunctions, PayoffTable
from trustbayes.trials.table import trials_from_frame


@dataclass
class Twin:
    """One treatment of a game as plain lists and functions of numbers."""

    states: list
    messages: list
    actions: list
    prior: list
    receiver_prior: list
    direction: str | None
    sender: object
    receiver: object

    def sign(self, bias):
        if self.direction is None:
            return (bias > 0) - (bias < 0)
        return {"up": 1, "down": -1, "none": 0}[self.direction]

    def distrusted(self, message, bias, belief):
        """What a receiver who does not trust the message believes: pairs of state and weight."""
        held = [(s, p) for s, p in zip(self.states, self.receiver_prior, strict=True) if p > 0]
        if belief == "prior":
            return held
        sign = self.sign(bias)
        from_there = [
            (s, p)
            for s, p in held
            if (s <= message if sign > 0 else s >= message if sign < 0 else s == message)
        ]
        if not from_there:
            nearest = min(abs(s - message) for s, _ in held)
            from_there = [(s, p) for s, p in held if abs(s - message) == nearest]
        total = sum(p for _, p in from_there)
        return [(s, p / total) for s, p in from_there]

    def believing(self, message, action, bias, trust, belief):
        """Utility of an action to a receiver of some trust."""
        total = 0.0
        for state, p in self.distrusted(message, bias, belief):
            if belief == "mixture":
                true = self.receiver(message, message, action)
                total += p * (trust * true + (1 - trust) * self.receiver(state, message, action))
            else:
                believed = trust * message + (1 - trust) * state
                total += p * self.receiver(believed, message, action)
        return total

    def quantal(self, state, message, bias, trust, precision, belief, scale):
        """What a message earns from a receiver of that trust who errs."""
        utilities = [self.believing(message, a, bias, trust, belief) for a in self.actions]
        weights = [math.exp(precision * (u - max(utilities)) / scale) for u in utilities]
        earned = [self.sender(state, message, a, bias) for a in self.actions]
        return sum(w * e for w, e in zip(weights, earned, strict=True)) / sum(weights)

    def mean(self, state, message, bias, trust, belief):
        """What a message earns if the mean of the receiver's belief is his action."""
        distrusted = sum(s * p for s, p in self.distrusted(message, bias, belief))
        return self.sender(state, message, trust * message + (1 - trust) * distrusted, bias)

    def lie(self, state, message, aversion, lump_sum):
        return aversion * abs(message - state) + lump_sum * (message != state)

    def levels(self, bias, deepest, unit):
        """Utilities of senders and of receivers at every level; no ties but those of level 0."""
        sign = -1 if self.sign(bias) < 0 else 1
        of_receiver = [[self.receiver(m, m, a) for a in self.actions] for m in self.messages]
        of_sender = [[-unit * abs(m - s) for m in self.messages] for s in self.states]
        levels = [(of_sender, of_receiver, None)]
        answers = [max(range(len(row)), key=row.__getitem__) for row in of_receiver]
        for _ in range(deepest):
            of_sender = [
                [
                    self.sender(s, m, self.actions[answers[j]], bias)
                    for j, m in enumerate(self.messages)
                ]
                for s in self.states
            ]
            sends = [max(range(len(row)), key=row.__getitem__) for row in of_sender]
            reads = self.posteriors(sends, sign)
            of_receiver = [
                [
                    sum(p * self.receiver(s, m, a) for s, p in zip(self.states, read, strict=True))
                    for a in self.actions
                ]
                for m, read in zip(self.messages, reads, strict=True)
            ]
            answers = [max(range(len(row)), key=row.__getitem__) for row in of_receiver]
            levels.append((of_sender, of_receiver, reads))
        return levels

    def noisy_levels(self, bias, deepest, unit, precision, scale):
        """Utilities of senders and of receivers at every level, who reckon with noise."""
        of_receiver = [[self.receiver(m, m, a) for a in self.actions] for m in self.messages]
        of_sender = [[-unit * abs(m - s) for m in self.messages] for s in self.states]
        found = [(of_sender, of_receiver)]
        for _ in range(deepest):
            answers = [chances(row, precision / scale) for row in of_receiver]
            of_sender = [
                [
                    sum(
                        p * self.sender(s, m, a, bias)
                        for p, a in zip(answers[j], self.actions, strict=True)
                    )
                    for j, m in enumerate(self.messages)
                ]
                for s in self.states
            ]
            sends = [chances(row, precision / scale) for row in of_sender]
            of_receiver = []
            for j, m in enumerate(self.messages):
                mass = [p * row[j] for p, row in zip(self.receiver_prior, sends, strict=True)]
                of_receiver.append(
                    [
                        sum(
                            p * self.receiver(s, m, a)
                            for p, s in zip(mass, self.states, strict=True)
                        )
                        / sum(mass)
                        for a in self.actions
                    ]
                )
            found.append((of_sender, of_receiver))
        return found

    def posteriors(self, sends, sign):
        """How messages are read by one who knows what is sent in every state; unsent: monotone."""
        mass = [
            [p * (sent == j) for p, sent in zip(self.receiver_prior, sends, strict=True)]
            for j in range(len(self.messages))
        ]
        sent = [j for j in range(len(self.messages)) if sum(mass[j]) > 0]
        reads = []
        for j, message in enumerate(self.messages):
            source = j
            if j not in sent:
                beyond = [k for k in sent if sign * (self.messages[k] - message) > 0]
                source = min(beyond or sent, key=lambda k: abs(self.messages[k] - message))
            reads.append([p / sum(mass[source]) for p in mass[source]])
        return reads


def chances(utilities, precision):
    """Probabilities of options by the logit rule."""
    weights = [math.exp(precision * (u - max(utilities))) for u in utilities]
    return [weight / sum(weights) for weight in weights]


def simplex(rng, size):
    """Probabilities, some of them 0."""
    weights = rng.integers(0, 5, size).astype(float)
    weights[rng.integers(size)] += 1
    return (weights / weights.sum()).tolist()


def random_game(seed, smooth=False):
    """A game with three treatments of their own payoffs and priors, and its twins by treatment.

    Parameters
    ----------
    smooth : bool
        Whether payoffs are functions that are defined between the listed values; else tables.
    """
    rng = np.random.default_rng(seed)
    states = np.sort(rng.choice(np.arange(-3, 8), rng.integers(2, 8), replace=False)).tolist()
    some = int(rng.integers(2, min(6, len(states)) + 1))
    messages = np.sort(rng.choice(states, some, replace=False)).tolist()
    if smooth:
        messages = np.unique([*messages[:5], 0.5]).tolist()
    actions = np.sort(rng.choice(np.arange(-3, 8), rng.integers(2, 6), replace=False)).tolist()
    states, messages, actions = ([float(v) for v in v_] for v_ in (states, messages, actions))
    biases = {"one": (0.0,), "two": (1.0, -2.0), "three": (0.5,)}
    directions = rng.permutation(["up", "down", "none", None]).tolist()
    terms, twins = {}, {}
    for name, direction in zip(biases, directions, strict=False):
        prior = simplex(rng, len(states))
        receiver_prior = simplex(rng, len(states)) if rng.random() < 0.5 else None
        payoffs, sender, receiver = (_functions if smooth else _tables)(
            rng, states, messages, actions, biases[name]
        )
        terms[name] = FiniteTerms(prior, receiver_prior, direction, payoffs)
        held = prior if receiver_prior is None else receiver_prior
        twins[name] = Twin(states, messages, actions, prior, held, direction, sender, receiver)
    game = FiniteGame(
        states, messages, actions, payoffs=terms["one"].payoffs, treatments=biases, terms=terms,
        action_labels=None if smooth else [f"act {a:g}" for a in actions],
    )  # fmt: skip
    return game, twins


def _tables(rng, states, messages, actions, biases):
    shape = (len(states), len(messages), len(actions))
    of_sender = {bias: rng.normal(size=shape) for bias in biases}
    of_receiver = rng.normal(size=shape)

    def at(table, s, m, a):
        return float(table[states.index(s), messages.index(m), actions.index(a)])

    table = PayoffTable(
        tuple(states), tuple(actions), of_sender, of_receiver, messages=tuple(messages)
    )
    return table, lambda s, m, a, b: at(of_sender[b], s, m, a), lambda *x: at(of_receiver, *x)


def _functions(rng, states, messages, actions, biases):
    c = rng.uniform(0.5, 2, 6)

    def sender(s, m, a, b):
        return c[0] * s * a - c[1] * (a - b) ** 2 + c[2] * m * (a - s - 0.31)

    def receiver(s, m, a):
        return -c[3] * (s - a - 0.17) ** 2 + c[4] * m * a - c[5] * abs(s - m) ** 1.5

    return MessagePayoffFunctions(sender, receiver, continuous=True), sender, receiver


def deviation(twins):
    """Standard deviation of the receiver's payoffs over treatments, states, messages, actions."""
    return pstdev(
        twin.receiver(s, m, a)
        for twin in twins.values()
        for s in twin.states
        for m in twin.messages
        for a in twin.actions
    )


def lying_unit(twins):
    """Payoff units of one standardised unit of lying aversion."""
    [messages] = {tuple(twin.messages) for twin in twins.values()}
    return deviation(twins) / median(np.diff(messages).tolist())


def random_trials(game, seed, rows=40):
    """Choices at random: four pairs in all treatments."""
    rng = np.random.default_rng(seed)
    names = list(game.treatments)
    table = []
    for round_ in range(rows):
        name = names[rng.integers(len(names))]
        pair = int(rng.integers(4))
        labels = game.labels("receiver")
        table.append(
            {
                "sender": f"s{pair}",
                "receiver": f"r{(pair + round_) % 4}",
                "round": round_,
                "treatment": name,
                "bias": rng.choice(game.treatments[name]),
                "state": rng.choice(game.states),
                "message": rng.choice(game.messages),
                "action": labels[rng.integers(len(labels))],
            }
        )
    return trials_from_frame(pd.DataFrame(table), game)
