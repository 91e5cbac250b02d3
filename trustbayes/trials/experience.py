"""What each person had been shown before each trial: news just before it, and the last bad news."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustbayes.games import Game
from trustbayes.numerics.chains import Chains
from trustbayes.trials.sequences import Sequences

__all__ = ["Before", "news_before"]

_BAD = 0.5  # of a probability that the message was false, where only a payoff was shown


@dataclass(frozen=True, eq=False)
class Before:
    """What came before each trial of a role.

    Where partners stay, it is what came before with the same partner.

    Parameters
    ----------
    known : array of bool, shape (trials,)
        Whether anything was shown after the round before.
    bad : array of bool, shape (trials,)
        Whether that was bad news: the message was false, or was not followed.
    since : array of int, shape (trials,)
        Rounds since the last bad news, 1 right after it; 0 where there was none yet.
    cell : array of int, shape (trials,)
        The same for trials of the same person, treatment and bias, after seeing the same, or where
        that is continuous after seeing something in the same fifth of the trials.
    treatment : array of int, shape (trials,)
        Position in the units' treatments.
    """

    known: np.ndarray
    bad: np.ndarray
    since: np.ndarray
    cell: np.ndarray
    treatment: np.ndarray


def news_before(units: Sequences, game: Game) -> Before:
    """What each person had been shown before each of her trials.

    Parameters
    ----------
    units : Sequences
    game : Game
        Its feedback says whether partners stay.

    Returns
    -------
    Before

    Examples
    --------
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-learning")
    >>> trials = tb.read_trials(data.trials, data.game)
    >>> before = news_before(trials.sequences("receiver"), trials.game)
    >>> bool((before.bad == (before.since == 1)).all())
    True
    """
    stay = game.feedback is not None and game.feedback.partners != "random"
    chains = units.partner_chains if stay else units.chains
    known, bad, since = _along(chains, units.event_known, units.event_broken > _BAD)
    at = units.trial_event
    seen = units.trial_seen  # type: ignore[attr-defined]  # of cells or points
    if units.continuous:
        seen = pd.qcut(seen, 5, labels=False, duplicates="drop")
    keys = np.column_stack([units.trial_unit, seen])
    cell = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    treatment = units.unit_treatment[units.trial_unit]
    return Before(known[at], bad[at], since[at], cell, treatment)


def _along(
    chains: Chains, known: np.ndarray, bad: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every event: whether the one before was known, was bad, and how long ago bad news was."""
    order, size = chains.order, known.size
    step = np.arange(size)
    begins = np.repeat(chains.start[:-1], np.diff(chains.start))  # of each event's own chain
    heard, lied = known[order], (known & bad)[order]
    # The last place at or before which there was bad news, as of the event before.
    last = np.maximum.accumulate(np.where(lied, step, -1))
    last = np.r_[-1, last[:-1]]
    first = step == begins
    since = np.where((last >= begins) & ~first, step - last, 0)
    before = np.r_[False, heard[:-1]] & ~first
    after_bad = np.r_[False, lied[:-1]] & ~first
    arrays = [np.empty(size, dtype=kind) for kind in (bool, bool, int)]
    for array, values in zip(arrays, (before, after_bad, since), strict=True):
        array[order] = values
    return arrays[0], arrays[1], arrays[2]
