"""Simulated people in both roles, with a planted correlation, and fits that know the truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
from priorfit import prior_fit
from scipy.optimize import linear_sum_assignment
from scipy.special import expit

from trustbayes.games import FiniteGame, FiniteTerms, Layout, PayoffFormulas, Rows
from trustbayes.inference.sampling import Sampling
from trustbayes.models import TrustEmbedded
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import simulate

POPULATION = {
    "sender": {
        "response_precision": ("Gamma", {"mean": 4.0, "shape": 3.0}),
        "lying_aversion": ("LogNormal", {"mu": -0.7, "sigma": 0.8}),
        "expected_trust": ("LogitNormal", {"mu": 0.5, "sigma": 0.001}),
    },
    "receiver": {
        "response_precision": ("Gamma", {"mean": 4.0, "shape": 3.0}),
        "trust": ("LogitNormal", {"mu": 0.0, "sigma": 1.2}),
    },
}


_POOL = 8
"""Simulated senders, and receivers, for each person."""

PLAYERS = Layout(rows=Rows(per="player", person="person", role="role"))


def lying_game(layout: Layout | None = None) -> FiniteGame:
    """Accept or challenge: payoffs know the message, two treatments have priors of their own."""
    pay = PayoffFormulas(
        "-2 if action == challenge and message != state else message",
        "2 if action == challenge and message != state else "
        "5 - message - 2 * (action == challenge)",
        {"accept": 0.0, "challenge": 1.0},
    )
    terms = {
        "low": FiniteTerms([0.4, 0.3, 0.1, 0.1, 0.1], None, "up", pay),
        "high": FiniteTerms([0.1, 0.1, 0.1, 0.3, 0.4], None, "up", pay),
    }
    return FiniteGame(
        [1, 2, 3, 4, 5],
        actions=[0, 1],
        payoffs=pay,
        terms=terms,
        direction="up",
        layout=layout or Layout(),
    )


def known(role, game):
    """The theory with the population as it is planted."""
    priors = {name: Prior(kind, **given) for name, (kind, given) in POPULATION[role].items()}
    return TrustEmbedded(role, game, priors=priors)


def both_roles_trials(correlation: float, people: int, rounds: int, seed: int):
    """A game, and trials of people who play both roles.

    Senders and receivers are simulated apart, many more than are wanted. Pairs of values are drawn
    from the joint population, and the sender and the receiver whose values are nearest to a pair
    become one person.
    """
    game = lying_game()
    made = simulate(
        game,
        sender=known("sender", game),
        receiver=known("receiver", game),
        subjects=_POOL * people,
        rounds=rounds,
        seed=seed,
        between=True,
    )
    return lying_game(PLAYERS), joined(made, correlation, people, seed)


def joined(made, correlation, people, seed):
    """Some of the trials of a simulation, a row for each role, under names of people in both."""
    rng = np.random.default_rng([seed, people])
    covariance = [[1, correlation], [correlation, 1]]
    rows = []
    treatments = made.trials.groupby("treatment")
    for treatment, here in treatments:
        wanted = rng.multivariate_normal([0, 0], covariance, size=people // len(treatments))
        for aim, (role, name) in zip(
            wanted.T, (("sender", "lying_aversion"), ("receiver", "trust")), strict=True
        ):
            values = standard(made.parameters, role, name)
            values = values[values.index.isin(here[role])]
            _, taken = linear_sum_assignment(abs(aim[:, None] - values.to_numpy()))
            names = {values.index[one]: f"{treatment}{i}" for i, one in enumerate(taken)}
            part = here[here[role].isin(names)]
            part = part.assign(person=part[role].map(names), role=role)
            part["round"] = 2 * part["round"] + (role == "receiver")
            rows.append(part.drop(columns=["sender", "receiver"]))
    return pd.concat(rows, ignore_index=True)


def standard(planted, role, name):
    """Planted values in units of the population's spread from its middle, by subject."""
    kind, given = POPULATION[role][name]
    values = planted[(planted["role"] == role) & (planted["parameter"] == name)]
    values = values.drop_duplicates("subject").set_index("subject")["value"].astype(float)
    linked = np.log(values) if kind == "LogNormal" else np.log(values / (1 - values))
    return (linked - given["mu"]) / given["sigma"]


def truthful_fit(role, trials, draws=60):
    """A fit whose population is the planted one in every draw, but for a tremble."""
    made = prior_fit(TrustEmbedded(role, trials.game), trials, Sampling())
    rng = np.random.default_rng(1)
    posterior = made.posterior.isel(draw=slice(draws // 2)).copy(deep=True)
    for name, (_, given) in POPULATION[role].items():
        for argument, value in given.items():
            array = posterior.get(f"{name}_{argument}")
            if array is not None:
                array[...] = value + 0.001 * rng.normal(size=array.shape)
    if role == "sender":
        posterior["expected_trust"][...] = expit(POPULATION[role]["expected_trust"][1]["mu"])
    return replace(made, posterior=posterior)
