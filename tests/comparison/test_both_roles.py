"""People in both roles: the correlation against sums over a fine grid, and as it was planted."""

import sys
from dataclasses import replace

import both
import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import gamma, norm

from trustbayes.comparison import both_roles
from trustbayes.comparison.shared_people import side_of
from trustbayes.errors import InputError
from trustbayes.models import LevelK
from trustbayes.numerics.hermite import copula
from trustbayes.theories.values import Values
from trustbayes.trials.table import trials_from_frame

joining = sys.modules["trustbayes.comparison.both_roles"]  # the function has the same name
TRUST = expit(both.POPULATION["sender"]["expected_trust"][1]["mu"])


def made(correlation, people=60, rounds=40, seed=1, draws=60):
    played = both.both_roles_trials(correlation, people, rounds, seed)
    trials = trials_from_frame(played.trials, played.game)
    fits = (both.truthful_fit(role, trials, draws) for role in ("sender", "receiver"))
    return trials, *fits


@pytest.fixture(scope="module")
def few():
    return made(0.6, people=6, rounds=12, draws=200)


def posterior_on_grid(fit, name, expected_trust=None):
    """Weights of a person's standard normal value on a grid, by a sum over her precision, too."""
    line, precise = np.linspace(-5, 5, 161), np.linspace(-4.5, 3.2, 90)
    kind, given = both.POPULATION[fit.model.role][name]
    of_precision = both.POPULATION[fit.model.role]["response_precision"][1]
    linked = given["mu"] + given["sigma"] * line
    value = np.exp(linked) if kind == "LogNormal" else 1 / (1 + np.exp(-linked))
    rate = of_precision["shape"] / of_precision["mean"]
    prior = gamma(of_precision["shape"], scale=1 / rate).pdf(np.exp(precise)) * np.exp(precise)
    first, second = (one.reshape(-1, 1) for one in np.meshgrid(value, np.exp(precise)))
    wide = (first.size, len(fit.units.subjects))
    arrays = {
        name: np.broadcast_to(first, wide),
        "response_precision": np.broadcast_to(second, wide),
    }
    dims = dict.fromkeys(arrays, ("subject",))
    if expected_trust is not None:
        arrays["expected_trust"], dims["expected_trust"] = np.array(expected_trust), ()
    values = Values(arrays, dims, fit.units)
    response = fit.model.response(fit.game)
    logs, subject = response.log_likelihood(
        fit.units, fit.model.answer(fit.game, values), values, False
    )
    assert (np.diff(subject) > 0).all()  # one unit a person
    table = np.exp(logs - logs.max(axis=0)).reshape(precise.size, line.size, -1)
    weights = np.einsum("pxi,p->xi", table, prior) * norm.pdf(line)[:, None]
    return line, weights / weights.sum(axis=0)


def test_the_correlation_is_that_of_sums_over_grids(few):
    _trials, sender, receiver = few
    found = both_roles(sender, receiver)
    line, sent = posterior_on_grid(sender, "lying_aversion", TRUST)
    _, received = posterior_on_grid(receiver, "trust")
    order = [receiver.units.subjects.index(name) for name in sender.units.subjects]
    logs = np.log1p(-(found.correlation**2))
    for i, j in enumerate(order):
        pairs = [
            sent[:, i] @ copula(line[:, None], line, np.array(rho)) @ received[:, j]
            for rho in found.correlation
        ]
        logs = logs + np.log(pairs)
    expected = np.exp(logs - logs.max())
    expected /= expected.sum()
    # The population trembles by a thousandth.
    np.testing.assert_allclose(found.density, expected, atol=2e-4)
    assert found.mean == pytest.approx(found.correlation @ expected, abs=0.01)
    people = list(sender.units.subjects)
    for fit, name, weights in (
        (sender, "lying_aversion", sent),
        (receiver, "trust", received[:, order]),
    ):
        moments = side_of(fit, name, people, 1000).moments
        np.testing.assert_allclose(moments[1].mean(axis=0), line @ weights, atol=5e-3)


