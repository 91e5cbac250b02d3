"""Sampling, the convergence gate, and fits as files."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import nutpie
import xarray as xr

from trustbayes.cells import Cells, Points, Units
from trustbayes.errors import Fault, InputError
from trustbayes.games import Game, game_from_dict
from trustbayes.models import Model, model_from_dict
from trustbayes.models.evaluate import Draws
from trustbayes.models.pilot import pilot
from trustbayes.trials import Trials
from trustbayes.wholefile import write_whole

__all__ = ["Check", "Fit", "Gate", "Sampling", "fit", "load_fit"]

_FORMAT = 2


@dataclass(frozen=True)
class Sampling:
    """How to sample.

    Parameters
    ----------
    draws, tune, chains : int
        Kept draws and warm-up steps of each chain, and the number of chains.
    seed : int
    target_accept : float
        Between 0 and 1; higher means smaller steps and fewer divergences.
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    seed: int = 20110601
    target_accept: float = 0.85

    def __post_init__(self) -> None:
        for name, least in (("draws", 4), ("tune", 1), ("chains", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                expected = f"a whole number from {least}"
                raise InputError(Fault(f"sampling, {name}", str(value), expected))
        if not 0 < self.target_accept < 1:
            expected = "a number between 0 and 1"
            raise InputError(Fault("sampling, target_accept", str(self.target_accept), expected))


@dataclass(frozen=True)
class Check:
    """One condition of the gate.

    Parameters
    ----------
    name : str
    value : float
        The worst over all population and subject parameters.
    threshold : float
    at_most : bool
        Whether the value must not exceed the threshold, or not fall below it.
    worst : str
        Where the worst value stands.
    """

    name: str
    value: float
    threshold: float
    at_most: bool
    worst: str = ""

    @property
    def passed(self) -> bool:
        """Whether the condition holds; a value that is not a number fails."""
        if not np.isfinite(self.value):
            return False
        return self.value <= self.threshold if self.at_most else self.value >= self.threshold


@dataclass(frozen=True)
class Gate:
    """Whether a fit's draws can be trusted: without it, no verdict.

    Parameters
    ----------
    checks : tuple of Check
    """

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not."""
        return tuple(check for check in self.checks if not check.passed)


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model with all that is needed to use it again.

    Parameters
    ----------
    model : Model
    game : Game
    units : Units
        The trials it was fitted to.
    posterior, sample_stats : xarray.Dataset
        With dimensions chain and draw. Parameters are on the natural standardised scale under
        their own names, shape (chain, draw, subject and/or treatment).
    manifest : mapping
        Model, priors, conventions, seed, sampler, versions, checksums, times; JSON-safe.
    """

    model: Model
    game: Game
    units: Units
    posterior: xr.Dataset
    sample_stats: xr.Dataset
    manifest: Mapping[str, Any]

    def draws(self, most: int = 0) -> Draws:
        """The posterior draws as `Draws`; ``most`` > 0 keeps that many, evenly spaced."""
        return Draws.of(self.model, self.game, self.units, self.posterior, most)

    @cached_property
    def gate(self) -> Gate:
        """The convergence gate over all population and subject parameters.

        R-hat (rank-normalised, Vehtari et al. 2021) at most 1.01, bulk and tail effective
        sample size at least 400, E-BFMI at least 0.3, divergences at most 0.1 % of the draws.
        """
        data = self.posterior
        rhat, bulk, tail = az.rhat(data), az.ess(data, method="bulk"), az.ess(data, method="tail")
        divergent = float(self.sample_stats["diverging"].mean())
        energy = self.sample_stats["energy"].to_numpy()
        bfmi = (np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1)
        return Gate(
            (
                Check("R-hat", *_worst(rhat, highest=True, at=1.01)),
                Check("bulk ESS", *_worst(bulk, highest=False, at=400.0)),
                Check("tail ESS", *_worst(tail, highest=False, at=400.0)),
                Check("E-BFMI", float(bfmi.min()), 0.3, False, f"chain {int(bfmi.argmin())}"),
                Check("divergences, share", divergent, 0.001, True),
            )
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
        path = Path(path)
        tree = xr.DataTree.from_dict(
            {
                "posterior": self.posterior,
                "sample_stats": self.sample_stats,
                "units": _units_dataset(self.units),
            }
        )
        tree.attrs = {"trustbayes": json.dumps(self.manifest)}
        write_whole({path: lambda part: tree.to_netcdf(part, engine="h5netcdf")})
        return path


def fit(
    model: Model,
    trials: Trials,
    sampling: Sampling | None = None,
    *,
    progress: bool = True,
) -> Fit:
    """Sample a model's posterior with nutpie's NUTS.

    Parameters
    ----------
    model : Model
    trials : Trials
        With the model's role.
    sampling : Sampling, optional
        Default: 4 chains of 1,000 draws after 1,000 steps of warm-up.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        If the trials lack the model's role, or are of another kind of game.
    """
    sampling = sampling or Sampling()
    model.check_kind(trials.game)
    if model.role not in trials.roles:
        raise InputError(Fault(trials.source, "", f"trials of the {model.role}"))
    units = trials.fold(model.role)
    information = pilot(model, units, trials.game)
    started = time.perf_counter()
    compiled = nutpie.compile_pymc_model(model.build_units(units, trials.game, information))
    ready = time.perf_counter()
    tree = nutpie.sample(
        compiled,
        draws=sampling.draws,
        tune=sampling.tune,
        chains=sampling.chains,
        cores=min(sampling.chains, os.cpu_count() or 1),
        seed=sampling.seed,
        target_accept=sampling.target_accept,
        save_warmup=False,
        progress_bar=progress,
    )
    done = time.perf_counter()
    manifest = {
        "format": _FORMAT,
        "key": fit_key(model, trials, sampling),
        "model": model.to_dict(),
        "conventions": dict(model.settle(trials.game)),
        "parametrisation": {
            p.name: model.parametrisation.get(p.name, information.form[p.name])
            for p in model.parameters
            if p.support != "simplex"
        },
        "game": trials.game.to_dict(),
        "game_checksum": trials.game.checksum,
        "data": {
            "source": trials.source,
            "checksum": trials.checksum,
            "exclusions": [[e.column, e.value, e.rows] for e in trials.exclusions],
        },
        "sampler": {"name": "nutpie NUTS", **vars(sampling)},
        "versions": versions(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": {"compile": ready - started, "sample": done - ready},
    }
    stats = tree["sample_stats"].to_dataset()
    kept = ["diverging", "energy", "n_steps", "step_size", "logp"]
    return Fit(
        model=model,
        game=trials.game,
        units=units,
        posterior=_plain(tree["posterior"].to_dataset()),
        sample_stats=_plain(stats[[name for name in kept if name in stats]]),
        manifest=manifest,
    )


def fit_key(model: Model, trials: Trials, sampling: Sampling) -> str:
    """Identify a fit by its content: the same inputs have the same key."""
    content = {
        "format": _FORMAT,
        "model": model.to_dict(),
        "game": trials.game.checksum,
        "data": trials.checksum,
        "layout": [
            dict(trials.game.layout.columns),
            {column: list(values) for column, values in trials.game.layout.exclude.items()},
        ],
        "sampling": vars(sampling),
        "versions": versions(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    packages = ("trustbayes", "pymc", "pytensor", "nutpie", "numba", "arviz", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def load_fit(path: str | Path, game: Game | None = None) -> Fit:
    """Read a fit from its file.

    Parameters
    ----------
    path : str or Path
    game : Game, optional
        Needed only if its payoffs are Python functions, which a file cannot hold.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        If the file is missing, is no fit, or holds a fit of another format or game.
    """
    path = Path(path)
    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            manifest = json.loads(tree.attrs["trustbayes"])
            posterior, stats, units = (
                tree[group].to_dataset().load() for group in ("posterior", "sample_stats", "units")
            )
    except FileNotFoundError:
        raise InputError(Fault(str(path), "", "a fit's file, but there is none")) from None
    except (OSError, KeyError, ValueError) as error:
        raise InputError(Fault(str(path), "", "a fit written by trustbayes")) from error
    if manifest["format"] != _FORMAT:
        raise InputError(Fault(str(path), f"format {manifest['format']}", f"format {_FORMAT}"))
    if game is None:
        if manifest["game"].get("payoffs", {}).get("family") == "functions":
            expected = "the game as an argument, its payoffs being Python functions"
            raise InputError(Fault(str(path), "", expected))
        game = game_from_dict(manifest["game"])
    elif game.checksum != manifest["game_checksum"]:
        raise InputError(Fault(str(path), "another game", "the game it was fitted with"))
    return Fit(
        model=model_from_dict(manifest["model"]),
        game=game,
        units=_units_from(units, manifest["model"]["role"]),
        posterior=posterior,
        sample_stats=stats,
        manifest=manifest,
    )


def _worst(data: xr.Dataset, *, highest: bool, at: float) -> tuple[float, float, bool, str]:
    """The worst value over all variables, the threshold, its direction, and where it stands."""
    worst, place = (-np.inf if highest else np.inf), ""
    for name, array in data.data_vars.items():
        values = array.to_numpy()
        if np.isnan(values).all():
            continue  # a variable that does not vary
        index = int(np.nanargmax(values) if highest else np.nanargmin(values))
        value = float(values.reshape(-1)[index])
        if (value > worst) if highest else (value < worst):
            where = np.unravel_index(index, values.shape)
            labels = [str(array[d].to_numpy()[i]) for d, i in zip(array.dims, where, strict=True)]
            worst, place = value, f"{name}[{', '.join(labels)}]" if labels else str(name)
    return worst, at, highest, place


def _plain(data: xr.Dataset) -> xr.Dataset:
    """Text coordinates as plain strings, nothing in the attributes."""
    data = data.copy()
    data.attrs = {}
    for name in data.coords:
        if data[name].dtype.kind not in "iuf":
            data[name] = data[name].astype(str)
    return data


_TEXTS = ("subjects", "treatments", "groups")
_ARRAYS: dict[str, tuple[str, ...]] = {
    "unit_subject": ("unit",),
    "unit_treatment": ("unit",),
    "unit_bias": ("unit",),
    "biases": ("bias",),
    "counts": ("unit", "seen", "option"),
    "trial_unit": ("trial",),
    "trial_seen": ("trial",),
    "trial_option": ("trial",),
    "trial_choice": ("trial",),
}


def _units_dataset(units: Units) -> xr.Dataset:
    data: dict[str, Any] = {
        name: (dims, getattr(units, name)) for name, dims in _ARRAYS.items() if hasattr(units, name)
    }
    for name in _TEXTS:
        if getattr(units, name) is not None:
            dim = "treatment" if name == "treatments" else "subject"
            data[name] = (dim, np.array(getattr(units, name)))
    return xr.Dataset(data)


def _units_from(data: xr.Dataset, role: Any) -> Units:
    found: dict[str, Any] = {"groups": None}
    found |= {name: data[name].to_numpy() for name in _ARRAYS if name in data}
    found |= {name: tuple(map(str, data[name].to_numpy())) for name in _TEXTS if name in data}
    return Cells(role=role, **found) if "counts" in data else Points(role=role, **found)
