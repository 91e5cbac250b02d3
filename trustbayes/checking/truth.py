"""What was planted, in the form of draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from trustbayes.fitting import Fit
from trustbayes.models.evaluate import Draws

__all__ = ["planted_draw"]


def planted_draw(fit: Fit, parameters: pd.DataFrame) -> Draws:
    """The values that generated the trials, as one draw of the fitted model's parameters.

    Parameters
    ----------
    fit : Fit
        To the simulated trials.
    parameters : DataFrame
        See `trustbayes.simulation.Simulation`.

    Returns
    -------
    Draws
        With one sample; what was not planted is left out, and so are locations of parameters that
        all subjects share, which say the same twice. What no subject met is NaN.
    """
    model = fit.model
    here = parameters[(parameters["role"] == model.role)]
    keys = zip(here["parameter"], here["subject"], here["treatment"], strict=True)
    known = dict(zip(keys, here["value"].astype(float), strict=True))
    names = {key[0].split("[")[0] for key in known} - _twice(fit)
    data = {}
    for name, draws in fit.posterior.data_vars.items():
        if name not in names:
            continue
        dims = [str(dim) for dim in draws.dims if dim not in ("chain", "draw")]
        values = np.full([draws.sizes[dim] for dim in dims], np.nan)
        labels = {dim: draws[dim].to_numpy().astype(str) for dim in dims}
        for at in np.ndindex(*values.shape):
            where = {dim: str(labels[dim][i]) for dim, i in zip(dims, at, strict=True)}
            subject, treatment = where.pop("subject", ""), where.pop("treatment", "")
            option = "".join(f"[{label}]" for label in where.values())
            values[at] = known.get((f"{name}{option}", subject, treatment), np.nan)
        data[name] = (("sample", *dims), values[None])
    coords = {name: fit.posterior[name] for name in fit.posterior.coords if name not in _DRAWS}
    return Draws(model, fit.game, fit.units, xr.Dataset(data, coords=coords))


def _twice(fit: Fit) -> set[str]:
    """Locations of what all subjects share: the value itself on another scale."""
    shared = (p for p in fit.model.parameters if "subject" not in fit.model.varies[p.name])
    return {
        f"{p.name}_{prior.family.location}"
        for p in shared
        if p.name not in fit.model.coded and (prior := fit.model.priors[p.name]).hierarchical
    }


_DRAWS = ("chain", "draw")
