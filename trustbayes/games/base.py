"""What every kind of game shares: roles, and the game's face."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np

from trustbayes.games.feedback import Feedback
from trustbayes.games.layout import Layout

__all__ = ["Game", "Role"]

Role = Literal["sender", "receiver"]


class Game(ABC):
    """What an experiment pays: all that code for every kind of game may ask of a game.

    What differs between the kinds beyond this is asked of modules that are looked up by `kind`:
    `trustbayes.games.game`, `trustbayes.trials.rules`, `trustbayes.simulation.kinds` and
    `trustbayes.report.games.registry`.

    Attributes
    ----------
    kind : str
        The name of the kind, as in game files.
    roles : tuple of "sender" and "receiver"
        Whose choices it is about.
    needed : mapping of str to tuple of str
        The columns, but for the round, without which a file has no trials of a role.
    trial_columns : tuple of str
        The standard names of the columns of a trial table.
    name : str
        For titles.
    layout : Layout
        How trial files are laid out.
    treatments : mapping of str or None
        The treatments that trials may name, with what sets each apart; None if any may be named.
    feedback : Feedback or None
        What people are shown after a trial; None if it is not known.
    """

    kind: ClassVar[str]
    roles: ClassVar[tuple[Role, ...]] = ("sender", "receiver")
    needed: ClassVar[Mapping[Role, tuple[str, ...]]] = {
        "sender": ("sender", "state", "message"),
        "receiver": ("receiver", "message", "action"),
    }
    trial_columns: ClassVar[tuple[str, ...]]
    name: str
    layout: Layout
    treatments: Mapping[str, Any] | None
    feedback: Feedback | None

    @property
    @abstractmethod
    def scale(self) -> float:
        """What a standardised unit of choices or utilities stands for, above 0."""

    @property
    @abstractmethod
    def lying_unit(self) -> float:
        """Payoff units that one standardised unit of lying aversion stands for, above 0."""

    def laid_out(self, layout: Layout) -> Self:
        """The same game with another layout of its trial files.

        Parameters
        ----------
        layout : Layout

        Returns
        -------
        Game

        Examples
        --------
        >>> from trustbayes.games import FiniteGame, Rows
        >>> game = FiniteGame([1, 2]).laid_out(Layout(rows=Rows("player", "person")))
        >>> game.layout.rows.per
        'player'
        """
        made = copy(self)
        object.__setattr__(made, "layout", layout)
        return made

    def options(self, role: Role) -> np.ndarray:
        """What a role chooses from, shape (options,), increasing.

        Raises
        ------
        ValueError
            If choices are continuous.
        """
        raise ValueError(f"the choices of a {role} in a {self.kind} game are no list")

    @property
    def tabled(self) -> bool:
        """Whether payoffs are known at listed states and actions only, and not in between."""
        return False

    @property
    def storable(self) -> bool:
        """Whether `to_dict` holds all of the game, so that `from_dict` can read it back."""
        return True

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe description of all that bears on behaviour (not of files)."""

    @classmethod
    @abstractmethod
    def from_dict(cls, form: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` wrote.

        Raises
        ------
        ValueError
            If the game is not `storable`.
        """

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the description but for the name, to tell two games apart."""
        text = json.dumps({k: v for k, v in self.to_dict().items() if k != "name"}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
