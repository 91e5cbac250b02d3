"""Learning, declared: what makes a theory one of people who learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from trustbayes.errors import Fault, InputError
from trustbayes.priors.prior import Prior
from trustbayes.theories.learning.levels import level_steps
from trustbayes.theories.learning.trust import LINEAR, RULES, mean_state, with_experience
from trustbayes.theories.responses.logit_sequences import SEQUENCED_LOGIT
from trustbayes.theories.spec import Convention, ModelSpec, Parameter
from trustbayes.theories.values import Values

__all__ = ["DEPTH", "levels_that_learn", "trust_that_learns"]

DEPTH = "depth"
"""The way in which levels of thinking learn."""


def _parameter(
    name: str, symbol: str, meaning: str, unit: str, support: str, prior: Prior, *rules: str
) -> Parameter:
    return Parameter(
        name=name,
        symbol=symbol,
        meaning=meaning,
        unit=unit,
        support=support,
        varies=(),
        prior=prior,
        only_with="learning",
        only_for=rules,
    )


def _share(middle: float, spread: float) -> Prior:
    return Prior(
        "LogitNormal",
        mu=Prior("Normal", mu=middle, sigma=spread),
        sigma=Prior("HalfNormal", sigma=1.0),
    )


_GAIN = Prior("Normal", mu=Prior("Normal", mu=0.0, sigma=0.7), sigma=Prior("HalfNormal", sigma=0.5))
_WEIGHT = Prior(
    "LogNormal", mu=Prior("Normal", mu=-1.5, sigma=1.5), sigma=Prior("HalfNormal", sigma=1.0)
)
_LOGIT, _SHARE, _COUNT = "log odds of trust", "share, 0 to 1", "share of the trust at the beginning"

_OF_TRUST = (
    _parameter("memory", "ρ", "what is left of experience after one more piece of news",
               _SHARE, "unit", _share(1.5, 1.5), *LINEAR),
    _parameter("gain_good", "κ⁺", "how far good news raises trust",
               _LOGIT, "real", _GAIN, "shift"),
    _parameter("gain_bad", "κ⁻", "how far bad news lowers trust",
               _LOGIT, "real", _GAIN, "shift"),
    _parameter("rate_good", "η⁺", "how much of the way to full trust good news goes",
               _SHARE, "unit", _share(-2.5, 1.5), "delta"),
    _parameter("rate_bad", "η⁻", "how much of the way to no trust bad news goes",
               _SHARE, "unit", _share(-2.5, 1.5), "delta"),
    _parameter("weight_good", "w⁺", "weight of a piece of good news",
               _COUNT, "positive", _WEIGHT, "reputation"),
    _parameter("weight_bad", "w⁻", "weight of a piece of bad news",
               _COUNT, "positive", _WEIGHT, "reputation"),
    _parameter("slip", "ε", "probability that others act at random, as people believe",
               "probability", "unit", _share(1.0, 1.5), "evidence"),
    replace(
        _parameter("partner_share", "ω", "weight of experience with the partner, not with all",
                   _SHARE, "unit", _share(0.0, 1.5)),
        only_with="experience",
        only_for=("both",),
    ),
)  # fmt: skip

_OF_DEPTH = (
    _parameter("climb", "τ⁺", "probability of thinking one step more after bad news",
               "probability", "unit", _share(-2.5, 1.5), DEPTH),
    _parameter("fall", "τ⁻", "probability of thinking one step less after good news",
               "probability", "unit", _share(-2.5, 1.5), DEPTH),
)  # fmt: skip


def _conventions(rules: tuple[str, ...], kind: str, experience: tuple[str, ...]) -> Any:
    return (
        Convention(
            name="learning",
            choices=("none", *rules),
            rivals=("none", rules[0]),  # the others cost as much again, and say much the same
            default="none",
            meaning=_MEANING[rules],
        ),
        Convention(
            name="news",
            choices=("lie", "size"),
            default="lie" if kind == "finite" else "size",
            meaning=(
                "What people who learn take from a trial: whether the message was false (to a "
                "sender: was not followed), or by how much, as a share of the most that can be."
            ),
            only_with="learning",
            only_for=rules,
        ),
        Convention(
            name="experience",
            choices=experience,
            default=None,
            meaning=(
                "Whose conduct experience is of: people in general, or each partner alone"
                + (", or both, weighed" if "both" in experience else "")
                + ". Default: the partner's where the game says that partners stay."
            ),
            only_with="learning",
            only_for=rules,
        ),
    )


_MEANING = {
    RULES: (
        "How trust moves with what people are shown after each trial: not at all; by a shift of "
        "its log odds that fades; by a share of the way to full or no trust (delta); by counts of "
        "good and bad news (reputation); or by how likely what was seen is if others are truthful "
        "(evidence)."
    ),
    (DEPTH,): (
        "Whether depth of thought moves with what people are shown after each trial: not at all, "
        "or up a level with some probability after bad news and down after good."
    ),
}


def _resolve(spec: ModelSpec) -> Callable[[Any, Mapping[str, Any]], Mapping[str, Any]]:
    def resolve(game: Any, conventions: Mapping[str, Any]) -> Mapping[str, Any]:
        stay = game.feedback is not None and game.feedback.partners != "random"
        chosen = conventions["experience"]
        if chosen is None:
            conventions = {**conventions, "experience": "partner" if stay else "general"}
        elif chosen != "general" and not stay:
            expected = "general: the game's [feedback] does not say that people know their partners"
            raise InputError(Fault(f"{spec.name}, {spec.role}, experience", chosen, expected))
        return spec.resolve(game, conventions) if spec.resolve else conventions

    return resolve


def _response(spec: ModelSpec) -> Callable[[Any, Mapping[str, Any]], Any]:
    if spec.kind != "finite":
        return spec.response

    def response(game: Any, conventions: Mapping[str, Any]) -> Any:
        learns = conventions["learning"] != "none"
        return SEQUENCED_LOGIT if learns else spec.response(game, conventions)

    return response


def trust_that_learns(
    spec: ModelSpec, name: str, at_seen: Callable[[Any, Values, Mapping[str, Any]], Any]
) -> ModelSpec:
    """Let the trust of a theory move with experience, if a user asks for it.

    Parameters
    ----------
    spec : ModelSpec
        The static theory.
    name : str
        Of the parameter that moves, a share.
    at_seen : callable
        The theory's answer after what was seen in each trial, its values being those of the
        trials: shape (..., trials, 1, options) in a finite game, else (..., trials).

    Returns
    -------
    ModelSpec
        With the conventions ``learning``, ``news`` and ``experience``, by default without learning.
    """

    def answer(game: Any, values: Values, conventions: Mapping[str, Any]) -> Any:
        if conventions["learning"] == "none":
            return spec.answer(game, values, conventions)
        return at_seen(game, with_experience(values, conventions, name), conventions)

    experience = ("general", "partner", "both")
    return replace(
        spec,
        parameters=(*spec.parameters, *_OF_TRUST),
        conventions=(*spec.conventions, *_conventions(RULES, spec.kind, experience)),
        answer=answer,
        response=_response(spec),
        resolve=_resolve(spec),
        drift={name: partial(mean_state, name=name)},
    )


def levels_that_learn(
    spec: ModelSpec, at_seen: Callable[[Any, Values, Mapping[str, Any]], Any]
) -> ModelSpec:
    """Let the depth of a theory of levels move with experience, if a user asks for it.

    Parameters
    ----------
    spec : ModelSpec
        The static theory, whose types are levels from 0 on.
    at_seen : callable
        As for `trust_that_learns`, with an axis of types.

    Returns
    -------
    ModelSpec
        A subject's type is then the level at which she begins.
    """

    def answer(game: Any, values: Values, conventions: Mapping[str, Any]) -> Any:
        learns = conventions["learning"] != "none"
        return (at_seen if learns else spec.answer)(game, values, conventions)

    return replace(
        spec,
        parameters=(*spec.parameters, *_OF_DEPTH),
        conventions=(
            *spec.conventions,
            *_conventions((DEPTH,), spec.kind, ("general", "partner")),
        ),
        answer=answer,
        response=_response(spec),
        resolve=_resolve(spec),
        steps=level_steps,
    )
