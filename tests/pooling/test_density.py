"""The second stage: held against closed forms, grids and differences."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from trustbayes.inference.sampling import Sampling
from trustbayes.models import LevelK, TrustEmbedded
from trustbayes.pooling.common_scales import common_scales
from trustbayes.pooling.coordinates import EvenCoordinates
from trustbayes.pooling.density import Hyperpriors, PooledDensity
from trustbayes.pooling.likelihoods import evidence_of, fitted_mixture
from trustbayes.pooling.second_stage import pool_evidence

SCALES = {
    scale.parameter: scale
    for scale in common_scales(TrustEmbedded("receiver"))
    if scale.statistic == "location"
}
TRUST = SCALES["trust"]  # normal about 0 with standard deviation 1.5
BOTH = tuple(SCALES.values())
SAMPLING = Sampling(draws=500, tune=300, seed=3)


def posterior_draws(estimate, error, size=4000, seed=1):
    """What a fit of one experiment gives: a normal prior, and a normal likelihood."""
    mean, spread = TRUST.moments(1)
    precision = 1 / spread**2 + 1 / error**2
    middle = (mean / spread**2 + estimate / error**2) / precision
    z = np.random.default_rng(seed).normal(size=size)
    z = (z - z.mean()) / z.std()  # the moments are exact, so that what is tested is what follows
    return (middle + z / np.sqrt(precision))[:, None]


def by_hand(estimates, errors, between):
    """Means of μ, τ and each ψ, by normal theory given τ and a sum over τ."""
    mean, spread = TRUST.moments(1)
    tau = np.linspace(1e-3, 6 * between, 6000)
    variance = errors[:, None] ** 2 + tau**2
    precision = 1 / spread**2 + (1 / variance).sum(axis=0)
    middle = (mean / spread**2 + (estimates[:, None] / variance).sum(axis=0)) / precision
    logs = stats.halfnorm.logpdf(tau, scale=between) - 0.5 * np.log(precision)
    logs += stats.norm.logpdf(estimates[:, None], middle, np.sqrt(variance)).sum(axis=0)
    logs += stats.norm.logpdf(middle, mean, spread)
    weight = np.exp(logs - logsumexp(logs))
    pull = errors[:, None] ** 2 / variance
    each = pull * middle + (1 - pull) * estimates[:, None]
    return weight @ middle, weight @ tau, each @ weight


def test_shrinkage_is_that_of_normal_theory():
    estimates, errors = np.array([-0.8, 0.1, 0.3, 0.5, 2.0]), np.array([0.2, 0.6, 0.3, 0.9, 0.4])
    evidence = {
        f"e{i}": evidence_of([TRUST], posterior_draws(y, s, seed=i))
        for i, (y, s) in enumerate(zip(estimates, errors, strict=True))
    }
    found = pool_evidence(
        "trust-embedded", "receiver", evidence, {TRUST.label: TRUST}, sampling=SAMPLING
    )
    assert found.gate.passed
    mean, spread, each = by_hand(estimates, errors, 1.0)
    draws = found.posterior.mean(("chain", "draw"))
    # About six hundred effective draws of quantities with standard deviations below .6.
    np.testing.assert_allclose(draws["mean"].to_numpy(), mean, atol=0.08)
    np.testing.assert_allclose(draws["spread"].to_numpy(), spread, atol=0.08)
    np.testing.assert_allclose(draws["population"].to_numpy()[:, 0], each, atol=0.05)
    assert found.error < 0.1


def test_one_experiment_alone_keeps_its_own_answer_when_spreads_may_be_wide():
    alone = posterior_draws(0.7, 0.15)
    found = pool_evidence(
        "trust-embedded",
        "receiver",
        {"only": evidence_of([TRUST], alone)},
        {TRUST.label: TRUST},
        between=10.0,
        sampling=SAMPLING,
    )
    draws = found.posterior["population"].to_numpy().ravel()
    assert draws.mean() == pytest.approx(alone.mean(), abs=0.02)
    assert draws.std() == pytest.approx(alone.std(), rel=0.06)


@pytest.mark.parametrize("seed", range(3))
def test_one_exact_experiment_is_no_funnel(seed):
    """Its number is the pooled mean's within the spread, however small that is."""
    drawn = pool_evidence(
        "trust-embedded",
        "receiver",
        {"only": evidence_of([TRUST], posterior_draws(0.7, 0.01))},
        {TRUST.label: TRUST},
        sampling=replace(SAMPLING, seed=seed),
    )
    assert drawn.gate.passed
    draws = drawn.posterior.mean(("chain", "draw"))
    mean, spread, _ = by_hand(np.array([0.7]), np.array([0.01]), 1.0)
    # Six hundred effective draws of a mean whose standard deviation is .75 are off by .03.
    assert draws["mean"].item() == pytest.approx(mean, abs=0.1)
    assert draws["spread"].item() == pytest.approx(spread, abs=0.1)


