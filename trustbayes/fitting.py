"""Fits, and fits as files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr

from trustbayes.approximation import approximate
from trustbayes.cells import Cells, Points, Units
from trustbayes.errors import Fault, InputError
from trustbayes.games import Game, game_from_dict
from trustbayes.models import Model, model_from_dict
from trustbayes.models.built import added
from trustbayes.models.evaluate import Draws
from trustbayes.models.firstrun import likely_chains, refined
from trustbayes.models.joint import Joint
from trustbayes.models.pilot import Information, pilot
from trustbayes.models.placed import can_be_placed
from trustbayes.models.sites import sited
from trustbayes.sampling import (
    METHODS,
    Adaptation,
    Check,
    Gate,
    Method,
    Sampled,
    Sampling,
    gate_of,
    sample,
    versions,
)
from trustbayes.trials import Trials
from trustbayes.wholefile import write_whole

__all__ = ["Fit", "check_method", "fit", "fit_key", "load_fit"]

FORMAT = 2
_FIRST = 200  # draws of the run that others start from, see `trustbayes.models.firstrun`


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
        """The convergence gate, see `trustbayes.sampling.gate_of`.

        It does not apply to an approximation, which never passes it, and has a check of its own,
        see `trustbayes.approximation.approximate`.
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
    ) -> Fit:
        """Put the parts of a file together; for priors that are Python code see `load_fit`."""
        return cls(
            model=model_from_dict(manifest["model"], priors),
            game=game,
            units=_units_from(groups["units"], manifest["model"]["role"]),
            posterior=groups["posterior"],
            sample_stats=groups["sample_stats"],
            manifest=manifest,
        )


