"""The trust that senders expect against the trust that receivers give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from trustbayes.errors import Fault, InputError, listing
from trustbayes.estimates.population_means import population_means
from trustbayes.inference.fit import Fit
from trustbayes.priors.links import logit_normal_mean

__all__ = ["trust_gap"]


def trust_gap(sender: Fit, receiver: Fit, ci_prob: float = 0.9) -> pd.DataFrame:
    """How much more trust senders expect than the population of receivers gives, by treatment.

    Parameters
    ----------
    sender, receiver : Fit
        Of the same game; the halves of a `trustbayes.inference.joint.JointFit`, or two fits by
        themselves, whose posteriors are independent.
    ci_prob : float
        Probability of the equal-tailed intervals.

    Returns
    -------
    DataFrame
        A row per treatment: treatment; expected, given, gap (posterior means, shares from 0 to
        1; the gap is expected less given), each with _lower and _upper; more (probability that
        senders expect more than receivers give).

    Raises
    ------
    InputError
        If a fit lacks the parameter, or the fits have no treatment in common.

    Examples
    --------
    >>> import trustbayes as tb
    >>> fit = tb.load_joint_fit("joint.nc")  # doctest: +SKIP
    >>> tb.trust_gap(fit.sender, fit.receiver)[["treatment", "gap"]]  # doctest: +SKIP
    """
    expected, given = _expected(sender), _given(receiver)
    common = [t for t in sender.units.treatments if t in receiver.units.treatments]
    if not common:
        wanted = f"at least one of {listing(sender.units.treatments)}"
        treatments = listing(receiver.units.treatments)
        raise InputError(Fault("trust gap, treatments of receivers", treatments, wanted))
    tail = (1 - ci_prob) / 2
    rows = []
    for treatment in common:
        ahead = expected.sel(treatment=treatment).to_numpy()
        behind = given.sel(treatment=treatment).to_numpy()
        size = min(ahead.size, behind.size)
        ahead, behind = ahead[:size], behind[:size]
        row: dict[str, object] = {"treatment": treatment}
        for name, draws in (("expected", ahead), ("given", behind), ("gap", ahead - behind)):
            lower, upper = np.quantile(draws, [tail, 1 - tail])
            row |= {name: draws.mean(), f"{name}_lower": lower, f"{name}_upper": upper}
        rows.append(row | {"more": float((ahead > behind).mean())})
    return pd.DataFrame(rows)


def _expected(fit: Fit) -> xr.DataArray:
    """Expected trust in each treatment, shape (samples, treatments)."""
    if "expected_trust" not in fit.posterior:
        raise InputError(Fault("trust gap, sender", fit.model.name, "a model with expected trust"))
    data = fit.draws().data["expected_trust"]
    if "subject" in data.dims:
        data = data.mean("subject")
    return _by_treatment(data, fit)


def _given(fit: Fit) -> xr.DataArray:
    """Mean trust of the population in each treatment, shape (samples, treatments)."""
    if "trust" not in fit.posterior:
        raise InputError(Fault("trust gap, receiver", fit.model.name, "a model with trust"))
    draws, prior = fit.draws().data, fit.model.priors["trust"]
    if "trust" in fit.model.formulas:
        every = fit.draws()
        means = population_means(every, "trust", every.location("trust")).mean(axis=1)
        dims = ("sample", "treatment")
        size = (every.size, len(fit.units.treatments))
        labels = {"treatment": list(fit.units.treatments)}
        return xr.DataArray(np.broadcast_to(means, size), dims=dims, coords=labels)
    if prior.distribution == "LogitNormal" and "trust_mu" in draws:
        spread = draws["trust_sigma"] if "trust_sigma" in draws else prior.arguments["sigma"]
        if "subject" in draws["trust"].dims:
            mean = xr.apply_ufunc(logit_normal_mean, draws["trust_mu"], spread)
            return _by_treatment(mean, fit)
    data = draws["trust"]
    return _by_treatment(data.mean("subject") if "subject" in data.dims else data, fit)


def _by_treatment(data: xr.DataArray, fit: Fit) -> xr.DataArray:
    if "treatment" not in data.dims:
        data = data.expand_dims(treatment=list(fit.units.treatments))
    return data.transpose("sample", "treatment")
