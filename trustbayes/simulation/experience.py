"""What choices owe to news: after good and after bad, observed and as fitted people would have it.

Two ways of replicating are told apart. One step ahead, everybody is shown before each trial what
she was shown in the experiment. Free running, both roles play the experiment from its first round
on, so that news is what the replicated people do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError
from trustbayes.games import Game, Role
from trustbayes.inference.fit import Fit
from trustbayes.models.replications import replicate_trials
from trustbayes.simulation.free_running import played_freely
from trustbayes.simulation.kinds import kind_of
from trustbayes.simulation.summaries import summary
from trustbayes.trials.experience import Before, news_before
from trustbayes.trials.sequences import Sequences, check_sequences
from trustbayes.trials.table import Trials

__all__ = ["SINCE", "ExperienceCheck", "experience_check", "free_running_check", "has_experience"]

SINCE = ("none yet", "1", "2", "3", "4", "5 or more")
"""Rounds since the last bad news, as they are told apart."""

_ALL = "all"
_SIZE = 8_000_000  # choices that are replicated at a time


@dataclass(frozen=True, eq=False)
class ExperienceCheck:
    """What choices owe to news, observed and replicated.

    Shifts are those of `trustbayes.simulation.PredictiveCheck`: choice less face value. Bad news
    is to a receiver that the message was false, to a sender that it was not followed. Only trials
    of the same person, in the same treatment and after seeing the same, are held against each
    other, so that neither who is lied to nor what is said after lies can make an effect.
    Intervals are equal-tailed with probability ``ci_prob``; what was observed is a row's
    ``observed``, and ``inside`` says whether it lies in the interval of the replications; it is NA
    where nothing was observed or replicated that could be held against the other.

    Parameters
    ----------
    role : "sender" or "receiver"
    source : "one step ahead" or "free running"
    ci_prob : float
    replications : int
    after : DataFrame
        Columns treatment ("all" last, if there are several), trials (with news before them), bad
        (share of them after bad news), observed (mean shift after bad news less that after good),
        mean, lower, upper, inside.
    since : DataFrame
        Columns treatment, since (rounds since the last bad news, one of `SINCE`), trials, observed
        (mean shift there, as if the same people saw the same as in the whole treatment), mean,
        lower, upper, inside.
    """

    role: Role
    source: str
    ci_prob: float
    replications: int
    after: pd.DataFrame
    since: pd.DataFrame


def has_experience(trials: Trials, role: Role) -> bool:
    """Whether the trials say what people of a role were shown, and in which order.

    Examples
    --------
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-finite")
    >>> has_experience(tb.read_trials(data.trials, data.game), "receiver")
    False
    """
    if trials.game.feedback is None or role not in trials.roles:
        return False
    try:
        whole = trials.of_role(role).table if trials.whole is None else trials.whole
        check_sequences(whole, trials.game, role, trials.source)
    except InputError:
        return False
    return True


def experience_check(
    fit: Fit, trials: Trials, *, draws: int = 300, seed: int = 1, ci_prob: float = 0.9
) -> ExperienceCheck:
    """Hold what choices owe to news against replications one step ahead.

    Any model can be put to it, also one in which nobody learns.

    Parameters
    ----------
    fit : Fit
    trials : Trials
        Those that it was fitted to.
    draws : int
        Replications, no more than the fit has draws.
    seed : int
    ci_prob : float

    Returns
    -------
    ExperienceCheck

    Raises
    ------
    InputError
        If the trials do not say what people were shown, or are others than those of the fit.

    Examples
    --------
    >>> experience_check(fit, trials).after  # doctest: +SKIP
    """
    units = _sequences_of(fit, trials)
    before, some = news_before(units, fit.game), fit.draws(draws)
    rng, step, parts = np.random.default_rng(seed), max(1, _SIZE // units.n_trials), []
    for first in range(0, some.size, step):
        part = replace(some, data=some.data.isel(sample=slice(first, first + step)))
        shifts = kind_of(fit.game).trial_shifts(fit.game, units, replicate_trials(part, rng))
        parts.append(_Pattern.of(before, shifts, len(units.treatments)))
    copied, observed = _Pattern.joined(parts), _observed(units, fit.game)
    return _check(units, "one step ahead", before, observed, copied, ci_prob)


def free_running_check(
    fits: Mapping[Role, Fit],
    trials: Trials,
    *,
    draws: int | None = None,
    seed: int = 1,
    ci_prob: float = 0.9,
) -> dict[Role, ExperienceCheck]:
    """Hold what choices owe to news against experiments that fitted people play by themselves.

    Parameters
    ----------
    fits : mapping of role to Fit
        Of both roles.
    trials : Trials
        Those that they were fitted to.
    draws : int, optional
        Replications, see `trustbayes.simulation.free_running.played_freely`.
    seed : int
    ci_prob : float

    Returns
    -------
    dict of role to ExperienceCheck

    Raises
    ------
    InputError
        If a role is missing, or the trials do not say what people were shown.

    Examples
    --------
    >>> free_running_check(fits, trials)["receiver"].after  # doctest: +SKIP
    """
    units: dict[Role, Sequences] = {r: _sequences_of(fit, trials) for r, fit in fits.items()}
    played = played_freely(fits, trials, draws, seed)
    checks = {}
    for role, of_role in units.items():
        copies = [_observed(part.sequences(role), part.game) for part in played]
        copied = _Pattern.joined(copies)
        before, observed = news_before(of_role, trials.game), _observed(of_role, trials.game)
        checks[role] = _check(of_role, "free running", before, observed, copied, ci_prob)
    return checks


def _sequences_of(fit: Fit, trials: Trials) -> Sequences:
    """The trials in their order; those of the fit."""
    units = trials.sequences(fit.model.role)
    if units.subjects != fit.units.subjects or units.n_trials != fit.units.n_trials:
        raise InputError(Fault("experience, trials", trials.source, "those of the fit"))
    return units


@dataclass(frozen=True, eq=False)
class _Pattern:
    """What choices owe to news.

    Parameters
    ----------
    after : array, shape (experiments, treatments + 1)
        Mean shift after bad news less that after good, in all treatments last; NaN where all trials
        that could be held against each other came after the same.
    since : array, shape (experiments, treatments, len(SINCE))
        Mean shift by rounds since the last bad news; NaN where there are no such trials.
    """

    after: np.ndarray
    since: np.ndarray

    @classmethod
    def of(cls, before: Before, shifts: np.ndarray, treatments: int) -> _Pattern:
        """That of shifts of shape (experiments, trials)."""
        known, treatment = before.known, before.treatment
        news = _within(before.bad[known].astype(float), before.cell[known])
        at = treatment[known] == np.arange(treatments)[:, None]  # treatments, trials
        weight, among = news * at, np.array([(news[where] ** 2).sum() for where in at])
        total = shifts[:, known] @ weight.T
        among, total = np.append(among, among.sum()), np.c_[total, total.sum(axis=1)]
        with np.errstate(invalid="ignore", divide="ignore"):
            after = np.where(among > 1e-9, total / among, np.nan)
        own_shifts = _within(shifts, before.cell)
        since = np.full((len(shifts), treatments, len(SINCE)), np.nan)
        group = _since(before)
        for t in range(treatments):
            mean = shifts[:, treatment == t].mean(axis=1)
            for k in range(len(SINCE)):
                if (rows := (treatment == t) & (group == k)).any():
                    since[:, t, k] = mean + own_shifts[:, rows].mean(axis=1)
        return cls(after, since)

    @classmethod
    def joined(cls, parts: Sequence[_Pattern]) -> _Pattern:
        """Those of all experiments."""
        after, since = zip(*((part.after, part.since) for part in parts), strict=True)
        return cls(np.concatenate(after), np.concatenate(since))


def _since(before: Before) -> np.ndarray:
    return np.minimum(before.since, len(SINCE) - 1)


def _within(values: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Values less their mean in each cell, shape (..., trials)."""
    cell = np.unique(cell, return_inverse=True)[1].reshape(-1)
    order = np.argsort(cell, kind="stable")
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    sums = np.add.reduceat(values[..., order], starts, axis=-1)
    return np.asarray(values - (sums / np.bincount(cell))[..., cell])


