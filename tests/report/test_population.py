"""Population estimates against priors, where shares are given or Poisson."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import xarray as xr
from synthetic import small_trials, synthetic_fit

from trustbayes.estimates.population import population_estimates
from trustbayes.models import LevelK
from trustbayes.models.draws import prior_draws
from trustbayes.priors.prior import Prior
from trustbayes.report.figures.population import against_priors, against_priors_says
from trustbayes.report.typical import typical_values


def analysis_of(prior):
    trials, chosen = small_trials(), LevelK("sender", priors={"level": prior})
    draws = [prior_draws(chosen, trials.game, trials.fold("sender"), 60, seed) for seed in (1, 2)]
    data = {
        str(name): (("chain", "draw", *values.dims[1:]), values.to_numpy()[None])
        for name, values in draws[0].data.items()
    }
    fit = synthetic_fit(chosen, trials)
    posterior = xr.Dataset(data, coords=draws[0].data.coords)
    fit = SimpleNamespace(
        model=chosen,
        game=fit.game,
        gate=SimpleNamespace(passed=True),
        draws=lambda: draws[0],
        posterior=posterior,
    )
    population = pd.DataFrame(population_estimates(fit, draws[1]))
    return SimpleNamespace(population=population, fits={("level-k", "sender"): fit}, ci_prob=0.9)


def test_a_poisson_mean_may_exceed_one():
    analysis = analysis_of(Prior("TruncatedPoisson", tau=Prior("Gamma", mean=6.0, shape=50.0)))
    figure = against_priors(analysis, "sender", "level-k")
    panels = {panel.get_title(): panel for panel in figure.axes}
    assert panels["level k:\nPoisson mean"].get_xlim()[1] > 6
    assert panels["level k:\nshare"].get_xlim() == pytest.approx((-0.02, 1.02))
    plt.close(figure)
    assert "median of 7" in against_priors_says(analysis, "sender", "level-k")


def test_given_shares_are_shown_and_not_said_to_be_learnt():
    analysis = analysis_of(Prior("Fixed", shares=[0.0, 0.5, 0.3, 0.2]))
    figure = against_priors(analysis, "sender", "level-k")
    assert "level k:\nshare" in {panel.get_title() for panel in figure.axes}
    plt.close(figure)
    text = against_priors_says(analysis, "sender", "level-k")
    assert "median of 2" in text
    assert "level" not in text
    [sentence] = typical_values(analysis)
    assert "0.50 (0.50 to 0.50) at level 1" in sentence
