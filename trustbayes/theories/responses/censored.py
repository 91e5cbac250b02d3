r"""From a best choice to choices: noise around it, censored at the ends of the range.

A choice is the theory's optimum plus noise of the subject's own size, written once for all
theories. What would fall beyond the range, or is rounded to its end, is made there: choices there
have a probability, not a density. Where choices are recorded in steps of h that need not be small
beside the noise, a choice y inside the range stands for all that is rounded to it: with F the
distribution function of the noise around the best choice its density is

.. math:: p(y) = \frac{F(y + h/2) - F(y - h/2)}{h},

so that times h it is the probability of the step. Nobody is exact: noise of standard deviation
:math:`\sigma` counts as :math:`\sqrt{\sigma^2 + (h / 8)^2}`, from which answers in steps of h
hardly tell it, so that probabilities are smooth in what the best choice depends on. The functions
take NumPy arrays or PyTensor variables.

Source: Heitjan (1989), Statistical Science 4(2), for likelihoods of rounded data; as specified
here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytensor.tensor as pt

from trustbayes.games.base import Role
from trustbayes.games.continuous import ContinuousGame
from trustbayes.numerics.arrays import log_probability, namespace
from trustbayes.priors.prior import Prior
from trustbayes.theories.response import Response, of_trials
from trustbayes.theories.responses.noises import NormalNoise, StudentNoise, noise_of
from trustbayes.theories.responses.steps import POWERS, SERIES_REACH, log_steps, sums_of_exact
from trustbayes.theories.spec import Parameter
from trustbayes.theories.values import Values
from trustbayes.trials.forecast import Points

__all__ = [
    "INTERVAL_NOISE",
    "RESPONSE_NOISE",
    "CensoredNoise",
    "censored",
    "information_of_units",
    "summed_by_unit",
]

_FINEST = 0.125
"""Of a step: the variance of noise is added to that of so much. Were people exact, the probability
of a step would jump where the best choice crosses its edge."""
_HOPELESS = -50.0
"""Log probability a trial of a subject from which on nobody asks by how much: with noise as large
as the range no step of a ten-thousandth of it has less than -11."""


class CensoredNoise:
    """Noise around the best choice, as `trustbayes.theories.response.Response` asks for it.

    Parameters
    ----------
    noise : NormalNoise or StudentNoise
    low, high : float
        The ends of the range of choices.
    scale : float
        What the standardised response noise is multiplied by.
    step : float
        How finely choices are recorded, h; 0 where that is so fine beside noise that it is left
        out.
    """

    type_axis = -2

    def __init__(
        self,
        noise: NormalNoise | StudentNoise,
        low: float,
        high: float,
        scale: float,
        step: float = 0.0,
    ) -> None:
        self.noise, self.low, self.high, self.scale = noise, low, high, scale
        self.step = step

    def log_likelihood(
        self, units: Points, answer: Any, values: Values, typed: bool
    ) -> tuple[Any, np.ndarray]:
        """By trial: those inside the range first, then those at its upper and its lower end."""
        choice, given = units.trial_choice, self._by_trial(values, typed)
        xn = namespace(choice)
        if xn is not np:  # rows are variables, too, and index nothing else
            answer, given = pt.as_tensor(answer), tuple(pt.as_tensor(array) for array in given)
        places = [xn.nonzero(mask)[0] for mask in self._masks(choice)]
        parts = [
            self._logs(
                part, choice[rows], answer[..., rows], *(array[..., rows] for array in given)
            )
            for part, rows in enumerate(places)
            if part == 0 or _any(rows)
        ]
        xp = namespace(*parts)
        logs = xp.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
        subject = xn.take(units.trial_subject, xn.concatenate(places))
        return (xp.swapaxes(logs, -1, -2) if typed else logs), subject

    def cell_logs(self, units: Points, answer: Any, values: Values, typed: bool) -> np.ndarray:
        """Of every trial, in the order of the trials."""
        return np.asarray(self.trial_logs(units, answer, values, typed))

    def trial_logs(self, units: Points, answer: Any, values: Values, typed: bool) -> Any:
        """Log likelihood of every trial, in their order, of types that move between them."""
        logs, _ = self.log_likelihood(units, answer, values, typed)
        part = self._part(units)
        xp = namespace(part)
        back = xp.argsort(xp.argsort(part, kind="stable"))
        return logs[..., back, :] if typed else logs[..., back]

    def unit_logs(self, units: Points, answer: Any, values: Values) -> np.ndarray:
        """Sum of the logs of every unit's trials, without types; shape (..., units), in NumPy.

        The leading axes of answer and noise broadcast.
        """
        choice, given = units.trial_choice, self._by_trial(values, typed=False)
        answer = np.broadcast_to(answer, (*np.shape(answer)[:-1], units.n_trials))
        total: Any = 0.0
        order = np.argsort(units.trial_unit, kind="stable")
        for part, mask in enumerate(self._masks(choice)):
            rows = order[mask[order]]
            if not rows.size:
                continue
            if part == 0 and self.noise.by_squares:
                total = self._normal_logs(units, rows, answer, values)
                continue
            each = (array[..., rows] for array in given)
            logs = self._logs(part, choice[rows], answer[..., rows], *each)
            total = total + summed_by_unit(units, logs, rows)
        return np.asarray(total)

    def information(
        self,
        units: Points,
        up: tuple[Any, Values],
        down: tuple[Any, Values],
        step: float,
        typed: bool,
    ) -> np.ndarray:
        """Fisher information through the best choice and through the noise, censoring aside."""
        return information_of_units(units, self._noise_information(up, down, step, typed), typed)

    def pick(self, units: Points, answer: Any, type_index: np.ndarray) -> np.ndarray:
        """Best choices of shape (draws, trials), of the type of each subject or of each trial."""
        position = of_trials(type_index, units)[:, None]
        answer = np.broadcast_to(answer, (len(position), *answer.shape[-2:]))
        return np.take_along_axis(answer, position, axis=1)[:, 0]

    def divergence(self, units: Points, answer: Any, other: Any, values: Values) -> np.ndarray:
        """Of noise around best choices within the range; to second order for Student's t."""
        best, others = (np.clip(choice, self.low, self.high) for choice in (answer, other))
        gap = (best - others) / self._sigma(values, typed=False)
        of_trials = 0.5 * self.noise.location_information * gap**2
        return summed_by_unit(units, of_trials * self._heed(values))

    def draw(
        self,
        units: Points,
        answer: Any,
        values: Values,
        type_index: np.ndarray | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Choices of shape (draws, trials)."""
        sigma = self._sigma(values, typed=False)
        answer = answer if type_index is None else self.pick(units, answer, type_index)
        best = np.broadcast_to(answer, sigma.shape)
        meant = best + sigma * self.noise.draw(best.shape, rng)
        return np.clip(self._answered(meant, values, rng), self.low, self.high)

    def choose(
        self,
        units: Points,
        answer: Any,
        values: Values,
        kinds: np.ndarray | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Choices of shape (draws, trials), those of `draw`: trials are not counted."""
        return self.draw(units, answer, values, kinds, rng)

    def width(self, units: Points) -> int:
        """One number a trial."""
        return units.n_trials

    def _masks(self, choice: Any) -> tuple[Any, ...]:
        """Which choices stand in each part of `log_likelihood`: inside, at the upper end, lower."""
        inside = (choice > self.low) & (choice < self.high)
        return inside, choice >= self.high, choice <= self.low

    def _part(self, units: Any) -> Any:
        """In which part of `log_likelihood` each trial stands, from 0."""
        return sum(part * mask for part, mask in enumerate(self._masks(units.trial_choice)))

    def _by_trial(self, values: Values, typed: bool) -> tuple[Any, ...]:
        """What `_logs` needs of each trial, arrays of shape (..., trials): the noise."""
        return (self._sigma(values, typed),)

    def _logs(self, part: int, choice: Any, answer: Any, *given: Any) -> Any:
        """Log densities of choices that are in one part, shape (..., trials)."""
        [sigma] = given
        if part == 0:
            return self._log_exact(choice, answer, sigma)
        return self._log_at_end(part == 1, choice, answer, sigma, self.step / 2)

    def _log_exact(self, choice: Any, answer: Any, sigma: Any) -> Any:
        """Log density of meaning just this, or what is recorded as this."""
        if self.step:
            return self._log_near(choice, answer, sigma, self.step) - math.log(self.step)
        return self.noise.log_density((choice - answer) / sigma) - namespace(sigma).log(sigma)

    def _log_near(self, choice: Any, answer: Any, sigma: Any, width: float) -> Any:
        """Log probability of meaning something no further than half a width from a choice.

        The noise being symmetric, it is asked of the side on which less lies beyond: where the
        difference of the two cumulative probabilities is small, so are they.
        """
        away, half = abs(choice - answer) / sigma, width / 2 / sigma
        most, beyond = (self.noise.log_cumulative(sign * half - away) for sign in (1, -1))
        return most + log_probability(-namespace(most).expm1(beyond - most))

    def _log_at_end(self, upper: bool, end: Any, answer: Any, sigma: Any, margin: float) -> Any:
        """Log probability of meaning something beyond an end, or less than a margin from it."""
        sign = -1 if upper else 1
        return self.noise.log_cumulative(sign * (end + sign * margin - answer) / sigma)

    def _normal_logs(
        self, units: Points, rows: np.ndarray, answer: np.ndarray, values: Values
    ) -> Any:
        """Log densities of some choices inside the range, summed by unit, of normal noise.

        They bear on it by sums of powers of their distances alone, which are added up before the
        noise comes in; but for units in which a step is wide beside it. Of those whose choices are
        out of all reach of their noise, only a bound is given.
        """
        sigma = self._size(values.of_units("response_noise"))
        distance = abs(units.trial_choice[rows] - answer[..., rows])
        number = np.bincount(units.trial_unit[rows], minlength=units.unit_subject.size)
        squares = distance**2
        powers, power = [np.broadcast_to(number, (*distance.shape[:-1], number.size))], 1.0
        for _ in range(1, POWERS if self.step else 2):
            power = power * squares
            powers.append(summed_by_unit(units, power, rows))
        logs = log_steps(powers, sigma, self.step)
        if not self.step:
            return logs
        width, reach = SERIES_REACH
        most = summed_by_unit(units, distance, rows, np.maximum)
        wide = (sigma * width < self.step) | (sigma**2 * reach < self.step * most)
        beyond = np.maximum(distance - self.step / 2, 0.0) ** 2
        bound = -0.5 * summed_by_unit(units, beyond, rows) / sigma**2
        trials = np.bincount(units.trial_subject, minlength=units.unit_subject.max() + 1)
        hopeless = bound < _HOPELESS * trials[units.unit_subject]
        logs = np.where(hopeless, bound - number * math.log(self.step), logs)
        return self._with_exact(logs, wide & ~hopeless, units.trial_unit[rows], distance, sigma)

    def _with_exact(
        self,
        logs: np.ndarray,
        chosen: np.ndarray,
        unit_of: np.ndarray,
        distance: np.ndarray,
        sigma: np.ndarray,
    ) -> np.ndarray:
        """Sums by unit, some of them replaced by what they are by the choices one by one.

        Choices of one unit follow each other.
        """
        number = np.bincount(unit_of, minlength=logs.shape[-1])
        *lead, unit = np.nonzero(chosen & (number > 0))
        last = number.cumsum()[unit]
        poses = np.arange(math.prod(distance.shape[:-1])).reshape(distance.shape[:-1])
        logs[*lead, unit] = sums_of_exact(
            distance.reshape(-1, unit_of.size),
            np.broadcast_to(poses, logs.shape[:-1])[*lead],
            last - number[unit],
            last,
            np.broadcast_to(sigma, logs.shape)[*lead, unit],
            self.step,
        )
        return logs

    def _answered(self, meant: np.ndarray, values: Values, rng: np.random.Generator) -> np.ndarray:
        """What people answer who mean this, but for the ends; shape (draws, trials)."""
        return meant

    def _heed(self, values: Values) -> Any:
        """What is left of the divergence once people have answered what they mean, by trial."""
        return self._sharpness(self.step, values, typed=False)

    def _noise_information(
        self, up: tuple[Any, Values], down: tuple[Any, Values], step: float, typed: bool
    ) -> Any:
        """Fisher information of each trial through its centre and its noise, censoring aside."""
        (_, above), (_, below) = up, down
        left = self._sharpness(self.step, above, typed)
        scale = self._scale_information(above, below, step, typed)
        return (self._location_information(up, down, step, typed) + scale * left) * left

    def _location_information(
        self, up: tuple[Any, Values], down: tuple[Any, Values], step: float, typed: bool
    ) -> Any:
        """The part of it through the centre."""
        (high, above), (low, _) = up, down
        location = ((high - low) / (2 * step) / self._sigma(above, typed)) ** 2
        return self.noise.location_information * location

    def _scale_information(self, above: Values, below: Values, step: float, typed: bool) -> Any:
        """The part of it through the noise."""
        logs = (np.log(self._sigma(values, typed)) for values in (above, below))
        return self.noise.scale_information * ((next(logs) - next(logs)) / (2 * step)) ** 2

    def _sharpness(self, width: float, values: Values, typed: bool) -> Any:
        """The variance of the noise, over what it is once choices are rounded to a width.

        Rounding to multiples of R adds about R² / 12 to it (Sheppard's correction).
        """
        return 1 / (1 + (width / self._sigma(values, typed)) ** 2 / 12)

    def _sigma(self, values: Values, typed: bool) -> Any:
        sigma = self._size(values.of_trials("response_noise"))
        return sigma[..., None, :] if typed else sigma

    def _size(self, noise: Any) -> Any:
        """The noise's standard deviation in units of choices, no smaller than a part of a step."""
        if not self.step:
            return noise * self.scale
        return namespace(noise).sqrt((noise * self.scale) ** 2 + (_FINEST * self.step) ** 2)


def information_of_units(units: Any, of_trials: Any, typed: bool) -> np.ndarray:
    """Sum over each unit's trials, averaged over types; shape (units,)."""
    every = of_trials + np.zeros(units.n_trials)
    every = every.mean(axis=-2) if typed else every
    return np.bincount(units.trial_unit, weights=every, minlength=units.unit_subject.size)


def summed_by_unit(
    units: Any, of_trials: np.ndarray, rows: np.ndarray | None = None, add: np.ufunc = np.add
) -> np.ndarray:
    """Sum over each unit's trials, or some of them; shape (..., trials) becomes (..., units)."""
    unit = units.trial_unit if rows is None else units.trial_unit[rows]
    if (np.diff(unit) < 0).any():
        order = np.argsort(unit, kind="stable")
        unit, of_trials = unit[order], of_trials[..., order]
    starts = np.flatnonzero(np.diff(unit, prepend=-1))
    total = np.zeros((*of_trials.shape[:-1], units.unit_subject.size))
    total[..., unit[starts]] = add.reduceat(of_trials, starts, axis=-1)
    return total


def _any(rows: Any) -> bool:
    """Whether there are, or may be, any rows: those that are symbolic change with the data."""
    return not isinstance(rows, np.ndarray) or rows.size > 0


def censored(role: Role) -> Any:
    """The response rule of a role, as `ModelSpec.response` asks for it."""

    def response(game: ContinuousGame, conventions: Mapping[str, Any]) -> Response:
        noise, ends = noise_of(conventions), game.choice_range(role)
        return CensoredNoise(noise, *ends, game.scale, game.coarse_step)

    return response


RESPONSE_NOISE = Parameter(
    name="response_noise",
    symbol="σ",
    meaning="standard deviation of choices around the best one",
    unit="share of the forecast range a",
    support="positive",
    varies=("subject",),
    prior=Prior(
        "LogNormal",
        mu=Prior("Normal", mu=-2.0, sigma=1.0),
        sigma=Prior("HalfNormal", sigma=0.7),
    ),
    report_unit="units of demand",
    report_factor="scale",
)

INTERVAL_NOISE = replace(
    RESPONSE_NOISE, unit="share of half the interval", report_unit="units of the state"
)
