"""Trials of one role as sequences: what each person had been shown when she chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError, listing
from trustbayes.games import FiniteGame, ForecastGame, Game, IntervalGame, Role
from trustbayes.numerics.chains import Chains
from trustbayes.trials.columns import SEEN_AND_CHOSEN
from trustbayes.trials.finite import Cells
from trustbayes.trials.forecast import Points
from trustbayes.trials.news import News, finite_news, point_news
from trustbayes.trials.rules import rules_of
from trustbayes.trials.units import Units

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "FiniteSequences",
    "PointSequences",
    "Sequences",
    "check_sequences",
    "missing_rounds",
    "sequence",
    "shown_of",
    "units_class",
]

_NEWS = ("broken", "size", "trusting", "doubting")


@dataclass(frozen=True, eq=False, kw_only=True)
class Sequences(Units):
    """What came before each trial, as events: the trials of the same people in their order.

    Events are also trials that a model is not to predict, such as those before a part that is held
    out: their news has moved trust all the same.

    Parameters
    ----------
    event_subject, event_treatment, event_partner : array of int, shape (events,)
        Positions in ``subjects`` and ``treatments``, and a number for each partner (0 where
        people are matched at random and do not know whom they meet); events are sorted by subject
        and round.
    event_known : array of bool, shape (events,)
        Whether anything was shown after it.
    event_broken, event_size, event_trusting, event_doubting : array, shape (events,)
        See `trustbayes.trials.news.News`.
    trial_event : array of int, shape (trials,)
        The event of each trial.
    """

    event_subject: np.ndarray
    event_treatment: np.ndarray
    event_partner: np.ndarray
    event_known: np.ndarray
    event_broken: np.ndarray
    event_size: np.ndarray
    event_trusting: np.ndarray
    event_doubting: np.ndarray
    trial_event: np.ndarray

    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "event_subject": ("event",),
        "event_treatment": ("event",),
        "event_partner": ("event",),
        "event_known": ("event",),
        **{f"event_{name}": ("event",) for name in _NEWS},
        "trial_event": ("trial",),
    }

    @cached_property
    def chains(self) -> Chains:
        """The events of each person, one after the other."""
        return Chains.of(self.event_subject)

    @cached_property
    def partner_chains(self) -> Chains:
        """The events of each person with each partner, one after the other."""
        return Chains.of(self.event_subject, self.event_partner)

    @property
    def pattern(self) -> tuple[np.ndarray, ...]:
        """Who plays with whom when, and after which trials anything is shown."""
        return (
            *super().pattern,  # type: ignore[safe-super]  # that of cells or points
            self.trial_unit,
            self.event_subject,
            self.event_treatment,
            self.event_partner,
            self.event_known,
            self.trial_event,
        )

    def replaceable(self, alike: bool) -> Mapping[str, str]:
        """What was seen, chosen and learnt, if the model is made for many experiments."""
        chosen = "trial_choice" if self.continuous else "trial_option"
        named = {"trial_seen": "seen", chosen: "choice"}
        return named | {f"event_{name}": name for name in _NEWS} if alike else {}


@dataclass(frozen=True, eq=False, kw_only=True)
class FiniteSequences(Sequences, Cells):
    """The trials of a finite game as sequences: each trial is a cell of its own."""

    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {**Cells.dims, **Sequences.dims}

    def by_design(self) -> FiniteSequences:
        """As they are: trials are in no other order."""
        return self

    @property
    def cell_unit(self) -> np.ndarray:
        """The unit of each trial."""
        return self.trial_unit

    @property
    def cell_trials(self) -> np.ndarray:
        """One trial in each cell."""
        return np.ones(self.n_trials, dtype=int)

    @property
    def trial_cell(self) -> np.ndarray:
        """The trials themselves."""
        return np.arange(self.n_trials)

    @cached_property
    def by_trial(self) -> Cells:
        """Every trial as a unit of its own, for parameters that differ between trials."""
        return Cells(
            role=self.role,
            subjects=self.subjects,
            treatments=self.treatments,
            groups=self.groups,
            biases=self.biases,
            unit_subject=self.trial_subject,
            unit_treatment=self.unit_treatment[self.trial_unit],
            unit_bias=self.unit_bias[self.trial_unit],
            trial_unit=np.arange(self.n_trials),
            counts=self.counts[:0],
            trial_seen=self.trial_seen,
            trial_option=self.trial_option,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class PointSequences(Sequences, Points):
    """The trials of a game on a line as sequences."""

    dims: ClassVar[Mapping[str, tuple[str, ...]]] = {**Points.dims, **Sequences.dims}


def shown_of(table: pd.DataFrame, game: Game) -> np.ndarray:
    """What was shown after each trial of a table: "state", "payoff" or "none"."""
    feedback = game.feedback
    if feedback is None:
        return np.full(len(table), "none")
    if feedback.column is None:
        by_treatment = {name: feedback.in_treatment(name) for name in set(table["treatment"])}
        return np.asarray(table["treatment"].map(by_treatment).to_numpy(), dtype=str)
    cells = table[feedback.column]
    return np.asarray(cells.where(cells.notna() & (cells != ""), "none").to_numpy(), dtype=str)


def check_sequences(table: pd.DataFrame, game: Game, role: Role, source: str) -> None:
    """Refuse trials from which nobody can be said to have learnt.

    Parameters
    ----------
    table : DataFrame
        Checked trials with standard column names.
    game : Game
    role : "sender" or "receiver"
    source : str
        What to call the trials.

    Raises
    ------
    InputError
        Naming all that is missing: feedback in the game file, what was shown, and the column of
        the file that holds it.
    """
    faults = []
    if game.feedback is None:
        expected = 'what people are shown after a trial, such as shown = "state": learning needs it'
        faults.append(Fault(f"game {game.name}, [feedback]", "", expected))
    elif (shown_of(table, game) == "none").all():
        expected = "at least one trial after which something is shown: learning needs it"
        faults.append(Fault(f"game {game.name}, [feedback]", "none", expected))
    needed = {*SEEN_AND_CHOSEN["sender"], *SEEN_AND_CHOSEN["receiver"]}
    if lacking := [n for n in ("state", "message", "action") if n in needed and n not in table]:
        expected = f"also the column {listing(lacking)}: from it {role}s learn"
        faults.append(Fault(source, "", expected))
    if "round" not in table:
        faults.append(Fault(source, "", "a column round: learning needs the order of the trials"))
    if faults:
        raise InputError(faults)


def missing_rounds(table: pd.DataFrame, role: Role) -> dict[str, list[int]]:
    """The rounds that are missing between the first and the last of each person.

    What happened in them is not known, so that they move nobody's trust.

    Parameters
    ----------
    table : DataFrame
    role : "sender" or "receiver"

    Returns
    -------
    dict of str to list of int
        People of whom none is missing are not in it.

    Examples
    --------
    >>> table = pd.DataFrame({"sender": ["a", "a", "b"], "round": [1, 4, 2]})
    >>> missing_rounds(table, "sender")
    {'a': [2, 3]}
    """
    missing = {}
    for person, rounds in table[table[role] != ""].groupby(role)["round"]:
        there = set(map(int, rounds))
        if gone := sorted(set(range(min(there), max(there) + 1)) - there):
            missing[str(person)] = gone
    return missing


_KINDS: Mapping[str, tuple[type[Sequences], Callable[..., News]]] = {
    FiniteGame.kind: (FiniteSequences, finite_news),
    ForecastGame.kind: (PointSequences, point_news),
    IntervalGame.kind: (PointSequences, point_news),
}
"""By kind of game, the class of its sequences, and what trials tell."""


def units_class(game: Game, data: xr.Dataset) -> type[Units]:
    """The class of the units that a data set of a kind of game holds."""
    return _KINDS[game.kind][0] if "event_subject" in data else rules_of(game).units


def sequence(units: Units, table: pd.DataFrame, whole: pd.DataFrame, game: Game) -> Sequences:
    """Put the trials of a role in order, with what each person had been shown.

    Parameters
    ----------
    units : Units
    table : DataFrame
        The trials of the units.
    whole : DataFrame
        These and all others of the same experiment.
    game : Game

    Returns
    -------
    Sequences
        Of the class of the game's kind.
    """
    made, tells = _KINDS[game.kind]
    role, feedback = units.role, game.feedback
    columns = ["state", "message", "action"]
    met = whole[columns].notna().all(axis=1).to_numpy()  # not the rows of one player alone
    news = tells(game, role, whole, np.where(met, shown_of(whole, game), "none"))
    theirs = whole[role].isin(units.subjects).to_numpy()
    rows = np.flatnonzero(theirs)
    subject = pd.Index(units.subjects).get_indexer(pd.Index(whole[role].iloc[rows]))
    rounds = whole["round"].to_numpy()[rows]
    order = np.lexsort((rounds, subject))
    rows, subject = rows[order], subject[order]
    other = "sender" if role == "receiver" else "receiver"
    partner = np.zeros(rows.size, dtype=int)
    partners = "random" if feedback is None else feedback.partners
    named = other if partners == "fixed" else partners
    if partners != "random" and named in whole:  # else nobody knows whom she meets
        partner = pd.factorize(whole[named].astype(str).iloc[rows])[0]
    at = pd.Series(np.arange(rows.size), index=whole.index[rows])
    events = {
        "event_subject": subject,
        "event_treatment": pd.Index(units.treatments).get_indexer(
            pd.Index(whole["treatment"].iloc[rows])
        ),
        "event_partner": partner,
        "event_known": news.known[rows],
        **{f"event_{name}": getattr(news, name)[rows] for name in _NEWS},
        "trial_event": at.loc[table.index].to_numpy(),
    }
    return made(**{f.name: getattr(units, f.name) for f in fields(units)}, **events)
