"""What a fit says of how it was made, and the key that it goes by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from trustbayes.games import Game
from trustbayes.inference.choice import nuts_of_both, settled
from trustbayes.inference.fit import FORMAT
from trustbayes.inference.sampling import ENGINE, METHODS, Sampling, versions
from trustbayes.models import Model
from trustbayes.models.joint import Joint
from trustbayes.models.parametrisation.information import Information
from trustbayes.trials.table import Trials

__all__ = ["described", "fit_key", "recorded"]


def described(model: Model, information: Information | None, game: Game) -> dict[str, Any]:
    """What the manifest says of a model.

    Parameters
    ----------
    model : Model
    information : Information
        By which its last graph was built; None where no graph holds subjects.
    game : Game

    Returns
    -------
    dict
        JSON-safe.
    """
    form: dict[str, str] = {}
    if information is not None:
        placed = information.type_densities.placed if information.type_densities else ()
        form = {**information.form, **dict.fromkeys(placed, "placed")}
    return {
        "model": model.to_dict(),
        "conventions": dict(model.resolve_conventions(game)),
        "parametrisation": {
            p.name: model.parametrisation.get(p.name, form[p.name])
            for p in model.parameters
            if form and p.support != "simplex" and p.name not in model.code_priors
        },
    }


def recorded(
    trials: Trials, sampling: Sampling, seconds: Mapping[str, float], name: str = ""
) -> dict[str, Any]:
    """What the manifest says of data, sampler and time.

    Parameters
    ----------
    trials : Trials
    sampling : Sampling
        With the method that was used.
    seconds : mapping of str to float
    name : str
        The sampler's; default: that of the method.

    Returns
    -------
    dict
        JSON-safe.
    """
    return {
        "format": FORMAT,
        "game": trials.game.to_dict(),
        "game_checksum": trials.game.checksum,
        "data": {
            "source": trials.source,
            "checksum": trials.checksum,
            "exclusions": [[e.column, e.value, e.rows] for e in trials.exclusions],
        },
        "sampler": {"name": name or METHODS[sampling.method], **vars(sampling)},
        "versions": versions(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": dict(seconds),
    }


def fit_key(model: Model | Joint, trials: Trials, sampling: Sampling) -> str:
    """Identify a fit by its content: the same inputs have the same key.

    The method counts as the one that is used: "auto" has the key of what it comes to. That the
    engine meets a density without a highest point is known only when it has tried: such a fit by
    NUTS is kept and looked for under the name of the engine's, its own key is that of NUTS.

    Fits by the engine have its version in their key: those of an older one are made anew.

    What formulas take from people is a part of the model, so the trials without them are enough.

    Parameters
    ----------
    model : Model or Joint
    trials : Trials
    sampling : Sampling

    Returns
    -------
    str
        SHA-256 in hexadecimal digits.
    """
    if isinstance(model, Model):
        sampling, _ = settled(model, trials, sampling)
        if model.formulas:
            model = model.fixed_to(model.fold(trials))
    else:
        sampling = nuts_of_both(sampling)
    content: dict[str, Any] = {
        "format": FORMAT,
        "model": model.to_dict(),
        "game": trials.game.checksum,
        "data": trials.checksum,
        "layout": trials.game.layout.to_list(),
        "sampling": vars(sampling),
        "versions": versions(),
    }
    if sampling.method == "population":
        content["engine"] = ENGINE
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
