"""Predictive checks: observed patterns against pandas, replications against probabilities."""

import numpy as np
import pandas as pd
import pytest
from loops import GAMES, SEEN_AND_CHOSEN, best_choice, forecast_frame
from scipy import stats
from synthetic import small_trials, synthetic_fit

from trustbayes.models import LevelK, Mixture, TrustEmbedded
from trustbayes.models.draws import Draws, type_probabilities
from trustbayes.models.replications import replicate
from trustbayes.simulation import finite, predictive_check
from trustbayes.theories.responses.logit import LOGIT
from trustbayes.trials.table import trials_from_frame

TRIALS = small_trials(pairs=5, rounds=20)


@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_observed_patterns_equal_those_of_the_table(role):
    fit = synthetic_fit(TrustEmbedded(role), TRIALS)
    check = predictive_check(fit.draws(), "posterior", seed=1)
    table = TRIALS.table
    seen, option = ("state", "message") if role == "sender" else ("message", "action")
    table = table.assign(shift=table[option] - table[seen])
    for row in check.shift.itertuples():
        here = table[table["treatment"] == row.treatment]
        assert row.observed == pytest.approx(here["shift"].mean())
    for row in check.spread.itertuples():
        here = table[table["treatment"] == row.treatment]
        assert row.observed == pytest.approx(here.groupby(role)["shift"].mean().std(ddof=0))
    for row in check.choices.itertuples():
        here = table[(table["treatment"] == row.treatment) & (table[seen] == row.seen)]
        assert row.trials == len(here)
        assert row.observed == pytest.approx((here[option] == row.option).mean())
    for row in check.subjects.itertuples():
        here = table[(table[role] == row.subject) & (table["treatment"] == row.treatment)]
        assert row.trials == len(here)
        assert row.observed == pytest.approx(here["shift"].mean())


def test_replicated_choices_have_the_models_probabilities():
    fit = synthetic_fit(TrustEmbedded("receiver"), TRIALS, draws=4)
    first = fit.draws().data.isel(sample=[0])
    many = Draws(fit.model, fit.game, fit.units, first.isel(sample=np.zeros(4000, dtype=int)))
    copies = replicate(many, np.random.default_rng(5))
    trials = fit.units.counts.sum(axis=-1)
    assert (copies.sum(axis=-1) == trials).all()
    _, answer, values = next(Draws(fit.model, fit.game, fit.units, first).answers())
    logs = LOGIT.logs(answer, values, bool(fit.model.types))
    chances, size = np.exp(logs[0]), 4000 * trials[..., None]
    asked = np.broadcast_to(size > 0, chances.shape)
    share = copies.sum(axis=0)[asked] / np.broadcast_to(size, chances.shape)[asked]
    error = np.sqrt(chances * (1 - chances) / np.maximum(size, 1))[asked]
    # 90 shares; five standard errors hold all of them with probability above 0.9999.
    assert (abs(share - chances[asked]) <= 5 * error + 1e-9).all()


@pytest.mark.parametrize("model", [TrustEmbedded("receiver"), LevelK("sender", max_level=2)])
def test_people_replicated_in_parts_are_those_replicated_together(model, monkeypatch):
    # So precise that nobody errs and, without types, nothing is left to chance.
    fit = synthetic_fit(model, TRIALS, draws=300)
    data = fit.draws().data
    data["response_precision"] = data["response_precision"] * 0 + 1e6
    draws = Draws(fit.model, fit.game, fit.units, data)
    whole = predictive_check(draws, "posterior", seed=1)
    parts = []
    monkeypatch.setattr(finite, "_BUDGET", 8 * draws.size * 30)
    monkeypatch.setattr(
        finite, "replicate", lambda part, *rest: parts.append(part) or replicate(part, *rest)
    )
    found = predictive_check(draws, "posterior", seed=1)
    assert len(parts) > 2
    # Types are drawn: shares of 300 draws differ by five standard errors, at most 0.15, and less.
    near = {"atol": 0.2 if model.types else 1e-12, "rtol": 0}
    for one, other in ((found.choices, whole.choices), (found.subjects, whole.subjects)):
        pd.testing.assert_frame_equal(
            one.drop(columns=["mean", "lower", "upper"]),
            other.drop(columns=["mean", "lower", "upper"]),
        )
        np.testing.assert_allclose(one["mean"], other["mean"], **near)


