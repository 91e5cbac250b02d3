"""Figures of priors: what they show is what was drawn, and no choice that was observed."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pymc as pm
import pytest
from synthetic import small_trials, synthetic_fit

from trustbayes.errors import InputError
from trustbayes.estimates.population import population_estimates
from trustbayes.models import LevelK, TrustEmbedded
from trustbayes.models.draws import prior_draws
from trustbayes.report.figures.priors import plot_prior_posterior, plot_prior_predictive
from trustbayes.simulation import predictive_check
from trustbayes.trials.table import trials_from_frame

TRIALS = small_trials()


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def halves(dims):
    share = pm.Beta("honest_share", alpha=1, beta=3)
    pm.Normal("raw", shape=4)  # as many as there are subjects: nothing of the population
    return pm.HalfNormal("lying_aversion", sigma=1 + share, dims=dims)


CODED = TrustEmbedded("sender", priors={"lying_aversion": halves})


def points(axes):
    return [line.get_ydata(orig=False) for line in axes.get_lines() if line.get_marker() == "o"]


def test_the_prior_predictive_figure_shows_choices_and_shifts():
    model = TrustEmbedded("sender")
    axes = plot_prior_predictive(model, TRIALS, draws=40, seed=3)
    check = predictive_check(
        prior_draws(model, TRIALS.game, TRIALS.fold("sender"), 40, 3), "prior", 3
    )
    for panel, (treatment, rows) in zip(
        axes, check.choices.groupby("treatment", sort=False), strict=False
    ):
        assert panel.get_title() == treatment
        np.testing.assert_allclose(points(panel)[0], rows["mean"])
    np.testing.assert_allclose(points(axes[-1])[0], check.shift["mean"])
    assert axes[-1].get_title() == "exaggeration"


def test_choices_that_were_observed_play_no_part():
    other = TRIALS.table.assign(message=3.0)
    trials = trials_from_frame(other, TRIALS.game, "other")
    for panel, same in zip(
        plot_prior_predictive(CODED, TRIALS, draws=20),
        plot_prior_predictive(CODED, trials, draws=20),
        strict=True,
    ):
        np.testing.assert_array_equal(points(panel)[0], points(same)[0])


def test_forecast_sharing_has_bands(make_analysis):
    trials = make_analysis(kind="forecast-sharing", names=["full-trust"]).trials
    axes = plot_prior_predictive(LevelK("receiver", trials.game), trials, draws=20)
    assert len(axes) == len(trials.treatments) + 1
    assert axes[-1].get_title() == "discount"


def test_the_roles_and_kinds_of_game_must_fit():
    with pytest.raises(InputError, match="kind of game"):
        plot_prior_predictive(LevelK("sender", "forecast-sharing"), TRIALS)


def coded_fit():
    fit = synthetic_fit(CODED, TRIALS)
    rng, shape = np.random.default_rng(2), (2, 50)
    added = {
        "honest_share": (("chain", "draw"), rng.beta(9, 1, shape)),
        "raw": (("chain", "draw", "raw_dim_0"), rng.normal(size=(*shape, 4))),
    }
    return replace(fit, posterior=fit.posterior.assign(added))


def test_prior_and_posterior_stand_in_one_panel_each():
    fit = coded_fit()
    axes = plot_prior_posterior(fit, draws=300)
    rows = population_estimates(fit, prior_draws(fit.model, TRIALS.game, fit.units, 300, 0))
    assert len(axes) == len(rows)
    assert "raw" not in set(rows["parameter"])
    [row] = rows[rows["parameter"] == "honest_share"].itertuples()
    # Of Beta(9, 1) after Beta(1, 3): means 0.9 and 0.25, standard errors 0.01 and 0.011.
    assert (row.mean, row.prior_mean) == pytest.approx((0.9, 0.25), abs=0.04)
    assert row.statistic == "in the prior's code"
    [panel] = plot_prior_posterior(fit, ["honest_share"], draws=300)
    before, after = panel.patches
    for patch, values in ((before, row.prior_mean), (after, row.mean)):
        heights, edges, _ = patch.get_data()
        assert heights @ np.diff(edges) == pytest.approx(1, abs=0.03)  # 1% lies beyond each end
        middle = (edges[1:] + edges[:-1]) / 2
        assert heights * np.diff(edges) @ middle == pytest.approx(values, abs=0.02)


def test_an_unknown_parameter_is_refused():
    with pytest.raises(InputError, match=r"'honest_shar', expected .*did you mean"):
        plot_prior_posterior(coded_fit(), ["honest_shar"], draws=20)
