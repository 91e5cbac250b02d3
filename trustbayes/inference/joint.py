"""Fits of both roles together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import xarray as xr

from trustbayes.games import Game, Role
from trustbayes.inference.choice import nuts_of_both
from trustbayes.inference.engines.compiled import Sampled
from trustbayes.inference.engines.nuts import Adaptation, sample
from trustbayes.inference.fit import Fit, game_of, read_file, write_file
from trustbayes.inference.gate import Gate
from trustbayes.inference.prolonged import mixed
from trustbayes.inference.records import described, fit_key, recorded
from trustbayes.inference.sampling import Sampling
from trustbayes.models.joint import Joint, check_roles
from trustbayes.models.parametrisation.pilot import pilot
from trustbayes.priors.prior import Prior
from trustbayes.trials.table import Trials

__all__ = ["JointFit", "fit_joint", "load_joint_fit"]

_ROLES: tuple[Role, Role] = ("sender", "receiver")


@dataclass(frozen=True, eq=False)
class JointFit:
    """Both roles, fitted together.

    Parameters
    ----------
    joint : Joint
    sender, receiver : Fit
        The two halves, to be used as any fit: their draws belong together, draw by draw. The
        sender's posterior holds ``expected_trust`` and, if it is estimated, ``trust_gap`` (logit
        scale), shape (chain, draw, treatment).
    """

    joint: Joint
    sender: Fit
    receiver: Fit

    @cached_property
    def gate(self) -> Gate:
        """The convergence gate over the parameters of both halves."""
        pairs = zip(self.sender.gate.checks, self.receiver.gate.checks, strict=True)
        return Gate(
            tuple(max(pair, key=lambda c: c.value if c.at_most else -c.value) for pair in pairs)
        )

    def save(self, path: str | Path) -> Path:
        """Write the fit to one NetCDF file, whole or not at all.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        Path

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        groups = {
            f"{role}/{name}": data
            for role in _ROLES
            for name, data in getattr(self, role).parts.items()
        }
        manifest = {role: getattr(self, role).manifest for role in _ROLES}
        common = {"format": manifest["sender"]["format"], "joint": self.joint.to_dict()}
        write_file(Path(path), groups, common | manifest)
        return Path(path)


def fit_joint(
    joint: Joint,
    trials: Trials,
    sampling: Sampling | None = None,
    *,
    progress: bool = True,
    cores: int | None = None,
) -> JointFit:
    """Sample the posterior of a joint model with nutpie's NUTS.

    Parameters
    ----------
    joint : Joint
    trials : Trials
        With both roles.
    sampling : Sampling, optional
        Default: 4 chains of 1,000 draws after 500 steps of warm-up.
    progress : bool
        Whether to show a progress bar.
    cores : int, optional
        Chains at a time; default: as many as the machine has cores.

    Returns
    -------
    JointFit

    Raises
    ------
    InputError
        If the trials lack a role, or are of another kind of game, or the population engine is
        asked for.

    Examples
    --------
    >>> import trustbayes as tb
    >>> joint = tb.Joint(tb.TrustEmbedded("sender"), tb.TrustEmbedded("receiver"))
    >>> fit = tb.fit_joint(joint, trials)  # doctest: +SKIP
    >>> tb.trust_gap(fit.sender, fit.receiver)  # doctest: +SKIP
    """
    sampling, game = nuts_of_both(sampling or Sampling()), trials.game
    for model in joint.models.values():
        model.check_kind(game)
    check_roles(trials)
    units = {role: joint.models[role].fold(trials) for role in _ROLES}
    pilots = {role: pilot(joint.models[role], units[role], game) for role in _ROLES}

    def run(how: Sampling) -> tuple[None, Sampled]:
        graph = joint.build_units(units, game, pilots)
        adaptation: Adaptation = "low_rank" if units["sender"].continuous else "diag"
        return None, sample(graph, how, progress=progress, cores=cores, adaptation=adaptation)

    _, sampled, prolonged = mixed(run, sampling, "both roles")
    common = {
        "key": fit_key(joint, trials, sampling),
        "joint": joint.to_dict(),
        **recorded(trials, sampling, sampled.seconds),
        **prolonged,
    }
    halves = {
        role: Fit(
            model=joint.models[role],
            game=game,
            units=units[role],
            posterior=_half(sampled.posterior, role),
            sample_stats=sampled.sample_stats,
            manifest=common | described(joint.models[role], pilots[role], game),
        )
        for role in _ROLES
    }
    return JointFit(joint, **halves)


def load_joint_fit(path: str | Path, game: Game | None = None) -> JointFit:
    """Read a joint fit from its file.

    Parameters
    ----------
    path : str or Path
    game : Game, optional
        Needed only if its payoffs are Python functions, which a file cannot hold.

    Returns
    -------
    JointFit

    Raises
    ------
    InputError
        If the file is missing, is no joint fit, or holds a fit of another format or game.
    """
    manifest, groups = read_file(path, "joint")
    halves: dict[str, Any] = {}
    for role in _ROLES:
        of_role = manifest[role]
        parts = {
            name.removeprefix(f"{role}/"): data
            for name, data in groups.items()
            if name.startswith(f"{role}/")
        }
        halves[role] = Fit.of(of_role, parts, game_of(path, of_role, game))
    gap = manifest["joint"]["gap"]
    joint = Joint(
        halves["sender"].model,
        halves["receiver"].model,
        None if gap is None else Prior.from_dict(gap),
    )
    return JointFit(joint, **halves)


def _half(posterior: xr.Dataset, role: Role) -> xr.Dataset:
    """The variables of a role, under the names that they have in a fit of its own."""
    prefix = f"{role}_"
    unprefixed = {"trust_gap"} if role == "sender" else set()
    kept = [n for n in posterior.data_vars if str(n).startswith(prefix) or n in unprefixed]
    half = posterior[kept]
    names: Mapping[Any, str] = {
        name: str(name).removeprefix(prefix)
        for name in [*half.data_vars, *half.dims]
        if str(name).startswith(prefix)
    }
    return half.rename(names)
