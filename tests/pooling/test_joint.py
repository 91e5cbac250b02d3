"""Both stages together, held against one PyMC model of all experiments."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

from trustbayes.games import FiniteGame
from trustbayes.inference.engines.population.density import PopulationDensity, highest_point
from trustbayes.inference.engines.population.engine import prepare
from trustbayes.inference.engines.population.marginal import PopulationValue
from trustbayes.inference.engines.population.operator import apply_to
from trustbayes.inference.engines.population.sampler import draw_by_nuts
from trustbayes.inference.fitting import fit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import FullTrust
from trustbayes.pooling.second_stage import evidence_from, pool_evidence, shared_scales
from trustbayes.pooling.stages import TransferTask
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import trials_from_frame

pytestmark = [
    pytest.mark.slow,
    # The one model of all tries populations that are nobody's, which have no density.
    pytest.mark.filterwarnings("ignore:(invalid value|overflow|divide):RuntimeWarning"),
]

SAMPLING = Sampling(draws=500, tune=300, chains=4, seed=7, method="population")
MODEL = FullTrust("sender")
MEANS = {"a": 1.5, "b": 2.2, "c": 5.0}
SIZES = {"a": 5, "b": 16, "c": 8}  # people, few in one


def experiment(name):
    """People of one parameter, whose precision has another mean in each experiment."""
    game = FiniteGame([1, 2, 3], treatments={"Low": 0.5, "High": 1.5})
    prior = Prior("Gamma", mean=MEANS[name], shape=2.0)
    people = FullTrust("sender", priors={"response_precision": prior})
    played = simulate(
        game, sender=people, receiver=None, subjects=SIZES[name], rounds=16, seed=len(name)
    )
    return trials_from_frame(played.trials, game, name)


@pytest.fixture(scope="module")
def stages():
    """Fits of every experiment alone, and what they say together."""
    trials = {name: experiment(name) for name in MEANS}
    fits = {name: fit(MODEL, one, SAMPLING, progress=False) for name, one in trials.items()}
    scales = shared_scales(fits)
    evidence = {name: evidence_from(one, scales) for name, one in fits.items()}
    return trials, scales, evidence


def joint(trials, names, chains):
    """Draws of μ, log τ and every ψ by NUTS from one PyMC model, by hand; and what it is made of.

    The likelihood of each experiment is the engine's term, whose inputs are the log of the mean
    precision and the shape of its spread.
    """
    prepared = {name: prepare(MODEL, one) for name, one in trials.items()}
    with pm.Model() as model:
        mean = pm.Normal("mean", [1.0, 0.0], [1.0, 0.5])
        spread = pm.HalfNormal("spread", [1.0, 0.5])
        z = pm.Normal("z", shape=(len(names), 2))
        psi = pm.Deterministic("psi", mean + spread * z)
        for at, name in enumerate(names):
            value = apply_to(
                prepared[name].graph.operator,
                {"response_precision": psi[at, 0].reshape((1,))},
                {"response_precision": {"shape": pt.exp(psi[at, 1])}},
                pt.zeros((1, 1)),
                {},
            )
            pm.Potential(f"of_{name}", value)
    density = PopulationDensity(model)
    mode, covariance = highest_point(density, density.start)
    sampling = Sampling(draws=300, tune=200, chains=chains, seed=5)
    drawn = draw_by_nuts(density, mode, covariance, sampling)
    points = drawn.points.reshape(-1, drawn.points.shape[-1])
    values = density.many(points, [model["mean"], model["spread"], model["psi"]])
    return values, prepared


@pytest.fixture(scope="module")
def together(stages):
    return joint(stages[0], list(MEANS), chains=4)


def test_two_stages_give_what_one_model_of_all_gives(stages, together):
    _, scales, evidence = stages
    found = pool_evidence("full-trust", "sender", evidence, scales, sampling=SAMPLING)
    (mean, spread, psi), _ = together
    # Some hundreds of effective draws on either side: means within a quarter of a standard
    # deviation, which is three Monte Carlo errors, and spreads within a fourth.
    for ours, theirs in (
        (found.posterior["mean"].to_numpy().reshape(-1, 2), mean),
        (found.posterior["spread"].to_numpy().reshape(-1, 2), spread),
        (found.posterior["population"].to_numpy().reshape(-1, 6), psi.reshape(-1, 6)),
    ):
        gap = (ours.mean(axis=0) - theirs.mean(axis=0)) / theirs.std(axis=0)
        assert np.abs(gap).max() < 0.25
        np.testing.assert_allclose(ours.std(axis=0), theirs.std(axis=0), rtol=0.25)
    alone = np.array([one.draws.std(axis=0) for one in evidence.values()])
    pooled = found.posterior["population"].to_numpy().reshape(-1, 3, 2).std(axis=0)
    assert pooled[0, 0] < 0.97 * alone[0, 0]  # five people learn from the others
    assert found.error < 0.15


def test_an_experiment_left_out_is_predicted_as_by_a_refit_of_the_others(stages, together):
    trials, scales, evidence = stages
    others = [name for name in MEANS if name != "b"]
    (mean, spread, _), _ = joint({name: trials[name] for name in others}, others, chains=2)
    rng = np.random.default_rng(3)
    new = mean + spread * rng.normal(size=mean.shape)
    # Its people by the engine's own tables, in the place of nodes placed for each population.
    marginal = together[1]["b"].marginal
    logs = np.array(
        [
            marginal.by_subject(
                PopulationValue(
                    (np.array([place]),), ({"shape": float(np.exp(shape))},), np.zeros((1, 1)), {}
                )
            )
            for place, shape in new
        ]
    )
    expected = np.log(np.exp(logs).mean(axis=0))
    without = pool_evidence(
        "full-trust",
        "sender",
        {name: evidence[name] for name in others},
        scales,
        sampling=SAMPLING,
        unseen=["b"],
    )
    values = without.of_new(500, 1, "b")
    found = TransferTask(MODEL, trials["b"], values, 500, 1).make(None, False)
    weight = np.exp(logs - expected)
    error = np.hypot(found.error, weight.sum(axis=1).std() / np.sqrt(len(new)))
    assert found.elpd.sum() == pytest.approx(expected.sum(), abs=4 * error)
    assert error < 0.6
    np.testing.assert_allclose(found.elpd, expected, atol=0.15)
