"""What a formula adds to the location of a population, in PyMC and in draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from trustbayes.errors import Fault, InputError
from trustbayes.models.formula import Formula
from trustbayes.numerics.graphs import data
from trustbayes.priors.prior import Prior
from trustbayes.theories.spec import Parameter
from trustbayes.trials.units import Units

__all__ = [
    "GROUP_SPREAD",
    "SLOPE",
    "check_lengths",
    "coefficient_priors",
    "coefficients",
    "contribution",
    "declare_contribution",
    "no_contribution",
    "shares_of",
    "varies_by_formula",
]

SLOPE = Prior("Normal", mu=0.0, sigma=1.0)
"""Of every slope: on the scale of the link, for one standard deviation of a covariate or between
two levels of a factor. Four fifths of such effects are less than 1.3 log odds, which takes a trust
of one half to 0.78."""

GROUP_SPREAD = Prior("HalfNormal", sigma=0.5)
"""Of the standard deviation of effects of matching groups, on the scale of the link."""

_SUPPORTS = {"slope": "real", "group_sigma": "positive"}


def coefficient_priors(name: str, formula: Formula, given: Mapping[str, Prior]) -> dict[str, Prior]:
    """The priors of a formula's coefficients, by variable.

    Parameters
    ----------
    name : str
        Of the parameter that the formula is of.
    formula : Formula
    given : mapping of str to Prior
        What a user set, of these and of others.

    Returns
    -------
    dict of str to Prior
        ``name_slope``, where there are slopes, and ``name_group_sigma``, where there are groups.

    Raises
    ------
    InputError
        If a prior does not fit.
    """
    priors = {}
    for part, needed, default in (
        ("slope", formula.has_slopes, SLOPE),
        ("group_sigma", formula.grouped, GROUP_SPREAD),
    ):
        if not needed:
            continue
        prior = given.get(f"{name}_{part}", default)
        if prior.family.support != _SUPPORTS[part] or prior.family.zero_sum:
            expected = f"a Prior of numbers that are {_SUPPORTS[part]}"
            raise InputError(Fault(f"prior of {name}_{part}", str(prior), expected))
        priors[f"{name}_{part}"] = prior
    return priors


def coefficients(name: str) -> tuple[str, str]:
    """What the coefficients of a parameter's formula are called that have priors."""
    return f"{name}_slope", f"{name}_group_sigma"


def varies_by_formula(
    parameter: Parameter,
    formula: Formula,
    prior: Prior,
    over: tuple[str, ...],
    able: Sequence[str],
) -> tuple[str, ...]:
    """Over what a parameter varies by its formula; refuse one that does not suit it.

    Parameters
    ----------
    parameter : Parameter
    formula : Formula
    prior : Prior
        Of the parameter.
    over : tuple of "subject" and "treatment"
        Over what it varies without the formula.
    able : sequence of str
        The parameters that may have a formula, for the message.

    Raises
    ------
    InputError
    """
    name, place, text = parameter.name, formula.place, formula.text
    if parameter.support == "simplex":
        if not prior.family.estimated:
            expected = f"a Dirichlet prior of {name}, or no formula"
            raise InputError(Fault(place, str(prior), expected))
        if formula.by_treatment or formula.grouped:
            expected = "covariates of people only: a subject is of one type throughout"
            raise InputError(Fault(place, text, expected))
        return over
    if "subject" not in over or parameter.option:
        expected = f"a formula of what varies by subject: {', '.join(able)}"
        raise InputError(Fault(place, text, expected))
    location = prior.family.location
    if location is None or isinstance(prior.arguments[location], tuple):
        expected = f"a prior of {name} with one location, which becomes the intercept"
        raise InputError(Fault(place, str(prior), expected))
    return ("subject", "treatment") if formula.by_treatment else ("subject",)


def check_lengths(name: str, formula: Formula, prior: Prior) -> None:
    """Refuse a prior of slopes that has lists of another length than there are columns.

    Raises
    ------
    InputError
    """
    for value in prior.arguments.values():
        if isinstance(value, tuple) and len(value) != len(formula.columns):
            count = len(formula.columns)
            expected = f"one number, or {count}: for {', '.join(formula.columns)}"
            raise InputError(Fault(f"prior of {name}_slope", f"{len(value)} numbers", expected))


