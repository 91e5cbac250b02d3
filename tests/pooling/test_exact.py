"""Pooling by likelihoods that are known: against sums over all that could be."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_ndtr, logsumexp

import trustbayes as tb
from trustbayes.pooling import exact
from trustbayes.pooling.common_scales import common_scales
from trustbayes.pooling.exact import pool_exactly
from trustbayes.pooling.likelihoods import Evidence, evidence_of
from trustbayes.pooling.second_stage import pool_evidence

SCALES = {s.label: s for s in common_scales(tb.FullTrust("sender")) if s.statistic == "location"}
"""A number whose prior is normal with mean and standard deviation 1."""
[SCALE] = SCALES.values()
SAMPLING = tb.Sampling(draws=500, tune=250, seed=3)
EXPERIMENTS = {"high": (4.0, 2.0), "higher": (2.0, 3.0), "low": (-3.0, 1.0), "lower": (-2.0, 0.5)}
"""Slopes and places of steps: values beyond are as likely as each other."""


def log_likelihood(name, values):
    slope, place = EXPERIMENTS[name]
    return log_ndtr(slope * (values - place))


def evidence(seed):
    """What fits of single experiments would say, from their draws."""
    rng = np.random.default_rng(seed)
    parts = {}
    for name in EXPERIMENTS:
        tried = rng.normal(1.0, 1.0, size=400_000)
        kept = tried[np.log(rng.random(tried.size)) < log_likelihood(name, tried)]
        parts[name] = evidence_of([SCALE], kept[:1000, None])
    return parts


def pool(parts):
    return pool_evidence("full-trust", "sender", parts, SCALES, sampling=SAMPLING)


def judge(points):
    return {name: log_likelihood(name, values[:, 0]) for name, values in points.items()}


def by_sums():
    """Posterior means of the pooled mean, the spread and each experiment, on grids."""
    psi = np.linspace(-6, 8, 701)
    mean, spread = np.linspace(-3.5, 5.5, 91), np.linspace(0.01, 4.5, 90)
    logs = -0.5 * (mean[:, None] - 1) ** 2 - 0.5 * spread**2  # the default scale of spreads is 1
    parts = {}
    for name in EXPERIMENTS:
        z = (psi - mean[:, None, None]) / spread[:, None]
        joint = log_likelihood(name, psi) - 0.5 * z**2 - np.log(spread)[:, None]
        total = logsumexp(joint, axis=-1)
        parts[name] = (np.exp(joint - total[..., None]) * psi).sum(axis=-1)
        logs = logs + total
    weight = np.exp(logs - logsumexp(logs))
    found = {name: (weight * values).sum() for name, values in parts.items()}
    return (weight.sum(axis=1) * mean).sum(), (weight.sum(axis=0) * spread).sum(), found


@pytest.mark.parametrize("seed", range(3))
def test_likelihoods_without_an_end_are_pooled_as_sums_over_all_values_say(seed):
    mean, spread, each = by_sums()
    found, held = pool_exactly(pool, evidence(seed), judge)
    assert set(found.missed) == set(EXPERIMENTS)
    drawn = found.posterior
    # Some 1,500 effective draws: three Monte Carlo errors are .08 standard deviations.
    for expected, values in (
        (mean, drawn["mean"].to_numpy()),
        (spread, drawn["spread"].to_numpy()),
        *((each[n], drawn["population"].sel(experiment=n).to_numpy()) for n in EXPERIMENTS),
    ):
        assert abs(values.mean() - expected) < 0.12 * values.std()
    assert found.errors["known"].all()
    assert found.error < 0.15
    others = np.delete(np.arange(len(found.points)), found.judged)
    for name, part in held.items():
        points = found.of_experiment(name)[others]
        gap = log_likelihood(name, points[:, 0]) - part.log_likelihood(points)
        weights = np.exp(gap - gap.max())
        assert weights.sum() ** 2 / (weights**2).sum() > 0.8 * len(others)


def test_what_forms_miss_is_told_by_weights_and_of_what_nobody_judges_not_at_all():
    parts = evidence(1)
    silent, held = pool_exactly(pool, parts, lambda points: {})
    assert silent.missed == {}
    assert held == parts
    judged, _ = pool_exactly(pool, {"high": parts["high"], "low": parts["low"]}, judge)
    gap = judged.missed["high"]
    assert gap.mean() == pytest.approx(0, abs=1e-12)
    weights = np.exp(sum(judged.missed.values()))
    drawn = judged.of_experiment("high")[judged.judged][:, 0]
    shift = (weights @ drawn / weights.sum() - drawn.mean()) / judged.of_experiment("high").std()
    [error] = judged.errors[judged.errors["experiment"] == "high"]["error"]
    assert error == pytest.approx(shift)
    assert not judged.astray
    assert not silent.astray


def test_forms_that_miss_the_likelihood_by_far_are_found_out():
    """Whatever they have been fitted to, the next time they are told the opposite."""
    asked = []

    def fickle(points):
        asked.append(points)
        return {name: 4 * (-1.0) ** len(asked) * values[:, 0] for name, values in points.items()}

    found, _ = pool_exactly(pool, evidence(2), fickle)
    assert found.astray
    assert np.isnan(found.error)


def test_forms_that_run_away_are_not_gone_on_from(monkeypatch):
    """After the first round forms are spoilt once: they rise where no draw has been."""
    parts = {name: part for name, part in evidence(1).items() if name in ("high", "low")}
    usual, _ = pool_exactly(pool, parts, judge)
    sharpened, calls, reached = Evidence.sharpened, [], []

    def spoilt(self, *known):
        made = sharpened(self, *known)
        calls.append(made)
        # Two calls know the fits' own draws; the third is that of "high" after the first round.
        return replace(made, linear=made.linear + 60.0) if len(calls) == 3 else made

    def followed(held):
        made = pool(held)
        reached.append(made.of_experiment("high").mean())
        return made

    monkeypatch.setattr(Evidence, "sharpened", spoilt)
    monkeypatch.setattr(exact, "_ENOUGH", 1.1)  # go on however good it is
    made, _ = pool_exactly(followed, parts, judge)
    assert reached[1] > reached[0] + 5
    assert max(reached[2:]) < reached[0] + 1
    gap = made.of_experiment("high").mean() - usual.of_experiment("high").mean()
    assert abs(gap) < 0.15 * usual.of_experiment("high").std()
