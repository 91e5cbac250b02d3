"""The estimates that a reader wants first, one sentence each."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from trustbayes.analysis.analyse import Analysis
from trustbayes.models import Parameter
from trustbayes.report.figures.people import rows_of
from trustbayes.report.page.wording import fixed, interval, listed, number, type_label

__all__ = ["typical_values"]

_NUISANCE = ("response_precision", "response_noise", "lapse", "rounding", "habit")
_ORDER = ("population mean", "population median", "value", "share")


def typical_values(analysis: Analysis) -> list[str]:
    """Typical trust, lying aversion in payoff units, shares of levels and theories.

    Only fits that passed the convergence gate speak, and a mixture on the shares of its theories
    alone: its other parameters are those of the theories, of which the other fits speak.

    Parameters
    ----------
    analysis : Analysis

    Returns
    -------
    list of str
    """
    sentences = []
    for (model, role), fit in analysis.fits.items():
        if not fit.gate.passed:
            continue
        for parameter in _telling(fit.model.parameters):
            rows = rows_of(analysis.population, model, role, parameter.name)
            if parameter.report_unit:
                rows = rows[rows["unit"] == parameter.report_unit]
            statistic = next((s for s in _ORDER if (rows["statistic"] == s).any()), None)
            if statistic is None:
                continue
            rows = rows[rows["statistic"] == statistic]
            name = f"{parameter.name.replace('_', ' ')} {parameter.symbol}"
            what = (
                f"{name} of {role}s" if statistic == "value" else f"{statistic} of {name}, {role}s"
            )
            unit = "" if parameter.support in ("unit", "simplex") else f" {rows['unit'].iloc[0]}"
            values = listed((_value(row) for _, row in rows.iterrows()), 8)
            sentences.append(f"{fit.model.spec.title}, {what}: {values}{unit}.")
    return sentences


def _telling(parameters: Sequence[Parameter]) -> list[Parameter]:
    """The parameters that a reader wants to know of."""
    theories = [p for p in parameters if p.name == "theory"]
    return theories or [p for p in parameters if p.name not in _NUISANCE]


def _value(row: pd.Series) -> str:
    place = listed(p for p in (str(row["treatment"]), type_label(str(row["option"]))) if p)
    where = f" in {place}" if row["treatment"] else f" at {place}" if row["option"] else ""
    if row["parameter"] == "theory":
        where = f" for {place}"
    if "share" in row["unit"]:
        return f"{fixed(row['mean'])} ({fixed(row['lower'])} to {fixed(row['upper'])}){where}"
    return f"{number(row['mean'])} ({interval(row['lower'], row['upper'])}){where}"
