"""The population that a new subject comes from: density, moments and values of her effects."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import xarray as xr

from trustbayes.games import Game
from trustbayes.inference.marginal.effects import Effect, effect_of
from trustbayes.models.settings import ModelSettings
from trustbayes.theories.values import Values
from trustbayes.trials.units import Units

__all__ = ["Population"]

_BUDGET = 8 * 2**20  # bytes of the largest array: a few of them fit into a processor's cache


@dataclass(frozen=True, eq=False)
class Population:
    """Draws of a population, and the likelihood of new subjects from it.

    Parameters
    ----------
    model : ModelSettings
    game : Game
    units : Units
        The new subjects' trials.
    data : xarray.Dataset
        Population variables only, with a leading dimension ``sample``.
    effects : tuple of Effect
        Of the parameters that vary by subject.
    """

    model: ModelSettings
    game: Game
    units: Units
    data: xr.Dataset
    effects: tuple[Effect, ...]

    @classmethod
    def of(cls, model: ModelSettings, game: Game, units: Units, data: xr.Dataset) -> Population:
        """Take what does not belong to any one subject from draws of a model's parameters.

        Raises
        ------
        ValueError
            If the draws lack one of the treatments, or a parameter has no population.
        """
        data = data.assign_coords(sample=np.arange(data.sizes["sample"]))  # kept if all else goes
        personal = [str(n) for n, array in data.data_vars.items() if "subject" in array.dims]
        data = data.drop_vars([*personal, *(["subject"] if "subject" in data.coords else [])])
        if "treatment" in data.dims:
            known = {str(label) for label in data["treatment"].to_numpy()}
            missing = [label for label in units.treatments if label not in known]
            if missing:
                raise ValueError(f"treatment {missing[0]!r}: the draws know only {sorted(known)}")
            data = data.sel(treatment=list(units.treatments))
        trials = np.zeros((len(units.subjects), len(units.treatments)))
        np.add.at(trials, (units.unit_subject, units.unit_treatment), units.trials_per_unit)
        share = trials / trials.sum(axis=1, keepdims=True)
        effects = tuple(
            effect_of(parameter, model, data, share, units)
            for parameter in model.parameters
            if parameter.support != "simplex" and "subject" in model.varies[parameter.name]
        )
        return cls(model, game, units, data, effects)

    @property
    def size(self) -> int:
        """Number of draws."""
        return int(self.data.sizes["sample"])

    @property
    def width(self) -> int:
        """Number of coordinates of a subject."""
        return sum(effect.width for effect in self.effects)

    def mean(self) -> Population:
        """One population at the mean of the draws."""
        data = self.data.mean("sample").expand_dims(sample=[0])
        return Population.of(self.model, self.game, self.units, data.transpose("sample", ...))

    def of_subjects(self, keep: np.ndarray, treatment: int | None = None) -> Population:
        """The same population for some subjects, by position, and one treatment or all."""
        units = self.units.of_subjects(keep, treatment)
        effects = tuple(
            replace(
                effect,
                location=(
                    effect.location[:, keep] if effect.location.shape[1] > 1 else effect.location
                ),
                share=effect.share[keep],
                gaps=None if effect.gaps is None else effect.gaps[:, keep],
            )
            for effect in self.effects
        )
        return Population(self.model, self.game, units, self.data, effects)

    def of_draws(self, keep: np.ndarray) -> Population:
        """Some of the draws, given by their positions."""
        effects = tuple(
            replace(
                effect,
                location=effect.location[keep],
                shape={name: values[keep] for name, values in effect.shape.items()},
                gaps=None if effect.gaps is None else effect.gaps[keep],
            )
            for effect in self.effects
        )
        data = self.data.isel(sample=keep)
        return Population(self.model, self.game, self.units, data, effects)

    def moments(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of all coordinates, both of shape (rows, subjects, width)."""
        parts = [effect.moments(rows) for effect in self.effects]
        mean, variance = (np.concatenate(part, axis=-1)[:, 0] for part in zip(*parts, strict=True))
        return mean, variance

    def log_density(
        self, coordinates: np.ndarray, rows: slice, active: np.ndarray
    ) -> np.ndarray | float:
        """Log density of the active coordinates, shape (rows, nodes, subjects).

        An effect counts as a whole or not at all.
        """
        total: np.ndarray | float = 0.0
        for effect, place in zip(self.effects, self.places(), strict=True):
            if active[place].any():
                total = total + effect.log_density(coordinates[..., place], rows)
        return total

    def places(self) -> list[slice]:
        """Where each effect's coordinates stand."""
        ends = np.cumsum([effect.width for effect in self.effects])
        return [
            slice(int(end) - effect.width, int(end))
            for effect, end in zip(self.effects, ends, strict=True)
        ]

    def log_likelihood(
        self, coordinates: np.ndarray, rows: slice, type_index: int | None
    ) -> np.ndarray:
        """Log likelihood of each subject's trials, shape (rows, nodes, subjects).

        Parameters
        ----------
        coordinates : array, shape (rows, nodes, subjects, width)
        rows : slice
            Of the draws.
        type_index : int or None
            The subjects' type; None for a model without types.
        """
        count, nodes, subjects = coordinates.shape[:3]
        width = self.model.response(self.game).width(self.units)
        size = 8 * width * max(1, len(self.model.types))  # bytes of a node of all subjects
        step, some = max(1, _BUDGET // (size * nodes)), max(1, _BUDGET // size)
        logs = np.empty((count, nodes, subjects))

        def fill(start: int, first: int) -> None:
            part, few = slice(start, min(start + step, count)), slice(first, first + some)
            draws = slice(rows.start + part.start, rows.start + part.stop)
            logs[part, few] = self._log_likelihood(coordinates[part, few], draws, type_index)

        # Many subjects' nodes would fill the memory: some at a time, by every core.
        parts = list(product(range(0, count, step), range(0, nodes, some)))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(fill, *zip(*parts, strict=True)))
        return logs

    def _log_likelihood(
        self, coordinates: np.ndarray, rows: slice, type_index: int | None
    ) -> np.ndarray:
        arrays: dict[str, Any] = {}
        dims: dict[str, tuple[str, ...]] = {}
        for effect, place in zip(self.effects, self.places(), strict=True):
            name = effect.parameter.name
            arrays[name], dims[name] = effect.values(coordinates[..., place], rows)
        count, nodes, subjects = coordinates.shape[:3]
        for parameter in self.model.parameters:
            name = parameter.name
            if parameter.support != "simplex" and name not in arrays:
                arrays[name] = np.repeat(self.data[name].to_numpy()[rows], nodes, axis=0)
                dims[name] = tuple(map(str, self.data[name].dims[1:]))
        values = Values(arrays, dims, self.units)
        response = self.model.response(self.game)
        steps = self.model.steps(self.game, values)
        if steps is not None:  # where types move, all bear on what one of them leads to
            every = self.model.answer(self.game, values)
            logs = response.trial_logs(self.units, every, values, typed=True)  # type: ignore[attr-defined]
            total = steps.by_subject(logs, subjects)[..., type_index]
            return np.broadcast_to(total, (count * nodes, subjects)).reshape(count, nodes, subjects)
        if type_index is None:
            answer = self.model.answer(self.game, values)
        else:
            answer = self.model.answer_of_type(self.game, values, type_index)
        logs, subject = response.log_likelihood(self.units, answer, values, typed=False)
        if (np.diff(subject) < 0).any():
            order = np.argsort(subject, kind="stable")
            logs, subject = logs[..., order], subject[order]
        starts = np.flatnonzero(np.diff(subject, prepend=-1))
        total = np.add.reduceat(logs, starts, axis=-1)
        return np.broadcast_to(total, (count * nodes, subjects)).reshape(count, nodes, subjects)
