"""What the choices of a game on a line look like before any model, from the trials."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import cast

import numpy as np
import pandas as pd

from trustbayes.estimates.slopes import clustered_slope
from trustbayes.games import ContinuousGame, ForecastGame, IntervalGame, Role
from trustbayes.report.games.kind import Words
from trustbayes.simulation.continuous import seen_bins
from trustbayes.trials.columns import SEEN_AND_CHOSEN
from trustbayes.trials.datasets import published
from trustbayes.trials.table import Trials

__all__ = ["OWN", "choices", "game_of", "means", "slopes", "words_of"]

_DEMAND, _STATE = "units of demand", "units of the state"

_WORDS: Mapping[str, dict[Role, Words]] = {
    ForecastGame.kind: {
        "sender": Words("forecast", "report", "report − forecast", "inflation", _DEMAND),
        "receiver": Words(
            "report", "capacity", "credulous capacity − capacity", "discount", _DEMAND, sign=-1
        ),
    },
    IntervalGame.kind: {
        "sender": Words("state", "message", "message − state", "exaggeration", _STATE),
        "receiver": Words("message", "action", "message − action", "discount", _STATE, sign=-1),
    },
}
"""What each role sees and does, by kind of game."""

OWN = "these trials"
"""What the report calls its own sample, beside published ones."""


def words_of(game: ContinuousGame) -> dict[Role, Words]:
    """What each role sees and does.

    Examples
    --------
    >>> words_of(ForecastGame())["receiver"].choice
    'capacity'
    """
    return _WORDS[game.kind]


def game_of(trials: Trials) -> ContinuousGame:
    """The game of trials that have such a report."""
    return cast(ContinuousGame, trials.game)


def choices(trials: Trials, role: Role) -> pd.DataFrame:
    """What a role saw and chose.

    Parameters
    ----------
    trials : Trials
        Of a game on a line.
    role : "sender" or "receiver"

    Returns
    -------
    DataFrame
        A row for each trial: subject, treatment, seen, choice, face (the choice of one who is
        truthful, or trusts fully); in the game's units.
    """
    seen, chosen = SEEN_AND_CHOSEN[role]
    table = trials.of_role(role).table
    face = game_of(trials).face_value(role, table[seen].to_numpy(), table["treatment"])
    return pd.DataFrame(
        {
            "subject": table[role],
            "treatment": table["treatment"],
            "seen": table[seen],
            "choice": table[chosen],
            "face": face,
        }
    )


def means(trials: Trials, role: Role) -> pd.DataFrame:
    """Mean choice by what was seen, in bins, by treatment.

    Parameters
    ----------
    trials : Trials
    role : "sender" or "receiver"

    Returns
    -------
    DataFrame
        A row for each bin that holds a trial: treatment, seen (mean in the bin), trials, mean.
    """
    table = choices(trials, role)
    table["bin"] = seen_bins(game_of(trials), role, table["seen"].to_numpy())
    binned = table.groupby(["treatment", "bin"]).agg(
        seen=("seen", "mean"), trials=("seen", "size"), mean=("choice", "mean")
    )
    return binned.loc[list(trials.treatments)].reset_index().drop(columns="bin")


def slopes(trials: Trials, role: Role, ci_prob: float) -> pd.DataFrame:
    """Slope of choices in what was seen, by treatment, with the published ones for reference.

    Parameters
    ----------
    trials : Trials
    role : "sender" or "receiver"
    ci_prob : float

    Returns
    -------
    DataFrame
        Columns sample ("these trials", or a published one), treatment ("" where not stated),
        coefficient, standard_error (clustered by subject), lower, upper (normal), subjects. The
        published rows follow where the game is that of Özer, Zheng and Chen, the name aside.
    """
    table = choices(trials, role)
    rows = []
    for treatment in trials.treatments:
        here = table[table["treatment"] == treatment]
        slope = clustered_slope(*(here[name].to_numpy() for name in ("seen", "choice", "subject")))
        rows.append((OWN, treatment, slope.coefficient, slope.standard_error, slope.clusters))
    if trials.game.checksum == ForecastGame().checksum:
        words, known = words_of(game_of(trials))[role], published()
        for _, row in known[known["regression"] == f"{words.choice} on {words.seen}"].iterrows():
            sample = ", ".join(part for part in (row["study"], row["place"]) if part)
            numbers = (row["coefficient"], row["standard_error"], row["subjects"])
            rows.append((sample, row["treatment"], *numbers))
    columns = ["sample", "treatment", "coefficient", "standard_error", "subjects"]
    frame = pd.DataFrame(rows, columns=columns)
    half = NormalDist().inv_cdf(0.5 + ci_prob / 2) * frame["standard_error"]
    lower, upper = frame["coefficient"] - half, frame["coefficient"] + half
    return frame.assign(lower=lower, upper=upper, subjects=np.array(frame["subjects"], dtype=int))
