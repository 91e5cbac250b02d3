"""The trials of one role as a statistician would lay them out: arrays with one row per trial."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

import trustbayes as tb
from trustbayes.games import FiniteGame, Role
from trustbayes.theories.level_k.finite import level_tables
from trustbayes.theories.trust_embedded.finite import distrusted_prior

MAX_LEVEL = 3


@dataclass(frozen=True, eq=False)
class Rows:
    """What was seen and chosen in every trial, as positions, and the tables of the game.

    Parameters
    ----------
    game : FiniteGame
    role : "sender" or "receiver"
    subjects, treatments : tuple of str
    subject, treatment, bias, seen, choice : array of int, shape (trials,)
        Positions in ``subjects``, ``treatments``, ``biases``, and the game's lists.
    biases : array of float
    """

    game: FiniteGame
    role: Role
    subjects: tuple[str, ...]
    treatments: tuple[str, ...]
    biases: np.ndarray
    subject: np.ndarray
    treatment: np.ndarray
    bias: np.ndarray
    seen: np.ndarray
    choice: np.ndarray

    @cached_property
    def distrusted(self) -> np.ndarray:
        """Belief of a receiver who does not trust, shape (biases, messages, states)."""
        return np.stack([distrusted_prior(self.game, float(bias)) for bias in self.biases])

    @cached_property
    def level_utility(self) -> np.ndarray:
        """Standardised utility of every level, shape (biases, levels, seen, options)."""
        tables = [level_tables(self.game, float(bias), MAX_LEVEL) for bias in self.biases]
        return np.stack([getattr(t, f"{self.role}_utility") for t in tables]) / self.game.scale

    @property
    def coords(self) -> dict[str, list[str]]:
        """Of the PyMC model."""
        levels = [str(level) for level in range(MAX_LEVEL + 1)]
        return {
            "subject": list(self.subjects),
            "treatment": list(self.treatments),
            "level": levels,
        }


def rows_of(trials: tb.Trials, role: Role) -> Rows:
    """Number the rows of a trial table.

    Subjects and treatments stand in the order that they have in fits of trustbayes.
    """
    table, game, units = trials.table, trials.game, trials.fold(role)
    seen, choice = ("state", "message") if role == "sender" else ("message", "action")
    biases = np.unique(table["bias"])

    def position(column: str, listed: object) -> np.ndarray:
        where = {value: place for place, value in enumerate(listed)}
        return table[column].map(where).to_numpy()

    return Rows(
        game=game,
        role=role,
        subjects=units.subjects,
        treatments=units.treatments,
        biases=biases,
        subject=position(role, units.subjects),
        treatment=position("treatment", units.treatments),
        bias=position("bias", biases),
        seen=position(seen, game.seen(role)),
        choice=position(choice, game.options(role)),
    )
