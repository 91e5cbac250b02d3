"""What depends on what in a model: every variable in its plate, in words.

The plates are those of `trustbayes.models.hierarchy` and `trustbayes.models.regression`; what a
distribution is called, and what leads from its location to a value, its family says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trustbayes.games import Game
from trustbayes.models.regression import coefficients
from trustbayes.models.settings import ModelSettings
from trustbayes.priors.code import CustomPrior
from trustbayes.priors.prior import Prior
from trustbayes.theories.spec import Parameter

__all__ = ["Plates", "numbers", "plates_of"]

_SEEN_AND_CHOSEN = {
    ("finite", "sender"): ("state", "message"),
    ("finite", "receiver"): ("message", "action"),
    ("forecast-sharing", "sender"): ("forecast", "report"),
    ("forecast-sharing", "receiver"): ("report", "capacity"),
    ("interval", "sender"): ("state", "message"),
    ("interval", "receiver"): ("message", "action"),
    ("recommendation", "receiver"): ("estimate, recommendation", "decision"),
}
_RESPONSE = (
    "response_precision",
    "response_noise",
    "lapse",
    "rounding",
    "keeping",
    "following",
    "exactness",
)


@dataclass
class Plates:
    """Lines on the variables of each plate.

    Parameters
    ----------
    population, treatment, group, subject, both, trial : list of str
        Of the population, each treatment, each matching group, each subject, each treatment of a
        subject, each trial of a subject.
    types : list of str
        What types do without.
    code : list of str
        The source of priors that are code.
    """

    population: list[str] = field(default_factory=list)
    treatment: list[str] = field(default_factory=list)
    group: list[str] = field(default_factory=list)
    subject: list[str] = field(default_factory=list)
    both: list[str] = field(default_factory=list)
    trial: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """All lines, each plate indented in the one that holds it."""
        return [
            *_within("population", self.population),
            *_within("each treatment", self.treatment),
            *_within("each matching group", self.group),
            "each subject",
            *(f"  {line}" for line in self.subject),
            *(f"  {line}" for line in _within("each treatment", self.both)),
            *(f"  {line}" for line in _within("each trial", self.trial)),
            *self.types,
            *self.code,
        ]

    def place(self, over: Sequence[str]) -> list[str]:
        """The plate of what varies over subjects, treatments, both or neither."""
        if "subject" in over:
            return self.both if "treatment" in over else self.subject
        return self.treatment if "treatment" in over else self.population


def _within(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)] if lines else []


def plates_of(
    model: ModelSettings,
    game: Game | None,
    prefix: str = "",
    given: Mapping[str, str] | None = None,
) -> Plates:
    """The plates of a model.

    Parameters
    ----------
    model : ModelSettings
    game : Game or None
    prefix : str
        Of the names of all variables.
    given : mapping of str to str, optional
        What parameters follow from that have no prior of their own in this model, by treatment.

    Returns
    -------
    Plates
    """
    plates, given = Plates(), given or {}
    for parameter in model.parameters:
        name, prior = f"{prefix}{parameter.name}", model.priors[parameter.name]
        if parameter.name in given:
            plates.treatment.append(f"{name} = {given[parameter.name]}")
        elif parameter.support == "simplex":
            _add_shares(plates, parameter, model, prefix)
        elif parameter.name in model.formulas:
            _add_regressed(plates, parameter, model, prefix)
        elif isinstance(prior, CustomPrior):
            place = plates.place(model.varies[parameter.name])
            place.append(f"{name}{_option(parameter)} from {prior}")
        elif prior.hierarchical:
            _add_hierarchy(plates, parameter, model, prefix)
        else:
            over = model.varies[parameter.name]
            plates.population += _of_arguments(name, prior)
            place = plates.place(("subject",) if "subject" in over else over)
            place.append(f"{name}{_option(parameter)} ~ {_stated(name, prior)}")
    plates.trial += _response_lines(model, game, prefix)
    for ignored in sorted({name for names in model.ignored.values() for name in names}):
        without = [label for label, names in model.ignored.items() if ignored in names]
        plates.types.append(f"{prefix}{ignored} has no part in the type {_either(without)}")
    for code_prior in dict.fromkeys(model.code_priors.values()):
        plates.code += _within(f"{code_prior}", code_prior.source.splitlines())
    return plates


def _option(parameter: Parameter) -> str:
    return f"[{parameter.option}]" if parameter.option else ""


def _either(labels: Sequence[str]) -> str:
    return " or ".join([", ".join(labels[:-1]), labels[-1]]) if len(labels) > 1 else labels[0]


def _add_shares(plates: Plates, parameter: Parameter, model: ModelSettings, prefix: str) -> None:
    name, prior = f"{prefix}{parameter.name}", model.priors[parameter.name]
    plates.population += _of_arguments(name, prior)
    sign = "~" if prior.family.estimated else "="
    labels = model.shares[parameter.name]
    stated = _stated(name, prior)
    plates.population.append(f"{name}_share {sign} {stated} over {', '.join(labels)}")
    if parameter.name not in model.formulas:
        plates.subject.append(f"{name} ~ Categorical({name}_share), summed out")
        return
    _add_coefficients(plates, parameter, model, prefix)
    right = _right_side(parameter, model, prefix)
    plates.subject += [
        f"log odds of each {name} against {labels[0]} = "
        f"log({name}_share / {name}_share[{labels[0]}]) + {right}",
        f"{name} ~ Categorical(by the log odds), summed out",
    ]


def _add_hierarchy(plates: Plates, parameter: Parameter, model: ModelSettings, prefix: str) -> None:
    """As `trustbayes.models.hierarchy.declare` makes it."""
    name, prior = f"{prefix}{parameter.name}", model.priors[parameter.name]
    over, option, family = model.varies[parameter.name], _option(parameter), prior.family
    shared = plates.place([plate for plate in over if plate != "subject"])
    location = str(family.location)
    centre, given = f"{name}_{location}", prior.arguments[location]
    if isinstance(given, Prior):
        plates.population += _of_arguments(centre, given)
        shared.append(f"{centre}{option} ~ {_stated(centre, given)}")
    else:
        shared.append(f"{centre}{option} = {numbers(given)} by treatment")
    if "subject" not in over:
        shared.append(f"{name}{option} = {_applied(family.inverse_name, f'{centre}{option}')}")
        return
    plates.population += _of_arguments(name, prior, without=location)
    if "treatment" not in over:
        stated = _stated(name, prior, {location: f"{centre}{option}"})
        plates.subject.append(f"{name}{option} ~ {stated}")
        return
    effect = f"effect on {name}{option}"
    stated = _stated(name, prior, {location: family.no_effect}, family.effect_name)
    plates.subject.append(f"{effect} ~ {stated}")
    if family.natural_location:
        plates.both.append(f"{name}{option} = {centre}{option} × {effect}")
    else:
        plates.both.append(f"{name}{option} = {family.inverse_name}({centre}{option} + {effect})")


def _add_regressed(plates: Plates, parameter: Parameter, model: ModelSettings, prefix: str) -> None:
    """A parameter whose population's location is what a formula says."""
    name, prior = f"{prefix}{parameter.name}", model.priors[parameter.name]
    family, location = prior.family, str(prior.family.location)
    plates.population += _of_arguments(name, prior)
    intercept = f"{name}_{location}"
    if not isinstance(prior.arguments[location], Prior):
        intercept = numbers(prior.arguments[location])
    if family.natural_location:
        intercept = f"{family.link.name}({intercept})"
    _add_coefficients(plates, parameter, model, prefix)
    place = plates.place(model.varies[parameter.name])
    place.append(f"location of {name} = {intercept} + {_right_side(parameter, model, prefix)}")
    effect = f"effect on {name}"
    stated = _stated(name, prior, {location: family.no_effect}, family.effect_name)
    plates.subject.append(f"{effect} ~ {stated}")
    if family.natural_location:
        place.append(f"{name} = {family.link.inverse_name}(location of {name}) × {effect}")
    else:
        value = _applied(family.inverse_name, f"location of {name} + {effect}")
        place.append(f"{name} = {value}")


