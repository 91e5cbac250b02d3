"""What a model is, in words: parameters, priors, conventions, and what depends on what."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from trustbayes.games import Game
from trustbayes.priors.code import CustomPrior
from trustbayes.priors.prior import Prior

if TYPE_CHECKING:
    from trustbayes.models.joint import Joint
    from trustbayes.models.model import Model
    from trustbayes.theories.spec import Parameter

__all__ = ["Description", "describe", "describe_joint"]

_WIDTH = 96  # characters of a line
_SEEN_AND_CHOSEN = {
    ("finite", "sender"): ("state", "message"),
    ("finite", "receiver"): ("message", "action"),
    ("forecast-sharing", "sender"): ("forecast", "report"),
    ("forecast-sharing", "receiver"): ("report", "capacity"),
}
_RESPONSE = ("response_precision", "response_noise", "lapse")
_SUPPORTS = {"positive": "positive", "unit": "0 to 1", "real": "real line"}
_INVERSES = {"LogNormal": "exp", "Gamma": "", "LogitNormal": "expit", "Normal": "", "StudentT": ""}
_SCALES = {"LogNormal": "link (log)", "LogitNormal": "link (logit)"}


@dataclass(frozen=True, eq=False)
class Description:
    """A model in words, made from its declaration; shown as text or, in a notebook, as HTML.

    Parameters
    ----------
    title : str
        The theory, whose choices, and the kind of game.
    text : str
        What the theory says, and its source.
    plates : str
        Every variable where it lives: in the population, each treatment, each subject, each
        trial. ``~`` says how a variable is distributed, ``=`` what it follows from; names are
        those of the PyMC model, but for the effects of subjects.
    parameters : DataFrame
        Columns parameter, symbol, meaning, unit, support, varies over, prior (with the priors of
        its arguments), scale (natural, or that of a link, on which the prior's location and
        spread stand).
    conventions : DataFrame
        Columns convention, value, choices, meaning.

    Examples
    --------
    >>> from trustbayes.models import LevelK
    >>> found = LevelK("sender").describe()
    >>> found.title
    'Level-k, senders, finite game'
    >>> print(found.plates)
    population
      response_precision_mean ~ LogNormal(mu=1, sigma=1)
      response_precision_shape ~ LogNormal(mu=0, sigma=0.5)
      level_share ~ Dirichlet(a=1) over 0, 1, 2, 3
    each subject
      response_precision ~ Gamma(mean=response_precision_mean, shape=response_precision_shape)
      level ~ Categorical(level_share), summed out
      each trial
        utility = level-k(state, message; level)
        P(message) = softmax(response_precision × utility)
    """

    title: str
    text: str
    plates: str
    parameters: pd.DataFrame
    conventions: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe form."""
        tables = {"parameters": self.parameters, "conventions": self.conventions}
        return {
            "title": self.title,
            "text": self.text,
            "plates": self.plates,
            **{name: table.to_dict("records") for name, table in tables.items()},
        }

    def markdown(self) -> str:
        """Text in Markdown, the title as a heading of the second level."""
        parts = [f"## {self.title}", self.text, f"```text\n{self.plates}\n```"]
        for table in (self.parameters, self.conventions):
            if len(table):
                rows = [list(row.values()) for row in _records(table)]
                cells = [list(map(str, table)), ["-"] * table.shape[1], *rows]
                parts.append("\n".join(_markdown_line(line) for line in cells))
        return "\n\n".join(parts) + "\n"

    def __str__(self) -> str:
        parts = [self.title, textwrap.fill(self.text, _WIDTH), self.plates]
        if len(self.parameters):
            parts.append(
                "\n".join(["parameters", *map(_parameter_line, _records(self.parameters))])
            )
        if len(self.conventions):
            lines = map(_convention_line, _records(self.conventions))
            parts.append("\n".join(["conventions", *lines]))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            tables = [
                table.to_html(index=False, escape=True, border=0)
                for table in (self.parameters, self.conventions)
                if len(table)
            ]
        words = f"<h4>{escape(self.title)}</h4>\n<p>{escape(self.text)}</p>"
        return "\n".join([words, f"<pre>{escape(self.plates)}</pre>", *tables])


