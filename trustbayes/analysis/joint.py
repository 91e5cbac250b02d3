"""Both roles' trust-embedded models, fitted together where that is asked for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from trustbayes.inference.joint import JointFit, fit_joint, load_joint_fit
from trustbayes.inference.records import fit_key
from trustbayes.inference.sampling import Sampling
from trustbayes.models import Joint, Model, TrustEmbedded
from trustbayes.models.joint import check_roles
from trustbayes.trials.table import Trials

__all__ = ["fit_both", "joint_of"]

_log = logging.getLogger(__name__)


def joint_of(chosen: Sequence[Model], trials: Trials) -> Joint:
    """The trust-embedded models of both roles tied together, those chosen where there are any."""
    check_roles(trials)
    sender, receiver = TrustEmbedded("sender", trials.game), TrustEmbedded("receiver", trials.game)
    for each in chosen:
        if each.name == sender.name and each.role == "sender":
            sender = each
        elif each.name == receiver.name and each.role == "receiver":
            receiver = each
    return Joint(sender, receiver)


def fit_both(
    both: Joint, trials: Trials, sampling: Sampling, folder: Path | None, progress: bool
) -> JointFit:
    """Fit the models of both roles together, or read their fit from the folder."""
    path = folder / f"joint-{fit_key(both, trials, sampling)[:16]}.nc" if folder else None
    if path is not None and path.exists():
        return load_joint_fit(path, trials.game)
    _log.info("fitting both roles together")
    fit = fit_joint(both, trials, sampling, progress=progress)
    if path is not None:
        fit.save(path)
    return fit