def _applied(function: str, argument: str) -> str:
    return f"{function}({argument})" if function else argument


def _add_coefficients(
    plates: Plates, parameter: Parameter, model: ModelSettings, prefix: str
) -> None:
    """As `trustbayes.models.regression.declare_contribution` makes them."""
    formula = model.formulas[parameter.name]
    slope, group_sigma = coefficients(parameter.name)
    if formula.has_slopes:
        name, prior = f"{prefix}{slope}", model.priors[slope]
        plates.population += _of_arguments(name, prior)
        plates.population.append(f"{name} ~ {_stated(name, prior)} of each column of {formula}")
    if formula.grouped:
        name, prior = f"{prefix}{group_sigma}", model.priors[group_sigma]
        plates.population += _of_arguments(name, prior)
        plates.population.append(f"{name} ~ {_stated(name, prior)}")
        effect = f"{prefix}{parameter.name}_group_effect"
        plates.group.append(f"{effect} ~ Normal(mu=0, sigma={name})")


def _right_side(parameter: Parameter, model: ModelSettings, prefix: str) -> str:
    """What a formula adds to the location."""
    name, formula = f"{prefix}{parameter.name}", model.formulas[parameter.name]
    parts = [f"columns × {name}_slope"] if formula.has_slopes else []
    parts += [f"{name}_group_effect"] if formula.grouped else []
    return " + ".join(parts) or "0"


