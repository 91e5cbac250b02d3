"""Where nodes lie: people whose likelihoods are ridges, or sharp, or whose population is narrow."""

from __future__ import annotations

import numpy as np
import pytest
from interval_rows import log_near
from scipy.special import expit, logsumexp, roots_hermitenorm
from scipy.stats import norm

import trustbayes as tb
from trustbayes.inference.engines.population.anchors import sharpness
from trustbayes.inference.engines.population.boxes import between
from trustbayes.inference.engines.population.engine import prepare_units, untabulated
from trustbayes.inference.engines.population.layout import layout_of
from trustbayes.inference.gate import INTEGRATION_ERROR
from trustbayes.simulation.experiments import Experiment
from trustbayes.theories.trust_embedded import interval

GAME = tb.IntervalGame(0.0, 100.0, {"Small": 5.0, "Medium": 20.0}, step=1.0)
MODELS = {role: tb.model("trust-embedded", role, GAME) for role in ("receiver", "sender")}
NODES, WEIGHTS = roots_hermitenorm(40)


def played(role, people, rounds, seed):
    receiver = MODELS["receiver"] if role == "receiver" else None
    made = Experiment(GAME, MODELS["sender"], receiver, people, rounds).play(seed)
    return MODELS[role].fold(made.trials)


# Against brute force


def log_of_steps(choice, best, sigma):
    """Log of the probability of a recorded position, of all that it could stand for."""
    z = (choice - best) / sigma
    if choice in (0.0, 100.0):
        return norm.logcdf((z if choice == 0 else -z) + 0.5 / sigma)
    return log_near(norm, z, 0.5 / sigma)


def by_hand(units, given, answer, location, spread):
    """Log likelihood of each subject: a fine grid of what best choices depend on, and noise.

    Noise is integrated over its population by Gauss and Hermite, whatever its width.
    """
    line = np.linspace(-9, 9, 3001)
    log_mass = -0.5 * line**2 - 0.5 * np.log(2 * np.pi) + np.log(line[1] - line[0])
    noise = np.exp(given["response_noise_mu"] + given["response_noise_sigma"] * NODES) * 50
    sigma = np.hypot(noise, 1 / 8)[:, None]
    total = []
    for subject in range(len(units.subjects)):
        rows = np.flatnonzero(units.trial_subject == subject)
        logs = log_mass + np.log(WEIGHTS / np.sqrt(2 * np.pi))[:, None]
        for row in rows:
            treatment = units.unit_treatment[units.trial_unit[row]]
            values = location[treatment] + spread * line
            best = answer(units.trial_seen[row], values, treatment)
            logs = logs + log_of_steps(units.trial_choice[row], best, sigma)
        total.append(logsumexp(logs))
    return np.array(total)


def receivers(units, given):
    def action(message, values, treatment):
        return (1 + expit(values)) / 2 * message  # half of what is doubted is true, on average

    return by_hand(units, given, action, given["trust_mu"], given["trust_sigma"])


def senders(units, given):
    def message(state, values, treatment):
        terms = GAME.terms([units.treatments[treatment]] * values.size)
        cost = np.exp(values) * GAME.lying_unit
        trust = np.full(values.size, expit(given["expected_trust_mu"][treatment]))
        states = np.full(values.size, state)
        return interval.message(states, cost, trust, terms, lying_cost="quadratic")

    location = np.repeat(given["lying_aversion_mu"], 2)
    return by_hand(units, given, message, location, given["lying_aversion_sigma"])


@pytest.mark.parametrize(
    ("role", "people", "rounds", "seed", "hand"),
    [
        # Trust that is nearly full in one treatment, where it is hardly known.
        ("receiver", 12, 12, 777, receivers),
        # All alike in their noise, of half a step: a narrow population of sharp likelihoods.
        ("receiver", 20, 20, 20180449, receivers),
        # Exact people, whose lying aversion is known but for what they expect: ridges.
        ("sender", 12, 12, 20180433, senders),
    ],
)
def test_people_are_integrated_out_right_all_over_the_posterior(role, people, rounds, seed, hand):
    units = played(role, people, rounds, seed)
    prepared = prepare_units(MODELS[role], GAME, units)
    assert prepared.integration.fine
    points = prepared.adapted.resampled(4, np.random.default_rng(5))
    free = prepared.graph.model.free_RVs
    gaps = []
    for point in points:
        values = prepared.density.many(point[None], free)
        given = {v.name: np.asarray(a)[0] for v, a in zip(free, values, strict=True)}
        logs = prepared.marginal.by_subject(prepared.population(point))
        gaps.append((logs - hand(units, given)).sum())
    # As much as the engine allows itself; constants do not matter.
    assert np.std(gaps) < INTEGRATION_ERROR


# Anchors


@pytest.mark.parametrize("treatments", [("Full", "Half"), ("Half", "Full")])
def test_values_are_taken_where_choices_tell_most(treatments):
    game = tb.IntervalGame(0.0, 100.0, dict.fromkeys(treatments, 20.0), step=1.0)
    location = [{"Full": 6.0, "Half": 0.0}[name] for name in treatments]
    planted = {"trust": tb.Prior("LogitNormal", mu=location, sigma=0.3)}
    sender = tb.model("trust-embedded", "sender", game)
    receiver = tb.model("trust-embedded", "receiver", game, priors=planted)
    made = Experiment(game, sender, receiver, 12, 20).play(3)
    model = tb.model("trust-embedded", "receiver", game)
    units = model.fold(made.trials)
    telling = dict(zip(units.treatments, sharpness(layout_of(model, game, units)), strict=True))
    assert telling["Half"] > 2 * telling["Full"]
    layout = untabulated(model, game, units).layout
    assert {units.treatments[at] for at in layout.anchor} == {"Half"}


# Boxes


def test_a_sharp_likelihood_between_nodes_is_seen():
    # Trust known to a hundredth of what lies between nodes, if noise is what it is; a wrong noise
    # is a thousand times less likely, but blunt.
    nodes = np.linspace(-1, 1, 15)
    sharp = -0.5 * ((nodes - nodes[7] - 0.05) / 0.01) ** 2
    blunt = -0.5 * (nodes / 0.5) ** 2 - 7.0
    cube = np.array([sharp] * 7 + [blunt] * 8).reshape(-1, 1)
    assert cube[7 * 15 :].max() > cube[: 7 * 15].max()
    seen = (cube + between(cube, 15, 2)).reshape(15, 15)
    assert seen[3].max() == pytest.approx(0.0, abs=1e-6)
    assert seen[10].max() == pytest.approx(blunt.max(), abs=1e-6)
