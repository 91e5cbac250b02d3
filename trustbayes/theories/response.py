"""The response rule: what makes choices of a theory's answer, one for each kind of game."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from trustbayes.theories.values import Values

__all__ = ["Response", "of_trials"]


def of_trials(type_index: np.ndarray, units: Any) -> np.ndarray:
    """The type in each trial, shape (draws, trials), from that or from those of the subjects.

    With one trial a subject the two have one shape; who has had none cannot have moved either.
    """
    alike = type_index.shape[-1] == len(units.subjects)
    return type_index[:, units.trial_subject] if alike else type_index


class Response(Protocol):
    """From a theory's answer to the probability of choices.

    That of a theory whose types move between trials has ``trial_logs``, too: as `cell_logs`, of
    every trial, in NumPy or PyTensor.

    The answer is what `ModelSpec.answer` gives: the utility of every option, or the best choice.
    Arrays may have leading axes (draws); ``typed`` says whether the answer has an axis of types,
    which is then its axis ``type_axis``.
    """

    type_axis: int

    def log_likelihood(
        self, units: Any, answer: Any, values: Values, typed: bool
    ) -> tuple[Any, np.ndarray]:
        """Log likelihood in parts, in NumPy or PyTensor.

        Returns
        -------
        parts : array, shape (..., parts) or (..., parts, types)
            Without constants such as multinomial coefficients.
        subject : array of int, shape (parts,)
            Whose part it is.
        """
        ...

    def cell_logs(self, units: Any, answer: Any, values: Values, typed: bool) -> np.ndarray:
        """Log density of one trial of each cell, shape (..., cells) or (..., cells, types)."""
        ...

    def information(
        self,
        units: Any,
        up: tuple[Any, Values],
        down: tuple[Any, Values],
        step: float,
        typed: bool,
    ) -> np.ndarray:
        """Fisher information of each unit's trials about a parameter moved up and down by a step.

        Returns
        -------
        array, shape (units,)
            Averaged over types.
        """
        ...

    def pick(self, units: Any, answer: Any, type_index: np.ndarray) -> np.ndarray:
        """The answer of each subject's type; ``type_index`` has shape (draws, subjects).

        Returns
        -------
        array
            With an axis of draws and none of types.
        """
        ...

    def divergence(self, units: Any, answer: Any, other: Any, values: Values) -> np.ndarray:
        """Kullback-Leibler divergence of choices after the one answer from those after the other.

        Returns
        -------
        array, shape (..., units)
            Expected log likelihood ratio of each unit's trials, in nats; no axis of types.
        """
        ...

    def draw(
        self,
        units: Any,
        answer: Any,
        values: Values,
        type_index: np.ndarray | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Replicate all choices; ``type_index``, each subject's, has shape (draws, subjects).

        Returns
        -------
        array
            In the form of the units: counts of shape (draws, units, seen, options), or choices
            of shape (draws, trials).
        """
        ...

    def choose(
        self,
        units: Any,
        answer: Any,
        values: Values,
        kinds: np.ndarray | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Make a choice in every trial, each for itself where `draw` counts those that are alike.

        Returns
        -------
        array, shape (draws, trials)
            In the order of the units' trials: positions of options, or choices.
        """
        ...

    def width(self, units: Any) -> int:
        """How many numbers one draw and one type take."""
        ...
