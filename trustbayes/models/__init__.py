"""The models, declared as data, and how a declared model meets trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.errors import suggestion
from trustbayes.games.finite import Role
from trustbayes.models.axes import Axes, Values
from trustbayes.models.finite import benchmarks, level_k, trust_embedded
from trustbayes.models.model import Model
from trustbayes.models.spec import Convention, ModelSpec, Parameter
from trustbayes.priors import Prior

__all__ = [
    "SPECS",
    "Axes",
    "Babbling",
    "Convention",
    "FullTrust",
    "LevelK",
    "Model",
    "ModelSpec",
    "Parameter",
    "TrustEmbedded",
    "Values",
    "model",
    "model_from_dict",
    "model_names",
]

SPECS: tuple[ModelSpec, ...] = (
    trust_embedded.SENDER,
    trust_embedded.RECEIVER,
    level_k.SENDER,
    level_k.RECEIVER,
    benchmarks.BABBLING_SENDER,
    benchmarks.BABBLING_RECEIVER,
    benchmarks.FULL_TRUST_SENDER,
    benchmarks.FULL_TRUST_RECEIVER,
)
"""Every model the package knows."""


def model_names() -> tuple[str, ...]:
    """Names of the models, in the order of reports."""
    return tuple(dict.fromkeys(spec.name for spec in SPECS))


def model(name: str, role: Role, **settings: Any) -> Model:
    """A model by its name.

    Parameters
    ----------
    name : str
        One of `model_names`.
    role : "sender" or "receiver"
    **settings
        ``priors``, ``varies``, ``parametrisation`` and conventions, see `Model`.

    Returns
    -------
    Model

    Raises
    ------
    ValueError
        If the name, the role or a setting is unknown.

    Examples
    --------
    >>> model("level-k", role="sender", max_level=2).types
    ('0', '1', '2')
    """
    if name not in model_names():
        raise ValueError(f"model: found {name!r}, expected {suggestion(name, model_names())}")
    for spec in SPECS:
        if (spec.name, spec.role) == (name, role):
            return Model(spec, **settings)
    raise ValueError(f"role: found {role!r}, expected sender or receiver")


def model_from_dict(form: Mapping[str, Any]) -> Model:
    """Read back what `Model.to_dict` wrote."""
    return model(
        form["name"],
        form["role"],
        priors={name: Prior.from_dict(prior) for name, prior in form["priors"].items()},
        varies={name: tuple(over) for name, over in form["varies"].items()},
        parametrisation=form["parametrisation"],
        **form["conventions"],
    )


def TrustEmbedded(role: Role, **settings: Any) -> Model:
    """The trust-embedded model; see `model` for the settings."""
    return model("trust-embedded", role, **settings)


def LevelK(role: Role, **settings: Any) -> Model:
    """The level-k model; see `model` for the settings."""
    return model("level-k", role, **settings)


def Babbling(role: Role, **settings: Any) -> Model:
    """The babbling benchmark; see `model` for the settings."""
    return model("babbling", role, **settings)


def FullTrust(role: Role, **settings: Any) -> Model:
    """The full-trust benchmark; see `model` for the settings."""
    return model("full-trust", role, **settings)
