"""Comparing fits of the same trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from trustbayes.comparison.basis import Basis, check_fits
from trustbayes.comparison.loso import SubjectScores, leave_one_subject_out
from trustbayes.comparison.names import by_name
from trustbayes.comparison.pointwise import Pointwise, pointwise
from trustbayes.comparison.rows import FEW, SMALL, score_rows
from trustbayes.errors import Fault, InputError, listing
from trustbayes.games import Role
from trustbayes.inference.fit import Fit

__all__ = ["CRITERIA", "UNITS", "Comparison", "compare"]

UNITS = {
    "subject": "all trials of a new subject",
    "group": "all trials of a new matching group",
    "trial": "a new trial of a known subject",
    "subject-sum": "a new trial of a known subject, summed over each subject's trials",
}
"""Units of comparison and what is predicted; the last two say nothing of new people."""

CRITERIA = {
    "subject": ("loso",),
    "group": ("loso",),
    "trial": ("loo", "waic"),
    "subject-sum": ("loo", "waic"),
}
"""The criteria of each unit, that to be judged by first."""

_DECISIVE = ("subject", "group", "subject-sum")
_NOTABLE = 0.1  # nats of integration error, over all units
_COLUMNS = (
    "role", "unit", "criterion", "model", "elpd", "se", "elpd_diff", "dse", "other_sign", "p",
    "weight", "weight_bma", "warning",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Comparison:
    """How well models predict the choices of one role.

    Parameters
    ----------
    basis : Basis
        The trials that were predicted.
    table : DataFrame
        A row for each unit, criterion and model, best first, with columns role; unit;
        criterion; model; elpd (nats, higher is better); se; elpd_diff (to the best, at most 0);
        dse (standard error of the difference); other_sign (probability that the difference has
        the other sign, from 0 to 0.5, by a normal approximation); p (effective number of
        parameters); weight (stacking); weight_bma (pseudo-BMA+); warning (in words, or empty).
    pointwise : mapping of str to Pointwise
        By model, where trials are a unit; else empty.
    scores : mapping of str to mapping of str to SubjectScores
        By unit ("subject", "group"), then by model; empty for units that were not asked for.
    """

    basis: Basis
    table: pd.DataFrame
    pointwise: Mapping[str, Pointwise]
    scores: Mapping[str, Mapping[str, SubjectScores]]

    @property
    def role(self) -> Role:
        """Whose choices were predicted."""
        return self.basis.role

    @property
    def models(self) -> tuple[str, ...]:
        """The models compared."""
        return tuple(dict.fromkeys(map(str, self.table["model"])))

    @property
    def unit(self) -> str:
        """The unit to judge by: new subjects, else new groups, else trials summed by subject."""
        held = set(self.table["unit"])
        return next(unit for unit in _DECISIVE if unit in held)

    def rows(self, unit: str | None = None, criterion: str | None = None) -> pd.DataFrame:
        """The rows of one unit and criterion, indexed by model, best first.

        Parameters
        ----------
        unit : str, optional
            One of `UNITS`; default: the one to judge by.
        criterion : str, optional
            One of `CRITERIA`; default: the unit's first.

        Returns
        -------
        DataFrame
        """
        unit = unit or self.unit
        criterion = criterion or CRITERIA[unit][0]
        chosen = (self.table["unit"] == unit) & (self.table["criterion"] == criterion)
        return self.table[chosen].set_index("model")

    def elpd_by_unit(self, unit: str | None = None) -> pd.DataFrame:
        """Scores of every unit by LOSO or LOO, a column for each model, best first.

        Parameters
        ----------
        unit : str, optional
            One of `UNITS`; default: the one to judge by.

        Returns
        -------
        DataFrame
            In nats; indexed by the labels of subjects or groups, else by the position of the
            trial, or of the subject.

        Raises
        ------
        InputError
            If the comparison lacks the unit.
        """
        unit = unit or self.unit
        if unit not in set(self.table["unit"]):
            held = listing(dict.fromkeys(self.table["unit"]))
            raise InputError(Fault("unit", unit, f"a unit of the comparison: {held}"))
        names = self.rows(unit).index
        if unit in self.scores:
            scores = self.scores[unit]
            labels = pd.Index(scores[names[0]].labels, name=unit)
            return pd.DataFrame({name: scores[name].elpd for name in names}, index=labels)
        return pd.DataFrame({n: _by_trial(self.pointwise[n], unit, "loo")[0] for n in names})

    def check(self, fits: Sequence[Fit] | Mapping[str, Fit]) -> None:
        """Refuse fits that are not those compared.

        Parameters
        ----------
        fits : sequence of Fit, or mapping of str to Fit

        Raises
        ------
        InputError
            If they are of another role, other trials, exclusions, games or models; with what
            differs.
        """
        faults = check_fits(fits).faults("fits", self.basis, "the comparison")
        names = list(by_name(fits))
        if set(names) != set(self.models):
            expected = f"those of the comparison: {listing(self.models)}"
            faults.append(Fault("fits, models", listing(names), expected))
        if faults:
            raise InputError(faults)

    def with_scores(self, scores: Mapping[str, SubjectScores]) -> Comparison:
        """Take over scores of new subjects or groups, such as those mended by exact refits.

        Parameters
        ----------
        scores : mapping of str to SubjectScores
            One for each model compared, all of one unit; they replace what is there of the unit.

        Returns
        -------
        Comparison

        Raises
        ------
        InputError
            If they are of other models, trials, roles or exclusions, or of different units.
        """
        faults = []
        if set(scores) != set(self.models):
            expected = f"those of the comparison: {listing(self.models)}"
            faults.append(Fault("scores, models", listing(scores), expected))
        for name, model_scores in scores.items():
            faults += model_scores.basis.faults(f"scores of {name}", self.basis, "the comparison")
        first = next(iter(scores), "")
        for name, model_scores in scores.items():
            if model_scores.unit != scores[first].unit:
                expected = f"that of {first}: {UNITS[scores[first].unit]}"
                faults.append(Fault(f"scores of {name}, unit", UNITS[model_scores.unit], expected))
            elif model_scores.labels != scores[first].labels:
                count = f"{len(model_scores.labels)} {model_scores.unit}s"
                expected = f"those of {first}: {len(scores[first].labels)}"
                faults.append(Fault(f"scores of {name}, {model_scores.unit}s", count, expected))
        if faults:
            raise InputError(faults)
        unit = scores[first].unit
        rest = self.table[self.table["unit"] != unit]
        rows = _loso_rows(scores).assign(role=self.role)[list(_COLUMNS)]
        return replace(
            self,
            table=pd.concat([rows, rest], ignore_index=True),
            scores={**self.scores, unit: dict(scores)},
        )


def compare(
    fits: Sequence[Fit] | Mapping[str, Fit],
    units: str | Sequence[str] = "trial",
    draws: int = 0,
) -> Comparison:
    """Compare fits of the same trials by what they predict.

    Parameters
    ----------
    fits : sequence of Fit, or mapping of str to Fit
        Of one role, the same trials and the same game. In a mapping each has the name that it is
        called by in tables and texts; else that of its model.
    units : str or sequence of str
        What is predicted, one or more of: "subject" (all trials of a new subject, by PSIS
        leave-one-subject-out, criterion loso), "group" (the same for matching groups), "trial"
        (a new trial of a known subject, by PSIS-LOO and WAIC, trial by trial and summed by
        subject).
    draws : int
        Above 0: predict new subjects and groups by no more draws of each fit than that, see
        `trustbayes.comparison.leave_one_subject_out`.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If the fits differ in role, data, game or exclusions, a model occurs twice without names, a
        unit is unknown, or groups are asked for and the trials have none.

    References
    ----------
    Merkle, Furr and Rabe-Hesketh (2019), Psychometrika 84(3), for new subjects against new
    trials; Vehtari, Gelman and Gabry (2017), Statistics and Computing 27; Sivula, Magnusson,
    Matamoros and Vehtari (2025), arXiv 2008.10296, for when standard errors can be relied on.

    Examples
    --------
    >>> import trustbayes as tb
    >>> fits = [tb.load_fit(f"{name}.nc") for name in ("te", "lk")]  # doctest: +SKIP
    >>> compare(fits, ("subject", "trial")).rows("subject")  # doctest: +SKIP
    """
    units = (units,) if isinstance(units, str) else tuple(units)
    known = ("subject", "group", "trial")
    faults = [Fault("unit", unit, f"one of: {', '.join(known)}") for unit in units
              if unit not in known]  # fmt: skip
    if not units:
        faults.append(Fault("unit", "", f"at least one of: {', '.join(known)}"))
    if faults:
        raise InputError(faults)
    basis, named = check_fits(fits), by_name(fits)
    points = {name: pointwise(fit) for name, fit in named.items()} if "trial" in units else {}
    scores: dict[str, Mapping[str, SubjectScores]] = {
        unit: {name: leave_one_subject_out(fit, unit, draws) for name, fit in named.items()}
        for unit in ("subject", "group")
        if unit in units
    }
    rows = [_loso_rows(by_model) for by_model in scores.values()]
    rows += [
        _trial_rows(points, unit, criterion)
        for unit in ("trial", "subject-sum")
        for criterion in CRITERIA[unit]
        if points
    ]
    table = pd.concat(rows, ignore_index=True).assign(role=basis.role)
    return Comparison(basis, table[list(_COLUMNS)], points, scores)


def _loso_rows(scores: Mapping[str, SubjectScores]) -> pd.DataFrame:
    """The rows of one unit of people."""
    rows = score_rows({name: model_scores.elpd for name, model_scores in scores.items()})
    words = {name: _doubts_of_loso(model_scores) for name, model_scores in scores.items()}
    unit = next(iter(scores.values())).unit
    p = {name: float(model_scores.p.sum()) for name, model_scores in scores.items()}
    return _labelled(rows, p, words, unit, "loso", len(next(iter(scores.values())).labels))


def _trial_rows(points: Mapping[str, Pointwise], unit: str, criterion: str) -> pd.DataFrame:
    """The rows of one criterion by trial, or summed by subject."""
    values = {name: _by_trial(point, unit, criterion) for name, point in points.items()}
    rows = score_rows({name: elpd for name, (elpd, _) in values.items()})
    p = {name: total for name, (_, total) in values.items()}
    words = {name: _doubts_of_trials(point, criterion) for name, point in points.items()}
    size = next(iter(values.values()))[0].size
    return _labelled(rows, p, words, unit, criterion, size)


def _by_trial(point: Pointwise, unit: str, criterion: str) -> tuple[np.ndarray, float]:
    """Scores of each unit, and the effective number of parameters."""
    values, p = getattr(point, criterion), getattr(point, f"p_{criterion}")
    if unit == "subject-sum":
        values = np.bincount(point.subject, weights=values)
    return values, float(p.sum())


def _labelled(
    table: pd.DataFrame,
    p: Mapping[str, float],
    words: Mapping[str, Sequence[str]],
    unit: str,
    criterion: str,
    size: int,
) -> pd.DataFrame:
    """The rows with what they are of, and what is doubtful about each."""
    rows = table.rename_axis("model").reset_index()
    doubts = []
    for name, gap in zip(rows["model"], rows["elpd_diff"], strict=True):
        remarks = list(words[name])
        if size < FEW:
            what = "subject" if unit == "subject-sum" else unit
            remarks.append(f"only {size} {what}s: standard errors are rough (Sivula et al. 2025)")
        if name != rows["model"][0] and abs(gap) < SMALL:
            remarks.append(
                f"less than {SMALL:g} nats behind, which is little whatever the standard error "
                "(Sivula et al. 2025)"
            )
        doubts.append("; ".join(remarks))
    return rows.assign(
        unit=unit, criterion=criterion, p=[p[name] for name in rows["model"]], warning=doubts
    )


def _doubts_of_loso(scores: SubjectScores) -> list[str]:
    words, bad, error = [], len(scores.unreliable), float(scores.error.sum())
    if bad:
        which = f"{bad} of {len(scores.labels)} {scores.unit}s"
        words.append(f"{which} have Pareto k above {scores.good_k:.2f}")
    if error > _NOTABLE:
        words.append(f"errors of integration add up to {error:.1f} nats at most")
    return words


def _doubts_of_trials(point: Pointwise, criterion: str) -> list[str]:
    doubtful = int((point.p_waic > 0.4).sum())
    if criterion == "loo" and point.unreliable:
        return [
            f"{point.unreliable} of {point.loo.size} trials have Pareto k above {point.good_k:.2f}"
        ]
    if criterion == "waic" and doubtful:
        return [f"{doubtful} of {point.waic.size} trials have a variance above 0.4"]
    return []