def test_numbers_that_only_their_own_prior_bounds_are_named():
    of_four = replace(TRUST, by_treatment=True)
    mean, narrow = of_four.moments(4)
    rng = np.random.default_rng(4)
    flat = evidence_of([of_four], mean + narrow * rng.normal(size=(4000, 1)), treatments=4)
    known = evidence_of([of_four], 1.5 + 0.1 * rng.normal(size=(4000, 1)), treatments=4)
    found = pool_evidence(
        "trust-embedded",
        "receiver",
        {"flat": flat, "known": known},
        {of_four.label: of_four},
        sampling=SAMPLING,
    )
    # The population of experiments is wider than the mean of four treatments is in one of them.
    assert found.unreached == ("flat: trust, location",)
    beyond = found.errors.set_index("experiment")["beyond"]
    assert beyond["known"] == pytest.approx(0.01, abs=0.01)


def test_what_an_experiment_says_of_nothing_changes_nothing():
    rng = np.random.default_rng(5)
    mean, spread = TRUST.moments(1)
    flat = evidence_of([TRUST], mean + spread * rng.normal(size=(4000, 1)))
    points = np.linspace(-2, 2, 9)[:, None]
    # Draws from the prior: a likelihood that is flat but for 4,000 draws' own moments.
    assert np.ptp(flat.log_likelihood(points)) < 0.1


def test_draws_from_a_skewed_prior_say_nothing_either():
    """A half-normal prior of a spread: no draw tells of where it ends."""
    receivers = common_scales(TrustEmbedded("receiver"))
    spread = next(s for s in receivers if (s.parameter, s.statistic) == ("trust", "spread"))
    draws = np.log(np.abs(np.random.default_rng(6).normal(size=(4000, 1))))
    flat = evidence_of([spread], draws)
    points = np.linspace(-3, 1.5, 10)[:, None]
    assert np.ptp(flat.log_likelihood(points)) < 0.2


def test_the_mean_of_treatments_has_a_narrower_prior_that_is_taken_out():
    of_four = replace(TRUST, by_treatment=True)
    narrow = TRUST.moments(1)[1] / 2
    precision = 1 / narrow**2 + 1 / 0.5**2
    z = np.random.default_rng(2).normal(size=2000)
    draws = (0.9 / 0.5**2 / precision + (z - z.mean()) / z.std() / np.sqrt(precision))[:, None]
    found = evidence_of([of_four], draws, treatments=4)
    points = np.linspace(-1, 2, 7)
    expected = stats.norm.logpdf(points, 0.9, 0.5)
    logs = found.log_likelihood(points[:, None])
    np.testing.assert_allclose(logs - logs[0], expected - expected[0], atol=1e-3)


def middling(target):
    """A point in the middle of the prior."""
    priors = target.priors
    slopes = np.zeros(target.size - 2 * len(target.labels))
    return np.concatenate([priors.means, np.log(0.5 * priors.between), slopes])


