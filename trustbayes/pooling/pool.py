"""The main job for several experiments: fit each, pool what they say, and ask what carries over."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from trustbayes.comparison import NEW_PEOPLE
from trustbayes.errors import Fault, InputError
from trustbayes.files import expanded
from trustbayes.games import Role
from trustbayes.inference.fit import Fit
from trustbayes.inference.sampling import Sampling
from trustbayes.inference.tasks import FitTask, iter_fits, run_fits
from trustbayes.pooling.common_scales import are_all
from trustbayes.pooling.exact import pool_exactly
from trustbayes.pooling.likelihoods import Evidence
from trustbayes.pooling.pooled_study import Key, PooledStudy, by_model
from trustbayes.pooling.population import PooledPopulation
from trustbayes.pooling.second_stage import evidence_from, pool_evidence, shared_scales
from trustbayes.pooling.stages import LikelihoodTask, ScoreTask, Transfer, TransferTask
from trustbayes.pooling.study import Study
from trustbayes.pooling.verdicts import (
    pooled_verdict,
)

__all__ = ["pool"]

_log = logging.getLogger(__name__)

_TRANSFERS = 400
"""Populations by which people of an experiment that was left out are predicted."""
_SHORT = 250  # draws of each chain for a population of experiments without one of them


def pool(
    study: Study,
    *,
    sampling: Sampling | None = None,
    fits: Path | None = None,
    between: float = 1.0,
    carry_over: bool = True,
    executor: Executor | None = None,
    progress: bool = True,
    ci_prob: float = 0.9,
) -> PooledStudy:
    """Fit every theory to every experiment, pool what they say, and compare over all.

    Fits of single experiments and their scores are kept by content: an experiment that is added
    later costs its own work and that of the population of experiments, for which the likelihood of
    each is worked out in the populations that are pooled.

    Parameters
    ----------
    study : Study
    sampling : Sampling, optional
        Of every fit. The method "population" integrates people out and is far quicker where many
        play finite games.
    fits : Path, optional
        Folder in which everything is kept; what is there is not repeated.
    between : float
        Scale of the half-normal prior of spreads between experiments, on log and logit scales; of
        numbers whose prior in one experiment is narrower than 1 so much less.
    carry_over : bool
        Whether to leave out each experiment in turn and predict its people from the others.
    executor : concurrent.futures.Executor, optional
        Where fits are made; default: here, one after the other.
    progress : bool
    ci_prob : float
        Of all intervals, which are equal-tailed.

    Returns
    -------
    PooledStudy

    Raises
    ------
    InputError
        If the scale of spreads is not above 0.
    FitsFailed
        If any fit could not be made.

    Examples
    --------
    >>> import trustbayes as tb
    >>> study = tb.read_study("study.toml")  # doctest: +SKIP
    >>> print(tb.pool(study, fits="fits").verdicts["sender"].text)  # doctest: +SKIP
    """
    if not between > 0:
        raise InputError(Fault("between", str(between), "a number above 0"))
    sampling = sampling or Sampling()
    folder = None if fits is None else expanded(fits)
    given: dict[str, Any] = {"folder": folder, "executor": executor, "progress": progress}
    tasks = _tasks(study, sampling)
    made = dict(zip(tasks, run_fits(list(tasks.values()), **given), strict=True))
    scoring = [ScoreTask(task, made[key], folder, NEW_PEOPLE) for key, task in tasks.items()]
    near = given | ({"executor": None} if folder is None else {})
    scores = dict(zip(tasks, [score for _, score in _in_order(scoring, near)], strict=True))
    parts = _evidence(study, made)
    populations, sharper = {}, {}
    for (name, role), evidence in parts.items():
        _log.info("pooling %s, %s, over %d experiments", name, role, len(evidence))
        of = {task[0]: fitting for task, fitting in tasks.items() if task[1:] == (name, role)}
        populations[name, role], sharper[name, role] = pool_exactly(
            partial(_pooled, study, name, role, sampling=sampling, between=between),
            evidence,
            partial(_judged, of, evidence, given | {"progress": False}),
        )
    transfers: dict[Key, Transfer] = {}
    unsettled: list[Key] = []
    if carry_over and len(study.experiments) > 1:
        transferring, unsettled = _transfers(study, tasks, sharper, sampling, between)
        transfers = dict(
            zip(
                transferring,
                [transfer for _, transfer in _in_order(list(transferring.values()), given)],
                strict=True,
            )
        )
    titles = {fit.model.name: fit.model.spec.title for fit in made.values()}
    roles = [role for role in study.roles if any(key[2] == role for key in made)]
    failed = [key for key, fit in made.items() if not fit.gate.passed]
    people = {key: score.elpd for key, score in scores.items()}
    left_out = {key: transfer.elpd for key, transfer in transfers.items()}
    return PooledStudy(
        study=study,
        sampling=sampling,
        fits=made,
        scores=scores,
        transfers=transfers,
        populations=populations,
        unsettled=tuple(unsettled),
        verdicts={
            role: pooled_verdict(by_model(people, role), role, titles, failed) for role in roles
        },
        carries_over={
            role: pooled_verdict(
                by_model(left_out, role),
                role,
                titles,
                [*failed, *unsettled],
                "the people of an experiment that was left out, from the other experiments alone",
            )
            for role in roles
            if left_out
        },
        between=between,
        ci_prob=ci_prob,
    )


def _in_order(tasks: Sequence[Any], given: Mapping[str, Any]) -> list[tuple[int, Any]]:
    return sorted(iter_fits(tasks, **given), key=lambda pair: pair[0])


def _tasks(study: Study, sampling: Sampling) -> dict[Key, FitTask]:
    """What is to be fitted, by role, then theory, then experiment."""
    tasks: dict[Key, FitTask] = {}
    for role in study.roles:
        for name in study.models:
            for experiment in study.experiments:
                model = study.model_of(experiment, name, role)
                if model is not None:
                    tasks[experiment.name, name, role] = FitTask(model, experiment.trials, sampling)
    return tasks


_Parts = Mapping[tuple[str, Role], Mapping[str, Evidence]]


def _evidence(study: Study, fits: Mapping[Key, Fit]) -> _Parts:
    """What every experiment says of the numbers that are pooled, by theory and role."""
    evidence: dict[tuple[str, Role], dict[str, Evidence]] = {}
    for name, role in dict.fromkeys((key[1], key[2]) for key in fits):
        of = {key[0]: fit for key, fit in fits.items() if key[1:] == (name, role)}
        scales = shared_scales(of, study.parameters)
        parts = {experiment: evidence_from(fit, scales) for experiment, fit in of.items()}
        held = {experiment: part for experiment, part in parts.items() if part is not None}
        if held:
            evidence[name, role] = held
    return evidence


def _pooled(
    study: Study,
    name: str,
    role: Role,
    evidence: Mapping[str, Evidence],
    *,
    sampling: Sampling,
    between: float,
    unseen: Sequence[str] = (),
) -> PooledPopulation:
    scales = {s.label: s for part in evidence.values() for s in part.scales}
    return pool_evidence(
        name,
        role,
        {experiment: part for experiment, part in evidence.items() if experiment not in unseen},
        scales,
        formulas=study.formulas,
        covariates={member.name: member.covariates for member in study.experiments},
        between=between,
        sampling=sampling,
        unseen=unseen,
    )


def _judged(
    tasks: Mapping[str, FitTask],
    evidence: Mapping[str, Evidence],
    given: Mapping[str, Any],
    points: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Log likelihoods of experiments at populations, where common scales tell all of them."""
    asked = {}
    for name, values in points.items():
        task, scales = tasks[name], evidence[name].scales
        treatments = len(task.model.fold(task.trials).treatments)
        if are_all(scales, task.model, treatments):
            labels = [scale.label for scale in scales]
            numbers = dict(zip(labels, values.T, strict=True))
            asked[name] = LikelihoodTask(task.model, task.trials, numbers)
    made = _in_order(list(asked.values()), given)
    return dict(zip(asked, [values for _, values in made], strict=True))


