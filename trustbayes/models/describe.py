"""What a model is, in words, as its settings and its theory's declaration say."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from trustbayes.games import Game
from trustbayes.models.description import Description
from trustbayes.models.plates import numbers, plates_of
from trustbayes.models.regression import coefficients
from trustbayes.models.settings import ModelSettings
from trustbayes.priors.code import CustomPrior
from trustbayes.priors.links import LOGIT
from trustbayes.priors.prior import Prior
from trustbayes.theories.spec import Parameter

__all__ = ["Description", "describe", "describe_joint"]

_SUPPORTS = {"positive": "positive", "unit": "0 to 1", "real": "real line"}


def describe(model: ModelSettings, game: Game | None = None) -> Description:
    """Describe a model; see `trustbayes.models.Model.describe`."""
    return Description(
        title=f"{model.spec.title}, {model.role}s, {model.spec.kind} game" + _formulas(model),
        text=_text(model),
        plates="\n".join(plates_of(model, game).lines()),
        parameters=_parameter_table(model),
        conventions=_convention_table(model, game),
    )


def _formulas(model: ModelSettings) -> str:
    names = " and ".join(model.formulas)
    return f", with a formula of {names}" if names else ""


def describe_joint(
    sender: ModelSettings, receiver: ModelSettings, gap: Prior | None, game: Game | None = None
) -> Description:
    """Describe a model of both roles; see `trustbayes.models.Joint.describe`."""
    models = {"sender": sender, "receiver": receiver}
    tied = f"expit(logit(mean of receiver_trust){'' if gap is None else ' + trust_gap'})"
    receiver_plates = plates_of(receiver, game, "receiver_")
    sender_plates = plates_of(sender, game, "sender_", {"expected_trust": tied})
    tables = [
        _prefixed(_parameter_table(model), "parameter", f"{role}_")
        for role, model in models.items()
    ]
    parameters = pd.concat(tables, ignore_index=True)
    of_trust = parameters["parameter"] == "sender_expected_trust"
    parameters.loc[of_trust, ["prior", "scale"]] = [tied, "follows from others"]
    if gap is not None:
        sender_plates.treatment.insert(0, f"trust_gap ~ {gap}")
        parameters.loc[len(parameters)] = [
            "trust_gap",
            "γ",
            "trust that senders expect beyond the mean trust of receivers",
            "log odds",
            _SUPPORTS["real"],
            "treatment",
            str(gap),
            LOGIT.scale,
        ]
    return Description(
        title=f"{receiver.spec.title} and {sender.spec.title}, both roles, {sender.spec.kind} game",
        text=" ".join(_text(model) for model in models.values()),
        plates="\n".join(
            line
            for role, plates in (("receivers", receiver_plates), ("senders", sender_plates))
            for line in (role, *(f"  {line}" for line in plates.lines()))
        ),
        parameters=parameters,
        conventions=pd.concat(
            [
                _prefixed(_convention_table(model, game), "convention", f"{role}: ")
                for role, model in models.items()
            ],
            ignore_index=True,
        ),
    )


def _text(model: ModelSettings) -> str:
    return f"{model.spec.description} Source: {model.spec.citation}."


def _parameter_table(model: ModelSettings) -> pd.DataFrame:
    rows = [
        {
            "parameter": p.name,
            "symbol": p.symbol,
            "meaning": p.meaning,
            "unit": p.unit + (f" (reported in {p.report_unit}, too)" if p.report_unit else ""),
            "support": _SUPPORTS.get(p.support) or f"shares of {', '.join(model.shares[p.name])}",
            "varies over": _varies(p, model),
            "prior": _prior(p, model),
            "scale": model.priors[p.name].family.scale,
        }
        for p in model.parameters
    ]
    return pd.DataFrame(
        [*rows, *(row for p in model.parameters for row in _coefficients(p, model))]
    )


def _coefficients(parameter: Parameter, model: ModelSettings) -> Iterable[dict[str, str]]:
    """Rows on the slopes of a parameter's formula and its effects of groups."""
    name, formula = parameter.name, model.formulas.get(parameter.name)
    if formula is None:
        return
    of_shares = parameter.support == "simplex"
    scale = "log odds" if of_shares else model.priors[name].family.link.scale
    other = f"{name} other than {model.shares[name][0]}, " if of_shares else ""
    slope, group_sigma = coefficients(name)
    for variable, symbol, meaning, over in (
        (
            slope,
            "b",
            f"effects on {name} by the formula {formula}, for one standard deviation of each "
            "column, or from 0 to 1 where it holds nothing else",
            f"{other}column",
        ),
        (group_sigma, "τ", f"spread of effects of groups on {name}", "nothing"),
    ):
        if variable in model.priors:
            prior = model.priors[variable]
            yield {
                "parameter": variable,
                "symbol": symbol,
                "meaning": meaning,
                "unit": "",
                "support": _SUPPORTS[prior.family.support],
                "varies over": over,
                "prior": str(prior),
                "scale": scale,
            }


def _varies(parameter: Parameter, model: ModelSettings) -> str:
    over, prior = list(model.varies[parameter.name]), model.priors[parameter.name]
    if "subject" in over and not (prior.hierarchical or isinstance(prior, CustomPrior)):
        over = ["subject"]
    return ", ".join([*over, *([parameter.option] if parameter.option else [])]) or "nothing"


def _prior(parameter: Parameter, model: ModelSettings) -> str:
    """The prior as far as it is used: without subjects, the spread of a population is not."""
    prior = model.priors[parameter.name]
    if "subject" in model.varies[parameter.name] or not prior.hierarchical:
        return str(prior)
    location = prior.arguments[str(prior.family.location)]
    stated = str(location) if isinstance(location, Prior) else numbers(location)
    inverse = prior.family.inverse_name
    return f"{inverse} of {stated}" if inverse else stated


def _convention_table(model: ModelSettings, game: Game | None) -> pd.DataFrame:
    values = model.conventions if game is None else model.resolve_conventions(game)
    rows = [
        {
            "convention": c.name,
            "value": "by the game" if values[c.name] is None else str(values[c.name]),
            "choices": ", ".join(map(str, c.choices)) or "a whole number from 0",
            "meaning": c.meaning,
        }
        for c in model.spec.conventions
    ]
    return pd.DataFrame(rows, columns=["convention", "value", "choices", "meaning"])


def _prefixed(table: pd.DataFrame, column: str, prefix: str) -> pd.DataFrame:
    return table.assign(**{column: prefix + table[column].astype(str)})