def describe(model: Model, game: Game | None = None) -> Description:
    """Describe a model; see `trustbayes.models.Model.describe`."""
    return Description(
        title=f"{model.spec.title}, {model.role}s, {model.spec.kind} game" + _formulas(model),
        text=_text(model),
        plates="\n".join(_plates(model, game).lines()),
        parameters=_parameter_table(model),
        conventions=_convention_table(model, game),
    )


def _formulas(model: Model) -> str:
    names = " and ".join(model.formulas)
    return f", with a formula of {names}" if names else ""


def describe_joint(joint: Joint, game: Game | None = None) -> Description:
    """Describe a model of both roles; see `trustbayes.models.Joint.describe`."""
    gap = "" if joint.gap is None else " + trust_gap"
    tied = f"expit(logit(mean of receiver_trust){gap})"
    receiver = _plates(joint.receiver, game, "receiver_")
    sender = _plates(joint.sender, game, "sender_", {"expected_trust": tied})
    tables = [
        _prefixed(_parameter_table(model), "parameter", f"{role}_")
        for role, model in joint.models.items()
    ]
    parameters = pd.concat(tables, ignore_index=True)
    of_trust = parameters["parameter"] == "sender_expected_trust"
    parameters.loc[of_trust, ["prior", "scale"]] = [tied, "follows from others"]
    if joint.gap is not None:
        sender.treatment.insert(0, f"trust_gap ~ {joint.gap}")
        parameters.loc[len(parameters)] = [
            "trust_gap",
            "γ",
            "trust that senders expect beyond the mean trust of receivers",
            "log odds",
            _SUPPORTS["real"],
            "treatment",
            str(joint.gap),
            "link (logit)",
        ]
    return Description(
        title=f"{joint.receiver.spec.title} and {joint.sender.spec.title}, both roles, "
        f"{joint.sender.spec.kind} game",
        text=" ".join(_text(model) for model in joint.models.values()),
        plates="\n".join(
            line
            for role, plates in (("receivers", receiver), ("senders", sender))
            for line in (role, *(f"  {line}" for line in plates.lines()))
        ),
        parameters=parameters,
        conventions=pd.concat(
            [
                _prefixed(_convention_table(model, game), "convention", f"{role}: ")
                for role, model in joint.models.items()
            ],
            ignore_index=True,
        ),
    )


# Plates


@dataclass
class _Plates:
    """Lines on the variables of each plate."""

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
        found = [
            *_within("population", self.population),
            *_within("each treatment", self.treatment),
            *_within("each matching group", self.group),
            "each subject",
            *(f"  {line}" for line in self.subject),
            *(f"  {line}" for line in _within("each treatment", self.both)),
            *(f"  {line}" for line in _within("each trial", self.trial)),
        ]
        return [*found, *self.types, *self.code]


def _within(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)] if lines else []


def _plates(
    model: Model, game: Game | None, prefix: str = "", given: Mapping[str, str] | None = None
) -> _Plates:
    """The plates of a model.

    Parameters
    ----------
    model : Model
    game : Game or None
    prefix : str
        Of the names of all variables.
    given : mapping of str to str, optional
        What parameters follow from that have no prior of their own here, by treatment.
    """
    plates = _Plates()
    for parameter in model.parameters:
        if parameter.name in (given or {}):
            plates.treatment.append(f"{prefix}{parameter.name} = {(given or {})[parameter.name]}")
        elif parameter.support == "simplex":
            _add_shares(plates, parameter, model, prefix)
        else:
            _add_values(plates, parameter, model, prefix)
    plates.trial += _response_lines(model, game, prefix)
    for name in sorted({name for names in model.ignored.values() for name in names}):
        without = [label for label, names in model.ignored.items() if name in names]
        plates.types.append(f"{prefix}{name} has no part in the type {_either(without)}")
    for coded in dict.fromkeys(model.coded.values()):
        plates.code += _within(f"{coded}", coded.source.splitlines())
    return plates


def _either(labels: Sequence[str]) -> str:
    return " or ".join([", ".join(labels[:-1]), labels[-1]]) if len(labels) > 1 else labels[0]


