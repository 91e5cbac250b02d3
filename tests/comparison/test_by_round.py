"""The score of new people, split by rounds."""

import numpy as np
import pytest
from priorfit import prior_fit

import trustbayes as tb


@pytest.fixture(scope="module")
def few():
    data = tb.bundled("simulated-learning")
    trials = tb.read_trials(data.trials, data.game)
    keep = trials.table["receiver"].isin(trials.subjects("receiver")[:6]) & (
        trials.table["round"] <= 6
    )
    game = trials.game
    frame = trials.table[keep].copy()
    return tb.trials_from_frame(frame, game)


@pytest.mark.parametrize(
    "model",
    [tb.TrustEmbedded("receiver", learning="shift"), tb.LevelK("receiver", learning="depth")],
)
def test_blocks_add_up_to_the_whole(few, model):
    fit = prior_fit(model, few, tb.Sampling())
    table = tb.scores_by_round(fit, few, every=2, draws=40)
    assert table["last"].unique().tolist() == [2, 4, 6]
    assert table["trials"].sum() == len(few.table)
    whole = tb.leave_one_subject_out(fit, draws=40)
    by_subject = table.groupby("subject")["elpd"].sum()
    np.testing.assert_allclose(by_subject[list(whole.labels)], whole.elpd, atol=1e-8)


def test_other_trials_are_refused(few):
    fit = prior_fit(tb.TrustEmbedded("receiver", learning="shift"), few, tb.Sampling())
    other = few.subset((few.table["round"] > 1).to_numpy(), "later")
    with pytest.raises(tb.InputError, match="those of the fit"):
        tb.scores_by_round(fit, other)
