"""People left out by the tables of a fit, in closed form, and against fits to all others."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

import trustbayes as tb
from trustbayes.comparison import leave_one_subject_out
from trustbayes.inference.engines.population.engine import prepare
from trustbayes.inference.engines.population.left_out import left_out, predicted, units_of, without
from trustbayes.inference.engines.population.proposals import Proposal
from trustbayes.inference.engines.population.sampler import draw_population, evaluated

QUIET = {"progress": False}


@pytest.fixture(scope="module")
def forecast():
    """Half of the people: those among whom some are unlike all others."""
    data = tb.bundled("simulated-forecast")
    whole = tb.read_trials(data.trials, data.game)
    some = whole.table["sender"].isin(whole.subjects("sender")[24:])
    return whole.subset(some.to_numpy(bool), "the second half")


@pytest.fixture(scope="module")
def babbling(forecast):
    """Two senders report nearly the same in all rounds: the others say little of such people."""
    model = tb.Babbling("sender", "forecast-sharing")
    return tb.fit(model, forecast, method="population", **QUIET)


def drawn(prepared, sampling):
    draws = draw_population(prepared.density, prepared.adapted, sampling)
    points = draws.points.reshape(-1, prepared.density.size)
    logs = [prepared.marginal.by_subject(prepared.population(point)) for point in points]
    return points, np.array(logs)


def log_evidence(prepared):
    """Log of the integral of a posterior's density, but for a constant; and its error.

    That of two thousand proposals is a hundredth of a nat, a fourth of the predictions' own.
    """
    proposal = prepared.adapted.proposal
    points = proposal.draw(np.random.default_rng(7), 2000)
    logs = evaluated(prepared.density, points) - proposal.log_density(points)
    weights = np.exp(logs - logs.max())
    error = weights.std() / weights.mean() / len(points) ** 0.5
    return np.log(weights.mean()) + logs.max(), error


def others_of(trials, role, names):
    rows = ~trials.table[role].isin(names).to_numpy(bool)
    return trials.subset(rows, "others")


def log_normal(z):
    """Log density of standard normal pairs: SciPy's takes long to say it of a few numbers."""
    return -0.5 * (z**2).sum(axis=-1) - np.log(2 * np.pi)


class Normal:
    """People whose averages are normal around a mean in two dimensions, one far from all others."""

    def __init__(self, far):
        rng = np.random.default_rng(3)
        self.noise = np.full(8, 0.5)
        self.noise[0] = 0.2
        self.y = rng.normal(size=(8, 2))
        self.y[0] = far
        self.marginal = self
        self.graph = SimpleNamespace(operator=SimpleNamespace(marginal=self))
        self.density = SimpleNamespace(value=self.value)
        mean, width = self.posterior(np.ones(8, bool))
        proposal = Proposal.single(mean, width**2 * np.eye(2))
        self.adapted = SimpleNamespace(proposal=proposal)
        self.points = mean + width * rng.normal(size=(4000, 2))
        self.logs = np.array([self.by_subject(point) for point in self.points])

    def posterior(self, people):
        precision = 1 / self.noise[people] ** 2
        total = 1 + precision.sum()
        return precision @ self.y[people] / total, total**-0.5

    def exact(self, people):
        """Log density of some given all others."""
        mean, width = self.posterior(~people)
        [noise] = self.noise[people]
        [y] = self.y[people]
        return stats.norm(mean, np.hypot(width, noise)).logpdf(y).sum()

    def population(self, point):
        return point

    def reaches(self, point):
        return True

    def by_subject(self, point):
        return log_normal((self.y - point) / self.noise[:, None]) - 2 * np.log(self.noise)

    def value(self, point):
        return log_normal(point) + self.graph.operator.marginal.by_subject(point).sum()


@pytest.mark.parametrize("far", [1.5, 3.0])
def test_it_is_the_posterior_without_someone(far):
    """In closed form; four standard errors, which ten seeds also show by how they differ."""
    people = Normal(far)
    odd = np.arange(8) == 0
    exact, made = people.exact(odd), []
    mean, width = people.posterior(~odd)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        state = without(people, odd, people.adapted.proposal, rng)
        prediction = predicted(people, odd, state, rng)
        assert prediction.error < 0.1
        assert prediction.elpd == pytest.approx(exact, abs=4 * prediction.error)
        made.append(prediction)
    values, errors = np.array([(each.elpd, each.error) for each in made]).T
    assert values.var(ddof=1) / (errors**2).mean() < stats.chi2(9).ppf(0.999) / 9
    places = state.resampled(1000, rng)  # from hundreds of effective proposals
    np.testing.assert_allclose(places.mean(axis=0), mean, atol=5 * width / 300**0.5)
    if far > 2:  # so that importance sampling alone would not do
        own = people.logs[:, 0]
        assert abs(np.log(1 / np.exp(-own).mean()) - exact) > 1


def test_it_is_the_ratio_of_the_evidence_with_and_without_someone(babbling, forecast):
    """Of two posteriors, each with tables of its own: p(y) / p(y without hers).

    Four joint standard errors, and .02 for the errors of two rules of integration.
    """
    made = babbling.manifest["engine"]["left_out"]["subject"]
    assert len(made) >= 2
    whole, first = log_evidence(prepare(babbling.model, forecast))
    for label, prediction in made.items():
        others = prepare(babbling.model, others_of(forecast, "sender", [label]))
        rest, second = log_evidence(others)
        error = np.sqrt(first**2 + second**2 + prediction["error"] ** 2)
        assert error < 0.1
        assert prediction["elpd"] == pytest.approx(whole - rest, abs=4 * error + 0.02)


def test_scores_take_it_where_weights_cannot_be_relied_on(babbling):
    made = babbling.manifest["engine"]["left_out"]["subject"]
    scores = leave_one_subject_out(babbling, draws=1000)
    assert scores.refitted
    assert set(scores.refitted) <= set(made)
    assert not scores.unreliable
    for label in scores.refitted:
        assert scores.elpd[scores.labels.index(label)] == made[label]["elpd"]


def test_matching_groups_are_left_out_together(forecast):
    """One who is unlike all others and two like them: what is predicted is all three together."""
    role = "sender"
    table = forecast.table.copy()
    odd = ["s30", "s31", "s40"]
    table["group"] = np.where(table[role].isin(odd), "odd", "some")
    table.loc[table[role].isin(forecast.subjects(role)[:5]), "group"] = "others"
    together = dataclasses.replace(forecast, table=table)
    prepared = prepare(tb.Babbling(role, "forecast-sharing"), together)
    labels = units_of(prepared)
    assert set(labels["group"]) == {"odd", "some", "others"}
    assert labels["subject"] == prepared.layout.units.subjects
    points, logs = drawn(prepared, tb.Sampling())
    by_seed = [left_out(prepared, points, logs, seed)["group"]["odd"] for seed in (1, 2)]
    others = prepare(prepared.layout.model, others_of(forecast, role, odd))
    (whole, first), (rest, second) = log_evidence(prepared), log_evidence(others)
    for made in by_seed:
        error = np.sqrt(first**2 + second**2 + made.error**2)
        assert error < 0.1
        assert made.elpd == pytest.approx(whole - rest, abs=4 * error + 0.02)


def test_short_fits_leave_no_one_out(forecast):
    short = tb.Sampling(draws=250, chains=4, method="population")
    made = tb.fit(tb.Babbling("sender", "forecast-sharing"), forecast, short, **QUIET)
    assert made.manifest["engine"]["left_out"] == {}