def _add_shares(plates: _Plates, parameter: Parameter, model: Model, prefix: str) -> None:
    name, prior = f"{prefix}{parameter.name}", model.priors[parameter.name]
    plates.population += _of_arguments(name, prior)
    sign = "~" if prior.distribution == "Dirichlet" else "="
    labels = ", ".join(model.shares[parameter.name])
    plates.population.append(f"{name}_share {sign} {_stated(name, prior)} over {labels}")
    if parameter.name in model.formulas:
        first = model.shares[parameter.name][0]
        _add_coefficients(plates, parameter, model, prefix)
        right = _right_side(parameter, model, prefix)
        plates.subject += [
            f"log odds of each {name} against {first} = log({name}_share / {name}_share[{first}])"
            f" + {right}",
            f"{name} ~ Categorical(by the log odds), summed out",
        ]
        return
    plates.subject.append(f"{name} ~ Categorical({name}_share), summed out")


def _add_values(plates: _Plates, parameter: Parameter, model: Model, prefix: str) -> None:
    """As `trustbayes.models.hierarchy.declare` makes them."""
    name, prior = f"{prefix}{parameter.name}", model.priors[parameter.name]
    over = model.varies[parameter.name]
    option = f"[{parameter.option}]" if parameter.option else ""
    shared = plates.treatment if "treatment" in over else plates.population
    if parameter.name in model.formulas:
        _add_regressed(plates, parameter, model, prefix)
        return
    if isinstance(prior, CustomPrior):
        own = plates.both if "treatment" in over else plates.subject
        place = own if "subject" in over else shared
        place.append(f"{name}{option} from {prior}")
        return
    if not prior.hierarchical:
        plates.population += _of_arguments(name, prior)
        place = plates.subject if "subject" in over else shared
        place.append(f"{name}{option} ~ {_stated(name, prior)}")
        return
    location = str(prior.family.location)
    centre, given = f"{name}_{location}", prior.arguments[location]
    if isinstance(given, Prior):
        plates.population += _of_arguments(centre, given)
        shared.append(f"{centre}{option} ~ {_stated(centre, given)}")
    else:
        shared.append(f"{centre}{option} = {_numbers(given)} by treatment")
    inverse = _INVERSES[prior.distribution]
    if "subject" not in over:
        value = f"{inverse}({centre}{option})" if inverse else f"{centre}{option}"
        shared.append(f"{name}{option} = {value}")
        return
    plates.population += _of_arguments(name, prior, without=location)
    if "treatment" not in over:
        stated = _stated(name, prior, {location: f"{centre}{option}"})
        plates.subject.append(f"{name}{option} ~ {stated}")
        return
    effect = f"effect on {name}{option}"
    if prior.distribution == "Gamma":
        plates.subject.append(f"{effect} ~ {_stated(name, prior, {location: '1'})}")
        plates.both.append(f"{name}{option} = {centre}{option} × {effect}")
        return
    family = "StudentT" if prior.distribution == "StudentT" else "Normal"
    plates.subject.append(f"{effect} ~ {_stated(name, prior, {location: '0'}, family)}")
    plates.both.append(f"{name}{option} = {inverse}({centre}{option} + {effect})")


def _add_regressed(plates: _Plates, parameter: Parameter, model: Model, prefix: str) -> None:
    """A parameter whose population's location is what a formula says."""
    name, prior = f"{prefix}{parameter.name}", model.priors[parameter.name]
    location = str(prior.family.location)
    plates.population += _of_arguments(name, prior)
    inner = f"{name}_{location}"
    if not isinstance(prior.arguments[location], Prior):
        inner = _numbers(prior.arguments[location])
    _add_coefficients(plates, parameter, model, prefix)
    gamma = prior.distribution == "Gamma"
    right = _right_side(parameter, model, prefix)
    by_treatment = "treatment" in model.varies[parameter.name]
    where = plates.both if by_treatment else plates.subject
    inner = f"log({inner})" if gamma else inner
    where.append(f"location of {name} = {inner} + {right}")
    effect = f"effect on {name}"
    family = {"Gamma": "Gamma", "StudentT": "StudentT"}.get(prior.distribution, "Normal")
    stated = _stated(name, prior, {location: "1" if gamma else "0"}, family)
    plates.subject.append(f"{effect} ~ {stated}")
    whole = f"location of {name} + {effect}"
    if gamma:
        value = f"exp(location of {name}) × {effect}"
    else:
        inverse = _INVERSES[prior.distribution]
        value = f"{inverse}({whole})" if inverse else whole
    where.append(f"{name} = {value}")


