"""The mixture of theories: every subject is of one, and which is summed out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from trustbayes.numerics.arrays import namespace, of_type
from trustbayes.priors.prior import Prior
from trustbayes.theories.spec import Look, ModelSpec, Parameter
from trustbayes.theories.values import Values

__all__ = ["NAME", "mixture"]

NAME = "mixture"

_THEORY = Parameter(
    name="theory",
    symbol="w",
    meaning="which theory a subject follows; the population's shares are estimated",
    unit="",
    support="simplex",
    varies=("subject",),
    prior=Prior("Dirichlet", a=1.0),
)

_REMARK = (
    "The mixture contains the theories: person by person, these are set against each other and not "
    "against it. Where types of the mixture coincide for a subject, their probabilities say no "
    "more than the population's shares of these types."
)


def mixture(*components: ModelSpec) -> ModelSpec:
    """Declare the mixture of some theories of one role and kind of game.

    A subject has one theory throughout, and keeps her noise under any of them. The shares of
    the theories, and those of the types within a theory, have Dirichlet priors of their own.
    What a theory leaves to each subject's habits is common to all who follow it, here, unless its
    prior has no parameters of its own: the few who follow it say little of a population of habits.

    Parameters
    ----------
    *components : ModelSpec
        At most one of them with types of its own.

    Returns
    -------
    ModelSpec

    References
    ----------
    Stahl and Wilson (1995), Games and Economic Behavior 10(1), for mixtures of types.
    """
    first = components[0]
    typed = [position for position, spec in enumerate(components) if spec.types]
    parameters: dict[str, Parameter] = {}
    for spec in components:
        for parameter in spec.parameters:
            habitual = bool(parameter.option) or parameter.support == "real"
            if habitual and parameter.prior.hierarchical:
                parameter = replace(parameter, varies=())
            parameters.setdefault(parameter.name, parameter)

    def theory_of_type(conventions: Mapping[str, Any]) -> tuple[str, ...]:
        sizes = [len(spec.types(conventions)) if spec.types else 1 for spec in components]
        return tuple(np.repeat([spec.name for spec in components], sizes).tolist())

    def types(conventions: Mapping[str, Any]) -> tuple[str, ...]:
        labels: list[str] = []
        for spec in components:
            levels = spec.types(conventions) if spec.types else ()
            labels += [f"level {label}" for label in levels] or [spec.name]
        return tuple(labels)

    def ignores(conventions: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        subject = (p for p in parameters.values() if "subject" in p.varies)
        personal = {p.name for p in subject if p.support != "simplex"}
        labels = iter(types(conventions))
        return {
            label: tuple(sorted(personal - {p.name for p in spec.parameters}))
            for spec in components
            for label in islice(labels, len(spec.types(conventions)) if spec.types else 1)
        }

    def shares(conventions: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        labels = {"theory": tuple(spec.name for spec in components)}
        for position in typed:
            spec = components[position]
            assert spec.types is not None
            [name] = [p.name for p in spec.parameters if p.support == "simplex"]
            labels[name] = spec.types(conventions)
        return labels

    def type_shares(given: Mapping[str, Any]) -> Any:
        theory = given["theory"]
        within = [values for name, values in given.items() if name != "theory"]
        parts = []
        for position in range(len(components)):
            part = theory[..., position : position + 1]
            parts.append(part * within[typed.index(position)] if position in typed else part)
        return namespace(*parts).concatenate(parts, axis=-1)

    def answer(game: Any, values: Values, conventions: Mapping[str, Any]) -> Any:
        axis = first.response(game, conventions).type_axis
        parts = []
        for spec in components:
            part = spec.answer(game, values, _own(spec, conventions))
            parts.append(part if spec.types else namespace(part).expand_dims(part, axis))
        xp = namespace(*parts)
        if xp is np:
            parts = _with_draws(parts)
        return xp.concatenate(parts, axis=axis)

    def answer_of_type(
        game: Any, values: Values, conventions: Mapping[str, Any], type_index: int
    ) -> Any:
        for spec in components:
            size = len(spec.types(conventions)) if spec.types else 1
            if type_index < size:
                answers = spec.answer(game, values, _own(spec, conventions))
                axis = first.response(game, conventions).type_axis
                return of_type(answers, type_index, axis) if spec.types else answers
            type_index -= size
        raise IndexError(type_index)

    def resolve(game: Any, conventions: Mapping[str, Any]) -> Mapping[str, Any]:
        resolved = dict(conventions)
        for spec in components:
            if spec.resolve:
                resolved |= spec.resolve(game, _own(spec, conventions))
        return resolved

    # What the answers themselves show is tried for the mixture as for its theories: without it
    # they would not be compared with like.
    conventions = {
        c.name: c if c.needs else replace(c, rivals=()) for s in components for c in s.conventions
    }
    return ModelSpec(
        name=NAME,
        role=first.role,
        kind=first.kind,
        title="Mixture",
        look=Look("#E69F00", "v", "--"),
        remark=_REMARK,
        combines=tuple(spec.name for spec in components),
        theory_of_type=theory_of_type,
        description=(
            "Every subject follows one theory: "
            + ", ".join(spec.title.lower() for spec in components[:-1])
            + f" or {components[-1].title.lower()}."
        ),
        citation="Stahl and Wilson (1995), Games and Economic Behavior 10(1); as specified here",
        parameters=(*parameters.values(), _THEORY),
        conventions=tuple(conventions.values()),
        answer=answer,
        answer_of_type=answer_of_type,
        response=first.response,
        types=types,
        shares=shares,
        type_shares=type_shares,
        ignores=ignores,
        resolve=resolve,
        placed=True,
        weighs_fines=all(spec.weighs_fines for spec in components if not spec.benchmark),
        coupling=first.coupling,
    )


def _own(spec: ModelSpec, conventions: Mapping[str, Any]) -> dict[str, Any]:
    """The conventions that a component knows."""
    return {c.name: conventions[c.name] for c in spec.conventions}


def _with_draws(parts: list[np.ndarray]) -> list[np.ndarray]:
    """Give every part the axis of draws, if any has one."""
    fewest = min(part.ndim for part in parts)
    draws = max((part.shape[: part.ndim - fewest] for part in parts), key=len)
    return [np.broadcast_to(part, (*draws, *part.shape[part.ndim - fewest :])) for part in parts]
