r"""Senders who babble in a finite game: habits of several dimensions, integrated by one.

A subject sends message k with probability :math:`e^{h_k} / \sum_l e^{h_l}`, and her habits
h come from a population, each by itself. With n messages in all,

.. math:: \Bigl(\sum_l e^{h_l}\Bigr)^{-n} = \frac{1}{\Gamma(n)} \int_0^\infty u^{n-1}
          \prod_l e^{-u e^{h_l}}\, du ,

so that given u the habits are independent: with :math:`s = h + \log u`,

.. math:: p(c) = \frac{1}{\Gamma(n)} \int d\log u \prod_k \int e^{c_k s - e^s}\,
          p_k(s - \log u)\, ds .

The first factor is tabulated once for every count that occurs, the second is a band of one list,
and all subjects together are a few products of matrices, whatever their number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import gammaln, logsumexp

from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.marginal import PopulationValue
from trustbayes.inference.engines.population.narrow import node_logs
from trustbayes.inference.engines.population.rule import Rule

__all__ = ["HabitMarginal", "is_habitual"]

_LOW, _HIGH = -15.0, 4.0
"""Of s, from the log of the number of messages n: at the upper end the first factor is e^-54n, at
the lower it is e^-15 for each message sent; what was never sent lies as low as the population lets
it."""
_FIRST, _LAST = -8.0, 3.0  # of log u, likewise: u is a gamma variable of shape n, over a sum
_FAR = 6.0  # standard deviations of habits by which both are widened
_STEP = 4.6
"""Standard deviations of the narrowest factor, times a rule's step: 1.15 for a step of .25, where
the rule of trapezoids errs by 3e-7 (measured: a millionth)."""
_SWEEPS = 2  # of Gibbs steps after a draw from nodes, which is right but for their step
_ALONE = 12  # of them from a start that is only likely
_NEWTON = 8  # steps to a mode, of a concave function, each of at most 1


def is_habitual(layout: Layout) -> bool:
    """Whether all that subjects have of their own is habits, which alone decide."""
    return (
        not layout.units.continuous
        and len(layout.effects) == 1
        and layout.effects[0].parameter.option is not None
        and not layout.shared
        and not layout.model.types
        and not layout.effects[0].by_treatment
    )


class HabitMarginal:
    """Log likelihood of habitual messages given the population.

    It stands in for `trustbayes.inference.engines.population.marginal.Marginal`.

    Parameters
    ----------
    layout : Layout
    rule : Rule
    spread : float
        How large the standard deviation of habits may be.
    effect : int
        Position of the habits among the effects.
    """

    def __init__(self, layout: Layout, rule: Rule, spread: float = 5.0, effect: int = 0) -> None:
        units = layout.cells
        self.layout, self.family = layout, layout.effects[effect].family
        counts = np.zeros((layout.subjects, units.counts.shape[2]), dtype=int)
        np.add.at(counts, units.unit_subject, units.counts.sum(axis=1))
        self.counts, self.number = counts, counts.sum(axis=1)
        self.step = min(0.25, rule.steps[0] * _STEP / math.sqrt(max(1, counts.max())))
        middle = math.log(max(1, int(self.number.max())))
        shift = rule.shift * self.step
        far = _FAR * spread
        self.s = np.arange(middle + _LOW - far, middle + _HIGH, self.step) + shift
        self.log_u = (
            np.arange(middle + _FIRST - far / 2, middle + _LAST + far / 4, self.step) - shift / 2
        )
        self.distinct, place = np.unique(counts, return_inverse=True)
        self.place = place.reshape(counts.shape)
        peak = np.where(self.distinct > 0, self.distinct * np.log(np.maximum(self.distinct, 1)), 0)
        self.peak = peak - self.distinct
        exponent = self.distinct[:, None] * self.s - np.exp(self.s) - self.peak[:, None]
        self.factor = np.exp(exponent) * self.step
        self.constant = self.peak[self.place].sum(axis=1) - gammaln(self.number)
        self.constant += math.log(self.step)
        size = self.s.size + self.log_u.size - 1
        # s - log u for all pairs: entry i - j of one list, from its lowest value on.
        self.gap = self.s[0] - self.log_u[-1] + self.step * np.arange(size)

    @property
    def nodes(self) -> float:
        """Number of nodes."""
        return float(self.log_u.size)

    def reaches(self, population: PopulationValue) -> bool:
        """As `trustbayes.inference.engines.population.marginal.Marginal.reaches`: all of them."""
        return True

    @property
    def megabytes(self) -> float:
        """Of the tables."""
        return (self.factor.nbytes + self.place.nbytes) / 2**20

    def by_subject(self, population: PopulationValue) -> np.ndarray:
        """Log marginal likelihood of each subject's messages, shape (subjects,)."""
        return self._terms(population)[0]

    def value_and_slopes(self, population: PopulationValue) -> tuple[float, PopulationValue]:
        """As `trustbayes.inference.engines.population.marginal.Marginal.value_and_slopes`."""
        logs, chance, sums, densities = self._terms(population, sloped=True)
        locations = population.location[0]
        by_location, by_argument = np.zeros(locations.size), dict.fromkeys(population.shape[0], 0.0)
        rows = self.distinct.size
        for k, (density, slope, slopes) in enumerate(densities):
            weight = np.zeros((rows, self.log_u.size))
            np.add.at(weight, self.place[:, k], chance)
            spread = self.factor.T @ (weight / np.maximum(sums[k], 1e-300))
            on_gap = np.zeros(self.gap.size)
            last = self.log_u.size - 1
            for j in range(self.log_u.size):  # s_i - log u_j stands at i - j + last
                on_gap[last - j : last - j + self.s.size] += spread[:, j]
            weighed = on_gap * np.exp(density)
            by_location[k] = -(weighed * slope[0]).sum()
            for key, values in slopes.items():
                by_argument[key] += float((weighed * values[0]).sum())
        slopes_of = PopulationValue(
            (by_location,), (by_argument,), np.zeros(population.log_shares.shape), {}
        )
        return float(logs.sum()), slopes_of

    def draw(
        self, populations: Sequence[PopulationValue], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw subjects' habits given each of some populations and their messages.

        From a node of log u and of each s on; then Gibbs steps, which leave the posterior what it
        is, smooth away that nodes were drawn from: log u given the habits is a log gamma, habits
        given log u are proposed from a normal at their mode.

        Parameters
        ----------
        populations : sequence of PopulationValue
        rng : numpy.random.Generator

        Returns
        -------
        habits : array, shape (populations, subjects, messages)
        by_subject : array, shape (populations, subjects)
            Log marginal likelihood of each subject's messages.
        """
        drawn = [self._nodes(population, rng) for population in populations]
        habits = np.stack([nodes for nodes, _ in drawn])
        habits += self.step * (rng.random(habits.shape) - rng.random(habits.shape))
        middle = np.stack([p.location[0] for p in populations])[:, None]
        shape = {
            key: np.array([p.shape[0][key] for p in populations])[:, None, None]
            for key in populations[0].shape[0]
        }
        for _ in range(_SWEEPS):
            gamma = rng.gamma(np.broadcast_to(self.number, habits.shape[:-1]))
            log_u = np.log(gamma) - logsumexp(habits, axis=-1)
            habits = self._moved(self.counts, habits, log_u[..., None], middle, shape, rng)
        if self.family.zero_sum:
            habits -= habits.mean(axis=-1, keepdims=True)
        return habits, np.stack([logs for _, logs in drawn])

    def _nodes(
        self, population: PopulationValue, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Habits at nodes, shape (subjects, messages), and log marginal likelihoods."""
        logs_of, chance, _, densities = self._terms(population)
        subjects = np.arange(self.layout.subjects)
        total = chance.cumsum(axis=1)
        node = (rng.random((subjects.size, 1)) > total[:, :-1]).sum(axis=1)
        habits = np.empty(self.counts.shape)
        last = self.log_u.size - 1
        for k, (density, _, _) in enumerate(densities):
            at = np.arange(self.s.size) - node[:, None] + last
            logs = np.log(np.maximum(self.factor[self.place[:, k]], 1e-300)) + density[at]
            weights = np.exp(logs - logs.max(axis=1, keepdims=True)).cumsum(axis=1)
            aim = rng.random((subjects.size, 1)) * weights[:, -1:]
            habits[:, k] = self.s[(aim > weights[:, :-1]).sum(axis=1)] - self.log_u[node]
        return habits, logs_of

    def draw_alone(
        self,
        subject: np.ndarray,
        middle: np.ndarray,
        shape: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Draw habits by Gibbs steps alone, each time from a population of its own.

        Parameters
        ----------
        subject : array of int, shape (n,)
            Positions of subjects, each as often as wanted.
        middle : array, shape (n, messages)
        shape : mapping of str to array, shape (n, 1)
        rng : numpy.random.Generator

        Returns
        -------
        array, shape (n, messages)
        """
        counts, number = self.counts[subject], self.number[subject]
        habits = np.log(counts + 0.5) + 0.0 * middle
        habits = habits - habits.mean(axis=1, keepdims=True)
        for _ in range(_ALONE):
            log_u = np.log(rng.gamma(number)) - logsumexp(habits, axis=1)
            habits = self._moved(counts, habits, log_u[:, None], middle, shape, rng)
        return habits

    def _moved(
        self,
        counts: np.ndarray,
        habits: np.ndarray,
        log_u: np.ndarray,
        middle: np.ndarray,
        shape: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Habits after a step of Metropolis and Hastings given log u."""

        def log_target(h: np.ndarray) -> np.ndarray:
            density = self.family.log_density(h - middle, shape)
            return counts * h - np.exp(np.minimum(h + log_u, 50.0)) + density

        variance = shape["sigma"] ** 2  # of Student's t about
        top = np.clip(np.log(counts + 0.5) - log_u, middle - 20, middle + 20)
        for _ in range(_NEWTON):
            met = np.exp(np.minimum(top + log_u, 50.0))
            slope = counts - met - (top - middle) / variance
            top = top + np.clip(slope / (met + 1 / variance), -1.0, 1.0)
        spread = 1.2 / np.sqrt(np.exp(np.minimum(top + log_u, 50.0)) + 1 / variance)
        proposed = top + spread * rng.standard_t(5, size=habits.shape)

        def log_proposal(h: np.ndarray) -> np.ndarray:
            return -3.0 * np.log1p(((h - top) / spread) ** 2 / 5)

        ratio = log_target(proposed) - log_target(habits)
        ratio += log_proposal(habits) - log_proposal(proposed)
        return np.where(np.log(rng.random(habits.shape)) < ratio, proposed, habits)

    def _terms(
        self, population: PopulationValue, sloped: bool = False
    ) -> tuple[np.ndarray, np.ndarray, Any, Any]:
        """Logs by subject, chances of log u, sums over s by option, and densities of gaps."""
        logs: Any = 0.0
        sums, densities = [], []
        for k, location in enumerate(population.location[0]):
            gap, step = (self.gap - location)[None], np.array([self.step])
            at_nodes = node_logs(self.family, gap, step, population.shape[0], sloped)
            density = at_nodes[0][0] - math.log(self.step), at_nodes[1], at_nodes[2]
            band = sliding_window_view(np.exp(density[0]), self.s.size)[::-1]
            sums.append(self.factor @ np.ascontiguousarray(band).T)  # counts, log u
            densities.append(density)
            logs = logs + np.log(np.maximum(sums[k], 1e-300))[self.place[:, k]]
        top = logs.max(axis=1, keepdims=True)
        weights = np.exp(logs - top)
        total = weights.sum(axis=1, keepdims=True)
        return (np.log(total) + top)[:, 0] + self.constant, weights / total, sums, densities
