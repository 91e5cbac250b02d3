"""Scores of what models had not learnt from, by real refits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from trustbayes.comparison.basis import Basis
from trustbayes.comparison.psis import good_k
from trustbayes.comparison.rows import sums
from trustbayes.errors import Fault, InputError
from trustbayes.games import Role
from trustbayes.inference.fit import Fit
from trustbayes.inference.gate import Gate
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.inference.sampling import Sampling
from trustbayes.inference.tasks import FitTask, iter_fits
from trustbayes.models import Model
from trustbayes.models.draws import Draws, subject_log_likelihood, type_log_probabilities
from trustbayes.numerics.arrays import log_sum_exp
from trustbayes.numerics.pareto import pareto_k
from trustbayes.trials.table import Trials

__all__ = ["NEW_PEOPLE", "HeldOut", "Part", "Unit", "check_new_subjects", "held_out"]

Unit = Literal["subject", "group"]
"""What is held out and scored as one."""

NEW_PEOPLE = 1000
"""Draws of a fit by which new subjects are predicted: each takes an integral for everybody, and
neighbouring draws of a chain resemble each other."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """How well models predicted what they had not learnt from.

    Parameters
    ----------
    basis : Basis
        The trials: results of different ones do not compare.
    split : str
        What was predicted from what, in words, and whether its subjects were known or new.
    unit : "subject" or "group"
    table : DataFrame
        A row for each model and unit: model, fold (from 1), unit (label of the subject or
        group), known (bool: whether the model had learnt from other trials of hers), trials,
        elpd (log density of all of the unit's held-out trials together, in nats; higher is
        better), error (of elpd, in nats: of integrating over a new subject's parameters, and of
        the finite number of draws), pareto_k (of the likelihood over draws), reliable (bool:
        whether that is small enough for so many draws; else elpd is too low, and error too small,
        as the draws from the others' posterior do not reach where the unit is likely).
    gates : mapping of (model name, fold) to Gate
        Of the fits.
    """

    basis: Basis
    split: str
    unit: Unit
    table: pd.DataFrame
    gates: Mapping[tuple[str, int], Gate]

    @property
    def role(self) -> Role:
        """Whose choices were predicted."""
        return self.basis.role

    @property
    def failed(self) -> tuple[str, ...]:
        """The fits that did not pass the gate, each with what failed."""
        return tuple(
            f"{model}, fold {fold}: "
            + ", ".join(
                f"{check.name} {check.value:.4g}" + (f" ({check.worst})" if check.worst else "")
                for check in gate.failed
            )
            for (model, fold), gate in self.gates.items()
            if not gate.passed
        )

    @property
    def unreliable(self) -> tuple[str, ...]:
        """The scores that are too low by more than their error says, each with its Pareto k."""
        rows = self.table[~self.table["reliable"].astype(bool)]
        return tuple(
            f"{row['model']}, fold {row['fold']}: {row['unit']} (Pareto k {row['pareto_k']:.2f})"
            for row in rows.to_dict("records")
        )

    def totals(self) -> pd.DataFrame:
        """Sums over units, indexed by model, best first.

        Returns
        -------
        DataFrame
            With columns elpd, se, elpd_diff (to the best, at most 0) and dse (standard error of
            the difference), in nats.
        """
        by_model = self.table.set_index("unit").groupby("model")["elpd"]
        scores = pd.DataFrame({str(model): elpd for model, elpd in by_model})
        return sums(scores)


@dataclass(frozen=True, eq=False)
class Part:
    """What is learnt from, and what is predicted.

    Parameters
    ----------
    learn, predict : Trials
    """

    learn: Trials
    predict: Trials


def check_new_subjects(models: Sequence[Model]) -> None:
    """Refuse models that cannot predict new subjects, before anything is fitted.

    Parameters
    ----------
    models : sequence of Model

    Raises
    ------
    InputError
        Naming each prior from which a new subject cannot be drawn, see
        `trustbayes.models.Model.inseparable_priors`.
    """
    expected = "a prior from which a new subject can be drawn alone"
    faults = [
        Fault(f"{model.name}, {model.role}, prior of {name}", str(prior), expected)
        for model in models
        for name, prior in model.inseparable_priors.items()
    ]
    if faults:
        raise InputError(faults)


def held_out(
    named: Mapping[str, Model],
    trials: Trials,
    parts: Sequence[Part],
    split: str,
    unit: Unit,
    sampling: Sampling | None,
    folder: Path | None,
    executor: Executor | None,
    progress: bool,
) -> HeldOut:
    """Fit every model to what is learnt in each part, and score what is predicted.

    Parameters
    ----------
    named : mapping of str to Model
        Of one role, by the names that results call them by.
    trials : Trials
        All of them.
    parts : sequence of Part
        A fold each.
    split : str
        See `HeldOut`.
    unit : "subject" or "group"
    sampling, folder, executor, progress
        See `trustbayes.comparison.kfold`.

    Returns
    -------
    HeldOut

    Raises
    ------
    InputError
        If a model cannot predict new subjects and there are some.
    FitsFailed
        If a fit could not be made; with a folder, the others are kept.
    """
    models = list(named.values())
    role = models[0].role
    if any(set(part.predict.subjects(role)) - set(part.learn.subjects(role)) for part in parts):
        check_new_subjects(models)
    sampling = sampling or Sampling()
    models = [model.fixed_to(model.fold(trials)) for model in models]  # the same in all parts
    tasks = [FitTask(model, part.learn, sampling) for model in models for part in parts]
    scores: list[Any] = [None] * len(tasks)
    gates: list[Any] = [None] * len(tasks)
    keys = [(name, fold) for name in named for fold in range(1, len(parts) + 1)]
    for position, fit in iter_fits(tasks, folder, executor, progress):
        name, fold = keys[position]
        rows = _scores(fit, parts[fold - 1], unit)
        rows.insert(0, "fold", fold)
        rows.insert(0, "model", name)
        scores[position], gates[position] = rows, fit.gate
    return HeldOut(
        basis=Basis.of_trials(trials, role),
        split=split,
        unit=unit,
        table=pd.concat(scores, ignore_index=True),
        gates=dict(zip(keys, gates, strict=True)),
    )


def _scores(fit: Fit, of_fold: Part, unit: Unit) -> pd.DataFrame:
    """A row for each unit of the trials to be predicted: unit, known, trials, elpd, error."""
    role = fit.model.role
    trials = of_fold.predict.of_role(role)
    is_known = trials.table[role].isin(fit.units.subjects).to_numpy(bool)
    tables = []
    for rows, known in ((is_known, True), (~is_known, False)):
        if not rows.any():
            continue
        part = trials.subset(rows, "known subjects" if known else "new subjects")
        units = fit.model.fold(part)
        draws = _draws(fit if known else fit.thinned(NEW_PEOPLE), units, known)
        if known:
            if draws.steps(slice(0, 1)) is None:
                logs = _known_log_likelihood(draws, fit)
            else:
                logs = _moved_log_likelihood(fit, of_fold, part)
            errors = np.zeros_like(logs)
        else:
            new = new_subject_log_likelihood(draws)
            logs, errors = new.log_likelihood, new.error
        codes, names = pd.factorize(np.array(units.subjects if unit == "subject" else units.groups))
        members = [codes == code for code in range(len(names))]
        joint = np.stack([logs[:, member].sum(axis=1) for member in members], axis=1)
        squared = np.stack([(errors[:, member] ** 2).sum(axis=1) for member in members], axis=1)
        elpd, error, pareto_k = _log_mean(joint, np.sqrt(squared), fit.posterior.sizes["chain"])
        trials_of = np.array([units.trials_per_subject[member].sum() for member in members])
        tables.append(
            pd.DataFrame(
                {
                    "unit": names,
                    "known": known,
                    "trials": trials_of,
                    "elpd": elpd,
                    "error": error,
                    "pareto_k": pareto_k,
                    "reliable": pareto_k <= good_k(len(joint)),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _draws(fit: Fit, units: Any, known: bool) -> Draws:
    """The fit's draws for the subjects of other trials: with their parameters, or without any."""
    posterior = fit.posterior
    if "subject" in posterior.dims:
        chosen = {"subject": list(units.subjects)}
        posterior = posterior.sel(chosen) if known else posterior.drop_dims("subject")
    return Draws.of(fit.model, fit.game, units, posterior)


def _known_log_likelihood(draws: Draws, fit: Fit) -> np.ndarray:
    """Log likelihood of known subjects' trials given those of the fit, (draws, subjects)."""
    log_likelihood = np.empty((draws.size, len(draws.units.subjects)))
    learnt = None
    if draws.model.types:
        place = pd.Index(fit.units.subjects).get_indexer(pd.Index(draws.units.subjects))
        learnt = type_log_probabilities(fit.draws())[:, place]
    for rows, logs in draws.cell_logs():
        total = draws.by_subject(logs)
        log_likelihood[rows] = total if learnt is None else log_sum_exp(learnt[rows] + total)
    return log_likelihood


def _moved_log_likelihood(fit: Fit, of_fold: Part, part: Trials) -> np.ndarray:
    """As `_known_log_likelihood` where types move: of all trials, less that of those learnt from.

    What was learnt from says more of the types of later trials than of the first.
    """
    role = fit.model.role
    subjects = part.subjects(role)
    learnt = of_fold.learn.of_role(role)
    rows = learnt.table[learnt.table[role].isin(subjects)]
    both = replace(part, table=pd.concat([rows, part.table]).sort_index())
    whole, before = (
        subject_log_likelihood(_draws(fit, fit.model.fold(trials), known=True))
        for trials in (both, replace(part, table=rows))
    )
    return np.asarray(whole - before)


def _log_mean(
    logs: np.ndarray, errors: np.ndarray, chains: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log of the mean over draws of exp of the logs, (draws, units), its error and its Pareto k.

    The error of the mean goes by the effective number of draws, that of the logs, which may lie
    on one side in all draws, by their mean.
    """
    top = np.maximum(logs.max(axis=0), -1e300)
    weights = np.exp(logs - top)
    mean, spread = weights.mean(axis=0), weights.std(axis=0)
    chained = xr.Dataset(
        {"weight": (("chain", "draw", "unit"), weights.reshape(chains, -1, top.size))}
    )
    size = az.ess(chained, method="mean")["weight"].to_numpy()
    possible, varies = mean > 0, spread > 1e-12
    with np.errstate(divide="ignore", invalid="ignore"):
        of_draws = np.where(varies, spread / mean / np.sqrt(size), 0.0)
        of_logs = np.where(possible, (weights * errors).mean(axis=0) / mean, 0.0)
        elpd = np.where(possible, top + np.log(mean), -np.inf)
    shares = np.where(varies, np.clip(size / len(logs), 0.01, 1.0), 1.0)
    tails = [pareto_k(column, share) for column, share in zip(logs.T, shares, strict=True)]
    return elpd, np.sqrt(of_draws**2 + of_logs**2), np.array(tails)
