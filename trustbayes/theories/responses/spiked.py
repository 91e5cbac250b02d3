r"""From a belief to decisions after a recommendation: noise, and spikes at keeping and following.

With some probability a person keeps her estimate as it is, with some she follows the
recommendation to the letter; else she decides by the theory, with noise round it that is censored
at the ends of the range. Decisions are recorded in steps of h, so that a spike is a density of
1 / h on the step round its place, and the density of a decision a is

.. math:: p(a) = \pi_e \frac{1(|a - e| \le h/2)}{h} + \pi_m \frac{1(|a - m| \le h/2)}{h}
          + (1 - \pi_e - \pi_m) f(a),

with e the estimate, m the recommendation and f the density of noise. What lies within half a step
of an end of the range has the probability of all that would fall there or beyond, over h. So all
theories and conventions are measured alike, and no spike is taken from the noise that happens to
fall on its place. With several recommendations at once following is following one of them, each as
likely. On the log scale f is that of the logarithm, over a.

Source: the project's theory, section 9; Soll and Larrick (2009), Journal of Experimental
Psychology: Learning, Memory and Cognition 35(3), for choosing against averaging.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytensor.tensor as pt

from trustbayes.games.recommendation import RecommendationGame
from trustbayes.numerics.arrays import log_probability, namespace
from trustbayes.priors.prior import Prior
from trustbayes.theories.response import Response
from trustbayes.theories.responses.censored import (
    CensoredNoise,
    information_of_units,
    summed_by_unit,
)
from trustbayes.theories.responses.noises import NormalNoise, StudentNoise, noise_of
from trustbayes.theories.spec import Convention, Parameter
from trustbayes.theories.values import Values

__all__ = [
    "DECISION_NOISE",
    "EXACTNESS",
    "FOLLOWING",
    "KEEPING",
    "SCALE",
    "ChoosingNoise",
    "SpikedNoise",
    "choosing",
    "on_scale",
    "spiked",
]

_SLACK = 1e-9  # of a step, for the last digits of floats


def on_scale(values: Any, conventions: Mapping[str, Any]) -> Any:
    """Numbers on the line on the scale of a convention: as they are, or their logarithms."""
    return namespace(values).log(values) if conventions["scale"] == "log" else values


class SpikedNoise(CensoredNoise):
    """Decisions with spikes at the estimate and the recommendation, and noise round a belief.

    The units are `trustbayes.trials.recommendation.Recommendations`.

    Parameters
    ----------
    noise : NormalNoise or StudentNoise
    game : RecommendationGame
    log : bool
        Whether beliefs and noise are on the log scale.
    """

    def __init__(self, noise: NormalNoise | StudentNoise, game: RecommendationGame, log: bool):
        super().__init__(noise, game.lowest, game.highest, 1.0 if log else game.scale)
        self.spike_width, self.log = game.step, log

    def log_likelihood(
        self, units: Any, answer: Any, values: Values, typed: bool
    ) -> tuple[Any, np.ndarray]:
        """By trial: those on no spike first."""
        choice = units.trial_choice
        keeps, follows = self._on_spikes(units, choice)
        xn = namespace(choice)
        spiked = (keeps + follows) > 0
        off, on = xn.nonzero(~spiked)[0], xn.nonzero(spiked)[0]
        if xn is not np:
            answer = pt.as_tensor(answer)
        keep, follow, rest = self._shares(answer, values, typed)
        xp = namespace(choice, answer, keep, follow)

        def noisy(rows: Any) -> Any:
            return rest[..., rows] + self._log_density(units, rows, answer, values, typed)

        parts = [noisy(off)]
        if not isinstance(on, np.ndarray) or on.size:
            mass = keep[..., on] * keeps[on] + follow[..., on] * follows[on]
            parts.append(xp.logaddexp(log_probability(mass) - np.log(self.spike_width), noisy(on)))
        logs = xp.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
        rows = xn.concatenate([off, on])
        subject = xn.take(units.trial_subject, rows)
        return (xp.swapaxes(logs, -1, -2) if typed else logs), subject

    def unit_logs(self, units: Any, answer: Any, values: Values) -> np.ndarray:
        """Sum of the logs of every unit's trials, without types; shape (..., units)."""
        return summed_by_unit(units, self.cell_logs(units, answer, values, typed=False))

    def information(
        self,
        units: Any,
        up: tuple[Any, Values],
        down: tuple[Any, Values],
        step: float,
        typed: bool,
    ) -> np.ndarray:
        """Through belief and noise of the trials on no spike, and through the spikes' shares."""
        (high, above), (low, below) = up, down
        keep, follow, rest = self._shares(high, above, typed)
        lower = self._shares(low, below, typed)
        share = np.exp(rest)
        total = share * self._decision_information(units, up, down, step, typed)
        # Of three outcomes with probabilities p: the sum of (dp)² / p.
        for p, moved in ((keep, lower[0]), (follow, lower[1]), (share, np.exp(lower[2]))):
            total = total + ((p - moved) / (2 * step)) ** 2 / np.maximum(p, 1e-12)
        return information_of_units(units, total, typed)

    def divergence(self, units: Any, answer: Any, other: Any, values: Values) -> np.ndarray:
        """That of the noise, in the share of trials that are on no spike."""
        best, others = (np.clip(choice, *self._ends) for choice in (answer, other))
        gap = (best - others) / self._sigma(values, typed=False)
        share = np.exp(self._shares(answer, values, typed=False)[2])
        return summed_by_unit(units, 0.5 * self.noise.location_information * gap**2 * share)

    def draw(
        self,
        units: Any,
        answer: Any,
        values: Values,
        type_index: np.ndarray | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Decisions of shape (draws, trials)."""
        sigma = self._sigma(values, typed=False)
        answer = answer if type_index is None else self.pick(units, answer, type_index)
        keep, follow, _ = self._shares(answer, values, typed=False)
        shape = (len(sigma), units.n_trials)
        luck = rng.random(shape)
        around = self._centre(units, answer, shape, rng)
        noisy = around + sigma * self.noise.draw(shape, rng)
        ends = np.clip(noisy, *self._ends)
        decision = np.exp(ends) if self.log else ends
        which = rng.integers(units.trial_messages.shape[1], size=shape)
        advised = units.trial_messages[np.arange(units.n_trials), which]
        decision = np.where(luck < keep + follow, advised, decision)
        return np.clip(np.where(luck < keep, units.trial_estimate, decision), self.low, self.high)

    @property
    def _ends(self) -> tuple[float, float]:
        """The range on the scale of beliefs."""
        if not self.log:
            return self.low, self.high
        return float(np.log(self.low)) if self.low > 0 else -np.inf, float(np.log(self.high))

    def _on_spikes(self, units: Any, choice: Any) -> tuple[Any, Any]:
        """Whether decisions keep the estimate, and the share of recommendations they follow."""
        near = self.spike_width * (0.5 + _SLACK)
        xp = namespace(choice, units.trial_estimate)
        keeps = xp.where(abs(choice - units.trial_estimate) <= near, 1.0, 0.0)
        follows = xp.where(abs(choice[:, None] - units.trial_messages) <= near, 1.0, 0.0)
        return keeps, follows.mean(axis=-1)

    def _shares(self, answer: Any, values: Values, typed: bool) -> tuple[Any, Any, Any]:
        """Probabilities of keeping and following to the letter, and the log of the rest's."""
        keep, follow = (self._of_trials(values, n, typed) for n in ("keeping", "following"))
        neither = self._log_rest(values, "keeping", typed)
        return keep, (1 - keep) * follow, neither + self._log_rest(values, "following", typed)

    def _log_rest(self, values: Values, name: str, typed: bool) -> Any:
        """Log of one less a probability, by trial."""
        return self._of_trials(values.mapped(name, lambda p: log_probability(1 - p)), name, typed)

    def _of_trials(self, values: Values, name: str, typed: bool) -> Any:
        by_trial = values.of_trials(name)
        return by_trial[..., None, :] if typed else by_trial

    def _centre(
        self,
        units: Any,
        answer: Any,
        shape: tuple[int, int],
        rng: np.random.Generator,
    ) -> np.ndarray:
        """What noise is round, on the scale of beliefs."""
        return np.broadcast_to(answer, shape)

    def _log_density(self, units: Any, rows: Any, answer: Any, values: Values, typed: bool) -> Any:
        """Log density of the noisy decisions in some rows, per unit of decisions."""
        return self._round(units, rows, answer[..., rows], values, typed)

    def _round(self, units: Any, rows: Any, centre: Any, values: Values, typed: bool) -> Any:
        """Log density of decisions round some centres, (..., rows).

        The probability beyond an end is worked out for those at the end alone: it takes ten times
        as long as a density.
        """
        choice = units.trial_choice[rows]
        sigma = self._sigma(values, typed)[..., rows]
        log_sigma = np.log(self.scale) + self._of_trials(
            values.mapped("response_noise", lambda noise: namespace(noise).log(noise)),
            "response_noise",
            typed,
        )
        half, xn = self.spike_width * (0.5 + _SLACK), namespace(choice)
        lower, upper = choice <= self.low + half, choice >= self.high - half
        inside, at_low, at_high = (
            xn.nonzero(mask)[0] for mask in (~(lower | upper), lower, upper & ~lower)
        )
        at = xn.log(choice) if self.log else choice
        gap = (at[inside] - centre[..., inside]) / sigma[..., inside]
        density = self.noise.log_density(gap) - log_sigma[..., rows][..., inside]
        parts, order = [density - at[inside] if self.log else density], [inside]
        ends = (
            (at_low, self.low + self.spike_width / 2, 1),
            (at_high, self.high - self.spike_width / 2, -1),
        )
        for some, beyond, sign in ends:
            if isinstance(some, np.ndarray) and not some.size:
                continue
            inner = np.log(beyond) if self.log else beyond
            z = sign * (inner - centre[..., some]) / sigma[..., some]
            parts.append(self.noise.log_cumulative(z) - np.log(self.spike_width))
            order.append(some)
        if len(parts) == 1:
            return parts[0]
        logs = namespace(*parts).concatenate(parts, axis=-1)
        return logs[..., xn.argsort(xn.concatenate(order))]

    def _decision_information(
        self,
        units: Any,
        up: tuple[Any, Values],
        down: tuple[Any, Values],
        step: float,
        typed: bool,
    ) -> Any:
        """Fisher information of a trial on no spike."""
        return self._noise_information(up, down, step, typed)

    def _part(self, units: Any) -> Any:
        keeps, follows = self._on_spikes(units, units.trial_choice)
        return namespace(keeps).where(keeps + follows > 0, 1, 0)


class ChoosingNoise(SpikedNoise):
    """Decisions of people who choose, trial by trial: the estimate or the recommendation.

    The answer is the probability of choosing the recommendation. A choice is exact with the
    probability "exactness"; else there is noise round it.
    """

    def _shares(self, answer: Any, values: Values, typed: bool) -> tuple[Any, Any, Any]:
        exact = self._of_trials(values, "exactness", typed)
        rest = self._log_rest(values, "exactness", typed)
        return exact * (1 - answer), exact * answer, rest

    def _places(self, units: Any) -> tuple[Any, Any]:
        both = units.trial_estimate, units.trial_seen
        return tuple(namespace(place).log(place) if self.log else place for place in both)

    def _centre(
        self,
        units: Any,
        answer: Any,
        shape: tuple[int, int],
        rng: np.random.Generator,
    ) -> np.ndarray:
        estimate, advised = self._places(units)
        return np.where(rng.random(shape) < answer, advised, estimate)

    def _log_density(self, units: Any, rows: Any, answer: Any, values: Values, typed: bool) -> Any:
        kept, followed = (
            self._round(units, rows, place[rows], values, typed) for place in self._places(units)
        )
        chance = answer[..., rows]
        xp = namespace(chance, kept)
        return xp.logaddexp(log_probability(1 - chance) + kept, log_probability(chance) + followed)

    def _decision_information(
        self,
        units: Any,
        up: tuple[Any, Values],
        down: tuple[Any, Values],
        step: float,
        typed: bool,
    ) -> Any:
        """Of the choice as far as estimate and recommendation lie apart, and of the noise."""
        (high, above), (low, below) = up, down
        sigma = self._sigma(above, typed)
        estimate, advised = self._places(units)
        apart = -np.expm1(-(((advised - estimate) / sigma) ** 2) / 8)
        chance = ((high - low) / (2 * step)) ** 2 / np.maximum(high * (1 - high), 1e-12)
        return apart * chance + self._scale_information(above, below, step, typed)


def _made(rule: type[SpikedNoise]) -> Callable[[RecommendationGame, Mapping[str, Any]], Response]:
    def response(game: RecommendationGame, conventions: Mapping[str, Any]) -> Response:
        return rule(noise_of(conventions), game, conventions["scale"] == "log")

    return response


spiked = _made(SpikedNoise)
"""The response rule of theories whose answer is a belief, as `ModelSpec.response` asks for it."""

choosing = _made(ChoosingNoise)
"""The response rule of the theory whose answer is the probability of choosing the advice."""

DECISION_NOISE = Parameter(
    name="response_noise",
    symbol="σ",
    meaning="standard deviation of decisions that are on no spike, around the belief",
    unit="share of the game's unit; on the log scale of the logarithm",
    support="positive",
    varies=(),
    prior=Prior(
        "LogNormal", mu=Prior("Normal", mu=-1.0, sigma=1.0), sigma=Prior("HalfNormal", sigma=0.7)
    ),
)


def _share(name: str, symbol: str, meaning: str, location: float, by_person: bool) -> Parameter:
    location_prior = Prior("Normal", mu=location, sigma=1.5)
    return Parameter(
        name=name,
        symbol=symbol,
        meaning=meaning,
        unit="probability",
        support="unit",
        varies=("subject",) if by_person else (),
        prior=Prior("LogitNormal", mu=location_prior, sigma=Prior("HalfNormal", sigma=1.0)),
    )


KEEPING = _share(
    "keeping", "κ", "probability of keeping the own estimate as it is", -1.5, by_person=True
)

FOLLOWING = _share(
    "following",
    "φ",
    "probability of following to the letter of those who do not keep their estimate",
    -2.5,
    by_person=False,
)

EXACTNESS = _share(
    "exactness",
    "χ",
    "probability that a choice is made to the letter, without noise",
    0.0,
    by_person=False,
)

SCALE = Convention(
    name="scale",
    choices=("linear", "log"),
    default="linear",
    meaning=(
        "On which scale beliefs are weighted averages and noise is even: that of decisions, or "
        "their logarithms, for positive quantities of which shares matter, whatever the unit."
    ),
)