def _add_coefficients(plates: _Plates, parameter: Parameter, model: Model, prefix: str) -> None:
    name, formula = f"{prefix}{parameter.name}", model.formulas[parameter.name]
    if formula.has_slopes:
        slope, prior = f"{name}_slope", model.priors[f"{parameter.name}_slope"]
        plates.population += _of_arguments(slope, prior)
        plates.population.append(f"{slope} ~ {_stated(slope, prior)} of each column of {formula}")
    if formula.grouped:
        spread, prior = f"{name}_group_sigma", model.priors[f"{parameter.name}_group_sigma"]
        plates.population += _of_arguments(spread, prior)
        plates.population.append(f"{spread} ~ {_stated(spread, prior)}")
        plates.group.append(f"{name}_group_effect ~ Normal(mu=0, sigma={spread})")


def _right_side(parameter: Parameter, model: Model, prefix: str) -> str:
    """What a formula adds to the location."""
    name, formula = f"{prefix}{parameter.name}", model.formulas[parameter.name]
    parts = [f"columns × {name}_slope"] if formula.has_slopes else []
    parts += [f"{name}_group_effect"] if formula.grouped else []
    return " + ".join(parts) or "0"


def _of_arguments(name: str, prior: Prior, without: str = "") -> list[str]:
    """Lines on the arguments that are priors themselves, the outermost first."""
    found: list[str] = []
    for key, value in prior.arguments.items():
        if isinstance(value, Prior) and key != without:
            found += _of_arguments(f"{name}_{key}", value)
            found.append(f"{name}_{key} ~ {_stated(f'{name}_{key}', value)}")
    return found


def _stated(
    name: str, prior: Prior, instead: Mapping[str, str] | None = None, family: str = ""
) -> str:
    """A distribution whose arguments with priors are named, some or its family replaced."""
    parts = {
        key: f"{name}_{key}" if isinstance(value, Prior) else _numbers(value)
        for key, value in prior.arguments.items()
    } | dict(instead or {})
    return f"{family or prior.distribution}({', '.join(f'{k}={v}' for k, v in parts.items())})"


def _numbers(value: float | tuple[float, ...]) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(f"{v:g}" for v in value) + "]"
    return f"{value:g}"


def _response_lines(model: Model, game: Game | None, prefix: str) -> list[str]:
    """What the theory answers, and what choices are made of it."""
    seen, choice = _SEEN_AND_CHOSEN[model.spec.kind, model.role]
    conventions = model.conventions if game is None else model.settle(game)
    names = [p.name for p in model.parameters]
    needed = [name for name in names if name not in _RESPONSE]
    if conventions.get("expected_action") == "quantal":
        needed.append("response_precision")
    own = {name: f"{prefix}{name}" for name in names}
    after = f"; {', '.join(own[name] for name in needed)}" if needed else ""
    if model.spec.kind == "finite":
        answer = f"utility = {model.name}({seen}, {choice}{after})"
        precision = f"{own['response_precision']} × " if "response_precision" in own else ""
        rule = f"softmax({precision}utility)"
        if "lapse" in own:
            lapse = own["lapse"]
            rule = f"(1 - {lapse}) × {rule} + {lapse} / number of {choice}s"
        return [answer, f"P({choice}) = {rule}"]
    noise = f"sigma={own['response_noise']} × a"
    family = "Normal(" if conventions["noise"] == "normal" else "StudentT(nu=4, "
    return [
        f"best {choice} = {model.name}({seen}{after})",
        f"{choice} ~ {family}mu=best {choice}, {noise}), censored at the ends of its range",
    ]


# Tables


def _text(model: Model) -> str:
    return f"{model.spec.description} Source: {model.spec.citation}."


