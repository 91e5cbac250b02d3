"""A treatment as a policy makes it, and what people do in it, the same for every kind of game."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, suggestion
from trustbayes.games import Feedback
from trustbayes.games.toml_section import is_number
from trustbayes.numerics.plain import as_plain
from trustbayes.simulation.policies.crowd import Crowd
from trustbayes.simulation.policies.policy import Audit, Ideal

__all__ = ["PARTIES", "Outcomes", "Parts", "Play", "Stage", "biases_of", "faults_of_changes"]

PARTIES = ("sender", "receiver", "both")

Outcomes = dict[tuple[str, str], np.ndarray]
"""By outcome and party, shape (batches, draws): batches differ by simulation only."""

Parts = Sequence[tuple[float, Crowd]]
"""Sorts of people of one role, with their shares: the same people, shifted or not."""


@dataclass(frozen=True, eq=False)
class Stage:
    """A treatment as a policy makes it.

    Parameters
    ----------
    game : Game
        Which differs from the experiment's; in its units.
    treatment : str
    biases : tuple of float
        Of senders, in a finite game, each as frequent as the others.
    audit : Audit or None
    """

    game: Any
    treatment: str
    biases: tuple[float, ...]
    audit: Audit | None

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it apart from other stages."""
        return self.game.checksum, self.treatment, self.biases, self.audit


def faults_of_changes(
    changes: Mapping[str, Any], known: Sequence[str], numbers: Collection[str]
) -> list[Fault]:
    """What is wrong with the changes of a game by themselves: unknown names, and no numbers.

    Parameters
    ----------
    changes : mapping of str to value
    known : sequence of str
    numbers : collection of str
        Of the names that the kind of game has, those that are numbers.
    """
    unknown = [
        Fault(f"game.{key}", key, suggestion(key, known)) for key in changes if key not in known
    ]
    return unknown + [
        Fault(f"game.{key}", str(value), "a number")
        for key, value in changes.items()
        if key in numbers and not is_number(as_plain(value))
    ]


class Play(Protocol):
    """A module with what is asked of each kind of game."""

    def stage(
        self,
        game: Any,
        treatment: str,
        biases: tuple[float, ...],
        changes: Mapping[str, Any],
        audit: Audit | None,
        feedback: Feedback | None,
    ) -> Stage:
        """Change a treatment of a game.

        Raises
        ------
        InputError
            With a fault for each change that makes no sense, its place being the policy's key, such
            as "game.bias".
        """

    def references(self, stage: Stage) -> dict[str, tuple[float, float]]:
        """What each party, see `PARTIES`, expects to earn under babbling, and full trust."""

    def play(self, stage: Stage, senders: Parts, receivers: Parts, cache: dict[Any, Any],
             seed: int) -> Outcomes:  # fmt: skip
        """What people do and earn who meet at random.

        Parameters
        ----------
        stage : Stage
        senders, receivers : Parts
        cache : dict
            For what comes back under other policies; of one pair of crowds.
        seed : int
            Of what is simulated: the same numbers under every policy.
        """

    def met(self, stage: Stage, table: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
        """What each meeting of a table, with all choices made, earned and was like."""

    def ideal(self, stage: Stage, play: Ideal) -> dict[tuple[str, str], float]:
        """What messages would be like that say nothing, or are true and believed."""


def biases_of(units: Any, treatment: str) -> tuple[float, ...]:
    """The biases that were met in a treatment; none where the game has none."""
    if not hasattr(units, "biases"):
        return ()
    rows = units.unit_treatment == units.treatments.index(treatment)
    return tuple(np.unique(units.biases[units.unit_bias[rows]]).tolist())
