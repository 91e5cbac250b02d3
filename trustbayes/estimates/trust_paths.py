"""How trust, or depth of thought, moves: over the rounds of an experiment, and after one lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError
from trustbayes.inference.fit import Fit
from trustbayes.models.draws import Draws
from trustbayes.models.replications import draw_types
from trustbayes.theories.learning.trust import moved_by, state_of
from trustbayes.trials.sequences import Sequences
from trustbayes.trials.table import Trials

__all__ = ["LONGEST", "AfterOne", "OverRounds", "after_one_lie", "moving", "trust_over_rounds"]

_MOVED = {"receiver": "trust", "sender": "expected_trust"}
_DEPTH = "level"
_BEFORE = 3  # rounds of good news before the lie of a path
LONGEST = 20
"""Rounds of good news after the lie of a path: what is not back by then is not seen to be."""
_SIZE, _LEAST = 20_000_000, 20  # numbers in all draws, and draws however many those are


def moving(fit: Fit) -> str | None:
    """What of its people moves, in a model with learning, or would: trust or depth; else None.

    Returns
    -------
    str or None
        "trust", "expected_trust" or "level", by name of the parameter.
    """
    name = _MOVED[fit.model.role]
    if name in {p.name for p in fit.model.parameters} and not fit.model.types:
        return name
    return _DEPTH if _DEPTH in fit.model.shares and len(fit.model.shares) == 1 else None


@dataclass(frozen=True, eq=False)
class OverRounds:
    """What moves, round by round.

    Parameters
    ----------
    name : str
        Of what moves, see `moving`.
    ci_prob : float
    population : DataFrame
        Columns treatment ("" for depth), round, mean (of all people who play then), lower, upper
        (its equal-tailed interval), low, high (between which the means of nine tenths of the people
        lie).
    people : DataFrame
        Columns subject, treatment, round, mean (posterior mean).
    """

    name: str
    ci_prob: float
    population: pd.DataFrame
    people: pd.DataFrame


def trust_over_rounds(
    fit: Fit, trials: Trials, *, draws: int = 200, ci_prob: float = 0.9
) -> OverRounds:
    """Trust, or depth of thought, in each round as the fit has it, after what people were shown.

    Trust is shown for every treatment, whatever people played in a round: as what they had been
    shown until then makes it there. So nobody's move to another treatment looks like news.

    Parameters
    ----------
    fit : Fit
        Of a model of one theory; without learning nothing moves.
    trials : Trials
        Those that it was fitted to.
    draws : int
        No more of the fit than that; fewer where there are millions of trials.
    ci_prob : float

    Returns
    -------
    OverRounds

    Raises
    ------
    InputError
        If the model has neither trust nor levels, or the trials are others than those of the fit.

    Examples
    --------
    >>> trust_over_rounds(fit, trials).population  # doctest: +SKIP
    """
    name = _moving(fit)
    units = _sequences_of(fit, trials)
    rounds = trials.of_role(fit.model.role).table["round"].to_numpy()
    some = fit.draws(_fewer(draws, units.n_trials))
    if name == _DEPTH:
        tables = [_blocks("", units, rounds, _levels(some), ci_prob)]
    else:
        state = np.zeros((some.size, units.n_trials))
        if fit.model.learns:
            conventions = fit.model.resolve_conventions(fit.game)
            state = state_of(some.values(slice(None)), conventions, name)[:, units.trial_event]
        tables = []
        for position, treatment in enumerate(units.treatments):
            static = _of_subjects(some, name, position)
            trust = moved_by(static[:, units.trial_subject], state)
            tables.append(_blocks(treatment, units, rounds, trust, ci_prob))
    population, people = (pd.concat(part, ignore_index=True) for part in zip(*tables, strict=True))
    return OverRounds(name, ci_prob, population, people)


def _fewer(draws: int, size: int) -> int:
    """As many draws as asked for, or fewer where each is of many numbers."""
    return min(draws, max(_LEAST, _SIZE // size))


def _moving(fit: Fit) -> str:
    name = moving(fit)
    if name is None:
        expected = "a model of one theory, with trust or with levels"
        raise InputError(Fault(f"{fit.model.name}, {fit.model.role}", "neither", expected))
    return name


def _sequences_of(fit: Fit, trials: Trials) -> Sequences:
    units = trials.sequences(fit.model.role)
    if units.subjects != fit.units.subjects or units.n_trials != fit.units.n_trials:
        raise InputError(Fault("over rounds, trials", trials.source, "those of the fit"))
    return units


def _of_subjects(draws: Draws, name: str, treatment: int) -> np.ndarray:
    """Everybody's static trust in a treatment, shape (draws, subjects)."""
    values = draws.data[name]
    if "treatment" in values.dims:
        values = values.isel(treatment=treatment)
    if "subject" not in values.dims:
        values = values.expand_dims(subject=len(draws.units.subjects))
    return np.asarray(values.transpose("sample", "subject").to_numpy())


