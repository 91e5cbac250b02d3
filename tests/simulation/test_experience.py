"""What choices owe to news: the measure, and who passes the check."""

import numpy as np
import pandas as pd
import pytest
from priorfit import prior_fit

import trustbayes as tb
from trustbayes.files import records
from trustbayes.simulation.experience import SINCE, has_experience
from trustbayes.trials.experience import news_before

SURE = tb.Prior("Gamma", mean=8.0, shape=60.0)
TRUST = tb.Prior("LogitNormal", mu=1.0, sigma=0.5)
MOVED = {
    "memory": tb.Prior("LogitNormal", mu=2.0, sigma=0.05),
    "gain_good": tb.Prior("Normal", mu=0.3, sigma=0.05),
    "gain_bad": tb.Prior("Normal", mu=2.0, sigma=0.05),
}
LEARNS = tb.TrustEmbedded(
    "receiver", learning="shift", priors={"response_precision": SURE, "trust": TRUST, **MOVED}
)
STAYS = tb.TrustEmbedded("receiver", priors={"response_precision": SURE, "trust": TRUST})
LIES = tb.LevelK("sender", priors={"level": tb.Prior("Dirichlet", a=[40.0, 40.0, 1.0, 1.0])})


@pytest.fixture(scope="module")
def trials():
    """Receivers who learn, and are lied to by half of those whom they meet."""
    game = tb.FiniteGame([1, 2, 3, 4], treatments={"Medium": 1.0}, feedback=tb.Feedback("state"))
    played = tb.simulate(game, sender=LIES, receiver=LEARNS, subjects=24, rounds=20, seed=5)
    return tb.trials_from_frame(played.trials, game)


def test_the_effect_of_news_is_that_of_a_regression_on_everybodys_messages(trials):
    check = tb.experience_check(prior_fit(STAYS, trials, tb.Sampling()), trials, draws=4)
    before = news_before(trials.sequences("receiver"), trials.game)
    shift = (trials.table["action"] - trials.table["message"]).to_numpy()
    known = before.known
    dummies = pd.get_dummies(before.cell[known]).to_numpy(float)
    design = np.column_stack([before.bad[known], dummies])
    slope = np.linalg.lstsq(design, shift[known], rcond=None)[0][0]
    [row] = check.after.to_dict("records")
    assert row["observed"] == pytest.approx(slope, abs=1e-9)
    assert row["trials"] == known.sum()
    assert row["bad"] == pytest.approx(before.bad[known].mean())


def test_means_by_rounds_since_a_lie_are_of_the_same_people_and_messages(trials):
    check = tb.experience_check(prior_fit(STAYS, trials, tb.Sampling()), trials, draws=4)
    before = news_before(trials.sequences("receiver"), trials.game)
    shift = trials.table["action"] - trials.table["message"]
    away = shift - shift.groupby(before.cell).transform("mean")
    for row in check.since.to_dict("records"):
        at = np.minimum(before.since, 5) == SINCE.index(row["since"])
        assert row["trials"] == at.sum()
        assert row["observed"] == pytest.approx(shift.mean() + away[at].mean())
    assert check.since["trials"].sum() == len(trials.table)


def test_who_learns_passes_and_who_does_not_fails(trials):
    """Fits that know the truth: the planted population, and the same without learning."""
    learns, stays = (
        tb.experience_check(prior_fit(model, trials, tb.Sampling()), trials, draws=100)
        for model in (LEARNS, STAYS)
    )
    assert learns.source == "one step ahead"
    assert learns.after["inside"].all()
    assert learns.after["upper"].item() < 0
    assert not stays.after["inside"].any()
    assert stays.after["lower"].item() > learns.after["upper"].item()


def test_nothing_lies_inside_or_outside_where_there_is_nothing_to_compare(trials):
    honest = trials.table.assign(message=trials.table["state"])  # nobody ever has bad news
    told = tb.trials_from_frame(honest, trials.game)
    check = tb.experience_check(prior_fit(STAYS, told, tb.Sampling()), told, draws=4)
    [row] = check.after.to_dict("records")
    assert np.isnan(row["observed"])
    assert check.after["inside"].isna().all()
    assert records(check.after)[0]["inside"] is None
    assert check.since["inside"].notna().all()  # of none yet, which can be compared


def test_people_who_play_by_themselves_make_their_own_news(trials):
    fits = {
        "sender": prior_fit(LIES, trials, tb.Sampling()),
        "receiver": prior_fit(LEARNS, trials, tb.Sampling()),
    }
    checks = tb.free_running_check(fits, trials, draws=6)
    assert {check.source for check in checks.values()} == {"free running"}
    assert checks["receiver"].replications == 6
    assert checks["receiver"].after["mean"].item() < -0.1  # a lie of theirs moves them, too
    with pytest.raises(tb.InputError, match="also a fit of the senders"):
        tb.free_running_check({"receiver": fits["receiver"]}, trials)


def test_continuous_choices_have_cells_by_fifths():
    game = tb.ForecastGame(
        treatments={"CLUL": tb.Market(15.0, 25.0)}, feedback=tb.Feedback("state")
    )
    both = (tb.LevelK(role, game.kind) for role in ("sender", "receiver"))
    sender, receiver = both
    played = tb.simulate(game, sender=sender, receiver=receiver, subjects=4, rounds=12, seed=1)
    trials = tb.trials_from_frame(played.trials, game)
    fits = {model.role: prior_fit(model, trials, tb.Sampling()) for model in (sender, receiver)}
    for role, check in tb.free_running_check(fits, trials, draws=2).items():
        assert check.since["observed"].notna().all()
        assert tb.experience_check(fits[role], trials, draws=5).replications == 5


def test_trials_without_feedback_have_no_experience(trials):
    data = tb.bundled("simulated-finite")
    silent = tb.read_trials(data.trials, data.game)
    assert has_experience(trials, "sender")
    assert not has_experience(silent, "receiver")
    fit = prior_fit(tb.LevelK("receiver"), silent, tb.Sampling())
    with pytest.raises(tb.InputError, match="feedback"):
        tb.experience_check(fit, silent)


def test_trials_of_other_people_are_refused(trials):
    fit = prior_fit(STAYS, trials, tb.Sampling())
    other = trials.subset((trials.table["round"] > 3).to_numpy(), "later")
    with pytest.raises(tb.InputError, match="those of the fit"):
        tb.experience_check(fit, other)