def _observed(units: Sequences, game: Game) -> _Pattern:
    kind = kind_of(game)
    shifts = kind.trial_shifts(game, units, kind.observed_choices(units))
    return _Pattern.of(news_before(units, game), shifts[None], len(units.treatments))


def _check(
    units: Sequences,
    source: str,
    before: Before,
    observed: _Pattern,
    copied: _Pattern,
    ci_prob: float,
) -> ExperienceCheck:
    after, since = [], []
    treatment, group = before.treatment, _since(before)
    names = (*units.treatments, _ALL) if len(units.treatments) > 1 else units.treatments
    for t, name in enumerate(names):
        rows = before.known & ((treatment == t) if t < len(units.treatments) else True)
        numbers = _row(observed.after[0, t], copied.after[:, t], ci_prob)
        share = before.bad[rows].mean() if rows.any() else np.nan
        after.append({"treatment": name, "trials": int(rows.sum()), "bad": share, **numbers})
    for t, name in enumerate(units.treatments):
        for k, label in enumerate(SINCE):
            trials = int(((treatment == t) & (group == k)).sum())
            if trials:
                numbers = _row(observed.since[0, t, k], copied.since[:, t, k], ci_prob)
                since.append({"treatment": name, "since": label, "trials": trials, **numbers})
    return ExperienceCheck(
        units.role,
        source,
        ci_prob,
        len(copied.after),
        pd.DataFrame(after).astype({"inside": "boolean"}),
        pd.DataFrame(since).astype({"inside": "boolean"}),
    )


def _row(observed: float, copied: np.ndarray, ci_prob: float) -> dict[str, float | bool | None]:
    copied = copied[~np.isnan(copied)]
    if not copied.size or np.isnan(observed):
        nothing = dict.fromkeys(("mean", "lower", "upper"), np.nan)
        return {"observed": observed, **nothing, "inside": None}
    numbers = {name: float(value) for name, value in summary(observed, copied, ci_prob).items()}
    return {**numbers, "inside": numbers["lower"] <= observed <= numbers["upper"]}
