"""Numbers of NumPy are numbers, single draws are draws, and seeds have a range."""

import json

import numpy as np
import pytest
from synthetic import small_trials

from trustbayes.errors import InputError
from trustbayes.inference.fitting import fit, fit_key
from trustbayes.inference.sampling import Sampling
from trustbayes.models import LevelK, TrustEmbedded, model
from trustbayes.models.draws import prior_draws
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import simulate

TRIALS = small_trials()


def test_settings_of_numpy_are_those_of_python():
    ours = Sampling(draws=100, tune=50, chains=2, seed=7, target_accept=0.8)
    theirs = Sampling(
        draws=np.int64(100),
        tune=np.int32(50),
        chains=np.array(2),
        seed=np.uint64(7),
        target_accept=np.float64(0.8),
    )
    assert theirs == ours
    json.dumps(vars(theirs))
    chosen = LevelK("sender")
    assert fit_key(chosen, TRIALS, theirs) == fit_key(chosen, TRIALS, ours)


@pytest.mark.parametrize("seed", [-1, 2**64, np.float64(1), 1.5, True, "1"])
def test_seeds_out_of_range_are_refused_before_anything_is_compiled(seed):
    with pytest.raises(InputError, match=r"sampling, seed: found .* expected a whole number from"):
        Sampling(seed=seed)
    assert Sampling(seed=2**64 - 1).seed == 2**64 - 1


def test_arguments_of_priors_of_numpy_are_those_of_python():
    ours = Prior("Normal", mu=1, sigma=0.5)
    theirs = Prior("Normal", mu=np.int64(1), sigma=np.float32(0.5))
    assert theirs == ours
    assert repr(theirs) == repr(ours)
    json.dumps(theirs.to_dict())


@pytest.mark.parametrize("name", ["level-k", "trust-embedded", "mixture"])
def test_a_single_draw_has_the_dimensions_of_several(name):
    chosen, units = model(name, "receiver"), TRIALS.fold("receiver")
    one, two = (prior_draws(chosen, TRIALS.game, units, size, seed=1).data for size in (1, 2))
    assert one.sizes["sample"] == 1
    assert {n: v.dims for n, v in one.items()} == {n: v.dims for n, v in two.items()}
    with pytest.raises(InputError, match="prior draws, size: found '0'"):
        prior_draws(chosen, TRIALS.game, units, 0, seed=1)


def test_experiments_of_numpy_numbers():
    sizes = {"subjects": np.int64(2), "rounds": np.int64(4), "seed": np.int64(3)}
    played = simulate(TRIALS.game, sender=LevelK("sender"), receiver=None, **sizes)
    plain = {name: int(value) for name, value in sizes.items()}
    again = simulate(TRIALS.game, sender=LevelK("sender"), receiver=None, **plain)
    assert played.trials.equals(again.trials)


def test_what_a_model_with_a_formula_has_built_is_its_own():
    table = TRIALS.table.drop(columns="bias")
    ages = table["receiver"].map({"r0": 20, "r1": 35, "r2": 50, "r3": 21})
    from trustbayes.trials.table import trials_from_frame

    trials = trials_from_frame(table.assign(receiver_age=ages), TRIALS.game)
    chosen = TrustEmbedded("receiver", formulas={"trust": "1 + age"})
    built = chosen.build(trials)
    few = Sampling(draws=20, tune=20, chains=2)
    found = fit(chosen, trials, few, built=built, progress=False)
    assert "trust_slope" in found.posterior
    with pytest.raises(InputError, match="one built by another model"):
        fit(TrustEmbedded("receiver"), trials, few, built=built, progress=False)
