"""Families of distributions: what each says of a population, against densities by SciPy."""

import subprocess
import sys

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy import integrate, stats

from trustbayes.priors.families import FAMILIES
from trustbayes.priors.links import LINK_OF_SUPPORT, LOG, LOGIT

POPULATIONS = {
    "Normal": (0.4, {"sigma": 0.7}, stats.norm(0.4, 0.7)),
    "StudentT": (0.4, {"nu": 5.0, "sigma": 0.7}, stats.t(5, 0.4, 0.7)),
    "LogNormal": (0.4, {"sigma": 0.7}, stats.lognorm(0.7, scale=np.exp(0.4))),
    "Gamma": (np.log(1.5), {"shape": 3.0}, stats.gamma(3, scale=0.5)),
    "HalfNormal": (0.0, {"sigma": 1.7}, stats.halfnorm(scale=1.7)),
    "Exponential": (0.0, {"lam": 0.6}, stats.expon(scale=1 / 0.6)),
    "LogitNormal": (0.4, {"sigma": 0.7}, None),
    "Beta": (0.0, {"alpha": 2.0, "beta": 3.5}, stats.beta(2, 3.5)),
    "ZeroSumNormal": (0.0, {"sigma": 0.7}, stats.norm(0, 0.7)),
}
GRID = np.linspace(-2.5, 2.5, 21)


def as_arrays(shape):
    return {key: np.array(value) for key, value in shape.items()}


def test_every_population_is_here():
    assert set(POPULATIONS) == {n for n, f in FAMILIES.items() if f.support != "simplex"}


