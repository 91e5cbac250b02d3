"""A fit, and a fit as a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import H5NetCDFStore

from trustbayes.errors import Fault, InputError, listing
from trustbayes.files import expanded, write_whole
from trustbayes.games import Game, game_from_dict
from trustbayes.inference.gate import Gate, gate_of, gate_of_population
from trustbayes.inference.sampling import METHODS, Sampling
from trustbayes.models import Model, ModelSpec, model_from_dict
from trustbayes.models.draws import Draws
from trustbayes.trials.sequences import units_class
from trustbayes.trials.units import Units

__all__ = ["FORMAT", "Fit", "game_of", "load_fit", "read_file", "write_file"]

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
    log_likelihood : xarray.Dataset, optional
        ``trials``, shape (chain, draw, subject): log likelihood of each subject's trials given the
        population alone, in nats, where the population engine has worked it out.
    """

    model: Model
    game: Game
    units: Units
    posterior: xr.Dataset
    sample_stats: xr.Dataset
    manifest: Mapping[str, Any]
    log_likelihood: xr.Dataset | None = None
    _results: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def once[*Given, Result](self, work: Callable[[Fit, *Given], Result], *given: *Given) -> Result:
        """What a function makes of this fit, worked out when it is first asked for.

        A fit does not change, so neither do results; they are the fit's, and go with it. One made
        by `dataclasses.replace` begins without.

        Parameters
        ----------
        work : callable
            A function of a module: of the fit, and
        *given : hashable
            of what else it needs.

        Returns
        -------
        What the function returns; not to be changed.

        Examples
        --------
        >>> fit.once(scores_of, 1000)  # doctest: +SKIP
        """
        key = (work, given)
        if key not in self._results:
            self._results[key] = work(self, *given)
        result: Result = self._results[key]
        return result

    def thinned(self, draws: int) -> Fit:
        """The fit with no more draws than that, evenly spaced in each chain; all of them by 0."""
        chains, size = self.posterior.sizes["chain"], self.posterior.sizes["draw"]
        each = max(1, draws // chains)
        if draws == 0 or each >= size:
            return self
        keep = np.linspace(0, size - 1, each).round().astype(int)
        logs = self.log_likelihood
        fewer = None if logs is None else logs.isel(draw=keep)
        return replace(self, posterior=self.posterior.isel(draw=keep), log_likelihood=fewer)

    def draws(self, most: int = 0) -> Draws:
        """The posterior draws as `Draws`; ``most`` > 0 keeps that many, evenly spaced."""
        return Draws.of(self.model, self.game, self.units, self.posterior, most)

    @property
    def sampling(self) -> Sampling:
        """How it was sampled."""
        return Sampling(**{k: v for k, v in self.manifest["sampler"].items() if k != "name"})

    @cached_property
    def gate(self) -> Gate:
        """The convergence gate, see `gate_of` and `gate_of_population`.

        Both are in `trustbayes.inference.gate`.
        """
        if "engine" in self.manifest:
            engine = self.manifest["engine"]
            return gate_of_population(self.posterior, self.sample_stats, engine)
        return gate_of(self.posterior, self.sample_stats)

    @property
    def altered(self) -> bool:
        """Whether a user's additions to the PyMC model bear on the posterior."""
        return any(names for kind, names in self.added.items() if kind != "deterministic")

    @property
    def added(self) -> Mapping[str, list[str]]:
        """Names of what a user added to the PyMC model, by kind; see ``built`` of `fit`."""
        names: Mapping[str, list[str]] = self.manifest.get("added", {})
        return names

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
        path = expanded(path)
        write_file(path, self.parts, self.manifest)
        return path

    @property
    def parts(self) -> dict[str, xr.Dataset]:
        """The parts of its file."""
        logs = self.log_likelihood
        return {
            "posterior": self.posterior,
            "sample_stats": self.sample_stats,
            "units": self.units.to_dataset(),
            **({} if logs is None else {"log_likelihood": logs}),
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
            units=units_class(game, groups["units"]).from_dataset(
                groups["units"], manifest["model"]["role"]
            ),
            posterior=groups["posterior"],
            sample_stats=groups["sample_stats"],
            manifest=manifest,
            log_likelihood=groups.get("log_likelihood"),
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
    write_whole({path: lambda part: part.write_bytes(_as_bytes(tree))})


def _as_bytes(tree: xr.DataTree) -> bytes:
    """A tree as NetCDF.

    By way of memory: HDF5 that finds no room when it closes a file ends the process at its exit.
    Node by node without a lock, as `DataTree.to_netcdf` cannot: by default a worker of Dask asks
    its cluster for one by the name of the file, which memory does not have.
    """
    memory = BytesIO()
    for node in tree.subtree:
        mode: Any = "a" if memory.getbuffer().nbytes else "w"
        with H5NetCDFStore.open(memory, mode=mode, group=node.path, lock=False) as store:
            node.to_dataset(inherit=False).dump_to_store(store)
    return memory.getvalue()


def read_file(path: str | Path, what: str) -> tuple[dict[str, Any], dict[str, xr.Dataset]]:
    """Read the manifest and all parts of a fit of a "model" or a "joint" one.

    Raises
    ------
    InputError
        If the file is missing, is no such fit, or holds a fit of another format.
    """
    try:
        with xr.open_datatree(expanded(path), engine="h5netcdf") as tree:
            manifest = json.loads(tree.attrs["trustbayes"])
            groups = {node.path.strip("/"): node.to_dataset().load() for node in tree.leaves}
    except FileNotFoundError:
        raise InputError(Fault(str(path), "", "a fit's file, but there is none")) from None
    except (OSError, KeyError, ValueError) as error:
        raise InputError(Fault(str(path), "", "a fit written by trustbayes")) from error
    if manifest["format"] not in _READABLE:
        raise InputError(Fault(str(path), *_other_format(manifest)))
    sampler = (manifest if "sampler" in manifest else manifest.get("sender", {}))["sampler"]
    if sampler["method"] not in METHODS:
        writer = manifest["versions"]["trustbayes"]
        expected = (
            f"a fit by {listing(list(METHODS))}: read it with trustbayes {writer}, or fit again"
        )
        value = f"a fit by {sampler['name']}, written by trustbayes {writer}"
        raise InputError(Fault(str(path), value, expected))
    if what not in manifest:
        single, joint = "a fit of one role", "a joint fit of both roles"
        value, expected = (joint, single) if what == "model" else (single, joint)
        raise InputError(Fault(str(path), value, expected))
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