def _parameter_table(model: Model) -> pd.DataFrame:
    rows = [
        {
            "parameter": p.name,
            "symbol": p.symbol,
            "meaning": p.meaning,
            "unit": p.unit + (f" (reported in {p.report_unit}, too)" if p.report_unit else ""),
            "support": _SUPPORTS.get(p.support) or f"shares of {', '.join(model.shares[p.name])}",
            "varies over": _varies(p, model),
            "prior": _prior(p, model),
            "scale": _SCALES.get(model.priors[p.name].distribution, "natural"),
        }
        for p in model.parameters
    ]
    return pd.DataFrame(
        [*rows, *(row for p in model.parameters for row in _coefficients(p, model))]
    )


def _coefficients(parameter: Parameter, model: Model) -> Iterable[dict[str, str]]:
    """Rows on the slopes of a parameter's formula and its effects of groups."""
    name, formula = parameter.name, model.formulas.get(parameter.name)
    if formula is None:
        return
    of_shares = parameter.support == "simplex"
    whose = model.priors[name].distribution
    scale = "log odds" if of_shares else _SCALES.get(whose, "natural")
    scale = "link (log)" if whose == "Gamma" else scale
    other = f"{name} other than {model.shares[name][0]}, " if of_shares else ""
    for part, symbol, meaning, over, support in (
        (
            "slope",
            "b",
            f"effects on {name} by the formula {formula}, for one standard deviation of each "
            "column, or from 0 to 1 where it holds nothing else",
            f"{other}column",
            "real",
        ),
        ("group_sigma", "τ", f"spread of effects of groups on {name}", "nothing", "positive"),
    ):
        if f"{name}_{part}" in model.priors:
            yield {
                "parameter": f"{name}_{part}",
                "symbol": symbol,
                "meaning": meaning,
                "unit": "",
                "support": _SUPPORTS[support],
                "varies over": over,
                "prior": str(model.priors[f"{name}_{part}"]),
                "scale": scale,
            }


def _varies(parameter: Parameter, model: Model) -> str:
    over, prior = list(model.varies[parameter.name]), model.priors[parameter.name]
    if "subject" in over and not (prior.hierarchical or isinstance(prior, CustomPrior)):
        over = ["subject"]
    found = [*over, *([parameter.option] if parameter.option else [])]
    return ", ".join(found) or "nothing"


def _prior(parameter: Parameter, model: Model) -> str:
    """The prior as far as it is used: without subjects, the spread of a population is not."""
    prior = model.priors[parameter.name]
    if "subject" in model.varies[parameter.name] or not prior.hierarchical:
        return str(prior)
    location = prior.arguments[str(prior.family.location)]
    stated = str(location) if isinstance(location, Prior) else _numbers(location)
    inverse = _INVERSES[prior.distribution]
    return f"{inverse} of {stated}" if inverse else stated


def _convention_table(model: Model, game: Game | None) -> pd.DataFrame:
    settled = model.conventions if game is None else model.settle(game)
    rows = [
        {
            "convention": c.name,
            "value": "by the game" if settled[c.name] is None else str(settled[c.name]),
            "choices": ", ".join(map(str, c.choices)) or "a whole number from 0",
            "meaning": c.meaning,
        }
        for c in model.spec.conventions
    ]
    return pd.DataFrame(rows, columns=["convention", "value", "choices", "meaning"])


def _prefixed(table: pd.DataFrame, column: str, prefix: str) -> pd.DataFrame:
    return table.assign(**{column: prefix + table[column].astype(str)})


def _records(table: pd.DataFrame) -> Iterable[dict[str, str]]:
    return ({str(k): str(v) for k, v in row.items()} for row in table.to_dict("records"))


def _markdown_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', r'\|') for cell in cells)} |"


def _parameter_line(row: Mapping[str, str]) -> str:
    unit = f"; {row['unit']}" if row["unit"] else ""
    return _wrapped(
        f"{row['symbol']} {row['parameter']}: {row['meaning']}{unit}. Support: {row['support']}. "
        f"Varies over: {row['varies over']}. Prior: {row['prior']}, scale: {row['scale']}."
    )


def _convention_line(row: Mapping[str, str]) -> str:
    return _wrapped(
        f"{row['convention']} = {row['value']} (choices: {row['choices']}). {row['meaning']}"
    )


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="  ", subsequent_indent="      ")