def declare_contribution(
    name: str, formula: Formula, priors: Any, units: Units, contrasts: int = 0
) -> Any:
    """Add slopes and effects of groups to the PyMC model in context.

    Parameters
    ----------
    name : str
        Of the parameter.
    formula : Formula
    priors : mapping of str to Prior
        With those of `coefficient_priors`.
    units : Units
    contrasts : int
        Above 0 for shares: the number of labels but for the first.

    Returns
    -------
    PyTensor variable
        What is added to the location on the scale of the link, shape (subjects,) or (subjects,
        treatments); for shares to the log odds against the first label, (subjects, contrasts).
    """
    total: Any = pt.zeros(len(units.subjects))
    total = total[:, None] if formula.by_treatment or contrasts else total
    if formula.has_slopes:
        design = formula.design(units)
        pm.modelcontext(None).add_coord(f"{name}_term", list(formula.columns))
        dims = (*((f"{name}_contrast",) if contrasts else ()), f"{name}_term")
        slope = priors[f"{name}_slope"].variable(f"{name}_slope", dims)
        columns = data(f"{name}_design", design)
        total = total + ((columns[:, None] if contrasts else columns) * slope).sum(axis=-1)
    if formula.grouped:
        assert formula.known is not None
        pm.modelcontext(None).add_coord("group", list(formula.known.groups))
        spread = priors[f"{name}_group_sigma"].variable(f"{name}_group_sigma")
        effect = spread * pm.Normal(f"{name}_group_offset", dims="group")
        effect = pm.Deterministic(f"{name}_group_effect", effect, dims="group")
        of_group = data(f"{name}_group_of", formula.group_indicator(units))
        mine = (of_group * effect).sum(axis=1)
        total = total + (mine[:, None] if formula.by_treatment else mine)
    return total


def contribution(
    name: str, formula: Formula, draws: xr.Dataset, units: Units, design: np.ndarray | None = None
) -> np.ndarray:
    """What a formula adds in draws, as `declare_contribution`.

    Parameters
    ----------
    name : str
    formula : Formula
    draws : xarray.Dataset
        With a leading dimension ``sample``.
    units : Units
    design : array, optional
        In place of the people's own, see `Formula.design`.

    Returns
    -------
    array, shape (draws, subjects, treatments or 1)
        For shares (draws, subjects, contrasts).
    """
    design = formula.design(units) if design is None else design
    total = np.zeros((draws.sizes["sample"], len(design), 1))
    if formula.has_slopes:
        slope = draws[f"{name}_slope"].transpose("sample", ..., f"{name}_term").to_numpy()
        if slope.ndim == 3:  # of shares
            return np.einsum("dcj,ij->dic", slope, design)
        rows = design if formula.by_treatment else design[:, None]
        total = total + np.einsum("dj,itj->dit", slope, rows)
    if formula.grouped:
        effect = draws[f"{name}_group_effect"].transpose("sample", "group").to_numpy()
        total = total + (effect @ formula.group_indicator(units).T)[..., None]
    return total


def no_contribution(name: str, formula: Formula) -> dict[str, Any]:
    """Variables of one draw by which a formula adds nothing, as `contribution` takes them."""
    assert formula.known is not None
    variables: dict[str, Any] = {}
    if formula.has_slopes:
        variables[f"{name}_slope"] = ((f"{name}_term",), np.zeros(len(formula.columns)))
    if formula.grouped:
        variables[f"{name}_group_effect"] = (("group",), np.zeros(len(formula.known.groups)))
    return variables


def shares_of(base: Any, contrasts: Any) -> Any:
    """Each subject's shares from those at the mean of covariates.

    Parameters
    ----------
    base : array, shape (..., labels)
    contrasts : array, shape (..., subjects, labels - 1)
        What is added to the log odds against the first label; both NumPy or PyTensor.

    Returns
    -------
    array, shape (..., subjects, labels)

    Examples
    --------
    >>> shares_of(np.array([0.5, 0.5]), np.array([[0.0], [np.log(3)]]))
    array([[0.5 , 0.5 ],
           [0.25, 0.75]])
    """
    xp = np if isinstance(contrasts, np.ndarray) else pt
    first = contrasts[..., :1] * 0
    logs = xp.concatenate([first, contrasts], axis=-1)
    with np.errstate(divide="ignore"):
        logs = logs + xp.log(base)[..., None, :]
    weights = xp.exp(logs - logs.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)
