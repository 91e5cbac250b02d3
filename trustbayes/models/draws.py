"""What draws of a model's parameters say about choices, in NumPy, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr

from trustbayes.errors import Fault, InputError
from trustbayes.games import Game
from trustbayes.models.graph import build_units
from trustbayes.models.model import Model
from trustbayes.models.parametrisation.information import Information
from trustbayes.models.regression import contribution, shares_of
from trustbayes.numerics.arrays import log_sum_exp
from trustbayes.numerics.graphs import PLAIN
from trustbayes.numerics.hidden_chains import HiddenSteps
from trustbayes.theories.values import Values
from trustbayes.trials.units import Units

__all__ = [
    "Draws",
    "cell_log_likelihood",
    "prior_draws",
    "subject_log_likelihood",
    "type_log_probabilities",
    "type_probabilities",
]

_BUDGET = 8 * 2**20  # bytes of the largest array of a slice of draws: theories hold a score of them


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of a model's parameters for the people of one set of trials.

    Parameters
    ----------
    model : Model
    game : Game
    units : Units
    data : xarray.Dataset
        Natural standardised values with a leading dimension ``sample``, from a fit's posterior
        (see `of`) or from `prior_draws`.
    """

    model: Model
    game: Game
    units: Units
    data: xr.Dataset

    @classmethod
    def of(
        cls, model: Model, game: Game, units: Units, posterior: xr.Dataset, most: int = 0
    ) -> Draws:
        """Stack chains and draws; ``most`` > 0 keeps that many, evenly spaced."""
        stacked = posterior.stack(sample=("chain", "draw")).transpose("sample", ...)
        size = stacked.sizes["sample"]
        if 0 < most < size:
            keep = np.linspace(0, size - 1, most).round().astype(int)
            stacked = stacked.isel(sample=keep)
        return cls(model, game, units, stacked.reset_index("sample", drop=True))

    def parts(self, cells: int) -> Iterator[tuple[Draws, np.ndarray]]:
        """The same draws for some people at a time.

        Parameters
        ----------
        cells : int
            Of about how many cells the people of a part may be; one person at least.

        Yields
        ------
        draws : Draws
        trials : array of bool, shape (trials,)
            Which trials are theirs; their own units have them in the same order.
        """
        sizes = np.bincount(self.units.cell_subject, minlength=len(self.units.subjects))
        part = (np.cumsum(sizes) - 1) // max(cells, 1)
        if part[-1] == 0:
            yield self, np.ones(self.units.trial_subject.size, dtype=bool)
            return
        for number in np.unique(part):
            keep = np.flatnonzero(part == number)
            data = self.data.isel(subject=keep) if "subject" in self.data.dims else self.data
            units = self.units.of_subjects(keep)
            trials = np.isin(self.units.trial_subject, keep)
            yield replace(self, units=units, data=data), trials

    @property
    def size(self) -> int:
        """Number of draws."""
        return int(self.data.sizes["sample"])

    @property
    def shares(self) -> np.ndarray | None:
        """Shares of the types, shape (draws, 1 or subjects, types); None without types.

        They are those of the population or, by a formula, of people such as each subject.
        """
        if not self.model.types:
            return None
        parts = {name: self.shares_by(name) for name in self.model.shares}
        size = max(part.shape[1] for part in parts.values())
        wide = {n: np.broadcast_to(a, (len(a), size, a.shape[-1])) for n, a in parts.items()}
        return np.asarray(self.model.type_shares(wide))

    def shares_by(self, name: str) -> np.ndarray:
        """As `shares`, of one parameter that is a share, shape (draws, 1 or subjects, labels)."""
        base = self.data[f"{name}_share"].transpose("sample", name).to_numpy()
        if name not in self.model.formulas:
            return base[:, None]
        more = contribution(name, self.model.formulas[name], self.data, self.units)
        return np.asarray(shares_of(base, more))

    def location(self, name: str, design: np.ndarray | None = None) -> np.ndarray:
        """Location of people such as each subject, by the formula of a parameter.

        Parameters
        ----------
        name : str
            Of a parameter that has a formula and is no share.
        design : array, optional
            In place of the people's own, see `trustbayes.models.formula.Formula.design`.

        Returns
        -------
        array, shape (draws, subjects, treatments or 1)
            On the scale of the link.
        """
        prior = self.model.priors[name]
        key = str(prior.family.location)
        known = f"{name}_{key}" in self.data
        intercept = self.data[f"{name}_{key}"].to_numpy() if known else prior.arguments[key]
        intercept = np.broadcast_to(np.asarray(intercept, dtype=float), (self.size,))
        intercept = prior.family.linked_location(intercept)
        more = contribution(name, self.model.formulas[name], self.data, self.units, design)
        return np.asarray(intercept[:, None, None] + more)

    @property
    def log_shares(self) -> np.ndarray:
        """Logs of `shares`: minus infinity where rounding made one zero."""
        with np.errstate(divide="ignore"):
            return np.log(np.asarray(self.shares))

    def type_logs(self, rows: slice, logs: np.ndarray) -> np.ndarray:
        """Joint log density of each subject's trials and each type.

        Parameters
        ----------
        rows : slice
            Of the draws.
        logs : array, shape (rows, cells, types)
            See `cell_logs`.

        Returns
        -------
        array, shape (rows, subjects, types)
        """
        joint = self.log_shares[rows] + self.given_type(rows, logs)
        for position, label in enumerate(self.model.types):
            for name in self.model.ignored[label]:
                if f"{name}_unused" in self.data:
                    joint[..., position] += self.data[f"{name}_unused"].to_numpy()[rows]
        return joint

    def answers(self) -> Iterator[tuple[slice, Any, Values]]:
        """What the theory says, a slice of draws at a time.

        Yields
        ------
        rows : slice
            Of the draws.
        answer : array
            See `trustbayes.models.ModelSpec.answer`; its leading axis, if any, is the rows.
        values : Values
            The rows' values.
        """
        width = self.model.response(self.game).width(self.units)
        step = max(1, _BUDGET // (width * max(1, len(self.model.types)) * 8))
        for start in range(0, self.size, step):
            rows = slice(start, min(start + step, self.size))
            values = self.values(rows)
            yield rows, self.model.answer(self.game, values), values

    def cell_logs(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Log density of one trial of each cell, a slice of draws at a time.

        Yields
        ------
        rows : slice
            Of the draws.
        logs : array, shape (rows, cells), with types (rows, cells, types)
        """
        response = self.model.response(self.game)
        for rows, answer, values in self.answers():
            yield rows, response.cell_logs(self.units, answer, values, bool(self.model.types))

    def values(self, rows: slice) -> Values:
        """The values of some of the draws."""
        names = [p.name for p in self.model.parameters if p.support != "simplex"]
        dims = {name: tuple(map(str, self.data[name].dims[1:])) for name in names}
        return Values({n: self.data[n].to_numpy()[rows] for n in names}, dims, self.units)

    def steps(self, rows: slice) -> HiddenSteps | None:
        """How types move between trials in some of the draws; None if they do not."""
        return self.model.steps(self.game, self.values(rows))

    def given_type(self, rows: slice, logs: np.ndarray) -> np.ndarray:
        """Log likelihood of each subject's trials given her type, at first if types move.

        Parameters
        ----------
        rows : slice
            Of the draws.
        logs : array, shape (rows, cells, types)

        Returns
        -------
        array, shape (rows, subjects, types)
        """
        steps = self.steps(rows)
        if steps is None:
            return self.by_subject(logs)
        return np.asarray(steps.by_subject(logs, len(self.units.subjects)))

    def by_subject(self, logs: np.ndarray) -> np.ndarray:
        """Log likelihood of each subject's trials from that of one trial of each cell.

        Parameters
        ----------
        logs : array, shape (draws, cells, ...)

        Returns
        -------
        array, shape (draws, subjects, ...)
        """
        order = np.argsort(self.units.cell_subject, kind="stable")
        starts = np.flatnonzero(np.diff(self.units.cell_subject[order], prepend=-1))
        trials = self.units.cell_trials.reshape((-1,) + (1,) * (logs.ndim - 2))
        return np.add.reduceat((logs * trials)[:, order], starts, axis=1)


def cell_log_likelihood(draws: Draws) -> np.ndarray:
    r"""Log density of one trial of every cell, given the draw and all other trials.

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
        In the order of the units' cells.
    """
    subject = draws.units.cell_subject
    of_cells = np.empty((draws.size, subject.size))
    for rows, logs in draws.cell_logs():
        if draws.shares is None:
            of_cells[rows] = logs
            continue
        if (steps := draws.steps(rows)) is not None:
            of_cells[rows] = steps.without_each(logs, draws.log_shares[rows])
            continue
        whole = draws.type_logs(rows, logs)[:, subject]
        of_cells[rows] = log_sum_exp(whole) - log_sum_exp(whole - logs)
    return of_cells


def subject_log_likelihood(draws: Draws) -> np.ndarray:
    """Log likelihood of each subject's trials, types summed out; shape (draws, subjects)."""
    whole = np.empty((draws.size, len(draws.units.subjects)))
    for rows, logs in draws.cell_logs():
        typed = draws.shares is not None
        whole[rows] = log_sum_exp(draws.type_logs(rows, logs)) if typed else draws.by_subject(logs)
    return whole


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
    return np.asarray(np.exp(type_log_probabilities(draws)))


def type_log_probabilities(draws: Draws) -> np.ndarray:
    """As `type_probabilities`, in logs: no probability is lost by rounding.

    Returns
    -------
    array, shape (draws, subjects, types)
        Minus infinity where a share is zero.

    Raises
    ------
    ValueError
        If the model has no types.
    """
    if draws.shares is None:
        raise ValueError(f"{draws.model.name} has no types")
    shape = (draws.size, len(draws.units.subjects), len(draws.model.types))
    probabilities = np.empty(shape)
    for rows, logs in draws.cell_logs():
        joint = draws.type_logs(rows, logs)
        probabilities[rows] = joint - log_sum_exp(joint, keepdims=True)
    return probabilities


def prior_draws(model: Model, game: Game, units: Units, size: int, seed: int) -> Draws:
    """Draws of all parameters from the prior.

    Parameters
    ----------
    model : Model
    game : Game
    units : Units
        Whose subjects and treatments to use; the choices do not matter.
    size : int
    seed : int

    Returns
    -------
    Draws

    Raises
    ------
    InputError
        If the size is below 1, or a prior is Python code that is not at hand, see
        `trustbayes.load_fit`.
    """
    if size < 1:
        raise InputError(Fault("prior draws, size", str(size), "a whole number from 1"))
    model = model.fixed_to(units)
    built = build_units(model, units, game, Information.without_pilot(model, units))
    variables = [*built.free_RVs, *built.deterministics]
    drawn = pm.draw(variables, draws=size, random_seed=seed, mode=PLAIN)
    data = {}
    for variable, values in zip(variables, drawn, strict=True):
        dims = built.named_vars_to_dims.get(variable.name) or [
            f"{variable.name}_dim_{axis}" for axis in range(variable.ndim)
        ]
        variable_shape = np.shape(values)[int(size > 1) :]
        # A single draw comes without a dimension for draws.
        data[variable.name] = (("sample", *dims), np.reshape(values, (size, *variable_shape)))
    coords = {name: list(labels) for name, labels in built.coords.items() if labels is not None}
    return Draws(model, game, units, xr.Dataset(data, coords=coords))