def fit(
    model: Model,
    trials: Trials,
    sampling: Sampling | None = None,
    *,
    progress: bool = True,
    cores: int | None = None,
    alike: bool = False,
    built: pm.Model | None = None,
    method: Method | None = None,
) -> Fit:
    """Sample a model's posterior with nutpie's NUTS, or draw from an approximation to it.

    A model that combines theories is sampled twice: a first short run shows where the posterior has
    its mass and how to carry parameters that a subject's type ignores, and the chains of the main
    run start there. See `trustbayes.models.firstrun`.

    Parameters
    ----------
    model : Model
    trials : Trials
        With the model's role.
    sampling : Sampling, optional
        Default: 4 chains of 1,000 draws after 500 steps of warm-up.
    progress : bool
        Whether to show a progress bar.
    cores : int, optional
        Chains at a time; default: as many as the machine has cores.
    alike : bool
        Whether other trials of the same design (who plays which treatment in which trial) are
        fitted in this process, too: all then share one compiled model. In a finite game they do
        anyway; in forecast sharing such a model takes longer to compile and to evaluate.
    built : pymc.Model, optional
        What ``model.build(trials)`` made, with variables, potentials or observations of a user's
        own added. They are sampled with the rest, stand in the posterior and the file, and are
        named in the manifest under "added"; the graph itself cannot be stored.
    method : {"nuts", "laplace", "advi"}, optional
        In place of that of ``sampling``. With thousands of subjects Laplace's approximation takes
        a small part of the time that NUTS does, see `trustbayes.approximation.approximate`; the
        fit says what it is, and no verdict rests on it.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        If the trials lack the model's role, or are of another kind of game; if what was built is
        of another model or other trials, lacks something, or is of a model that combines theories,
        whose two runs need graphs of their own; if such a model, or one whose posterior has no
        mode, is to be approximated.

    Examples
    --------
    >>> import pymc as pm
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, data.game)
    >>> model = tb.TrustEmbedded("receiver")
    >>> with model.build(trials) as built:
    ...     spread = pm.Deterministic("trust_range", built["trust"].max() - built["trust"].min())
    >>> fit(model, trials, built=built).posterior["trust_range"]  # doctest: +SKIP
    """
    sampling = sampling or Sampling()
    sampling = replace(sampling, method=method or sampling.method)
    model.check_kind(trials.game)
    check_method(model, sampling)
    if model.role not in trials.roles:
        raise InputError(Fault(trials.source, "", f"trials of the {model.role}"))
    folded = trials.fold(model.role)
    model, own_order = model.learnt(folded), model.own_people(folded)
    units = own_order.by_design()
    information = pilot(model, units, trials.game)
    extra = {} if built is None else added(built, model, trials)
    if built is not None and (information.stand_ins or can_be_placed(model)):
        expected = "none: models that combine theories are sampled in two runs, each with its graph"
        raise InputError(Fault(f"{model.name}, {model.role}", "a built model", expected))
    if can_be_placed(model):
        information = sited(model, units, trials.game, information)
    # Code may draw on anything, names of subjects included, so what it makes is not used again.
    reused = not model.coded and built is None
    pattern = _pattern(model, units, trials.game, information, alike) if reused else ""

    def sampled_with(
        information: Information,
        how: Sampling,
        starts: np.ndarray | None = None,
        points: bool = False,
    ) -> Sampled:
        graph = built or model.build_units(units, trials.game, information, replaceable=alike)
        if how.approximates:
            return approximate(graph, how, progress=progress, pattern=pattern)
        return sample(
            graph,
            how,
            progress=progress,
            cores=cores,
            pattern=pattern,
            adaptation=_adaptation(units, information),
            starts=starts,
            near=information.starts,
            points=points,
        )

    if information.stand_ins or information.sites:
        first = sampled_with(information, replace(sampling, draws=_FIRST), points=True)
        some = first.posterior.isel(draw=slice(None, None, _FIRST // 10))
        likely = likely_chains(Draws.of(model, trials.game, units, some), sampling.chains)
        kept = first.posterior.isel(chain=np.flatnonzero(likely))
        draws = Draws.of(model, trials.game, units, kept)
        if information.sites:
            information = sited(model, units, trials.game, information, draws.data)
        else:
            information = refined(information, draws)
        assert first.points is not None
        starts = np.concatenate(first.points[likely])
        sampled = sampled_with(information, sampling, starts)
        spent = {"first run": sum(first.seconds.values()), **sampled.seconds}
        sampled = replace(sampled, seconds=spent)
    else:
        sampled = sampled_with(information, sampling)
    manifest = {
        # With additions the same inputs cannot be told from others: no key, and no reuse by one.
        **({"key": fit_key(model, trials, sampling)} if built is None else {"added": extra}),
        **described(model, information, trials.game),
        **recorded(trials, sampling, sampled),
    }
    return Fit(
        model=model,
        game=trials.game,
        units=own_order,
        posterior=_in_order(sampled.posterior, own_order.subjects),
        sample_stats=sampled.sample_stats,
        manifest=manifest,
    )


def check_method(model: Model, sampling: Sampling) -> None:
    """Refuse to approximate models that combine theories.

    Raises
    ------
    InputError
    """
    if sampling.approximates and (can_be_placed(model) or any(model.ignored.values())):
        expected = "nuts: a subject has a mode for each of the theories that are combined"
        raise InputError(Fault(f"{model.name}, {model.role}, method", sampling.method, expected))


def _in_order(posterior: xr.Dataset, subjects: tuple[str, ...]) -> xr.Dataset:
    return posterior.sel(subject=list(subjects)) if "subject" in posterior.dims else posterior


def _adaptation(units: Units, information: Information) -> Adaptation:
    if information.sites:
        return "draw_diag"
    return "low_rank" if isinstance(units, Points) else "diag"


def described(model: Model, information: Information, game: Game) -> dict[str, Any]:
    """What the manifest says of a model."""
    form = dict(information.form)
    form |= dict.fromkeys(information.sites.placed if information.sites else (), "placed")
    return {
        "model": model.to_dict(),
        "conventions": dict(model.settle(game)),
        "parametrisation": {
            p.name: model.parametrisation.get(p.name, form[p.name])
            for p in model.parameters
            if p.support != "simplex" and p.name not in model.coded
        },
    }


def recorded(trials: Trials, sampling: Sampling, sampled: Sampled) -> dict[str, Any]:
    """What the manifest says of data, sampler and time."""
    return {
        "format": FORMAT,
        "game": trials.game.to_dict(),
        "game_checksum": trials.game.checksum,
        "data": {
            "source": trials.source,
            "checksum": trials.checksum,
            "exclusions": [[e.column, e.value, e.rows] for e in trials.exclusions],
        },
        "sampler": {"name": METHODS[sampling.method], **vars(sampling)},
        **({"approximation": asdict(sampled.check)} if sampled.check else {}),
        "versions": versions(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": dict(sampled.seconds),
    }


def fit_key(model: Model | Joint, trials: Trials, sampling: Sampling) -> str:
    """Identify a fit by its content: the same inputs have the same key.

    What formulas take from people is a part of the model, so the trials without them are enough.
    """
    if isinstance(model, Model) and model.formulas:
        model = model.learnt(trials.fold(model.role))
    content = {
        "format": FORMAT,
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


def _pattern(model: Model, units: Units, game: Game, information: Information, alike: bool) -> str:
    """Identify what is compiled: all but the numbers in the PyMC model's data variables."""
    arrays = units.pattern
    if isinstance(units, Points) and not alike:
        arrays += units.trial_seen, units.trial_choice
    formulas = {
        n: (f.text, len(f.columns), len(f.to_dict()["known"]["groups"]))
        for n, f in model.formulas.items()
    }
    placed = information.sites.placed if information.sites else ()
    form = {n: f for n, f in information.form.items() if n not in placed}
    parts = {
        "model": {**model.to_dict(), "formulas": formulas},
        "game": game.checksum,
        "sizes": [len(units.subjects), len(units.treatments)],
        "alike": alike,
        "form": {n: model.parametrisation.get(n, f) for n, f in form.items()},
        "stand_ins": list(information.stand_ins),
        "placed": placed,
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def load_fit(
    path: str | Path, game: Game | None = None, priors: Mapping[Any, Any] | None = None
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

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        If the file is missing, is no fit, holds a fit of another format or game, or a callable's
        source is another than the stored one.
    """
    manifest, groups = read_file(path, "model")
    return Fit.of(manifest, groups, game_of(path, manifest, game), priors)


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
    if manifest["format"] != FORMAT:
        raise InputError(Fault(str(path), f"format {manifest['format']}", f"format {FORMAT}"))
    if what not in manifest:
        one, both = "a fit of one role", "a joint fit of both roles"
        found, expected = (both, one) if what == "model" else (one, both)
        raise InputError(Fault(str(path), found, expected))
    return manifest, groups


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