def test_a_person_borrows_from_her_other_role(few):
    """Means of the joint posterior, from draws of separate ones, against sums over grids."""
    _, *fits = few
    grids, drawn, rng = [], [], np.random.default_rng(5)
    for fit, name, trust in zip(fits, ("lying_aversion", "trust"), (TRUST, None), strict=True):
        line, weights = posterior_on_grid(fit, name, trust)
        kind, given = both.POPULATION[fit.model.role][name]
        values = given["mu"] + given["sigma"] * line
        values = np.exp(values) if kind == "LogNormal" else 1 / (1 + np.exp(-values))
        posterior = fit.posterior.copy(deep=True)
        array = posterior[name]
        for person in range(weights.shape[1]):
            size = array.sizes["chain"] * array.sizes["draw"]
            picked = rng.choice(values, size, p=weights[:, person])
            own = array[{"subject": person}]
            own[...] = picked.reshape(array.sizes["chain"], -1, *(1,) * (own.ndim - 2))
        drawn.append(replace(fit, posterior=posterior))
        grids.append((values, weights))
    found = both_roles(*drawn)
    (sent, first), (received, second) = grids
    order = [fits[1].units.subjects.index(name) for name in fits[0].units.subjects]
    pairs = [copula(line[:, None], line, np.array(rho)) for rho in found.correlation]
    for i, j in enumerate(order):
        each = np.array([first[:, i, None] * pair * second[:, j] for pair in pairs])
        # The person's own trials speak of the correlation, too: they are in its density.
        each /= each.sum(axis=(1, 2), keepdims=True)
        joint = np.tensordot(found.density, each, axes=1)
        row = found.people.iloc[i]
        for name, values, weights in (
            ("sender", sent, joint.sum(axis=1)),
            ("receiver", received, joint.sum(axis=0)),
        ):
            mean = values @ weights
            spread = np.sqrt((values - mean) ** 2 @ weights)
            assert abs(row[name] - mean) < 0.25 * spread  # 800 pairs of draws, unevenly weighted
            inside = (values >= row[f"{name}_lower"]) & (values <= row[f"{name}_upper"])
            assert weights[inside].sum() == pytest.approx(0.9, abs=0.08)


def test_correlations_drawn_from_the_prior_are_inside_their_intervals():
    # Of 12 intervals of 90 %, fewer than 8 hold what was planted with probability .004.
    planted = 2 * np.random.default_rng(3).beta(2, 2, 12) - 1
    inside = 0
    for seed, correlation in enumerate(planted):
        _, *fits = made(correlation, people=40, rounds=30, seed=seed, draws=40)
        low, high = both_roles(*fits).interval
        inside += low < correlation < high
    assert inside >= 8


def test_a_correlation_in_many_people_is_seen():
    trials, sender, receiver = made(0.8, people=100, draws=120)
    assert len(trials.people_in_both_roles) == 100
    found = both_roles(sender, receiver)
    assert found.passed
    # Four pairs are made of every draw, and are worth no more than it.
    each = [
        fit.posterior.sizes["chain"] * fit.posterior.sizes["draw"] for fit in (sender, receiver)
    ]
    assert 1 < found.draws <= min(each)
    assert found.density.sum() == pytest.approx(1)
    low, high = found.interval
    assert found.below(low) == pytest.approx(0.05)
    assert found.quantile(0.95) == pytest.approx(high)
    assert found.positive > 0.95
    assert found.difference[0] > 0


def test_what_cannot_be_joined_is_said(few):
    trials, sender, receiver = few
    with pytest.raises(InputError, match="a model with a patience of each subject"):
        both_roles(sender, receiver, parameters=("patience", "trust"))
    thinking = both.prior_fit(LevelK("receiver"), trials, both.Sampling())
    with pytest.raises(InputError, match=r"level-k.* expected a model with a trust"):
        both_roles(sender, thinking)
    with pytest.raises(InputError, match="normal on the link's scale"):
        both_roles(sender, receiver, parameters=("response_precision", "trust"))


def test_weights_that_hardly_differ_have_no_tail_that_matters():
    # Log weights with a heavy tail, as small as it is where trials say little of a correlation.
    tail = np.random.default_rng(3).standard_cauchy((1, 480)) ** 2
    weights, [pareto_k] = joining._smoothed(0.1 * tail / tail.max())
    assert pareto_k == 0
    assert np.exp(weights).sum() == pytest.approx(1)
    _, [pareto_k] = joining._smoothed(20 * tail / tail.max())
    assert pareto_k > 0.7