def _levels(draws: Draws) -> np.ndarray:
    """Everybody's level in each trial, drawn given the trials, shape (draws, trials)."""
    rng = np.random.default_rng(1)
    first = draw_types(draws, rng)
    assert first is not None
    levels = []
    for rows, logs in draws.cell_logs():
        steps = draws.steps(rows)
        levels.append(
            first[rows][:, draws.units.trial_subject]
            if steps is None
            else steps.walk(logs, first[rows], len(draws.model.types), rng)
        )
    return np.concatenate(levels).astype(float)


def _blocks(
    treatment: str, units: Sequences, rounds: np.ndarray, values: np.ndarray, ci_prob: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The population and its people, round by round."""
    tail, rows = (1 - ci_prob) / 2, []
    means = values.mean(axis=0)
    for number in np.unique(rounds):
        at = rounds == number
        lower, upper = np.quantile(values[:, at].mean(axis=1), [tail, 1 - tail])
        low, high = np.quantile(means[at], [0.05, 0.95])
        rows.append(
            {
                "treatment": treatment,
                "round": int(number),
                "mean": means[at].mean(),
                "lower": lower,
                "upper": upper,
                "low": low,
                "high": high,
            }
        )
    subjects = np.array(units.subjects)[units.trial_subject]
    people = pd.DataFrame(
        {"subject": subjects, "treatment": treatment, "round": rounds, "mean": means}
    )
    return pd.DataFrame(rows), people


@dataclass(frozen=True, eq=False)
class AfterOne:
    """The path after one piece of bad news among good news.

    Parameters
    ----------
    name : str
        Of what moves, see `moving`.
    ci_prob : float
    path : DataFrame
        Columns treatment, round (0: the trial that brings the bad news; trust falls in round 1),
        mean, lower, upper (of the mean trust, or depth, of these people), without (its mean
        had all news been good).
    fall : DataFrame
        A row for each treatment: treatment, before (mean in round 0), depth, depth_lower,
        depth_upper (how much lower, in depth of thought how much higher, it is in round 1 than it
        would be without), moves (probability that it falls at all); and of the draws in which it
        does half, half_lower, half_upper (rounds of good news until half of that is back: medians
        and intervals; infinity where it is not back within the path) and back (probability that
        half is back within it).
    """

    name: str
    ci_prob: float
    path: pd.DataFrame
    fall: pd.DataFrame


def after_one_lie(fit: Fit, *, draws: int = 400, ci_prob: float = 0.9) -> AfterOne:
    """How deep trust falls after one lie, and how long it takes until half is back.

    Everybody is told the truth in every round but one. What bad and good news are worth is the mean
    of what people were shown in the experiment. To a sender, a lie is a message that was not
    followed.

    Parameters
    ----------
    fit : Fit
        Of a model with learning.
    draws : int
        No more of the fit than that; fewer where there are millions of trials.
    ci_prob : float

    Returns
    -------
    AfterOne

    Raises
    ------
    InputError
        If nobody learns in the model, or people were shown no bad news.

    Examples
    --------
    >>> after_one_lie(fit).fall  # doctest: +SKIP
    """
    if not fit.model.learns:
        expected = "a model with learning, such as learning='shift'"
        raise InputError(Fault(f"{fit.model.name}, {fit.model.role}", "no learning", expected))
    name, units = _moving(fit), fit.units
    some = fit.draws(_fewer(draws, len(units.subjects) * (_BEFORE + 1 + LONGEST)))
    if not (units.event_known & (units.event_broken > 0)).any():  # type: ignore[attr-defined]
        expected = "at least one trial with bad news: nothing is known of what it would do"
        raise InputError(Fault("after one lie, trials", "", expected))
    paths, falls = [], []
    treatments = ("",) if name == _DEPTH else units.treatments
    for position, treatment in enumerate(treatments):
        with_lie, without = (
            (_depths if name == _DEPTH else _trusts)(some, name, position, lie)
            for lie in (True, False)
        )
        paths.append(_path(treatment, with_lie, without, ci_prob))
        sign = -1.0 if name == _DEPTH else 1.0
        falls.append(_fall(treatment, with_lie, sign * (without - with_lie), ci_prob))
    return AfterOne(name, ci_prob, pd.concat(paths, ignore_index=True), pd.DataFrame(falls))


def _lived(units: Any, subjects: int, treatment: int, lie: bool) -> Any:
    """Events in which everybody is shown the same."""
    length = _BEFORE + 1 + LONGEST
    bad = np.zeros(length, dtype=bool)
    bad[_BEFORE] = lie
    known, broken = units.event_known, units.event_broken > 0
    news = {}
    for name in ("broken", "size", "trusting", "doubting"):
        values = getattr(units, f"event_{name}")
        neutral = 1.0 if name in ("trusting", "doubting") else 0.0
        good = values[known & ~broken].mean() if (known & ~broken).any() else neutral
        worth = np.where(bad, values[known & broken].mean(), good)
        news[f"event_{name}"] = np.tile(worth, subjects)
    size = subjects * length
    return replace(
        units,
        event_subject=np.repeat(np.arange(subjects), length),
        event_treatment=np.full(size, treatment),
        event_partner=np.zeros(size, dtype=int),
        event_known=np.ones(size, dtype=bool),
        trial_event=np.arange(size),
        **news,
    )


def _trusts(draws: Draws, name: str, treatment: int, lie: bool) -> np.ndarray:
    """Mean trust of all people along the path, shape (draws, rounds)."""
    people = len(draws.units.subjects)
    units = _lived(draws.units, people, treatment, lie)
    conventions = draws.model.resolve_conventions(draws.game)
    state = state_of(replace(draws, units=units).values(slice(None)), conventions, name)
    static = _of_subjects(draws, name, treatment)[:, units.event_subject]
    return np.asarray(moved_by(static, state).reshape(draws.size, people, -1).mean(axis=1))


def _depths(draws: Draws, name: str, treatment: int, lie: bool) -> np.ndarray:
    """Mean level of people along the path, who begin by the population's shares."""
    units = _lived(draws.units, len(draws.units.subjects), treatment, lie)
    steps = replace(draws, units=units).steps(slice(None))
    assert steps is not None
    assert draws.shares is not None
    length = _BEFORE + 1 + LONGEST
    up, down = (
        np.broadcast_to(x, (draws.size, units.event_known.size)) for x in (steps.up, steps.down)
    )
    shares = draws.shares.mean(axis=1)
    levels, means = np.arange(shares.shape[1]), []
    for at in range(length):
        means.append(shares @ levels)
        rise, drop = up[:, [at]] * shares[:, :-1], down[:, [at]] * shares[:, 1:]
        shares = shares.copy()
        shares[:, :-1] += drop - rise
        shares[:, 1:] += rise - drop
    return np.stack(means, axis=1)


def _path(
    treatment: str, with_lie: np.ndarray, without: np.ndarray, ci_prob: float
) -> pd.DataFrame:
    tail = (1 - ci_prob) / 2
    lower, upper = np.quantile(with_lie, [tail, 1 - tail], axis=0)
    return pd.DataFrame(
        {
            "treatment": treatment,
            "round": np.arange(with_lie.shape[1]) - _BEFORE,
            "mean": with_lie.mean(axis=0),
            "lower": lower,
            "upper": upper,
            "without": without.mean(axis=0),
        }
    )


def _fall(
    treatment: str, values: np.ndarray, lost: np.ndarray, ci_prob: float
) -> dict[str, float | str]:
    first = _BEFORE + 1
    depth, later = lost[:, first], lost[:, first:]
    back = later <= depth[:, None] / 2
    half = np.where(back.any(axis=1), back.argmax(axis=1).astype(float), np.inf)
    half = half[depth > 0]
    tail = (1 - ci_prob) / 2
    low, high = np.quantile(depth, [tail, 1 - tail])
    halves = [np.nan] * 3
    if half.size:
        halves = np.quantile(half, [tail, 0.5, 1 - tail], method="inverted_cdf").tolist()
    return {
        "treatment": treatment,
        "before": float(values[:, _BEFORE].mean()),
        "depth": float(depth.mean()),
        "depth_lower": float(low),
        "depth_upper": float(high),
        "half": float(halves[1]),
        "half_lower": float(halves[0]),
        "half_upper": float(halves[2]),
        "back": float(np.isfinite(half).mean()) if half.size else float("nan"),
        "moves": float((depth > 0).mean()),
    }
