r"""From a best choice to answers on a slider: noise around it, and heaping at round numbers.

With probability :math:`\psi` a person rounds what she means to the nearest multiple of the game's
round number R, counted from zero; else she answers what she means, in steps of h. With F the
distribution function of the noise around the best choice, an answer y inside the range has the
density

.. math:: p(y) = \frac{1 - \psi}{h} \bigl(F(y + h/2) - F(y - h/2)\bigr)
          + \psi \frac{1(y \in R\mathbb{Z})}{h} \bigl(F(y + R/2) - F(y - R/2)\bigr),

so that summed over all answers inside, times h, it is their probability. Both ends of the range
are multiples of R and have a probability, the lower one

.. math:: P(\text{low}) = (1 - \psi) F(\text{low} + h/2) + \psi F(\text{low} + R/2),

and the upper one likewise. Without rounding this is
`trustbayes.theories.responses.censored.CensoredNoise`.

Source: Heitjan and Rubin (1990), Journal of the American Statistical Association 85(410), for data
heaped at round numbers; Manski and Molinari (2010), Journal of Business and Economic Statistics
28(2), for people who round; as specified here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trustbayes.games.base import Role
from trustbayes.games.interval import IntervalGame
from trustbayes.numerics.arrays import log_probability, log_sum_exp, namespace
from trustbayes.priors.prior import Prior
from trustbayes.theories.response import Response
from trustbayes.theories.responses.censored import CensoredNoise, censored
from trustbayes.theories.responses.noises import NormalNoise, StudentNoise, noise_of
from trustbayes.theories.spec import Convention, Parameter
from trustbayes.theories.values import Values
from trustbayes.trials.forecast import Points

__all__ = ["HEAPING", "ROUNDING", "HeapedNoise", "heaped"]

_SLACK = 1e-6  # of a step, for the last digits of floats


class HeapedNoise(CensoredNoise):
    """Noise around the best choice of people of whom some round what they answer.

    Parameters
    ----------
    noise : NormalNoise or StudentNoise
    low, high : float
        The ends of the range of choices, both multiples of ``round_to``.
    scale : float
        What the standardised response noise is multiplied by.
    step : float
        How finely answers are recorded, h.
    round_to : float
        The round number R: a whole number of steps, at least two.
    """

    def __init__(
        self,
        noise: NormalNoise | StudentNoise,
        low: float,
        high: float,
        scale: float,
        step: float,
        round_to: float,
    ) -> None:
        super().__init__(noise, low, high, scale, step)
        self.round_to = round_to

    def _masks(self, choice: Any) -> tuple[Any, ...]:
        """Inside: off multiples, and on them; at the upper end, at the lower."""
        inside, *ends = super()._masks(choice)
        on = abs(choice - self._rounded(choice)) <= _SLACK * self.step
        return inside & ~on, inside & on, *ends

    def _rounded(self, choice: Any) -> Any:
        """The nearest multiple of the round number."""
        return self.round_to * namespace(choice).round(choice / self.round_to)

    def _by_trial(self, values: Values, typed: bool) -> tuple[Any, ...]:
        """The noise, and the logs of the probabilities of not rounding and of rounding."""
        shares = (_of_trials(values.mapped("rounding", f), typed) for f in _LOGS)
        return *super()._by_trial(values, typed), *shares

    def _logs(self, part: int, choice: Any, answer: Any, *given: Any) -> Any:
        sigma, not_rounding, rounding = given
        if part == 0:
            return not_rounding + self._log_exact(choice, answer, sigma)
        if part == 1:
            plain = self._log_exact(choice, answer, sigma)
            coarse = self._log_near(choice, answer, sigma, self.round_to) - np.log(self.step)
        else:
            plain, coarse = (
                self._log_at_end(part == 2, choice, answer, sigma, margin)
                for margin in (self.step / 2, self.round_to / 2)
            )
        plain, coarse = not_rounding + plain, rounding + coarse
        return log_sum_exp(namespace(plain, coarse).stack([plain, coarse]), axis=0)

    def _normal_logs(
        self, units: Points, rows: np.ndarray, answer: np.ndarray, values: Values
    ) -> Any:
        not_rounding = values.mapped("rounding", _LOGS[0]).of_units("rounding")
        number = np.bincount(units.trial_unit[rows], minlength=units.unit_subject.size)
        return super()._normal_logs(units, rows, answer, values) + number * not_rounding

    def _noise_information(
        self, up: tuple[Any, Values], down: tuple[Any, Values], step: float, typed: bool
    ) -> Any:
        """Of answers that are rounded or not, and of whether they are, the ends aside."""
        (_, above), (_, below) = up, down
        place = self._location_information(up, down, step, typed)
        size = self._scale_information(above, below, step, typed)
        rounds, before = (_of_trials(values, typed) for values in (above, below))
        total: Any = 0.0
        for width, share in ((self.step, 1 - rounds), (self.round_to, rounds)):
            left = self._sharpness(width, above, typed)
            total = total + share * (place + size * left) * left
        # An answer is a multiple by chance, too.
        chance = self.step / self.round_to
        on = chance + (1 - chance) * rounds
        moved = (1 - chance) * (rounds - before) / (2 * step)
        return total + moved**2 / np.maximum(on * (1 - on), 1e-12)

    def _heed(self, values: Values) -> Any:
        rounds = values.of_trials("rounding")
        fine, coarse = (
            self._sharpness(width, values, typed=False) for width in (self.step, self.round_to)
        )
        return (1 - rounds) * fine + rounds * coarse

    def _answered(self, meant: np.ndarray, values: Values, rng: np.random.Generator) -> np.ndarray:
        rounds = rng.random(meant.shape) < values.of_trials("rounding")
        return np.where(rounds, self._rounded(meant), meant)


_LOGS = lambda rounding: log_probability(1 - rounding), log_probability
"""Logs of the probabilities of not rounding and of rounding."""


def _of_trials(values: Values, typed: bool) -> Any:
    """What stands for the probability of rounding in every trial."""
    by_trial = values.of_trials("rounding")
    return by_trial[..., None, :] if typed else by_trial


def heaped(role: Role) -> Any:
    """The response rule of a role in a game on an interval, as `ModelSpec.response` asks for it."""
    without = censored(role)

    def response(game: IntervalGame, conventions: Mapping[str, Any]) -> Response:
        if not conventions["heaping"]:
            rule: Response = without(game, conventions)
            return rule
        assert game.round_to is not None  # models refuse games without one
        ends = game.choice_range(role)
        return HeapedNoise(noise_of(conventions), *ends, game.scale, game.step, game.round_to)

    return response


ROUNDING = Parameter(
    name="rounding",
    symbol="ψ",
    meaning="probability of rounding an answer to the nearest multiple of the game's round number",
    unit="probability",
    support="unit",
    varies=("subject",),
    prior=Prior(
        "LogitNormal",
        mu=Prior("Normal", mu=-1.0, sigma=1.5),
        sigma=Prior("HalfNormal", sigma=1.0),
    ),
    only_with="heaping",
)

HEAPING = Convention(
    name="heaping",
    choices=(False, True),
    rivals=(False, True),
    default=False,
    needs="round_to",
    meaning=(
        "Whether people may also round what they answer to the nearest multiple of the game's "
        "`round_to`, such as 5 or 10 on a slider."
    ),
)
