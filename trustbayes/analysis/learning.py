"""How trust moves, as the models of an analysis have it: checks, paths, and what is gained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import pandas as pd

from trustbayes.analysis.best_models import best
from trustbayes.analysis.conventions import Key
from trustbayes.comparison import Comparison
from trustbayes.estimates.learning import learning_effects
from trustbayes.estimates.trust_paths import (
    AfterOne,
    OverRounds,
    after_one_lie,
    moving,
    trust_over_rounds,
)
from trustbayes.games import Role
from trustbayes.inference.fit import Fit
from trustbayes.simulation.experience import (
    ExperienceCheck,
    experience_check,
    free_running_check,
    has_experience,
)
from trustbayes.trials.table import Trials

__all__ = ["Learning", "learning_of"]

_WORK = 10_000_000  # trials times rounds up to which people play anew: each round looks at all


@dataclass(frozen=True, eq=False)
class Learning:
    """How trust, or depth of thought, of one role moves.

    Parameters
    ----------
    role : "sender" or "receiver"
    checks : mapping of str to ExperienceCheck
        What choices owe to news, one step ahead, for every model fitted to the role.
    static : mapping of str to ExperienceCheck
        The same of the theories whose people learn in the comparison, if nobody learns.
    free : ExperienceCheck or None
        The same where the models of both roles that predict best play by themselves; None unless
        both roles were fitted and have a model past the gate, or where that would take long.
    players : mapping of role to str
        Those models; empty without ``free``.
    effects : mapping of str to DataFrame
        See `trustbayes.learning_effects`, for every model in which people learn.
    rounds : mapping of str to OverRounds
        See `trustbayes.trust_over_rounds`, for the same models.
    after : mapping of str to AfterOne
        See `trustbayes.after_one_lie`, for the same models, where there was bad news.
    gain : DataFrame
        A row for each theory of which static and learning people were tried: model, learning (the
        rule), gain (of the rule, nats; PSIS-LOO summed by subject), error (its standard error),
        used (bool: whether the rule's model is the one of the comparison).
    """

    role: Role
    checks: Mapping[str, ExperienceCheck]
    static: Mapping[str, ExperienceCheck]
    free: ExperienceCheck | None
    players: Mapping[Role, str]
    effects: Mapping[str, pd.DataFrame]
    rounds: Mapping[str, OverRounds]
    after: Mapping[str, AfterOne]
    gain: pd.DataFrame


def learning_of(
    trials: Trials,
    compared: Mapping[Key, Fit],
    as_given: Mapping[Key, Fit],
    comparisons: Mapping[Role, Comparison],
    variants: pd.DataFrame,
    seed: int,
    ci_prob: float,
) -> dict[Role, Learning]:
    """How trust moves in each role whose trials say what people were shown.

    Parameters
    ----------
    trials : Trials
    compared : mapping of (model name, role) to Fit
        Those compared.
    as_given : mapping of (model name, role) to Fit
        Of the same models with the conventions as they were given.
    comparisons : mapping of role to Comparison
    variants : DataFrame
        See `trustbayes.analysis.conventions.fit_theories`.
    seed : int
    ci_prob : float

    Returns
    -------
    dict of role to Learning
        Without roles of which nothing is known.
    """
    checked = partial(experience_check, trials=trials, seed=seed, ci_prob=ci_prob)
    known = [role for role in comparisons if has_experience(trials, role)]
    players: dict[Role, Fit] = {
        role: fit
        for role in ("sender", "receiver")
        if role in known and (fit := best(compared, comparisons, role)) is not None
    }
    free: Mapping[Role, ExperienceCheck] = {}
    work = len(trials.table) * trials.table["round"].nunique() if players else 0
    if len(players) == 2 and work <= _WORK:
        free = free_running_check(players, trials, seed=seed, ci_prob=ci_prob)
    names: dict[Role, str] = {role: fit.model.name for role, fit in players.items()}
    result = {}
    for role in known:
        fits = {name: fit for (name, of), fit in compared.items() if of == role}
        learners = {name: fit for name, fit in fits.items() if fit.model.learns}
        moved = {name: fit for name, fit in learners.items() if moving(fit) is not None}
        result[role] = Learning(
            role=role,
            checks={n: checked(fit) for n, fit in fits.items()},
            static={
                name: checked(static)
                for name in learners
                if not (static := as_given[name, role]).model.learns
            },
            free=free.get(role),
            players=names if free else {},
            effects={name: learning_effects(fit, ci_prob) for name, fit in learners.items()},
            rounds={
                name: trust_over_rounds(fit, trials, ci_prob=ci_prob) for name, fit in moved.items()
            },
            after={
                name: after_one_lie(fit, ci_prob=ci_prob)
                for name, fit in moved.items()
                if _bad_news(fit)
            },
            gain=_gain(variants, role),
        )
    return result


def _bad_news(fit: Fit) -> bool:
    return bool((fit.units.event_known & (fit.units.event_broken > 0)).any())  # type: ignore[attr-defined]


def _gain(variants: pd.DataFrame, role: Role) -> pd.DataFrame:
    columns = ["model", "learning", "gain", "error", "used"]
    if variants.empty:
        return pd.DataFrame(columns=columns)
    rows = variants[(variants["role"] == role) & (variants["learning"] != "none")]
    return rows.rename(columns={"lead": "gain", "lead_error": "error"})[columns].reset_index(
        drop=True
    )
