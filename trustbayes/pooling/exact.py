"""Pooling by likelihoods that are known wherever the pooled posterior lies.

Mixtures of normal forms stand in for experiments' likelihoods. Where a number's own fit has few
draws, as in the tail towards no spread at all, they are hardly better than a guess. But there they
need not be guessed: people can be integrated out in any population. So experiments' likelihoods are
worked out in populations that the pooled posterior deems likely, forms are brought nearer to them,
and all is pooled anew. What forms miss in the end is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from trustbayes.errors import InputError
from trustbayes.games import Game
from trustbayes.inference.engines.population.elsewhere import Elsewhere, Likelihoods
from trustbayes.inference.engines.population.proposals import effective
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.models import Model
from trustbayes.models.draws import Draws, prior_draws
from trustbayes.numerics.spacing import spaced
from trustbayes.pooling.common_scales import are_all, common_scales, with_values
from trustbayes.pooling.likelihoods import Evidence
from trustbayes.pooling.population import PooledPopulation
from trustbayes.trials.units import Units

__all__ = ["Experiment", "Known", "Points", "pool_exactly"]

_POINTS = 500
"""Populations at which an experiment's likelihood is worked out, of its own fit and each time of
what is pooled: eight forms of five numbers have 168 coefficients."""
_ROUNDS = 4
_ENOUGH = 0.8
"""Share of the pooled draws that is effective when they are weighed by what all forms miss."""

_APART = 3
"""One of so many pooled populations is gone to once more, twice as far from the mean of all."""
_LOW = 0.05
"""Share of pooled populations whose likelihoods are lower than any that count whole."""

_NEVER = -1e6  # nats, of what has no chance at all: so low that it counts nowhere
_FARTHEST = 12.0
"""Standard deviations of the prior in one experiment, beyond which nothing is asked."""

Points = Mapping[str, np.ndarray]
"""By experiment, populations on common scales, shape (points, scales)."""
Known = Mapping[str, np.ndarray]
"""By experiment, the log likelihood at each of them, shape (points,)."""


class Experiment:
    """People of an experiment, whose trials are to be judged in populations of any kind.

    Parameters
    ----------
    model : Model
        As the experiment has it.
    game : Game
    units : Units
        Trials of the model's role.
    """

    def __init__(self, model: Model, game: Game, units: Units) -> None:
        self.model, self.game, self.units = model, game, units
        try:
            self._tables: Elsewhere | None = Elsewhere(model, game, units)
        except InputError:  # people who learn, say: nobody's likelihood can be tabulated
            self._tables = None

    def likelihoods(
        self, values: Mapping[str, np.ndarray], draws: int, seed: int, enough: float = 0.02
    ) -> Likelihoods:
        """Log likelihood of each person's trials in given populations.

        Parameters
        ----------
        values : mapping of str to array, shape (draws,)
            By label of a common scale. What they do not tell comes from the model's prior.
        draws : int
        seed : int
        enough : float
            Nats by which those of all people together may be off.

        Returns
        -------
        Likelihoods
        """
        scales = {scale.label: scale for scale in common_scales(self.model)}
        told = [scales[label] for label in values]
        whole = are_all(told, self.model, len(self.units.treatments))
        given = prior_draws(self.model, self.game, self.units, 1 if whole else draws, seed)
        every = given.data.isel(sample=np.zeros(draws, dtype=int)) if whole else given.data
        data = with_values(every, scales, values, self.model)
        made = None if self._tables is None else self._tables.likelihoods(data, enough)
        if made is not None:
            return made
        new = new_subject_log_likelihood(Draws(given.model, given.game, self.units, data))
        logs = new.log_likelihood
        weight = np.exp(logs - logs.max(axis=0))
        nats = ((weight * new.error).sum(axis=0) / weight.sum(axis=0)).sum()
        return Likelihoods(logs, float(nats))


def pool_exactly(
    pool: Callable[[Mapping[str, Evidence]], PooledPopulation],
    evidence: Mapping[str, Evidence],
    judge: Callable[[Points], Known],
) -> tuple[PooledPopulation, dict[str, Evidence]]:
    """Pool experiments, and bring what stands in for their likelihoods nearer to these.

    Parameters
    ----------
    pool : callable
        From what experiments say to their population.
    evidence : mapping of str to Evidence
        By experiment.
    judge : callable
        Log likelihoods at given populations, of those experiments of which common scales tell all
        that their likelihood depends on; of others it says nothing.

    Returns
    -------
    PooledPopulation
        With what forms miss in the end.
    dict of str to Evidence
        By experiment, with the forms that it was pooled by.
    """
    own = {name: part.draws[spaced(len(part.draws), _POINTS)] for name, part in evidence.items()}
    seen = {name: (own[name], values) for name, values in judge(own).items()}
    held = {n: part.knowing(*seen[n]) if n in seen else part for n, part in evidence.items()}
    best, low = -1.0, {name: -np.inf for name in seen}
    for turn in range(_ROUNDS):
        pooled = pool(held)
        judged = spaced(len(pooled.points), _POINTS)
        drawn = {name: pooled.of_experiment(name)[judged] for name in seen}
        asked = {name: _within(evidence[name], points) for name, points in drawn.items()}
        wide = {name: _within(evidence[name], _widened(points)) for name, points in asked.items()}
        missed, least = {}, {}
        for name, judged_as in judge(wide).items():
            values = np.maximum(judged_as, _NEVER)
            here = values[: len(judged)]
            gap = here - held[name].log_likelihood(asked[name])
            missed[name], least[name] = gap - gap.mean(), float(np.quantile(here, _LOW))
            seen[name] = _joined(seen[name], (wide[name], values))
        share = _share(missed, drawn, asked)
        if share > best:
            best, low = share, least
            made = replace(pooled, judged=judged, missed=missed), held
        if best > _ENOUGH:
            break
        if turn < _ROUNDS - 1:
            nearer = {n: made[1][n].sharpened(*some, low[n]) for n, some in seen.items()}
            held = {**made[1], **nearer}
    return made


def _share(missed: Known, drawn: Points, asked: Points) -> float:
    """Share of pooled draws that is effective; none is of which it could not be asked."""
    if not missed:
        return 1.0
    inside = min(float((drawn[n] == asked[n]).all(axis=1).mean()) for n in missed)
    return inside * effective(np.sum(list(missed.values()), axis=0))


def _within(evidence: Evidence, points: np.ndarray) -> np.ndarray:
    """The points, none further out than numbers reach: forms may rise where no draw has been."""
    mean, spread = np.array([scale.moments(1) for scale in evidence.scales]).T
    return np.clip(points, mean - _FARTHEST * spread, mean + _FARTHEST * spread)


def _widened(points: np.ndarray) -> np.ndarray:
    """The points, and some of them twice as far out: where forms end too early there are none."""
    some = points[::_APART]
    return np.concatenate([points, 2 * some - points.mean(axis=0)])


def _joined(
    before: tuple[np.ndarray, np.ndarray], more: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Points and values, mixed: of any part of them every second one is held back."""
    points, values = (np.concatenate(pair) for pair in zip(before, more, strict=True))
    order = np.random.default_rng(0).permutation(len(points))
    return points[order], values[order]
