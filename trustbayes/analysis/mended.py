"""Scores of new subjects, mended by refits where importance sampling cannot be relied on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from trustbayes.comparison import Comparison, SubjectScores, refit_without
from trustbayes.inference.fit import Fit
from trustbayes.inference.sampling import Sampling
from trustbayes.trials.table import Trials

__all__ = ["mended", "mended_scores"]

_MOST = 8
"""Subjects of a fit that are left out by refits: where more need it, a k-fold says more."""

_log = logging.getLogger(__name__)


def mended(
    comparison: Comparison,
    fits: Sequence[Fit],
    trials: Trials,
    sampling: Sampling,
    *,
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> Comparison:
    """Refit without each subject whose Pareto k is too large, where refits are cheap.

    They are with the population engine. What refits past the gate say takes the place of
    estimates.

    Parameters
    ----------
    comparison : Comparison
    fits : sequence of Fit
        Those compared.
    trials : Trials
        What they were fitted to.
    sampling, folder, executor, progress
        See `trustbayes.comparison.refit_without`.

    Returns
    -------
    Comparison
        The same if there is nothing to mend.
    """
    scores = dict(comparison.scores.get("subject", {}))
    mended = {
        fit.model.name: mended_scores(
            fit,
            scores[fit.model.name],
            trials,
            sampling,
            folder=folder,
            executor=executor,
            progress=progress,
        )
        for fit in fits
        if fit.model.name in scores
    }
    changed = any(mended[name] is not scores[name] for name in mended)
    return comparison.with_scores(scores | mended) if changed else comparison


def mended_scores(
    fit: Fit,
    scores: SubjectScores,
    trials: Trials,
    sampling: Sampling,
    *,
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> SubjectScores:
    """Scores of one fit's new subjects, mended as by `mended`.

    Parameters
    ----------
    fit : Fit
    scores : SubjectScores
        Its own, of new subjects.
    trials, sampling, folder, executor, progress
        As for `mended`.

    Returns
    -------
    SubjectScores
        The same if there is nothing to mend.
    """
    name, doubtful = fit.model.name, scores.unreliable
    if not 0 < len(doubtful) <= _MOST or fit.sampling.method != "population":
        return scores
    _log.info("refitting %s, %s, without %s", name, fit.model.role, ", ".join(doubtful))
    held = refit_without(
        fit.model,
        trials,
        doubtful,
        sampling=replace(sampling, method="population"),
        folder=folder,
        executor=executor,
        progress=progress,
    )
    passed = {fold for (_, fold), gate in held.gates.items() if gate.passed}
    table = held.table[held.table["fold"].isin(passed)]
    elpd = dict(zip(table["unit"].astype(str), table["elpd"].astype(float), strict=True))
    return scores.with_refits(elpd) if elpd else scores
