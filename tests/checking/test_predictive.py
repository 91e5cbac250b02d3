"""Predictive checks: observed patterns against pandas, replications against probabilities."""

import numpy as np
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes.checking import predictive_check
from trustbayes.models import LevelK, TrustEmbedded
from trustbayes.models.evaluate import Draws, replicate, type_probabilities
from trustbayes.models.finite.response import LOGIT

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
