"""Likelihoods of people in populations that no fit of theirs has led to.

A fit's tables serve the populations that its posterior reaches. Other populations, such as those
that other experiments lead to expect, need tables of their own: once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from trustbayes.games import Game
from trustbayes.inference.engines.population.comparison import Comparison
from trustbayes.inference.engines.population.engine import (
    Prepared,
    neighbourhood,
    tabulated,
    untabulated,
)
from trustbayes.inference.engines.population.scores import subject_log_likelihood
from trustbayes.models.model import Model
from trustbayes.numerics.graphs import PLAIN
from trustbayes.numerics.spacing import spaced
from trustbayes.trials.units import Units

__all__ = ["Elsewhere", "Likelihoods", "points_of"]

_COMPARED = 16  # besides the extreme ones
_SERVED = 100  # besides the extreme ones; all of so many draws and fewer
_REFINED = 3
_HOPELESS = 4.0
"""Times what is enough: where tables are off by more in what all people share, which they have on
knots all over these populations, finer ones would cost more than to do without any."""
_FADING = 0.5
"""Power of someone's likelihood in a population, by which errors there count."""


@dataclass(frozen=True, eq=False)
class Likelihoods:
    """Likelihoods of people in given populations.

    Parameters
    ----------
    log_likelihood : array, shape (draws, subjects)
        Of each subject's trials given the population alone, in nats.
    nats : float
        By how much a finer rule of integration changes that of all subjects together, in nats: the
        sum of their mean changes, populations in which a subject is unlikely counting less.
    """

    log_likelihood: np.ndarray
    nats: float


class Elsewhere:
    """People whose trials are to be judged in populations of any kind.

    Parameters
    ----------
    model : Model
    game : Game
    units : Units
        Trials of the model's role.

    Raises
    ------
    InputError
        If the engine cannot fit the model, see
        `trustbayes.inference.engines.population.engine.build_population`.

    Examples
    --------
    >>> import trustbayes as tb
    >>> from trustbayes.models.draws import prior_draws
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, tb.read_game(data.game))
    >>> model, units = tb.LevelK("sender"), trials.fold("sender")
    >>> drawn = prior_draws(model, trials.game, units, size=20, seed=1).data
    >>> Elsewhere(model, trials.game, units).likelihoods(drawn).log_likelihood.shape
    (20, 32)
    """

    def __init__(self, model: Model, game: Game, units: Units) -> None:
        self._prepared = untabulated(model, game, units)

    def likelihoods(self, data: xr.Dataset, enough: float = 0.02) -> Likelihoods | None:
        """Log likelihood of each subject's trials, her own parameters integrated out.

        Parameters
        ----------
        data : xarray.Dataset
            Values of the population's parameters, with dimension sample.
        enough : float
            Nats by which those of all subjects together may be off, unless several finer rules do
            not come to that.

        Returns
        -------
        Likelihoods or None
            None where tables of so many different populations are out of reach.
        """
        points = points_of(self._prepared.graph.model, data)
        served = points[spaced(len(points), _SERVED)]
        near = neighbourhood(self._prepared, points, served)
        extreme = np.concatenate([points.argmin(axis=0), points.argmax(axis=0)])
        compared = points[np.union1d(spaced(len(points), _COMPARED), extreme)]
        prepared = replace(self._prepared, near=near)
        for refinements in range(_REFINED + 1):
            prepared = tabulated(prepared)
            logs = subject_log_likelihood(prepared, points)
            check = Comparison(prepared, compared, near)
            nats = _missed(check, prepared)
            if nats < enough or refinements == _REFINED:
                break
            if prepared.layout.sources() and nats > _HOPELESS * enough:
                return None
            prepared = replace(prepared, rule=check.finer(prepared.rule))
        return Likelihoods(logs, nats)


def _missed(check: Comparison, prepared: Prepared) -> float:
    """By how many nats all subjects' likelihoods together are off, where they matter."""
    gap = check.gaps(prepared.rule, prepared.near)
    reached = np.isfinite(gap)
    logs = np.where(reached, check.expected, -np.inf)
    best = logs.max(axis=0)
    known = np.isfinite(best)
    weight = np.exp(_FADING * (logs[:, known] - best[known]))
    gap = np.abs(np.where(reached, gap, 0.0))[:, known]
    scale = prepared.layout.subjects / check.layout.subjects
    return float(((weight * gap).sum(axis=0) / weight.sum(axis=0)).sum() * scale)


def points_of(model: pm.Model, data: xr.Dataset) -> np.ndarray:
    """Values of a model's variables on the scale on which it is sampled.

    Parameters
    ----------
    model : pymc.Model
    data : xarray.Dataset
        Values of all its free variables, with dimension sample.

    Returns
    -------
    array, shape (samples, size)
        In the order of `trustbayes.inference.engines.population.density.PopulationDensity`.
    """
    columns = []
    for variable in model.free_RVs:
        values = data[variable.name].transpose("sample", ...).to_numpy()
        transform = model.rvs_to_transforms[variable]
        if transform is not None:
            inputs = variable.owner.inputs
            values = transform.forward(pt.as_tensor(values), *inputs).eval(mode=PLAIN)
        columns.append(np.reshape(values, (len(values), -1)))
    return np.concatenate(columns, axis=1)
