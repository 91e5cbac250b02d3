"""Fit every theory, each with the conventions that suit it best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from trustbayes.comparison import NEW_PEOPLE, leave_one_subject_out, pointwise
from trustbayes.errors import Fault, InputError
from trustbayes.games import Role
from trustbayes.inference.fit import Fit
from trustbayes.inference.sampling import Sampling
from trustbayes.inference.tasks import FitTask, iter_fits
from trustbayes.models import Model, model, model_names
from trustbayes.simulation.experience import has_experience
from trustbayes.trials.table import Trials

__all__ = ["Key", "fit_theories", "settled_models"]

Key = tuple[str, Role]
"""A model's name and the role it was fitted to."""

_SURE = 2.0
_ROUGHLY = 1.05


def settled_models(trials: Trials, models: Sequence[str | Model] | None = None) -> list[Model]:
    """The models to fit to every role of the trials, from names and from models of a user's own.

    Parameters
    ----------
    trials : Trials
    models : sequence of str or Model, optional
        A name stands for the models of a theory in all roles of the trials; default: the names that
        `trustbayes.models.ModelSpec` marks so.

    Returns
    -------
    list of Model
        By role, then in the order given.

    Raises
    ------
    InputError
        If a name is unknown, a model is of a role or kind of game that the trials lack, two are of
        the same theory and role, by which results go, or a prior in code does not make what its
        parameters need.

    Examples
    --------
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, data.game)
    >>> mine = tb.LevelK("receiver", max_level=2)
    >>> [f"{one.name}, {one.role}" for one in settled_models(trials, ["babbling", mine])]
    ['babbling, sender', 'babbling, receiver', 'level-k, receiver']
    """
    kind = trials.game.kind
    known = model_names(kind)
    of_role = {role: model_names(kind, role=role) for role in trials.roles}
    given = list(models or model_names(kind, by_default=True))
    faults = []
    for entry in given:
        if isinstance(entry, Model):
            entry.check_kind(trials.game)
            if entry.role not in trials.roles:
                faults.append(Fault(trials.source, "", f"trials of the {entry.role}"))
        elif entry not in known:
            faults.append(Fault("models", str(entry), f"one of: {', '.join(known)}"))
        elif models and not any(entry in names for names in of_role.values()):
            expected = f"a theory of {' or '.join(f'{role}s' for role in trials.roles)}"
            faults.append(Fault("models", entry, expected))
    if faults:
        raise InputError(faults)
    settled = [
        model(entry, role, trials.game) if isinstance(entry, str) else entry
        for role in trials.roles
        for entry in given
        if (entry in of_role[role] if isinstance(entry, str) else entry.role == role)
    ]
    keys = [(candidate.name, candidate.role) for candidate in settled]
    twice = [
        f"{name}, {role}" for name, role in dict.fromkeys(keys) if keys.count((name, role)) > 1
    ]
    if twice:
        expected = "every theory once for a role: results go by its name"
        raise InputError([Fault("models", each, expected) for each in twice])
    for candidate in settled:
        if candidate.code_priors:
            candidate.build(trials)  # its code is tried before anything is fitted
    return settled


