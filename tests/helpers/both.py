"""Simulated people in both roles, with a planted correlation, and fits that know the truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
from priorfit import prior_fit
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

    Senders and receivers are simulated apart; who of them is one person follows the ranks of a
    bivariate normal, which is an exact draw of the joint population.
    """
    game = lying_game()
    made = simulate(
        game,
        sender=known("sender", game),
        receiver=known("receiver", game),
        subjects=people,
        rounds=rounds,
        seed=seed,
        between=True,
    )
    return lying_game(PLAYERS), joined(made, correlation, seed)


def joined(made, correlation, seed):
    """The trials of a simulation, a row for each role, under the names of people in both roles."""
    rng = np.random.default_rng(seed)
    table, planted = made.trials, made.parameters
    rows = []
    for treatment, here in table.groupby("treatment"):
        names = {}
        aim = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], size=1000)
        for column, (role, parameter) in enumerate(
            (("sender", "lying_aversion"), ("receiver", "trust"))
        ):
            values = planted[(planted["role"] == role) & (planted["parameter"] == parameter)]
            values = values[values["subject"].isin(here[role])].drop_duplicates("subject")
            some = aim[: len(values), column]
            ranked = values.sort_values("value")["subject"].to_numpy()
            who = ranked[some.argsort().argsort()]
            names[role] = {name: f"{treatment}{i}" for i, name in enumerate(who)}
        for role in ("sender", "receiver"):
            part = here.drop(columns=["sender", "receiver"])
            part = part.assign(person=here[role].map(names[role]), role=role)
            part["round"] = 2 * part["round"] + (role == "receiver")
            rows.append(part)
    return pd.concat(rows, ignore_index=True)


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
