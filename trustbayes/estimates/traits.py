"""What people's traits and treatments predict: the effects of a fit's formulas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustbayes.estimates.population_means import link_unit, population_means
from trustbayes.inference.fit import Fit
from trustbayes.models import Parameter
from trustbayes.models.draws import Draws
from trustbayes.models.formula import Formula
from trustbayes.models.regression import contribution, shares_of

__all__ = ["trait_effects"]

_LABELS = ["model", "role", "parameter", "symbol", "kind", "term", "change", "option", "unit"]
_NUMBERS = ["mean", "lower", "upper", "positive"]
_MOST = 2000  # draws: each takes an integral for every subject


@dataclass(frozen=True)
class _Change:
    """A change of one covariate, or of the treatment.

    Parameters
    ----------
    term : str
    words : str
    low, high : mapping of str to object
        What to put in its place, see `Formula.design`.
    """

    term: str
    words: str
    low: dict[str, object]
    high: dict[str, object]


def trait_effects(fit: Fit, ci_prob: float = 0.9) -> pd.DataFrame:
    """Effects of covariates and treatments by a fit's formulas.

    **Coefficients** are on the scale of the link: for one standard deviation of a column of the
    design matrix and for one unit of it, or from 0 to 1 for columns that hold nothing else, such
    as those of a factor. **Average effects** are on the natural scale: by how much the mean of the
    parameter among people such as the subjects would differ if a covariate were half a standard
    deviation, or half a unit, higher for everybody rather than as much lower, or if all had one
    level of a factor rather than its reference, which the formula chooses, as in
    ``T(country, 'NL')``, or which is the first; all else as it is. Of log-normal parameters the
    median stands for the mean. For shares they are changes of each share and, of levels, of the
    mean level.

    Parameters
    ----------
    fit : Fit
    ci_prob : float
        Probability of the equal-tailed intervals.

    Returns
    -------
    DataFrame
        Columns model, role, parameter, symbol, kind ("coefficient" or "average effect"), term,
        change ("1 unit", "1 sd (0.93)", "0 to 1", "High against Low"), option ("" or a label of
        what is shared, "mean level"), unit, mean, lower, upper, positive (posterior probability of
        being above zero). Empty for a model without formulas.

    References
    ----------
    Gelman and Pardoe (2007), Sociological Methodology 37(1), for average predictive comparisons.

    Examples
    --------
    >>> import trustbayes as tb
    >>> fit = tb.load_fit("receiver.nc")  # doctest: +SKIP
    >>> effects = tb.trait_effects(fit)  # doctest: +SKIP
    """
    rows: list[dict[str, object]] = []
    if not fit.model.formulas:
        return pd.DataFrame(columns=[*_LABELS, *_NUMBERS]).astype(dict.fromkeys(_NUMBERS, float))
    draws, tail = fit.draws(_MOST), (1 - ci_prob) / 2
    for parameter in fit.model.parameters:
        formula = fit.model.formulas.get(parameter.name)
        if formula is None or not formula.has_slopes:
            continue
        of_parameter = {
            "model": fit.model.name,
            "role": fit.model.role,
            "parameter": parameter.name,
            "symbol": parameter.symbol,
        }
        of_shares = parameter.support == "simplex"
        coefficients = _coefficients(draws, parameter, formula)
        averages = (_on_shares if of_shares else _on_values)(draws, parameter, formula)
        for kind, effects in (("coefficient", coefficients), ("average effect", averages)):
            for term, change, option, unit, values in effects:
                lower, upper = np.quantile(values, [tail, 1 - tail])
                labels = {"kind": kind, "term": term, "change": change, "option": option}
                numbers = {"mean": float(values.mean()), "lower": lower, "upper": upper}
                above = {"positive": float((values > 0).mean())}
                rows.append({**of_parameter, **labels, "unit": unit, **numbers, **above})
    return pd.DataFrame(rows, columns=[*_LABELS, *_NUMBERS])


_Found = Iterator[tuple[str, str, str, str, np.ndarray]]
"""Term, change, option, unit and draws of each effect."""


def _coefficients(draws: Draws, parameter: Parameter, formula: Formula) -> _Found:
    name, dim = parameter.name, f"{parameter.name}_term"
    slope = draws.data[f"{name}_slope"].transpose("sample", ..., dim).to_numpy()
    unit = "log odds"
    if parameter.support != "simplex":
        unit = link_unit(parameter, draws.model.priors[name])
        slope, options = slope[:, None], [""]
    else:
        first, *others = draws.model.shares[name]
        options = [f"{label} against {first}" for label in others]
    flags = formula.flags
    for place, column in enumerate(formula.columns):
        scale = formula.scale[place]
        sizes = [("0 to 1", 1.0)] if flags[place] else [(_sd(scale), 1.0), ("1 unit", 1 / scale)]
        for change, factor in sizes:
            for position, option in enumerate(options):
                yield column, change, option, unit, slope[:, position, place] * factor


def _sd(scale: float) -> str:
    return f"1 sd ({scale:.3g})"


def _changes(draws: Draws, formula: Formula) -> Iterator[_Change]:
    """One unit and one standard deviation of a number, each level of a factor but the first."""
    for term in formula.names:
        levels = formula.factor_levels(term)
        for level in levels[1:]:
            words = f"{level} against {levels[0]}"
            yield _Change(term, words, {term: levels[0]}, {term: level})
        if levels:
            continue
        values = np.asarray(draws.units.people[term], dtype=float)
        spread = float(values.std())
        for words, size in ((_sd(spread), spread), ("1 unit", 1.0)):
            now = formula.at(draws.units, term)
            yield _Change(term, words, {term: now - size / 2}, {term: now + size / 2})


def _on_values(draws: Draws, parameter: Parameter, formula: Formula) -> _Found:
    """Mean over the subjects, and the treatments that each met."""
    name, factor = parameter.name, parameter.factor(draws.game)
    units = draws.units
    met = np.ones((len(units.subjects), 1), dtype=bool)
    if formula.by_treatment:
        met = np.zeros((len(units.subjects), len(units.treatments)), dtype=bool)
        met[units.unit_subject, units.unit_treatment] = True

    def mean(instead: dict[str, object]) -> np.ndarray:
        location = draws.location(name, formula.design(units, **instead))
        return np.asarray(population_means(draws, name, location)[:, met].mean(axis=1))

    for change in _changes(draws, formula):
        gap = (mean(change.high) - mean(change.low)) * factor
        yield change.term, change.words, "", parameter.report_unit or parameter.unit, gap


def _on_shares(draws: Draws, parameter: Parameter, formula: Formula) -> _Found:
    """Mean over the subjects of each share, and of the level that they make."""
    name, units = parameter.name, draws.units
    base = draws.data[f"{name}_share"].transpose("sample", name).to_numpy()
    labels = draws.model.shares[name]

    def mean(instead: dict[str, object]) -> np.ndarray:
        more = contribution(name, formula, draws.data, units, formula.design(units, **instead))
        return np.asarray(shares_of(base, more).mean(axis=1))

    for change in _changes(draws, formula):
        gap = mean(change.high) - mean(change.low)
        for place, label in enumerate(labels):
            yield change.term, change.words, label, "share of subjects", gap[:, place]
        if parameter.ordered:
            level = gap @ np.arange(len(labels))
            yield change.term, change.words, f"mean {name}", f"{name}s", level
