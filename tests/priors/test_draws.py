"""Draws from priors, their pictures, and priors that PreliZ has elicited."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pymc as pm
import pytest
from scipy import stats

from trustbayes.models import LevelK, TrustEmbedded
from trustbayes.priors.code import CustomPrior
from trustbayes.priors.prior import Prior

MU = Prior("Normal", mu=0.3, sigma=1)
VALUES = [
    Prior("Normal", mu=MU, sigma=0.5),
    Prior("StudentT", nu=4, mu=1, sigma=2),
    Prior("LogNormal", mu=MU, sigma=Prior("HalfNormal", sigma=0.5)),
    Prior("Gamma", mean=Prior("LogNormal", mu=1, sigma=0.5), shape=3),
    Prior("HalfNormal", sigma=2),
    Prior("Exponential", lam=Prior("Gamma", mean=2, shape=5)),
    Prior("LogitNormal", mu=MU, sigma=0.5),
    Prior("Beta", alpha=2, beta=3),
]
SIZE = 20_000
# Uniform by the true distribution function, 20,000 draws leave a Kolmogorov distance of 0.0138
# once in a thousand; two samples of that size against each other, of 0.0195.
ONE, TWO = 0.014, 0.0195


@pytest.mark.parametrize("prior", VALUES, ids=str)
def test_draws_are_those_of_the_variable_in_a_model(prior):
    with pm.Model():
        expected = pm.draw(prior.variable("x"), draws=SIZE, random_seed=2, mode="FAST_COMPILE")
    assert stats.ks_2samp(prior.draw(SIZE, seed=1), expected).statistic < TWO


def test_a_hierarchy_holds_the_spread_of_the_population_too():
    drawn = Prior("LogNormal", mu=MU, sigma=0.75).draw(SIZE, seed=1)
    whole = stats.norm(0.3, np.hypot(1, 0.75))
    assert stats.kstest(np.log(drawn), whole.cdf).statistic < ONE


def test_shares_are_those_of_the_distribution():
    poisson = Prior("TruncatedPoisson", tau=1.5).draw(3, shares=5)
    expected = stats.poisson.pmf(np.arange(5), 1.5) / stats.poisson.cdf(4, 1.5)
    np.testing.assert_allclose(poisson, np.tile(expected, (3, 1)))
    weights = np.array([1.0, 2.0, 5.0])
    drawn = Prior("Dirichlet", a=weights).draw(SIZE, seed=1)
    for one, weight in zip(drawn.T, weights, strict=True):
        assert stats.kstest(one, stats.beta(weight, 8 - weight).cdf).statistic < ONE
    assert Prior("Dirichlet", a=1).draw(2, shares=6).shape == (2, 6)


def test_the_picture_shows_the_density():
    axes = Prior("Beta", alpha=2, beta=3).plot()
    [line] = axes.get_lines()
    x, y = line.get_data()
    # 60 bins of 200,000 draws: about 3,300 in each, so that 8% is four standard errors.
    np.testing.assert_allclose(y, stats.beta(2, 3).pdf(x), rtol=0.08, atol=0.02)
    assert "median 0.39, 90% between 0.098 and 0.75" in axes.get_legend_handles_labels()[1]
    plt.close(axes.figure)


def test_pictures_of_shares_of_treatments_and_on_given_axes():
    figure, (first, second) = plt.subplots(2)
    assert Prior("Dirichlet", a=1).plot(first, labels=list("abc")) is first
    assert [label.get_text() for label in first.get_xticklabels()] == list("abc")
    by_treatment = Prior("LogitNormal", mu=[-1, 1], sigma=0.5)
    by_treatment.plot(second, labels=["Low", "High"])
    assert [line.get_label()[:4] for line in second.get_lines()] == ["Low:", "High"]
    with pytest.raises(ValueError, match="labels: found 3, expected 2"):
        by_treatment.plot(labels=list("abc"))
    plt.close(figure)


def test_code_has_no_draws_of_its_own():
    code = CustomPrior(lambda dims: pm.HalfNormal("b", dims=dims), ("b",))
    with pytest.raises(ValueError, match="found Python code, expected a prior by name"):
        code.plot()


def made_up(name, frozen=True, **parameters):
    """What PreliZ's distribution of that name looks like from outside."""
    kind = type(name, (SimpleNamespace,), {"__module__": "preliz.distributions.made_up"})
    return kind(is_frozen=frozen, **parameters)


@pytest.mark.parametrize(
    ("elicited", "expected"),
    [
        (made_up("Beta", alpha=2.0, beta=3.0), Prior("Beta", alpha=2, beta=3)),
        (made_up("Gamma", alpha=3.0, beta=2.0), Prior("Gamma", mean=1.5, shape=3)),
        (made_up("Exponential", lam=2.0), Prior("Exponential", lam=2)),
        (made_up("Dirichlet", alpha=np.array([1.0, 2.0])), Prior("Dirichlet", a=[1, 2])),
    ],
    ids=["Beta", "Gamma", "Exponential", "Dirichlet"],
)
def test_what_was_elicited_becomes_a_prior(elicited, expected):
    assert Prior.from_preliz(elicited) == expected


def test_what_has_no_counterpart_is_refused():
    with pytest.raises(ValueError, match="found PreliZ's Weibull, expected one of Beta, Dir"):
        Prior.from_preliz(made_up("Weibull", alpha=1.0))
    with pytest.raises(ValueError, match="Beta without parameters"):
        Prior.from_preliz(made_up("Beta", frozen=False))
    with pytest.raises(ValueError, match="expected one of PreliZ's"):
        Prior.from_preliz(2.0)


def test_preliz_itself_elicits_priors_that_models_take():
    pz = pytest.importorskip("preliz", reason="the extra 'elicit' is not installed")
    trust = pz.maxent(pz.Beta(), 0.2, 0.8, 0.9, plot=False)
    prior = TrustEmbedded("receiver", priors={"trust": trust}).priors["trust"]
    assert stats.beta(*prior.arguments.values()).cdf([0.2, 0.8]) == pytest.approx(
        [0.05, 0.95], abs=0.001
    )
    centre = Prior("LogitNormal", mu=pz.quartile(pz.Normal(), -1, 0, 1, plot=False), sigma=0.5)
    assert centre.hierarchical
    # Each of PreliZ's distributions has the same mean and standard deviation here.
    for one in (
        pz.Gamma(2, 3), pz.LogNormal(0.2, 0.5), pz.Exponential(2), pz.HalfNormal(2),
        pz.Beta(2, 3), pz.Normal(1, 2), pz.StudentT(9, 1, 2), pz.LogitNormal(0.3, 1),
    ):  # fmt: skip
        drawn = Prior.from_preliz(one).draw(200_000, seed=1)
        expected = [float(one.mean()), float(one.std())]
        assert [drawn.mean(), drawn.std()] == pytest.approx(expected, rel=0.02)
    shares = Prior.from_preliz(pz.Dirichlet([1, 2, 3, 4]))
    assert LevelK("sender", priors={"level": shares}).priors["level"].length == 4
    with pytest.raises(ValueError, match="expected one whose support is unit"):
        TrustEmbedded("receiver", priors={"trust": pz.Gamma(2, 1)})
