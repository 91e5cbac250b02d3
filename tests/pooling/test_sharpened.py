"""Likelihoods that are known at draws: met by normal forms, where draws alone leave an error."""

import numpy as np
import pytest
from scipy.special import log_ndtr

import trustbayes as tb
from trustbayes.inference.engines.population.engine import prepare
from trustbayes.inference.engines.population.marginal import PopulationValue
from trustbayes.pooling.common_scales import are_all, common_scales
from trustbayes.pooling.likelihoods import evidence_of
from trustbayes.pooling.second_stage import evidence_from
from trustbayes.pooling.sharpened import FARTHEST, bounded, log_sum, sharpened

ONE = tb.FiniteGame([1, 2, 3], treatments={"Only": 1.0})
NORMAL = [s for s in common_scales(tb.FullTrust("sender")) if s.statistic == "location"]
"""A number whose prior is normal with mean and standard deviation 1."""


def spread_of_gap(evidence, points, values):
    """How far an evidence's log likelihood is off at points, but for a number."""
    return (values - evidence.log_likelihood(points)).std()


@pytest.mark.parametrize("seed", range(10))
def test_a_normal_form_is_met_exactly_by_few_points(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(80, 3))
    factor, linear = rng.normal(size=(3, 3)), rng.normal(size=3)
    precision = factor @ factor.T + np.eye(3)
    values = points @ linear - 0.5 * np.einsum("nd,de,ne->n", points, precision, points)
    start = np.zeros(1), np.zeros((1, 3)), 0.3 * np.eye(3)[None]
    _, found_linear, found_precision = sharpened(start, points, values)
    np.testing.assert_allclose(found_linear[0], linear, atol=1e-6)
    np.testing.assert_allclose(found_precision[0], precision, atol=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_known_at_draws_helps_where_the_likelihood_is_no_normal(seed):
    """People who are as exact as can be: any higher precision is as likely."""
    rng = np.random.default_rng(seed)

    def log_likelihood(values):
        return log_ndtr(3 * (values - 1.5))

    def posterior(size):
        drawn = rng.normal(1.0, 1.0, 20 * size)
        return rng.permutation(drawn[np.log(rng.random(drawn.size)) < log_likelihood(drawn)])[:size]

    draws = posterior(1000)[:, None]
    plain = evidence_of(NORMAL, draws)
    better = plain.knowing(draws, log_likelihood(draws[:, 0]))
    new = posterior(2000)[:, None]
    gaps = [spread_of_gap(e, new, log_likelihood(new[:, 0])) for e in (plain, better)]
    assert gaps[1] < 0.1  # of two thousand new points some lie beyond the draws
    assert gaps[1] < 0.75 * gaps[0]


def test_no_form_goes_on_rising():
    slope = np.array([2.0, 0.0])
    precision = bounded(np.array([[-1.0, 0.0], [0.0, 4.0]]), slope)
    assert (np.linalg.eigvalsh(precision) > 0).all()
    # Along the first number it rose without end: now to as far as draws could tell.
    assert np.linalg.solve(precision, slope)[0] == pytest.approx(FARTHEST)
    assert precision[1, 1] == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("model", "treatments", "expected"),
    [
        (tb.LevelK("sender"), 2, True),
        (tb.TrustEmbedded("receiver"), 1, True),
        (tb.TrustEmbedded("receiver"), 2, False),  # trust differs between them
        (tb.TrustEmbedded("receiver", varies={"trust": ("subject",)}), 2, True),
        (tb.LevelK("sender", formulas={"response_precision": "1 + age"}), 1, False),
        (tb.Babbling("sender"), 1, False),  # habits of each message
    ],
)
def test_which_numbers_are_all_that_people_depend_on(model, treatments, expected):
    scales = [scale for scale in common_scales(model) if scale.exists(treatments)]
    assert are_all(scales, model, treatments) == expected


@pytest.mark.slow  # a fit, and the engine's likelihood at five hundred populations
def test_evidence_of_a_fit_is_nearly_the_engines_likelihood():
    """At populations that are drawn towards others, as pooled ones are."""
    model = tb.LevelK("sender")
    played = tb.simulate(ONE, sender=model, receiver=None, subjects=8, rounds=12, seed=5)
    trials = tb.trials_from_frame(played.trials, ONE)
    sampling = tb.Sampling(draws=250, tune=150, method="population")
    fit = tb.fit(model, trials, sampling, progress=False)
    scales = common_scales(model)
    alone = evidence_from(fit, {scale.label: scale for scale in scales})
    logs = fit.log_likelihood["trials"].transpose("chain", "draw", "subject").to_numpy()
    evidence = alone.knowing(alone.draws, logs.sum(axis=-1, dtype=float).reshape(-1))
    centre, spread = evidence.draws.mean(axis=0), evidence.draws.std(axis=0)
    prior = np.array([scale.moments(1)[0] for scale in scales])
    rng = np.random.default_rng(1)
    points = 0.5 * (centre + prior) + 0.7 * spread * rng.normal(size=(500, len(scales)))
    marginal = prepare(model, trials).marginal
    exact = np.array([marginal.by_subject(population(point)).sum() for point in points])
    # Half of what the thousand draws alone leave, .4 to .6 nats.
    assert spread_of_gap(evidence, points, exact) < 0.25
    assert spread_of_gap(alone, points, exact) > spread_of_gap(evidence, points, exact)


def population(point):
    """A level-k population, from its numbers on common scales."""
    shares, left = [], 1.0
    for chance in 1 / (1 + np.exp(-point[2:])):
        shares.append(left * (1 - chance))
        left *= chance
    return PopulationValue(
        (point[:1],), ({"shape": float(np.exp(point[1]))},), np.log([[*shares, left]]), {}
    )


@pytest.mark.parametrize("seed", range(10))
def test_no_form_may_be_high_where_the_likelihood_is_known_to_be_low(seed):
    """A form that says so at the start is brought down, though such points hardly count else."""
    rng = np.random.default_rng(seed)
    points = np.concatenate([rng.normal(size=(150, 1)), rng.normal(8.0, 1.0, size=(150, 1))])
    points = rng.permutation(points)
    values = -0.5 * points[:, 0] ** 2  # around 8 lower than at 0 by 32 nats
    forms = np.zeros(2), np.array([[0.0], [8.0]]), np.array([[[1.0]], [[1.0]]])
    assert log_sum(forms, np.array([[8.0]])) > log_sum(forms, np.array([[0.0]])) + 30
    better = sharpened(forms, points, values, least=-3.0)
    high, low = log_sum(better, np.array([[0.0], [8.0]]))
    assert low < high - 10
    near = np.linspace(-2, 2, 41)[:, None]
    gap = -0.5 * near[:, 0] ** 2 - log_sum(better, near)
    assert gap.std() < 0.05