def _of_arguments(name: str, prior: Prior, without: str = "") -> list[str]:
    """Lines on the arguments that are priors themselves, the outermost first."""
    lines: list[str] = []
    for key, value in prior.arguments.items():
        if isinstance(value, Prior) and key != without:
            lines += _of_arguments(f"{name}_{key}", value)
            lines.append(f"{name}_{key} ~ {_stated(f'{name}_{key}', value)}")
    return lines


def _stated(
    name: str, prior: Prior, instead: Mapping[str, str] | None = None, family: str = ""
) -> str:
    """A distribution whose arguments with priors are named, some or its family replaced."""
    parts = {
        key: f"{name}_{key}" if isinstance(value, Prior) else numbers(value)
        for key, value in prior.arguments.items()
    } | dict(instead or {})
    return f"{family or prior.distribution}({', '.join(f'{k}={v}' for k, v in parts.items())})"


def numbers(value: float | tuple[float, ...]) -> str:
    """A number, or numbers in a list, as short as they are."""
    if isinstance(value, tuple):
        return "[" + ", ".join(f"{v:g}" for v in value) + "]"
    return f"{value:g}"


def _response_lines(model: ModelSettings, game: Game | None, prefix: str) -> list[str]:
    """What the theory answers, and what choices are made of it."""
    seen, choice = _SEEN_AND_CHOSEN[model.spec.kind, model.role]
    conventions = model.conventions if game is None else model.resolve_conventions(game)
    names = [p.name for p in model.parameters]
    needed = [name for name in names if name not in _RESPONSE]
    if conventions.get("expected_action") == "quantal":
        needed.append("response_precision")
    named = {name: f"{prefix}{name}" for name in names}
    after = f"; {', '.join(named[name] for name in needed)}" if needed else ""
    if model.spec.kind == "finite":
        answer = f"utility = {model.name}({seen}, {choice}{after})"
        precision = f"{named['response_precision']} × " if "response_precision" in named else ""
        rule = f"softmax({precision}utility)"
        if "lapse" in named:
            lapse = named["lapse"]
            rule = f"(1 - {lapse}) × {rule} + {lapse} / number of {choice}s"
        return [answer, f"P({choice}) = {rule}"]
    family = "Normal(" if conventions["noise"] == "normal" else "StudentT(nu=4, "
    if model.spec.kind == "recommendation":
        return _spiked_lines(model, conventions, named, needed, family)
    unit = "a" if model.spec.kind == "forecast-sharing" else "half the interval"
    noise = f"sigma={named['response_noise']} × {unit}"
    best, ends = f"best {choice} = {model.name}({seen}{after})", "censored at the ends of its range"
    noisy = f"{family}mu=best {choice}, {noise})"
    if "rounding" not in named:
        return [best, f"{choice} ~ {noisy}, {ends}"]
    number = "round_to" if game is None else numbers(game.round_to)  # type: ignore[attr-defined]
    return [
        best,
        f"meant {choice} ~ {noisy}",
        f"{choice} = nearest multiple of {number} with probability {named['rounding']}, "
        f"else meant {choice}; {ends}",
    ]


def _spiked_lines(
    model: ModelSettings,
    conventions: Mapping[str, Any],
    named: Mapping[str, str],
    needed: Sequence[str],
    family: str,
) -> list[str]:
    """Decisions after a recommendation: on a spike, or round a belief."""
    log = conventions["scale"] == "log"
    what = "log(decision)" if log else "decision"
    noise = f"sigma={named['response_noise']}{'' if log else ' × unit'}"
    if "exactness" in named:
        exact, trust = named["exactness"], named["trust"]
        return [
            f"chosen = recommendation with probability {trust}, else estimate",
            f"decision = chosen with probability {exact}, else",
            f"{what} ~ {family}mu={'log(chosen)' if log else 'chosen'}, {noise}), censored at the "
            "ends of its range",
        ]
    after = f"; {', '.join(named[name] for name in needed)}" if needed else ""
    keep, follow = named["keeping"], named["following"]
    return [
        f"belief = {model.name}(estimate, recommendation{after})",
        f"decision = estimate with probability {keep}, else",
        f"decision = recommendation with probability {follow}, else",
        f"{what} ~ {family}mu={'log(belief)' if log else 'belief'}, {noise}), censored at the ends "
        "of its range",
    ]
