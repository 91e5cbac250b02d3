"""Later rounds of people who learn, predicted with what came before."""

import numpy as np
import pytest
from priorfit import prior_fit

import trustbayes as tb
from trustbayes.comparison.heldout import Part, _scores
from trustbayes.models.draws import Draws, cell_log_likelihood
from trustbayes.numerics.arrays import log_total


@pytest.mark.parametrize(
    "model",
    [tb.TrustEmbedded("receiver", learning="shift"), tb.LevelK("receiver", learning="depth")],
)
def test_the_last_round_given_all_before(model):
    """By what leaves one trial out, which for the last one is the same question."""
    data = tb.bundled("simulated-learning")
    whole = tb.read_trials(data.trials, data.game)
    few = whole.table["receiver"].isin(whole.subjects("receiver")[:4]) & (whole.table["round"] < 9)
    trials = tb.trials_from_frame(whole.table[few], whole.game)
    last = (trials.table["round"] == 8).to_numpy()
    part = Part(trials.subset(~last, "before"), trials.subset(last, "last round"))
    fit = prior_fit(model, part.learn, tb.Sampling())
    scores = _scores(fit, part, "subject").set_index("unit")["elpd"]
    draws = Draws.of(model, trials.game, model.fold(trials), fit.posterior)
    logs = cell_log_likelihood(draws)[:, last]
    want = log_total(logs, axis=0) - np.log(len(logs))
    people = trials.table["receiver"][last]
    np.testing.assert_allclose(scores[list(people)], want, atol=1e-8)
