"""Whether the posterior hangs on the priors: power-scaling, without refits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr
from arviz_stats import psense
from pymc.model.transform.conditioning import remove_value_transforms

from trustbayes.estimates.population import Quantity, population_quantities
from trustbayes.inference.fit import Fit
from trustbayes.inference.marginal.fit_likelihood import new_subjects
from trustbayes.models import Model
from trustbayes.models.draws import subject_log_likelihood
from trustbayes.models.graph import build_units
from trustbayes.models.parametrisation.information import Information
from trustbayes.numerics.graphs import PLAIN

__all__ = ["SENSITIVE", "prior_log_densities", "prior_sensitivity"]

SENSITIVE = 0.05
"""Sensitivity from which it counts, the threshold of Kallioinen et al. (2024)."""

_DRAWS = 1000
_FLAT = 1e-9  # nats by which a flat log density differs


def prior_sensitivity(fit: Fit, draws: int = _DRAWS) -> pd.DataFrame:
    r"""Say how much every population quantity would move if its priors, or the data, weighed more.

    The priors of the population :math:`p(\vartheta)` are raised to a power α just below and just
    above one, the draws weighted by :math:`p(\vartheta)^{\alpha - 1}` (with Pareto smoothing, so
    that nothing is refitted), and the change of a quantity's distribution measured by the
    cumulative Jensen-Shannon distance per doubling of α; the same for the likelihood
    :math:`\prod_i p(y_i \mid \vartheta)`. How subjects vary within the population belongs to the
    model and is not scaled: a subject's own parameters are integrated out and her types summed,
    so that the likelihood is scaled as if there were more people like these. Where that cannot be
    done, the prior of subjects being code, it is the likelihood given their parameters.

    Parameters
    ----------
    fit : Fit
    draws : int
        Of the fit that are used, evenly spaced: with 1,000, and the draws of a comparison by new
        subjects, nothing is worked out again.

    Returns
    -------
    DataFrame
        A row for each population quantity (see `trustbayes.population_estimates`; those in two
        units once): model, role, parameter, symbol, statistic, treatment, option, prior (its
        sensitivity to all priors of the population), likelihood (to the data), strongest (the
        parameter whose priors alone move it most) and diagnosis: "prior and data pull apart" if
        both sensitivities are at least 0.05, "prior outweighs data" if only that to the prior is,
        else empty.

    Raises
    ------
    InputError
        If a prior is code that is not at hand, see `trustbayes.load_fit`.

    Notes
    -----
    A sensitivity to the prior is no fault: it may be what the prior is there for. It says that
    readers with another prior would come to other numbers.

    References
    ----------
    Kallioinen, Paananen, Bürkner and Vehtari (2024), Statistics and Computing 34, 57.

    Examples
    --------
    >>> import trustbayes as tb
    >>> fit = tb.load_fit("sender.nc")  # doctest: +SKIP
    >>> tb.prior_sensitivity(fit)[["parameter", "prior", "diagnosis"]]  # doctest: +SKIP
    """
    part = fit.thinned(draws)
    chosen = [quantity for quantity in population_quantities(part) if _once(quantity)]
    # Without what is given.
    chosen = [quantity for quantity in chosen if np.ptp(quantity.values) > 0]
    shape = (part.posterior.sizes["chain"], part.posterior.sizes["draw"])
    priors = prior_log_densities(part)
    if fit.model.inseparable_priors or fit.altered:
        likelihood = subject_log_likelihood(part.draws())
    else:
        likelihood = new_subjects(fit, draws).log_likelihood
    data = xr.DataTree.from_dict(
        {
            "posterior": _dataset(
                {str(i): quantity.values for i, quantity in enumerate(chosen)}, shape
            ),
            "log_prior": _dataset(priors, shape),
            "log_likelihood": _dataset({"choices": likelihood.sum(axis=1)}, shape),
        }
    )
    to_all = _sensitivities(data, "prior")
    to_data = _sensitivities(data, "likelihood")
    alone = {name: _sensitivities(data, "prior", name) for name in priors}
    rows = [
        {
            "model": fit.model.name,
            "role": fit.model.role,
            "parameter": quantity.parameter.name,
            "symbol": quantity.parameter.symbol,
            "statistic": quantity.statistic,
            "treatment": quantity.treatment,
            "option": quantity.option,
            "prior": prior,
            "likelihood": data_,
            "strongest": max(alone, key=lambda name: alone[name][position]),
            "diagnosis": _diagnosis(prior, data_),
        }
        for position, (quantity, prior, data_) in enumerate(
            zip(chosen, to_all, to_data, strict=True)
        )
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


_COLUMNS = [
    "model", "role", "parameter", "symbol", "statistic", "treatment", "option", "prior",
    "likelihood", "strongest", "diagnosis",
]  # fmt: skip


def _once(quantity: Quantity) -> bool:
    """Of the same quantity in two units, that of the report."""
    unit = quantity.parameter.report_unit
    return not unit or quantity.unit == unit or quantity.statistic == "population spread"


def _dataset(values: Mapping[str, np.ndarray], shape: tuple[int, int]) -> xr.Dataset:
    return xr.Dataset(
        {name: (("chain", "draw"), draws.reshape(shape)) for name, draws in values.items()}
    )


def _sensitivities(data: xr.DataTree, group: str, name: str | None = None) -> list[float]:
    scaled = data[{"prior": "log_prior", "likelihood": "log_likelihood"}[group]].to_dataset()
    logs = sum(scaled[variable].to_numpy() for variable in ([name] if name else scaled))
    if np.ptp(logs) < _FLAT:  # to any power it is the same
        return [0.0] * len(data["posterior"].data_vars)
    sensitivity = psense(
        data,
        group=group,
        sample_dims=["chain", "draw"],
        group_var_names=None if name is None else [name],
    )
    return [float(sensitivity[variable]) for variable in data["posterior"].data_vars]


def _diagnosis(prior: float, likelihood: float) -> str:
    if not prior >= SENSITIVE:
        return ""
    return "prior and data pull apart" if likelihood >= SENSITIVE else "prior outweighs data"


def prior_log_densities(fit: Fit) -> dict[str, np.ndarray]:
    """Log density of the population's variables by their own priors.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    dict of str to array, shape (draws,)
        By parameter, all its hyperparameters added up, on the natural scale; variables that only
        the code of a prior knows count to its parameters.

    Raises
    ------
    InputError
        If a prior is code that is not at hand, see `trustbayes.load_fit`.
    """
    model, units = fit.model, fit.units
    built = build_units(model, units, fit.game, Information.without_pilot(model, units))
    names = [
        str(variable.name)
        for variable in built.free_RVs
        if variable.name in fit.posterior and _of_population(variable, built, len(units.subjects))
    ]
    natural = remove_value_transforms(built)
    variables = [natural[name] for name in names]
    values = [natural.rvs_to_values[rv] for rv in variables]
    logs = natural.logp(vars=variables, sum=False)
    density = natural.compile_fn(
        [term.sum() for term in logs], inputs=values, mode=PLAIN, point_fn=False
    )
    data = fit.draws().data
    arrays = [data[name].transpose("sample", ...).to_numpy() for name in names]
    densities = np.array([density(*point) for point in zip(*arrays, strict=True)])
    total: dict[str, np.ndarray] = {}
    for name, column in zip(names, densities.T, strict=True):
        whose = _whose(name, model)
        total[whose] = total.get(whose, 0.0) + column
    return total


def _of_population(variable: pm.Model, built: pm.Model, subjects: int) -> bool:
    dims = built.named_vars_to_dims.get(variable.name)
    if dims is not None:
        return not {"subject", "group"} & set(dims)  # whose effects vary within the population
    return subjects not in variable.type.shape


def _whose(name: str, model: Model) -> str:
    """The parameter to which a variable belongs."""
    owners = [p.name for p in model.parameters if name == p.name or name.startswith(f"{p.name}_")]
    if owners:
        return max(owners, key=len)
    return " and ".join(model.code_priors)
