"""The logit response rule where every trial has an answer of its own, as of people who learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from trustbayes.numerics.arrays import namespace, summed
from trustbayes.numerics.vectorised import exp
from trustbayes.theories.response import of_trials
from trustbayes.theories.responses import logit_tables
from trustbayes.theories.responses.logit import below_best, choice_log_probabilities
from trustbayes.theories.values import Values
from trustbayes.trials.sequences import FiniteSequences

__all__ = ["SEQUENCED_LOGIT", "SequencedLogit"]


class SequencedLogit:
    """The logit rule, as `trustbayes.theories.response.Response` asks for it, trial by trial.

    Answers are utilities after what was seen in each trial: shape (..., trials, 1, options), with
    types (..., trials, types, 1, options).
    """

    type_axis = -3

    def log_likelihood(
        self, units: FiniteSequences, answer: Any, values: Values, typed: bool
    ) -> tuple[Any, np.ndarray]:
        """By trial, in their order."""
        utility = below_best(answer[..., 0, :])
        precision, lapse = self._noise(units, values)
        if _fixed(utility, units) and lapse is None and namespace(precision) is not np:
            of_units = values.of_units("response_precision")
            return logit_tables.trial_logs(units, utility, of_units), units.trial_subject
        xp = namespace(utility, precision, units.trial_option)
        options = np.arange(units.counts.shape[-1])
        chosen = abs(units.trial_option[:, None] - options) < 0.5  # positions may be data
        chosen = chosen[:, None] if typed else chosen
        if lapse is not None:
            logs = choice_log_probabilities(answer, precision, lapse, typed)[..., 0, :]
            return summed(chosen * logs), units.trial_subject
        if precision is not None:
            utility = precision[(..., None, None) if typed else (..., None)] * utility
        logs = summed(chosen * utility) - xp.log(summed(exp(utility)))
        return logs, units.trial_subject

    def trial_logs(self, units: FiniteSequences, answer: Any, values: Values, typed: bool) -> Any:
        """Log likelihood of every trial, in their order."""
        return self.log_likelihood(units, answer, values, typed)[0]

    def logs(self, units: FiniteSequences, answer: Any, values: Values, typed: bool) -> Any:
        """Log probability of every option in each trial, shape (..., trials, [types,] options)."""
        noise = self._noise(units, values)
        return choice_log_probabilities(answer, *noise, typed)[..., 0, :]

    def cell_logs(
        self, units: FiniteSequences, answer: Any, values: Values, typed: bool
    ) -> np.ndarray:
        """Of the option chosen in each trial."""
        return np.asarray(self.log_likelihood(units, answer, values, typed)[0])

    def information(
        self,
        units: FiniteSequences,
        up: tuple[Any, Values],
        down: tuple[Any, Values],
        step: float,
        typed: bool,
    ) -> np.ndarray:
        """Expected squared slope of the log probability of the choices."""
        high, low = (self.logs(units, answer, values, typed) for answer, values in (up, down))
        slope = (high - low) / (2 * step)
        expected = (np.exp(high) * slope**2).sum(axis=-1)
        expected = expected.mean(axis=-1) if typed else expected
        expected = np.broadcast_to(expected, units.trial_unit.shape)
        return np.bincount(units.trial_unit, weights=expected, minlength=units.unit_subject.size)

    def pick(self, units: FiniteSequences, answer: Any, type_index: np.ndarray) -> np.ndarray:
        """Utilities of shape (draws, trials, 1, options), of the type of each subject or trial."""
        type_index = of_trials(type_index, units)
        answer = np.broadcast_to(answer, (len(type_index), *answer.shape[-4:]))
        return np.take_along_axis(answer, type_index[..., None, None, None], axis=2)[:, :, 0]

    def divergence(
        self, units: FiniteSequences, answer: Any, other: Any, values: Values
    ) -> np.ndarray:
        """Over all options, after what was seen in each trial."""
        logs, others = (
            self.logs(units, utility, values, typed=False) for utility in (answer, other)
        )
        gap = (np.exp(logs) * (logs - others)).sum(axis=-1)
        by_unit = np.zeros((*gap.shape[:-1], units.unit_subject.size))
        np.add.at(by_unit.T, units.trial_unit, gap.T)
        return by_unit

    def draw(
        self,
        units: FiniteSequences,
        answer: Any,
        values: Values,
        type_index: np.ndarray | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Counts of shape (draws, units, seen, options)."""
        chosen = self.choose(units, answer, values, type_index, rng)
        counts = np.zeros((len(chosen), *units.counts.shape), dtype=np.int32)
        row = np.arange(len(chosen))[:, None]
        np.add.at(counts, (row, units.trial_unit, units.trial_seen, chosen), 1)
        return counts

    def choose(
        self,
        units: FiniteSequences,
        answer: Any,
        values: Values,
        kinds: np.ndarray | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Positions of options, shape (draws, trials)."""
        answer = answer if kinds is None else self.pick(units, answer, kinds)
        reached = np.exp(self.logs(units, answer, values, typed=False)).cumsum(axis=-1)
        aim = rng.random(reached.shape[:-1]) * reached[..., -1]
        return np.asarray((reached <= aim[..., None]).sum(axis=-1))

    def width(self, units: FiniteSequences) -> int:
        """Every option, and every state that is reckoned with, in each trial."""
        return units.n_trials * units.counts.shape[1] * units.counts.shape[2]

    def _noise(self, units: FiniteSequences, values: Values) -> tuple[Any, Any]:
        of_trials = Values(values.arrays, values.dims, units.by_trial)
        return of_trials.of_units("response_precision"), of_trials.of_units("lapse")


def _fixed(utility: Any, units: FiniteSequences) -> bool:
    """Whether neither a parameter nor data of the model change what the options are worth."""
    return all(isinstance(array, np.ndarray) for array in (utility, units.trial_option))


SEQUENCED_LOGIT = SequencedLogit()
