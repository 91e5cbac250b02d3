"""What a trial tells: whether trust was borne out, and how likely that is under either view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from trustbayes.games import ContinuousGame, FiniteGame, Role
from trustbayes.trials.columns import SAME

__all__ = ["News", "finite_news", "point_news"]

_PRECISE = 0.05
"""Of the whole range: what passes for exact among continuous numbers."""


@dataclass(frozen=True, eq=False)
class News:
    """What people are shown of each trial after it, whatever they make of it.

    A receiver learns whether the message was true, a sender whether it was followed.

    Parameters
    ----------
    known : array of bool, shape (trials,)
        Whether anything was shown; where not, all else is 0 (likelihoods 1).
    broken : array, shape (trials,)
        1 if the message was false, or was not followed; its probability where only a payoff
        was shown.
    size : array, shape (trials,)
        How far off, as a share of the most that can be.
    trusting, doubting : array, shape (trials,)
        Likelihood of what was shown if senders are truthful (receivers follow), and if they
        exaggerate (do not), as a multiple of that by chance.
    """

    known: np.ndarray
    broken: np.ndarray
    size: np.ndarray
    trusting: np.ndarray
    doubting: np.ndarray

    @classmethod
    def nothing(cls, trials: int) -> News:
        """No news of any trial."""
        zeros, ones = np.zeros(trials), np.ones(trials)
        return cls(np.zeros(trials, dtype=bool), zeros, zeros, ones, ones)

    def where(self, known: np.ndarray) -> News:
        """The news of some trials, and none of the others."""
        none = News.nothing(known.size)
        parts = ((getattr(self, f.name), getattr(none, f.name)) for f in fields(self))
        return News(*(np.where(known, some, other) for some, other in parts))


def finite_news(game: FiniteGame, role: Role, table: pd.DataFrame, shown: np.ndarray) -> News:
    """News of the trials of a finite game.

    Of a payoff, the states (to a sender: the actions) that would have paid the same are as likely
    as the prior says, among those from which a sender would exaggerate up to the message.

    Parameters
    ----------
    game : FiniteGame
    role : "sender" or "receiver"
    table : DataFrame
        With the columns treatment, bias, state, message and action, values from the game's lists.
    shown : array of str, shape (trials,)
        "state", "payoff" or "none".

    Returns
    -------
    News
    """
    lists = {"state": game.states, "message": game.messages, "action": game.actions}
    s, m, a = (
        np.minimum(np.searchsorted(v, table[name].to_numpy(float)), v.size - 1)
        for name, v in lists.items()
    )
    known = shown != "none"
    parts = np.zeros((4, len(table)))
    keys = table[["treatment", "bias"]].drop_duplicates().to_numpy().tolist()
    for treatment, bias in keys:
        rows = ((table["treatment"] == treatment) & (table["bias"] == bias)).to_numpy() & known
        stage = game.in_treatment(str(treatment))
        tables, weights = (_of_receiver if role == "receiver" else _of_sender)(stage, float(bias))
        first, second = (s, m) if role == "receiver" else (m, a)
        exact = rows & (shown == "state")
        parts[:, exact] = tables[:, first[exact], second[exact]]
        for row in np.flatnonzero(rows & (shown == "payoff")):
            chance = weights(int(s[row]), int(m[row]), int(a[row]))
            of = tables[:, :, m[row]] if role == "receiver" else tables[:, m[row]]
            parts[:, row] = of @ chance
    return News(known, *parts).where(known)


_Tables = tuple[np.ndarray, Callable[[int, int, int], np.ndarray]]


def _of_receiver(game: FiniteGame, bias: float) -> _Tables:
    """What each state and message tell, shape (4, states, messages); and states given a payoff."""
    gap = game.messages[None, :] - game.states[:, None]
    false = np.abs(gap) > SAME
    direction = game.direction_of(bias)
    beyond = direction * gap > SAME if direction else false
    count = beyond.sum(axis=1, keepdims=True)
    options = game.messages.size
    # Who cannot exaggerate any further is truthful, or as near to it as can be.
    nearest = np.abs(gap) <= np.abs(gap).min(axis=1, keepdims=True) + SAME
    exaggerates = np.where(count > 0, beyond / np.maximum(count, 1), nearest)
    tables = np.stack(
        [false, np.abs(gap) / np.abs(gap).max(), options * ~false, options * exaggerates]
    )
    payoffs = game.receiver_outcomes

    def states(s: int, m: int, a: int) -> np.ndarray:
        same = np.isclose(payoffs[:, m, a], payoffs[s, m, a])
        possible = same & (direction * gap[:, m] >= -SAME)
        for weight in (game.receiver_prior * possible, game.receiver_prior * same, 1.0 * same):
            if weight.sum() > 0:
                break
        return np.asarray(weight / weight.sum())

    return tables, states


def _of_sender(game: FiniteGame, bias: float) -> _Tables:
    """What each message and action tell, shape (4, messages, actions); actions given a payoff."""
    if game.payoffs.continuous:
        believed = game.receiver_payoff(
            game.messages[:, None], game.messages[:, None], game.actions
        )
        believed = np.broadcast_to(believed, (game.messages.size, game.actions.size))
    else:
        named = np.searchsorted(game.states, game.messages)
        believed = game.receiver_outcomes[named, np.arange(game.messages.size)]
    best = believed.argmax(axis=1)
    options = game.actions.size
    ignored = np.arange(options) != best[:, None]
    far = np.abs(game.actions - game.actions[best][:, None])
    size = ignored if game.labelled else far / far.max()
    others = options * ignored / max(options - 1, 1)
    tables = np.stack([ignored, size, options * ~ignored, others])
    payoffs = game.sender_outcomes(bias)

    def actions(s: int, m: int, a: int) -> np.ndarray:
        same = np.isclose(payoffs[s, m], payoffs[s, m, a])
        return np.asarray(same / same.sum())

    return tables, actions


def point_news(game: ContinuousGame, role: Role, table: pd.DataFrame, shown: np.ndarray) -> News:
    """News of the trials of a game in which states and choices lie on lines.

    Exact is what is within a hundredth of the range of states; of a likelihood, what is near by a
    normal density whose standard deviation is a twentieth of it.

    Parameters
    ----------
    game : ContinuousGame
    role : "sender" or "receiver"
    table : DataFrame
        With the columns treatment, state, message and action, in the game's units.
    shown : array of str, shape (trials,)
        "state" or "none".

    Returns
    -------
    News
    """
    low, high = game.seen_range("sender")
    width = high - low
    message = table["message"].to_numpy(float)
    if role == "receiver":
        state = table["state"].to_numpy(float)
        gap, way = message - state, game.directions(table["treatment"])
        room = np.select([way > 0, way < 0], [high - state, state - low], width)
        beyond = (way == 0) | (way * gap >= -SAME)
        doubting = np.where(beyond, width / np.maximum(room, _PRECISE * width), 0.0)
    else:
        trusted = game.face_value("receiver", message, table["treatment"])
        gap, doubting = table["action"].to_numpy(float) - trusted, np.ones(len(table))
    share = gap / width
    density = np.exp(-0.5 * (share / _PRECISE) ** 2) / (_PRECISE * np.sqrt(2 * np.pi))
    known = shown != "none"
    false, size = np.abs(share) > 0.01, np.minimum(np.abs(share), 1.0)
    return News(known, false.astype(float), size, density, doubting).where(known)
