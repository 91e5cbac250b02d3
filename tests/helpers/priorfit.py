"""Fits whose draws are those of the prior: what a likelihood that ignores all data gives."""

import numpy as np
import xarray as xr
from synthetic import synthetic_fit

from trustbayes.inference.fit import Fit
from trustbayes.models.draws import prior_draws

CHAINS, DRAWS = 2, 100


def prior_fit(model, trials, sampling, *, progress=True, cores=None, alike=False):
    """In the place of `trustbayes.inference.fitting.fit`."""
    made = synthetic_fit(model, trials, sampling.seed, CHAINS, 4)
    draws = prior_draws(model, trials.game, made.units, CHAINS * DRAWS, sampling.seed + 10_000)
    posterior = {
        name: (
            ("chain", "draw", *values.dims[1:]),
            values.to_numpy().reshape(CHAINS, DRAWS, *values.shape[1:]),
        )
        for name, values in draws.data.data_vars.items()
        if not str(name).endswith(("_own", "_offset"))
    }
    energy = np.random.default_rng(sampling.seed).normal(size=(CHAINS, DRAWS))
    stats = {
        "diverging": (("chain", "draw"), np.zeros((CHAINS, DRAWS), dtype=bool)),
        "energy": (("chain", "draw"), energy),
    }
    data = xr.Dataset(posterior, coords=draws.data.coords)
    return Fit(model, trials.game, made.units, data, xr.Dataset(stats), made.manifest)