def test_replicated_types_follow_the_subjects_trials_or_the_population():
    fit = synthetic_fit(LevelK("receiver", max_level=2), TRIALS, draws=4)
    sharp = fit.draws().data.isel(sample=[0]).copy(deep=True)
    sharp["response_precision"][:] = 500.0  # every level then plays its best reply
    many = Draws(fit.model, fit.game, fit.units, sharp.isel(sample=np.zeros(2000, dtype=int)))
    # With a bias of one, at the highest message level 0 takes the highest action, level 1 is
    # indifferent between the two highest (a coin each time), and level 2 takes the middle one.
    top, high = fit.game.messages.size - 1, fit.units.treatments.index("High")

    def share_of_level_0(copies):
        found = []
        for subject in range(len(fit.units.subjects)):
            units = (fit.units.unit_subject == subject) & (fit.units.unit_treatment == high)
            seen = copies[:, units, top].sum(axis=1)
            found.append((seen[:, -1] == seen.sum(axis=1)).mean())
        return np.array(found)

    prior = share_of_level_0(replicate(many, np.random.default_rng(1), given_trials=False))
    error = 4 * 0.5 / np.sqrt(2000)  # four standard errors at most
    units = fit.units.unit_treatment == high
    coins = 0.5 ** fit.units.counts[units, top].sum(axis=-1)  # one unit for each subject
    share = sharp["level_share"].to_numpy()[0]
    np.testing.assert_allclose(prior, share[0] + share[1] * coins, atol=error)
    posterior = share_of_level_0(replicate(many, np.random.default_rng(1)))
    chance = type_probabilities(Draws(fit.model, fit.game, fit.units, sharp))[0]
    np.testing.assert_allclose(posterior, chance[:, 0] + chance[:, 1] * coins, atol=error)


def test_the_source_goes_by_its_name_of_before_with_a_warning():
    draws = synthetic_fit(LevelK("receiver"), TRIALS, draws=10).draws()
    with pytest.warns(FutureWarning, match=r"predictive_check\(source=\)"):
        before = predictive_check(draws, kind="posterior", seed=1)
    after = predictive_check(draws, source="posterior", seed=1)
    pd.testing.assert_frame_equal(before.choices, after.choices)


# Forecast sharing: choices are points, seen in ten bins of equal width

POINTS = trials_from_frame(forecast_frame(GAMES["forecast"], rounds=15), GAMES["forecast"])


def points_check(role, kind):
    # Types of the mixture are drawn given the trials, or from the population.
    fit = synthetic_fit(Mixture(role, POINTS.game), POINTS, draws=20)
    check = predictive_check(fit.draws(), kind, seed=3, ci_prob=0.8)
    copies = replicate(fit.draws(), np.random.default_rng(3), given_trials=kind == "posterior")
    return check, copies


