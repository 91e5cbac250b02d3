"""PyMC models that a user has taken out, added to, and brings back to be sampled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pymc as pm

from trustbayes.errors import Fault, InputError, listing
from trustbayes.models.settings import ModelSettings
from trustbayes.trials.table import Trials

__all__ = ["added", "mark"]

_ATTRIBUTE = "_trustbayes_origin"
_KINDS = {
    "free": "free_RVs",
    "deterministic": "deterministics",
    "potential": "potentials",
    "observed": "observed_RVs",
}


@dataclass(frozen=True)
class _Origin:
    """What a PyMC model was built from, and what was in it then."""

    model: str
    trials: str
    game: str
    variables: Mapping[str, Any]


def mark(built: pm.Model, model: ModelSettings, trials: Trials) -> pm.Model:
    """Note on a PyMC model what it was built from.

    Parameters
    ----------
    built : pymc.Model
    model : ModelSettings
    trials : Trials

    Returns
    -------
    pymc.Model
        The same.
    """
    model = model.fixed_to(model.fold(trials))  # as it stands when it is fitted
    form = json.dumps(model.to_dict(), sort_keys=True)
    origin = _Origin(form, trials.checksum, trials.game.checksum, dict(built.named_vars))
    setattr(built, _ATTRIBUTE, origin)
    return built


def added(built: pm.Model, model: ModelSettings, trials: Trials) -> dict[str, list[str]]:
    """Names of what a user has added to a PyMC model that `Model.build` made.

    Parameters
    ----------
    built : pymc.Model
    model : ModelSettings
    trials : Trials

    Returns
    -------
    dict of str to list of str
        By kind: "free", "deterministic", "potential", "observed".

    Raises
    ------
    InputError
        If it was not built by the model from the trials, a variable was taken away or put in
        another's place, or a discrete one was added, which the sampler cannot draw.
    """
    place = f"built model of {model.name}, {model.role}"
    origin = getattr(built, _ATTRIBUTE, None)
    if not isinstance(origin, _Origin):
        expected = "the model that model.build(trials) made, with variables added to it"
        raise InputError(Fault(place, type(built).__name__, expected))
    faults = []
    form = json.dumps(model.to_dict(), sort_keys=True)
    if origin.model != form:
        faults.append(Fault(place, "one built by another model", "that of model.build(trials)"))
    if (origin.trials, origin.game) != (trials.checksum, trials.game.checksum):
        faults.append(Fault(place, "one built from other trials", f"those of {trials.source}"))
    lost = [n for n, v in origin.variables.items() if built.named_vars.get(n) is not v]
    if lost:
        expected = "all that model.build(trials) made, as it was"
        faults.append(Fault(place, f"no or another {listing(lost)}", expected))
    names = {
        kind: [str(v.name) for v in getattr(built, name) if v.name not in origin.variables]
        for kind, name in _KINDS.items()
    }
    discrete = [n for n in names["free"] if built[n].dtype.startswith(("int", "uint", "bool"))]
    if discrete:
        expected = "continuous variables: sum discrete ones out, as pm.Mixture does"
        faults.append(Fault(place, listing(discrete), expected))
    if faults:
        raise InputError(faults)
    return names
