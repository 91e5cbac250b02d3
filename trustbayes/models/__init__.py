"""The models, declared as data, and how a declared model meets trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.errors import suggestion
from trustbayes.games import Game, Role
from trustbayes.models.formula import Formula
from trustbayes.models.joint import Joint
from trustbayes.models.model import Model
from trustbayes.priors.code import custom_priors_from
from trustbayes.priors.prior import Prior
from trustbayes.theories import registry as finite, registry as forecast
from trustbayes.theories.spec import Convention, ModelSpec, Parameter
from trustbayes.theories.values import Values

__all__ = [
    "SPECS",
    "Babbling",
    "Convention",
    "FullTrust",
    "Hybrid",
    "Joint",
    "LevelK",
    "Mixture",
    "Model",
    "ModelSpec",
    "Parameter",
    "TrustEmbedded",
    "Values",
    "model",
    "model_from_dict",
    "model_names",
]

SPECS: tuple[ModelSpec, ...] = (*finite.FINITE_SPECS, *forecast.FORECAST_SPECS)
"""Every model the package knows."""


def model_names(kind: str | None = None, *, by_default: bool = False) -> tuple[str, ...]:
    """Names of the models, in the order of reports.

    Parameters
    ----------
    kind : str, optional
        Only those for this kind of game.
    by_default : bool
        Only those that a report has unless told which to have.

    Returns
    -------
    tuple of str
    """
    return tuple(
        dict.fromkeys(
            spec.name
            for spec in SPECS
            if kind in (None, spec.kind) and (spec.by_default or not by_default)
        )
    )


def model(name: str, role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """A model by its name.

    Parameters
    ----------
    name : str
        One of `model_names`.
    role : "sender" or "receiver"
    game : Game or str
        The game, or its kind: "finite" or "forecast-sharing".
    **settings
        ``priors``, ``varies``, ``parametrisation``, ``formulas`` and conventions, see `Model`.

    Returns
    -------
    Model

    Raises
    ------
    ValueError
        If the name, the role, the kind of game or a setting is unknown.

    Examples
    --------
    >>> model("level-k", role="sender", max_level=2).types
    ('0', '1', '2')
    """
    kind = game if isinstance(game, str) else game.kind
    kinds = tuple(dict.fromkeys(spec.kind for spec in SPECS))
    for what, found, known in (
        ("game", kind, kinds),
        ("model", name, model_names(kind)),
    ):
        if found not in known:
            raise ValueError(f"{what}: found {found!r}, expected {suggestion(found, known)}")
    if role not in ("sender", "receiver"):
        raise ValueError(f"role: found {role!r}, expected sender or receiver")
    [spec] = [s for s in SPECS if (s.name, s.role, s.kind) == (name, role, kind)]
    return Model(spec, **settings)


def model_from_dict(form: Mapping[str, Any], priors: Mapping[Any, Any] | None = None) -> Model:
    """Read back what `Model.to_dict` wrote.

    Parameters
    ----------
    form : mapping
    priors : mapping of str or tuple of str to callable, optional
        The priors that are Python code: the form holds their source, which is never run.

    Returns
    -------
    Model
        Without the callables, fit for all that needs no draws from the prior.

    Raises
    ------
    InputError
        If a callable is another than the form's.
    """
    coded = custom_priors_from(form["priors"], priors)
    plain = {n: Prior.from_dict(one) for n, one in form["priors"].items() if n not in coded}
    return model(
        form["name"],
        form["role"],
        form["kind"],
        priors=plain | coded,
        varies={name: tuple(over) for name, over in form["varies"].items()},
        parametrisation=form["parametrisation"],
        formulas={
            name: Formula.from_dict(one, f"formula of {name}")
            for name, one in form.get("formulas", {}).items()
        },
        **form["conventions"],
    )


def TrustEmbedded(role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """The trust-embedded model; see `model` for the arguments."""
    return model("trust-embedded", role, game, **settings)


def LevelK(role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """The level-k model; see `model` for the arguments."""
    return model("level-k", role, game, **settings)


def Mixture(role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """The mixture of theories; see `model` for the arguments."""
    return model("mixture", role, game, **settings)


def Hybrid(role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """Level-k thinking with lying aversion or trust; see `model` for the arguments."""
    return model("hybrid", role, game, **settings)


def Babbling(role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """The babbling benchmark; see `model` for the arguments."""
    return model("babbling", role, game, **settings)


def FullTrust(role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """The full-trust benchmark; see `model` for the arguments."""
    return model("full-trust", role, game, **settings)