def _transfers(
    study: Study,
    tasks: Mapping[Key, FitTask],
    parts: _Parts,
    sampling: Sampling,
    between: float,
) -> tuple[dict[Key, TransferTask], list[Key]]:
    """Each experiment predicted from the others, pooled without it; where that did not converge.

    A short run will do where it passes the gate.
    """
    short = replace(sampling, draws=min(_SHORT, sampling.draws), tune=min(_SHORT, sampling.tune))
    transfers, unsettled = {}, []
    for key, task in tasks.items():
        experiment, name, role = key
        evidence = parts.get((name, role), {})
        values: Mapping[str, Any] = {}
        if experiment in evidence and len(evidence) > 1:
            for settings in dict.fromkeys((short, sampling)):
                without = _pooled(
                    study,
                    name,
                    role,
                    evidence,
                    sampling=settings,
                    between=between,
                    unseen=[experiment],
                )
                if without.gate.passed:
                    break
            else:
                unsettled.append(key)
            new = without.of_new(_TRANSFERS, sampling.seed, experiment)
            values = {scale.label: new[scale.label] for scale in evidence[experiment].scales}
        draws = len(next(iter(values.values()))) if values else _TRANSFERS
        transfers[key] = TransferTask(task.model, task.trials, values, draws, sampling.seed)
    return transfers, unsettled
