"""A fit, and a fit as a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from trustbayes.errors import Fault, InputError
from trustbayes.files import write_whole
from trustbayes.games import Game, game_from_dict
from trustbayes.inference.gate import Check, Gate, gate_of
from trustbayes.inference.sampling import METHODS, Sampling
from trustbayes.models import Model, ModelSpec, model_from_dict
from trustbayes.models.draws import Draws
from trustbayes.trials.finite import Cells
from trustbayes.trials.forecast import Points
from trustbayes.trials.units import Units

__all__ = ["Fit", "load_fit"]

FORMAT = 3
"""Of the files; 2, which version 0.1 wrote, knows a model by its name alone, and is read, too."""
_READABLE = (2, FORMAT)


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

    @property
    def sampling(self) -> Sampling:
        """How it was sampled."""
        return Sampling(**{k: v for k, v in self.manifest["sampler"].items() if k != "name"})

    @cached_property
    def gate(self) -> Gate:
        """The convergence gate, see `trustbayes.inference.gate.gate_of`.

        It does not apply to an approximation, which never passes it, and has a check of its own,
        see `trustbayes.inference.engines.approximate.approximate`.
        """
        if self.sampling.approximates:
            check = Check(**self.manifest["approximation"])
            return Gate((check,), METHODS[self.sampling.method])
        return gate_of(self.posterior, self.sample_stats)

    @property
    def altered(self) -> bool:
        """Whether a user's additions to the PyMC model bear on the posterior."""
        return any(names for kind, names in self.added.items() if kind != "deterministic")

    @property
    def added(self) -> Mapping[str, list[str]]:
        """Names of what a user added to the PyMC model, by kind; see ``built`` of `fit`."""
        found: Mapping[str, list[str]] = self.manifest.get("added", {})
        return found

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
        write_file(path, self.parts, self.manifest)
        return path

    @property
    def parts(self) -> dict[str, xr.Dataset]:
        """The parts of its file."""
        return {
            "posterior": self.posterior,
            "sample_stats": self.sample_stats,
            "units": _units_dataset(self.units),
        }

    @classmethod
    def of(
        cls,
        manifest: Mapping[str, Any],
        groups: Mapping[str, xr.Dataset],
        game: Game,
        priors: Mapping[Any, Any] | None = None,
        spec: ModelSpec | None = None,
    ) -> Fit:
        """Put the parts of a file together; for priors and specs of a user's own see `load_fit`."""
        return cls(
            model=model_from_dict(manifest["model"], priors, spec),
            game=game,
            units=_units_from(groups["units"], manifest["model"]["role"]),
            posterior=groups["posterior"],
            sample_stats=groups["sample_stats"],
            manifest=manifest,
        )


def load_fit(
    path: str | Path,
    game: Game | None = None,
    priors: Mapping[Any, Any] | None = None,
    spec: ModelSpec | None = None,
) -> Fit:
    """Read a fit from its file.

    Parameters
    ----------
    path : str or Path
    game : Game, optional
        Needed only if its payoffs are Python functions, which a file cannot hold.
    priors : mapping of str or tuple of str to callable, optional
        The priors that are Python code, as the model was given them. A file holds their source as
        text, which is never run: without the callables all works that needs the posterior only,
        and draws from the prior and refits ask for them.
    spec : ModelSpec, optional
        What the model was declared by; default: what is registered under its name.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        If the file is missing, is no fit, holds a fit of another format or game, a callable's
        source is another than the stored one, or the spec computes something else than that of
        the model which was fitted.
    """
    manifest, groups = read_file(path, "model")
    return Fit.of(manifest, groups, game_of(path, manifest, game), priors, spec)


def write_file(path: Path, groups: Mapping[str, xr.Dataset], manifest: Mapping[str, Any]) -> None:
    """Write the parts of a fit to one NetCDF file, whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    tree = xr.DataTree.from_dict(dict(groups))
    tree.attrs = {"trustbayes": json.dumps(manifest)}
    write_whole({path: lambda part: tree.to_netcdf(part, engine="h5netcdf")})


def read_file(path: str | Path, what: str) -> tuple[dict[str, Any], dict[str, xr.Dataset]]:
    """Read the manifest and all parts of a fit of a "model" or a "joint" one.

    Raises
    ------
    InputError
        If the file is missing, is no such fit, or holds a fit of another format.
    """
    try:
        with xr.open_datatree(Path(path), engine="h5netcdf") as tree:
            manifest = json.loads(tree.attrs["trustbayes"])
            groups = {node.path.strip("/"): node.to_dataset().load() for node in tree.leaves}
    except FileNotFoundError:
        raise InputError(Fault(str(path), "", "a fit's file, but there is none")) from None
    except (OSError, KeyError, ValueError) as error:
        raise InputError(Fault(str(path), "", "a fit written by trustbayes")) from error
    if manifest["format"] not in _READABLE:
        raise InputError(Fault(str(path), *_other_format(manifest)))
    if what not in manifest:
        one, both = "a fit of one role", "a joint fit of both roles"
        found, expected = (both, one) if what == "model" else (one, both)
        raise InputError(Fault(str(path), found, expected))
    return manifest, groups


def _other_format(manifest: Mapping[str, Any]) -> tuple[str, str]:
    """What a file of a format that cannot be read is, and what could be."""
    writer = (manifest.get("versions") or manifest.get("sender", {}).get("versions", {})).get(
        "trustbayes", "of another version"
    )
    readable = " or ".join(map(str, _READABLE))
    expected = f"format {readable}: read it with trustbayes {writer}, or fit again"
    return f"format {manifest['format']}, written by trustbayes {writer}", expected


def game_of(path: str | Path, manifest: Mapping[str, Any], game: Game | None) -> Game:
    """The game that a file's fit is of, the given one if it is the same.

    Raises
    ------
    InputError
        If it is another, or none is given and the file could not hold it.
    """
    if game is None:
        if manifest["game"].get("payoffs", {}).get("family") == "functions":
            expected = "the game as an argument, its payoffs being Python functions"
            raise InputError(Fault(str(path), "", expected))
        return game_from_dict(manifest["game"])
    if game.checksum != manifest["game_checksum"]:
        raise InputError(Fault(str(path), "another game", "the game it was fitted with"))
    return game


_TEXTS = ("subjects", "treatments", "groups")


_COVARIATE = "people "


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
    for name, values in units.people.items():
        plain = values if values.dtype.kind in "fiub" else np.array(values.tolist())
        data[f"{_COVARIATE}{name}"] = ("subject", plain)
    return xr.Dataset(data)


def _units_from(data: xr.Dataset, role: Any) -> Units:
    found: dict[str, Any] = {"groups": None}
    found |= {name: data[name].to_numpy() for name in _ARRAYS if name in data}
    found |= {name: tuple(map(str, data[name].to_numpy())) for name in _TEXTS if name in data}
    found["people"] = {
        str(name).removeprefix(_COVARIATE): array.to_numpy()
        for name, array in data.items()
        if str(name).startswith(_COVARIATE)
    }
    return Cells(role=role, **found) if "counts" in data else Points(role=role, **found)