@pytest.mark.parametrize("name", POPULATIONS)
def test_density_on_the_scale_of_the_link_is_that_of_the_values(name):
    family, (location, shape, whole) = FAMILIES[name], POPULATIONS[name]
    logs = family.log_density(GRID - location, as_arrays(shape))
    if whole is None:  # SciPy has none; its logit is normal
        expected = stats.norm(location, shape["sigma"]).logpdf(GRID)
    else:
        values = family.link.inverse(GRID)
        slope = {"": 1.0, "log": values, "logit": values * (1 - values)}[family.link.name]
        expected = whole.logpdf(values) + np.log(slope)
    np.testing.assert_allclose(logs, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", POPULATIONS)
def test_moments_are_those_of_the_density(name):
    family, (location, shape, _) = FAMILIES[name], POPULATIONS[name]
    shape = as_arrays(shape)
    mean, variance = family.moments(np.array(location), shape)

    def density(x):
        return float(np.exp(family.log_density(np.array(x - location), shape)))

    ends = (-200, 200) if name == "StudentT" else (-40, 12)
    at = {"points": [float(mean)], "limit": 400}
    expected = integrate.quad(lambda x: x * density(x), *ends, **at)[0]
    assert mean == pytest.approx(expected, abs=1e-6)
    square = integrate.quad(lambda x: (x - expected) ** 2 * density(x), *ends, **at)[0]
    # The half-normal's is rounded; of Student's t the tails beyond the ends are missing.
    near = {"HalfNormal": 1e-12, "StudentT": 1e-4}
    assert variance == pytest.approx(square, rel=near.get(name, 1e-6))


@pytest.mark.parametrize("name", [n for n, f in FAMILIES.items() if f.has_symbolic_density])
def test_pytensor_has_the_same_density_and_nearly_the_same_moments(name):
    family, (location, shape, _) = FAMILIES[name], POPULATIONS[name]
    gap = pt.dvector("gap")
    symbols = {key: pt.as_tensor(value) for key, value in as_arrays(shape).items()}
    logs = family.log_density(gap, symbols).eval({gap: GRID})
    np.testing.assert_allclose(logs, family.log_density(GRID, as_arrays(shape)), rtol=1e-12)
    moments = [
        float(pt.as_tensor(part).eval())
        for part in family.symbolic_moments(pt.constant(location), symbols)
    ]
    exact = family.moments(np.array(location), as_arrays(shape))
    # A gamma's by series, which at shape 3 miss by half a per cent of a variance.
    np.testing.assert_allclose(moments, exact, rtol=0.02, atol=0.001)


@pytest.mark.parametrize("link", LINK_OF_SUPPORT.values(), ids=list(LINK_OF_SUPPORT))
def test_links_lead_back_in_numpy_and_in_pytensor(link):
    values = link.inverse(GRID)
    np.testing.assert_allclose(link.forward(values), GRID, atol=1e-12)
    symbolic = pt.as_tensor(link.symbolic(pt.constant(GRID))).eval()
    np.testing.assert_allclose(symbolic, values, rtol=1e-12)


def test_effects_multiply_a_natural_location_and_add_to_another():
    gamma, log_normal = FAMILIES["Gamma"], FAMILIES["LogNormal"]
    assert gamma.link is log_normal.link is LOG
    assert (gamma.scale, gamma.inverse_name, gamma.no_effect) == ("natural", "", "1")
    words = (log_normal.scale, log_normal.inverse_name, log_normal.no_effect)
    assert words == ("link (log)", "exp", "0")
    assert gamma.linked_location(2.0) == np.log(2.0)
    assert gamma.natural_location_of(np.log(2.0)) == pytest.approx(2.0)
    assert log_normal.linked_location(2.0) == log_normal.natural_location_of(2.0) == 2.0
    assert FAMILIES["Beta"].link is LOGIT
    assert FAMILIES["Beta"].scale == "natural"


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("name", ["Normal", "StudentT", "Gamma", "LogNormal", "LogitNormal"])
def test_effects_of_a_model_have_the_family_s_distribution(name, centred):
    family, (location, shape, whole) = FAMILIES[name], POPULATIONS[name]
    with pm.Model(coords={"subject": range(4000)}):
        effect = family.effect("x", pt.constant(location), shape, 0.3, centred, ("subject",))
    drawn = pm.draw(effect, random_seed=5, mode="FAST_COMPILE")
    values = family.link.inverse(location + drawn)
    if whole is None:
        whole, values = stats.norm(location, shape["sigma"]), location + drawn
    # 4,000 draws leave a Kolmogorov distance of 0.031 once in a thousand.
    assert stats.kstest(values, whole.cdf).statistic < 0.031


def test_priors_are_at_hand_without_pymc():
    code = (
        "import sys; from trustbayes.priors import Prior; Prior('Gamma', mean=2, shape=3).draw(3); "
        "sys.exit(any(name in sys.modules for name in ('pymc', 'pytensor', 'xarray')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", POPULATIONS)
def test_slopes_are_differences_of_the_density(name):
    family, (location, shape, _) = FAMILIES[name], POPULATIONS[name]
    gap, step = GRID - location, 1e-6
    slope, slopes = family.slopes(gap, shape)
    high, low = (family.log_density(gap + sign * step, shape) for sign in (1, -1))
    np.testing.assert_allclose(slope, (high - low) / (2 * step), rtol=1e-6, atol=1e-7)
    assert set(slopes) == set(shape)
    for key, value in shape.items():
        high, low = (
            family.log_density(gap, {**shape, key: value + sign * step}) for sign in (1, -1)
        )
        np.testing.assert_allclose(slopes[key], (high - low) / (2 * step), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", POPULATIONS)
@pytest.mark.parametrize("upper", [False, True])
def test_tails_are_integrals_of_the_density(name, upper):
    family, (_, shape, _) = FAMILIES[name], POPULATIONS[name]
    gap, step = np.array([-0.8, 0.3]), 1e-5
    ends = (-200.0, 200.0) if name == "StudentT" else (-40.0, 12.0)
    for edge, log_tail in zip(gap, family.log_tail(gap, shape, upper), strict=True):
        over = (edge, ends[1]) if upper else (ends[0], edge)
        mass = integrate.quad(
            lambda x: float(np.exp(family.log_density(np.array(x), as_arrays(shape)))),
            *over,
            limit=400,
        )[0]
        assert log_tail == pytest.approx(np.log(mass), abs=1e-5)
    slope, slopes = family.tail_slopes(gap, shape, upper)
    high, low = (family.log_tail(gap + sign * step, shape, upper) for sign in (1, -1))
    np.testing.assert_allclose(slope, (high - low) / (2 * step), rtol=1e-5, atol=1e-7)
    for key, value in shape.items():
        high, low = (
            family.log_tail(gap, {**shape, key: value + sign * step}, upper) for sign in (1, -1)
        )
        np.testing.assert_allclose(slopes[key], (high - low) / (2 * step), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", POPULATIONS)
def test_drawn_gaps_have_the_moments(name):
    family, (_, shape, _) = FAMILIES[name], POPULATIONS[name]
    drawn = family.draw_gaps(np.random.default_rng(1), 40_000, shape)
    mean, variance = family.moments(np.array(0.0), as_arrays(shape))
    # Four standard errors of a mean of 40,000, and 8 % for heavy tails of squares.
    assert drawn.mean() == pytest.approx(float(mean), abs=4 * float(variance) ** 0.5 / 200)
    assert drawn.var() == pytest.approx(float(variance), rel=0.08)
