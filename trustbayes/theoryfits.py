"""Fit every theory, each with the conventions that suit it best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from trustbayes.comparison import leave_one_subject_out, pointwise
from trustbayes.fitting import Fit
from trustbayes.games import FiniteGame, Role
from trustbayes.manyfits import FitTask, iter_fits
from trustbayes.models import Model, model
from trustbayes.sampling import Sampling
from trustbayes.trials import Trials

__all__ = ["NEW_PEOPLE", "Key", "fit_theories"]

Key = tuple[str, Role]
"""A model's name and the role it was fitted to."""

NEW_PEOPLE = 1000
"""Draws of a fit by which new subjects are predicted: each takes an integral for everybody."""

_SURE = 2.0
_ROUGHLY = 1.05


def fit_theories(
    trials: Trials,
    names: Sequence[str],
    sampling: Sampling,
    *,
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> tuple[dict[Key, Fit], pd.DataFrame]:
    """Fit models to every role of the trials, and try what each theory leaves open.

    Each model is fitted with its default conventions; short fits try each alternative, one at a
    time. If the best of these leads the default by more than two standard errors of PSIS-LOO
    summed by subject, it is fitted in full, and used if that fit passes the gate.

    Parameters
    ----------
    trials : Trials
    names : sequence of str
        Of models.
    sampling : Sampling
        Short fits have at most 2 chains of 200 draws after 300 steps of warm-up.
    folder, executor, progress
        See `trustbayes.manyfits.run_fits`.

    Returns
    -------
    fits : dict of (model name, role) to Fit
        By role, then model.
    variants : DataFrame
        See `trustbayes.analysis.Analysis`.

    Raises
    ------
    FitsFailed
        If any fit could not be made.
    """

    def fits_of(models: Sequence[Model], rivals: Sequence[Model] = ()) -> list[Fit]:
        tasks = [FitTask(one, trials, sampling) for one in models]
        tasks += [FitTask(one, trials, short) for one in rivals]
        made: dict[int, Fit] = {}
        for position, one in iter_fits(tasks, folder, executor, progress):
            made[position] = one
            # Kept until they are asked for; other processes go on fitting meanwhile.
            pointwise(one)
            if position < len(models):
                leave_one_subject_out(one, draws=NEW_PEOPLE)
        return [made[position] for position in range(len(tasks))]

    short = replace(
        sampling,
        draws=min(200, sampling.draws),
        tune=min(300, sampling.tune),
        chains=min(2, sampling.chains),
    )
    bases = {(name, r): model(name, r, trials.game) for r in trials.roles for name in names}
    rivals = {key: _rivals(base, trials) for key, base in bases.items()}
    others = [rival for group in rivals.values() for rival in group]
    made = fits_of(list(bases.values()), others)
    found, rest = dict(zip(bases, made, strict=False)), made[len(bases) :]
    tables: dict[Key, pd.DataFrame] = {}
    better: dict[Key, Model] = {}
    for key, group in rivals.items():
        tried, rest = rest[: len(group)], rest[len(group) :]
        if group:
            tables[key], best = _scores([found[key], *tried])
            if best:
                better[key] = group[best - 1]
    for key, one in zip(better, fits_of(list(better.values())), strict=True):
        if one.gate.passed or not found[key].gate.passed:
            found[key] = one
    return found, _variants(tables, found)


def _scores(fits: Sequence[Fit]) -> tuple[pd.DataFrame, int]:
    """How the default, which is the first, and its alternatives predict, and which to use."""
    scores = []
    for one in fits:
        points = pointwise(one)
        scores.append(np.bincount(points.subject, weights=points.loo))
    table = np.array(scores)
    order = table.sum(axis=1)
    best = int(order.argmax())
    rows = pd.DataFrame(
        {
            "role": fits[0].model.role,
            "model": fits[0].model.name,
            "conventions": [_in_words(one) for one in fits],
            "elpd": order,
            "se": [_error(row) for row in table],
            "elpd_diff": order - order[best],
            "dse": [_error(row - table[best]) for row in table],
            "converged": [one.gate.checks[0].value <= _ROUGHLY for one in fits],
        }
    )
    lead = table[best] - table[0]
    return rows, best if lead.sum() > _SURE * _error(lead) else 0


def _variants(tables: Mapping[Key, pd.DataFrame], found: Mapping[Key, Fit]) -> pd.DataFrame:
    """All scores, best first for each model, and which conventions are used."""
    frames = [
        rows.assign(used=rows["conventions"] == _in_words(found[key])).sort_values(
            "elpd", ascending=False
        )
        for key, rows in tables.items()
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _in_words(fit: Fit) -> str:
    settled = fit.model.settle(fit.game).items()
    return ", ".join(f"{name}: {value}" for name, value in settled if name != "lapse")


def _rivals(base: Model, trials: Trials) -> list[Model]:
    """The model with each open convention changed, one at a time."""
    settled, game = base.settle(trials.game), trials.game
    tables = isinstance(game, FiniteGame) and not game.payoffs.continuous
    found = []
    for convention in base.spec.conventions:
        for choice in convention.rivals:
            if choice == settled[convention.name]:
                continue
            if tables and convention.name == "belief":
                continue  # payoff tables leave no choice
            if choice == "mixture" and settled.get("expected_action") == "mean":
                continue  # the mean of the belief is that of the truncated one
            found.append(base.but(**{convention.name: choice}))
    return found


def _error(values: np.ndarray) -> float:
    """Standard error of a sum over subjects."""
    return float(np.sqrt(values.size * values.var()))