@pytest.fixture(scope="module")
def density():
    """Three experiments, one with one number alone, one with two modes; a covariate."""
    rng = np.random.default_rng(8)
    several = np.concatenate(
        [rng.normal([0.2, 0.5], 0.3, size=(2000, 2)), rng.normal([1.5, -1.2], 0.2, size=(1000, 2))]
    )
    evidence = [
        evidence_of(BOTH, rng.permutation(several)),
        evidence_of(BOTH, rng.normal([1.4, 0.3], [0.2, 0.5], size=(3000, 2))),
        evidence_of([TRUST], rng.normal(-0.4, 0.4, size=(3000, 1))),
    ]
    assert evidence[0].constants.size > 1
    moments = np.array([one.moments(1) for one in BOTH]).T
    design = {TRUST.label: np.array([[-1.0], [0.5], [0.5]])}
    labels = [one.label for one in BOTH]
    return PooledDensity(
        labels, evidence, design, Hyperpriors(*moments, np.array([1.0, 0.7]))
    ), evidence


def test_the_gradient_is_that_of_the_density(density):
    target = density[0]
    rng = np.random.default_rng(1)
    for _ in range(5):
        point = middling(target) + rng.normal(size=target.size)
        gradient = target(point)[1]
        by_differences = [
            (target(point + 1e-5 * u)[0] - target(point - 1e-5 * u)[0]) / 2e-5
            for u in np.eye(target.size)
        ]
        np.testing.assert_allclose(gradient, by_differences, atol=1e-5, rtol=1e-6)


def test_even_coordinates_keep_the_density_and_its_gradient(density):
    target, evidence = density
    even, size = EvenCoordinates(target, evidence), 2 * len(target.labels)
    rng = np.random.default_rng(2)
    for _ in range(5):
        at = even.start + rng.normal(size=target.size)
        value, gradient = even(at)
        steps = 1e-5 * np.eye(target.size)
        up, down = even.points(at + steps), even.points(at - steps)
        jacobian = ((up - down) / 2e-5)[:size, :size]
        expected = target(even.points(at))[0] + np.linalg.slogdet(jacobian)[1]
        assert value == pytest.approx(expected, abs=1e-8)
        by_differences = [(even(at + s)[0] - even(at - s)[0]) / 2e-5 for s in steps]
        np.testing.assert_allclose(gradient, by_differences, atol=1e-5, rtol=1e-6)


def test_integrals_are_those_of_a_grid(density):
    target, evidence = density
    x = np.linspace(-10, 12, 661)
    point = middling(target) + np.array([0.3, -0.2, 0.4, 0.1, 0.5])
    location, spread = target.locations(point), np.exp(target.split(point)[1])
    grid = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    total = 0.0
    for at, one in enumerate(evidence):
        place = [target.labels.index(s.label) for s in one.scales]
        nodes = grid if len(place) == 2 else x[:, None]
        logs = one.log_likelihood(nodes) - logsumexp(one.constants)
        logs = logs + stats.norm.logpdf(nodes, location[at, place], spread[place]).sum(axis=1)
        step = (x[1] - x[0]) ** len(place)
        total += logsumexp(logs) + np.log(step)
    means, log_spread, [slope] = target.split(point)
    prior = stats.norm.logpdf(means, target.priors.means, target.priors.spreads)
    prior = prior - stats.norm.logpdf(0, 0, target.priors.spreads)
    spreads = stats.norm.logpdf(spread, 0, target.priors.between) + log_spread
    spreads = spreads - stats.norm.logpdf(0, 0, target.priors.between)
    slopes = stats.norm.logpdf(slope) - stats.norm.logpdf(0)
    expected = total + prior.sum() + spreads.sum() + slopes.sum()
    assert target(point)[0] == pytest.approx(expected, abs=1e-6)


def test_draws_of_experiments_have_the_moments_of_a_grid(density):
    target, evidence = density
    point = middling(target) + np.array([0.3, -0.2, 0.4, 0.1, 0.5])
    points = np.repeat(point[None], 20_000, axis=0)
    draws = target.draw_experiments(points, np.random.default_rng(1))
    x = np.linspace(-8, 10, 601)
    grid = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    location, spread = target.locations(point), np.exp(target.split(point)[1])
    for at in (0, 1):
        logs = evidence[at].log_likelihood(grid)
        logs += stats.norm.logpdf(grid, location[at], spread).sum(axis=1)
        weight = np.exp(logs - logsumexp(logs))
        np.testing.assert_allclose(draws[:, at].mean(axis=0), weight @ grid, atol=0.02)
        np.testing.assert_allclose(
            (draws[:, at] ** 2).mean(axis=0), weight @ grid**2, atol=0.05, rtol=0.02
        )
    # The last says nothing of the other number, which then comes from the population.
    other = 1 - target.labels.index(TRUST.label)
    assert draws[:, 2, other].std() == pytest.approx(spread[other], rel=0.03)


