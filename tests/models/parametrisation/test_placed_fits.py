"""Placed parameters, sampled: the posterior is the same, and chains meet."""

import arviz as az
import numpy as np
import pytest

from trustbayes.games import FiniteGame, ForecastGame
from trustbayes.inference.fitting import fit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import Hybrid
from trustbayes.priors.prior import Prior
from trustbayes.simulation.experiments import Experiment
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import trials_from_frame


@pytest.mark.slow
def test_placed_or_not_the_posterior_is_the_same():
    game = FiniteGame([1, 2, 3, 4, 5], treatments={"Low": 0.5, "High": 1.0})
    planted = {"response_precision": Prior("Gamma", mean=3.0, shape=4.0)}
    played = simulate(
        game,
        sender=Hybrid("sender", priors=planted, max_level=1),
        receiver=None,
        subjects=10,
        rounds=30,
        seed=4,
    )
    # Ten people leave the spread of their aversion a long tail, which takes small steps.
    sampling = Sampling(draws=1500, chains=4, target_accept=0.95)
    trials = trials_from_frame(played.trials, game)
    # The population engine carries no one's parameters in any way: it integrates them out.
    placed, summed = (
        fit(Hybrid("sender", max_level=1), trials, sampling, method=method, progress=False)
        for method in ("nuts", "population")
    )
    assert placed.manifest["parametrisation"]["lying_aversion"] == "placed"
    assert placed.gate.passed
    assert summed.gate.passed
    compared = 0
    for name, array in placed.posterior.data_vars.items():
        if name not in summed.posterior or name == "lying_aversion":  # heavy-tailed
            continue
        of_both = [one.posterior[name] for one in (placed, summed)]
        if name != "lying_aversion_mu":
            of_both = [np.log(one) for one in of_both]
        error = np.sqrt(sum(az.mcse(x).to_numpy() ** 2 for x in of_both))
        gap = of_both[0].mean(("chain", "draw")) - of_both[1].mean(("chain", "draw"))
        assert (abs(gap.to_numpy()) < 4.5 * error).all(), name
        compared += array.isel(chain=0, draw=0).size
    assert compared > 14


@pytest.mark.slow
def test_chains_of_forecast_sharing_meet_where_they_did_not():
    # A population from the default priors. Of a thousand draws the bulk ESS of the worst parameter
    # is 56 if not placed, and 2 (R-hat 2.7) if reports jump; it was 495 if placed.
    seed, model = 20220101, Hybrid("sender", "forecast-sharing")
    played = Experiment(ForecastGame(), model, None, subjects=30, rounds=20).play(seed)
    sampling = Sampling(method="nuts", draws=300, tune=300, chains=2, seed=seed)
    found = fit(model, played.trials, sampling, progress=False)
    value = {check.name: check.value for check in found.gate.checks}
    assert value["R-hat"] < 1.1
    assert value["bulk ESS"] > 150
