"""What decisions after recommendations look like before any model, from the trials."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from trustbayes.games import RecommendationGame, Role
from trustbayes.report.games.kind import Words
from trustbayes.simulation.recommendation import DECISIONS, decision_classes, weight_of_advice
from trustbayes.trials.recommendation import Recommendations
from trustbayes.trials.table import Trials

__all__ = ["WORDS", "classes", "game_of", "keepers", "outcomes", "points", "weights"]

WORDS: dict[Role, Words] = {
    "receiver": Words(
        "recommendation",
        "decision",
        "movement from the estimate towards the recommendation",
        "movement towards the recommendation",
        "units of decisions",
    )
}
"""What people see and do."""


def game_of(trials: Trials) -> RecommendationGame:
    """The game of trials that have the report of recommendations."""
    return cast(RecommendationGame, trials.game)


def points(trials: Trials) -> pd.DataFrame:
    """Every decision with what came before and after it.

    Parameters
    ----------
    trials : Trials
        Of recommendations.

    Returns
    -------
    DataFrame
        A row for each trial, indexed as the trials: subject, treatment, estimate, message,
        decision, outcome (NaN where it is not known), precise (the weight that stated widths ask
        for, NaN likewise), class (position in `trustbayes.simulation.recommendation.DECISIONS`, -1
        where nothing can be told), weight (of advice, NaN there), toward (movement to the advice).
    """
    units = cast(Recommendations, trials.fold("receiver"))
    game, decision = game_of(trials), units.trial_choice
    gap = units.trial_seen - units.trial_estimate
    return pd.DataFrame(
        {
            "subject": np.array(units.subjects)[units.trial_subject],
            "treatment": np.array(units.treatments)[units.unit_treatment[units.trial_unit]],
            "estimate": units.trial_estimate,
            "message": units.trial_seen,
            "decision": decision,
            "outcome": units.trial_outcome,
            "precise": units.precision_weight,
            "class": decision_classes(game, units.trial_estimate, units.trial_messages, decision),
            "weight": weight_of_advice(game, units.trial_estimate, units.trial_seen, decision),
            "toward": (decision - units.trial_estimate) * np.sign(gap),
        },
        index=trials.of_role("receiver").table.index,
    )


def classes(trials: Trials) -> pd.DataFrame:
    """Shares of the classes of decisions, by treatment.

    Returns
    -------
    DataFrame
        Columns treatment, option (the class), trials (that tell), observed.
    """
    table = points(trials)
    telling = table[table["class"] >= 0]
    rows = [
        (name, option, len(part), float((part["class"] == number).mean()))
        for name in trials.treatments
        if len(part := telling[telling["treatment"] == name])
        for number, option in enumerate(DECISIONS)
    ]
    return pd.DataFrame(rows, columns=["treatment", "option", "trials", "observed"])


def weights(trials: Trials) -> pd.DataFrame:
    """The weight of advice as it was observed, by treatment.

    Returns
    -------
    DataFrame
        Columns treatment, trials (that tell), too_near (trials that do not), slope (least squares
        of movement on distance: the mean weight, distant advice counting more), median, kept and
        followed (shares), precise (mean weight that stated widths ask for, NaN without them).
    """
    table = points(trials)
    rows = []
    for name in trials.treatments:
        here = table[table["treatment"] == name]
        telling = here[here["class"] >= 0]
        gap = telling["message"] - telling["estimate"]
        moved = telling["decision"] - telling["estimate"]
        stated = here["precise"].dropna()
        rows.append(
            {
                "treatment": name,
                "trials": len(telling),
                "too_near": len(here) - len(telling),
                "slope": float((gap * moved).sum() / (gap**2).sum()) if len(telling) else np.nan,
                "median": float(telling["weight"].median()) if len(telling) else np.nan,
                "kept": float((telling["class"] == 1).mean()) if len(telling) else np.nan,
                "followed": float((telling["class"] == 5).mean()) if len(telling) else np.nan,
                "precise": float(stated.mean()) if len(stated) else np.nan,
            }
        )
    return pd.DataFrame(rows)


def outcomes(trials: Trials) -> pd.DataFrame:
    """How far from the outcome people ended, and would have by other rules, where it is known.

    Returns
    -------
    DataFrame
        Columns treatment, trials, own, decided, followed, averaged (mean absolute errors of the
        estimate, the decision, the recommendation and the mean of both, in units of decisions),
        best_weight (the weight of the recommendation by which the belief has the least squared
        error in these trials, within 0 and 1), weighted (mean absolute error by it). No row for a
        treatment without outcomes.
    """
    table = points(trials).dropna(subset=["outcome"])
    rows = []
    for name in trials.treatments:
        here = table[table["treatment"] == name]
        gap = here["message"] - here["estimate"]
        if not (gap != 0).any():
            continue
        best = float((gap * (here["outcome"] - here["estimate"])).sum() / (gap**2).sum())
        best = min(max(best, 0.0), 1.0)
        made = {
            "own": here["estimate"],
            "decided": here["decision"],
            "followed": here["message"],
            "averaged": here["estimate"] + gap / 2,
            "weighted": here["estimate"] + best * gap,
        }
        errors = {key: float((value - here["outcome"]).abs().mean()) for key, value in made.items()}
        rows.append({"treatment": name, "trials": len(here), **errors, "best_weight": best})
    columns = ["treatment", "trials", "own", "decided", "followed", "averaged", "weighted"]
    return pd.DataFrame(rows, columns=[*columns, "best_weight"])


def keepers(trials: Trials) -> pd.DataFrame:
    """How often each person keeps her estimate, and follows, to the letter.

    Returns
    -------
    DataFrame
        A row for each person with a trial that tells: subject, trials, kept, followed (shares),
        slope (her own weight of advice by least squares).
    """
    table = points(trials)
    telling = table[table["class"] >= 0]
    gap = telling["message"] - telling["estimate"]
    sums = pd.DataFrame(
        {
            "subject": telling["subject"],
            "kept": telling["class"] == 1,
            "followed": telling["class"] == 5,
            "square": gap**2,
            "product": gap * (telling["decision"] - telling["estimate"]),
        }
    ).groupby("subject", sort=False)
    people = sums.agg(
        trials=("kept", "size"),
        kept=("kept", "mean"),
        followed=("followed", "mean"),
        square=("square", "sum"),
        product=("product", "sum"),
    ).reset_index()
    people["slope"] = people.pop("product") / people.pop("square")
    return people