def _nothing(points):
    return np.zeros(len(points))


def test_a_mixture_has_as_many_components_as_predict():
    rng = np.random.default_rng(3)
    single = rng.normal(size=(2000, 2))
    weights = np.full(2000, 1 / 2000)
    assert len(fitted_mixture(single, weights, _nothing)[0]) == 1
    apart = np.where(np.arange(2000)[:, None] % 4 == 0, single * 0.3 + 3, single)
    logs, means, _ = fitted_mixture(rng.permutation(apart), weights, _nothing)
    assert len(logs) >= 2
    assert np.exp(logs[np.abs(means - 3).max(axis=1) < 0.3]).sum() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("seed", range(4))
def test_a_fit_in_a_tail_of_its_prior_still_tells_its_likelihood(seed):
    """Where six treatments lie and how far apart: much nearer to each other than expected."""
    numbers = [s for s in common_scales(TrustEmbedded("sender")) if s.parameter == "expected_trust"]
    estimate, errors = np.array([-1.0, -2.0]), np.array([0.11, 0.35])
    covariance = np.outer(errors, errors) * [[1.0, -0.7], [-0.7, 1.0]]
    mean, spread = numbers[1].moments(6)
    assert numbers[1].apart
    assert (mean - estimate[1]) / spread > 6
    axes = [np.linspace(y - 8 * s, y + 8 * s, 161) for y, s in zip(estimate, errors, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    likelihood = stats.multivariate_normal(estimate, covariance).logpdf(grid)
    alone = likelihood + sum(s.log_prior(grid[:, at], 6) for at, s in enumerate(numbers))
    rng = np.random.default_rng(seed)
    draws = grid[rng.choice(len(grid), size=1000, p=np.exp(alone - logsumexp(alone)))]
    draws += rng.uniform(-0.5, 0.5, draws.shape) * [axis[1] - axis[0] for axis in axes]
    population = stats.norm.logpdf(grid, [0.0, 0.0], [1.5, 1.0]).sum(axis=1)

    def moments(logs):
        weight = np.exp(logs - logsumexp(logs))
        return weight @ grid, np.sqrt(weight @ (grid - weight @ grid) ** 2)

    expected, spreads = moments(likelihood + population)
    found = evidence_of(numbers, draws, treatments=6)
    middle, widths = moments(found.log_likelihood(grid) + population)
    # The population is some nine tenths of a posterior standard deviation away from the fit's own
    # answer, to which a thousand draws give a Monte Carlo error below .1.
    np.testing.assert_allclose((middle - expected) / spreads, 0.0, atol=0.2)
    np.testing.assert_allclose(widths, spreads, rtol=0.1)


@pytest.mark.parametrize("seed", range(8))
def test_where_an_experiment_says_nothing_no_likelihood_rises_out_of_bounds(seed):
    """Slopes by chance, over next to no curvature, led pooled spreads to 160 under a prior of 1.

    Ten standard deviations along each of five directions, and the mean of a component.
    """
    rng, scales = np.random.default_rng(seed), common_scales(LevelK("sender"))
    columns = []
    for scale in scales:
        middle, width = scale.moments(1)
        x = np.linspace(middle - 9 * width, middle + 9 * width, 20_001)
        chance = np.exp(scale.log_prior(x, 1))
        columns.append(rng.choice(x, size=1000, p=chance / chance.sum()))
    draws = np.array(columns).T
    draws[:, 2] = draws[:, 2].mean() + 0.3 * (draws[:, 2] - draws[:, 2].mean())  # it says of one
    made = evidence_of(scales, draws)
    for linear, precision in zip(made.linear, made.precision, strict=True):
        away = (np.linalg.solve(precision, linear) - draws.mean(axis=0)) / draws.std(axis=0)
        assert np.abs(away).max() < 10 * 5**0.5 + 2
