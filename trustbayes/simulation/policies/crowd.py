"""The people of one role who meet under a policy: their parameters in every draw."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from trustbayes.errors import Fault, InputError
from trustbayes.games import Game
from trustbayes.inference.fit import Fit
from trustbayes.inference.marginal.effects import Effect
from trustbayes.inference.marginal.population import Population
from trustbayes.models import Model
from trustbayes.models.draws import Draws
from trustbayes.models.replications import draw_types
from trustbayes.priors.links import LINK_OF_SUPPORT
from trustbayes.theories.values import Values

__all__ = ["Crowd", "Crowds", "Whose", "check_new", "new_types", "new_values"]

Whose = Literal["these", "new"]
"""The people of the experiment, or others from their population."""

_REACH = 40.0  # on the scale of the link, as far as new people are drawn


@dataclass(frozen=True, eq=False)
class Crowd:
    """The people of one role in one treatment, with their parameters in each draw.

    Parameters
    ----------
    model : Model
    game : Game
        In whose units parameters are standardised.
    treatment : str
    arrays : mapping of str to array
        Natural values, of shape (draws, people), (draws,) where all people share one, each
        followed by options if there are any.
    personal : frozenset of str
        The parameters that differ between people.
    type_index : array of int, shape (draws, people), or None
        The type of each.
    size, people : int
        Numbers of draws and of people.
    copies : int
        How many people there are like each of the experiment; the first of all come first.
    key : tuple
        What tells the people of one counterfactual apart.
    """

    model: Model
    game: Game
    treatment: str
    arrays: Mapping[str, np.ndarray]
    personal: frozenset[str]
    type_index: np.ndarray | None
    size: int
    people: int
    copies: int = 1
    key: tuple[Any, ...] = ()

    def shifted(self, shifts: Mapping[str, Any], tag: Hashable = None) -> Crowd:
        """The same people with parameters moved on the scale of the link.

        Parameters
        ----------
        shifts : mapping of str to float or array, shape (draws,)
            0 leaves values as they are to the last bit.
        tag : hashable
            What tells the shifts apart from others.
        """
        if not any(np.any(by) for by in shifts.values()):
            return self
        moved = dict(self.arrays)
        for parameter in self.model.parameters:
            by = shifts.get(parameter.name)
            if by is None or not np.any(by):
                continue
            link, values = LINK_OF_SUPPORT[parameter.support], moved[parameter.name]
            by = np.reshape(by, np.shape(by) + (1,) * (values.ndim - np.ndim(by)))
            with np.errstate(divide="ignore"):
                moved[parameter.name] = link.inverse(link.forward(values) + by)
        return replace(self, arrays=moved, key=(*self.key, tag))

    @property
    def moved(self) -> bool:
        """Whether they were shifted."""
        return len(self.key) > 2

    def mean(self, name: str) -> np.ndarray | None:
        """Mean of a parameter over the people, shape (draws,); None if there is none."""
        if name not in self.arrays:
            return None
        values = self.arrays[name]
        return values.mean(axis=1) if name in self.personal else values

    def values(self, game: Game, rows: slice, units: Any, who: np.ndarray | None = None) -> Values:
        """Their values as theories look them up, for units of one treatment.

        Parameters
        ----------
        game : Game
            In whose units to standardise them: what is in payoff units, say, stays what it is.
        rows : slice
            Of the draws.
        units : Units
        who : array of int, shape (rows or 1, subjects of the units), optional
            Which of the people is each subject; default: they are the subjects.
        """
        arrays: dict[str, Any] = {}
        dims: dict[str, tuple[str, ...]] = {}
        for parameter in self.model.parameters:
            if parameter.support == "simplex":
                continue
            name = parameter.name
            option = (str(parameter.option),) if parameter.option else ()
            drawn = self.arrays[name][rows]
            unit = parameter.factor(self.game) / parameter.factor(game)
            drawn = drawn if unit == 1 else drawn * unit
            if name in self.personal and who is not None:
                index = who.reshape(*who.shape, *(1,) * len(option))
                drawn = np.take_along_axis(drawn, index, axis=1)
            arrays[name] = drawn
            dims[name] = (*(("subject",) if name in self.personal else ()), *option)
        return Values(arrays, dims, units)

    def types(self, rows: slice, who: np.ndarray | None = None) -> np.ndarray | None:
        """Their types, shape (rows, people or meetings)."""
        if self.type_index is None:
            return None
        index = self.type_index[rows]
        return index if who is None else np.take_along_axis(index, who, axis=1)


class Crowds:
    """The people of one role, treatment by treatment.

    Parameters
    ----------
    fit : Fit
    size : int
        Number of draws.
    order : array of int, shape (size,)
        In which order to take the draws.
    whose : "these" or "new"
    copies : int
        Of new people: how many like each of these.
    rng : numpy.random.Generator
    """

    def __init__(
        self,
        fit: Fit,
        size: int,
        order: np.ndarray,
        whose: Whose,
        rng: np.random.Generator,
        copies: int = 1,
    ) -> None:
        self.fit, self.order, self.whose, self.copies = fit, order, whose, copies
        self._draws: Draws = fit.draws(size)
        self._made: dict[str, Crowd] = {}
        if whose == "these":
            types = draw_types(self._draws, rng)
            self._types = None if types is None else types[order]
        else:
            check_new(fit)
            self._types = None
            self._seed = int(rng.integers(2**31))

    def in_treatment(self, treatment: str) -> Crowd:
        """Those who played a treatment, or others of whom nothing but the population is known."""
        if treatment not in self._made:
            make = self._these if self.whose == "these" else self._new
            self._made[treatment] = make(treatment)
        return self._made[treatment]

    def _players(self, treatment: str) -> tuple[int, np.ndarray]:
        units = self._draws.units
        at = units.treatments.index(treatment)
        return at, np.unique(units.unit_subject[units.unit_treatment == at])

    def _crowd(self, treatment: str, arrays: dict[str, np.ndarray], personal: set[str], types: Any,
               people: int, copies: int = 1) -> Crowd:  # fmt: skip
        model, game = self._draws.model, self._draws.game
        # Once: a changed game is no other convention, but that partners who stay are known.
        settled = dict(model.resolve_conventions(game))
        settled |= {n: v for n, v in model.conventions.items() if n == "experience"}
        if settled != model.conventions:
            model = model.replace(**settled)
        key = (model.role, treatment)
        everybody = frozenset(personal)
        return Crowd(
            model, game, treatment, arrays, everybody, types, self.order.size, people, copies, key
        )

    def _these(self, treatment: str) -> Crowd:
        draws = self._draws
        at, keep = self._players(treatment)
        arrays, personal = {}, set()
        for parameter in draws.model.parameters:
            if parameter.support == "simplex":
                continue
            data = draws.data[parameter.name]
            data = data.isel(treatment=at) if "treatment" in data.dims else data
            values = data.to_numpy()[self.order]
            if "subject" in data.dims:
                personal.add(parameter.name)
                values = values[:, keep]
            arrays[parameter.name] = values
        types = None if self._types is None else self._types[:, keep]
        return self._crowd(treatment, arrays, personal, types, keep.size)

    def _new(self, treatment: str) -> Crowd:
        """Each person an independent draw from the population, like one of these in covariates."""
        draws = self._draws
        at, keep = self._players(treatment)
        rng = np.random.default_rng([self._seed, at])
        who = np.tile(keep, self.copies)
        population = Population.of(draws.model, draws.game, draws.units, draws.data)
        arrays, personal = {}, set()
        for effect in population.effects:
            name = effect.parameter.name
            column = at if effect.location.shape[2] > 1 else 0
            location = effect.location[self.order][:, :, column]
            location = location[:, who] if location.shape[1] > 1 else location
            shape = {n: values[self.order][..., 0] for n, values in effect.shape.items()}
            size = (self.order.size, who.size, effect.width)
            natural = new_values(effect, location, shape, size, rng)
            arrays[name] = natural if effect.parameter.option else natural[..., 0]
            personal.add(name)
        for parameter in draws.model.parameters:
            if parameter.support == "simplex" or parameter.name in arrays:
                continue
            data = draws.data[parameter.name]
            data = data.isel(treatment=at) if "treatment" in data.dims else data
            arrays[parameter.name] = data.to_numpy()[self.order]
        shares, types = draws.shares, None
        if shares is not None:
            shares = shares[self.order]
            types = new_types(shares[:, who] if shares.shape[1] > 1 else shares, who.size, rng)
        return self._crowd(treatment, arrays, personal, types, who.size, self.copies)


def new_values(
    effect: Effect,
    location: np.ndarray,
    shape: Mapping[str, np.ndarray],
    size: tuple[int, int, int],
    rng: np.random.Generator,
) -> np.ndarray:
    """Natural values of people of whom nothing is known but their population.

    Parameters
    ----------
    effect : Effect
    location : array
        On the scale of the link; it goes with (draws, people, ...).
    shape : mapping of str to array, shape (draws, 1)
        Arguments of the family.
    size : tuple of int
        Numbers of draws, of people and of numbers that each has.
    rng : numpy.random.Generator
    """
    gaps = effect.family.draw_gaps(rng, size, shape) @ effect.basis.T
    return np.asarray(effect.family.link.inverse(np.clip(location + gaps, -_REACH, _REACH)))


def new_types(shares: np.ndarray, people: int, rng: np.random.Generator) -> np.ndarray:
    """Types of people of whom nothing is known but their shares, shape (draws, people).

    Parameters
    ----------
    shares : array, shape (draws, 1 or people, types)
    people : int
    rng : numpy.random.Generator
    """
    reached = shares.cumsum(axis=-1)
    aim = rng.random((len(shares), people, 1)) * reached[..., -1:]
    return np.asarray((reached <= aim).sum(axis=-1))


def check_new(fit: Fit) -> None:
    """Refuse new people of a model whose subjects cannot be drawn alone.

    Raises
    ------
    InputError
    """
    faults = [
        Fault(
            f"new people, {fit.model.role}, prior of {name}",
            str(prior),
            'a prior from which a new subject can be drawn alone, or people="these"',
        )
        for name, prior in fit.model.inseparable_priors.items()
    ]
    if faults:
        raise InputError(faults)
