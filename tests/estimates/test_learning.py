"""What a fit says of how people learn."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from priorfit import prior_fit

import trustbayes as tb


@pytest.fixture(scope="module")
def trials():
    data = tb.bundled("simulated-learning")
    return tb.read_trials(data.trials, data.game)


def test_asymmetry_is_of_the_draws(trials):
    fit = prior_fit(tb.TrustEmbedded("receiver", learning="shift"), trials, tb.Sampling())
    table = tb.learning_effects(fit, ci_prob=0.8).set_index("quantity")
    gap = (fit.posterior["gain_bad"] - fit.posterior["gain_good"]).to_numpy().ravel()
    row = table.loc["asymmetry"]
    assert row["mean"] == pytest.approx(gap.mean())
    assert [row["lower"], row["upper"]] == pytest.approx(np.quantile(gap, [0.1, 0.9]).tolist())
    assert row["above"] == (gap > 0).mean()
    memory = fit.posterior["memory"].to_numpy().ravel()
    assert table.loc["half-life", "mean"] == pytest.approx((np.log(0.5) / np.log(memory)).mean())


def test_what_is_never_forgotten_lasts_long(trials):
    fit = prior_fit(tb.TrustEmbedded("receiver", learning="shift"), trials, tb.Sampling())
    memory = xr.ones_like(fit.posterior["memory"])
    fit = replace(fit, posterior=fit.posterior.assign(memory=memory))
    table = tb.learning_effects(fit).set_index("quantity")
    assert (table.loc["half-life", ["mean", "lower", "upper"]] > 1e9).all()


def test_who_does_not_learn_has_no_effects(trials):
    fit = prior_fit(tb.LevelK("receiver"), trials, tb.Sampling())
    with pytest.raises(tb.InputError, match="no learning"):
        tb.learning_effects(fit)
