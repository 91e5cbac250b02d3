"""What an analysis says of people who play both roles."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd

from trustbayes.analysis.best_models import best
from trustbayes.analysis.conventions import Key
from trustbayes.comparison import NEW_PEOPLE, BothRoles, Comparison, both_roles
from trustbayes.games import Role
from trustbayes.inference.fit import Fit
from trustbayes.trials.table import Trials

__all__ = ["both_of", "by_whole_person"]

_log = logging.getLogger(__name__)


def both_of(
    trials: Trials,
    fits: Mapping[Key, Fit],
    comparisons: Mapping[Role, Comparison],
    ci_prob: float,
) -> BothRoles | None:
    """Lying aversion and trust as one population, where people play both roles.

    By the model of each role that predicts best among those past the gate that have the parameter
    and combine no theories.
    """
    if len(trials.people_in_both_roles) < 2:
        return None
    single = {key: fit for key, fit in fits.items() if not fit.model.spec.combines}
    sender = best(single, comparisons, "sender", "lying_aversion")
    sender = sender or best(single, comparisons, "sender", "lump_sum_aversion")
    receiver = best(single, comparisons, "receiver", "trust")
    if sender is None or receiver is None:
        return None
    if any(fit.model.inseparable_priors or fit.model.formulas for fit in (sender, receiver)):
        return None  # a person cannot be told from her fellows, or her population is a regression
    _log.info("joining the roles of people who play both")
    return both_roles(sender, receiver, draws=NEW_PEOPLE, ci_prob=ci_prob)


def by_whole_person(trials: Trials, comparisons: Mapping[Role, Comparison]) -> pd.DataFrame:
    """How theories predict people who play both roles: both of a person's likelihoods at once.

    Parameters
    ----------
    trials : Trials
    comparisons : mapping of role to Comparison

    Returns
    -------
    DataFrame
        A row per model of both roles, best first: model, elpd (sum over people and roles), se,
        elpd_diff, dse (to the best; over people).
    """
    people = list(trials.people_in_both_roles)
    scores = [comparison.scores.get("subject", {}) for comparison in comparisons.values()]
    columns = ["model", "elpd", "se", "elpd_diff", "dse"]
    if not people or len(scores) < 2:
        return pd.DataFrame(columns=columns)
    names = [name for name in scores[0] if name in scores[1]]
    table = {}
    for name in names:
        sides = [
            dict(zip(by_model[name].labels, by_model[name].elpd, strict=True))
            for by_model in scores
        ]
        table[name] = np.array([sum(side[who] for side in sides) for who in people])
    order = sorted(names, key=lambda name: -table[name].sum())
    rows = []
    for name in order:
        gap = table[name] - table[order[0]]
        error, dse = (float(np.sqrt(v.size * v.var())) for v in (table[name], gap))
        rows.append((name, float(table[name].sum()), error, float(gap.sum()), dse))
    return pd.DataFrame(rows, columns=columns)
