"""What games have in common in which states and choices lie on lines."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from trustbayes.errors import Fault
from trustbayes.games.base import Game, Role
from trustbayes.games.feedback import Feedback

__all__ = ["ContinuousGame", "feedback_faults"]


class ContinuousGame(Game):
    """A sender sees a state and sends a message, a receiver acts on it, all of them on lines.

    Attributes
    ----------
    step : float
        How finely choices are recorded: simulated ones are whole steps from the lowest choice.
    coarse_step : float
        The step where it may be coarse beside noise: what people mean is then recorded as the
        nearest step. 0 where steps are small beside noise and left out.
    """

    trial_columns: ClassVar[tuple[str, ...]] = (
        "sender",
        "receiver",
        "round",
        "treatment",
        "state",
        "message",
        "action",
        "group",
    )
    treatments: Mapping[str, Any]
    step: float

    @property
    def coarse_step(self) -> float:
        """0: steps are small beside noise."""
        return 0.0

    @abstractmethod
    def terms(self, treatments: Any) -> Any:
        """What the theories need to know of a list of treatments, one entry for each name."""

    @abstractmethod
    def seen_range(self, role: Role) -> tuple[float, float]:
        """Between what limits lies what a role sees: the state, or the message."""

    @abstractmethod
    def choice_range(self, role: Role) -> tuple[float, float]:
        """The limits of what a role can choose: a message, or an action."""

    @abstractmethod
    def face_value(self, role: Role, seen: np.ndarray, treatments: Any) -> np.ndarray:
        """The choice of one who is truthful, or trusts fully, shape (trials,)."""

    @abstractmethod
    def directions(self, treatments: Any) -> np.ndarray:
        """Whether senders gain by higher (1) or lower (-1) actions than the state, or neither (0).

        Parameters
        ----------
        treatments : sequence of str

        Returns
        -------
        array, shape (treatments,)
        """

    def recorded(self, values: np.ndarray, low: float, high: float) -> np.ndarray:
        """Values as they are recorded: in whole steps from the lowest, those at a limit there.

        Parameters
        ----------
        values : array
        low, high : float
            The limits, where choices pile up.

        Returns
        -------
        array

        Examples
        --------
        >>> from trustbayes.games import IntervalGame
        >>> game = IntervalGame(0, 10, {"Low": 1.0}, step=0.5)
        >>> game.recorded(np.array([-3.0, 1.2, 9.9]), 0, 10).tolist()
        [0.0, 1.0, 10.0]
        """
        stepped = low + np.round((np.clip(values, low, high) - low) / self.step) * self.step
        # The last digits of a float are noise: 12 of them are kept.
        digits = 12 - int(np.ceil(np.log10(max(1.0, np.abs(stepped).max(initial=1.0)))))
        at_limit = (values <= low) | (values >= high)
        return np.where(at_limit, np.clip(values, low, high), stepped.round(digits).clip(low, high))


def feedback_faults(feedback: Feedback | None, why: str) -> Iterator[Fault]:
    """Find what cannot be shown after a trial of a game on a line.

    Parameters
    ----------
    feedback : Feedback or None
    why : str
        Why a payoff does not say what people could learn from.

    Yields
    ------
    Fault
        Its place is the key.
    """
    if feedback is not None and "payoff" in {feedback.shown, *feedback.by_treatment.values()}:
        yield Fault("feedback.shown", "payoff", f'"state" or "none": {why}')
