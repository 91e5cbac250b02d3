"""What of a model the engine works with: effects of subjects, what all share, and who meets what.

Trials of a treatment may depend on numbers that the population brings, the "exposures": a
parameter that all subjects share, or how far a treatment's location lies from that of the
treatment at which a subject's own value is taken, her anchor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from trustbayes.errors import Fault, InputError
from trustbayes.games import Game
from trustbayes.models.graph import check_locations
from trustbayes.models.model import Model
from trustbayes.priors.family import Family
from trustbayes.priors.links import LINK_OF_SUPPORT, Link
from trustbayes.theories.spec import Parameter
from trustbayes.trials.finite import Cells
from trustbayes.trials.forecast import Points
from trustbayes.trials.units import Units

__all__ = ["EffectLayout", "Layout", "SharedLayout", "layout_of"]


@dataclass(frozen=True, eq=False)
class EffectLayout:
    """A parameter of which every subject has a value.

    Parameters
    ----------
    parameter : Parameter
    family : Family
        Of the population.
    arguments : tuple of str
        The family's, but for the location.
    by_treatment, by_subject : bool
        Whether the location differs between treatments, and by a formula between subjects.
    anchor : array of int, shape (subjects,)
        The treatment at which each subject's value is taken.
    location_of : array of int, shape (subjects,)
        Which of the locations each subject's value at her anchor has.
    gap_from, gap_to : array of int, shape (exposures, 2)
        Subject (0 if the location is common) and treatment of an anchor, and of what lies away.
    exposure_of : array of int, shape (units,)
        The gap that a unit's trials are exposed to; -1 at anchors.
    """

    parameter: Parameter
    family: Family
    arguments: tuple[str, ...]
    by_treatment: bool
    by_subject: bool
    anchor: np.ndarray
    location_of: np.ndarray
    gap_from: np.ndarray
    gap_to: np.ndarray
    exposure_of: np.ndarray

    @property
    def name(self) -> str:
        """Of the parameter."""
        return self.parameter.name

    @property
    def link(self) -> Link:
        """Between the natural scale and the one of effects."""
        return self.family.link

    @property
    def exposures(self) -> int:
        """Number of gaps."""
        return len(self.gap_to)


@dataclass(frozen=True, eq=False)
class SharedLayout:
    """A parameter that all subjects share.

    Parameters
    ----------
    parameter : Parameter
    by_treatment : bool
    exposures : int
        How many numbers it is.
    exposure_of : array of int, shape (units,)
        The one that a unit's trials are exposed to; -1 where that is all of them.
    """

    parameter: Parameter
    by_treatment: bool
    exposures: int
    exposure_of: np.ndarray

    @property
    def name(self) -> str:
        """Of the parameter."""
        return self.parameter.name

    @property
    def link(self) -> Link:
        """From the natural scale to that of exposures."""
        return LINK_OF_SUPPORT[self.parameter.support]

    @property
    def simple(self) -> bool:
        """Whether each trial is exposed to one number."""
        return self.parameter.option is None


@dataclass(frozen=True, eq=False)
class Layout:
    """A model and the trials that it meets, taken apart.

    Parameters
    ----------
    model : Model
    game : Game
    units : Units
    anchor : array of int, shape (subjects,)
        The treatment at which each subject's values are taken.
    effects : tuple of EffectLayout
    shared : tuple of SharedLayout
    members : array of int, shape (subjects,)
        Positions among the subjects of the whole experiment, of which this may be a part.
    """

    model: Model
    game: Game
    units: Units
    anchor: np.ndarray
    effects: tuple[EffectLayout, ...]
    shared: tuple[SharedLayout, ...]
    members: np.ndarray

    @property
    def subjects(self) -> int:
        """Number of subjects."""
        return len(self.units.subjects)

    @property
    def cells(self) -> Cells:
        """The units of a finite game."""
        return cast(Cells, self.units)

    @property
    def points(self) -> Points:
        """The units of a game of continuous choices."""
        return cast(Points, self.units)

    @property
    def kinds(self) -> tuple[int | None, ...]:
        """Positions of the types; None alone if there are none."""
        return tuple(range(len(self.model.types))) or (None,)

    def active(self, kind: int | None) -> tuple[int, ...]:
        """Positions of the effects on which a type's choices depend."""
        ignored = () if kind is None else self.model.ignored[self.model.types[kind]]
        return tuple(i for i, effect in enumerate(self.effects) if effect.name not in ignored)

    def of_subjects(self, keep: np.ndarray) -> Layout:
        """Some of the subjects, by increasing position, in the same population."""
        chosen = np.isin(self.units.unit_subject, keep)
        effects = tuple(
            replace(
                effect,
                anchor=effect.anchor[keep],
                location_of=effect.location_of[keep],
                exposure_of=effect.exposure_of[chosen],
            )
            for effect in self.effects
        )
        shared = tuple(
            replace(shared_layout, exposure_of=shared_layout.exposure_of[chosen])
            for shared_layout in self.shared
        )
        units, members = self.units.of_subjects(keep), self.members[keep]
        return Layout(self.model, self.game, units, self.anchor[keep], effects, shared, members)

    def sources(self) -> Mapping[str, EffectLayout | SharedLayout]:
        """What brings exposures, by name of the parameter."""
        gaps: dict[str, Any] = {e.name: e for e in self.effects if e.exposures}
        return gaps | {shared.name: shared for shared in self.shared}