def with_shift(role):
    """The table with what was seen, its bin, the choice and its distance from face value."""
    table, market = POINTS.table, POINTS.game.treatments
    seen, choice = SEEN_AND_CHOSEN[role]
    plain = table[seen]
    if role == "receiver":  # he builds μ + x + e (2f - 1)
        ratio = table["treatment"].map(lambda name: 1 - market[name].capacity_cost / 70)
        spread = table["treatment"].map(lambda name: market[name].uncertainty)
        plain = 120 + table[seen] + spread * (2 * ratio - 1)
    bins = np.minimum((table[seen] + 80) // 16, 9).astype(int)
    return table.assign(seen=table[seen], bin=bins, choice=table[choice], plain=plain)


def interval(values):
    """Mean, and equal-tailed interval with probability 0.8."""
    return [values.mean(), *np.quantile(values, [0.1, 0.9])]


@pytest.mark.parametrize("kind", ["prior", "posterior"])
@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_mean_points_by_bin_equal_those_of_the_table(role, kind):
    check, copies = points_check(role, kind)
    table = with_shift(role)
    expected = []
    for treatment in POINTS.treatments:
        for one in range(10):
            here = ((table["treatment"] == treatment) & (table["bin"] == one)).to_numpy()
            if here.any():
                rows = table[here]
                expected.append(
                    [
                        rows["seen"].mean(),
                        len(rows),
                        rows["choice"].mean(),
                        *interval(np.array([copy[here].mean() for copy in copies])),
                        *interval(copies[:, here].ravel())[1:],
                        treatment,
                    ]
                )
    columns = ["seen", "trials", "observed", "mean", "lower", "upper", "low", "high", "treatment"]
    expected = pd.DataFrame(expected, columns=columns)
    pd.testing.assert_frame_equal(check.choices[columns], expected)
    assert len(check.choices) > 20
    assert check.choices["trials"].sum() == len(table)
    assert (check.source, check.ci_prob) == (kind, 0.8)


@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_shift_and_spread_of_points_equal_those_of_pandas(role):
    check, copies = points_check(role, "posterior")
    table = with_shift(role)

    def means(choice):
        """Mean shift by treatment; spread between the mean shifts of its subjects."""
        shift = table.assign(shift=choice - table["plain"])
        of_subjects = shift.groupby(["treatment", role])["shift"].mean()
        spread = of_subjects.groupby("treatment").std(ddof=0)
        return shift.groupby("treatment")["shift"].mean(), spread, of_subjects

    observed = means(table["choice"])
    copied = [means(copy) for copy in copies]
    for found, which in ((check.shift, 0), (check.spread, 1)):
        assert found["treatment"].tolist() == list(POINTS.treatments)
        for row in found.itertuples():
            here = np.array([copy[which][row.treatment] for copy in copied])
            assert row.observed == pytest.approx(observed[which][row.treatment])
            assert [row.mean, row.lower, row.upper] == pytest.approx(interval(here))
            assert row.p == (here >= observed[which][row.treatment] - 1e-9).mean()
    assert len(check.subjects) == len(observed[2])
    for row in check.subjects.itertuples():
        where = (row.treatment, row.subject)
        here = np.array([copy[2][where] for copy in copied])
        assert row.trials == ((table[role] == row.subject) & (table["treatment"] == where[0])).sum()
        assert row.observed == pytest.approx(observed[2][where])
        assert [row.mean, row.lower, row.upper] == pytest.approx(interval(here))


def test_replicated_points_have_the_models_probabilities():
    chosen = TrustEmbedded("receiver", POINTS.game)
    fit = synthetic_fit(chosen, POINTS, draws=4)
    first = fit.draws().data.isel(sample=np.zeros(4000, dtype=int))
    milder = first.assign(response_noise=first["response_noise"] / 3)
    copies = replicate(Draws(chosen, fit.game, fit.units, milder), np.random.default_rng(5))
    for i, row in enumerate(POINTS.table.to_dict("records")):
        at = {"subject": row["receiver"], "treatment": row["treatment"]}
        trust = float(milder["trust"][0].sel(at))
        sigma = 80 * float(milder["response_noise"][0].sel(subject=row["receiver"]))
        best = best_choice(
            chosen, fit.game, row["treatment"], row["message"], {"trust": trust}, None
        )
        for place in (0, 100, 180, 259.9):
            chance = stats.norm.cdf((place - best) / sigma)
            # Five standard errors, and four copies where next to none are expected.
            error = 5 * np.sqrt(chance * (1 - chance) / 4000) + 0.001
            assert (copies[:, i] <= place).mean() == pytest.approx(chance, abs=error)