def fit_theories(
    trials: Trials,
    models: Sequence[Model],
    sampling: Sampling,
    *,
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> tuple[dict[Key, Fit], pd.DataFrame, dict[Key, Fit]]:
    """Fit models to every role of the trials, and try what each theory leaves open.

    Each model is fitted as it is; short fits try each alternative to a convention that it leaves at
    its default, one at a time. If the best of these leads the model by more than two standard
    errors of PSIS-LOO summed by subject, it is fitted in full, and used if that fit passes the
    gate.

    Parameters
    ----------
    trials : Trials
    models : sequence of Model
        See `settled_models`.
    sampling : Sampling
        Short fits have at most 2 chains of 200 draws after 300 steps of warm-up.
    folder, executor, progress
        See `trustbayes.inference.tasks.run_fits`.

    Returns
    -------
    fits : dict of (model name, role) to Fit
        By role, then model.
    variants : DataFrame
        See `trustbayes.analysis.analyse.Analysis`.
    as_given : dict of (model name, role) to Fit
        Of the models as they are, whether or not they are used.

    Raises
    ------
    FitsFailed
        If any fit could not be made.
    """

    def fits_of(models: Sequence[Model], rivals: Sequence[Model] = ()) -> list[Fit]:
        tasks = [FitTask(candidate, trials, sampling) for candidate in models]
        tasks += [FitTask(rival, trials, short) for rival in rivals]
        made: dict[int, Fit] = {}
        for position, fit in iter_fits(tasks, folder, executor, progress):
            made[position] = fit
            # The fit keeps its scores: worked out now, while other processes go on fitting.
            pointwise(fit)
            if position < len(models) and not fit.model.inseparable_priors:
                leave_one_subject_out(fit, draws=NEW_PEOPLE)
        return [made[position] for position in range(len(tasks))]

    short = replace(
        sampling,
        draws=min(200, sampling.draws),
        tune=min(300, sampling.tune),
        chains=min(2, sampling.chains),
    )
    bases: dict[Key, Model] = {(base.name, base.role): base for base in models}
    rivals = {key: _rivals(base, trials) for key, base in bases.items()}
    others = [rival for group in rivals.values() for rival in group]
    made = fits_of(list(bases.values()), others)
    fits, rest = dict(zip(bases, made, strict=False)), made[len(bases) :]
    as_given = dict(fits)
    tables: dict[Key, pd.DataFrame] = {}
    better: dict[Key, Model] = {}
    for key, group in rivals.items():
        tried, rest = rest[: len(group)], rest[len(group) :]
        if group:
            tables[key], best = _scores([fits[key], *tried])
            if best:
                better[key] = group[best - 1]
    for key, fit in zip(better, fits_of(list(better.values())), strict=True):
        if fit.gate.passed or not fits[key].gate.passed:
            fits[key] = fit
    return fits, _variants(tables, fits), as_given


def _scores(fits: Sequence[Fit]) -> tuple[pd.DataFrame, int]:
    """How the default, which is the first, and its alternatives predict, and which to use."""
    scores = []
    for fit in fits:
        points = pointwise(fit)
        scores.append(np.bincount(points.subject, weights=points.loo))
    table = np.array(scores)
    order = table.sum(axis=1)
    best = int(order.argmax())
    rows = pd.DataFrame(
        {
            "role": fits[0].model.role,
            "model": fits[0].model.name,
            "conventions": [_in_words(fit) for fit in fits],
            "elpd": order,
            "se": [_error(row) for row in table],
            "elpd_diff": order - order[best],
            "dse": [_error(row - table[best]) for row in table],
            "learning": [fit.model.conventions.get("learning", "none") for fit in fits],
            "lead": order - order[0],
            "lead_error": [_error(row - table[0]) for row in table],
            "converged": [_roughly(fit) for fit in fits],
        }
    )
    lead = table[best] - table[0]
    return rows, best if lead.sum() > _SURE * _error(lead) else 0


def _roughly(fit: Fit) -> bool:
    """Whether a short fit sampled well enough."""
    return fit.gate.checks[0].value <= _ROUGHLY


def _variants(tables: Mapping[Key, pd.DataFrame], fits: Mapping[Key, Fit]) -> pd.DataFrame:
    """All scores, best first for each model, and which conventions are used."""
    frames = [
        rows.assign(used=rows["conventions"] == _in_words(fits[key])).sort_values(
            "elpd", ascending=False
        )
        for key, rows in tables.items()
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _in_words(fit: Fit) -> str:
    chosen = fit.model.effective_conventions(fit.game).items()
    return ", ".join(f"{name}: {value}" for name, value in chosen if name != "lapse")


def _rivals(base: Model, trials: Trials) -> list[Model]:
    """The model with each convention that it leaves open changed, one at a time."""
    settled = base.resolve_conventions(trials.game)
    rivals = []
    for convention in base.spec.conventions:
        if base.conventions[convention.name] != convention.default:
            continue  # chosen by the user
        if not convention.is_open(trials.game):
            continue
        for choice in convention.rivals:
            if choice == settled[convention.name]:
                continue
            if trials.game.tabled and convention.name == "belief":
                continue  # payoff tables leave no choice
            if convention.name == "learning" and not has_experience(trials, base.role):
                continue  # nothing is known of which they could have learnt
            if choice == "mixture" and settled.get("expected_action") == "mean":
                continue  # the mean of the belief is that of the truncated one
            rival = base.replace(**{convention.name: choice})
            if not _loses_settings(base, rival):
                rivals.append(rival)
    return rivals


def _loses_settings(base: Model, rival: Model) -> bool:
    """Whether the rival lacks a parameter of which the user said more than the theory does."""
    lost = [p for p in base.parameters if p.name not in rival.priors]
    return any(p.name in base.formulas or base.priors[p.name] != p.prior for p in lost)


def _error(values: np.ndarray) -> float:
    """Standard error of a sum over subjects."""
    return float(np.sqrt(values.size * values.var()))
