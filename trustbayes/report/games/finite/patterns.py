"""What the choices of a finite game look like before any model: shares, from the trials."""

from __future__ import annotations

from typing import cast

import pandas as pd

from trustbayes.games import FiniteGame, Role
from trustbayes.report.games.kind import Words
from trustbayes.trials.table import Trials

__all__ = ["WORDS", "game_of", "shares", "words_of"]

_UNIT = "units of the state"

WORDS: dict[Role, Words] = {
    "sender": Words("state", "message", "message − state", "exaggeration", _UNIT),
    "receiver": Words("message", "action", "message − action", "discount", _UNIT, sign=-1),
}
"""What each role sees and does."""


def words_of(game: FiniteGame) -> dict[Role, Words]:
    """What each role sees and does; where actions are labels, how often which is taken.

    Examples
    --------
    >>> words_of(FiniteGame([1, 2], action_labels=["accept", "challenge"]))["receiver"].shift
    'share of the action challenge'
    """
    if not game.labelled:
        return WORDS
    first, *others = game.labels("receiver")
    share = f"share of the action {others[0]}" if len(others) == 1 else f"share of all but {first}"
    return WORDS | {"receiver": Words("message", "action", share, share, "share of trials")}


def game_of(trials: Trials) -> FiniteGame:
    """The game of trials that have the report of finite games."""
    return cast(FiniteGame, trials.game)


def shares(trials: Trials, role: Role) -> pd.DataFrame:
    """Share of every option after everything seen, by treatment.

    Parameters
    ----------
    trials : Trials
    role : "sender" or "receiver"

    Returns
    -------
    DataFrame
        Columns treatment, seen, option, trials (after seeing it), share; what never occurred in
        a treatment has no row.
    """
    game, words = game_of(trials), WORDS[role]
    counts = trials.of_role(role).table.groupby(["treatment", words.seen, words.choice]).size()
    rows = []
    for treatment in trials.treatments:
        for seen in game.seen(role):
            here = [counts.get((treatment, seen, o), 0) for o in game.options(role)]
            total = sum(here)
            if total == 0:
                continue
            for option, count in zip(game.options(role), here, strict=True):
                rows.append((treatment, float(seen), float(option), int(total), count / total))
    return pd.DataFrame(rows, columns=["treatment", "seen", "option", "trials", "share"])
