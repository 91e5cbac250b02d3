"""The models, declared as data, and how a declared model meets trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.games import Game, Role
from trustbayes.models.formula import Formula
from trustbayes.models.joint import Joint
from trustbayes.models.model import Model
from trustbayes.priors.code import custom_priors_from
from trustbayes.priors.prior import Prior
from trustbayes.theories.benchmarks.declaration import BABBLING, FULL_TRUST
from trustbayes.theories.digest import spec_digest
from trustbayes.theories.hybrid.declaration import NAME as HYBRID
from trustbayes.theories.level_k.declaration import NAME as LEVEL_K
from trustbayes.theories.mixture.declaration import NAME as MIXTURE
from trustbayes.theories.registry import REGISTRY, Registry, register
from trustbayes.theories.spec import Convention, Guide, Line, Look, ModelSpec, Parameter
from trustbayes.theories.trust_embedded.declaration import NAME as TRUST_EMBEDDED
from trustbayes.theories.values import Values

__all__ = [
    "SPECS",
    "Babbling",
    "Convention",
    "FullTrust",
    "Guide",
    "Hybrid",
    "Joint",
    "LevelK",
    "Line",
    "Look",
    "Mixture",
    "Model",
    "ModelSpec",
    "Parameter",
    "TrustEmbedded",
    "Values",
    "model",
    "model_from_dict",
    "model_names",
    "register",
]

SPECS: Registry = REGISTRY
"""Every model the package knows, those that users have registered included."""


def model_names(
    kind: str | None = None, *, role: Role | None = None, by_default: bool = False
) -> tuple[str, ...]:
    """Names of the models, in the order of reports.

    Parameters
    ----------
    kind : str, optional
        Only those for this kind of game.
    role : "sender" or "receiver", optional
        Only those of their choices: a theory may be of one role.
    by_default : bool
        Only those that a report has unless models are named.

    Returns
    -------
    tuple of str

    Raises
    ------
    InputError
        If an installed package declares theories that cannot be loaded.
    """
    return REGISTRY.names(kind, role=role, by_default=by_default)


def model(name: str, role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """A model by its name.

    Parameters
    ----------
    name : str
        One of `model_names`.
    role : "sender" or "receiver"
    game : Game or str
        The game, or its kind: "finite", "forecast-sharing", "interval" or "recommendation".
    **settings
        ``priors``, ``varies``, ``parametrisation``, ``formulas`` and conventions, see `Model`.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        If the name, the role or the kind of game is unknown.
    ValueError
        If a setting is.

    Examples
    --------
    >>> model("level-k", role="sender", max_level=2).types
    ('0', '1', '2')
    """
    kind = game if isinstance(game, str) else game.kind
    return Model(REGISTRY.spec(name, role, kind), **settings)


def model_from_dict(
    form: Mapping[str, Any],
    priors: Mapping[Any, Any] | None = None,
    spec: ModelSpec | None = None,
) -> Model:
    """Read back what `Model.to_dict` wrote.

    Parameters
    ----------
    form : mapping
    priors : mapping of str or tuple of str to callable, optional
        The priors that are Python code: the form holds their source, which is never run.
    spec : ModelSpec, optional
        What the model was declared by; default: what is registered under its name.

    Returns
    -------
    Model
        Without the callables, fit for all that needs no draws from the prior.

    Raises
    ------
    InputError
        If a callable is another than the form's, or the spec computes something else than that of
        the model which was written: nothing takes its place silently.
    """
    spec = _spec_of(form, spec)
    custom = custom_priors_from(form["priors"], priors)
    plain = {n: Prior.from_dict(prior) for n, prior in form["priors"].items() if n not in custom}
    return Model(
        spec,
        priors=plain | custom,
        varies={name: tuple(over) for name, over in form["varies"].items()},
        parametrisation=form["parametrisation"],
        formulas={
            name: Formula.from_dict(formula, f"formula of {name}")
            for name, formula in form.get("formulas", {}).items()
        },
        **form["conventions"],
    )


def _spec_of(form: Mapping[str, Any], given: ModelSpec | None) -> ModelSpec:
    """The spec by which a model was declared; the form of version 0.1 holds the name only."""
    name, role, kind = form["name"], form["role"], form["kind"]
    place = f"model {name}, {role}, {kind} game"
    known = [s for s in SPECS if (s.name, s.role, s.kind) == (name, role, kind)]
    if given is None and not known:
        near = suggestion(name, SPECS.names(kind))
        expected = f"a theory that is registered, see trustbayes.register: {near}"
        raise InputError(Fault(place, name, expected))
    spec = known[0] if given is None else given
    if form.get("spec") not in (None, spec_digest(spec)):
        where = "registered under its name here" if given is None else "given"
        expected = (
            f"the spec that the model was declared by, {form['spec']}; that {where} computes "
            "something else: take the version that wrote it, give it as spec, or fit again"
        )
        raise InputError(Fault(f"{place}, spec", spec_digest(spec), expected))
    return spec


def TrustEmbedded(role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """The trust-embedded model; see `model` for the arguments."""
    return model(TRUST_EMBEDDED, role, game, **settings)


def LevelK(role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """The level-k model; see `model` for the arguments."""
    return model(LEVEL_K, role, game, **settings)


def Mixture(role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """The mixture of theories; see `model` for the arguments."""
    return model(MIXTURE, role, game, **settings)


def Hybrid(role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """Level-k thinking with lying aversion or trust; see `model` for the arguments."""
    return model(HYBRID, role, game, **settings)


def Babbling(role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """The babbling benchmark; see `model` for the arguments."""
    return model(BABBLING, role, game, **settings)


def FullTrust(role: Role, game: Game | str = "finite", **settings: Any) -> Model:
    """The full-trust benchmark; see `model` for the arguments."""
    return model(FULL_TRUST, role, game, **settings)