def layout_of(
    model: Model, game: Game, units: Units, preference: np.ndarray | None = None
) -> Layout:
    """Take a model and its trials apart.

    Parameters
    ----------
    model : Model
    game : Game
    units : Units
        Of the model's role; what formulas take from people is fixed.
    preference : array, shape (treatments,), optional
        Of treatments that as many subjects have, the one of the largest is the anchor; default:
        the first.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        If the game is of another kind than the model's, a prior is Python code or ties each
        subject to all others, or a list of locations does not go with the treatments.
    """
    model.check_kind(game)
    faults = []
    if model.learns:
        expected = 'method="nuts": what people have seen makes every trial one of its own'
        faults.append(Fault(f"population engine, {model.name}", "people who learn", expected))
    for name, prior in model.inseparable_priors.items():
        what = "Python code" if name in model.code_priors else "a prior that ties subjects together"
        expected = 'a prior of the package from which each subject comes alone, or method="nuts"'
        faults.append(Fault(f"population engine, prior of {name}", f"{what}: {prior}", expected))
    for name, prior in model.code_priors.items():
        if name not in model.inseparable_priors:
            expected = 'a prior of the package, or method="nuts"'
            place = f"population engine, prior of {name}"
            faults.append(Fault(place, f"Python code: {prior}", expected))
    if faults:
        raise InputError(faults)
    check_locations(model, units)
    anchor = _anchors(units, preference)
    effects, shared = [], []
    for parameter in model.parameters:
        if parameter.support == "simplex":
            continue
        if "subject" in model.varies[parameter.name]:
            effects.append(_effect(parameter, model, units, anchor))
        else:
            by_treatment = "treatment" in model.varies[parameter.name]
            size = model.width(parameter, game)
            count = len(units.treatments) if by_treatment else 1
            of = units.unit_treatment if by_treatment else np.zeros(units.unit_subject.size, int)
            of = of if parameter.option is None else np.full(of.size, -1)
            shared.append(SharedLayout(parameter, by_treatment, count * size, of))
    members = np.arange(len(units.subjects))
    return Layout(model, game, units, anchor, tuple(effects), tuple(shared), members)


def _anchors(units: Units, preference: np.ndarray | None) -> np.ndarray:
    """The treatment of each subject that most subjects have."""
    played = np.zeros((len(units.subjects), len(units.treatments)), dtype=int)
    played[units.unit_subject, units.unit_treatment] = 1
    rank: Any = 0.0
    if preference is not None:
        rank = preference.argsort().argsort() / preference.size  # less than a subject
    return np.asarray((played * (1 + played.sum(axis=0) + rank)).argmax(axis=1))


def _effect(parameter: Parameter, model: Model, units: Units, anchor: np.ndarray) -> EffectLayout:
    name, prior = parameter.name, model.priors[parameter.name]
    formula = model.formulas.get(name)
    by_treatment = "treatment" in model.varies[name] and bool(prior.hierarchical or formula)
    by_subject = formula is not None
    location = prior.family.location
    location_of = np.zeros(len(units.subjects), dtype=int)
    pairs = np.zeros((0, 4), dtype=int)
    exposure_of = np.full(units.unit_subject.size, -1)
    if by_subject:
        location_of = np.arange(len(units.subjects))
    elif by_treatment:
        location_of = anchor
    if by_treatment:
        subject, treatment = units.unit_subject, units.unit_treatment
        away = np.flatnonzero(treatment != anchor[subject])
        mine = subject[away] if by_subject else 0 * subject[away]
        rows = np.column_stack([mine, anchor[subject[away]], mine, treatment[away]])
        pairs, place = np.unique(rows, axis=0, return_inverse=True)
        exposure_of[away] = place.reshape(-1)
    return EffectLayout(
        parameter=parameter,
        family=prior.family,
        arguments=tuple(key for key in prior.arguments if key != location),
        by_treatment=by_treatment,
        by_subject=by_subject,
        anchor=anchor,
        location_of=location_of,
        gap_from=pairs[:, :2],
        gap_to=pairs[:, 2:],
        exposure_of=exposure_of,
    )
