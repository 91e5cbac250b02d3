"""Both roles in one model: what senders expect of receivers, tied to what receivers do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from trustbayes.errors import Fault, InputError
from trustbayes.games import Game, Role
from trustbayes.models.describe import Description, describe_joint
from trustbayes.models.graph import add_to
from trustbayes.models.model import Model
from trustbayes.models.parametrisation.information import Information
from trustbayes.priors.links import LOGIT, logit_normal_mean
from trustbayes.priors.prior import Prior
from trustbayes.trials.table import Trials
from trustbayes.trials.units import Units

__all__ = ["GAP", "Joint", "check_roles"]

GAP = Prior("Normal", mu=0.0, sigma=1.0)
"""Prior of the trust gap of each treatment, on the logit scale."""


@dataclass(frozen=True, eq=False)
class Joint:
    r"""A model of senders and one of receivers, fitted together.

    The trust that senders expect in a treatment is tied to the mean trust of the population of
    receivers there,

    .. math:: \operatorname{logit} \alpha^e_t = \operatorname{logit} \bar\alpha_t + \gamma_t ,

    where the **trust gap** γ is estimated: above zero, senders expect more trust than receivers
    give. Without a gap senders know the receivers' mean trust ("rational expectations").

    Parameters
    ----------
    sender : Model
        With an expected trust that varies by treatment.
    receiver : Model
        With a trust whose population is logit-normal, or that all receivers share.
    gap : Prior or None
        Of each treatment's trust gap, on the logit scale; None for rational expectations.

    Raises
    ------
    ValueError
        If a model is of the wrong role or lacks the parameter, if the two are of different kinds
        of game, the gap's prior is not on the real line, or a prior is Python code.

    References
    ----------
    Özer, Zheng and Chen (2011), Management Science 57(6), section on the trust-embedded model;
    as specified here.

    Examples
    --------
    >>> from trustbayes.models import TrustEmbedded
    >>> joint = Joint(TrustEmbedded("sender"), TrustEmbedded("receiver"))
    >>> joint.gap
    Normal(mu=0, sigma=1)
    """

    sender: Model
    receiver: Model
    gap: Prior | None = GAP

    def __post_init__(self) -> None:
        for role, parameter in (("sender", "expected_trust"), ("receiver", "trust")):
            model: Model = getattr(self, role)
            if model.role != role:
                raise ValueError(f"joint model, {role}: found a model of {model.role}s")
            if parameter not in {p.name for p in model.parameters}:
                raise ValueError(
                    f"joint model, {role}: {model.name} has no {parameter}; expected a model that "
                    "has, such as trust-embedded"
                )
        if self.sender.spec.kind != self.receiver.spec.kind:
            raise ValueError(
                f"joint model: found kinds of game {self.sender.spec.kind} and "
                f"{self.receiver.spec.kind}, expected the same"
            )
        for model in self.models.values():
            for name in model.code_priors:
                raise ValueError(
                    f"joint model, prior of {name}: found {model.priors[name]}, expected a "
                    "prior of the package"
                )
            for formula in model.formulas.values():
                raise InputError(Fault(f"joint model, {formula.place}", formula.text, "none"))
        over = self.sender.varies["expected_trust"]
        if over != ("treatment",):
            raise ValueError(
                f"joint model, varies of expected_trust: found {over!r}, expected ('treatment',)"
            )
        prior, over = self.receiver.priors["trust"], self.receiver.varies["trust"]
        if "subject" in over and not (prior.distribution == "LogitNormal" and prior.hierarchical):
            raise ValueError(
                f"joint model, prior of trust: found {prior}, expected a LogitNormal whose mu is "
                "a prior: senders are tied to the mean of a population"
            )
        if self.gap is not None and self.gap.family.support != "real":
            raise ValueError(
                f"joint model, prior of the gap: found {self.gap}, expected one on the real line"
            )

    @property
    def models(self) -> Mapping[Role, Model]:
        """The model of each role."""
        return {"sender": self.sender, "receiver": self.receiver}

    @property
    def name(self) -> str:
        """Names of the theories."""
        return f"joint {self.sender.name} and {self.receiver.name}"

    def describe(self, game: Game | None = None) -> Description:
        """Both models in words, and how they are tied; see `Model.describe`."""
        if game is not None:
            self.sender.check_kind(game)
        return describe_joint(self.sender, self.receiver, self.gap, game)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe form."""
        return {
            "sender": self.sender.to_dict(),
            "receiver": self.receiver.to_dict(),
            "gap": None if self.gap is None else self.gap.to_dict(),
        }

    def build(self, trials: Trials) -> pm.Model:
        """The PyMC model of both roles' trials.

        Parameters
        ----------
        trials : Trials
            With both roles.

        Returns
        -------
        pymc.Model
            Names of variables and dimensions begin with ``sender_`` or ``receiver_``, but for the
            dimension treatment and the variable ``trust_gap``.

        Raises
        ------
        InputError
            If a role's trials are missing, or the game is of another kind.
        """
        check_roles(trials)
        units = {role: model.fold(trials) for role, model in self.models.items()}
        return self.build_units(units, trials.game)

    def build_units(
        self,
        units: Mapping[Role, Units],
        game: Game,
        information: Mapping[Role, Information] | None = None,
    ) -> pm.Model:
        """As `build`, from the folded trials of both roles."""
        known = information or {}
        with pm.Model() as model:
            add_to(
                self.receiver,
                units["receiver"],
                game,
                known.get("receiver"),
                prefix="receiver_",
            )
            given = self._mean_trust(model, len(units["receiver"].treatments))
            expected = pt.log(given) - pt.log1p(-given)
            if self.gap is not None:
                expected = expected + self.gap.variable("trust_gap", ("treatment",))
            trust = pm.Deterministic(
                "sender_expected_trust", pm.math.sigmoid(expected), dims=("treatment",)
            )
            add_to(
                self.sender,
                units["sender"],
                game,
                known.get("sender"),
                prefix="sender_",
                given={"expected_trust": trust},
            )
        return model

    def _mean_trust(self, model: pm.Model, treatments: int) -> Any:
        """Mean of the population of receivers, shape (treatments,)."""
        prior, over = self.receiver.priors["trust"], self.receiver.varies["trust"]
        if "subject" not in over:
            return model["receiver_trust"] * np.ones(treatments)
        spread = prior.arguments["sigma"]
        location = prior.arguments["mu"]
        mean = logit_normal_mean(
            model["receiver_trust_mu"] if isinstance(location, Prior) else np.array(location),
            model["receiver_trust_sigma"] if isinstance(spread, Prior) else spread,
            LOGIT.symbolic,
        )
        return mean * np.ones(treatments)


def check_roles(trials: Trials) -> None:
    """Refuse trials of one role only.

    Raises
    ------
    InputError
    """
    for role in ("sender", "receiver"):
        if role not in trials.roles:
            raise InputError(Fault(trials.source, "", f"trials of the {role}, for a joint model"))
