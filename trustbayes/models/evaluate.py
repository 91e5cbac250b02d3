"""What draws of a model's parameters say about choices, in NumPy, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr

from trustbayes.cells import Cells
from trustbayes.games.finite import FiniteGame
from trustbayes.models.axes import Axes, Values
from trustbayes.models.likelihood import choice_log_probabilities, log_sum_exp
from trustbayes.models.model import Model

__all__ = [
    "Draws",
    "cell_log_likelihood",
    "observed_cells",
    "prior_draws",
    "replicate",
    "subject_log_likelihood",
    "type_probabilities",
]

_BUDGET = 64 * 2**20  # bytes of one array of draws x units x types x seen x options


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of a model's parameters on one set of cells.

    Parameters
    ----------
    model : Model
    game : FiniteGame
    cells : Cells
    data : xarray.Dataset
        Natural standardised values with a leading dimension ``sample``, from a fit's posterior
        (see `of`) or from `prior_draws`.
    """

    model: Model
    game: FiniteGame
    cells: Cells
    data: xr.Dataset

    @classmethod
    def of(
        cls, model: Model, game: FiniteGame, cells: Cells, posterior: xr.Dataset, most: int = 0
    ) -> Draws:
        """Stack chains and draws; ``most`` > 0 keeps that many, evenly spaced."""
        stacked = posterior.stack(sample=("chain", "draw")).transpose("sample", ...)
        size = stacked.sizes["sample"]
        if 0 < most < size:
            keep = np.linspace(0, size - 1, most).round().astype(int)
            stacked = stacked.isel(sample=keep)
        return cls(model, game, cells, stacked.reset_index("sample", drop=True))

    @property
    def size(self) -> int:
        """Number of draws."""
        return int(self.data.sizes["sample"])

    @property
    def shares(self) -> np.ndarray | None:
        """Population shares of the types, shape (draws, types); None without types."""
        if not self.model.types:
            return None
        return self.data["level_share"].to_numpy()

    def log_probabilities(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Log probability of every choice, a slice of draws at a time.

        Yields
        ------
        rows : slice
            Of the draws.
        logs : array, shape (rows, units, seen, options), with types (rows, units, types, ...)
        """
        axes = Axes.of(self.cells)
        counts = self.cells.counts
        row = counts.size * max(1, len(self.model.types)) * 8
        step = max(1, _BUDGET // row)
        names = [p.name for p in self.model.parameters if p.support != "simplex"]
        dims = {name: tuple(map(str, self.data[name].dims[1:])) for name in names}
        for start in range(0, self.size, step):
            rows = slice(start, min(start + step, self.size))
            values = Values({n: self.data[n].to_numpy()[rows] for n in names}, dims, axes)
            yield rows, self._logs(values)

    def _logs(self, values: Values) -> np.ndarray:
        def given(name: str) -> Any:
            return values.of_units(name) if name in values else None

        return choice_log_probabilities(
            self.model.utility(self.game, values),
            given("response_precision"),
            given("lapse"),
            typed=bool(self.model.types),
        )


def observed_cells(cells: Cells) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit, seen and option of every cell that holds a trial."""
    unit, seen, option = np.nonzero(cells.counts)
    return unit, seen, option


def _by_subject(cells: Cells, unit_values: np.ndarray) -> np.ndarray:
    """Add up units of shape (draws, units, ...) by subject; units are sorted by subject."""
    starts = np.flatnonzero(np.diff(cells.unit_subject, prepend=-1))
    return np.add.reduceat(unit_values, starts, axis=1)


def _typed_subject(cells: Cells, logs: np.ndarray) -> np.ndarray:
    """Log likelihood of every subject's trials by type, shape (draws, subjects, types)."""
    return _by_subject(cells, (cells.counts[:, None] * logs).sum(axis=(-1, -2)))


def cell_log_likelihood(draws: Draws) -> np.ndarray:
    r"""Log density of one trial of every observed cell, given the draw and all other trials.

    Without types this is the log likelihood of the trial. With types that are summed out, the
    trials of a subject are dependent given a draw, and what leave-one-out needs is
    :math:`\log p(y_{ij} \mid y_{i,-j}, \vartheta) = \log p(y_i \mid \vartheta) - \log p(y_{i,-j}
    \mid \vartheta)` (Bürkner, Gabry and Vehtari 2021, Computational Statistics 36).

    Parameters
    ----------
    draws : Draws

    Returns
    -------
    array, shape (draws, cells)
        Cells in the order of `observed_cells`.
    """
    cells = draws.cells
    unit, seen, option = observed_cells(cells)
    found = np.empty((draws.size, unit.size))
    for rows, logs in draws.log_probabilities():
        if draws.shares is None:
            found[rows] = logs[:, unit, seen, option]
            continue
        one = logs[:, unit, :, seen, option].swapaxes(0, 1)
        joint = np.log(draws.shares[rows])[:, None] + _typed_subject(cells, logs)
        whole = joint[:, cells.unit_subject[unit]]
        found[rows] = log_sum_exp(whole) - log_sum_exp(whole - one)
    return found


def subject_log_likelihood(draws: Draws) -> np.ndarray:
    """Log likelihood of each subject's trials, types summed out; shape (draws, subjects)."""
    found = np.empty((draws.size, len(draws.cells.subjects)))
    for rows, logs in draws.log_probabilities():
        if draws.shares is None:
            found[rows] = _by_subject(draws.cells, (draws.cells.counts * logs).sum(axis=(-1, -2)))
        else:
            joint = np.log(draws.shares[rows])[:, None] + _typed_subject(draws.cells, logs)
            found[rows] = log_sum_exp(joint)
    return found


def type_probabilities(draws: Draws) -> np.ndarray:
    """Probability of each type for each subject, given each draw and the subject's trials.

    Returns
    -------
    array, shape (draws, subjects, types)

    Raises
    ------
    ValueError
        If the model has no types.
    """
    if draws.shares is None:
        raise ValueError(f"{draws.model.name} has no types")
    found = np.empty((draws.size, len(draws.cells.subjects), len(draws.model.types)))
    for rows, logs in draws.log_probabilities():
        joint = np.log(draws.shares[rows])[:, None] + _typed_subject(draws.cells, logs)
        found[rows] = np.exp(joint - log_sum_exp(joint, keepdims=True))
    return found


def replicate(draws: Draws, rng: np.random.Generator, given_trials: bool = True) -> np.ndarray:
    """Replicate the experiment: what the same people would choose after seeing the same.

    Parameters
    ----------
    draws : Draws
    rng : numpy.random.Generator
    given_trials : bool
        Draw each subject's type given her trials (posterior predictive) or from the population's
        shares (prior predictive).

    Returns
    -------
    array of int, shape (draws, units, seen, options)
        Replicated counts.
    """
    cells = draws.cells
    trials = cells.counts.sum(axis=-1)
    found = np.empty((draws.size, *cells.counts.shape), dtype=np.int32)
    for rows, logs in draws.log_probabilities():
        if draws.shares is not None:
            joint = np.log(draws.shares[rows])[:, None]
            joint = joint + (_typed_subject(cells, logs) if given_trials else 0.0)
            joint = np.broadcast_to(
                joint, (logs.shape[0], len(cells.subjects), len(draws.model.types))
            )
            kind = (joint + rng.gumbel(size=joint.shape)).argmax(axis=-1)[:, cells.unit_subject]
            logs = np.take_along_axis(logs, kind[:, :, None, None, None], axis=2)[:, :, 0]
        chances = np.exp(logs)
        chances /= chances.sum(axis=-1, keepdims=True)
        found[rows] = rng.multinomial(trials, chances)
    return found


def prior_draws(model: Model, game: FiniteGame, cells: Cells, size: int, seed: int) -> Draws:
    """Draws of all parameters from the prior.

    Parameters
    ----------
    model : Model
    game : FiniteGame
    cells : Cells
        Whose subjects, treatments and units to use; the counts do not matter.
    size : int
    seed : int

    Returns
    -------
    Draws
    """
    built = model.build_cells(cells, game)
    variables = [*built.free_RVs, *built.deterministics]
    drawn = pm.draw(variables, draws=size, random_seed=seed)
    data = {}
    for variable, values in zip(variables, drawn, strict=True):
        dims = built.named_vars_to_dims.get(variable.name, ())
        data[variable.name] = (
            ("sample", *dims),
            np.asarray(values).reshape((size, *np.shape(values)[1:])),
        )
    coords = {name: list(labels) for name, labels in built.coords.items()}
    return Draws(model, game, cells, xr.Dataset(data, coords=coords))
