"""Simulated people in both roles, with a planted correlation, and fits that know the truth."""

from dataclasses import replace

import numpy as np
from priorfit import prior_fit
from scipy.special import expit

from trustbayes.games import FiniteGame, FiniteTerms, PayoffFormulas
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


def lying_game() -> FiniteGame:
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
    )


def known(role, game):
    """The theory with the population as it is planted, to a thousandth."""
    priors = {}
    for name, (kind, given) in POPULATION[role].items():
        arguments = dict(given)
        if name in ("lying_aversion", "trust"):
            arguments = {
                "mu": Prior("Normal", mu=given["mu"], sigma=0.001),
                "sigma": Prior("LogNormal", mu=np.log(given["sigma"]), sigma=0.001),
            }
        priors[name] = Prior(kind, **arguments)
    return TrustEmbedded(role, game, priors=priors)


def both_roles_trials(correlation: float, people: int, rounds: int, seed: int):
    """A simulation of people who play both roles, each in one of two treatments."""
    game = lying_game()
    return simulate(
        game,
        sender=known("sender", game),
        receiver=known("receiver", game),
        subjects=people,
        rounds=rounds,
        seed=seed,
        between=True,
        correlation=correlation,
    )


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
