"""Tables serve the whole posterior, not only where it is highest.

With six senders' receivers the posterior of the gaps between treatments reaches far. Tables that
end too early, or lack nodes that matter only there, leave the mode as it is and bend the posterior.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, gammaln, log_softmax, logsumexp

import trustbayes as tb
from trustbayes.inference.engines.population.engine import prepare_units
from trustbayes.inference.engines.population.sampler import draw_population
from trustbayes.inference.gate import INTEGRATION_ERROR
from trustbayes.inference.sampling import Sampling
from trustbayes.theories.trust_embedded.finite import distrusted_prior

DRAWS = Sampling(draws=100, chains=2, seed=5)


@pytest.fixture(scope="module")
def few():
    """The trials of six senders, and of the 32 receivers whom they met a few times each."""
    data = tb.bundled("simulated-finite")
    trials = tb.read_trials(data.trials, tb.read_game(data.game))
    senders = [f"s{number:02d}" for number in range(1, 7)]
    return trials.subset(trials.table["sender"].isin(senders).to_numpy(), "six senders")


def receivers_by_hand(units, game, mu, sigma, mean, shape):
    """Log likelihood of each trust-embedded receiver, by sums over an even grid."""
    z, log_offset = np.linspace(-7, 7, 141), np.linspace(-14, 3.2, 201)
    trust_mass = -0.5 * z**2 - 0.5 * np.log(2 * np.pi) + np.log(z[1] - z[0])
    offset_mass = shape * np.log(shape) - gammaln(shape) + shape * (log_offset - np.exp(log_offset))
    offset_mass += np.log(log_offset[1] - log_offset[0])
    precision = mean * np.exp(log_offset)
    total = np.zeros((len(units.subjects), z.size, log_offset.size)) + trust_mass[:, None]
    total += offset_mass
    states, messages, actions = game.states, game.messages, game.actions
    # Cells of the same treatment, bias and message share their probabilities, whoever's they are.
    alike: dict[tuple[int, int], list[int]] = {}
    for unit, place in enumerate(zip(units.unit_treatment, units.unit_bias, strict=True)):
        alike.setdefault(place, []).append(unit)
    for (treatment, at), members in alike.items():
        trust = expit(mu[treatment] + sigma * z)[:, None, None]
        doubt = distrusted_prior(game, units.biases[at])
        for seen in range(messages.size):
            believed = trust * messages[seen] + (1 - trust) * states[:, None]
            payoff = 110 - 20 * np.abs(believed - actions) ** 1.4
            utility = np.einsum("s,zsa->za", doubt[seen], payoff) / game.scale
            logs = log_softmax(utility[:, None] * precision[:, None], axis=-1)
            for unit in members:
                if units.counts[unit, seen].any():
                    total[units.unit_subject[unit]] += logs @ units.counts[unit, seen]
    return logsumexp(total.reshape(len(total), -1), axis=1)


@pytest.fixture(scope="module")
def state(few):
    return prepare_units(tb.TrustEmbedded("receiver"), few.game, few.fold("receiver"))


def test_likelihoods_are_right_all_over_the_posterior(few, state):
    units = few.fold("receiver")
    draws = draw_population(state.density, state.adapted, DRAWS)
    assert draws.pareto_k < 0.7
    points = draws.points.reshape(-1, draws.points.shape[-1])
    # The extreme draws of every coordinate, where tables would fail first.
    extreme = np.unique([points.argmin(axis=0), points.argmax(axis=0)])
    free = state.graph.model.free_RVs
    gaps = []
    for point in points[extreme]:
        values = state.density.many(point[None], free)
        given = {v.name: np.asarray(a)[0] for v, a in zip(free, values, strict=True)}
        expected = receivers_by_hand(
            units,
            few.game,
            given["trust_mu"],
            given["trust_sigma"],
            given["response_precision_mean"],
            given["response_precision_shape"],
        )
        gaps.append(state.marginal.by_subject(state.population(point)).sum() - expected.sum())
    # No mean can move by more posterior standard deviations than this number's.
    assert np.std(gaps) < INTEGRATION_ERROR


def test_nothing_is_said_of_populations_beyond_the_tables(state):
    names = [variable.name for variable in state.density.values]
    [place] = [n for n, name in enumerate(names) if name.startswith("trust_mu")]
    far = state.mode.copy()
    far[state.density._slices[place]] += np.array([0.0, 9.0, -9.0])
    assert state.density.value(far) == -np.inf
    assert state.density(far)[0] == -np.inf
