"""Comparing fits of the same trials."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.utils import ELPDDataLOO

from trustbayes.comparison.pointwise import Pointwise, pointwise
from trustbayes.errors import Fault, InputError
from trustbayes.fitting import Fit
from trustbayes.games.finite import Role

__all__ = ["CRITERIA", "UNITS", "Comparison", "compare"]

CRITERIA = ("loo", "waic")
UNITS = {
    "trial": "a new trial of a known subject",
    "subject-sum": "a new trial of a known subject, summed over each subject's trials",
}
"""Units of comparison and what is predicted. Neither is the prediction of a new subject."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """How well models predict the choices of one role.

    Parameters
    ----------
    role : "sender" or "receiver"
    table : DataFrame
        A row for each unit, criterion and model, best first, with columns role, unit, criterion,
        model, elpd (log scale, higher is better), se, elpd_diff (to the best, at most 0), dse
        (standard error of the difference), p (effective number of parameters), weight (stacking),
        warning (in words, or empty).
    pointwise : mapping of str to Pointwise
        By model.
    """

    role: Role
    table: pd.DataFrame
    pointwise: Mapping[str, Pointwise]

    def rows(self, unit: str = "subject-sum", criterion: str = "loo") -> pd.DataFrame:
        """The rows of one unit and criterion, indexed by model, best first."""
        chosen = (self.table["unit"] == unit) & (self.table["criterion"] == criterion)
        return self.table[chosen].set_index("model")


def compare(fits: Sequence[Fit]) -> Comparison:
    """Compare fits of the same trials by PSIS-LOO and WAIC.

    Parameters
    ----------
    fits : sequence of Fit
        Of one role, the same trials and the same game.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If the fits differ in role, data, game or exclusions, or a model occurs twice.
    """
    _check_same(fits)
    points = {fit.model.name: pointwise(fit) for fit in fits}
    rows = []
    for unit in UNITS:
        for criterion in CRITERIA:
            scores = {name: _elpd(point, unit, criterion) for name, point in points.items()}
            rows.append(_table(scores, points, unit, criterion))
    table = pd.concat(rows, ignore_index=True)
    table.insert(0, "role", fits[0].model.role)
    return Comparison(fits[0].model.role, table, points)


def _elpd(point: Pointwise, unit: str, criterion: str) -> ELPDDataLOO:
    """ArviZ's container of the unit's values, so that ArviZ compares them."""
    values = point.loo if criterion == "loo" else point.waic
    p = point.p_loo if criterion == "loo" else point.p_waic
    k = point.pareto_k if criterion == "loo" else np.zeros_like(values)
    if unit == "subject-sum":
        values = np.bincount(point.subject, weights=values)
        worst = np.full(values.size, -np.inf)
        np.maximum.at(worst, point.subject, k)
        k = worst
    return ELPDDataLOO(
        elpd=float(values.sum()),
        se=float(np.sqrt(values.size * values.var())),
        p=float(p.sum()),
        n_samples=point.draws,
        n_data_points=values.size,
        scale="log",
        warning=bool((k > point.good_k).any()),
        good_k=point.good_k,
        elpd_i=xr.DataArray(values, dims="unit"),
        pareto_k=xr.DataArray(k, dims="unit"),
    )


def _table(
    scores: Mapping[str, ELPDDataLOO], points: Mapping[str, Pointwise], unit: str, criterion: str
) -> pd.DataFrame:
    if len(scores) > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # said in the column of warnings
            found = az.compare(dict(scores), method="stacking", round_to="none")
    else:
        found = pd.DataFrame(
            {"elpd": [s.elpd for s in scores.values()], "p": [s.p for s in scores.values()]},
            index=list(scores),
        ).assign(se=[s.se for s in scores.values()], elpd_diff=0.0, dse=0.0, weight=1.0)
    size = next(iter(scores.values())).n_data_points
    return pd.DataFrame(
        {
            "unit": unit,
            "criterion": criterion,
            "model": found.index.astype(str),
            **{
                c: found[c].to_numpy(float)
                for c in ("elpd", "se", "elpd_diff", "dse", "p", "weight")
            },
            "warning": [
                "; ".join(_warnings(points[str(name)], criterion, size)) for name in found.index
            ],
        }
    )


def _warnings(point: Pointwise, criterion: str, size: int) -> list[str]:
    words = []
    if criterion == "loo" and point.unreliable:
        words.append(
            f"{point.unreliable} of {point.loo.size} trials have Pareto k above {point.good_k:.2f}"
        )
    doubtful = int((point.p_waic > 0.4).sum())
    if criterion == "waic" and doubtful:
        words.append(f"{doubtful} of {point.waic.size} trials have a variance above 0.4")
    if size < 100:
        words.append(f"only {size} units: standard errors are rough")
    return words


def _check_same(fits: Sequence[Fit]) -> None:
    faults = []
    if not fits:
        raise InputError(Fault("comparison", "", "at least one fit"))
    first, seen = fits[0], set[str]()
    for fit in fits:
        name = fit.model.name
        if name in seen:
            faults.append(Fault("comparison", name, "every model once"))
        seen.add(name)
        if fit.model.role != first.model.role:
            faults.append(Fault(f"fit of {name}", fit.model.role, f"the role {first.model.role}"))
        for key, what in (("checksum", "trials"), ("exclusions", "exclusions")):
            if fit.manifest["data"][key] != first.manifest["data"][key]:
                found = str(fit.manifest["data"]["source"])
                faults.append(
                    Fault(f"fit of {name}", found, f"the same {what} as {first.model.name}")
                )
        if fit.manifest["game_checksum"] != first.manifest["game_checksum"]:
            faults.append(Fault(f"fit of {name}", "another game", f"that of {first.model.name}"))
    if faults:
        raise InputError(faults)
