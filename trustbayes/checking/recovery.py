"""Planted parameters against estimated ones."""

from __future__ import annotations

import pandas as pd

from trustbayes.errors import Fault, InputError
from trustbayes.games import Game
from trustbayes.models import SPECS

__all__ = ["recovery"]

_KEY = ["role", "subject", "model", "parameter", "treatment"]


def recovery(subjects: pd.DataFrame, planted: pd.DataFrame, game: Game) -> pd.DataFrame:
    """Hold estimates of subject parameters against the values that generated the data.

    Parameters
    ----------
    subjects : DataFrame
        From `trustbayes.estimates.subject_estimates`.
    planted : DataFrame
        As `trustbayes.simulation.simulate` gives it: role, subject, model, parameter, treatment,
        value (natural standardised scale).
    game : Game

    Returns
    -------
    DataFrame
        The rows of ``subjects`` whose truth is known, with columns planted (in the unit of the
        row) and covered (whether the interval holds it).

    Raises
    ------
    InputError
        If a column is missing.
    """
    missing = [name for name in (*_KEY, "value") if name not in planted]
    if missing:
        raise InputError(Fault("planted parameters", "", f"the columns {', '.join(missing)}"))
    truth = planted[[*_KEY, "value"]].copy()
    for name in ("subject", "treatment"):
        truth[name] = truth[name].fillna("").astype(str)
    factors = {
        (spec.name, spec.role, parameter.name): parameter.factor(game)
        for spec in SPECS
        if spec.kind == game.kind
        for parameter in spec.parameters
    }
    known = zip(truth["model"], truth["role"], truth["parameter"], strict=True)
    factor = [factors.get(key, 1.0) for key in known]
    truth["planted"] = truth["value"].astype(float) * factor
    joined = subjects.merge(truth.drop(columns="value"), on=_KEY)
    joined["covered"] = joined["planted"].between(joined["lower"], joined["upper"])
    return joined
